//! The names table of one track, as far as its pages are here.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::ordered::OrderedMap;

use super::{Sheet, SheetError};
use crate::content::geometry::{PAGE_RECORDS, page_count, page_records};
use crate::content::tree::{self, RootBuilder};
use crate::content::{Hash, MAX_PATH, Names, Track, TrackId, TrackKind, normalise_path};

/// Bytes of one entry of the head: length and hash of a page.
const HEAD_ENTRY: u64 = 4 + Hash::LEN as u64;

/// Longest page: 256 names of the longest kind.
const MAX_PAGE: u64 = PAGE_RECORDS as u64 * (2 + MAX_PATH as u64);

/// Pages of an unsorted table that are asked for at once while a name is looked for.
const SEARCH_PAGES: usize = 8;

#[derive(Debug, Clone)]
pub(super) struct NamesTable {
    track: TrackId,
    root: Hash,
    segments: u32,
    /// Names ascend, so that a name is found by halving.
    sorted: bool,
    /// Consecutive segments may share a name.
    ranged: bool,
    /// Where the pages are; empty until the head is here.
    head: Vec<PageEntry>,
    pages: OrderedMap<u32, Vec<String>>,
    /// Runs of segments of one name, in ascending order, cut at page borders.
    by_name: OrderedMap<String, Vec<Run>>,
}

#[derive(Debug, Clone, Copy)]
struct PageEntry {
    offset: u64,
    length: u64,
    hash: Hash,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    first: u32,
    end: u32,
}

/// Names of one page that are verified but not taken in yet.
pub(super) struct NamesPage {
    page: u32,
    names: Vec<String>,
}

impl NamesPage {
    pub(super) fn entries(&self) -> impl Iterator<Item = (u32, &str)> {
        (self.page * PAGE_RECORDS..).zip(self.names.iter().map(String::as_str))
    }
}

/// What is known of a name.
pub(super) enum Lookup {
    /// These segments have it; more may be on the pages named.
    Run {
        /// First segment.
        first: u32,
        /// First segment after it.
        end: u32,
        /// The missing page before `first`, if the run may begin earlier.
        before: Option<Sheet>,
        /// The missing page after `end`, if the run may go on.
        after: Option<Sheet>,
    },
    /// Unknown without these sheets.
    Need(Vec<Sheet>),
    /// No segment has it.
    Absent,
}

impl NamesTable {
    /// `None` for a track without a table.
    pub(super) fn new(track: &Track) -> Option<Self> {
        let Names::Table { root, .. } = &track.names else {
            return None;
        };
        Some(Self {
            track: track.id,
            root: *root,
            segments: track.segments,
            sorted: track.kind == TrackKind::Files,
            ranged: track.ranged,
            head: Vec::new(),
            pages: OrderedMap::new(),
            by_name: OrderedMap::new(),
        })
    }

    pub(super) fn name(&self, index: u32) -> Option<&str> {
        let page = self.pages.get(&(index / PAGE_RECORDS))?;
        page.get((index % PAGE_RECORDS) as usize).map(String::as_str)
    }

    /// The sheet without which [`Self::name`] does not answer.
    pub(super) fn missing(&self, index: u32) -> Option<Sheet> {
        if index >= self.segments {
            None
        } else {
            self.missing_page(index / PAGE_RECORDS)
        }
    }

    /// Whether a page that is here has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(super) fn find(&self, name: &str) -> Lookup {
        let runs = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let (Some(Run { first, .. }), Some(Run { end, .. })) = (runs.first(), runs.last()) else {
            let sheets = self.search(name);
            return if sheets.is_empty() {
                Lookup::Absent
            } else {
                Lookup::Need(sheets)
            };
        };
        // Only where a page ends with the name, or begins with it, can the next one go on with it.
        let before = (first % PAGE_RECORDS == 0)
            .then(|| first.checked_sub(1))
            .flatten();
        let after = end.is_multiple_of(PAGE_RECORDS).then_some(*end);
        let sheet = |index: Option<u32>| {
            index
                .filter(|_| self.ranged)
                .and_then(|index| self.missing(index))
        };
        Lookup::Run {
            first: *first,
            end: *end,
            before: sheet(before),
            after: sheet(after),
        }
    }

    pub(super) fn head_len(&self) -> u64 {
        u64::from(page_count(self.segments)) * HEAD_ENTRY
    }

    /// Offset and length of a page in the file; `None` until the head is here.
    pub(super) fn page_range(&self, page: u32) -> Option<(u64, u64)> {
        self.head
            .get(page as usize)
            .map(|entry| (entry.offset, entry.length))
    }

    pub(super) fn accept_head(&mut self, bytes: &[u8]) -> Result<(), SheetError> {
        let (mut head, mut root, mut offset) = (Vec::new(), RootBuilder::default(), self.head_len());
        for entry in bytes.chunks_exact(HEAD_ENTRY as usize) {
            root.push(tree::leaf(entry));
            let (length, hash) = entry.split_first_chunk().ok_or(SheetError::WrongHead)?;
            let length = u64::from(u32::from_be_bytes(*length));
            let hash = Hash::from_slice(hash).ok_or(SheetError::WrongHead)?;
            if length > MAX_PAGE {
                return Err(SheetError::WrongHead);
            }
            head.push(PageEntry { offset, length, hash });
            offset += length;
        }
        if root.finish() != self.root {
            return Err(SheetError::WrongHead);
        }
        self.head = head;
        Ok(())
    }

    /// Verifies a page and reads it, without taking it in.
    pub(super) fn read_page(
        &self,
        page: u32,
        bytes: &[u8],
        significant_query: &[String],
    ) -> Result<NamesPage, SheetError> {
        if self.head.get(page as usize).map(|entry| entry.hash) != Some(tree::leaf(bytes)) {
            return Err(SheetError::WrongPage { page });
        }
        let first = page * PAGE_RECORDS;
        let (mut names, mut rest) = (Vec::new(), bytes);
        for index in first..first + page_records(self.segments, page) {
            let bad = SheetError::BadName { index };
            let (length, after) = rest.split_first_chunk().ok_or(bad)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (name, after) = after.split_at_checked(length).ok_or(bad)?;
            let name = str::from_utf8(name).map_err(|_| bad)?;
            if normalise_path(name, significant_query).as_deref() != Ok(name) {
                return Err(bad);
            }
            names.push(name.to_owned());
            rest = after;
        }
        if !rest.is_empty() {
            return Err(SheetError::BadName { index: first });
        }
        let names = NamesPage { page, names };
        self.check(&names)?;
        Ok(names)
    }

    pub(super) fn insert(&mut self, names: NamesPage) {
        if self.pages.contains_key(&names.page) {
            return;
        }
        for (run, name) in runs(&names) {
            let known = self.by_name.entry(name.to_owned()).or_default();
            known.insert(known.partition_point(|other| other.first < run.first), run);
        }
        self.pages.insert(names.page, names.names);
    }

    /// One name has one segment; in a ranged track it may have consecutive ones. Sorted names ascend.
    fn check(&self, names: &NamesPage) -> Result<(), SheetError> {
        let mut seen = OrderedMap::new();
        for (run, name) in runs(names) {
            let taken = SheetError::DuplicateName { index: run.first };
            if seen.insert(name, ()).is_some() || (!self.ranged && run.end - run.first > 1) {
                return Err(taken);
            }
            for other in self.by_name.get(name).into_iter().flatten() {
                let (low, high) = if other.first < run.first {
                    (other, &run)
                } else {
                    (&run, other)
                };
                let goes_on = low.end.is_multiple_of(PAGE_RECORDS) && high.first.is_multiple_of(PAGE_RECORDS);
                if other.first != run.first && !(self.ranged && goes_on) {
                    return Err(taken);
                }
            }
        }
        if self.sorted {
            let page = names.page;
            let before = self
                .pages
                .range(..page)
                .next_back()
                .and_then(|(_, names)| names.last());
            let after = self
                .pages
                .range(page + 1..)
                .next()
                .and_then(|(_, names)| names.first());
            let all = before.into_iter().chain(&names.names).chain(after);
            if !all.is_sorted() {
                return Err(SheetError::BadName {
                    index: page * PAGE_RECORDS,
                });
            }
        }
        Ok(())
    }

    /// Pages that may have a name which no page that is here has.
    fn search(&self, name: &str) -> Vec<Sheet> {
        if self.head.is_empty() {
            return vec![Sheet::NamesHead(self.track)];
        }
        let pages = 0..page_count(self.segments);
        if !self.sorted {
            return pages
                .filter_map(|page| self.missing_page(page))
                .take(SEARCH_PAGES)
                .collect();
        }
        let starts_before = |names: &Vec<String>| names.first().is_some_and(|first| first.as_str() <= name);
        let below = self.pages.iter().rev().find(|(_, names)| starts_before(names));
        let above = self.pages.iter().find(|(_, names)| !starts_before(names));
        if below.is_some_and(|(_, names)| names.last().is_some_and(|last| last.as_str() > name)) {
            return Vec::new();
        }
        let first = below.map_or(pages.start, |(page, _)| page + 1);
        let end = above.map_or(pages.end, |(page, _)| *page);
        if first >= end {
            Vec::new()
        } else {
            self.missing_page(first.midpoint(end)).into_iter().collect()
        }
    }

    fn missing_page(&self, page: u32) -> Option<Sheet> {
        if self.pages.contains_key(&page) {
            None
        } else if self.head.is_empty() {
            Some(Sheet::NamesHead(self.track))
        } else {
            Some(Sheet::NamesPage(self.track, page))
        }
    }
}

/// Runs of equal names on one page.
fn runs(page: &NamesPage) -> Vec<(Run, &str)> {
    let mut runs: Vec<(Run, &str)> = Vec::new();
    for (index, name) in page.entries() {
        match runs.last_mut() {
            Some((run, last)) if *last == name => run.end = index + 1,
            _ => runs.push((
                Run {
                    first: index,
                    end: index + 1,
                },
                name,
            )),
        }
    }
    runs
}
