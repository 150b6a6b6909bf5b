//! One direction of an access link: a rate, and a queue before it.

use super::Micros;

/// TCP sends again what is lost and has nothing behind it after this time, at the least.
const SENT_AGAIN_US: Micros = 200_000;

/// What is pushed leaves in order, each after what was pushed before.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    kbps: u64,
    queue_us: Micros,
    /// When the last of it is out, in nanoseconds.
    free_ns: u64,
}

/// When something leaves a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) out_at: Micros,
    /// The queue was full: a packet of it was dropped and has to be sent again.
    pub(crate) overflowed: bool,
}

impl Pipe {
    pub(crate) fn new(kbps: u64, queue_us: Micros) -> Self {
        Self {
            kbps: kbps.max(1),
            queue_us,
            free_ns: 0,
        }
    }

    /// How long a small packet waits that is let in now: no longer than a full queue lasts. What is pushed beyond that is
    /// bulk that was dropped and is sent again later; it is not before everything else.
    pub(crate) fn wait_us(&self, now: Micros) -> Micros {
        self.backlog_us(now).min(self.queue_us)
    }

    /// Whether a packet that comes now is dropped.
    pub(crate) const fn is_full(&self, now: Micros) -> bool {
        self.backlog_us(now) > self.queue_us
    }

    /// The same for a small packet that is dropped if the queue is full, and then sent again.
    pub(crate) fn request_us(&self, now: Micros) -> Micros {
        let again_us = if self.is_full(now) { SENT_AGAIN_US } else { 0 };
        self.wait_us(now) + again_us
    }

    const fn backlog_us(&self, now: Micros) -> Micros {
        (self.free_ns / 1_000).saturating_sub(now)
    }

    pub(crate) fn push(&mut self, now: Micros, bytes: u64) -> Passage {
        let overflowed = self.is_full(now);
        self.free_ns = self.free_ns.max(now * 1_000) + bytes * 8_000_000 / self.kbps;
        Passage {
            out_at: self.free_ns.div_ceil(1_000).max(now),
            overflowed,
        }
    }

    pub(crate) const fn kbps(&self) -> u64 {
        self.kbps
    }
}

#[cfg(test)]
mod tests {
    use super::{Pipe, SENT_AGAIN_US};

    #[test]
    fn what_is_pushed_leaves_in_order_at_the_rate() {
        let mut pipe = Pipe::new(8_000, 100_000);
        assert_eq!(pipe.push(1_000, 10_000).out_at, 11_000);
        assert_eq!(pipe.push(1_000, 10_000).out_at, 21_000);
        assert_eq!(pipe.wait_us(1_000), 20_000);
        // An idle pipe begins when it is given something.
        assert_eq!(pipe.push(50_000, 1_000).out_at, 51_000);
    }

    #[test]
    fn a_full_queue_says_so() {
        let mut pipe = Pipe::new(8_000, 15_000);
        assert!(!pipe.push(0, 10_000).overflowed);
        assert!(!pipe.push(0, 10_000).overflowed);
        assert_eq!(
            (pipe.wait_us(0), pipe.request_us(0)),
            (15_000, 15_000 + SENT_AGAIN_US)
        );
        assert!(pipe.push(0, 10_000).overflowed);
        assert!(!pipe.push(20_000, 10_000).overflowed);
    }

    #[test]
    fn small_messages_on_a_fast_link_take_time_together() {
        let mut pipe = Pipe::new(1_000_000, 100_000);
        let out = (0..1_000).map(|_| pipe.push(0, 60).out_at).last();
        assert_eq!(out, Some(480));
    }
}
