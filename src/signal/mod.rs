//! Messages between peer and tracker, and the typed introduction fields they carry.
//!
//! One JSON object per WebSocket message, told apart by `"type"`. Serde refuses unknown fields, wrong types and
//! malformed binary values; [`ClientMessage::validate`] and [`ServerMessage::validate`] refuse what is out of
//! bounds, with a reason. No SDP passes through here: a description is a handful of typed fields, and the text that
//! a browser gets is built from one fixed template. Nothing here may carry a URL, a path or a content id.

mod address;
mod binary;
mod candidate;
mod challenge;
mod client;
mod description;
mod error;
mod ice;
mod limits;
mod registration;
mod server;

pub use address::Address;
pub use binary::IntroductionId;
pub use candidate::{Candidate, CandidateKind, InvalidCandidate, Loopback, TcpType, Transport};
pub use challenge::{MAX_PICKS, NOT_HELD, PICK, Pick, Shown, shown_head, sign_answer, verify_answer};
pub use client::{Announce, ClientMessage, Join, ReportCode, TrackRanges};
pub use description::{Description, InvalidDescription, SdpType, Setup};
pub use error::InvalidSignal;
pub use ice::{Foundation, IceText, InvalidIceText, Password, Ufrag};
pub use limits::*;
pub use server::{EndReason, ErrorCode, Exposure, IceServer, Joined, ServerMessage};

#[cfg(test)]
mod tests;
