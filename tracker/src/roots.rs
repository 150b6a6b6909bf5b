//! What the tracker knows of a content beyond its swarm: root and length of each segment, from manifest and index, or from
//! the heads of a live content. No byte of the media is here.

use std::collections::BTreeMap;

use swarmseal::content::{Catalog, Hash, ObjectId, Record, TrackId, chunk_count, tree};
use swarmseal::signal::{Pick, TrackRanges};
use swarmseal::wire::Range;

/// Roots of all segments of one version of a content, or of the newest ones of a live content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    tracks: BTreeMap<TrackId, Log>,
    /// Nobody announces them, but they are passed on like segments.
    assets: Log,
}

/// Segments that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Log {
    /// Position of the first one; those before are not known.
    first: u32,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    root: Hash,
    /// Chunks from the first known segment of the track to the end of this one.
    end: u32,
}

impl Log {
    /// Of root and number of chunks of each.
    fn new(first: u32, segments: impl Iterator<Item = (Hash, u32)>) -> Self {
        let mut end: u32 = 0;
        let known = segments.map(|(root, chunks)| {
            end = end.saturating_add(chunks);
            Segment { root, end }
        });
        Self {
            first,
            segments: known.collect(),
        }
    }

    fn get(&self, index: u32) -> Option<&Segment> {
        self.segments.get(index.checked_sub(self.first)? as usize)
    }

    /// Chunks that are known before this segment.
    fn before(&self, index: u32) -> u32 {
        (index.saturating_sub(self.first) as usize)
            .min(self.segments.len())
            .checked_sub(1)
            .and_then(|last| self.segments.get(last))
            .map_or(0, |last| last.end)
    }

    /// The segment in which this chunk lies.
    fn at(&self, chunk: u32) -> Option<u32> {
        let place = self.segments.partition_point(|segment| segment.end <= chunk);
        self.first.checked_add(u32::try_from(place).ok()?)
    }
}

impl Roots {
    /// What `catalog` has verified: each track as far as its index is known without a gap from its first segment on.
    pub fn of(catalog: &Catalog) -> Self {
        let known = |track, segments| {
            let known = (0..segments).map_while(|index| {
                let info = catalog.object(ObjectId::new(track, index))?;
                Some((info.root, info.chunks))
            });
            Log::new(0, known)
        };
        let tracks = catalog.tracks();
        Self {
            tracks: tracks
                .map(|track| (track.id, known(track.id, track.segments)))
                .collect(),
            assets: known(TrackId::ASSETS, u32::MAX),
        }
    }

    /// What the heads of a live content have stated: of each track records that follow each other, and the position of the
    /// first of them.
    pub fn of_logs<'a>(logs: impl Iterator<Item = (TrackId, u32, &'a [Record])>) -> Self {
        let known = |record: &Record| (record.root, chunk_count(record.length.into()));
        Self {
            tracks: logs
                .map(|(track, first, records)| (track, Log::new(first, records.iter().map(known))))
                .collect(),
            assets: Log::default(),
        }
    }

    /// Segments that are known, in all tracks.
    pub fn segments(&self) -> usize {
        self.tracks.values().map(|log| log.segments.len()).sum()
    }

    /// Chunks of what is announced, as far as it is known.
    pub(super) fn chunks(&self, announced: &[TrackRanges]) -> u64 {
        self.known(announced)
            .map(|(_, _, chunks)| u64::from(chunks))
            .sum()
    }

    /// Chunks of what is announced and was not before.
    pub(super) fn news(&self, announced: &[TrackRanges], before: &[TrackRanges]) -> u64 {
        let of_track = |id| before.iter().filter(move |track| track.track == id);
        let held: Vec<TrackRanges> = announced
            .iter()
            .flat_map(|track| of_track(track.track).map(|old| overlap(track, old)))
            .collect();
        self.chunks(announced).saturating_sub(self.chunks(&held))
    }

    /// Chunk number `place` of all that [`Self::chunks`] counts.
    pub(super) fn pick(&self, announced: &[TrackRanges], place: u64) -> Option<Pick> {
        let mut place = place;
        for (track, start, chunks) in self.known(announced) {
            let Ok(within) = u32::try_from(place)
                .map_err(|_| ())
                .and_then(|at| if at < chunks { Ok(at) } else { Err(()) })
            else {
                place = place.checked_sub(u64::from(chunks))?;
                continue;
            };
            let at = start.checked_add(within)?;
            let log = self.tracks.get(&track)?;
            let index = log.at(at)?;
            return Some(Pick {
                object: ObjectId::new(track, index),
                chunk: at.checked_sub(log.before(index))?,
            });
        }
        None
    }

    /// Whether `leaf` is the leaf hash of this chunk.
    pub(super) fn has(&self, pick: Pick, leaf: &Hash, path: &[Hash]) -> bool {
        let Some((segment, chunks)) = self.segment(pick.object) else {
            return false;
        };
        pick.chunk < chunks
            && tree::verify_path(leaf, pick.chunk as usize, chunks as usize, path, &segment.root)
    }

    /// Chunks of a segment; `None` if it is not known.
    pub(super) fn chunks_of(&self, object: ObjectId) -> Option<u32> {
        self.segment(object).map(|(_, chunks)| chunks)
    }

    /// The root of a segment; `None` if it is not known.
    pub(super) fn root_of(&self, object: ObjectId) -> Option<Hash> {
        self.segment(object).map(|(segment, _)| segment.root)
    }

    fn segment(&self, object: ObjectId) -> Option<(&Segment, u32)> {
        let log = match object.track {
            TrackId::ASSETS => &self.assets,
            track => self.tracks.get(&track)?,
        };
        let segment = log.get(object.index)?;
        Some((segment, segment.end.saturating_sub(log.before(object.index))))
    }

    /// Track, first chunk in the track and number of chunks of each announced range, as far as it is known.
    fn known<'a>(&'a self, announced: &'a [TrackRanges]) -> impl Iterator<Item = (TrackId, u32, u32)> + 'a {
        announced.iter().flat_map(move |track| {
            let log = self.tracks.get(&track.track);
            let before = move |index| log.map_or(0, |log| log.before(index));
            track.ranges.iter().map(move |range| {
                let start = before(range.first);
                let end = before(range.first.saturating_add(range.count));
                (track.track, start, end.saturating_sub(start))
            })
        })
    }
}

/// Whether a segment is announced.
pub(super) fn covers(announced: &[TrackRanges], object: ObjectId) -> bool {
    announced
        .iter()
        .filter(|track| track.track == object.track)
        .flat_map(|track| &track.ranges)
        .any(|range| {
            object
                .index
                .checked_sub(range.first)
                .is_some_and(|at| at < range.count)
        })
}

/// What both name; at most 31 ranges, as both are sorted.
fn overlap(one: &TrackRanges, other: &TrackRanges) -> TrackRanges {
    let mut ranges = Vec::new();
    for a in &one.ranges {
        for b in &other.ranges {
            let first = a.first.max(b.first);
            let end = a
                .first
                .saturating_add(a.count)
                .min(b.first.saturating_add(b.count));
            if let Some(count) = end.checked_sub(first).filter(|count| *count > 0) {
                ranges.push(Range { first, count });
            }
        }
    }
    TrackRanges {
        track: one.track,
        ranges,
    }
}
