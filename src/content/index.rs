//! One record of a track index: 64 bytes that say what a segment is and where its bytes and its row lie.

use super::geometry::{MAX_OBJECT_LEN, RECORD_LEN, chunk_count};
use super::{Hash, MAX_NUMBER};

/// One segment as its index states it. Numbers are big-endian on the wire, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Root of the segment's hash tree.
    pub root: Hash,
    /// Bytes; at most [`MAX_OBJECT_LEN`].
    pub length: u32,
    /// Duration in ticks of the track's timescale; 0 for files.
    pub duration: u32,
    /// Byte offset in its resource; 0 unless the track is ranged.
    pub offset: u64,
    /// Byte offset of its row in the track's rows file.
    pub row_offset: u64,
    /// Media start in ticks of the track's timescale; 0 for files.
    pub media_start: u64,
}

impl Record {
    /// The 64 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD_LEN as usize] {
        let mut out = [0; RECORD_LEN as usize];
        let bytes = self
            .root
            .0
            .into_iter()
            .chain(self.length.to_be_bytes())
            .chain(self.duration.to_be_bytes())
            .chain(self.offset.to_be_bytes())
            .chain(self.row_offset.to_be_bytes())
            .chain(self.media_start.to_be_bytes());
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = from;
        }
        out
    }

    /// Reads one record.
    ///
    /// # Errors
    /// [`RecordError`] when a number is outside what an object may have.
    pub fn decode(bytes: &[u8; RECORD_LEN as usize]) -> Result<Self, RecordError> {
        let mut reader = Reader(bytes);
        let record = Self {
            root: Hash(reader.take()),
            length: u32::from_be_bytes(reader.take()),
            duration: u32::from_be_bytes(reader.take()),
            offset: u64::from_be_bytes(reader.take()),
            row_offset: u64::from_be_bytes(reader.take()),
            media_start: u64::from_be_bytes(reader.take()),
        };
        if u64::from(record.length) > MAX_OBJECT_LEN {
            return Err(RecordError::TooLong);
        }
        let ends = [
            record.offset.checked_add(u64::from(record.length)),
            record.row_offset.checked_add(record.row_len()),
            record.media_start.checked_add(u64::from(record.duration)),
        ];
        if ends.iter().any(|end| end.is_none_or(|end| end > MAX_NUMBER)) {
            return Err(RecordError::NumberRange);
        }
        Ok(record)
    }

    /// First byte after the segment in its resource.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + u64::from(self.length)
    }

    /// Bytes of the segment's row: 32 for each chunk.
    #[must_use]
    pub fn row_len(&self) -> u64 {
        u64::from(chunk_count(u64::from(self.length))) * Hash::LEN as u64
    }
}

/// Why a record, or its place among its neighbours, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The segment is longer than an object may be.
    #[error("a segment is longer than 32 MiB")]
    TooLong,
    /// An offset or a time is beyond 2^53 - 1.
    #[error("an offset or a time is out of its range")]
    NumberRange,
    /// A segment of a ranged track without bytes.
    #[error("a range is empty")]
    EmptyRange,
    /// An offset although the track's segments are whole resources.
    #[error("a whole resource has an offset")]
    UnexpectedOffset,
    /// Rows do not follow each other without a gap.
    #[error("rows are not laid out one after the other")]
    RowGap,
    /// The ranges of one resource overlap or go backwards.
    #[error("ranges of one resource overlap or go backwards")]
    RangeOrder,
    /// Media starts go backwards, or stand still although they name segments.
    #[error("media starts go backwards, or two segments share one that names them")]
    TimeOrder,
}

/// Takes fixed-size fields off the front of a record.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        if let Some((head, rest)) = self.0.split_at_checked(N) {
            for (to, from) in out.iter_mut().zip(head) {
                *to = *from;
            }
            self.0 = rest;
        }
        out
    }
}
