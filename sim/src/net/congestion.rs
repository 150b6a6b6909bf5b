//! A data channel's congestion control: how much may be under way on one path.
//!
//! Below the path's bound it is what RFC 9260 says and dcSCTP does: slow start by half of what is acknowledged, then one
//! packet per window, halved by a full queue. What random loss does to it is not worked out packet by packet but is the
//! bound itself, which was measured between browsers: see [`Calibration`](super::Calibration).

use super::{Micros, PACKET_BYTES};

/// dcSCTP begins with ten packets…
const FIRST_WINDOW: u64 = 10 * PACKET_BYTES;
/// …and after a loss grows fast up to four at least, even if a time-out has left it one.
const LEAST_THRESHOLD: u64 = 4 * PACKET_BYTES;
/// How much may be under way, and how much is.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    bytes: u64,
    slow_start_until: u64,
    bound: u64,
    in_flight: u64,
    halved_at: Option<Micros>,
}

impl Window {
    /// A window that a path holds below `bound`.
    pub(crate) fn new(bound: u64) -> Self {
        Self {
            bytes: FIRST_WINDOW.min(bound),
            slow_start_until: u64::MAX,
            bound,
            in_flight: 0,
            halved_at: None,
        }
    }

    /// Bytes that may follow now. Something always may when nothing is under way.
    pub(crate) const fn room(&self) -> u64 {
        self.bytes.saturating_sub(self.in_flight)
    }

    pub(crate) const fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    pub(crate) const fn sent(&mut self, len: u64) {
        self.in_flight += len;
    }

    /// `len` bytes have arrived, says the other side.
    pub(crate) fn acknowledged(&mut self, len: u64) {
        // A window that is not used up does not grow.
        let full = self.in_flight + len >= self.bytes.saturating_sub(PACKET_BYTES);
        self.in_flight = self.in_flight.saturating_sub(len);
        if full {
            let growth = if self.bytes < self.slow_start_until {
                len / 2
            } else {
                PACKET_BYTES * len / self.bytes.max(1)
            };
            self.bytes = (self.bytes + growth).min(self.bound);
        }
    }

    /// A queue on the way was full. Once in a round trip counts.
    pub(crate) fn queue_was_full(&mut self, now: Micros, rtt_us: Micros) {
        if self.halved_at.is_none_or(|at| now >= at + rtt_us) {
            self.halved_at = Some(now);
            self.bytes = (self.bytes / 2).max(PACKET_BYTES).min(self.bound);
            self.slow_start_until = self.bytes.max(LEAST_THRESHOLD);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_window_grows_and_an_unused_one_does_not() {
        let mut window = Window::new(1 << 20);
        let first = window.room();
        window.sent(first);
        assert_eq!(window.room(), 0);
        window.acknowledged(first);
        assert!(window.is_idle());
        assert_eq!(window.room(), first + first / 2);
        let second = window.room();
        window.sent(100);
        window.acknowledged(100);
        assert_eq!(window.room(), second);
    }

    #[test]
    fn a_full_queue_halves_it_once_in_a_round_trip() {
        let mut window = Window::new(1 << 20);
        for _ in 0..10 {
            let room = window.room();
            window.sent(room);
            window.acknowledged(room);
        }
        let before = window.room();
        window.queue_was_full(0, 50_000);
        window.queue_was_full(20_000, 50_000);
        assert_eq!(window.room(), before / 2);
        window.queue_was_full(60_000, 50_000);
        assert_eq!(window.room(), before / 4);
        // From here it grows by a packet per window.
        let room = window.room();
        window.sent(room);
        window.acknowledged(room);
        assert!(window.room() <= room + PACKET_BYTES && window.room() > room);
    }
}
