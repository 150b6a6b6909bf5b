//! What is to come, in order of time and then of scheduling.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::net::Micros;

/// Events by time. Of two at the same time the one that was put in first comes first.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
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
            heap: BinaryHeap::new(),
            order: 0,
        }
    }

    pub(super) fn push(&mut self, at: Micros, event: E) {
        self.order += 1;
        let order = self.order;
        self.heap.push(Reverse(Entry { at, order, event }));
    }

    /// The next event up to `until`.
    pub(super) fn pop(&mut self, until: Micros) -> Option<(Micros, E)> {
        if self.heap.peek()?.0.at > until {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
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
    use super::Queue;

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
    }
}
