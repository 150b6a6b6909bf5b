//! What JavaScript decides about a join.

use serde::Deserialize;

use super::error::BridgeError;
use crate::content::{ContentId, PublicKey, RollbackMemory, Trust, WallTime};
use crate::swarm::{EngineConfig, Sharing};

/// The configuration object. Text forms are parsed here, so that an error names the field.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PeerConfig {
    /// Absolute URL; the content's base is its folder.
    pub(super) manifest_url: String,
    /// Expected content id.
    content: Option<String>,
    /// Publisher keys.
    trust: Vec<String>,
    /// Tracker keys beside those that the manifest names.
    tracker_keys: Vec<String>,
    /// Whether there is a tracker to talk to.
    tracker: bool,
    /// Whether candidates of this machine itself are let through.
    allow_loopback: bool,
    policy: PolicyConfig,
    store_bytes: u64,
    /// The device's clock, milliseconds since 1970.
    unix_ms: u64,
    /// What an earlier visit remembered.
    memory: Option<RollbackMemory>,
}

/// Which way bytes may go, and how many.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PolicyConfig {
    sharing: SharingText,
    pub(super) upload_bps: Option<u64>,
    pub(super) upload_bytes: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SharingText {
    Off,
    Receive,
    On,
}

impl PolicyConfig {
    pub(super) const fn sharing(&self) -> Sharing {
        match self.sharing {
            SharingText::Off => Sharing::Off,
            SharingText::Receive => Sharing::Receive,
            SharingText::On => Sharing::On,
        }
    }
}

impl PeerConfig {
    pub(super) const fn wall_time(&self) -> WallTime {
        WallTime::from_device(self.unix_ms / 1000)
    }

    pub(super) fn trust(&mut self) -> Result<Trust, BridgeError> {
        let publishers = keys(&self.trust).ok_or(BridgeError::InvalidPublisherKey)?;
        let content = match &self.content {
            Some(text) => {
                let id: ContentId = text.parse().map_err(|_| BridgeError::InvalidContentId)?;
                Some(id)
            }
            None => None,
        };
        let memory = self.memory.take().unwrap_or_default();
        Ok(Trust::new(publishers, content, &self.manifest_url, memory))
    }

    /// The engine's configuration; tickets are believed from the page's tracker keys and from the manifest's.
    pub(super) fn engine(&self, seed: [u8; 32], listed: &[PublicKey]) -> Result<EngineConfig, BridgeError> {
        let mut tracker_keys = keys(&self.tracker_keys).ok_or(BridgeError::InvalidTrackerKey)?;
        tracker_keys.extend_from_slice(listed);
        let mut config = EngineConfig::new(seed);
        config.tracker_keys = tracker_keys;
        config.tracker = self.tracker;
        config.sharing = self.policy.sharing();
        config.upload_bps = self.policy.upload_bps;
        config.upload_bytes = self.policy.upload_bytes;
        config.store_bytes = self.store_bytes;
        config.allow_loopback = self.allow_loopback;
        Ok(config)
    }
}

fn keys(texts: &[String]) -> Option<Vec<PublicKey>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}
