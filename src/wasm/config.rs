//! What JavaScript decides about a join.

use alloc::string::String;
use alloc::vec::Vec;

use wasm_bindgen::JsValue;

use super::error::BridgeError;
use super::fields::{Fields, Wrong, parsed};
#[cfg(feature = "live")]
use crate::content::live::LiveMemory;
use crate::content::{ContentId, Manifest, Pin, PublicKey, Remembered, RollbackMemory, Trust, WallTime};
use crate::swarm::{EngineConfig, Sharing};

/// The configuration object.
pub(super) struct PeerConfig {
    /// Absolute URL; the content's base is its folder.
    pub(super) manifest_url: String,
    content: Option<ContentId>,
    trust: Vec<PublicKey>,
    /// Beside those that the manifest names.
    tracker_keys: Vec<PublicKey>,
    tracker: bool,
    allow_loopback: bool,
    policy: Policy,
    store_bytes: u64,
    /// The device's clock, milliseconds since 1970.
    unix_ms: u64,
    memory: RollbackMemory,
    #[cfg(feature = "live")]
    live_memory: LiveMemory,
}

/// Which way bytes may go, and how many.
#[derive(Clone, Copy)]
pub(super) struct Policy {
    pub(super) sharing: Sharing,
    pub(super) upload_bps: Option<u64>,
    pub(super) upload_bytes: Option<u64>,
}

impl PeerConfig {
    pub(super) fn read(config: &JsValue) -> Result<Self, BridgeError> {
        let mut wrong = None;
        let mut fields = Fields::of(config, "config", &mut wrong);
        let config = Self {
            manifest_url: fields.text("manifestUrl"),
            content: fields.optional_parsed("content"),
            trust: fields.list("trust", MOST, |key, wrong| parsed(key, "trust", wrong)),
            tracker_keys: fields.list("trackerKeys", MOST, |key, wrong| {
                parsed(key, "trackerKeys", wrong)
            }),
            tracker: fields.flag("tracker"),
            allow_loopback: fields.flag("allowLoopback"),
            policy: fields.within_object("policy", Policy::of),
            store_bytes: fields.number("storeBytes"),
            unix_ms: fields.number("unixMs"),
            memory: fields.optional_object("memory", memory).unwrap_or_default(),
            #[cfg(feature = "live")]
            live_memory: fields
                .optional_object("liveMemory", live_memory)
                .unwrap_or(LiveMemory::NONE),
        };
        fields.end();
        taken(config, wrong)
    }

    pub(super) const fn wall_time(&self) -> WallTime {
        WallTime::from_device(self.unix_ms / 1000)
    }

    /// What may be believed; the memory goes in there.
    pub(super) fn trust(&mut self) -> Trust {
        let memory = core::mem::take(&mut self.memory);
        Trust::new(self.trust.clone(), self.content, &self.manifest_url, memory)
    }

    /// The engine's configuration; tickets are believed from the page's tracker keys and from the manifest's.
    pub(super) fn engine(&self, seed: [u8; 32], manifest: &Manifest) -> EngineConfig {
        let mut config = EngineConfig::new(seed);
        config.tracker_keys = [self.tracker_keys.as_slice(), &manifest.tracker_keys].concat();
        #[cfg(feature = "live")]
        {
            config.live_memory = self.live_memory;
        }
        config.tracker = self.tracker;
        config.sharing = self.policy.sharing;
        config.upload_bps = self.policy.upload_bps;
        config.upload_bytes = self.policy.upload_bytes;
        config.store_bytes = self.store_bytes;
        config.allow_loopback = self.allow_loopback;
        config
    }
}

impl Policy {
    pub(super) fn read(policy: &JsValue) -> Result<Self, BridgeError> {
        let mut wrong = None;
        let policy = Self::of(policy, &mut wrong);
        taken(policy, wrong)
    }

    fn of(policy: &JsValue, wrong: &mut Wrong) -> Self {
        let mut fields = Fields::of(policy, "policy", wrong);
        let policy = Self {
            sharing: match fields.word("sharing", &["off", "receive", "on"]) {
                0 => Sharing::Off,
                1 => Sharing::Receive,
                _ => Sharing::On,
            },
            upload_bps: fields.optional_number("uploadBps"),
            upload_bytes: fields.optional_number("uploadBytes"),
        };
        fields.end();
        policy
    }
}

fn taken<T>(read: T, wrong: Wrong) -> Result<T, BridgeError> {
    wrong.map_or(Ok(read), |wrong| Err(wrong.into()))
}

/// What [`super::Peer::joined`] gave out on an earlier visit.
fn memory(value: &JsValue, wrong: &mut Wrong) -> RollbackMemory {
    let mut fields = Fields::of(value, "memory", wrong);
    let seen = fields.optional_list("seen", MOST, |value, wrong| {
        let mut fields = Fields::of(value, "seen", wrong);
        Some(Remembered {
            publisher: fields.parsed("publisher")?,
            content: fields.parsed("content")?,
            version: fields.number("version"),
            hash: fields.parsed("hash")?,
            issued: fields.number("issued"),
        })
    });
    let pins = fields.optional_list("pins", MOST, |value, wrong| {
        let mut fields = Fields::of(value, "pins", wrong);
        Some(Pin {
            source: fields.parsed("source")?,
            content: fields.parsed("content")?,
        })
    });
    RollbackMemory { seen, pins }
}

/// What the event `head-taken` said of this content on an earlier visit.
#[cfg(feature = "live")]
fn live_memory(value: &JsValue, wrong: &mut Wrong) -> LiveMemory {
    // The event says more.
    let mut fields = Fields::of(value, "liveMemory", wrong);
    LiveMemory {
        session: fields.number("session"),
        log: fields.number("log"),
        sequence: fields.number("sequence"),
        issued_ms: fields.number("issuedMs"),
        hash: fields.parsed("hash"),
    }
}

/// More keys or memories than anybody has.
const MOST: u32 = 4096;
