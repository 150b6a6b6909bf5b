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
    capacity: u64,
    /// Earned each microsecond.
    grains_per_us: u64,
    /// What a token is worth in grains: the microseconds of the period in which so many tokens are earned.
    token: u64,
    grains: u64,
    at: Timestamp,
}

impl Bucket {
    pub(super) fn full(rate: Rate, now: Timestamp) -> Self {
        Self::of(rate.burst, rate.per_minute, MINUTE_US, now)
    }

    /// `burst` at once after a rest, `per_hour` in the long run.
    pub(super) fn hourly(burst: u32, per_hour: u32, now: Timestamp) -> Self {
        Self::of(burst, per_hour, 60 * MINUTE_US, now)
    }

    fn of(burst: u32, per_period: u32, period_us: u64, now: Timestamp) -> Self {
        let capacity = u64::from(burst).saturating_mul(period_us);
        Self {
            capacity,
            grains_per_us: u64::from(per_period),
            token: period_us,
            grains: capacity,
            at: now,
        }
    }

    /// Takes one token.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<(), RetryAfter> {
        self.refill(now);
        match self.grains.checked_sub(self.token) {
            Some(left) => {
                self.grains = left;
                Ok(())
            }
            None => {
                let wait_us = (self.token - self.grains).div_ceil(self.grains_per_us.max(1));
                Err(RetryAfter(
                    u32::try_from(wait_us.div_ceil(1_000_000)).unwrap_or(u32::MAX),
                ))
            }
        }
    }

    /// Whether nothing has been taken for so long that there is nothing to remember.
    pub(super) fn is_full(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        self.grains >= self.capacity
    }

    /// Whether [`Self::take`] would succeed.
    pub(super) fn has_one(&self, now: Timestamp) -> bool {
        self.earned(now) >= self.token
    }

    /// A token that was taken is not needed.
    pub(super) fn give_back(&mut self) {
        self.grains = self.grains.saturating_add(self.token).min(self.capacity);
    }

    fn earned(&self, now: Timestamp) -> u64 {
        let earned = now.since(self.at).saturating_mul(self.grains_per_us);
        self.grains.saturating_add(earned).min(self.capacity)
    }

    fn refill(&mut self, now: Timestamp) {
        self.grains = self.earned(now);
        self.at = self.at.max(now);
    }
}

/// Seconds until the next token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RetryAfter(pub(super) u32);

const MINUTE_US: u64 = 60_000_000;

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
