//! Rows that are known: verified leaf hashes of objects, within a bound.

use alloc::vec::Vec;

use crate::ordered::OrderedMap;

use super::{Catalog, RowError, Sheet, SheetError};
use crate::content::{Hash, ObjectId, TrackId, tree};

/// Bytes of rows that are kept: those of 1 GiB of media, 16 times the default store. Oldest rows go first.
const MAX_ROW_BYTES: usize = 2 * 1024 * 1024;

/// Verified rows of objects of two chunks and more, in the order of their arrival.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    by_object: OrderedMap<ObjectId, (u64, Vec<Hash>)>,
    by_arrival: OrderedMap<u64, ObjectId>,
    arrivals: u64,
    bytes: usize,
}

impl Rows {
    fn get(&self, id: ObjectId) -> Option<&[Hash]> {
        self.by_object.get(&id).map(|(_, row)| row.as_slice())
    }

    pub(super) fn insert(&mut self, id: ObjectId, row: &[Hash]) {
        self.remove(id);
        self.arrivals += 1;
        self.bytes += size_of_val(row);
        self.by_arrival.insert(self.arrivals, id);
        self.by_object.insert(id, (self.arrivals, row.to_vec()));
        while self.bytes > MAX_ROW_BYTES {
            let Some((_, oldest)) = self.by_arrival.first_key_value() else {
                break;
            };
            self.remove(*oldest);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn remove(&mut self, id: ObjectId) {
        if let Some((arrival, row)) = self.by_object.remove(&id) {
            self.by_arrival.remove(&arrival);
            self.bytes -= size_of_val(row.as_slice());
        }
    }
}

impl Catalog {
    /// The leaf hashes of an object; `None` while they are not known, or forgotten again. Objects of at most one
    /// chunk always have theirs once they are known: it is their root.
    #[must_use]
    pub fn row(&self, id: ObjectId) -> Option<&[Hash]> {
        let info = self.object(id)?;
        match info.chunks {
            0 => Some(&[]),
            1 => Some(core::slice::from_ref(&info.root)),
            _ => self.rows.get(id),
        }
    }

    /// Verifies a row that came from a peer, or was made from a whole object, and keeps it.
    ///
    /// # Errors
    /// [`RowError`]: the row is not the one of this object.
    pub fn accept_row(&mut self, id: ObjectId, row: &[Hash]) -> Result<(), RowError> {
        let info = self.object(id).ok_or(RowError::UnknownObject)?;
        if row.len() != info.chunks as usize {
            let found = u32::try_from(row.len()).unwrap_or(u32::MAX);
            return Err(RowError::WrongLength {
                expected: info.chunks,
                found,
            });
        }
        if tree::root(row) != info.root {
            return Err(RowError::WrongRoot);
        }
        if info.chunks > 1 {
            self.rows.insert(id, row);
        }
        Ok(())
    }

    /// Drops the row of an object that will not be needed soon.
    pub fn forget_rows(&mut self, id: ObjectId) {
        self.rows.remove(id);
    }

    /// A batch of rows that starts with the row of `id`: up to `ahead` consecutive segments whose rows are not known,
    /// at most 64 KiB. `None` if the row is known, for assets, and while the index page is missing.
    #[must_use]
    pub fn rows_sheet(&self, id: ObjectId, ahead: u32) -> Option<Sheet> {
        let index = &self.sheets(id.track)?.index;
        if self.object(id).is_none() || self.row(id).is_some() {
            return None;
        }
        // Objects of one chunk need no row, but they do not break a batch either; at its end they are left out.
        let mut count = 1;
        for more in 2..=ahead {
            let next = ObjectId::new(id.track, id.index.checked_add(more - 1)?);
            let Some(info) = self.object(next) else { break };
            if self.rows.get(next).is_some() || index.rows_range(id.index, more).is_none() {
                break;
            }
            if info.chunks > 1 {
                count = more;
            }
        }
        Some(Sheet::Rows {
            track: id.track,
            first: id.index,
            count,
        })
    }

    /// Takes in the rows of consecutive segments, all of them or none.
    pub(super) fn accept_rows(
        &mut self,
        track: TrackId,
        first: u32,
        count: u32,
        bytes: &[u8],
    ) -> Result<(), SheetError> {
        let mut rows = Vec::new();
        let mut rest = bytes;
        for index in first..first.saturating_add(count) {
            let info = self
                .object(ObjectId::new(track, index))
                .ok_or(SheetError::NotWanted)?;
            let wrong = SheetError::WrongRow { index };
            let (row, after) = rest
                .split_at_checked(info.chunks as usize * Hash::LEN)
                .ok_or(wrong)?;
            let row: Vec<Hash> = row.chunks_exact(Hash::LEN).filter_map(Hash::from_slice).collect();
            if tree::root(&row) != info.root {
                return Err(wrong);
            }
            rows.push((ObjectId::new(track, index), row));
            rest = after;
        }
        for (id, row) in rows.iter().filter(|(_, row)| row.len() > 1) {
            self.rows.insert(*id, row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_rows_are_forgotten_first() {
        let longest = vec![Hash([1; 32]); 2048];
        let mut rows = Rows::default();
        for index in 0..40 {
            rows.insert(ObjectId::new(TrackId(1), index), &longest);
        }
        let kept = (0..40)
            .filter(|index| rows.get(ObjectId::new(TrackId(1), *index)).is_some())
            .collect::<Vec<_>>();
        assert_eq!(kept, (8..40).collect::<Vec<_>>());
    }
}
