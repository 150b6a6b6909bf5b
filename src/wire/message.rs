//! The messages. Words of RFC 7574 §3 where it has one.

use alloc::vec::Vec;

use super::range::Range;
use crate::content::{Hash, ObjectId, TrackId};
use crate::identity::{Hello, Proof};

/// One message between two peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Who the sender claims to be; the first message of a channel.
    Hello(Hello),
    /// The proof of it.
    Proof(Proof),
    /// Index roots of the tracks that the sender uses, ascending by track; must match the digest in HELLO.
    Tracks(Vec<(TrackId, Hash)>),
    /// What the sender holds, verified, that it has not said before.
    Have(Have),
    /// Segments of which the sender no longer holds anything; a later HAVE may name chunks of them again.
    Unhave(Ranges),
    /// Asks for the leaf hashes of an object.
    WantRows {
        /// The object.
        object: ObjectId,
        /// Its root, by which the answer is judged.
        root: Hash,
    },
    /// The leaf hashes of an object.
    Rows {
        /// The object.
        object: ObjectId,
        /// Its root.
        root: Hash,
        /// One hash per chunk.
        hashes: Vec<Hash>,
    },
    /// Asks for chunks of an object.
    Request {
        /// Chosen by the sender, ascending; one that was used before changes the urgency of what is not sent yet.
        id: u32,
        /// The object.
        object: ObjectId,
        /// Its root.
        root: Hash,
        /// The first chunk.
        first: u32,
        /// How many, at most 16.
        count: u8,
        /// Fresh random bytes, for a later signed statement.
        nonce: [u8; 16],
        /// How soon the chunks are needed.
        urgency: Urgency,
    },
    /// The chunks of a request that are not sent yet are not wanted any more.
    Cancel {
        /// The request.
        id: u32,
    },
    /// The request will not be answered.
    Reject {
        /// The request.
        id: u32,
        /// Why.
        reason: RejectReason,
    },
    /// The head of a message on the data channel; the chunks follow it.
    Data {
        /// The request that it answers.
        id: u32,
        /// The object.
        object: ObjectId,
        /// Its root, by which the chunks are judged and their sender is blamed.
        root: Hash,
        /// The first chunk.
        first: u32,
        /// How many, at most 4.
        count: u8,
    },
    /// What the sender signs for before it sends it (docs/PROTOCOL.md §14.1). Legal only where both sides have the capability.
    Statement(Vec<u8>),
    /// The sender will answer no requests for now; unsent chunks of earlier ones are dropped.
    Choke,
    /// The sender answers requests again.
    Unchoke,
    /// A sealed session or live head (docs/PROTOCOL.md §15.6). Legal only where both sides have the capability.
    Head(Vec<u8>),
    /// The sender closes the connection.
    Bye {
        /// Why.
        reason: ByeReason,
    },
    /// Somebody means to fetch an object that no neighbour of his holds, for everybody. Passed on if it is
    /// the lowest rank heard of.
    Claim {
        /// The object.
        object: ObjectId,
        /// The claimant's rank in the election; 0 if it is fetching already.
        rank: u64,
    },
    /// The sender's ticket was renewed.
    Ticket(Vec<u8>),
}

impl Message {
    /// The channel that this message belongs on.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Data { .. } => Channel::Data,
            _ => Channel::Control,
        }
    }
}

/// The two channels of a connection, negotiated, ordered and reliable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Stream 0: everything but DATA.
    Control = 0,
    /// Stream 1: DATA.
    Data = 1,
}

/// News of what a peer holds of one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Have {
    /// The track.
    pub track: TrackId,
    /// Whole segments; ascending, disjoint.
    pub complete: Vec<Range>,
    /// Segments of which some chunks are held; ascending.
    pub partial: Vec<Partial>,
}

/// Chunks held of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The segment.
    pub index: u32,
    /// Its chunks; ascending, disjoint, at least one.
    pub chunks: Vec<Range>,
}

/// Segments of one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranges {
    /// The track.
    pub track: TrackId,
    /// Its segments; ascending, disjoint, at least one.
    pub segments: Vec<Range>,
}

/// How soon requested chunks are needed. The sender of DATA serves the urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Some time.
    Prefetch = 0,
    /// Before the play head arrives.
    Soon = 1,
    /// Now.
    Urgent = 2,
}

impl Urgency {
    pub(super) fn from_code(code: u8) -> Option<Self> {
        [Self::Prefetch, Self::Soon, Self::Urgent]
            .into_iter()
            .find(|&urgency| urgency as u8 == code)
    }
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// The chunks are not held, or not any more.
    NotHeld = 0,
    /// Too much is asked for already.
    Busy = 1,
    /// Sharing is off, or the upload is used up.
    Policy = 2,
    /// No such object, or another root is known for it here.
    Unknown = 3,
}

impl RejectReason {
    pub(super) fn from_code(code: u8) -> Option<Self> {
        [Self::NotHeld, Self::Busy, Self::Policy, Self::Unknown]
            .into_iter()
            .find(|&reason| reason as u8 == code)
    }
}

/// Why a peer closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByeReason {
    /// The viewer left.
    Leaving = 0,
    /// Neither side has anything for the other.
    Idle = 1,
    /// The place is needed for another peer.
    Replaced = 2,
    /// Another connection to this peer exists.
    Duplicate = 3,
    /// Sharing was switched off.
    Policy = 4,
    /// A ticket ended.
    TicketExpired = 5,
    /// The handshake failed.
    Handshake = 6,
    /// A message broke a rule.
    Protocol = 7,
    /// A chunk or row failed verification.
    BadData = 8,
}

impl ByeReason {
    /// The stable name of the reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::Leaving => "leaving",
            Self::Idle => "idle",
            Self::Replaced => "replaced",
            Self::Duplicate => "duplicate",
            Self::Policy => "policy",
            Self::TicketExpired => "ticket_expired",
            Self::Handshake => "handshake",
            Self::Protocol => "protocol",
            Self::BadData => "bad_data",
        }
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        [
            Self::Leaving,
            Self::Idle,
            Self::Replaced,
            Self::Duplicate,
            Self::Policy,
            Self::TicketExpired,
            Self::Handshake,
            Self::Protocol,
            Self::BadData,
        ]
        .into_iter()
        .find(|&reason| reason as u8 == code)
    }
}

/// First bytes of the messages. HELLO and PROOF have theirs in `identity`.
pub(super) mod kind {
    pub(in crate::wire) const TRACKS: u8 = 0x03;
    pub(in crate::wire) const HAVE: u8 = 0x04;
    pub(in crate::wire) const UNHAVE: u8 = 0x05;
    pub(in crate::wire) const WANT_ROWS: u8 = 0x06;
    pub(in crate::wire) const ROWS: u8 = 0x07;
    pub(in crate::wire) const REQUEST: u8 = 0x08;
    pub(in crate::wire) const CANCEL: u8 = 0x09;
    pub(in crate::wire) const REJECT: u8 = 0x0a;
    pub(in crate::wire) const DATA: u8 = 0x0b;
    pub(in crate::wire) const STATEMENT: u8 = 0x0c;
    pub(in crate::wire) const CHOKE: u8 = 0x0d;
    pub(in crate::wire) const UNCHOKE: u8 = 0x0e;
    pub(in crate::wire) const HEAD: u8 = 0x0f;
    pub(in crate::wire) const BYE: u8 = 0x10;
    pub(in crate::wire) const CLAIM: u8 = 0x11;
    pub(in crate::wire) const TICKET: u8 = 0x12;
}
