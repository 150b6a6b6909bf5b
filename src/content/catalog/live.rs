//! What live heads add to a catalog: tracks that grow, assets, and documents that change.

use alloc::vec;
use alloc::vec::Vec;

use super::index::{Entry, Index, Page, Vouched};
use super::{Catalog, Sheet, TrackSheets};
use crate::content::geometry::{PAGE_RECORDS, RECORD_LEN};
pub(super) use crate::content::live::LogPages;
use crate::content::live::{Document, LiveHead, LiveSlot, LiveTrack, Parent, TrackFile};
use crate::content::{
    Hash, IndexFile, MAX_ASSETS, MAX_SEGMENTS, Manifest, ObjectId, Record, RowsFile, Track, TrackId, tree,
};

/// A live content: what is not of one track.
#[derive(Debug, Clone)]
pub(super) struct LiveListing {
    slot: LiveSlot,
    /// Number of the logs; 0 before the first head.
    log: u64,
    documents: Vec<Document>,
    /// Segments that are parts one after the other, in the order in which heads said so.
    parents: Vec<PartsOf>,
}

/// Which parts a finished segment consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartsOf {
    /// The segment.
    pub segment: ObjectId,
    /// Its first part.
    pub first: ObjectId,
    /// How many they are.
    pub count: u32,
    /// Whether the newest head says so, so that the parts are still to be had.
    pub is_listed: bool,
}

impl LiveListing {
    /// `None` if the content is not live. The slot was read before, when the manifest was verified.
    pub(super) fn of(manifest: &Manifest) -> Option<Self> {
        let slot = LiveSlot::of(manifest).ok().flatten()?;
        Some(Self {
            slot,
            log: 0,
            documents: Vec::new(),
            parents: Vec::new(),
        })
    }

    pub(super) const fn has_begun(&self) -> bool {
        self.log != 0
    }

    pub(super) fn document(&self, path: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.path == path)
    }

    fn note_parents(&mut self, head: &LiveHead) {
        self.parents.iter_mut().for_each(|known| known.is_listed = false);
        for track in &head.tracks {
            let Some(parts) = &track.parts else { continue };
            let finished = head.track(parts.of).map_or(0, LiveTrack::size);
            let is_usable = |parent: &&Parent| parent.segment < finished && parent.count <= MAX_PARTS;
            for parent in parts.parents.iter().filter(is_usable) {
                let stated = PartsOf {
                    segment: ObjectId::new(parts.of, parent.segment),
                    first: ObjectId::new(track.id, parent.first),
                    count: parent.count,
                    is_listed: true,
                };
                self.parents.retain(|known| known.segment != stated.segment);
                self.parents.push(stated);
            }
        }
        let surplus = self.parents.len().saturating_sub(MAX_PARENTS);
        self.parents.drain(..surplus);
    }

    /// What peers compare: who follows the same logs may exchange all tracks.
    pub(super) fn root(&self) -> Hash {
        Hash::of(&[LOG_CONTEXT, &self.log.to_be_bytes()])
    }
}

impl Catalog {
    /// Where the heads of a live content lie; `None` if it is not live.
    #[must_use]
    pub fn live_slot(&self) -> Option<&LiveSlot> {
        self.live.as_ref().map(|live| &live.slot)
    }

    /// A playlist or MPD that the newest head vouches for.
    #[must_use]
    pub fn document(&self, path: &str) -> Option<&Document> {
        self.live.as_ref()?.document(path)
    }

    /// Of which parts a segment consists, if a head has said so not too long ago.
    #[must_use]
    pub fn parts_of(&self, segment: ObjectId) -> Option<&PartsOf> {
        let mut known = self.live.as_ref()?.parents.iter();
        known.find(|parent| parent.segment == segment)
    }

    /// Takes in what a head states. The head must have passed [`crate::content::live::Chain::accept`]. Says whether it
    /// began other logs, of which nothing was known before.
    pub fn accept_head(&mut self, head: &LiveHead) -> bool {
        let Some(live) = &mut self.live else { return false };
        let began = live.log != head.log;
        live.log = head.log;
        live.documents.clone_from(&head.documents);
        if began {
            live.parents.clear();
            self.tracks.clear();
            self.rows.clear();
        }
        live.note_parents(head);
        for asset in &head.assets {
            let is_known = |position: &u32| {
                let known = self.assets.get(*position as usize);
                known.is_some_and(|(known, _)| known.range == asset.range)
            };
            let known = self.assets_by_path.get(&asset.path);
            // What one manifest may list is enough for a stream as well, however often its heads change.
            let room = self.assets.len() < MAX_ASSETS;
            if room && !known.is_some_and(|positions| positions.iter().any(is_known)) {
                self.add_asset(asset.clone());
            }
        }
        for track in &head.tracks {
            self.follow(head.log, track);
        }
        began
    }

    /// The root that a track's log had at `size` records, as far as its pages tell that came by themselves.
    #[must_use]
    pub fn log_root_at(&self, track: TrackId, size: u32) -> Option<Hash> {
        self.sheets(track)?.index.root_at(size)
    }

    /// The sheets without which [`Self::log_root_at`] does not answer.
    #[must_use]
    pub fn sheets_for_link(&self, track: TrackId, size: u32) -> Vec<Sheet> {
        let Some(log) = self.sheets(track).and_then(|sheets| sheets.index.log()) else {
            return Vec::new();
        };
        let head = Some(Sheet::IndexHead(track)).filter(|_| !log.has_roots());
        let page =
            (!size.is_multiple_of(PAGE_RECORDS)).then_some(Sheet::IndexPage(track, size / PAGE_RECORDS));
        let at_once = size / PAGE_RECORDS == log.size() / PAGE_RECORDS;
        let page = page.filter(|_| head.is_none() || at_once);
        head.into_iter().chain(page).collect()
    }

    /// Segments of a live track so far; `None` if it does not grow any more.
    #[must_use]
    pub fn edge(&self, track: TrackId) -> Option<u32> {
        let sheets = self.sheets(track).filter(|sheets| sheets.open)?;
        Some(sheets.track.segments)
    }

    /// Where the newest segment of a track ends, in microseconds of media time.
    #[must_use]
    pub fn edge_us(&self, track: TrackId) -> Option<u64> {
        let sheets = self.sheets(track)?;
        let last = sheets.track.segments.checked_sub(1)?;
        let info = &sheets.index.entry(last)?.info;
        Some(info.start_us + info.duration_us)
    }

    fn follow(&mut self, log: u64, stated: &LiveTrack) {
        let position = match self.position(stated.id) {
            Ok(position) => position,
            Err(position) => {
                let Some(live) = &self.live else { return };
                let file = |file| live.slot.track(log, stated.id, file);
                let track = Track {
                    id: stated.id,
                    kind: stated.kind,
                    media_type: stated.media_type.clone(),
                    timescale: stated.timescale,
                    segments: 0,
                    bitrate: stated.bitrate,
                    index: IndexFile {
                        path: file(TrackFile::Records),
                        root: tree::root(&[]),
                    },
                    rows: RowsFile {
                        path: file(TrackFile::Rows),
                    },
                    names: stated.names.clone(),
                    ranged: stated.ranged,
                };
                let mut sheets = TrackSheets::with_series(track, MAX_SEGMENTS);
                sheets.head_path = file(TrackFile::Pages);
                self.tracks.insert(position, sheets);
                position
            }
        };
        let Some(sheets) = self.tracks.get_mut(position) else {
            return;
        };
        sheets.track.segments = sheets.index.follow(stated);
        sheets.open = !stated.closed;
        let (id, size) = (stated.id, sheets.track.segments);
        for index in stated.base..size {
            if let Some(row) = stated.row(index).filter(|row| row.len() > 1) {
                self.rows.insert(ObjectId::new(id, index), row);
            }
        }
    }
}

impl Index {
    /// Takes in a run of entries of one page, and keeps what is known of the page where the two meet.
    pub(super) fn put(&mut self, first: u32, mut entries: Vec<Entry>) {
        let (page, mut skip) = (first / PAGE_RECORDS, first % PAGE_RECORDS);
        let end = skip + entries.len() as u32;
        if let Some(known) = self.pages.remove(&page) {
            let known_end = known.skip + known.entries.len() as u32;
            if known.skip <= end && known_end > end {
                entries.extend(known.entries.iter().skip((end - known.skip) as usize).cloned());
            }
            if known_end >= skip && known.skip < skip {
                let before = (skip - known.skip) as usize;
                entries.splice(0..0, known.entries.into_iter().take(before));
                skip = known.skip;
            }
        }
        self.pages.insert(page, Page { skip, entries });
    }

    /// Takes the records that a head carries, and says how many segments there are now.
    fn follow(&mut self, stated: &LiveTrack) -> u32 {
        if self.begins() || stated.base > self.segments {
            self.go_on_from(LogPages::before(stated));
        }
        for (index, record) in (stated.base..).zip(&stated.records) {
            // A rule broken from one head to the next: what follows has no place.
            if index >= self.segments && !self.append(index, record) {
                break;
            }
        }
        self.segments
    }

    /// Whether this is a live track of which nothing is known.
    const fn begins(&self) -> bool {
        matches!(self.vouched, Vouched::Sealed { .. })
    }

    /// Nothing is known of the records between the last one that is known and the end of `log`.
    fn go_on_from(&mut self, log: LogPages) {
        // The page in which the known records end comes again: it shows whether this log goes on from them.
        self.pages.remove(&(self.segments / PAGE_RECORDS));
        self.segments = log.size();
        self.vouched = Vouched::Log(log);
    }

    /// Takes the record of the next segment, unless it breaks a rule.
    fn append(&mut self, index: u32, record: &Record) -> bool {
        let previous = index
            .checked_sub(1)
            .and_then(|index| self.entry(index))
            .map(|entry| entry.record);
        if self.check(index, record, previous.as_ref()).is_err() {
            return false;
        }
        let entry = Entry {
            info: self.info(record),
            record: *record,
        };
        self.put(index, vec![entry]);
        self.segments = index + 1;
        true
    }

    fn root_at(&self, size: u32) -> Option<Hash> {
        let log = self.log()?;
        let first = size / PAGE_RECORDS * PAGE_RECORDS;
        let count = log.page_range(size / PAGE_RECORDS).1 / u64::from(RECORD_LEN);
        let mut page = Vec::new();
        if size > first {
            for index in first..first + count as u32 {
                page.extend_from_slice(&self.entry(index)?.record.encode());
            }
        }
        log.root_at(size, &page).ok()
    }
}

/// Most parts of a segment that is delivered from them.
const MAX_PARTS: u32 = 256;
/// Segments whose parts are remembered: half an hour of one track of 2 s.
const MAX_PARENTS: usize = 1_024;
const LOG_CONTEXT: &[u8] = b"swarmseal/log/1";
