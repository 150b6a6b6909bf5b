//! The engine's inputs and outputs.

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

use super::{Event, Payload, Timestamp};
use crate::content::{ObjectId, Span};
use crate::signal::{ClientMessage, IceServer, ServerMessage};

/// A peer connection, numbered by the engine when it asks for one ([`Output::Dial`]). Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

impl PeerId {
    /// No peer: a chunk that is sent here goes to the tracker, as one binary message (docs/PROTOCOL.md §11).
    pub const TRACKER: Self = Self(0);
}

/// An HTTP request, numbered by the engine ([`Output::Fetch`]). Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub u32);

/// A player's request, numbered by the caller ([`Input::Demand`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DemandId(pub u32);

/// What this peer may do with its links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// No peer connection at all; existing ones are closed.
    #[default]
    Off,
    /// Fetch from peers, serve nothing.
    Receive,
    /// Fetch from peers and serve them.
    On,
}

/// What can happen to the engine.
pub enum Input<'a> {
    /// The wake-up time of the last [`Output::Idle`] has come.
    Tick,
    /// The player wants a resource, or the bytes `range` (first and last, inclusive) of it.
    Demand {
        /// The caller's number; must not be in use.
        id: DemandId,
        /// Path relative to the content base, not yet normalised.
        path: &'a str,
        /// First and last byte, inclusive.
        range: Option<(u64, u64)>,
        /// When the bytes are needed at the latest, if the caller knows.
        deadline: Option<Timestamp>,
        /// Where a segment plays on the player's own timeline, microseconds, if that may differ from media time.
        plays_at_us: Option<u64>,
    },
    /// The player gave up on a demand. Unknown ids are ignored: the answer may have crossed.
    CancelDemand {
        /// The demand.
        id: DemandId,
    },
    /// Where the player is, in media time.
    Player {
        /// Play head, microseconds.
        position_us: u64,
        /// Play rate in thousandths.
        rate_milli: u32,
        /// End of the buffered range that holds the play head, microseconds.
        buffered_end_us: u64,
        /// Whether it is paused.
        paused: bool,
        /// Whether it is seeking.
        seeking: bool,
    },
    /// The page's policy changed.
    Policy {
        /// Which way bytes may go.
        sharing: Sharing,
        /// Upload cap, bits per second.
        upload_bps: Option<u64>,
        /// Bytes that may be uploaded in the whole visit; what was sent already counts.
        upload_bytes: Option<u64>,
    },
    /// The best estimate of wall-clock time.
    WallTime {
        /// Milliseconds since 1970.
        unix_ms: u64,
        /// How far it may be off, milliseconds.
        uncertainty_ms: u64,
    },
    /// One 16 KiB piece (the last may be shorter) of an object that HTTP delivers, in order. The owner
    /// keeps the bytes aside until [`Output::Keep`] or [`Output::Forget`].
    FetchPiece {
        /// Which request.
        fetch: FetchId,
        /// Piece of the requested span, from 0.
        piece: u32,
        /// The bytes.
        payload: &'a dyn Payload,
    },
    /// The whole body of a sheet request.
    FetchSheet {
        /// Which request.
        fetch: FetchId,
        /// The body.
        bytes: &'a [u8],
    },
    /// A request is over.
    FetchEnded {
        /// Which request.
        fetch: FetchId,
        /// How it ended.
        outcome: FetchOutcome,
    },
    /// The tracker connection is open.
    TrackerOpened,
    /// The tracker connection is closed, or could not be opened.
    TrackerClosed,
    /// The tracker said something.
    Tracker(ServerMessage),
    /// The browser's own description for a dialled peer, offer or answer.
    LocalDescription {
        /// Which peer.
        peer: PeerId,
        /// SDP as the browser made it.
        sdp: &'a str,
    },
    /// The browser found a candidate.
    LocalCandidate {
        /// Which peer.
        peer: PeerId,
        /// The candidate line, with or without `a=`.
        line: &'a str,
    },
    /// The browser has no more candidates.
    LocalCandidatesEnd {
        /// Which peer.
        peer: PeerId,
    },
    /// The connection could not be made, or broke.
    PeerFailed {
        /// Which peer.
        peer: PeerId,
        /// A short machine-readable reason for the statistics.
        reason: &'a str,
    },
    /// Both channels are open.
    PeerOpened {
        /// Which peer.
        peer: PeerId,
    },
    /// The connection is gone.
    PeerClosed {
        /// Which peer.
        peer: PeerId,
    },
    /// A message on the control channel.
    Message {
        /// Which peer.
        peer: PeerId,
        /// The whole message.
        bytes: &'a [u8],
    },
    /// A message on the data channel, split after its head.
    Data {
        /// Which peer.
        peer: PeerId,
        /// The first `wire::DATA_HEAD` bytes (fewer if the message is shorter).
        head: &'a [u8],
        /// The rest.
        payload: &'a dyn Payload,
    },
    /// How many bytes the browser still holds unsent, after a send or when the queue ran low.
    Writable {
        /// Which peer.
        peer: PeerId,
        /// Both channels' `bufferedAmount`, summed.
        buffered: u64,
    },
}

/// How an HTTP request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// All bytes came.
    Complete,
    /// The server answered with this status.
    Status(u16),
    /// The network failed.
    Network,
    /// We aborted it.
    Aborted,
    /// The body was shorter or longer than the signed length.
    WrongLength,
}

/// What the engine wants done.
#[derive(Debug)]
pub enum Output {
    /// Nothing more for now; call with [`Input::Tick`] at `wake_at` if nothing happens before.
    Idle {
        /// When to wake up; `None` while nothing is under way.
        wake_at: Option<Timestamp>,
    },
    /// Start an HTTP request.
    Fetch {
        /// Its number.
        fetch: FetchId,
        /// Path relative to the content base.
        path: String,
        /// First and last byte; `None` is a plain GET of the whole resource.
        range: Option<(u64, u64)>,
        /// What the body is.
        kind: FetchKind,
        /// Go past the browser's cache: an earlier answer did not verify.
        reload: bool,
    },
    /// Stop an HTTP request; it ends with [`FetchOutcome::Aborted`].
    AbortFetch {
        /// Which one.
        fetch: FetchId,
    },
    /// These bytes are verified: move them into the store.
    Keep {
        /// Where they are.
        from: KeepFrom,
        /// Whose bytes they are.
        object: ObjectId,
        /// Which chunk.
        chunk: u32,
    },
    /// Held pieces of this request that were not kept are not needed: free them.
    Forget {
        /// Which request.
        fetch: FetchId,
    },
    /// Drop chunks from the store.
    Evict {
        /// Whose chunks.
        object: ObjectId,
    },
    /// A demand is met: assemble these spans from the store and hand them to the player.
    Deliver {
        /// The demand.
        demand: DemandId,
        /// What to assemble, in order.
        spans: Vec<Span>,
        /// Signed media type.
        media_type: String,
        /// What to tell the player about time.
        timing: DeliverTiming,
    },
    /// A demand is met by a playlist or MPD of a live content, which a live head vouches for.
    #[cfg(feature = "live")]
    DeliverDocument {
        /// The demand.
        demand: DemandId,
        /// The document.
        bytes: Vec<u8>,
        /// Signed media type.
        media_type: String,
        /// What to tell the player about time.
        timing: DeliverTiming,
    },
    /// A demand cannot be met.
    Refuse {
        /// The demand.
        demand: DemandId,
        /// Why, as a stable code.
        code: RefuseCode,
    },
    /// Open the tracker connection.
    TrackerOpen,
    /// Close it.
    TrackerClose,
    /// Send to the tracker.
    TrackerSend(ClientMessage),
    /// Create a peer connection with two negotiated channels; as offerer also make the offer.
    Dial {
        /// Its number.
        peer: PeerId,
        /// Whether this side offers.
        offer: bool,
        /// ICE servers to use.
        ice_servers: Vec<IceServer>,
        /// Use relayed candidates only.
        relay_only: bool,
    },
    /// Apply the other side's description, made from the fixed template.
    RemoteDescription {
        /// Which peer.
        peer: PeerId,
        /// SDP.
        sdp: String,
        /// Whether it is an offer (else an answer).
        offer: bool,
    },
    /// Apply a candidate of the other side.
    RemoteCandidate {
        /// Which peer.
        peer: PeerId,
        /// The candidate line, without `a=`.
        line: String,
    },
    /// Close the connection.
    Close {
        /// Which peer.
        peer: PeerId,
        /// Why.
        reason: CloseReason,
    },
    /// Send on the control channel.
    Send {
        /// Which peer.
        peer: PeerId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Send on the data channel: the head, then these chunks from the store.
    SendData {
        /// Which peer, or [`PeerId::TRACKER`].
        peer: PeerId,
        /// The head.
        head: Vec<u8>,
        /// Whose chunks.
        object: ObjectId,
        /// First chunk.
        first: u32,
        /// How many.
        count: u8,
    },
    /// Something that a page or an operator may want to know.
    Event(Event),
}

/// What an HTTP body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchKind {
    /// Chunks of an object; the body is handed in piece by piece.
    Object {
        /// Which object.
        object: ObjectId,
        /// The chunk that piece 0 is.
        first_chunk: u32,
        /// How many pieces.
        chunks: u32,
        /// Exact body length in bytes.
        len: u64,
    },
    /// A sheet; the body is handed in whole.
    Sheet {
        /// Exact body length in bytes.
        len: u64,
    },
    /// A file whose length is not known before; the body is handed in whole, as a sheet is.
    #[cfg(feature = "live")]
    Whole {
        /// Most bytes that are taken; a longer body is of the wrong length.
        most: u64,
    },
}

/// Where verified bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepFrom {
    /// A held piece of a request.
    Fetch {
        /// Which request.
        fetch: FetchId,
        /// Which piece.
        piece: u32,
    },
    /// A part of the payload that was just handed in.
    Message {
        /// Offset in the payload.
        offset: u32,
        /// Length.
        len: u32,
    },
}

/// Honest timing for a delivered demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliverTiming {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When its first byte came (before `asked_at` if it was already held).
    pub first_byte_at: Timestamp,
    /// When its last byte came.
    pub done_at: Timestamp,
    /// Time that the bytes really took to come, without waits by choice, microseconds.
    pub transfer_us: u64,
    /// Bytes that came from peers.
    pub from_peers: u64,
    /// Bytes that came over HTTP.
    pub from_http: u64,
}

/// Why a demand was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefuseCode {
    /// The manifest does not list it.
    Unlisted,
    /// The requested bytes lie outside the listed ones.
    RangeOutside,
    /// No source had it.
    Unavailable,
    /// Every source's bytes failed verification.
    Corrupt,
    /// Too many demands at once.
    Busy,
    /// No live head has stated it in time.
    #[cfg(feature = "live")]
    NotYetStated,
}

impl RefuseCode {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unlisted => "unlisted",
            Self::RangeOutside => "range_outside",
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt_source",
            Self::Busy => "busy",
            #[cfg(feature = "live")]
            Self::NotYetStated => "not_yet_stated",
        }
    }
}

/// Why the engine closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer broke this rule.
    Misbehaviour(&'static str),
    /// It could not be connected in time.
    Timeout,
    /// Sharing was switched off.
    Policy,
    /// It was the least useful of too many.
    Surplus,
    /// Its ticket ran out.
    Expired,
    /// We leave.
    Leaving,
    /// The other side or the browser closed it.
    Gone,
}

impl CloseReason {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Misbehaviour(code) => code,
            Self::Timeout => "timeout",
            Self::Policy => "policy",
            Self::Surplus => "surplus",
            Self::Expired => "ticket_expired",
            Self::Leaving => "leaving",
            Self::Gone => "gone",
        }
    }
}

/// Wrong use of the engine by its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ApiMisuse {
    /// `handle_input` before `poll_output` said idle.
    #[error("drain poll_output until it says Idle before the next input")]
    UndrainedOutput,
    /// Time went backwards.
    #[error("the monotonic clock went backwards")]
    TimeWentBackwards,
    /// A demand id is in use.
    #[error("this demand id is in use")]
    DemandIdInUse,
}

impl ApiMisuse {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UndrainedOutput => "undrained_output",
            Self::TimeWentBackwards => "time_went_backwards",
            Self::DemandIdInUse => "demand_id_in_use",
        }
    }
}
