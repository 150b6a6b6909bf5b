//! What is to come, in order of time and then of scheduling.
//!
//! A calendar: what comes within seconds lies in a ring of days, unsorted; only the present day is kept in order. Nearly all
//! events are put in for one of the next days, so that putting in and taking out cost little however many there are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::net::Micros;

/// A day has 2¹⁰ microseconds, about a millisecond…
const DAY_BITS: u32 = 10;
/// …and the ring this many days, about four seconds.
const DAYS: u64 = 4_096;

/// Events by time. Of two at the same time the one that was put in first comes first.
#[derive(Debug)]
pub(super) struct Queue<E> {
    /// The present day, in order.
    today: BinaryHeap<Reverse<Entry<E>>>,
    day: u64,
    /// The days after it, by their number modulo [`DAYS`].
    days: Vec<Vec<Entry<E>>>,
    in_days: usize,
    /// What comes after all days of the ring.
    later: BinaryHeap<Reverse<Entry<E>>>,
    order: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: Micros,
    order: u64,
    event: E,
}

impl<E> Queue<E> {
    pub(super) fn new() -> Self {
        Self {
            today: BinaryHeap::new(),
            day: 0,
            days: (0..DAYS).map(|_| Vec::new()).collect(),
            in_days: 0,
            later: BinaryHeap::new(),
            order: 0,
        }
    }

    /// Puts in an event; one for a time that is over comes next.
    pub(super) fn push(&mut self, at: Micros, event: E) {
        self.order += 1;
        let order = self.order;
        self.place(Entry { at, order, event });
    }

    fn place(&mut self, entry: Entry<E>) {
        let day = entry.at >> DAY_BITS;
        if day <= self.day {
            self.today.push(Reverse(entry));
        } else if day < self.day + DAYS
            && let Some(entries) = self.days.get_mut(slot(day))
        {
            entries.push(entry);
            self.in_days += 1;
        } else {
            self.later.push(Reverse(entry));
        }
    }

    /// The next event up to `until`.
    pub(super) fn pop(&mut self, until: Micros) -> Option<(Micros, E)> {
        while self.today.is_empty() {
            if !self.turn_page() {
                return None;
            }
        }
        if self.today.peek()?.0.at > until {
            return None;
        }
        self.today.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }

    /// Goes to the next day that may have events. False if there is none.
    fn turn_page(&mut self) -> bool {
        let next_later = self.later.peek().map(|Reverse(entry)| entry.at >> DAY_BITS);
        self.day = match (self.in_days, next_later) {
            (0, None) => return false,
            // Nothing in between.
            (0, Some(day)) => day.max(self.day + 1),
            (_, _) => self.day + 1,
        };
        while let Some(Reverse(entry)) = self.later.peek()
            && entry.at >> DAY_BITS < self.day + DAYS
            && let Some(Reverse(entry)) = self.later.pop()
        {
            self.place(entry);
        }
        if let Some(entries) = self.days.get_mut(slot(self.day)) {
            self.in_days -= entries.len();
            self.today.extend(entries.drain(..).map(Reverse));
        }
        true
    }
}

/// The place of a day in the ring.
fn slot(day: u64) -> usize {
    usize::try_from(day % DAYS).unwrap_or(0)
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_BITS, DAYS, Queue};
    use crate::random::Random;

    #[test]
    fn events_come_by_time_and_then_in_the_order_they_were_put_in() {
        let mut queue = Queue::new();
        for (at, event) in [(5, 'b'), (1, 'a'), (5, 'c'), (9, 'd')] {
            queue.push(at, event);
        }
        let came: Vec<char> = std::iter::from_fn(|| queue.pop(5))
            .map(|(_, event)| event)
            .collect();
        assert_eq!(came, ['a', 'b', 'c']);
        assert_eq!(queue.pop(9), Some((9, 'd')));
        assert_eq!(queue.pop(u64::MAX), None);
        // A time that is over is now.
        queue.push(3, 'e');
        assert_eq!(queue.pop(u64::MAX), Some((3, 'e')));
    }

    #[test]
    fn near_and_far_events_come_in_one_order() {
        let mut queue = Queue::new();
        let mut random = Random::new(1, "queue", 0);
        let ring = DAYS << DAY_BITS;
        let bounds = [10, 2_000, ring, 5 * ring, 100 * ring];
        let (mut now, mut put, mut expected) = (0, 0_u64, Vec::new());
        let mut came = Vec::new();
        for step in 0..5_000_usize {
            let at = now + random.below(bounds[step % bounds.len()]);
            queue.push(at, put);
            expected.push((at, put));
            put += 1;
            if step % 3 == 0
                && let Some((at, event)) = queue.pop(u64::MAX)
            {
                assert!(at >= now);
                now = at;
                came.push((at, event));
            }
        }
        came.extend(std::iter::from_fn(|| queue.pop(u64::MAX)));
        expected.sort_unstable();
        assert_eq!(came.len(), expected.len());
        assert!(came.is_sorted());
        came.sort_unstable();
        assert_eq!(came, expected);
    }
}
