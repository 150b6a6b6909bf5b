//! What may be fetched by now.

use std::time::{Duration, Instant};

use swarmseal_tracker::Company;

/// Fills with time and is emptied by what comes. It is overdrawn by the segment that is asked for last, and by what the engine
/// fetches ahead of that, as every viewer's does; then it has to fill again first, over as many visits as that takes.
#[derive(Debug)]
pub(super) struct Purse {
    bytes_per_s: u64,
    /// What it holds, in bytes; negative while overdrawn.
    balance: i64,
    /// Bytes of this visit that have been paid for.
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

    /// Another visit begins, at this pace. What the last one owes is still owed.
    pub(super) const fn begin_visit(&mut self, bytes_per_s: u64) {
        self.bytes_per_s = bytes_per_s;
        self.paid = 0;
    }

    /// Pays for all that this visit has `received`; whether there is something left.
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

/// Bits per second that one visit may fetch of a stream that each viewer gets `stream_bps` of: with all other visits that are under
/// way, so many thousandths of what the viewers get, and `most_bps` at most.
pub(super) fn allowed_bps(company: Company, stream_bps: u64, permille: u32, most_bps: u64) -> u64 {
    let theirs = u128::from(stream_bps) * u128::from(company.viewers.max(1));
    let share = theirs * u128::from(permille) / 1_000 / u128::from(company.visits.max(1));
    u64::try_from(share).unwrap_or(u64::MAX).min(most_bps)
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
    fn visits_that_fetch_ahead_receive_no_more_together_than_one() {
        let start = Instant::now();
        let mut purse = Purse::new(1_000, start);
        let mut total = 0;
        for visit in 0..20 {
            purse.begin_visit(1_000);
            let mut received = 0;
            for ms in (visit * 10_000..(visit + 1) * 10_000).step_by(50) {
                let is_allowed = purse.settle(received, start + Duration::from_millis(ms));
                // Each segment brings six more.
                let came = if is_allowed { 7 * 3_000 } else { 0 };
                received += came;
                total += came;
                assert!(total <= ms + 7 * 3_000, "{total} bytes after {ms} ms");
            }
            // What came since the last look is owed as well.
            purse.settle(received, start + Duration::from_millis((visit + 1) * 10_000));
        }
        assert!(total > 180_000, "{total}");
    }

    #[test]
    fn all_visits_together_fetch_half_a_percent_of_what_viewers_get() {
        let company = |viewers, visits| Company { viewers, visits };
        let allowed = |viewers, visits| allowed_bps(company(viewers, visits), 3_000_000, 5, 500_000);
        assert_eq!(allowed(1, 1), 15_000);
        assert_eq!(allowed(20, 1), 300_000);
        assert_eq!(allowed(20, 4), 75_000, "each of four");
        assert_eq!(allowed(1_000, 1), 500_000, "no more than the operator wants");
        assert_eq!(
            allowed(0, 0),
            15_000,
            "as if one were there, or nobody would be found"
        );
        let most = allowed_bps(company(u32::MAX, 1), u64::MAX, u32::MAX, u64::MAX);
        assert_eq!(most, u64::MAX);
    }

    #[test]
    fn a_rest_is_not_made_up_for() {
        let start = Instant::now();
        let mut purse = Purse::new(1_000, start);
        assert!(purse.settle(0, start + Duration::from_secs(3_600)));
        assert!(!purse.settle(10_001, start + Duration::from_secs(3_600)));
    }
}
