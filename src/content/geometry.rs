//! How objects are cut and numbered. Pure arithmetic, usable in constants.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Bytes of one chunk: the leaf of a hash tree and the unit of verification, request and credit.
pub const CHUNK: u32 = 16_384;

/// Longest object, in bytes. Its row of 2,048 hashes is exactly what one peer message can carry.
pub const MAX_OBJECT_LEN: u64 = 32 * 1024 * 1024;

/// Most chunks of one object.
pub const MAX_CHUNKS: u32 = chunk_count(MAX_OBJECT_LEN);

/// Index records (and names) in one page.
pub const PAGE_RECORDS: u32 = 256;

/// Bytes of one index record.
pub const RECORD_LEN: u32 = 64;

/// Bytes of one full index page; the last page of an index is cut to its records.
pub const PAGE: u32 = PAGE_RECORDS * RECORD_LEN;

/// Most segments of one track: three days of two-second segments. Bounds the index held in memory.
pub const MAX_SEGMENTS: u32 = 131_072;

/// Highest number of a track.
pub const MAX_TRACK: u16 = 1023;

/// Chunks of an object of `len` bytes: none for an empty object. Saturates for lengths that no object may have.
#[must_use]
pub const fn chunk_count(len: u64) -> u32 {
    let count = len.div_ceil(CHUNK as u64);
    if count > u32::MAX as u64 {
        u32::MAX
    } else {
        count as u32
    }
}

/// Bytes of chunk number `chunk` of an object of `len` bytes; 0 past its end.
#[must_use]
pub const fn chunk_len(len: u64, chunk: u32) -> u32 {
    let rest = len.saturating_sub(chunk as u64 * CHUNK as u64);
    if rest > CHUNK as u64 { CHUNK } else { rest as u32 }
}

/// Pages of an index of `segments` records.
#[must_use]
pub const fn page_count(segments: u32) -> u32 {
    segments.div_ceil(PAGE_RECORDS)
}

/// Records in page number `page` of an index of `segments` records; 0 past its end.
#[must_use]
pub const fn page_records(segments: u32, page: u32) -> u32 {
    let rest = segments.saturating_sub(page.saturating_mul(PAGE_RECORDS));
    if rest > PAGE_RECORDS { PAGE_RECORDS } else { rest }
}

/// Number of a track in one content. 0 stands for the manifest's asset list, media and files are 1 to [`MAX_TRACK`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u16);

impl TrackId {
    /// The manifest's asset list.
    pub const ASSETS: Self = Self(0);
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One object of a content: a segment of a track, or an asset (track 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// The track.
    pub track: TrackId,
    /// Position in the track, or in the asset list; from 0.
    pub index: u32,
}

impl ObjectId {
    /// The object at `index` of track number `track`.
    #[must_use]
    pub const fn new(track: TrackId, index: u32) -> Self {
        Self { track, index }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.track, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_lengths_meet_at_every_boundary() {
        for (len, count, last) in [
            (0, 0, 0),
            (1, 1, 1),
            (16_383, 1, 16_383),
            (16_384, 1, 16_384),
            (16_385, 2, 1),
            (MAX_OBJECT_LEN, 2048, CHUNK),
        ] {
            assert_eq!(chunk_count(len), count, "{len}");
            assert_eq!(chunk_len(len, count.saturating_sub(1)), last, "{len}");
            assert_eq!(chunk_len(len, count), 0, "{len}");
        }
        assert_eq!(chunk_count(u64::MAX), u32::MAX);
        assert_eq!((page_count(0), page_count(256), page_count(257)), (0, 1, 2));
        assert_eq!(
            (page_records(257, 0), page_records(257, 1), page_records(257, 2)),
            (256, 1, 0)
        );
    }
}
