//! Stands for `live` in a core that does not follow live contents: there never is one here.

use alloc::vec::Vec;

use super::Catalog;
use super::index::{Entry, Index, Page};
use crate::content::geometry::PAGE_RECORDS;
use crate::content::{Hash, Manifest, TrackId};

/// What a live content would have beside its tracks.
#[derive(Debug, Clone)]
pub(super) enum LiveListing {}

/// What the pages of a live track's log would be verified against.
#[derive(Debug, Clone)]
pub(super) enum LogPages {}

impl LiveListing {
    pub(super) const fn of(_: &Manifest) -> Option<Self> {
        None
    }

    pub(super) const fn has_begun(&self) -> bool {
        match *self {}
    }

    pub(super) const fn document(&self, _: &str) -> Option<()> {
        match *self {}
    }

    pub(super) const fn root(&self) -> Hash {
        match *self {}
    }
}

impl LogPages {
    pub(super) const fn size(&self) -> u32 {
        match *self {}
    }

    pub(super) const fn has_roots(&self) -> bool {
        match *self {}
    }

    pub(super) const fn roots_range(&self) -> (u64, u64) {
        match *self {}
    }

    pub(super) const fn page_range(&self, _: u32) -> (u64, u64) {
        match *self {}
    }

    pub(super) const fn check(&self, _: u32, _: &[u8]) -> Result<(), ()> {
        match *self {}
    }

    pub(super) const fn take_roots(&mut self, _: &[u8]) -> Result<(), ()> {
        match *self {}
    }
}

impl Index {
    /// Takes in a page.
    pub(super) fn put(&mut self, first: u32, entries: Vec<Entry>) {
        self.pages.insert(first / PAGE_RECORDS, Page { skip: 0, entries });
    }
}

impl Catalog {
    /// Segments of a live track so far.
    #[must_use]
    pub(crate) const fn edge(&self, _: TrackId) -> Option<u32> {
        None
    }
}
