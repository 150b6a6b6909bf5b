//! Rows by number: dense tables, so that nothing is looked up in a map.

/// Rows that are never taken out, numbered from 0.
#[derive(Debug)]
pub(super) struct Table<T>(Vec<T>);

impl<T> Table<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn push(&mut self, row: T) -> u32 {
        self.0.push(row);
        self.len() - 1
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.0.get(number as usize)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.0.get_mut(number as usize)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub(super) fn into_rows(self) -> impl Iterator<Item = T> {
        self.0.into_iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

/// Rows that come and go; a number is used again after its row was taken.
#[derive(Debug)]
pub(super) struct Slab<T> {
    rows: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            rows: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(super) fn put(&mut self, row: T) -> u32 {
        if let Some(number) = self.free.pop()
            && let Some(slot) = self.rows.get_mut(number as usize)
        {
            *slot = Some(row);
            return number;
        }
        self.rows.push(Some(row));
        u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.rows.get(number as usize)?.as_ref()
    }

    pub(super) fn take(&mut self, number: u32) -> Option<T> {
        let row = self.rows.get_mut(number as usize)?.take();
        if row.is_some() {
            self.free.push(number);
        }
        row
    }
}

/// A set of small numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn contains(&self, number: u32) -> bool {
        self.0
            .get(number as usize / 64)
            .is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// False if it was in it already.
    pub(super) fn insert(&mut self, number: u32) -> bool {
        let at = number as usize / 64;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        let Some(word) = self.0.get_mut(at) else {
            return false;
        };
        let bit = 1 << (number % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// False if it was not in it.
    pub(super) fn remove(&mut self, number: u32) -> bool {
        let Some(word) = self.0.get_mut(number as usize / 64) else {
            return false;
        };
        let bit = 1 << (number % 64);
        let was_in = *word & bit != 0;
        *word &= !bit;
        was_in
    }
}

#[cfg(test)]
mod tests {
    use super::{Bits, Slab};

    #[test]
    fn a_number_is_used_again_once_its_row_was_taken() {
        let mut slab = Slab::new();
        let (a, b) = (slab.put('a'), slab.put('b'));
        assert_eq!((slab.take(a), slab.take(a)), (Some('a'), None));
        assert_eq!(slab.put('c'), a);
        assert_eq!((slab.get(a), slab.get(b)), (Some(&'c'), Some(&'b')));
    }

    #[test]
    fn a_set_says_what_changed() {
        let mut bits = Bits::default();
        assert!(bits.insert(130) && !bits.insert(130) && bits.contains(130) && !bits.contains(129));
        assert!(bits.remove(130) && !bits.remove(130) && !bits.remove(9_999));
    }
}
