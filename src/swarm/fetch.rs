//! HTTP requests under way, and what is known of the HTTP source's speed.

use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "live")]
use super::DemandId;
use super::Timestamp;
use super::rate::transfer_us;
use crate::content::{CHUNK, Hash, ObjectId, Sheet};

/// Time to the first byte before one was measured.
const ASSUMED_TTFB_US: u64 = 150_000;
/// A request that brings nothing is given this long at least.
const MIN_STALL_US: u64 = 3_000_000;
/// Rate before one was measured: a title that plays at all needs about this much.
const ASSUMED_RATE: u64 = 500_000;
/// Bytes behind the first piece that tell a rate.
const MIN_RATED: u64 = 2 * CHUNK as u64;

/// What a request fetches.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Chunks of an object.
    Object {
        object: ObjectId,
        first: u32,
        count: u32,
        /// Pieces that came.
        pieces: u32,
        /// Leaf hashes of pieces that came while the row was unknown, from piece 0.
        leaves: Vec<Hash>,
        /// The first chunk that did not verify.
        bad: Option<u32>,
        /// Whether we told the owner to abort.
        aborted: bool,
    },
    /// A sheet.
    Sheet(Sheet),
    /// The newest live head.
    #[cfg(feature = "live")]
    Head,
    /// The session that a live head names.
    #[cfg(feature = "live")]
    Session,
    /// A playlist or MPD of a live content.
    #[cfg(feature = "live")]
    Document(DemandId),
}

impl What {
    /// Whether its time is the network's and the origin's. A playlist may be held until there is something new in it.
    pub(super) const fn tells_speed(&self) -> bool {
        #[cfg(feature = "live")]
        if let Self::Document(_) = self {
            return false;
        }
        true
    }
}

/// An HTTP request under way.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) what: What,
    pub(super) path: String,
    pub(super) started_at: Timestamp,
    pub(super) first_byte_at: Option<Timestamp>,
    pub(super) bytes: u64,
    /// When a piece came last.
    pub(super) progress_at: Timestamp,
    /// Bytes that were asked for.
    pub(super) len: u64,
}

impl Fetch {
    /// When it counts as stalled unless a piece comes.
    pub(super) fn stalls_at(&self, http: &HttpMeter) -> Timestamp {
        self.progress_at + http.expect_us(self.len).saturating_mul(3).max(MIN_STALL_US)
    }
}

/// What HTTP does here, as measured.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpMeter {
    ttfb_us: u64,
    rate: u64,
}

impl HttpMeter {
    /// A request is over that brought `bytes`.
    pub(super) fn sample(&mut self, fetch: &Fetch, now: Timestamp) {
        let Some(first_byte_at) = fetch.first_byte_at else {
            return;
        };
        let ttfb = first_byte_at.since(fetch.started_at).max(1);
        self.ttfb_us = if self.ttfb_us == 0 {
            ttfb
        } else {
            (self.ttfb_us * 3 + ttfb) / 4
        };
        // The first piece comes with the first byte: what follows tells the rate, if it is some pieces.
        let followed = fetch.bytes.saturating_sub(CHUNK.into());
        if followed >= MIN_RATED {
            let sample = followed.saturating_mul(1_000_000) / now.since(first_byte_at).max(1_000);
            self.rate = if self.rate == 0 {
                sample
            } else {
                (self.rate.saturating_mul(3).saturating_add(sample)) / 4
            };
        }
    }

    /// Bytes per second; 0 while unknown.
    pub(super) const fn rate(&self) -> u64 {
        self.rate
    }

    /// Time that a request for `bytes` is expected to take, microseconds.
    pub(super) const fn expect_us(&self, bytes: u64) -> u64 {
        let ttfb = if self.ttfb_us == 0 {
            ASSUMED_TTFB_US
        } else {
            self.ttfb_us
        };
        let rate = if self.rate == 0 { ASSUMED_RATE } else { self.rate };
        ttfb.saturating_add(transfer_us(bytes, rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched(pieces: u64, first_byte_us: u64, us_per_piece: u64) -> (Fetch, Timestamp) {
        let bytes = pieces * u64::from(CHUNK);
        let first_byte_at = Timestamp(first_byte_us);
        let fetch = Fetch {
            what: What::Sheet(Sheet::IndexHead(crate::content::TrackId(1))),
            path: String::new(),
            started_at: Timestamp(0),
            first_byte_at: Some(first_byte_at),
            bytes,
            progress_at: first_byte_at,
            len: bytes,
        };
        (fetch, first_byte_at + (pieces - 1) * us_per_piece)
    }

    #[test]
    fn what_a_request_waits_for_says_nothing_of_the_rate() {
        let mut meter = HttpMeter::default();
        // A piece each 8,192 us is 2,000,000 bytes a second.
        let (large, end) = fetched(20, 300_000, 8_192);
        meter.sample(&large, end);
        assert_eq!(meter.rate(), 2_000_000);
        for _ in 0..20 {
            let (small, end) = fetched(1, 300_000, 0);
            meter.sample(&small, end);
        }
        assert_eq!(meter.rate(), 2_000_000);
        assert_eq!(meter.expect_us(1_000_000), 800_000);
    }
}
