//! What the world counts while a run goes on: whole numbers, nothing derived.
//!
//! Bytes are verified bytes of media, counted when they are. Playlists, indexes and hash rows are not media.

use crate::scenario::{Class, Misbehaving};

/// All counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// By simulated second, from 0 on.
    pub seconds: Vec<Second>,
    /// By segment, all renditions of it together.
    pub segments: Vec<Segment>,
    /// In the order of arrival, which is the same for the same scenario and seed with and without peers.
    pub viewers: Vec<Viewer>,
    /// Groups of viewers in which everybody can reach everybody over others.
    pub connected_components: u32,
    /// Pairs that were introduced.
    pub pairs_introduced: u64,
    /// Pairs that proved themselves to each other.
    pub pairs_proved: u64,
    /// Live: requests for the newest head that reached the origin.
    pub head_requests: u64,
    /// Invariants that were checked.
    pub invariant_checks: u64,
    /// Inputs that engines were given and outputs that they were asked for.
    pub engine_calls: u64,
    /// SHA-256 over all events in their order, in hex.
    pub event_log_hash: String,
}

/// Bytes from the origin by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FromOrigin {
    /// A viewer's first two segments of a track, or anything before its first frame.
    pub startup: u64,
    /// It was the viewer's turn to fetch it, for all others.
    pub elected: u64,
    /// Peers failed or would have been late.
    pub rescue: u64,
}

/// One simulated second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Viewers present at its end.
    pub viewers: u32,
    /// Viewers that stalled in it, be it for a moment.
    pub stalled: u32,
    /// Bytes from other viewers.
    pub from_peers: u64,
    /// Bytes from the origin.
    pub from_origin: FromOrigin,
    /// Of those, bytes of a viewer's first segment.
    pub first_segments: u64,
    /// Bytes sent to other viewers.
    pub sent: u64,
}

/// One segment, all renditions of it together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Sizes of the renditions of which at least one viewer got anything.
    pub unique: u64,
    /// Bytes from the origin.
    pub from_origin: FromOrigin,
}

/// One viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Its access link.
    pub class: Class,
    /// How it misbehaves, if it does.
    pub misbehaving: Option<Misbehaving>,
    /// What its access link sends at most.
    pub uplink_kbps: u32,
    /// What its page allows, if that is less.
    pub upload_cap_kbps: Option<u32>,
    /// When it came.
    pub arrived_us: u64,
    /// When it left, if that was before the end.
    pub left_us: Option<u64>,
    /// Simulated time of its first frame.
    pub first_frame_us: Option<u64>,
    /// Time played.
    pub played_us: u64,
    /// Time stalled after the first frame.
    pub stalled_us: u64,
    /// How often.
    pub stalls: u32,
    /// Bytes from other viewers.
    pub from_peers: u64,
    /// Bytes from the origin.
    pub from_origin: FromOrigin,
    /// Most segments of one track that it got from the origin as a start.
    pub startup_segments: u32,
    /// Bytes that came twice, too late, or failed the check.
    pub wasted: u64,
    /// Bytes sent to other viewers.
    pub sent: u64,
    /// Connections that proved themselves.
    pub connections: u32,
    /// Others whose address it learnt.
    pub addresses_learnt: u32,
    /// Others that blamed it.
    pub blamed_by: u32,
    /// By segment.
    pub segments: Vec<Sources>,
}

/// Bytes of one segment that one viewer got, all renditions of it together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// From other viewers.
    pub from_peers: u32,
    /// From the origin.
    pub from_origin: u32,
}

impl Viewer {
    /// A viewer that has just come.
    pub fn new(class: Class, uplink_kbps: u32, arrived_us: u64) -> Self {
        Self {
            class,
            misbehaving: None,
            uplink_kbps,
            upload_cap_kbps: None,
            arrived_us,
            left_us: None,
            first_frame_us: None,
            played_us: 0,
            stalled_us: 0,
            stalls: 0,
            from_peers: 0,
            from_origin: FromOrigin::default(),
            startup_segments: 0,
            wasted: 0,
            sent: 0,
            connections: 0,
            addresses_learnt: 0,
            blamed_by: 0,
            segments: Vec::new(),
        }
    }
}

impl FromOrigin {
    /// For whatever cause.
    pub fn total(&self) -> u64 {
        self.startup + self.elected + self.rescue
    }
}
