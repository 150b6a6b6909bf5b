//! What can be out of bounds in a message that serde has accepted.

use thiserror::Error;

use super::candidate::InvalidCandidate;
use super::description::InvalidDescription;

/// The rule that a message breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidSignal {
    /// Another version of the tracker protocol.
    #[error("another version of the tracker protocol")]
    UnsupportedVersion,
    /// More tracks than an announce may have.
    #[error("too many tracks")]
    TooManyTracks,
    /// The tracks of an announce do not ascend.
    #[error("tracks do not ascend")]
    TracksOutOfOrder,
    /// No such track can exist.
    #[error("a track number is out of range")]
    BadTrack,
    /// A track without ranges, or with too many.
    #[error("the number of ranges is out of range")]
    BadRangeCount,
    /// A range is empty, ends beyond the last number, overlaps or does not ascend.
    #[error("a range is empty, too long or out of order")]
    BadRange,
    /// An expiry of nothing or of more than the limit.
    #[error("an expiry is out of range")]
    BadExpiry,
    /// A list that is empty or too long.
    #[error("the length of a list is out of range")]
    BadListLength,
    /// An interval of nothing or of more than the limit.
    #[error("an interval is out of range")]
    BadInterval,
    /// A ticket that is empty or too long.
    #[error("the length of a ticket is out of range")]
    BadTicketLength,
    /// More ICE servers than the limit.
    #[error("too many ICE servers")]
    TooManyIceServers,
    /// An ICE server without URL, with another scheme, or with a text that is too long.
    #[error("an ICE server is malformed")]
    BadIceServer,
    /// A text that is too long.
    #[error("a text is too long")]
    TextTooLong,
    /// A reserved field that is too long.
    #[error("a reserved field is too long")]
    OpaqueTooLong,
    /// The description.
    #[error(transparent)]
    Description(#[from] InvalidDescription),
    /// The candidate.
    #[error(transparent)]
    Candidate(#[from] InvalidCandidate),
}

impl InvalidSignal {
    /// The stable name of the rule.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnsupportedVersion => "unsupported_version",
            Self::TooManyTracks => "too_many_tracks",
            Self::TracksOutOfOrder => "tracks_out_of_order",
            Self::BadTrack => "bad_track",
            Self::BadRangeCount => "bad_range_count",
            Self::BadRange => "bad_range",
            Self::BadExpiry => "bad_expiry",
            Self::BadListLength => "bad_list_length",
            Self::BadInterval => "bad_interval",
            Self::BadTicketLength => "bad_ticket_length",
            Self::TooManyIceServers => "too_many_ice_servers",
            Self::BadIceServer => "bad_ice_server",
            Self::TextTooLong => "text_too_long",
            Self::OpaqueTooLong => "opaque_too_long",
            Self::Description(fault) => fault.code(),
            Self::Candidate(fault) => fault.code(),
        }
    }
}
