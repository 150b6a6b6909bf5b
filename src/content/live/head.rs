//! Live heads: what the newest segments of a live content are.

use alloc::string::String;
use alloc::vec::Vec;

use super::{HeadError, codec, rules};
use crate::content::cose::{self, Role};
use crate::content::tree::{self, RootBuilder};
use crate::content::{Asset, ContentId, Hash, Names, Record, SecretKey, TrackId, TrackKind};

/// Largest sealed head in bytes: it has to fit one message between peers.
pub const MAX_HEAD: usize = 16_384;
/// Most tracks of a live content.
pub const MAX_LIVE_TRACKS: usize = 64;
/// Most assets of a live content.
pub const MAX_LIVE_ASSETS: usize = 128;
/// Most playlists and MPDs of a live content.
pub const MAX_DOCUMENTS: usize = 64;
/// Most versions of one document that a head vouches for: what caches may still serve.
pub const MAX_DIGESTS: usize = 8;

/// What a session's key states about a content at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveHead {
    /// The content.
    pub content_id: ContentId,
    /// Number of the session whose key signs.
    pub session: u64,
    /// Number of the session with which the logs began. Another number means other logs.
    pub log: u64,
    /// Goes up with every head of these logs, not always by one.
    pub sequence: u64,
    /// Unix time in milliseconds.
    pub issued_ms: u64,
    /// The longest that a segment may last, in milliseconds: the unit of all patience.
    pub target_ms: u32,
    /// Tracks in ascending order of their numbers.
    pub tracks: Vec<LiveTrack>,
    /// Headers and whatever else does not change while the stream runs.
    pub assets: Vec<Asset>,
    /// Playlists and MPDs, which do.
    pub documents: Vec<Document>,
    /// Nothing will follow.
    pub end: bool,
}

impl LiveHead {
    /// The payload: deterministic CBOR with integer keys.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::write(self)
    }

    /// Reads a payload and checks every rule that a head alone can break. `significant_query` is the manifest's.
    ///
    /// # Errors
    /// [`HeadError`] says which rule is broken.
    pub fn decode(payload: &[u8], significant_query: &[String]) -> Result<Self, HeadError> {
        codec::check(payload)?;
        let head = codec::read(payload)?;
        rules::check(&head, significant_query)?;
        Ok(head)
    }

    /// The sealed head: a COSE_Sign1 object in the role `live`, by the session's key.
    ///
    /// # Errors
    /// [`HeadError`] when the head breaks a rule, so that no one could verify it.
    pub fn sign(&self, session: &SecretKey, significant_query: &[String]) -> Result<Vec<u8>, HeadError> {
        rules::check(self, significant_query)?;
        let sealed = cose::sign1(Role::Live, session, &self.encode()).map_err(|_| HeadError::TooLarge)?;
        if sealed.len() > MAX_HEAD {
            return Err(HeadError::TooLarge);
        }
        Ok(sealed)
    }

    /// The track with this number.
    #[must_use]
    pub fn track(&self, id: TrackId) -> Option<&LiveTrack> {
        self.tracks
            .binary_search_by_key(&id, |track| track.id)
            .ok()
            .and_then(|at| self.tracks.get(at))
    }
}

/// One track as a head states it: how it is named, and the end of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTrack {
    /// Its number.
    pub id: TrackId,
    /// What it holds.
    pub kind: TrackKind,
    /// Media type of its segments.
    pub media_type: String,
    /// Ticks per second of durations and media starts.
    pub timescale: u32,
    /// Bits per second, if the packaging states it.
    pub bitrate: Option<u64>,
    /// How its segments are named: a template or a single resource, never a table.
    pub names: Names,
    /// Whether segments are byte ranges of their resources rather than whole resources.
    pub ranged: bool,
    /// Records of the log before the carried ones.
    pub base: u32,
    /// Roots of the complete subtrees over those, largest first.
    pub frontier: Vec<Hash>,
    /// The newest records, to the end of the log. A record of length 0 is a gap: there never is such a segment.
    pub records: Vec<Record>,
    /// Leaf hashes of the newest of these, to the end of the log.
    pub rows: Vec<Vec<Hash>>,
    /// Positions in the log, from `base` on, before which the media is discontinuous.
    pub discontinuities: Vec<u32>,
    /// The log will not grow any more, although others may.
    pub closed: bool,
    /// Set if the segments of this track are parts of another track's segments.
    pub parts: Option<Parts>,
}

impl LiveTrack {
    /// Records in the log.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.base
            .saturating_add(u32::try_from(self.records.len()).unwrap_or(u32::MAX))
    }

    /// Root of the log: the RFC 9162 tree over all records.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.grown(self.records.len())
    }

    /// Root of the log when it had `size` records; `None` unless these records tell.
    #[must_use]
    pub fn root_at(&self, size: u32) -> Option<Hash> {
        let carried = size.checked_sub(self.base)? as usize;
        (carried <= self.records.len()).then(|| self.grown(carried))
    }

    /// The record at this position of the log, if it is carried.
    #[must_use]
    pub fn record(&self, index: u32) -> Option<&Record> {
        self.records.get(index.checked_sub(self.base)? as usize)
    }

    /// The row of the segment at this position of the log, if it is carried.
    #[must_use]
    pub fn row(&self, index: u32) -> Option<&[Hash]> {
        let first = self.size().checked_sub(u32::try_from(self.rows.len()).ok()?)?;
        self.rows
            .get(index.checked_sub(first)? as usize)
            .map(Vec::as_slice)
    }

    /// Where the newest segment ends, in ticks.
    #[must_use]
    pub fn media_end(&self) -> Option<u64> {
        self.records
            .last()
            .map(|record| record.media_start + u64::from(record.duration))
    }

    /// Roots of the complete subtrees over the whole log, largest first.
    pub(super) fn peaks(&self) -> Vec<Hash> {
        self.grow(self.records.len()).peaks().to_vec()
    }

    fn grown(&self, carried: usize) -> Hash {
        self.grow(carried).finish()
    }

    fn grow(&self, carried: usize) -> RootBuilder {
        // The rules have compared the number of peaks with the base.
        let mut log = RootBuilder::from_peaks(u64::from(self.base), &self.frontier).unwrap_or_default();
        for record in self.records.iter().take(carried) {
            log.push(tree::leaf(&record.encode()));
        }
        log
    }
}

/// Which segments of another track the segments of this one make up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The other track.
    pub of: TrackId,
    /// The newest ones, in order and without a gap; the last one may still be growing.
    pub parents: Vec<Parent>,
}

/// One segment and its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Position in the other track; its size if the segment is not complete.
    pub segment: u32,
    /// Position of its first part in this track.
    pub first: u32,
    /// How many parts there are so far.
    pub count: u32,
}

/// A playlist or MPD that changes while the stream runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Normalised path relative to the content's base.
    pub path: String,
    /// What a page may take it for.
    pub media_type: String,
    /// SHA-256 of the versions that this head vouches for, newest first.
    pub digests: Vec<Hash>,
}
