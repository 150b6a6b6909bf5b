//! One object that is wanted or held: in what state each of its chunks is.

use alloc::vec;
use alloc::vec::Vec;

use super::ranges::RangeSet;
use super::{FetchId, HttpReason, PeerId, Timestamp};
use crate::content::{ObjectInfo, chunk_len};

/// Who was asked for a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A peer, under this request number.
    Peer(PeerId, u32),
    /// An HTTP request.
    Http(FetchId),
}

/// A chunk is in exactly one of these states. Evicted is missing again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    Missing,
    Requested { first: By, hedge: Option<By> },
    Verified,
}

/// An object that is wanted, arriving or held.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) info: ObjectInfo,
    /// Empty once the object is complete: then every chunk is verified.
    chunks: Vec<Chunk>,
    verified: u32,
    /// Since when it is wanted.
    pub(super) wanted_at: Timestamp,
    /// Last time that the player or a peer asked for it.
    pub(super) used_at: Timestamp,
    pub(super) from_peers: u64,
    pub(super) from_http: u64,
    pub(super) http_reason: Option<HttpReason>,
    pub(super) http_attempts: u32,
    pub(super) retry_at: Option<Timestamp>,
    /// HTTP answers that did not verify.
    pub(super) corrupt_answers: u32,
    /// When peers were first asked.
    pub(super) asked_peers_at: Option<Timestamp>,
    pub(super) progress_at: Option<Timestamp>,
    pub(super) first_byte_at: Option<Timestamp>,
    pub(super) done_at: Option<Timestamp>,
    active_since: Option<Timestamp>,
    active_us: u64,
    in_flight: u32,
    /// Where peers are asked to go on from; none was asked yet if no chunk is there.
    pub(super) cursor: u32,
    /// Chunks verified since peers were last told.
    pub(super) news: RangeSet,
    /// Until then, each neighbour is told of other chunks.
    pub(super) deal_until: Option<Timestamp>,
    /// Chunks that were sent meanwhile.
    pub(super) dealt: RangeSet,
}

impl Object {
    pub(super) fn new(info: ObjectInfo, now: Timestamp) -> Self {
        Self {
            chunks: vec![Chunk::Missing; info.chunks as usize],
            info,
            verified: 0,
            wanted_at: now,
            used_at: now,
            from_peers: 0,
            from_http: 0,
            http_reason: None,
            http_attempts: 0,
            retry_at: None,
            corrupt_answers: 0,
            asked_peers_at: None,
            progress_at: None,
            first_byte_at: None,
            done_at: None,
            active_since: None,
            active_us: 0,
            in_flight: 0,
            cursor: u32::MAX,
            news: RangeSet::default(),
            deal_until: None,
            dealt: RangeSet::default(),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.verified >= self.info.chunks
    }

    pub(super) const fn verified_chunks(&self) -> u32 {
        self.verified
    }

    /// Bytes held.
    pub(super) fn held_bytes(&self) -> u64 {
        if self.is_complete() {
            return self.info.length;
        }
        (0..self.info.chunks)
            .filter(|&c| self.has(c))
            .map(|c| u64::from(self.chunk_len(c)))
            .sum()
    }

    pub(super) fn chunk_len(&self, chunk: u32) -> u32 {
        chunk_len(self.info.length, chunk)
    }

    pub(super) fn state(&self, chunk: u32) -> Option<Chunk> {
        if self.is_complete() {
            return (chunk < self.info.chunks).then_some(Chunk::Verified);
        }
        self.chunks.get(chunk as usize).copied()
    }

    pub(super) fn has(&self, chunk: u32) -> bool {
        self.state(chunk) == Some(Chunk::Verified)
    }

    pub(super) fn has_all(&self, first: u32, count: u32) -> bool {
        (first..first.saturating_add(count)).all(|c| self.has(c))
    }

    /// Chunks held.
    pub(super) fn held_chunks(&self) -> RangeSet {
        let mut held = RangeSet::default();
        (0..self.info.chunks)
            .filter(|&chunk| self.has(chunk))
            .for_each(|chunk| held.insert(chunk, 1));
        held
    }

    /// Bytes of chunks that are not verified.
    pub(super) fn missing_bytes(&self) -> u64 {
        self.info.length.saturating_sub(self.held_bytes())
    }

    /// Chunks that nobody was asked for.
    pub(super) fn unasked(&self, first: u32, count: u32) -> impl Iterator<Item = u32> + '_ {
        (first..first.saturating_add(count)).filter(|&c| self.state(c) == Some(Chunk::Missing))
    }

    /// `count` slices from `slice` on of `slices` that are as long as each other: first chunk and number of chunks.
    pub(super) const fn part(&self, slice: u32, count: u32, slices: u32) -> (u32, u32) {
        let first = slice * self.info.chunks / slices;
        (first, (slice + count) * self.info.chunks / slices - first)
    }

    /// Of so many slices, the one that a chunk is in.
    pub(super) fn slice_with(&self, chunk: u32, slices: u32) -> u32 {
        ((chunk + 1) * slices - 1) / self.info.chunks.max(1)
    }

    /// Bytes of chunks that nobody was asked for.
    pub(super) fn unasked_bytes(&self, first: u32, count: u32) -> u64 {
        self.unasked(first, count)
            .map(|chunk| u64::from(self.chunk_len(chunk)))
            .sum()
    }

    /// The first run of chunks, in this part, that nobody was asked for.
    pub(super) fn unasked_gap(&self, first: u32, count: u32) -> Option<(u32, u32)> {
        let count = count.min(self.info.chunks.saturating_sub(first));
        run(self.unasked(first, count))
    }

    /// The first run of chunks, in this part, that are not verified.
    pub(super) fn gap(&self, first: u32, count: u32) -> Option<(u32, u32)> {
        let end = first.saturating_add(count).min(self.info.chunks);
        run((first..end).filter(|&c| !self.has(c)))
    }

    /// Notes that `by` was asked for `chunk`: as first, or as the one hedge. False if neither is free.
    pub(super) fn request(&mut self, chunk: u32, by: By, now: Timestamp) -> bool {
        let Some(state) = self.chunks.get_mut(chunk as usize) else {
            return false;
        };
        *state = match *state {
            Chunk::Missing => Chunk::Requested {
                first: by,
                hedge: None,
            },
            Chunk::Requested { first, hedge: None } if first != by => Chunk::Requested {
                first,
                hedge: Some(by),
            },
            _ => return false,
        };
        self.in_flight += 1;
        self.active_since.get_or_insert(now);
        true
    }

    /// Notes that `by` will not deliver `chunk`.
    pub(super) fn release(&mut self, chunk: u32, by: By, now: Timestamp) {
        let Some(state) = self.chunks.get_mut(chunk as usize) else {
            return;
        };
        *state = match *state {
            Chunk::Requested {
                first,
                hedge: Some(hedge),
            } if first == by => Chunk::Requested {
                first: hedge,
                hedge: None,
            },
            Chunk::Requested {
                first,
                hedge: Some(hedge),
            } if hedge == by => Chunk::Requested { first, hedge: None },
            Chunk::Requested { first, hedge: None } if first == by => Chunk::Missing,
            _ => return,
        };
        self.flown(1, now);
    }

    /// Notes that `chunk` is verified, and says who else was asked for it and is not needed any more.
    pub(super) fn verify(&mut self, chunk: u32, now: Timestamp) -> Option<[Option<By>; 2]> {
        let state = self.chunks.get_mut(chunk as usize)?;
        let others = match *state {
            Chunk::Verified => return None,
            Chunk::Missing => [None, None],
            Chunk::Requested { first, hedge } => [Some(first), hedge],
        };
        *state = Chunk::Verified;
        self.verified += 1;
        self.flown(others.iter().flatten().count() as u32, now);
        self.progress_at = Some(now);
        self.first_byte_at.get_or_insert(now);
        self.news.insert(chunk, 1);
        if self.is_complete() {
            self.chunks = Vec::new();
            self.done_at = Some(now);
        }
        Some(others)
    }

    fn flown(&mut self, count: u32, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(count);
        if self.in_flight == 0
            && let Some(since) = self.active_since.take()
        {
            self.active_us = self.active_us.saturating_add(now.since(since));
        }
    }

    /// Time in which something was on its way, microseconds.
    pub(super) fn transfer_us(&self, now: Timestamp) -> u64 {
        self.active_us
            .saturating_add(self.active_since.map_or(0, |since| now.since(since)))
    }

    /// Chunks that somebody was asked for and that have not come, hedges counted apart.
    pub(super) const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Whether anybody was asked for anything that has not come.
    pub(super) const fn is_in_flight(&self) -> bool {
        self.in_flight > 0
    }
}

/// First and last of the first run in `open`, across what is not worth a request of its own.
fn run(mut open: impl Iterator<Item = u32>) -> Option<(u32, u32)> {
    let from = open.next()?;
    let mut to = from;
    for chunk in open {
        if chunk > to + HOLE {
            break;
        }
        to = chunk;
    }
    Some((from, to))
}

/// Chunks that are fetched again rather than asking twice.
const HOLE: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Hash;

    fn object(chunks: u32) -> Object {
        let info = ObjectInfo {
            length: u64::from(chunks) * 16_384,
            chunks,
            root: Hash([0; 32]),
            start_us: 0,
            duration_us: 0,
        };
        Object::new(info, Timestamp(0))
    }

    #[test]
    fn a_chunk_has_at_most_one_hedge() {
        let mut object = object(2);
        let (a, b) = (By::Peer(PeerId(1), 1), By::Peer(PeerId(2), 1));
        assert!(object.request(0, a, Timestamp(0)));
        assert!(!object.request(0, a, Timestamp(0)), "the same source twice");
        assert!(object.request(0, b, Timestamp(0)));
        assert!(
            !object.request(0, By::Http(FetchId(1)), Timestamp(0)),
            "a second hedge"
        );
        object.release(0, a, Timestamp(5));
        assert_eq!(
            object.state(0),
            Some(Chunk::Requested {
                first: b,
                hedge: None
            })
        );
        assert_eq!(object.verify(0, Timestamp(9)), Some([Some(b), None]));
        assert_eq!(object.verify(0, Timestamp(9)), None, "verified once");
        assert!(!object.is_in_flight());
        assert_eq!(object.transfer_us(Timestamp(100)), 9);
    }

    #[test]
    fn each_chunk_is_in_one_slice() {
        for chunks in 8..70 {
            let object = object(chunks);
            for slice in 0..8 {
                let (first, count) = object.part(slice, 1, 8);
                for chunk in first..first + count {
                    assert_eq!(object.slice_with(chunk, 8), slice, "chunk {chunk} of {chunks}");
                }
            }
        }
    }

    #[test]
    fn the_gap_spans_what_is_not_verified() {
        let mut object = object(6);
        for chunk in [0, 2, 5] {
            object.verify(chunk, Timestamp(0));
        }
        assert_eq!(object.gap(0, 6), Some((1, 4)));
        assert_eq!(object.gap(0, 1), None);
        assert_eq!(object.gap(2, 2), Some((3, 3)));
        assert_eq!(object.held_bytes(), 3 * 16_384);
    }
}
