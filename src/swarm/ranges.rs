//! Sorted, disjoint ranges of numbers: what somebody holds.

use alloc::vec::Vec;

/// A set of `u32` kept as ranges `start..end`. Bounded by the caller through [`RangeSet::pieces`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RangeSet {
    ranges: Vec<(u32, u32)>,
}

impl RangeSet {
    /// Adds `start..start + count`.
    pub(super) fn insert(&mut self, start: u32, count: u32) {
        let end = start.saturating_add(count);
        if start >= end {
            return;
        }
        let from = self.ranges.partition_point(|&(_, e)| e < start);
        let to = self.ranges.partition_point(|&(s, _)| s <= end);
        let merged = match (
            self.ranges.get(from),
            to.checked_sub(1).and_then(|last| self.ranges.get(last)),
        ) {
            (Some(&(first, _)), Some(&(_, last))) if from < to => (start.min(first), end.max(last)),
            _ => (start, end),
        };
        self.ranges.splice(from..to.max(from), [merged]);
    }

    /// Takes `start..start + count` out.
    pub(super) fn remove(&mut self, start: u32, count: u32) {
        let end = start.saturating_add(count);
        if start >= end {
            return;
        }
        let from = self.ranges.partition_point(|&(_, e)| e <= start);
        let to = self.ranges.partition_point(|&(s, _)| s < end);
        let mut left = Vec::with_capacity(2);
        for &(s, e) in self.ranges.get(from..to).unwrap_or_default() {
            if s < start {
                left.push((s, start));
            }
            if e > end {
                left.push((end, e));
            }
        }
        self.ranges.splice(from..to.max(from), left);
    }

    /// Forgets all but the first `pieces` ranges.
    pub(super) fn truncate(&mut self, pieces: usize) {
        self.ranges.truncate(pieces);
    }

    /// Whether `value` is in the set.
    pub(super) fn contains(&self, value: u32) -> bool {
        self.covers(value, 1)
    }

    /// Whether all of `start..start + count` is in the set.
    pub(super) fn covers(&self, start: u32, count: u32) -> bool {
        let at = self.ranges.partition_point(|&(_, e)| e <= start);
        let end = start.saturating_add(count);
        self.ranges.get(at).is_some_and(|&(s, e)| s <= start && e >= end)
    }

    /// How many ranges it takes.
    pub(super) fn pieces(&self) -> usize {
        self.ranges.len()
    }

    /// How many numbers are in it.
    pub(super) fn count(&self) -> u64 {
        self.ranges.iter().map(|&(s, e)| u64::from(e - s)).sum()
    }

    /// Whether it is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges as `(start, count)`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.ranges.iter().map(|&(s, e)| (s, e - s))
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use proptest::prelude::*;

    use super::RangeSet;

    proptest! {
        #[test]
        fn behaves_like_a_set(ops in prop::collection::vec((any::<bool>(), 0_u32..60, 0_u32..12), 0..60)) {
            let mut ranges = RangeSet::default();
            let mut oracle = BTreeSet::new();
            for (insert, start, count) in ops {
                for value in start..start + count {
                    if insert { oracle.insert(value); } else { oracle.remove(&value); }
                }
                if insert { ranges.insert(start, count) } else { ranges.remove(start, count) }
                prop_assert!(ranges.ranges.iter().all(|&(s, e)| s < e));
                prop_assert!(ranges.ranges.windows(2).all(|w| w[0].1 < w[1].0), "{:?}", ranges);
            }
            prop_assert_eq!(ranges.count(), oracle.len() as u64);
            for value in 0..80 {
                prop_assert_eq!(ranges.contains(value), oracle.contains(&value));
                for count in 1..8 {
                    let all = (value..value + count).all(|value| oracle.contains(&value));
                    prop_assert_eq!(ranges.covers(value, count), all);
                }
            }
        }
    }
}
