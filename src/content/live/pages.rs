//! The log as files: its records in pages, and the roots of the full pages, both only ever appended to.
//!
//! A page of 256 records is a complete subtree of the log, so its root never changes once it is full, and the tree over
//! the roots of the pages is the tree over the records. A reader of any head takes the roots by range, and can then
//! verify any page alone; the page that is not full it can verify at once.

use alloc::string::String;
use alloc::vec::Vec;

use super::rules::Order;
use super::{HeadError, LiveTrack};
use crate::content::geometry::{PAGE_RECORDS, RECORD_LEN, page_records};
use crate::content::tree::{self, RootBuilder};
use crate::content::{Hash, Record};

/// The pages of one track's log up to some size, as one head vouches for them.
#[derive(Debug, Clone)]
pub struct LogPages {
    size: u32,
    /// Roots of the complete subtrees over these records, largest first.
    peaks: Vec<Hash>,
    /// Roots of the full pages; empty until they are taken.
    roots: Vec<Hash>,
}

impl LogPages {
    /// The whole log.
    #[must_use]
    pub fn of(track: &LiveTrack) -> Self {
        Self::new(track.size(), track.peaks())
    }

    /// The log before the records that the head carries itself.
    #[must_use]
    pub fn before(track: &LiveTrack) -> Self {
        Self::new(track.base, track.frontier.clone())
    }

    const fn new(size: u32, peaks: Vec<Hash>) -> Self {
        Self {
            size,
            peaks,
            roots: Vec::new(),
        }
    }

    /// Records of the log.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// Whether the roots of the full pages are known: without them only the page that is not full can be checked.
    #[must_use]
    pub const fn has_roots(&self) -> bool {
        self.roots.len() == (self.size / PAGE_RECORDS) as usize
    }

    /// First byte and length, in the file of roots, that [`Self::take_roots`] wants.
    #[must_use]
    pub const fn roots_range(&self) -> (u64, u64) {
        (0, (self.size / PAGE_RECORDS) as u64 * Hash::LEN as u64)
    }

    /// First byte and length of a page in the file of records; the last page may be shorter, or empty.
    #[must_use]
    pub fn page_range(&self, page: u32) -> (u64, u64) {
        (
            u64::from(page) * u64::from(PAGE_RECORDS * RECORD_LEN),
            u64::from(page_records(self.size, page)) * u64::from(RECORD_LEN),
        )
    }

    /// Takes the roots of all full pages, if they give the roots of the larger subtrees.
    ///
    /// # Errors
    /// [`PageError`] when they do not.
    pub fn take_roots(&mut self, bytes: &[u8]) -> Result<(), PageError> {
        if bytes.len() as u64 != self.roots_range().1 {
            return Err(PageError::WrongLength);
        }
        let roots: Vec<Hash> = bytes
            .chunks_exact(Hash::LEN)
            .filter_map(Hash::from_slice)
            .collect();
        let mut log = RootBuilder::default();
        for root in &roots {
            log.push(*root);
        }
        if self.peaks.get(..log.peaks().len()) != Some(log.peaks()) {
            return Err(PageError::WrongRoots);
        }
        self.roots = roots;
        Ok(())
    }

    /// Verifies one page.
    ///
    /// # Errors
    /// [`PageError`] when it is not the page, or when the roots have to be taken first.
    pub fn check(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        if bytes.len() as u64 != self.page_range(page).1 {
            return Err(PageError::WrongLength);
        }
        let mut within = RootBuilder::default();
        for record in bytes.chunks_exact(RECORD_LEN as usize) {
            within.push(tree::leaf(record));
        }
        let expected = match self.roots.get(page as usize) {
            Some(root) => core::slice::from_ref(root),
            // The page that is not full makes up the smaller subtrees.
            None if page == self.size / PAGE_RECORDS => {
                let smaller = (self.size % PAGE_RECORDS).count_ones() as usize;
                self.peaks
                    .get(self.peaks.len().saturating_sub(smaller)..)
                    .unwrap_or_default()
            }
            None => return Err(PageError::WrongPage { page }),
        };
        if within.peaks() == expected {
            Ok(())
        } else {
            Err(PageError::WrongPage { page })
        }
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
        if size > self.size || self.roots.len() < page as usize {
            return Err(PageError::WrongLength);
        }
        let mut log = RootBuilder::default();
        for root in self.roots.iter().take(page as usize) {
            log.push(*root);
        }
        if within > 0 {
            self.check(page, bytes)?;
            let part = bytes.get(..(within * RECORD_LEN) as usize);
            log.push(root_of(part.ok_or(PageError::WrongLength)?));
        }
        Ok(log.finish())
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
    #[error("the roots of the pages do not hash to what the head states")]
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
