//! What is verified so far about one content: which objects there are, where they lie, and what their chunks hash to.

mod index;
#[cfg(feature = "live")]
mod live;
#[cfg(not(feature = "live"))]
#[path = "no_live.rs"]
mod live;
mod names;
mod resolve;
mod rows;
#[cfg(test)]
mod tests;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::ordered::{OrderedMap, sort_by_key};
use core::ops::RangeInclusive;

use self::index::{Index, Located};
use self::live::LiveListing;
use self::names::NamesTable;
use self::rows::Rows;
use super::{
    Asset, Hash, MAX_SEGMENTS, Manifest, Names, ObjectId, PublicKey, RecordError, Template, Track, TrackId,
    TrackKind, VerifiedManifest, chunk_count,
};

/// The verified knowledge about one content. Grows sheet by sheet; never holds payload.
#[derive(Debug, Clone)]
pub struct Catalog {
    manifest: VerifiedManifest,
    /// Those of the manifest, then those that live heads added, each with what is known of it.
    assets: Vec<(Asset, ObjectInfo)>,
    /// Positions of the assets of one path, by their offsets.
    assets_by_path: OrderedMap<String, Vec<u32>>,
    /// Ascending by number.
    tracks: Vec<TrackSheets>,
    rows: Rows,
    /// Of a live content.
    live: Option<LiveListing>,
}

impl Catalog {
    /// What the manifest alone says: all assets, and no segment yet.
    #[must_use]
    pub fn new(manifest: VerifiedManifest) -> Self {
        let live = LiveListing::of(manifest.manifest());
        let (listed, tracks) = (
            manifest.manifest().assets.clone(),
            manifest.manifest().tracks.clone(),
        );
        let mut catalog = Self {
            manifest,
            assets: Vec::new(),
            assets_by_path: OrderedMap::new(),
            tracks: tracks.into_iter().map(TrackSheets::new).collect(),
            rows: Rows::default(),
            live,
        };
        for asset in listed {
            catalog.add_asset(asset);
        }
        catalog
    }

    fn add_asset(&mut self, asset: Asset) {
        let position = u32::try_from(self.assets.len()).unwrap_or(u32::MAX);
        let positions = self.assets_by_path.entry(asset.path.clone()).or_default();
        positions.push(position);
        let info = ObjectInfo::of_asset(&asset);
        self.assets.push((asset, info));
        let assets = &self.assets;
        sort_by_key(positions, |position| {
            assets.get(*position as usize).and_then(|(asset, _)| asset.range)
        });
    }

    /// The publisher's key that signed the manifest.
    #[must_use]
    pub const fn signer(&self) -> PublicKey {
        self.manifest.signer()
    }

    /// The tracks as far as they are known: those of the manifest, or of the live heads so far.
    pub fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter().map(|sheets| &sheets.track)
    }

    /// The track with this number.
    #[must_use]
    pub fn track(&self, id: TrackId) -> Option<&Track> {
        self.sheets(id).map(|sheets| &sheets.track)
    }

    /// How many objects a track may name; for a live track, how many it may ever have.
    #[must_use]
    pub fn bound(&self, id: TrackId) -> u32 {
        match self.sheets(id) {
            _ if self.live.is_some() => MAX_SEGMENTS,
            Some(sheets) => sheets.track.segments,
            None if id == TrackId::ASSETS => u32::try_from(self.assets.len()).unwrap_or(u32::MAX),
            None => 0,
        }
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.manifest.manifest()
    }

    /// What is known of an object; `None` until its index page is here, or if there is no such object.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<&ObjectInfo> {
        if id.track == TrackId::ASSETS {
            return self.assets.get(id.index as usize).map(|(_, info)| info);
        }
        self.sheets(id.track)?
            .index
            .entry(id.index)
            .map(|entry| &entry.info)
    }

    /// The signed media type of an object; `None` if there is no such track or asset.
    #[must_use]
    pub fn media_type(&self, id: ObjectId) -> Option<&str> {
        if id.track == TrackId::ASSETS {
            return self.asset(id).map(|asset| asset.media_type.as_str());
        }
        self.track(id.track).map(|track| track.media_type.as_str())
    }

    /// Where an object's bytes lie; `None` while its index page or its name is missing.
    #[must_use]
    pub fn location(&self, id: ObjectId) -> Option<Location> {
        if id.track == TrackId::ASSETS {
            return self.asset(id).map(|asset| Location {
                path: asset.path.clone(),
                range: asset.range,
            });
        }
        let sheets = self.sheets(id.track)?;
        let record = &sheets.index.entry(id.index)?.record;
        let path = match &sheets.track.names {
            Names::Single { path } => path.clone(),
            Names::Table { .. } => sheets.names.as_ref()?.name(id.index)?.to_owned(),
            Names::Template { .. } => {
                let series = sheets.series.as_ref()?;
                series.template.name(series.value(id.index, record.media_start))
            }
        };
        Some(Location {
            path,
            range: sheets
                .track
                .ranged
                .then_some((record.offset, u64::from(record.length))),
        })
    }

    /// The segment that plays at `time_us`: the last one that has begun then, the first one before the beginning.
    /// `None` while the page that knows is missing, and for files.
    #[must_use]
    pub fn segment_at(&self, track: TrackId, time_us: u64) -> Option<u32> {
        match self.locate_time(track, time_us)? {
            Located::At(index) => Some(index),
            Located::Before => Some(0),
            Located::Need(_) => None,
        }
    }

    /// The next sheet to fetch so that [`Self::segment_at`] answers; `None` if nothing is missing.
    #[must_use]
    pub fn sheet_for_time(&self, track: TrackId, time_us: u64) -> Option<Sheet> {
        match self.locate_time(track, time_us)? {
            Located::Need(sheet) => Some(sheet),
            Located::At(_) | Located::Before => None,
        }
    }

    /// The next sheet to fetch so that [`Self::object`] and [`Self::location`] answer; `None` if nothing is missing.
    #[must_use]
    pub fn sheet_for(&self, id: ObjectId) -> Option<Sheet> {
        let sheets = self.sheets(id.track)?;
        let name = || sheets.names.as_ref().and_then(|names| names.missing(id.index));
        sheets.index.missing(id.index).or_else(name)
    }

    /// Where a sheet lies; always a range. `None` for a sheet that this catalog would not ask for.
    #[must_use]
    pub fn sheet_location(&self, sheet: &Sheet) -> Option<Location> {
        let sheets = self.sheets(sheet.track())?;
        let track = &sheets.track;
        let (path, range) = match *sheet {
            Sheet::IndexHead(_) => (&sheets.head_path, Some(sheets.index.head_range())),
            Sheet::IndexPage(_, page) => (&track.index.path, sheets.index.page_range(page)),
            Sheet::NamesHead(_) | Sheet::NamesPage(..) => {
                let Names::Table { path, .. } = &track.names else {
                    return None;
                };
                let names = sheets.names.as_ref()?;
                let page = if let Sheet::NamesPage(_, page) = *sheet {
                    Some(page)
                } else {
                    None
                };
                (
                    path,
                    page.map_or(Some((0, names.head_len())), |page| names.page_range(page)),
                )
            }
            Sheet::Rows { first, count, .. } => (&track.rows.path, sheets.index.rows_range(first, count)),
        };
        range.map(|range| Location {
            path: path.clone(),
            range: Some(range),
        })
    }

    /// Verifies a sheet and takes it in, all of it or nothing.
    ///
    /// # Errors
    /// [`SheetError`]: the bytes are not what the manifest signs, or what it signs breaks a rule.
    pub fn accept_sheet(&mut self, sheet: &Sheet, bytes: &[u8]) -> Result<(), SheetError> {
        let expected = self.sheet_location(sheet).and_then(|location| location.range);
        let (_, expected) = expected.ok_or(SheetError::NotWanted)?;
        let found = bytes.len() as u64;
        if expected != found {
            return Err(SheetError::WrongLength { expected, found });
        }
        match *sheet {
            Sheet::Rows { track, first, count } => self.accept_rows(track, first, count, bytes),
            Sheet::IndexHead(track) => self.sheets_mut(track)?.index.accept_head(bytes),
            Sheet::IndexPage(track, page) => self.sheets_mut(track)?.index.accept_page(page, bytes),
            Sheet::NamesHead(track) => self.sheets_mut(track)?.names_mut()?.accept_head(bytes),
            Sheet::NamesPage(track, page) => self.accept_names(track, page, bytes),
        }
    }

    /// What peers compare before they exchange a track: the root of each, in ascending order, track 0 first. Of a
    /// live content it is the number of its logs, which stands for all tracks.
    #[must_use]
    pub fn track_roots(&self) -> Vec<(TrackId, Hash)> {
        if let Some(live) = &self.live {
            return vec![(TrackId::ASSETS, live.root())];
        }
        let assets = (TrackId::ASSETS, self.manifest().assets_root());
        let tracks = self.tracks().map(|track| (track.id, track.index.root));
        core::iter::once(assets).chain(tracks).collect()
    }

    fn accept_names(&mut self, track: TrackId, page: u32, bytes: &[u8]) -> Result<(), SheetError> {
        let sheets = self.sheets(track).ok_or(SheetError::NotWanted)?;
        let listed = &sheets.track;
        let table = sheets.names.as_ref().ok_or(SheetError::NotWanted)?;
        let names = table.read_page(page, bytes, &self.manifest().significant_query)?;
        for (index, name) in names.entries() {
            if self.is_taken(listed, name) {
                return Err(SheetError::DuplicateName { index });
            }
        }
        self.sheets_mut(track)?.names_mut()?.insert(names);
        Ok(())
    }

    /// Whether an entry outside the names table of `track` has a name that only the table's own may have.
    fn is_taken(&self, track: &Track, name: &str) -> bool {
        let assets = self.assets_by_path.get(name).into_iter().flatten();
        let mut assets = assets.filter_map(|position| self.assets.get(*position as usize));
        if assets.any(|(asset, _)| asset.range.is_none() || !track.ranged) {
            return true;
        }
        let mut others = self.tracks.iter().filter(|sheets| sheets.track.id != track.id);
        others.any(|sheets| match &sheets.track.names {
            Names::Single { path } => path == name,
            Names::Template { .. } => sheets.series.as_ref().is_some_and(|series| series.covers(name)),
            Names::Table { .. } => {
                let named = sheets.names.as_ref().is_some_and(|names| names.has(name));
                named && !(track.ranged && sheets.track.ranged)
            }
        })
    }

    fn locate_time(&self, track: TrackId, time_us: u64) -> Option<Located> {
        let sheets = self.sheets(track)?;
        let track = &sheets.track;
        if track.kind == TrackKind::Files {
            return None;
        }
        let times =
            |entry: &index::Entry| (entry.info.start_us, entry.info.start_us + entry.info.duration_us);
        Some(sheets.index.locate(0..track.segments, times, time_us))
    }

    fn asset(&self, id: ObjectId) -> Option<&Asset> {
        self.assets.get(id.index as usize).map(|(asset, _)| asset)
    }

    fn sheets(&self, id: TrackId) -> Option<&TrackSheets> {
        self.tracks.get(self.position(id).ok()?)
    }

    fn sheets_mut(&mut self, id: TrackId) -> Result<&mut TrackSheets, SheetError> {
        let position = self.position(id);
        position
            .ok()
            .and_then(|at| self.tracks.get_mut(at))
            .ok_or(SheetError::NotWanted)
    }

    /// Where a track is, or where it would be.
    fn position(&self, id: TrackId) -> Result<usize, usize> {
        self.tracks.binary_search_by_key(&id, |sheets| sheets.track.id)
    }
}

/// What has come in about one track.
#[derive(Debug, Clone)]
struct TrackSheets {
    track: Track,
    /// The file of which the head of the index is taken.
    head_path: String,
    index: Index,
    /// Whether it may still grow.
    open: bool,
    /// Of a track whose segments are named by a table.
    names: Option<NamesTable>,
    /// Of a track whose segments are named by a template.
    series: Option<Series>,
}

impl TrackSheets {
    fn new(track: Track) -> Self {
        let segments = track.segments;
        Self::with_series(track, segments)
    }

    /// `most`: how many segments the track has, or will have.
    fn with_series(track: Track, most: u32) -> Self {
        let series = match &track.names {
            Names::Template {
                pattern,
                start_number,
            } => Template::parse(pattern).ok().map(|template| Series {
                numbers: *start_number..=start_number + u64::from(most.saturating_sub(1)),
                template,
            }),
            _ => None,
        };
        let by_time = series.as_ref().is_some_and(|series| series.template.is_time());
        Self {
            index: Index::new(&track, by_time),
            names: NamesTable::new(&track),
            series,
            head_path: track.index.path.clone(),
            open: false,
            track,
        }
    }

    fn names_mut(&mut self) -> Result<&mut NamesTable, SheetError> {
        self.names.as_mut().ok_or(SheetError::NotWanted)
    }
}

/// The names that a template gives to one track.
#[derive(Debug, Clone)]
struct Series {
    template: Template,
    numbers: RangeInclusive<u64>,
}

impl Series {
    fn value(&self, index: u32, media_start: u64) -> u64 {
        if self.template.is_time() {
            media_start
        } else {
            self.numbers.start() + u64::from(index)
        }
    }

    /// Whether the template gives this name to a segment of the track, as far as the manifest can tell.
    fn covers(&self, name: &str) -> bool {
        self.template
            .value(name)
            .is_some_and(|value| self.template.is_time() || self.numbers.contains(&value))
    }
}

impl ObjectInfo {
    fn of_asset(asset: &Asset) -> Self {
        let chunks = chunk_count(asset.length);
        Self {
            length: asset.length,
            chunks,
            root: asset.root,
            start_us: 0,
            duration_us: 0,
        }
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
    /// It is a playlist or MPD of a live content, with this normalised path: any bytes whose hash is listed will do.
    #[cfg(feature = "live")]
    Document(String),
    /// No live head states it so far; a later one may.
    #[cfg(feature = "live")]
    Later,
    /// The path is listed, but the listed bytes do not cover the range.
    RangeOutside,
    /// Nothing is listed under this path.
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

impl Sheet {
    /// The track it belongs to.
    #[must_use]
    pub const fn track(&self) -> TrackId {
        match *self {
            Self::IndexHead(track)
            | Self::IndexPage(track, _)
            | Self::NamesHead(track)
            | Self::NamesPage(track, _)
            | Self::Rows { track, .. } => track,
        }
    }
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
