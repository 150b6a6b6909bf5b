//! What must always hold of one viewer, as far as it needs a memory.

use crate::net::Micros;

/// An engine may send this much time of its cap at once…
const BUCKET_US: u64 = 250_000;
/// …and at least one chunk with its head.
const LEAST_BUCKET: u64 = (16 << 10) + 48;
/// Ticks without any effect that follow each other this closely are a timer that spins…
const SPIN_US: Micros = 5_000;
/// …if they are so many. A few happen when something else came in between.
const SPINS: u32 = 100;

/// Watches that a viewer keeps to its upload cap.
#[derive(Clone, Debug)]
pub(crate) struct UploadMeter {
    bytes_per_s: u64,
    /// What was sent and is not paid off by time yet, in millionths of a byte.
    owed: u128,
    at: Micros,
}

/// Watches for a timer that rings again and again and does nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpinWatch {
    last: Micros,
    ticks: u32,
}

impl UploadMeter {
    pub(crate) const fn new(bps: u64) -> Self {
        Self {
            bytes_per_s: bps / 8,
            owed: 0,
            at: 0,
        }
    }

    /// Takes note of bytes that are sent. False if they are more than the cap allows by now.
    pub(crate) fn allows(&mut self, now: Micros, bytes: u64) -> bool {
        let paid = u128::from(now.saturating_sub(self.at)) * u128::from(self.bytes_per_s);
        self.at = now;
        self.owed = self.owed.saturating_sub(paid) + u128::from(bytes) * 1_000_000;
        let bucket = (self.bytes_per_s * BUCKET_US / 1_000_000).max(LEAST_BUCKET);
        // Rounded down here and there in the engine, never up: one byte is for that.
        self.owed <= u128::from(bucket + 1) * 1_000_000
    }
}

impl SpinWatch {
    /// Takes note of a tick. False if it is one too many.
    pub(crate) fn allows(&mut self, now: Micros, had_effect: bool) -> bool {
        let is_close = now.saturating_sub(self.last) < SPIN_US;
        self.last = now;
        self.ticks = if is_close && !had_effect {
            self.ticks + 1
        } else {
            0
        };
        self.ticks < SPINS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_a_rate_with_a_bucket() {
        let mut meter = UploadMeter::new(1_600_000);
        // 200,000 bytes a second: 50,000 at once.
        assert!(meter.allows(0, 50_000));
        assert!(meter.allows(100_000, 20_000));
        assert!(meter.allows(1_100_000, 50_000));
        assert!(!meter.allows(1_100_000, 20_000));
    }

    #[test]
    fn a_small_cap_takes_one_chunk_at_a_time() {
        let mut meter = UploadMeter::new(80_000);
        assert!(meter.allows(0, LEAST_BUCKET));
        assert!(!meter.allows(500_000, LEAST_BUCKET));
    }

    #[test]
    fn a_timer_may_ring_often_if_it_does_something() {
        let mut watch = SpinWatch::default();
        assert!((0..1_000).all(|n| watch.allows(n * 1_000, n % 50 == 0)));
        assert!((0..1_000).all(|n| watch.allows(2_000_000 + n * SPIN_US, false)));
        assert!(!(0..200).all(|n| watch.allows(20_000_000 + n * 1_000, false)));
    }
}
