//! Engine configuration.

use alloc::vec::Vec;

use super::Sharing;
use crate::content::PublicKey;
#[cfg(feature = "live")]
use crate::content::live::LiveMemory;

/// What the owner of an engine decides. Start from [`EngineConfig::new`], which documents the defaults.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Seed of all randomness: nonces, keys, tie-breaks. Must be fresh and secret in production.
    pub seed: [u8; 32],
    /// Keys that may sign tickets. Empty: nobody is believed, so no peer is ever accepted.
    pub tracker_keys: Vec<PublicKey>,
    /// Whether there is a tracker to talk to. Default: no.
    pub tracker: bool,
    /// Which way bytes may go. Default: [`Sharing::Off`].
    pub sharing: Sharing,
    /// Upload cap in bits per second. Default: none.
    pub upload_bps: Option<u64>,
    /// Upload budget in bytes, for the whole visit. Default: none.
    pub upload_bytes: Option<u64>,
    /// Bytes that the store may hold. Default: 64 MiB.
    pub store_bytes: u64,
    /// Connections kept at most. More help availability, fewer help the uplink. Default: 24.
    pub max_peers: usize,
    /// The newest head of a live content that was seen on an earlier visit. Default: none.
    #[cfg(feature = "live")]
    pub live_memory: LiveMemory,
    /// Statements are signed and taken. Default: yes. A simulation, whose peers judge by verdicts, has no use for them.
    pub statements: bool,
    /// Loopback candidates are sent and accepted (the local demo). Default: no.
    pub allow_loopback: bool,
}

impl EngineConfig {
    /// The defaults, with this seed.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            tracker_keys: Vec::new(),
            tracker: false,
            sharing: Sharing::Off,
            upload_bps: None,
            upload_bytes: None,
            store_bytes: 64 << 20,
            max_peers: 24,
            #[cfg(feature = "live")]
            live_memory: LiveMemory::NONE,
            statements: true,
            allow_loopback: false,
        }
    }
}
