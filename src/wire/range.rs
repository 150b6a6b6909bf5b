//! A run of consecutive numbers.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// `count` consecutive segments or chunks from `first` on. In JSON: `[first, count]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Range {
    /// The first number.
    pub first: u32,
    /// How many; never 0 in a valid message.
    pub count: u32,
}

impl Range {
    /// `count` numbers from `first` on.
    pub const fn new(first: u32, count: u32) -> Self {
        Self { first, count }
    }

    /// The number after the last; `None` where numbers end. An empty range ends where it starts.
    pub const fn end(self) -> Option<u32> {
        self.first.checked_add(self.count)
    }

    /// Whether `number` is inside.
    pub const fn contains(self, number: u32) -> bool {
        number >= self.first && number - self.first < self.count
    }

    /// The ranges that cover exactly `numbers`, which must ascend.
    pub fn cover(numbers: impl IntoIterator<Item = u32>) -> Vec<Self> {
        let mut ranges: Vec<Self> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some(last) if last.end() == Some(number) => last.count += 1,
                Some(last) if last.contains(number) => {}
                _ => ranges.push(Self::new(number, 1)),
            }
        }
        ranges
    }
}

impl From<(u32, u32)> for Range {
    fn from((first, count): (u32, u32)) -> Self {
        Self { first, count }
    }
}

impl From<Range> for (u32, u32) {
    fn from(range: Range) -> Self {
        (range.first, range.count)
    }
}
