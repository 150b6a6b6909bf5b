//! What is verified so far about one content: which objects there are, where they lie, and what their chunks hash to.

mod index;
mod names;
mod resolve;
mod rows;
#[cfg(test)]
mod tests;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::ordered::{OrderedMap, sort_by_key};
use core::ops::RangeInclusive;

use self::index::{Index, Located};
use self::names::NamesTable;
use self::rows::Rows;
use super::{
    Asset, Hash, Manifest, Names, ObjectId, RecordError, Template, Track, TrackId, TrackKind,
    VerifiedManifest, chunk_count,
};

/// The verified knowledge about one content. Grows sheet by sheet; never holds payload.
#[derive(Debug, Clone)]
pub struct Catalog {
    manifest: VerifiedManifest,
    assets: Vec<ObjectInfo>,
    /// Positions of the assets of one path, by their offsets.
    assets_by_path: OrderedMap<String, Vec<u32>>,
    /// In the order of the manifest's tracks.
    tracks: Vec<TrackSheets>,
    rows: Rows,
}

impl Catalog {
    /// What the manifest alone says: all assets, and no segment yet.
    #[must_use]
    pub fn new(manifest: VerifiedManifest) -> Self {
        let (mut assets, mut assets_by_path) = (Vec::new(), OrderedMap::<String, Vec<u32>>::new());
        let listed = &manifest.manifest().assets;
        for (position, asset) in (0..).zip(listed) {
            assets.push(ObjectInfo::of_asset(asset));
            assets_by_path
                .entry(asset.path.clone())
                .or_default()
                .push(position);
        }
        for positions in assets_by_path.values_mut() {
            sort_by_key(positions, |position| {
                listed.get(*position as usize).and_then(|asset| asset.range)
            });
        }
        let tracks = manifest.manifest().tracks.iter().map(TrackSheets::new).collect();
        Self {
            manifest,
            assets,
            assets_by_path,
            tracks,
            rows: Rows::default(),
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
            return self.assets.get(id.index as usize);
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
        self.manifest()
            .track(id.track)
            .map(|track| track.media_type.as_str())
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
        let (track, sheets) = self.track(id.track)?;
        let record = &sheets.index.entry(id.index)?.record;
        let path = match &track.names {
            Names::Single { path } => path.clone(),
            Names::Table { .. } => sheets.names.as_ref()?.name(id.index)?.to_owned(),
            Names::Template { .. } => {
                let series = sheets.series.as_ref()?;
                series.template.name(series.value(id.index, record.media_start))
            }
        };
        Some(Location {
            path,
            range: track.ranged.then_some((record.offset, u64::from(record.length))),
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
        let (track, sheets) = self.track(sheet.track())?;
        let (path, range) = match *sheet {
            Sheet::IndexHead(_) => (&track.index.path, Some((0, sheets.index.head_len()))),
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

    /// What peers compare before they exchange a track: the root of each, in ascending order, track 0 first.
    #[must_use]
    pub fn track_roots(&self) -> Vec<(TrackId, Hash)> {
        let assets = (TrackId::ASSETS, self.manifest().assets_root());
        let tracks = self
            .manifest()
            .tracks
            .iter()
            .map(|track| (track.id, track.index.root));
        core::iter::once(assets).chain(tracks).collect()
    }

    fn accept_names(&mut self, track: TrackId, page: u32, bytes: &[u8]) -> Result<(), SheetError> {
        let (listed, sheets) = self.track(track).ok_or(SheetError::NotWanted)?;
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
        let mut assets = assets.filter_map(|position| self.manifest().assets.get(*position as usize));
        if assets.any(|asset| asset.range.is_none() || !track.ranged) {
            return true;
        }
        let others = self
            .manifest()
            .tracks
            .iter()
            .zip(&self.tracks)
            .filter(|(other, _)| other.id != track.id);
        others.into_iter().any(|(other, sheets)| match &other.names {
            Names::Single { path } => path == name,
            Names::Template { .. } => sheets.series.as_ref().is_some_and(|series| series.covers(name)),
            Names::Table { .. } => {
                let named = sheets.names.as_ref().is_some_and(|names| names.has(name));
                named && !(track.ranged && other.ranged)
            }
        })
    }

    fn locate_time(&self, track: TrackId, time_us: u64) -> Option<Located> {
        let (track, sheets) = self.track(track)?;
        if track.kind == TrackKind::Files {
            return None;
        }
        let times =
            |entry: &index::Entry| (entry.info.start_us, entry.info.start_us + entry.info.duration_us);
        Some(sheets.index.locate(0..track.segments, times, time_us))
    }

    fn asset(&self, id: ObjectId) -> Option<&Asset> {
        self.manifest().assets.get(id.index as usize)
    }

    fn track(&self, id: TrackId) -> Option<(&Track, &TrackSheets)> {
        let at = self.position(id)?;
        self.manifest().tracks.get(at).zip(self.tracks.get(at))
    }

    fn sheets(&self, id: TrackId) -> Option<&TrackSheets> {
        self.tracks.get(self.position(id)?)
    }

    fn sheets_mut(&mut self, id: TrackId) -> Result<&mut TrackSheets, SheetError> {
        let position = self.position(id);
        position
            .and_then(|at| self.tracks.get_mut(at))
            .ok_or(SheetError::NotWanted)
    }

    fn position(&self, id: TrackId) -> Option<usize> {
        self.manifest()
            .tracks
            .binary_search_by_key(&id, |track| track.id)
            .ok()
    }
}

/// What has come in about one track.
#[derive(Debug, Clone)]
struct TrackSheets {
    index: Index,
    /// Of a track whose segments are named by a table.
    names: Option<NamesTable>,
    /// Of a track whose segments are named by a template.
    series: Option<Series>,
}

impl TrackSheets {
    fn new(track: &Track) -> Self {
        let series = match &track.names {
            Names::Template {
                pattern,
                start_number,
            } => Template::parse(pattern).ok().map(|template| Series {
                numbers: *start_number..=start_number + u64::from(track.segments.saturating_sub(1)),
                template,
            }),
            _ => None,
        };
        let by_time = series.as_ref().is_some_and(|series| series.template.is_time());
        Self {
            index: Index::new(track, by_time),
            names: NamesTable::new(track),
            series,
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
