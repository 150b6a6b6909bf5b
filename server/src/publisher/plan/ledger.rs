//! Which bytes are listed already. Two entries must not resolve to one name and range, whatever playlists say.

use std::collections::{BTreeMap, BTreeSet};

/// What is listed of each resource.
#[derive(Default)]
pub(super) struct Ledger {
    listed: BTreeMap<String, Listed>,
    /// Ranges of resources that players are known to ask for and that are no segments (headers, segment indexes).
    declared: BTreeMap<String, BTreeSet<(u64, u64)>>,
}

enum Listed {
    Whole,
    /// Offset to end, disjoint.
    Ranges(BTreeMap<u64, u64>),
}

impl Ledger {
    /// Lists all of a resource. `false` when something of it is listed already.
    pub(super) fn claim_whole(&mut self, name: &str) -> bool {
        if self.listed.contains_key(name) {
            return false;
        }
        self.listed.insert(name.to_owned(), Listed::Whole);
        true
    }

    /// Lists `length` bytes from `offset`. `false` when one of them is listed already.
    pub(super) fn claim_range(&mut self, name: &str, offset: u64, length: u64) -> bool {
        let end = offset.saturating_add(length);
        match self.listed.get_mut(name) {
            None => {
                self.listed
                    .insert(name.to_owned(), Listed::Ranges(BTreeMap::from([(offset, end)])));
                true
            }
            Some(Listed::Whole) => false,
            Some(Listed::Ranges(ranges)) => {
                let overlaps = ranges
                    .range(..end)
                    .next_back()
                    .is_some_and(|(_, last_end)| *last_end > offset);
                if !overlaps {
                    ranges.insert(offset, end);
                }
                !overlaps
            }
        }
    }

    /// Notes that players ask for these bytes. They are listed by [`Self::unlisted_parts`] unless a segment holds them.
    pub(super) fn declare(&mut self, name: &str, offset: u64, length: u64) {
        self.declared
            .entry(name.to_owned())
            .or_default()
            .insert((offset, length));
    }

    /// Whether players are known to ask for exactly these bytes.
    pub(super) fn is_declared(&self, name: &str, range: (u64, u64)) -> bool {
        self.declared
            .get(name)
            .is_some_and(|ranges| ranges.contains(&range))
    }

    /// Whether the name is known in any form.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.listed.contains_key(name) || self.declared.contains_key(name)
    }

    /// Resources of which ranges are listed or declared, but not the whole.
    pub(super) fn in_parts(&self) -> Vec<String> {
        let ranges = |name: &&String| !matches!(self.listed.get(*name), Some(Listed::Whole));
        let mut names: Vec<String> = self
            .listed
            .keys()
            .chain(self.declared.keys())
            .filter(ranges)
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// The last listed byte of a resource in parts, plus one.
    pub(super) fn end(&self, name: &str) -> u64 {
        let listed = match self.listed.get(name) {
            Some(Listed::Ranges(ranges)) => ranges.last_key_value().map_or(0, |(_, end)| *end),
            _ => 0,
        };
        let declared = self.declared.get(name).into_iter().flatten();
        declared
            .map(|(offset, length)| offset.saturating_add(*length))
            .fold(listed, u64::max)
    }

    /// What is not listed of a resource of `length` bytes, cut where a declared range begins or ends.
    pub(super) fn unlisted_parts(&self, name: &str, length: u64) -> Vec<(u64, u64)> {
        let none = BTreeMap::new();
        let ranges = match self.listed.get(name) {
            Some(Listed::Whole) => return Vec::new(),
            Some(Listed::Ranges(ranges)) => ranges,
            None => &none,
        };
        let mut cuts: BTreeSet<u64> = BTreeSet::new();
        for (offset, declared) in self.declared.get(name).into_iter().flatten() {
            cuts.extend([*offset, offset.saturating_add(*declared)]);
        }
        let mut parts = Vec::new();
        let mut position = 0;
        for (start, end) in ranges
            .iter()
            .map(|(start, end)| (*start, *end))
            .chain([(length, length)])
        {
            let start = start.min(length);
            if position < start {
                let inside = cuts.range(position + 1..start).copied();
                let mut from = position;
                for to in inside.chain([start]) {
                    parts.push((from, to - from));
                    from = to;
                }
            }
            position = position.max(end);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_listed_twice() {
        let mut ledger = Ledger::default();
        assert!(ledger.claim_whole("a"));
        assert!(!ledger.claim_whole("a"));
        assert!(!ledger.claim_range("a", 0, 1));
        assert!(ledger.claim_range("b", 10, 10));
        assert!(!ledger.claim_range("b", 19, 1));
        assert!(!ledger.claim_range("b", 0, 11));
        assert!(!ledger.claim_range("b", 0, 100));
        assert!(ledger.claim_range("b", 20, 5));
        assert!(ledger.claim_range("b", 0, 10));
        assert!(!ledger.claim_whole("b"));
        assert_eq!(ledger.in_parts(), ["b"]);
    }

    #[test]
    fn the_rest_of_a_file_is_cut_at_declared_ranges() {
        let mut ledger = Ledger::default();
        ledger.claim_range("v", 100, 50);
        ledger.claim_range("v", 160, 40);
        ledger.declare("v", 0, 60);
        ledger.declare("v", 60, 40);
        ledger.declare("v", 120, 10);
        assert_eq!(
            ledger.unlisted_parts("v", 210),
            [(0, 60), (60, 40), (150, 10), (200, 10)]
        );
        assert_eq!(ledger.unlisted_parts("v", 200), [(0, 60), (60, 40), (150, 10)]);
        assert_eq!(ledger.end("v"), 200);
        ledger.declare("i", 0, 10);
        assert_eq!(ledger.unlisted_parts("i", 10), [(0, 10)]);
        assert_eq!(ledger.in_parts(), ["i", "v"]);
    }
}
