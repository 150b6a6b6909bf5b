//! Token buckets in whole numbers.

use serde::{Deserialize, Serialize};
use swarmseal::swarm::Timestamp;

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// At once, after a rest.
    pub burst: u32,
    /// In the long run.
    pub per_minute: u32,
}

/// What is left of a [`Rate`] for one connection, peer or prefix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    rate: Rate,
    /// A token is worth [`TOKEN`] of these, so that `per_minute` of them are earned each microsecond.
    grains: u64,
    at: Timestamp,
}

impl Bucket {
    pub(super) fn full(rate: Rate, now: Timestamp) -> Self {
        Self {
            rate,
            grains: capacity(rate),
            at: now,
        }
    }

    /// Takes one token.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<(), RetryAfter> {
        self.refill(now);
        match self.grains.checked_sub(TOKEN) {
            Some(left) => {
                self.grains = left;
                Ok(())
            }
            None => {
                let wait_us = (TOKEN - self.grains).div_ceil(u64::from(self.rate.per_minute.max(1)));
                Err(RetryAfter(
                    u32::try_from(wait_us.div_ceil(1_000_000)).unwrap_or(u32::MAX),
                ))
            }
        }
    }

    /// Whether nothing has been taken for so long that there is nothing to remember.
    pub(super) fn is_full(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        self.grains >= capacity(self.rate)
    }

    fn refill(&mut self, now: Timestamp) {
        let earned = now.since(self.at).saturating_mul(u64::from(self.rate.per_minute));
        self.grains = self.grains.saturating_add(earned).min(capacity(self.rate));
        self.at = self.at.max(now);
    }
}

/// Seconds until the next token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RetryAfter(pub(super) u32);

fn capacity(rate: Rate) -> u64 {
    u64::from(rate.burst).saturating_mul(TOKEN)
}

/// Microseconds in a minute.
const TOKEN: u64 = 60_000_000;

#[cfg(test)]
mod tests {
    use super::{Bucket, Rate, RetryAfter, Timestamp};

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::full(
            Rate {
                burst: 2,
                per_minute: 3,
            },
            Timestamp(0),
        );
        assert_eq!(bucket.take(Timestamp(0)), Ok(()));
        assert_eq!(bucket.take(Timestamp(0)), Ok(()));
        assert_eq!(bucket.take(Timestamp(0)), Err(RetryAfter(20)));
        assert_eq!(bucket.take(Timestamp(19_999_999)), Err(RetryAfter(1)));
        assert_eq!(bucket.take(Timestamp(20_000_000)), Ok(()));
        assert!(!bucket.is_full(Timestamp(59_999_999)));
        assert!(bucket.is_full(Timestamp(60_000_000)));
    }

    #[test]
    fn frequent_looks_earn_as_much_as_rare_ones() {
        let mut bucket = Bucket::full(
            Rate {
                burst: 1,
                per_minute: 7,
            },
            Timestamp(0),
        );
        assert_eq!(bucket.take(Timestamp(0)), Ok(()));
        let mut taken = 0;
        for us in (0..=60_000_000).step_by(1_001) {
            taken += u32::from(bucket.take(Timestamp(us)).is_ok());
        }
        assert_eq!(taken, 6, "the seventh is a millisecond away");
    }
}
