//! What the tracker knows of a content beyond its swarm: root and length of each segment, from manifest and index. No
//! byte of the media is here.

use std::collections::BTreeMap;

use swarmseal::content::{Catalog, Hash, ObjectId, TrackId, tree};
use swarmseal::signal::{Pick, TrackRanges};
use swarmseal::wire::Range;

/// Roots of all segments of one version of a content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    tracks: BTreeMap<TrackId, Vec<Segment>>,
    /// Nobody announces them, but they are passed on like segments.
    assets: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    root: Hash,
    /// Chunks of the track up to the end of this segment.
    end: u32,
}

impl Roots {
    /// What `catalog` has verified: each track as far as its index is known without a gap from its first segment on.
    pub fn of(catalog: &Catalog) -> Self {
        let known = |track, segments| {
            let mut end: u32 = 0;
            let known = (0..segments).map_while(|index| {
                let info = catalog.object(ObjectId::new(track, index))?;
                end = end.saturating_add(info.chunks);
                Some(Segment { root: info.root, end })
            });
            known.collect()
        };
        let tracks = catalog.tracks();
        Self {
            tracks: tracks
                .map(|track| (track.id, known(track.id, track.segments)))
                .collect(),
            assets: known(TrackId::ASSETS, u32::MAX),
        }
    }

    /// Segments that are known, in all tracks.
    pub fn segments(&self) -> usize {
        self.tracks.values().map(Vec::len).sum()
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
            let segments = self.tracks.get(&track)?;
            let index = segments.partition_point(|segment| segment.end <= at);
            let begin = index
                .checked_sub(1)
                .and_then(|before| segments.get(before))
                .map_or(0, |before| before.end);
            return Some(Pick {
                object: ObjectId::new(track, u32::try_from(index).ok()?),
                chunk: at.checked_sub(begin)?,
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
        let segments = match object.track {
            TrackId::ASSETS => &self.assets,
            track => self.tracks.get(&track)?,
        };
        let index = object.index as usize;
        let segment = segments.get(index)?;
        let begin = index
            .checked_sub(1)
            .and_then(|before| segments.get(before))
            .map_or(0, |before| before.end);
        Some((segment, segment.end.saturating_sub(begin)))
    }

    /// Track, first chunk in the track and number of chunks of each announced range, as far as it is known.
    fn known<'a>(&'a self, announced: &'a [TrackRanges]) -> impl Iterator<Item = (TrackId, u32, u32)> + 'a {
        announced.iter().flat_map(move |track| {
            let segments = self.tracks.get(&track.track).map_or(&[][..], Vec::as_slice);
            let before = move |index: u32| {
                (index as usize)
                    .min(segments.len())
                    .checked_sub(1)
                    .and_then(|last| segments.get(last))
                    .map_or(0, |last| last.end)
            };
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
