//! What is verified so far about one content: which objects there are, where they lie, and what their chunks hash to.

use super::index::RecordError;
use super::{Hash, Manifest, ObjectId, TrackId, VerifiedManifest};

/// The verified knowledge about one content. Grows sheet by sheet; never holds payload.
#[derive(Debug, Clone)]
pub struct Catalog {
    manifest: VerifiedManifest,
}

impl Catalog {
    /// What the manifest alone says: all assets, and no segment yet.
    #[must_use]
    pub fn new(manifest: VerifiedManifest) -> Self {
        Self { manifest }
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.manifest.manifest()
    }

    /// What is known of an object; `None` until its index page is here, or if there is no such object.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<&ObjectInfo> {
        let _ = id;
        None
    }

    /// Where an object's bytes lie; `None` while its index page or its name is missing.
    #[must_use]
    pub fn location(&self, id: ObjectId) -> Option<Location> {
        let _ = id;
        None
    }

    /// Which objects hold the bytes that a player asks for. `path` is relative to the content's base and need not be
    /// normalised; `range` is first and last byte, both included. A range past the end of what is listed is cut.
    #[must_use]
    pub fn resolve(&self, path: &str, range: Option<(u64, u64)>) -> Resolution {
        let _ = (path, range);
        Resolution::Unlisted
    }

    /// The segment that plays at `time_us`; `None` while the page that knows is missing.
    #[must_use]
    pub fn segment_at(&self, track: TrackId, time_us: u64) -> Option<u32> {
        let _ = (track, time_us);
        None
    }

    /// The next sheet to fetch so that [`Self::object`] and [`Self::location`] answer; `None` if nothing is missing.
    #[must_use]
    pub fn sheet_for(&self, id: ObjectId) -> Option<Sheet> {
        let _ = id;
        None
    }

    /// The next sheet to fetch so that [`Self::segment_at`] answers; `None` if nothing is missing.
    #[must_use]
    pub fn sheet_for_time(&self, track: TrackId, time_us: u64) -> Option<Sheet> {
        let _ = (track, time_us);
        None
    }

    /// A batch of rows that starts with the row of `id`: up to `ahead` consecutive segments whose rows are not known,
    /// at most 64 KiB. `None` if the row is known, for assets, and while the index page is missing.
    #[must_use]
    pub fn rows_sheet(&self, id: ObjectId, ahead: u32) -> Option<Sheet> {
        let _ = (id, ahead);
        None
    }

    /// Where a sheet lies; always a range. `None` for a sheet that this catalog would not ask for.
    #[must_use]
    pub fn sheet_location(&self, sheet: &Sheet) -> Option<Location> {
        let _ = sheet;
        None
    }

    /// Verifies a sheet and takes it in, all of it or nothing.
    ///
    /// # Errors
    /// [`SheetError`]: the bytes are not what the manifest signs.
    pub fn accept_sheet(&mut self, sheet: &Sheet, bytes: &[u8]) -> Result<(), SheetError> {
        let _ = (sheet, bytes);
        Err(SheetError::NotWanted)
    }

    /// The leaf hashes of an object; `None` while they are not known, or forgotten again.
    #[must_use]
    pub fn row(&self, id: ObjectId) -> Option<&[Hash]> {
        let _ = id;
        None
    }

    /// Verifies a row that came from a peer, or was made from a whole object, and keeps it.
    ///
    /// # Errors
    /// [`RowError`]: the row is not the one of this object.
    pub fn accept_row(&mut self, id: ObjectId, row: &[Hash]) -> Result<(), RowError> {
        let _ = (id, row);
        Err(RowError::UnknownObject)
    }

    /// Drops the row of an object that will not be needed soon.
    pub fn forget_rows(&mut self, id: ObjectId) {
        let _ = id;
    }

    /// What peers compare before they exchange a track: the root of each, in ascending order, track 0 first.
    #[must_use]
    pub fn track_roots(&self) -> Vec<(TrackId, Hash)> {
        Vec::new()
    }
}

/// What is known of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Bytes.
    pub length: u64,
    /// Chunks.
    pub chunks: u32,
    /// Root of the hash tree.
    pub root: Hash,
    /// Media start in microseconds; 0 for assets.
    pub start_us: u64,
    /// Duration in microseconds; 0 for assets.
    pub duration_us: u64,
}

/// Where bytes lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Path relative to the content's base.
    pub path: String,
    /// Offset and length; `None` for the whole resource.
    pub range: Option<(u64, u64)>,
}

/// A part of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The object.
    pub object: ObjectId,
    /// First byte in the object.
    pub first: u64,
    /// Bytes.
    pub len: u64,
}

/// The answer to "what holds these bytes".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// These spans, one after the other.
    Found(Vec<Span>),
    /// Not known before these sheets are here; ask again then.
    Need(Vec<Sheet>),
    /// No listed object has these bytes.
    Unlisted,
}

/// A part of an index, names or rows file that is fetched and verified in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sheet {
    /// The page hashes of a track's index and its first page.
    IndexHead(TrackId),
    /// One page of a track's index.
    IndexPage(TrackId, u32),
    /// The page lengths and hashes of a track's names table.
    NamesHead(TrackId),
    /// One page of a track's names table.
    NamesPage(TrackId, u32),
    /// The rows of consecutive segments.
    Rows {
        /// The track.
        track: TrackId,
        /// First segment.
        first: u32,
        /// Segments.
        count: u32,
    },
}

/// Why a sheet is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// The catalog does not know enough to verify it, or there is no such sheet.
    #[error("this sheet was not asked for")]
    NotWanted,
    /// Too many or too few bytes.
    #[error("a sheet of {expected} bytes came with {found}")]
    WrongLength {
        /// Bytes it should have.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// The page hashes do not give the signed root.
    #[error("the head of a file does not hash to its signed root")]
    WrongHead,
    /// A page does not have its hash.
    #[error("page {page} does not have its hash")]
    WrongPage {
        /// The page.
        page: u32,
    },
    /// A row does not give its segment's root.
    #[error("the row of segment {index} does not hash to its root")]
    WrongRow {
        /// The segment.
        index: u32,
    },
    /// The publisher signed a record that breaks a rule.
    #[error("segment {index}: {error}")]
    BadRecord {
        /// The segment.
        index: u32,
        /// The rule.
        error: RecordError,
    },
    /// The publisher signed a name that breaks a rule.
    #[error("the name of segment {index} is not in normal form, too long, or cut off")]
    BadName {
        /// The segment.
        index: u32,
    },
    /// The publisher signed two entries with one name and range.
    #[error("the name of segment {index} is taken")]
    DuplicateName {
        /// The segment.
        index: u32,
    },
}

impl SheetError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotWanted => "sheet_not_wanted",
            Self::WrongLength { .. } => "sheet_wrong_length",
            Self::WrongHead => "sheet_wrong_head",
            Self::WrongPage { .. } => "sheet_wrong_page",
            Self::WrongRow { .. } => "sheet_wrong_row",
            Self::BadRecord { .. } => "sheet_bad_record",
            Self::BadName { .. } => "sheet_bad_name",
            Self::DuplicateName { .. } => "sheet_duplicate_name",
        }
    }
}

/// Why a row is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The object's index page is not here, or there is no such object.
    #[error("nothing is known of this object yet")]
    UnknownObject,
    /// Not one hash for each chunk.
    #[error("a row of {expected} hashes came with {found}")]
    WrongLength {
        /// Hashes it should have.
        expected: u32,
        /// Hashes that came.
        found: u32,
    },
    /// The hashes do not give the object's root.
    #[error("a row does not hash to its object's root")]
    WrongRoot,
}

impl RowError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownObject => "row_unknown_object",
            Self::WrongLength { .. } => "row_wrong_length",
            Self::WrongRoot => "row_wrong_root",
        }
    }
}
