//! What may be fetched by now.

use std::time::{Duration, Instant};

/// Fills with time and is emptied by what comes. It may be overdrawn by one segment, and then has to fill again first.
#[derive(Debug)]
pub(super) struct Purse {
    bytes_per_s: u64,
    /// What it holds, in bytes; negative while overdrawn.
    balance: i64,
    /// Bytes that have been paid for.
    paid: u64,
    filled_at: Instant,
}

impl Purse {
    pub(super) const fn new(bytes_per_s: u64, now: Instant) -> Self {
        Self {
            bytes_per_s,
            balance: 0,
            paid: 0,
            filled_at: now,
        }
    }

    /// Pays for all that has been `received`; whether there is something left.
    pub(super) fn settle(&mut self, received: u64, now: Instant) -> bool {
        let elapsed = now.duration_since(self.filled_at);
        let filled = u128::from(self.bytes_per_s) * elapsed.as_micros() / 1_000_000;
        if filled > 0 {
            self.filled_at = now;
            let most = i64::try_from(self.bytes_per_s.saturating_mul(MOST.as_secs())).unwrap_or(i64::MAX);
            let filled = i64::try_from(filled).unwrap_or(i64::MAX);
            self.balance = self.balance.saturating_add(filled).min(most);
        }
        let spent = received.saturating_sub(self.paid);
        self.paid = self.paid.max(received);
        self.balance = self
            .balance
            .saturating_sub(i64::try_from(spent).unwrap_or(i64::MAX));
        self.balance >= 0
    }
}

/// What is not used in this time is not used later either.
const MOST: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_time_no_more_is_received_than_allowed_and_one_segment() {
        let start = Instant::now();
        let mut purse = Purse::new(1_000, start);
        let mut received = 0;
        for ms in (0..100_000).step_by(50) {
            if purse.settle(received, start + Duration::from_millis(ms)) {
                received += 3_000;
            }
            assert!(received <= ms + 3_000, "{received} bytes after {ms} ms");
        }
        assert!(received > 96_000, "{received}");
    }

    #[test]
    fn a_rest_is_not_made_up_for() {
        let start = Instant::now();
        let mut purse = Purse::new(1_000, start);
        assert!(purse.settle(0, start + Duration::from_secs(3_600)));
        assert!(!purse.settle(10_001, start + Duration::from_secs(3_600)));
    }
}
