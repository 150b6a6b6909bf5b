//! What can be wrong with a message: one variant per rule, and always the sender's fault.

use thiserror::Error;

use crate::identity::{InvalidHello, Short};

/// The rule of form that a received message breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidMessage {
    /// There is no byte at all.
    #[error("the message is empty")]
    Empty,
    /// The message is longer than any may be.
    #[error("the message is longer than any may be")]
    TooLarge,
    /// The first byte names no message.
    #[error("the first byte names no message")]
    UnknownType,
    /// The message ends inside a field.
    #[error("the message ends inside a field")]
    Truncated,
    /// Bytes follow the last field.
    #[error("bytes follow the last field")]
    TrailingBytes,
    /// HELLO or PROOF is malformed.
    #[error("HELLO or PROOF: {0}")]
    Handshake(#[from] InvalidHello),
    /// DATA came on the control channel.
    #[error("DATA on the control channel")]
    DataOnControl,
    /// Something other than DATA came on the data channel.
    #[error("not DATA on the data channel")]
    NotDataOnData,
    /// TRACKS lists more than the limit.
    #[error("too many tracks")]
    TooManyTracks,
    /// TRACKS does not ascend.
    #[error("tracks do not ascend")]
    TracksOutOfOrder,
    /// A list of ranges is longer than the limit.
    #[error("too many ranges")]
    TooManyRanges,
    /// HAVE describes more segments chunk by chunk than the limit.
    #[error("too many partial segments")]
    TooManyPartials,
    /// A range is empty.
    #[error("a range is empty")]
    EmptyRange,
    /// A range ends beyond the last number.
    #[error("a range ends beyond the last number")]
    RangeOverflow,
    /// Ranges or segments do not ascend, or overlap.
    #[error("ranges do not ascend or overlap")]
    RangesOutOfOrder,
    /// A message that must name something names nothing.
    #[error("nothing is named")]
    NothingNamed,
    /// A chunk lies beyond the end of the largest segment.
    #[error("a chunk lies beyond the largest segment")]
    ChunkOutOfRange,
    /// ROWS has no hash, or more than the largest segment has chunks.
    #[error("the number of hashes is out of range")]
    BadRowLength,
    /// REQUEST or DATA has no chunk, or more than the limit.
    #[error("the number of chunks is out of range")]
    BadChunkCount,
    /// The urgency is not known.
    #[error("unknown urgency")]
    UnknownUrgency,
    /// The reason is not known.
    #[error("unknown reason")]
    UnknownReason,
    /// STATEMENT, HEAD or TICKET is longer than its limit, or empty.
    #[error("the length of an opaque body is out of range")]
    BadOpaqueLength,
}

impl InvalidMessage {
    /// The stable name of the rule.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLarge => "too_large",
            Self::UnknownType => "unknown_type",
            Self::Truncated => "truncated",
            Self::TrailingBytes => "trailing_bytes",
            Self::Handshake(fault) => fault.code(),
            Self::DataOnControl => "data_on_control",
            Self::NotDataOnData => "not_data_on_data",
            Self::TooManyTracks => "too_many_tracks",
            Self::TracksOutOfOrder => "tracks_out_of_order",
            Self::TooManyRanges => "too_many_ranges",
            Self::TooManyPartials => "too_many_partials",
            Self::EmptyRange => "empty_range",
            Self::RangeOverflow => "range_overflow",
            Self::RangesOutOfOrder => "ranges_out_of_order",
            Self::NothingNamed => "nothing_named",
            Self::ChunkOutOfRange => "chunk_out_of_range",
            Self::BadRowLength => "bad_row_length",
            Self::BadChunkCount => "bad_chunk_count",
            Self::UnknownUrgency => "unknown_urgency",
            Self::UnknownReason => "unknown_reason",
            Self::BadOpaqueLength => "bad_opaque_length",
        }
    }
}

impl From<Short> for InvalidMessage {
    fn from(_: Short) -> Self {
        Self::Truncated
    }
}
