//! One track while it grows: its records, and how it goes on.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use swarmseal::content::live::{LiveTrack, Parent, Parts};
use swarmseal::content::publish::HashedObject;
use swarmseal::content::tree::{self, RootBuilder};
use swarmseal::content::{
    Hash, MAX_SEGMENTS, Names, PAGE_RECORDS, Record, Template, TrackId, TrackKind, chunk_count,
};

use crate::publisher::journal::Place;
use crate::publisher::naming::{self, Naming};
use crate::publisher::plan::{Kind, Piece, PlannedTrack};

/// What does not change about a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outline {
    pub(super) id: TrackId,
    /// What the track is made from, as in a plan.
    pub(super) key: String,
    kind: u8,
    media_type: String,
    timescale: u32,
    bitrate: Option<u64>,
    /// Name of the one resource, or pattern.
    name: String,
    /// Number of the first segment, if the name is a pattern.
    pub(super) start_number: Option<u64>,
    pub(super) ranged: bool,
    /// The track whose segments consist of this one's.
    #[serde(default)]
    pub(super) parts_of: Option<TrackId>,
}

/// One track and its log.
pub(super) struct Recording {
    pub(super) outline: Outline,
    pub(super) segments: Vec<Recorded>,
    pub(super) closed: bool,
    /// Of a track of parts: the newest segments that they make up.
    pub(super) parents: Vec<Parent>,
    template: Option<Template>,
    /// Rows of the newest segments, to the end of the log.
    rows: VecDeque<Vec<Hash>>,
    leaves: Vec<Hash>,
    pages: Vec<Hash>,
    places: HashMap<Place, u32>,
}

/// One segment, or a gap.
pub(super) struct Recorded {
    pub(super) record: Record,
    pub(super) place: Place,
    pub(super) discontinuity: bool,
}

/// Where a piece belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It is the next segment after so many that are missing.
    After { missing: u32 },
    /// It cannot follow: numbering began anew, or the log is full.
    Never,
}

impl Recording {
    /// Begins a track with its first pieces; `None` if their names follow no rule, or one more has to be seen first.
    pub(super) fn begin(
        id: TrackId,
        planned: &PlannedTrack,
        pieces: &[Piece],
        parts_of: Option<TrackId>,
    ) -> Option<Self> {
        let first = pieces.get(..1)?;
        // Two pieces tell which number counts, unless one between them is gone.
        let found = [pieces.get(..2).unwrap_or(first), first]
            .map(|pieces| naming::find_growing(pieces, planned.ranged))
            .into_iter()
            .find(|found| *found != Naming::Table)?;
        let (name, start_number) = match found {
            Naming::Template {
                pattern,
                start_number,
            } => (pattern, Some(start_number)),
            Naming::Single { name } => (name, None),
            Naming::Table => return None,
        };
        // An MPD may name segments by time, and the first one may be both.
        let is_time = first.iter().any(|first| Some(first.start) == start_number);
        if is_time && pieces.len() == 1 && planned.key.starts_with("dash ") {
            return None;
        }
        Some(Self::new(Outline {
            id,
            key: planned.key.clone(),
            kind: match planned.kind {
                Kind::Video => 0,
                Kind::Audio => 1,
                Kind::Text | Kind::Files => 2,
            },
            media_type: planned.media_type.clone(),
            timescale: planned.timescale,
            bitrate: planned.bitrate,
            name,
            start_number,
            ranged: planned.ranged,
            parts_of,
        }))
    }

    /// A track without segments.
    pub(super) fn new(outline: Outline) -> Self {
        let template = outline
            .start_number
            .and_then(|_| Template::parse(&outline.name).ok());
        Self {
            outline,
            segments: Vec::new(),
            closed: false,
            parents: Vec::new(),
            template,
            rows: VecDeque::new(),
            leaves: Vec::new(),
            pages: Vec::new(),
            places: HashMap::new(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.outline.kind {
            0 => Kind::Video,
            1 => Kind::Audio,
            _ => Kind::Text,
        }
    }

    pub(super) fn media_type(&self) -> &str {
        &self.outline.media_type
    }

    pub(super) fn timescale(&self) -> u32 {
        self.outline.timescale
    }

    pub(super) fn bitrate(&self) -> Option<u64> {
        self.outline.bitrate
    }

    pub(super) fn size(&self) -> u32 {
        u32::try_from(self.segments.len()).unwrap_or(u32::MAX)
    }

    /// The pieces that are not in the log yet, with media starts on the log's own timeline. A playlist that has lost
    /// its beginning counts from its first segment.
    pub(super) fn news(&self, pieces: &[Piece]) -> Vec<Piece> {
        let place = |piece: &Piece| (piece.name.clone(), piece.range);
        let known = pieces
            .iter()
            .enumerate()
            .rev()
            .find_map(|(at, piece)| Some((at, *self.places.get(&place(piece))?)));
        let end = self.media_end();
        let (first, shift) = match known {
            Some((at, index)) => {
                let known_start = self
                    .segments
                    .get(index as usize)
                    .map_or(0, |known| known.record.media_start);
                let seen_start = pieces.get(at).map_or(0, |piece| piece.start);
                (at + 1, known_start as i64 - seen_start as i64)
            }
            None => match pieces.first() {
                Some(first) if first.start < end => (0, (end - first.start) as i64),
                _ => (0, 0),
            },
        };
        let news = pieces.get(first..).unwrap_or_default().iter();
        news.map(|piece| Piece {
            start: piece.start.saturating_add_signed(shift),
            ..piece.clone()
        })
        .collect()
    }

    /// Whether a piece can be the next segment.
    pub(super) fn next(&self, piece: &Piece) -> Next {
        let room = MAX_SEGMENTS.saturating_sub(self.size());
        let missing = match (&self.template, self.outline.start_number) {
            (Some(template), Some(_)) if template.is_time() => {
                let is_later = self.segments.is_empty() || piece.start > self.last_start();
                let is_named = template.name(piece.start) == *piece.name;
                (is_later && is_named).then_some(0)
            }
            (Some(template), Some(start)) => template
                .value(&piece.name)
                .and_then(|value| value.checked_sub(start + u64::from(self.size())))
                .filter(|missing| *missing <= MAX_GAP),
            _ => {
                let end = self.segments.last().map_or(0, |last| last.record.end());
                let follows = piece.range.is_some_and(|(offset, _)| offset >= end);
                (follows && *piece.name == *self.outline.name).then_some(0)
            }
        };
        match missing.and_then(|missing| u32::try_from(missing).ok()) {
            Some(missing) if missing < room => Next::After { missing },
            _ => Next::Never,
        }
    }

    /// The record of the next segment.
    pub(super) fn record(&self, piece: &Piece, hashed: &HashedObject) -> Record {
        let earliest = match &self.template {
            Some(template) if template.is_time() => 0,
            _ => self.last_start(),
        };
        Record {
            root: hashed.root,
            length: u32::try_from(hashed.length).unwrap_or(u32::MAX),
            duration: piece.duration,
            offset: piece.range.map_or(0, |(offset, _)| offset),
            row_offset: self.rows_len(),
            media_start: piece.start.max(earliest),
        }
    }

    /// A record for a number that the packager skipped, or whose segment was gone before it could be read.
    pub(super) fn gap(&self, before: &Piece, missing: u32) -> Piece {
        let end = self.media_end();
        let value = self.outline.start_number.unwrap_or(0) + u64::from(self.size());
        let length = before.start.saturating_sub(end) / u64::from(missing.max(1));
        Piece {
            name: self
                .template
                .as_ref()
                .map_or_else(String::new, |t| t.name(value))
                .into(),
            range: None,
            length: Some(0),
            start: end.min(before.start),
            duration: u32::try_from(length).unwrap_or(0),
            discontinuity: false,
        }
    }

    /// Appends a segment.
    pub(super) fn push(&mut self, recorded: Recorded, row: Vec<Hash>) {
        self.leaves.push(tree::leaf(&recorded.record.encode()));
        if self.leaves.len().is_multiple_of(PAGE_RECORDS as usize) {
            let page = self.leaves.len() - PAGE_RECORDS as usize;
            self.pages
                .push(tree::root(self.leaves.get(page..).unwrap_or_default()));
        }
        self.places.insert(recorded.place.clone(), self.size());
        self.segments.push(recorded);
        self.rows.push_back(row);
    }

    /// Drops the rows that no head will carry any more, once they are in their file.
    pub(super) fn forget_rows(&mut self) {
        let surplus = self.rows.len().saturating_sub(ROWS_HELD);
        self.rows.drain(..surplus);
    }

    /// Leaf hashes of the `count` newest segments. They are held until [`Self::forget_rows`].
    pub(super) fn newest_rows(&self, count: u32) -> Vec<Hash> {
        let rows = self.rows.len().saturating_sub(count as usize);
        self.rows.range(rows..).flatten().copied().collect()
    }

    /// Roots of the full pages from number `from` on.
    pub(super) fn pages(&self, from: usize) -> &[Hash] {
        self.pages.get(from..).unwrap_or_default()
    }

    /// The track as a head states it that carries `carried` records and `with_rows` rows at most.
    pub(super) fn state(&self, carried: u32, with_rows: u32) -> LiveTrack {
        let base = self.size().saturating_sub(carried);
        let newest = self.segments.get(base as usize..).unwrap_or_default();
        let rows = self.rows.len().min(with_rows as usize).min(newest.len());
        let discontinuities = (base..).zip(newest).filter(|(_, segment)| segment.discontinuity);
        LiveTrack {
            id: self.outline.id,
            kind: match self.kind() {
                Kind::Video => TrackKind::Video,
                Kind::Audio => TrackKind::Audio,
                Kind::Text | Kind::Files => TrackKind::Text,
            },
            media_type: self.outline.media_type.clone(),
            timescale: self.outline.timescale,
            bitrate: self.outline.bitrate,
            names: match self.outline.start_number {
                Some(start_number) => Names::Template {
                    pattern: self.outline.name.clone(),
                    start_number,
                },
                None => Names::Single {
                    path: self.outline.name.clone(),
                },
            },
            ranged: self.outline.ranged,
            base,
            frontier: self.frontier(base),
            records: newest.iter().map(|segment| segment.record).collect(),
            rows: self.rows.range(self.rows.len() - rows..).cloned().collect(),
            discontinuities: discontinuities.map(|(index, _)| index).collect(),
            closed: self.closed,
            parts: self.outline.parts_of.map(|of| Parts {
                of,
                parents: self.parents.clone(),
            }),
        }
    }

    /// Position of what was stated at `place`.
    pub(super) fn position(&self, place: &Place) -> Option<u32> {
        self.places.get(place).copied()
    }

    /// Position of the first segment that belongs into a recording of the stream.
    pub(super) fn first_listed(&self) -> usize {
        match (self.outline.parts_of, self.parents.first()) {
            (None, _) => 0,
            (Some(_), Some(parent)) => parent.first as usize,
            (Some(_), None) => self.segments.len(),
        }
    }

    /// How many of the newest records last as long as `window_ms` together, and hold everything from `since` on.
    pub(super) fn window(&self, window_ms: u64, since: u32) -> u32 {
        let timescale = u64::from(self.outline.timescale.max(1));
        let first = self.media_end().saturating_sub(window_ms * timescale / 1000);
        let within = |segment: &&Recorded| segment.record.media_start >= first;
        let recent = self.segments.iter().rev().take_while(within).count();
        u32::try_from(recent)
            .unwrap_or(u32::MAX)
            .max(self.size().saturating_sub(since))
    }

    fn frontier(&self, base: u32) -> Vec<Hash> {
        let (pages, within) = (base / PAGE_RECORDS, base % PAGE_RECORDS);
        let mut whole = RootBuilder::default();
        self.pages
            .iter()
            .take(pages as usize)
            .for_each(|page| whole.push(*page));
        let mut rest = RootBuilder::default();
        let first = (pages * PAGE_RECORDS) as usize;
        let leaves = self
            .leaves
            .get(first..first + within as usize)
            .unwrap_or_default();
        leaves.iter().for_each(|leaf| rest.push(*leaf));
        [whole.peaks(), rest.peaks()].concat()
    }

    fn last_start(&self) -> u64 {
        self.segments.last().map_or(0, |last| last.record.media_start)
    }

    fn media_end(&self) -> u64 {
        self.segments.last().map_or(0, |last| {
            last.record.media_start + u64::from(last.record.duration)
        })
    }

    fn rows_len(&self) -> u64 {
        self.segments.last().map_or(0, |last| {
            last.record.row_offset + u64::from(chunk_count(last.record.length.into())) * Hash::LEN as u64
        })
    }
}

/// Numbers that may be missing between two segments; more of them mean that numbering began anew.
const MAX_GAP: u64 = 256;
/// Rows held in memory: as many as a head can carry records.
const ROWS_HELD: usize = 128;
