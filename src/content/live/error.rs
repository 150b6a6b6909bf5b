//! Why a session or a head is refused: one variant and one stable code for each rule.

use crate::content::cbor::CborError;
use crate::content::cose::CoseError;
use crate::content::{ManifestError, RecordError, TemplateError};

/// Whose fault a refused head is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Whoever sent it could have known: misbehaviour of a peer, an alarm about a source.
    Sender,
    /// Whoever signed it. Passing it on is no offence.
    Signer,
    /// Nobody: it came late, or too early to be judged.
    Nobody,
}

/// Which rule refuses a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The signed object itself.
    #[error(transparent)]
    Sealed(#[from] CoseError),
    /// Not the structure of a session.
    #[error("the session is malformed")]
    Malformed,
    /// CBOR that is not in the deterministic form.
    #[error("the session is not deterministically encoded")]
    NotDeterministic,
    /// Nested too deep.
    #[error("the session is nested too deep")]
    TooDeep,
    /// Another format.
    #[error("the session is of a format version that this build does not read")]
    UnsupportedVersion,
    /// A key that a reader has to understand, and that this build does not know.
    #[error("the session needs a feature that this build does not have")]
    UnsupportedFeature,
    /// A signed object of another kind.
    #[error("this is no session")]
    WrongType,
    /// A number outside its range.
    #[error("a number in the session is out of its range")]
    NumberRange,
    /// It ends before it begins, or lasts more than a day.
    #[error("the session ends before it begins, or lasts more than 24 hours")]
    Validity,
    /// A key that cannot sign.
    #[error("the session's key is not a usable Ed25519 key")]
    Key,
    /// Of another content.
    #[error("the session is of another content")]
    Foreign,
    /// It begins in the future.
    #[error("the session is not valid yet")]
    NotYetValid,
    /// Past its end.
    #[error("the session has expired")]
    Expired,
    /// Older than one whose heads have been taken.
    #[error("the session is older than one seen before")]
    Stale,
    /// Another session with a number seen before.
    #[error("the session differs from another one with the same number")]
    Forked,
}

impl SessionError {
    /// Whether its sender could have known. What was good once, or will be, is nobody's fault; what a good signature
    /// covers is its signer's.
    #[must_use]
    pub const fn is_senders_fault(self) -> bool {
        matches!(self, Self::Sealed(_) | Self::Foreign)
    }

    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sealed(error) => error.code(),
            Self::Malformed => "malformed",
            Self::NotDeterministic => "not_deterministic",
            Self::TooDeep => "too_deep",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnsupportedFeature => "unsupported_feature",
            Self::WrongType => "wrong_type",
            Self::NumberRange => "number_range",
            Self::Validity => "bad_validity",
            Self::Key => "bad_key",
            Self::Foreign => "foreign_session",
            Self::NotYetValid => "session_not_yet_valid",
            Self::Expired => "session_expired",
            Self::Stale => "stale_session",
            Self::Forked => "forked_session",
        }
    }
}

/// Which rule refuses a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// Over [`super::MAX_HEAD`] bytes.
    #[error("a head is larger than 16 KiB")]
    TooLarge,
    /// The signed object itself.
    #[error(transparent)]
    Sealed(#[from] CoseError),
    /// Signed by a key that belongs to no session that is known here.
    #[error("a head is by a session that is not known here")]
    UnknownSession,
    /// Not the structure of a head.
    #[error("the head is malformed")]
    Malformed,
    /// CBOR that is not in the deterministic form.
    #[error("the head is not deterministically encoded")]
    NotDeterministic,
    /// Nested too deep.
    #[error("the head is nested too deep")]
    TooDeep,
    /// Another format.
    #[error("the head is of a format version that this build does not read")]
    UnsupportedVersion,
    /// A key, kind or form that a reader has to understand, and that this build does not know.
    #[error("the head needs a feature that this build does not have")]
    UnsupportedFeature,
    /// A signed object of another kind.
    #[error("this is no head")]
    WrongType,
    /// More entries than allowed.
    #[error("the head has too many entries")]
    TooMany,
    /// A number outside its range.
    #[error("a number in the head is out of its range")]
    NumberRange,
    /// Logs that began after the session.
    #[error("the logs began with a later session than the one that signs")]
    LogNumber,
    /// Track numbers that are not 1 to 1023, ascending and distinct.
    #[error("track numbers are not 1 to 1023, ascending and distinct")]
    TrackOrder,
    /// An asset, a path or a media type.
    #[error(transparent)]
    Entry(#[from] ManifestError),
    /// A pattern that names nothing.
    #[error("a name pattern is refused: {0}")]
    Template(#[from] TemplateError),
    /// Two entries with one name.
    #[error("two entries have one name")]
    DuplicateName,
    /// A log with more records than a track may have.
    #[error("a log has more than 131,072 records")]
    LogSize,
    /// Not one hash for each complete subtree before the carried records.
    #[error("the frontier of a log does not fit its size")]
    Frontier,
    /// A record, or its place after the one before.
    #[error("a record is refused: {0}")]
    Record(#[from] RecordError),
    /// A record of length 0 that is not a gap.
    #[error("a record without bytes is no gap")]
    Gap,
    /// Rows that do not give the roots of the newest records.
    #[error("a row does not give the root of its record")]
    Row,
    /// Discontinuities that are not positions of carried records, ascending.
    #[error("discontinuities are not ascending positions of carried records")]
    Discontinuity,
    /// A document without digests, or with too many.
    #[error("a document has no digest, or too many")]
    Digests,
    /// Parts of a track that is not there, or of parts.
    #[error("parts belong to no track of segments")]
    PartsOf,
    /// Parents that do not follow each other, or parts that are not there.
    #[error("parents do not follow each other, or name parts that are not there")]
    Parents,
    /// Parts that are not as long together as their segment.
    #[error("parts are not as long together as their segment")]
    PartLengths,
    /// Of another content.
    #[error("the head is of another content")]
    Foreign,
    /// Of another session than the key that signed it.
    #[error("the head names another session than the one that signed it")]
    WrongSession,
    /// A sequence below the session's first.
    #[error("the head comes before its session's first sequence")]
    BeforeSession,
    /// Issued outside of the session's validity.
    #[error("the head was issued outside of its session")]
    OutsideSession,
    /// Issued in the future.
    #[error("the head was issued in the future")]
    Future,
    /// Taken before.
    #[error("the head has been taken before")]
    Replayed,
    /// Another head with a sequence seen before, or another segment at a position seen before.
    #[error("the head contradicts another one")]
    Forked,
    /// Older than the newest one.
    #[error("the head is older than one seen before")]
    Stale,
    /// The sequence is too far ahead.
    #[error("the head's sequence jumps too far ahead")]
    SequenceJump,
    /// After the end of the stream.
    #[error("the head comes after the end of the stream")]
    AfterEnd,
    /// Issued before the one that it follows.
    #[error("the head was issued before the one that it follows")]
    IssuedBackwards,
    /// A track that was not closed is gone, or a closed one has grown.
    #[error("a track is gone that was not closed, or a closed one has grown")]
    TrackLost,
    /// A track or an asset says something else of itself than before.
    #[error("a track or an asset changed what cannot change")]
    Changed,
    /// A log that does not begin with what it was before.
    #[error("a log does not begin with what it was before")]
    Inconsistent,
}

impl HeadError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "head_too_large",
            Self::Sealed(error) => error.code(),
            Self::UnknownSession => "unknown_session",
            Self::Malformed => "malformed",
            Self::NotDeterministic => "not_deterministic",
            Self::TooDeep => "too_deep",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnsupportedFeature => "unsupported_feature",
            Self::WrongType => "wrong_type",
            Self::TooMany => "too_many",
            Self::NumberRange => "number_range",
            Self::LogNumber => "bad_log_number",
            Self::TrackOrder => "track_order",
            Self::Entry(error) => error.code(),
            Self::Template(_) => "bad_template",
            Self::DuplicateName => "duplicate_name",
            Self::LogSize => "log_size",
            Self::Frontier => "bad_frontier",
            Self::Record(_) => "bad_record",
            Self::Gap => "bad_gap",
            Self::Row => "bad_row",
            Self::Discontinuity => "bad_discontinuity",
            Self::Digests => "bad_digests",
            Self::PartsOf => "parts_of_nothing",
            Self::Parents => "bad_parents",
            Self::PartLengths => "part_lengths",
            Self::Foreign => "foreign",
            Self::WrongSession => "wrong_session",
            Self::BeforeSession => "before_session",
            Self::OutsideSession => "outside_session",
            Self::Future => "future",
            Self::Replayed => "replayed",
            Self::Forked => "forked",
            Self::Stale => "stale",
            Self::SequenceJump => "sequence_jump",
            Self::AfterEnd => "after_end",
            Self::IssuedBackwards => "issued_backwards",
            Self::TrackLost => "track_lost",
            Self::Changed => "changed",
            Self::Inconsistent => "inconsistent",
        }
    }

    /// Whose fault it is. What is wrong before the signature holds is the sender's; what a good signature covers is the
    /// signer's, unless time alone explains it.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::TooLarge | Self::Sealed(_) | Self::Foreign | Self::Replayed => Fault::Sender,
            Self::UnknownSession | Self::Stale | Self::Future => Fault::Nobody,
            _ => Fault::Signer,
        }
    }
}

impl From<CborError> for SessionError {
    fn from(error: CborError) -> Self {
        match error {
            CborError::Malformed => Self::Malformed,
            CborError::NotDeterministic => Self::NotDeterministic,
            CborError::TooDeep => Self::TooDeep,
        }
    }
}

impl From<CborError> for HeadError {
    fn from(error: CborError) -> Self {
        match error {
            CborError::Malformed => Self::Malformed,
            CborError::NotDeterministic => Self::NotDeterministic,
            CborError::TooDeep => Self::TooDeep,
        }
    }
}

/// What makes a signed object of the role live unreadable, whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    Form(CborError),
    Version,
    Type,
}

impl From<CborError> for Unreadable {
    fn from(error: CborError) -> Self {
        Self::Form(error)
    }
}

impl From<Unreadable> for SessionError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Form(error) => error.into(),
            Unreadable::Version => Self::UnsupportedVersion,
            Unreadable::Type => Self::WrongType,
        }
    }
}

impl From<Unreadable> for HeadError {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Form(error) => error.into(),
            Unreadable::Version => Self::UnsupportedVersion,
            Unreadable::Type => Self::WrongType,
        }
    }
}
