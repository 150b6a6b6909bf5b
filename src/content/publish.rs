//! The publisher's half: builds index, names and rows files piece by piece, with one record in hand at a time.

use alloc::string::String;
use alloc::vec::Vec;
use std::io::{self, Write};

use super::geometry::{CHUNK, PAGE_RECORDS};
use super::tree::{self, RootBuilder};
use super::{Hash, Record, RecordError, normalise_path};

/// Hashes one object whose bytes arrive in pieces of any size.
#[derive(Debug, Clone, Default)]
pub struct ObjectHasher {
    pending: Vec<u8>,
    row: Vec<Hash>,
    length: u64,
}

impl ObjectHasher {
    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = CHUNK as usize - self.pending.len();
            let (head, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.pending.extend_from_slice(head);
            bytes = rest;
            if self.pending.len() == CHUNK as usize {
                self.row.push(tree::leaf(&self.pending));
                self.pending.clear();
            }
        }
    }

    /// The object, once all bytes are in.
    #[must_use]
    pub fn finish(mut self) -> HashedObject {
        if !self.pending.is_empty() {
            self.row.push(tree::leaf(&self.pending));
        }
        HashedObject {
            length: self.length,
            root: tree::root(&self.row),
            row: self.row,
        }
    }
}

/// Length, root and leaf hashes of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedObject {
    /// Bytes.
    pub length: u64,
    /// Root of the hash tree.
    pub root: Hash,
    /// Leaf hashes in order.
    pub row: Vec<Hash>,
}

impl HashedObject {
    /// Hashes bytes that are all in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let row: Vec<Hash> = bytes.chunks(CHUNK as usize).map(tree::leaf).collect();
        Self {
            length: bytes.len() as u64,
            root: tree::root(&row),
            row,
        }
    }
}

/// Builds the index file of one track. Holds the pages, 64 bytes for each segment.
#[derive(Debug, Clone, Default)]
pub struct IndexBuilder {
    pages: PagedFile,
    segments: u32,
    rows_len: u64,
}

impl IndexBuilder {
    /// Appends a segment. `offset` is 0 unless the track is ranged; times are in ticks of the track's timescale.
    ///
    /// # Errors
    /// [`BuildError`] when no reader would take the segment.
    pub fn push(&mut self, segment: &NewSegment) -> Result<(), BuildError> {
        let record = Record {
            root: segment.root,
            length: u32::try_from(segment.length).map_err(|_| BuildError::TooLong)?,
            duration: segment.duration,
            offset: segment.offset,
            row_offset: self.rows_len,
            media_start: segment.media_start,
        };
        if self.segments == super::MAX_SEGMENTS {
            return Err(BuildError::TooManySegments);
        }
        let encoded = record.encode();
        // What a reader would refuse is not written.
        Record::decode(&encoded).map_err(|error| match error {
            RecordError::TooLong => BuildError::TooLong,
            _ => BuildError::NumberRange,
        })?;
        self.rows_len += record.row_len();
        self.pages.push(self.segments, &encoded);
        self.segments += 1;
        Ok(())
    }

    /// The whole file, and what the manifest says of it.
    #[must_use]
    pub fn finish(self) -> BuiltFile {
        let hashes = self.pages.hashes();
        let mut bytes = Vec::new();
        for hash in &hashes {
            bytes.extend_from_slice(&hash.0);
        }
        for page in &self.pages.0 {
            bytes.extend_from_slice(page);
        }
        BuiltFile {
            bytes,
            root: tree::root(&hashes),
            segments: self.segments,
        }
    }
}

/// One segment as a publisher knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewSegment {
    /// Root of its hash tree.
    pub root: Hash,
    /// Bytes.
    pub length: u64,
    /// Byte offset in its resource; 0 unless the track is ranged.
    pub offset: u64,
    /// Media start in ticks.
    pub media_start: u64,
    /// Duration in ticks.
    pub duration: u32,
}

/// Builds the names table of one track. Holds the names.
#[derive(Debug, Clone, Default)]
pub struct NamesBuilder {
    significant_query: Vec<String>,
    pages: PagedFile,
    segments: u32,
}

impl NamesBuilder {
    /// For a manifest with these significant query parameters; [`Self::default`] is for one without.
    #[must_use]
    pub fn new(significant_query: &[String]) -> Self {
        Self {
            significant_query: significant_query.to_vec(),
            ..Self::default()
        }
    }

    /// Appends the name of the next segment: a normalised path.
    ///
    /// # Errors
    /// [`BuildError`] when no reader would take the name.
    pub fn push(&mut self, name: &str) -> Result<(), BuildError> {
        if normalise_path(name, &self.significant_query).as_deref() != Ok(name) {
            return Err(BuildError::BadName);
        }
        if self.segments == super::MAX_SEGMENTS {
            return Err(BuildError::TooManySegments);
        }
        let length = u16::try_from(name.len()).map_err(|_| BuildError::BadName)?;
        let mut entry = length.to_be_bytes().to_vec();
        entry.extend_from_slice(name.as_bytes());
        self.pages.push(self.segments, &entry);
        self.segments += 1;
        Ok(())
    }

    /// The whole file, and what the manifest says of it.
    #[must_use]
    pub fn finish(self) -> BuiltFile {
        let mut bytes = Vec::new();
        let mut root = RootBuilder::default();
        for page in &self.pages.0 {
            // A page of names has at most 256 * 1026 bytes.
            let length = u32::try_from(page.len()).unwrap_or(u32::MAX);
            let entry = [&length.to_be_bytes()[..], &tree::leaf(page).0].concat();
            root.push(tree::leaf(&entry));
            bytes.extend_from_slice(&entry);
        }
        for page in &self.pages.0 {
            bytes.extend_from_slice(page);
        }
        BuiltFile {
            bytes,
            root: root.finish(),
            segments: self.segments,
        }
    }
}

/// Writes the rows file of one track: the row of every segment, one after the other.
#[derive(Debug)]
pub struct RowsWriter<W: Write> {
    out: W,
}

impl<W: Write> RowsWriter<W> {
    /// Writes to `out`, which should be buffered.
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// Appends the row of the next segment.
    ///
    /// # Errors
    /// What `out` says.
    pub fn push(&mut self, row: &[Hash]) -> io::Result<()> {
        row.iter().try_for_each(|hash| self.out.write_all(&hash.0))
    }

    /// Flushes, and gives the writer back.
    ///
    /// # Errors
    /// What `out` says.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// A finished index or names file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltFile {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The root that the manifest states.
    pub root: Hash,
    /// Segments in it.
    pub segments: u32,
}

/// Why a segment cannot be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Longer than an object may be.
    #[error("a segment is longer than 32 MiB: split it into ranges")]
    TooLong,
    /// An offset or a time beyond 2^53 - 1.
    #[error("a segment's offset or time is out of its range")]
    NumberRange,
    /// More segments than a track may have.
    #[error("a track has more than 131,072 segments")]
    TooManySegments,
    /// A name that is not in normal form.
    #[error("a segment's name is not a normalised path of at most 1024 bytes")]
    BadName,
}

/// Entries gathered into pages of [`PAGE_RECORDS`].
#[derive(Debug, Clone, Default)]
struct PagedFile(Vec<Vec<u8>>);

impl PagedFile {
    fn push(&mut self, position: u32, entry: &[u8]) {
        if position.is_multiple_of(PAGE_RECORDS) {
            self.0.push(Vec::new());
        }
        if let Some(page) = self.0.last_mut() {
            page.extend_from_slice(entry);
        }
    }

    fn hashes(&self) -> Vec<Hash> {
        self.0.iter().map(|page| tree::leaf(page)).collect()
    }
}

#[cfg(test)]
mod tests;
