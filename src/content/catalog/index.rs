//! The index of one track, as far as its pages are here.

use alloc::vec::Vec;

use crate::ordered::OrderedMap;
use core::ops::Range;

use super::live::LogPages;
use super::{ObjectInfo, Sheet, SheetError};
use crate::content::geometry::{PAGE, PAGE_RECORDS, RECORD_LEN, page_count, page_records};
use crate::content::{Hash, Names, Record, RecordError, Track, TrackId, chunk_count, tree};

/// Rows that fit into one sheet, in bytes: what one peer message may carry, and the row of the longest object.
const MAX_ROWS_SHEET: u64 = 65_536;

/// Memory is bounded by what the manifest signs: at most `MAX_SEGMENTS` entries of about 120 bytes.
#[derive(Debug, Clone)]
pub(super) struct Index {
    track: TrackId,
    pub(super) vouched: Vouched,
    pub(super) segments: u32,
    timescale: u32,
    /// Segments are byte ranges.
    ranged: bool,
    /// They are all ranges of one resource.
    one_resource: bool,
    /// Media starts name segments.
    named_by_time: bool,
    pub(super) pages: OrderedMap<u32, Page>,
}

/// What pages are verified against.
#[derive(Debug, Clone)]
pub(super) enum Vouched {
    /// The root over the hashes of all pages, and these once the head is here.
    Sealed { root: Hash, hashes: Vec<Hash> },
    /// The log of a live track, before the records that a head brought itself.
    Log(LogPages),
}

/// A run of segments of one page: all of them, but for the records that live heads bring one by one.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// Segments of the page before the run.
    pub(super) skip: u32,
    pub(super) entries: Vec<Entry>,
}

/// One segment.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) info: ObjectInfo,
    pub(super) record: Record,
}

/// Where a value lies among the segments of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Located {
    /// In this segment, or after it and before the next one.
    At(u32),
    /// Before the first segment.
    Before,
    /// Unknown without this sheet.
    Need(Sheet),
}

impl Index {
    pub(super) fn new(track: &Track, named_by_time: bool) -> Self {
        Self {
            track: track.id,
            vouched: Vouched::Sealed {
                root: track.index.root,
                hashes: Vec::new(),
            },
            segments: track.segments,
            timescale: track.timescale,
            ranged: track.ranged,
            one_resource: matches!(track.names, Names::Single { .. }),
            named_by_time,
            pages: OrderedMap::new(),
        }
    }

    pub(super) fn entry(&self, index: u32) -> Option<&Entry> {
        let page = self.pages.get(&(index / PAGE_RECORDS))?;
        page.entries
            .get((index % PAGE_RECORDS).checked_sub(page.skip)? as usize)
    }

    /// The sheet without which [`Self::entry`] does not answer.
    pub(super) fn missing(&self, index: u32) -> Option<Sheet> {
        let page = index / PAGE_RECORDS;
        let needs_head = match &self.vouched {
            Vouched::Sealed { hashes, .. } => hashes.is_empty(),
            Vouched::Log(log) => page < log.size() / PAGE_RECORDS && !log.has_roots(),
        };
        if index >= self.segments || self.entry(index).is_some() {
            None
        } else if needs_head {
            Some(Sheet::IndexHead(self.track))
        } else {
            Some(Sheet::IndexPage(self.track, page))
        }
    }

    /// Offset and length of what comes before any page can be verified: the page hashes, and the first page with them.
    pub(super) fn head_range(&self) -> (u64, u64) {
        match &self.vouched {
            Vouched::Sealed { .. } => (0, self.pages_start() + self.page_len(0)),
            Vouched::Log(log) => log.roots_range(),
        }
    }

    /// Offset and length of a page in its file.
    pub(super) fn page_range(&self, page: u32) -> Option<(u64, u64)> {
        match &self.vouched {
            Vouched::Sealed { .. } => (page < page_count(self.segments)).then(|| {
                (
                    self.pages_start() + u64::from(page) * u64::from(PAGE),
                    self.page_len(page),
                )
            }),
            Vouched::Log(log) => Some(log.page_range(page)).filter(|(_, length)| *length > 0),
        }
    }

    /// Offset and length in the rows file of the rows of consecutive segments that one sheet may hold.
    pub(super) fn rows_range(&self, first: u32, count: u32) -> Option<(u64, u64)> {
        let last = first.checked_add(count.checked_sub(1)?)?;
        let (first, last) = (&self.entry(first)?.record, &self.entry(last)?.record);
        // Between two segments whose pages are here another page may be missing; then their rows cannot be checked.
        let length = (last.row_offset + last.row_len()).checked_sub(first.row_offset)?;
        (length > 0 && length <= MAX_ROWS_SHEET).then_some((first.row_offset, length))
    }

    pub(super) fn accept_head(&mut self, bytes: &[u8]) -> Result<(), SheetError> {
        let pages_start = self.pages_start() as usize;
        let Vouched::Sealed { root, hashes } = &mut self.vouched else {
            return self.accept_roots(bytes);
        };
        let (head, page) = bytes.split_at_checked(pages_start).ok_or(SheetError::WrongHead)?;
        let head: Vec<Hash> = head
            .chunks_exact(Hash::LEN)
            .filter_map(Hash::from_slice)
            .collect();
        if tree::root(&head) != *root {
            return Err(SheetError::WrongHead);
        }
        *hashes = head;
        let taken = self.accept_page(0, page);
        if let (Err(_), Vouched::Sealed { hashes, .. }) = (&taken, &mut self.vouched) {
            hashes.clear();
        }
        taken
    }

    pub(super) fn accept_page(&mut self, page: u32, bytes: &[u8]) -> Result<(), SheetError> {
        let is_the_page = match &self.vouched {
            Vouched::Sealed { hashes, .. } if hashes.is_empty() => return Err(SheetError::NotWanted),
            Vouched::Sealed { hashes, .. } => hashes.get(page as usize) == Some(&tree::leaf(bytes)),
            Vouched::Log(log) => log.check(page, bytes).is_ok(),
        };
        if !is_the_page {
            return Err(SheetError::WrongPage { page });
        }
        let entries = self.read_page(page, bytes)?;
        self.put(page * PAGE_RECORDS, entries);
        Ok(())
    }

    /// Where `target` lies among the segments of `within`, when `span` gives start and end of each and starts ascend.
    pub(super) fn locate(
        &self,
        within: Range<u32>,
        span: impl Fn(&Entry) -> (u64, u64),
        target: u64,
    ) -> Located {
        // The last known segment that starts at or before the target, and the first known one after it.
        let (mut below, mut above): (Option<(u32, &Entry)>, _) = (None, within.end);
        let pages = within.start / PAGE_RECORDS..within.end.div_ceil(PAGE_RECORDS);
        for (page, Page { skip, entries }) in self.pages.range(pages) {
            let start = page * PAGE_RECORDS + skip;
            let first = within.start.saturating_sub(start);
            let known = entries.get(first as usize..).unwrap_or_default();
            let known = known
                .get(..within.end.saturating_sub(start + first) as usize)
                .unwrap_or(known);
            let split = match known.last() {
                Some(last) if span(last).0 <= target => known.len(),
                _ => known.partition_point(|entry| span(entry).0 <= target),
            };
            let index = |at: usize| start + first + at as u32;
            below = split
                .checked_sub(1)
                .and_then(|at| Some((index(at), known.get(at)?)))
                .or(below);
            if split < known.len() {
                above = index(split);
                break;
            }
        }
        let unknown = match below {
            Some((index, entry)) if index + 1 == above || target < span(entry).1 => {
                return Located::At(index);
            }
            None if above == within.start => return Located::Before,
            Some((index, _)) => index + 1..above,
            None => within.start..above,
        };
        let guess = below.map_or(unknown.start, |(index, entry)| {
            self.guess(
                index,
                span(entry),
                target,
                self.entry(above).map(|entry| (above, span(entry).0)),
            )
        });
        let guess = guess.clamp(unknown.start, unknown.end.saturating_sub(1));
        self.missing(guess).map_or(Located::Before, Located::Need)
    }

    /// The segment that holds `target` if all segments between two known ones are alike.
    fn guess(&self, index: u32, (start, end): (u64, u64), target: u64, above: Option<(u32, u64)>) -> u32 {
        let (width, steps) = match above {
            Some((above, above_start)) => (above_start.saturating_sub(start), above - index),
            None => (end.saturating_sub(start), 1),
        };
        let distance = scaled(target.saturating_sub(start), u64::from(steps), width);
        index.saturating_add(u32::try_from(distance).unwrap_or(u32::MAX))
    }

    fn read_page(&self, page: u32, bytes: &[u8]) -> Result<Vec<Entry>, SheetError> {
        let first = page * PAGE_RECORDS;
        let mut entries: Vec<Entry> = Vec::with_capacity(page_records(self.segments, page) as usize);
        let mut previous = first
            .checked_sub(1)
            .and_then(|index| self.entry(index))
            .map(|entry| entry.record);
        for (index, bytes) in (first..).zip(bytes.chunks_exact(RECORD_LEN as usize)) {
            let bad = |error| SheetError::BadRecord { index, error };
            let bytes = bytes.try_into().map_err(|_| SheetError::WrongPage { page })?;
            let record = Record::decode(bytes).map_err(bad)?;
            self.check(index, &record, previous.as_ref()).map_err(bad)?;
            previous = Some(record);
            entries.push(Entry {
                info: self.info(&record),
                record,
            });
        }
        let next = first + entries.len() as u32;
        if let Some(entry) = self.entry(next) {
            let checked = self.check(next, &entry.record, previous.as_ref());
            checked.map_err(|error| SheetError::BadRecord { index: next, error })?;
        }
        Ok(entries)
    }

    pub(super) const fn log(&self) -> Option<&LogPages> {
        match &self.vouched {
            Vouched::Log(log) => Some(log),
            Vouched::Sealed { .. } => None,
        }
    }

    fn accept_roots(&mut self, bytes: &[u8]) -> Result<(), SheetError> {
        match &mut self.vouched {
            Vouched::Log(log) => log.take_roots(bytes).map_err(|_| SheetError::WrongHead),
            Vouched::Sealed { .. } => Err(SheetError::NotWanted),
        }
    }

    /// The rules for one record, and for its place after the one before, where that is known.
    pub(super) fn check(
        &self,
        index: u32,
        record: &Record,
        previous: Option<&Record>,
    ) -> Result<(), RecordError> {
        match (self.ranged, record.length, record.offset) {
            (true, 0, _) => return Err(RecordError::EmptyRange),
            (false, _, 1..) => return Err(RecordError::UnexpectedOffset),
            _ => {}
        }
        if index == 0 && record.row_offset != 0 {
            return Err(RecordError::RowGap);
        }
        let Some(previous) = previous else { return Ok(()) };
        if record.row_offset != previous.row_offset + previous.row_len() {
            return Err(RecordError::RowGap);
        }
        if self.one_resource && record.offset < previous.end() {
            return Err(RecordError::RangeOrder);
        }
        let in_order = if self.named_by_time {
            record.media_start > previous.media_start
        } else {
            record.media_start >= previous.media_start
        };
        if in_order {
            Ok(())
        } else {
            Err(RecordError::TimeOrder)
        }
    }

    pub(super) fn info(&self, record: &Record) -> ObjectInfo {
        let start_us = self.microseconds(record.media_start);
        let end_us = self.microseconds(record.media_start + u64::from(record.duration));
        ObjectInfo {
            length: u64::from(record.length),
            chunks: chunk_count(u64::from(record.length)),
            root: record.root,
            start_us,
            duration_us: end_us - start_us,
        }
    }

    fn microseconds(&self, ticks: u64) -> u64 {
        scaled(ticks, 1_000_000, u64::from(self.timescale))
    }

    fn pages_start(&self) -> u64 {
        u64::from(page_count(self.segments)) * Hash::LEN as u64
    }

    fn page_len(&self, page: u32) -> u64 {
        u64::from(page_records(self.segments, page)) * u64::from(RECORD_LEN)
    }
}

/// `value * times / by`, rounded down, or the largest number; exact as long as `times * by` fits, without the half
/// kilobyte that a division of 128 bits takes.
pub(super) const fn scaled(value: u64, times: u64, by: u64) -> u64 {
    let by = if by == 0 { 1 } else { by };
    let rest = (value % by).saturating_mul(times) / by;
    (value / by).saturating_mul(times).saturating_add(rest)
}
