//! Counters for the page.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

/// Bytes by source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Verified bytes from peers.
    pub from_peers: u64,
    /// Verified bytes over HTTP.
    pub from_http: u64,
    /// Bytes sent to peers.
    pub to_peers: u64,
    /// Bytes shown to the tracker, to prove what was announced.
    pub to_tracker: u64,
    /// Bytes that came twice, too late, or failed.
    pub wasted: u64,
    /// Bytes that failed verification, from any source.
    pub rejected: u64,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerStats {
    /// Number.
    pub peer: u32,
    /// Pseudonym.
    pub handle: String,
    /// `connecting`, `proving`, `ready`.
    pub state: &'static str,
    /// Verified bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Estimated rate from it, bytes per second.
    pub rate: u64,
    /// Round-trip estimate, microseconds; 0 while unknown.
    pub rtt_us: u64,
    /// Complete segments that it says it holds.
    pub segments: u64,
}

/// A live content, as far as heads tell.
#[cfg(feature = "live")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiveStats {
    /// `waiting` for the first head, `live`, `frozen`, `ended`.
    pub state: &'static str,
    /// Session of the newest head.
    pub session: u64,
    /// Its sequence.
    pub sequence: u64,
    /// Where the newest segment ends, microseconds of media time.
    pub edge_us: Option<u64>,
    /// How far behind that the play head is, microseconds.
    pub latency_us: Option<u64>,
    /// Requests for the newest head.
    pub polls: u32,
    /// Heads that neighbours brought first.
    pub heads_from_peers: u32,
    /// Heads that the origin brought first.
    pub heads_from_http: u32,
    /// Heads that were refused, whoever brought them.
    pub heads_refused: u32,
}

/// Everything at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Bytes by source, all objects.
    pub traffic: Traffic,
    /// The same for media tracks only (not assets).
    pub media: Traffic,
    /// Of a live content.
    #[cfg(feature = "live")]
    pub live: Option<LiveStats>,
    /// Open connections.
    pub peers: Vec<PeerStats>,
    /// Connections asked for.
    pub connections_made: u32,
    /// Connections that proved themselves.
    pub connections_proved: u32,
    /// Why pairs failed: code and count.
    pub failures: Vec<(String, u32)>,
    /// Why objects came over HTTP: code and count.
    pub http_reasons: Vec<(super::HttpReason, u32)>,
    /// Peers blamed.
    pub blamed: u32,
    /// `off`, `connecting`, `joined`.
    pub tracker: &'static str,
    /// Our handle in this swarm, once admitted.
    pub handle: Option<String>,
    /// Bytes in the store.
    pub store_bytes: u64,
    /// The store's limit.
    pub store_limit: u64,
    /// Upload cap in bits per second.
    pub upload_bps: Option<u64>,
    /// Upload budget left, bytes.
    pub upload_bytes_left: Option<u64>,
    /// Measured HTTP rate, bytes per second; 0 while unknown.
    pub http_rate: u64,
    /// Demands under way.
    pub demands: u32,
    /// The content's tracks.
    pub tracks: Vec<TrackStats>,
}

/// One object that is wanted, arriving or held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentStats {
    /// Track; 0 is an asset.
    pub track: u16,
    /// Index in the track.
    pub index: u32,
    /// Media start, microseconds.
    pub start_us: u64,
    /// Duration, microseconds.
    pub duration_us: u64,
    /// Its chunks.
    pub chunks: u32,
    /// Chunks that are verified and held.
    pub verified: u32,
    /// Bytes that came from peers.
    pub from_peers: u64,
    /// Bytes that came over HTTP.
    pub from_http: u64,
    /// Why HTTP was used, if it was.
    pub http_reason: Option<super::HttpReason>,
}

/// One track of the content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrackStats {
    /// Track number.
    pub id: u16,
    /// `video`, `audio`, `text`, `files`.
    pub kind: &'static str,
    /// Signed media type.
    pub media_type: String,
    /// Bits per second, if the manifest says.
    pub bitrate: Option<u64>,
    /// Segments in it.
    pub segments: u32,
}
