//! The manifest: the signed statement of what a content is.

pub(super) mod codec;
pub(super) mod rules;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::cbor::{self, Writer};
use super::cose::{self, Role};
use super::{
    ContentId, Hash, PathError, PublicKey, SecretKey, SwarmId, SwarmSecret, TemplateError, TrackId, tree,
};

pub use rules::{
    MAX_ASSETS, MAX_MEDIA_TYPE, MAX_NUMBER, MAX_PARAMETERS, MAX_RESERVED, MAX_TRACKER_KEYS, MAX_TRACKS,
};

/// Version of the format that this build reads and writes.
pub const FORMAT: u64 = 1;

/// What a content is. Built by a publisher, or read from a signed object by [`super::Trust::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Random, stable over versions.
    pub content_id: ContentId,
    /// Random, stable over versions; whoever has it may join the swarm.
    pub swarm_secret: SwarmSecret,
    /// Counts up with every publication.
    pub version: u64,
    /// SHA-256 of the sealed manifest before this one.
    pub previous: Option<Hash>,
    /// Unix time in seconds.
    pub issued: u64,
    /// Unix time in seconds after which the manifest is not taken any more.
    pub expires: u64,
    /// Who made the content.
    pub class: Class,
    /// An operator's signed endorsement of user-made content.
    pub endorsement: Option<Vec<u8>>,
    /// Names of query parameters that are part of an object's name.
    pub significant_query: Vec<String>,
    /// Objects of track 0, in order.
    pub assets: Vec<Asset>,
    /// Tracks in ascending order of their numbers.
    pub tracks: Vec<Track>,
    /// Keys of the trackers that may admit peers to this content's swarm.
    pub tracker_keys: Vec<PublicKey>,
    /// Set when the content is withdrawn.
    pub tombstone: Option<Tombstone>,
    /// Where sessions and heads of a live content lie ([`super::live::LiveSlot`]). [`super::Trust::verify`] refuses it.
    pub live: Option<Vec<u8>>,
    /// Reserved for the freshness role: where signed freshness statements are found.
    pub freshness: Option<Vec<u8>>,
    /// Reserved: hash of the root document that delegates to this manifest's key.
    pub root_document: Option<Hash>,
}

impl Manifest {
    /// A first version by the holder of the pinned key, that lists nothing yet. `valid` is from when it is issued until
    /// it expires, Unix time in seconds.
    #[must_use]
    pub fn new(content_id: ContentId, swarm_secret: SwarmSecret, valid: Range<u64>) -> Self {
        Self {
            content_id,
            swarm_secret,
            version: 1,
            previous: None,
            issued: valid.start,
            expires: valid.end,
            class: Class::Publisher,
            endorsement: None,
            significant_query: Vec::new(),
            assets: Vec::new(),
            tracks: Vec::new(),
            tracker_keys: Vec::new(),
            tombstone: None,
            live: None,
            freshness: None,
            root_document: None,
        }
    }

    /// The payload: deterministic CBOR with integer keys.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::write(self)
    }

    /// Reads a payload and checks every rule that a manifest has to keep.
    ///
    /// # Errors
    /// [`ManifestError`] says which rule is broken.
    pub fn decode(payload: &[u8]) -> Result<Self, ManifestError> {
        cbor::check(payload, cose::MAX_DEPTH)?;
        let manifest = codec::read(payload)?;
        rules::check(&manifest)?;
        Ok(manifest)
    }

    /// The sealed manifest: a COSE_Sign1 object in the role `manifest`.
    ///
    /// # Errors
    /// [`ManifestError`] when the manifest breaks a rule, so that no one could verify it.
    pub fn sign(&self, key: &SecretKey) -> Result<Vec<u8>, ManifestError> {
        rules::check(self)?;
        cose::sign1(Role::Manifest, key, &self.encode()).map_err(|_| ManifestError::TooLarge)
    }

    /// What is endorsed of user-made content: everything that says which bytes there are and how they are named, and
    /// nothing that changes when the same is signed anew. `None` for live content, which does not say it.
    #[cfg(not(feature = "standalone"))]
    #[must_use]
    pub fn listing(&self) -> Option<Hash> {
        let listed = Self {
            version: 1,
            previous: None,
            issued: 0,
            expires: 1,
            endorsement: None,
            tracker_keys: Vec::new(),
            tombstone: None,
            ..self.clone()
        };
        self.live
            .is_none()
            .then(|| Hash::of(&[LISTING_CONTEXT, &listed.encode()]))
    }

    /// The swarm of this content: HMAC-SHA256 under the swarm secret.
    #[must_use]
    pub fn swarm_id(&self) -> SwarmId {
        SwarmId(self.swarm_secret.mac(SWARM_CONTEXT, &[&self.content_id.0]))
    }

    /// The track with this number.
    #[must_use]
    pub fn track(&self, id: TrackId) -> Option<&Track> {
        self.tracks
            .binary_search_by_key(&id, |track| track.id)
            .ok()
            .and_then(|at| self.tracks.get(at))
    }

    /// What stands for track 0 among the track roots: the leaf hash of the asset list's CBOR.
    #[must_use]
    pub fn assets_root(&self) -> Hash {
        let mut assets = Writer::default();
        codec::write_assets(&mut assets, &self.assets);
        tree::leaf(assets.as_bytes())
    }
}

/// Who made a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The holder of the pinned key.
    Publisher,
    /// Users; needs an endorsement to be taken.
    UserMade,
}

/// The content is withdrawn: peers stop serving it and drop what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// 0 unspecified, 1 withdrawn by its publisher, 2 legal, 3 replaced by another content.
    pub reason: u8,
}

/// One listed object outside the tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Normalised path relative to the content's base.
    pub path: String,
    /// Offset and length of its bytes in the resource; `None` if it is the whole resource.
    pub range: Option<(u64, u64)>,
    /// Bytes.
    pub length: u64,
    /// Root of its hash tree.
    pub root: Hash,
    /// What a page may take it for, such as `video/mp4`.
    pub media_type: String,
}

/// One track: where its index, its rows and its segments are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Its number.
    pub id: TrackId,
    /// What it holds.
    pub kind: TrackKind,
    /// Media type of its segments.
    pub media_type: String,
    /// Ticks per second of durations and media starts.
    pub timescale: u32,
    /// How many segments it has.
    pub segments: u32,
    /// Bits per second, if the packaging states it.
    pub bitrate: Option<u64>,
    /// The index.
    pub index: IndexFile,
    /// The rows.
    pub rows: RowsFile,
    /// How its segments are named.
    pub names: Names,
    /// Whether segments are byte ranges of their resources rather than whole resources.
    pub ranged: bool,
}

/// What a track holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackKind {
    /// Pictures, with or without sound in the same segments.
    Video,
    /// Sound.
    Audio,
    /// Subtitles and other timed text.
    Text,
    /// Plain files.
    Files,
}

/// Where the index of a track is, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Path of the file.
    pub path: String,
    /// Root of the tree over its pages.
    pub root: Hash,
}

/// Where the rows of a track are; each row is checked against its segment's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsFile {
    /// Path of the file.
    pub path: String,
}

/// How the segments of a track are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// By a rule, see [`super::Template`].
    Template {
        /// The pattern.
        pattern: String,
        /// Number of the first segment.
        start_number: u64,
    },
    /// By a paged table of strings.
    Table {
        /// Path of the file.
        path: String,
        /// Root of the tree over the entries of its head.
        root: Hash,
    },
    /// All segments are ranges of one resource.
    Single {
        /// Path of the resource.
        path: String,
    },
}

/// Which rule a manifest breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not the structure of a manifest.
    #[error("the manifest is malformed")]
    Malformed,
    /// CBOR that is not in the deterministic form.
    #[error("the manifest is not deterministically encoded")]
    NotDeterministic,
    /// Nested too deep.
    #[error("the manifest is nested too deep")]
    TooDeep,
    /// Sealed, it is over 64 KiB.
    #[error("the manifest is larger than 64 KiB")]
    TooLarge,
    /// Another format.
    #[error("the manifest is of a format version that this build does not read")]
    UnsupportedVersion,
    /// A key, kind or form that a reader has to understand, and that this build does not know.
    #[error("the manifest needs a feature that this build does not have")]
    UnsupportedFeature,
    /// More entries, or longer ones, than allowed.
    #[error("the manifest has too many or too long entries")]
    TooMany,
    /// A number outside its range.
    #[error("a number in the manifest is out of its range")]
    NumberRange,
    /// It expires before it is issued.
    #[error("the manifest expires before it is issued")]
    Validity,
    /// Significant query parameters that are not in normal form, ascending and distinct.
    #[error("the significant query parameters are not in normal form, ascending and distinct")]
    QueryParameter,
    /// A tracker key that cannot sign.
    #[error("a tracker key is not a usable Ed25519 key")]
    TrackerKey,
    /// Track numbers that are not 1 to 1023, ascending and distinct.
    #[error("track numbers are not 1 to 1023, ascending and distinct")]
    TrackOrder,
    /// A track without segments, or with too many.
    #[error("a track has no segments or more than 131,072")]
    SegmentCount,
    /// An object that is too long, or a range that is empty, too far out, or not as long as its object.
    #[error("an object's length or range is not allowed")]
    ObjectLength,
    /// Not a media type.
    #[error("a media type is not type/subtype in printable characters")]
    MediaType,
    /// A path that has no normal form.
    #[error("a path is refused: {0}")]
    Path(#[from] PathError),
    /// A path that is not its own normal form.
    #[error("a path is not in normal form")]
    PathNotNormal,
    /// A pattern that names nothing.
    #[error("a name pattern is refused: {0}")]
    Template(#[from] TemplateError),
    /// Two entries with one name.
    #[error("two entries resolve to one name and range")]
    DuplicateName,
    /// Two assets that share bytes of one resource.
    #[error("two assets overlap in one resource")]
    OverlappingAssets,
}

impl ManifestError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotDeterministic => "not_deterministic",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnsupportedFeature => "unsupported_feature",
            Self::TooMany => "too_many",
            Self::NumberRange => "number_range",
            Self::Validity => "bad_validity",
            Self::QueryParameter => "bad_query_parameter",
            Self::TrackerKey => "bad_tracker_key",
            Self::TrackOrder => "track_order",
            Self::SegmentCount => "segment_count",
            Self::ObjectLength => "object_length",
            Self::MediaType => "bad_media_type",
            Self::Path(error) => error.code(),
            Self::PathNotNormal => "path_not_normal",
            Self::Template(_) => "bad_template",
            Self::DuplicateName => "duplicate_name",
            Self::OverlappingAssets => "overlapping_assets",
        }
    }
}

#[cfg(not(feature = "standalone"))]
const LISTING_CONTEXT: &[u8] = b"swarmseal/listing/1";
const SWARM_CONTEXT: &str = "swarmseal/swarm/1";
