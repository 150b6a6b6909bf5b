//! What the engine tells the page.

use alloc::string::String;

use serde::Serialize;

/// Something that happened. Serialised with a `type` tag; handles are pseudonyms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The tracker admitted us.
    TrackerJoined {
        /// Our handle.
        handle: String,
    },
    /// The tracker is out of reach or refused us; peers already connected are kept.
    TrackerLost {
        /// Stable code.
        code: String,
    },
    /// The tracker refused a message; the connection to it stays.
    TrackerRefused {
        /// Stable code.
        code: String,
    },
    /// A peer proved itself.
    PeerConnected {
        /// Its number.
        peer: u32,
        /// Its handle.
        handle: String,
    },
    /// A peer is gone, or could not be reached.
    PeerLost {
        /// Its number.
        peer: u32,
        /// Its handle.
        handle: String,
        /// Stable code.
        code: String,
    },
    /// A peer broke a rule. It was closed and is not dialled again.
    PeerBlamed {
        /// Its number.
        peer: u32,
        /// Its handle.
        handle: String,
        /// The rule, as a stable code.
        code: String,
        /// Track of the object concerned, if any.
        track: Option<u16>,
        /// Index of the object concerned.
        index: Option<u32>,
        /// The chunk concerned.
        chunk: Option<u32>,
    },
    /// An HTTP source delivered bytes that are not what was signed, even past the cache.
    SourceBlamed {
        /// Path relative to the content base.
        path: String,
        /// Track.
        track: u16,
        /// Index.
        index: u32,
        /// The first chunk that failed, where a row tells.
        chunk: Option<u32>,
    },
    /// An object is complete and verified.
    ObjectDone {
        /// Track; 0 is an asset.
        track: u16,
        /// Index in the track.
        index: u32,
        /// Its length in bytes.
        bytes: u64,
        /// Bytes that came from peers.
        from_peers: u64,
        /// Bytes that came over HTTP.
        from_http: u64,
        /// Why HTTP was used, if it was.
        http_reason: Option<HttpReason>,
    },
    /// A live head was taken: the newest segments are known. For the page to remember.
    #[cfg(feature = "live")]
    HeadTaken {
        /// Session by whose key it is.
        session: u64,
        /// Number of its logs.
        log: u64,
        /// Its sequence.
        sequence: u64,
        /// When it was issued, Unix time in milliseconds.
        issued_ms: u64,
        /// SHA-256 of the sealed head, in hexadecimal digits.
        hash: String,
        /// Whether a peer brought it.
        from_peer: bool,
    },
    /// A live head was refused.
    #[cfg(feature = "live")]
    HeadRefused {
        /// The rule, as a stable code.
        code: &'static str,
        /// The peer that brought it; `None`: the origin.
        peer: Option<u32>,
    },
    /// Two signed objects of which only one can be true.
    #[cfg(feature = "live")]
    PublisherContradicted {
        /// What about: `session`, `sequence`, `log`.
        kind: &'static str,
        /// What was taken first, base64url.
        first: String,
        /// What came later, base64url.
        second: String,
    },
    /// No head has brought new media for three target durations.
    #[cfg(feature = "live")]
    LiveFrozen,
    /// It goes on.
    #[cfg(feature = "live")]
    LiveResumed,
    /// The publisher has begun other logs; what was held is forgotten.
    #[cfg(feature = "live")]
    LiveRestarted,
    /// The publisher has signed the end.
    #[cfg(feature = "live")]
    LiveEnded,
    /// The device's clock is not what the tracker's is, which is used from now on.
    #[cfg(feature = "live")]
    ClockOff {
        /// What the device says, Unix seconds.
        device_s: u64,
        /// What the tracker says.
        tracker_s: u64,
    },
    /// An object left the store.
    ObjectEvicted {
        /// Track.
        track: u16,
        /// Index.
        index: u32,
    },
}

/// Why bytes came over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpReason {
    /// There is no tracker, no WebRTC, or sharing is off.
    PeersOff,
    /// Nothing was buffered yet and no peer could answer in time.
    Startup,
    /// This viewer was elected to fetch it for the others.
    Elected,
    /// No connected peer has it.
    NobodyHas,
    /// Peers were too slow for the deadline.
    Deadline,
    /// A peer failed or was blamed in the middle.
    PeerFailed,
    /// Small or shared over HTTP by rule (playlists, indexes).
    Asset,
}
