//! One viewer: an engine, and what its owner keeps for it.

use swarmseal::content::ObjectId;
use swarmseal::swarm::{Engine, FetchId, HttpReason, PeerId};

use super::player::Player;
use super::table::Bits;
use crate::invariants::{SpinWatch, UploadMeter};
use crate::net::{Micros, Pipe};
use crate::random::Random;
use crate::record;
use crate::scenario::{Class, Misbehaving};

/// A viewer's number, in order of arrival.
pub(super) type ViewerId = u32;

/// What is decided about a viewer before it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    pub(super) class: Class,
    pub(super) misbehaves: Option<Misbehaving>,
    /// The segment that it starts with.
    pub(super) first_segment: u32,
    /// Live: how much later than the origin it hears of a segment.
    pub(super) hears_after_us: Micros,
}

/// A viewer that has come, and may have left.
pub(super) struct Viewer {
    pub(super) profile: Profile,
    pub(super) left: bool,
    /// `None` before the manifest is here and after the viewer has left.
    pub(super) engine: Option<Box<Engine>>,
    pub(super) player: Player,
    pub(super) up: Pipe,
    pub(super) down: Pipe,
    pub(super) latency_us: Micros,
    pub(super) jitter_us: Micros,
    pub(super) loss_ppm: u32,
    pub(super) upload_bps: Option<u64>,
    pub(super) upload: Option<UploadMeter>,
    pub(super) spins: SpinWatch,
    /// Draws what becomes of its packets…
    pub(super) random: Random,
    /// …and what it does, which is the same whatever becomes of them.
    pub(super) fate: Random,
    /// When the engine wants to be woken, and when it will be.
    pub(super) wake_at: Option<Micros>,
    pub(super) alarm_at: Option<Micros>,
    /// When the player is looked at again.
    pub(super) player_at: Micros,
    /// Chunks in the store, by their place in the title, and their bytes.
    pub(super) held: Bits,
    pub(super) held_bytes: u64,
    pub(super) http: Http,
    /// By peer number.
    pub(super) peers: Vec<Pairing>,
    /// The connection to the tracker: its number counts up with each attempt.
    pub(super) tracker: Option<u64>,
    /// When the tracker hears what it was told last.
    pub(super) told_tracker_at: Micros,
    pub(super) record: record::Viewer,
    /// Time stalled up to the last full second.
    pub(super) stalled_before: Micros,
    /// Segments that it got from the origin as a start.
    pub(super) start_segments: Vec<ObjectId>,
}

/// What has become of a peer number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pairing {
    /// Not given out.
    None,
    /// A connection that is being made.
    Dialling,
    /// One that was.
    Linked {
        /// The link.
        link: u32,
        /// Which end of it is here.
        end: u8,
    },
    /// One that is no more.
    Closed,
}

/// Requests under way over HTTP.
#[derive(Debug, Default)]
pub(super) struct Http {
    /// All of them, in the order in which they were made.
    pub(super) open: Vec<Transfer>,
    /// The place in `open` from which the origin sends next.
    pub(super) turn: usize,
    /// The origin is sending a piece to this viewer.
    pub(super) sending: bool,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    pub(super) fetch: FetchId,
    pub(super) body: Body,
    pub(super) len: u64,
    /// The origin has got the request.
    pub(super) begun: bool,
    /// Bytes that have left the origin, and pieces that have arrived.
    pub(super) sent: u64,
    pub(super) arrived: u32,
}

/// What a request brings.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Chunks, and why the engine fetches them.
    Chunks {
        object: ObjectId,
        first: u32,
        reason: Option<HttpReason>,
    },
    /// A part of an index or of rows.
    Sheet { path: String, range: (u64, u64) },
    /// A small file as it is when the request gets there.
    Whole { path: String, bytes: Vec<u8> },
}

impl Viewer {
    pub(super) const fn is_here(&self) -> bool {
        !self.left
    }

    pub(super) fn pairing(&self, peer: PeerId) -> Pairing {
        self.peers.get(peer.0 as usize).copied().unwrap_or(Pairing::None)
    }

    pub(super) fn set_pairing(&mut self, peer: PeerId, pairing: Pairing) {
        let at = peer.0 as usize;
        if self.peers.len() <= at {
            self.peers.resize(at + 1, Pairing::None);
        }
        if let Some(slot) = self.peers.get_mut(at) {
            *slot = pairing;
        }
    }

    /// The link to a peer, and which end of it is here.
    pub(super) fn link(&self, peer: PeerId) -> Option<(u32, u8)> {
        match self.pairing(peer) {
            Pairing::Linked { link, end } => Some((link, end)),
            Pairing::None | Pairing::Dialling | Pairing::Closed => None,
        }
    }

    /// Whether it does what the protocol says.
    pub(super) const fn is_honest(&self) -> bool {
        self.profile.misbehaves.is_none()
    }

    pub(super) fn behaves_as(&self, kind: Misbehaving) -> bool {
        self.profile.misbehaves == Some(kind)
    }
}

impl Http {
    pub(super) fn find(&mut self, fetch: FetchId) -> Option<&mut Transfer> {
        self.open.iter_mut().find(|transfer| transfer.fetch == fetch)
    }

    pub(super) fn take(&mut self, fetch: FetchId) -> Option<Transfer> {
        let at = self.open.iter().position(|transfer| transfer.fetch == fetch)?;
        if at < self.turn {
            self.turn -= 1;
        }
        Some(self.open.remove(at))
    }
}
