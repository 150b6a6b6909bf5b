//! The log as files: its records in pages, and the roots of the full pages, both only ever appended to.
//!
//! A page of 256 records is a complete subtree of the log, so its root never changes once it is full, and the tree over
//! the roots of the pages is the tree over the records. A reader of any head takes the roots and the last page by range
//! and can then verify any other page alone.

use alloc::string::String;
use alloc::vec::Vec;

use super::rules::Order;
use super::{HeadError, LiveTrack};
use crate::content::geometry::{PAGE_RECORDS, RECORD_LEN, page_count, page_records};
use crate::content::tree::{self, RootBuilder};
use crate::content::{Hash, Record};

/// The pages of one track's log, as one head vouches for them.
#[derive(Debug, Clone)]
pub struct LogPages {
    size: u32,
    /// Roots of all pages, the last one included.
    roots: Vec<Hash>,
}

impl LogPages {
    /// Bytes of roots, and the first byte and the length of the last page's records, that [`Self::verify`] wants of a
    /// log of `size` records.
    #[must_use]
    pub fn wanted(size: u32) -> (u64, (u64, u64)) {
        let full = size / PAGE_RECORDS;
        let rest = u64::from(size % PAGE_RECORDS) * u64::from(RECORD_LEN);
        (
            u64::from(full) * Hash::LEN as u64,
            (u64::from(full * PAGE_RECORDS) * u64::from(RECORD_LEN), rest),
        )
    }

    /// First byte and length in the records file of a page of a log of `size` records.
    #[must_use]
    pub fn page_range(size: u32, page: u32) -> (u64, u64) {
        (
            u64::from(page) * u64::from(PAGE_RECORDS * RECORD_LEN),
            u64::from(page_records(size, page)) * u64::from(RECORD_LEN),
        )
    }

    /// Takes the roots of all full pages, and the records of the page that is not full, if they give the track's root.
    ///
    /// # Errors
    /// [`PageError`] when they do not.
    pub fn verify(track: &LiveTrack, roots: &[u8], last: &[u8]) -> Result<Self, PageError> {
        let size = track.size();
        let (roots_len, (_, last_len)) = Self::wanted(size);
        if roots.len() as u64 != roots_len || last.len() as u64 != last_len {
            return Err(PageError::WrongLength);
        }
        let mut all: Vec<Hash> = roots
            .chunks_exact(Hash::LEN)
            .filter_map(Hash::from_slice)
            .collect();
        if !last.is_empty() {
            all.push(root_of(last));
        }
        if all.len() != page_count(size) as usize || tree::root(&all) != track.root() {
            return Err(PageError::WrongRoots);
        }
        Ok(Self { size, roots: all })
    }

    /// Verifies one page and reads it.
    ///
    /// # Errors
    /// [`PageError`] when it is not the page, or breaks a rule of records.
    pub fn read(
        &self,
        track: &LiveTrack,
        page: u32,
        bytes: &[u8],
        significant_query: &[String],
    ) -> Result<Vec<Record>, PageError> {
        self.check(page, bytes)?;
        let order = Order::of(track, significant_query)?;
        let mut records: Vec<Record> = Vec::with_capacity(page_records(self.size, page) as usize);
        let (encoded, _) = bytes.as_chunks::<{ RECORD_LEN as usize }>();
        for (index, encoded) in (page * PAGE_RECORDS..).zip(encoded) {
            let record = Record::decode(encoded).map_err(HeadError::Record)?;
            order.check(index, &record, records.last())?;
            records.push(record);
        }
        Ok(records)
    }

    /// The root that the log had at `size` records, from `bytes`, the page in which record `size` lies (no bytes if
    /// there is no such page): what an older head must have stated.
    ///
    /// # Errors
    /// [`PageError`] when it is not the page.
    pub fn root_at(&self, size: u32, bytes: &[u8]) -> Result<Hash, PageError> {
        let (page, within) = (size / PAGE_RECORDS, size % PAGE_RECORDS);
        let mut log = RootBuilder::default();
        for root in self.roots.iter().take(page as usize) {
            log.push(*root);
        }
        if size > self.size {
            return Err(PageError::WrongLength);
        }
        if within > 0 {
            self.check(page, bytes)?;
            let part = bytes.get(..(within * RECORD_LEN) as usize);
            log.push(root_of(part.ok_or(PageError::WrongLength)?));
        }
        Ok(log.finish())
    }

    fn check(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        let expected = self.roots.get(page as usize).ok_or(PageError::WrongLength)?;
        if bytes.len() as u64 != Self::page_range(self.size, page).1 {
            return Err(PageError::WrongLength);
        }
        if root_of(bytes) == *expected {
            Ok(())
        } else {
            Err(PageError::WrongPage { page })
        }
    }
}

fn root_of(records: &[u8]) -> Hash {
    let leaves: Vec<Hash> = records
        .chunks_exact(RECORD_LEN as usize)
        .map(tree::leaf)
        .collect();
    tree::root(&leaves)
}

/// Why a page of a log is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// Too many or too few bytes, or no such page.
    #[error("a page of the log has another length, or is not there")]
    WrongLength,
    /// The roots do not give the log's root.
    #[error("the roots of the pages do not hash to the log's root")]
    WrongRoots,
    /// A page does not have its root.
    #[error("page {page} of the log does not have its root")]
    WrongPage {
        /// The page.
        page: u32,
    },
    /// The publisher signed a record that breaks a rule.
    #[error(transparent)]
    Rule(#[from] HeadError),
}

impl PageError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WrongLength => "wrong_length",
            Self::WrongRoots => "wrong_roots",
            Self::WrongPage { .. } => "wrong_page",
            Self::Rule(error) => error.code(),
        }
    }
}
