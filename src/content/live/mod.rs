//! Live contents: who may state heads (sessions), what a head states, the append-only log behind it, and the chain
//! that judges what arrives.
//!
//! A live manifest lists no segments. Its publisher's key signs sessions, a session's key signs heads, and a head
//! states what is newest of each track: records that continue an append-only log, from which its root follows. So the
//! long-term key need not be where the encoder is, and late joiners, sleepers and the recording at the end read the
//! same pages of records. Nothing here fetches, and time is given in. Normative text: docs/PROTOCOL.md, "Live".

mod chain;
mod codec;
mod error;
mod head;
mod pages;
mod proof;
mod rules;
mod session;
mod slot;
#[cfg(test)]
mod tests;

pub use chain::{
    Accepted, Chain, Evidence, EvidenceKind, LiveMemory, MAX_EVIDENCE, MAX_SESSIONS, Pulse, Unlinked,
};
pub use error::{Fault, HeadError, SessionError};
pub use head::{
    Document, LiveHead, LiveTrack, MAX_DIGESTS, MAX_DOCUMENTS, MAX_HEAD, MAX_LIVE_ASSETS, MAX_LIVE_TRACKS,
    Parent, Parts,
};
pub use pages::{LogPages, PageError};
pub use proof::{consistency, verify_consistency};
pub use session::{MAX_SESSION_S, Session};
pub use slot::{LiveSlot, TrackFile};
