//! Segment indexes (`sidx`, ISO/IEC 14496-12 §8.16.3) of files that hold a whole representation.

use std::io::Cursor;

use mp4_atom::{Atom, Header, ReadAtom, ReadFrom, Sidx};

use crate::publisher::PublishError;
use crate::publisher::source::{Source, read_range};

/// Subsegments of a file.
pub(super) struct Index {
    pub(super) timescale: u32,
    /// Presentation time of the first one in ticks.
    pub(super) earliest: u64,
    /// Offset and length of the boxes read.
    pub(super) boxes: Vec<(u64, u64)>,
    /// Offset, length, duration in ticks.
    pub(super) ranges: Vec<(u64, u64, u32)>,
}

/// Reads the index at `given` offset and length, or searches the file for one. `None`: the file has none.
pub(super) fn read(
    source: &dyn Source,
    name: &str,
    given: Option<(u64, u64)>,
    file_length: u64,
) -> Result<Option<Index>, PublishError> {
    let found = match given {
        Some((offset, length)) if is_sidx(source, name, offset)? => Some((offset, length)),
        Some(_) => None,
        None => search(source, name, file_length)?,
    };
    let Some((offset, length)) = found else {
        return Ok(None);
    };
    let mut index = Index {
        timescale: 0,
        earliest: 0,
        boxes: Vec::new(),
        ranges: Vec::new(),
    };
    follow(source, name, (offset, length), 0, &mut index)?;
    if index.timescale == 0 {
        return Err(PublishError::unreadable(
            name,
            "its segment index has a timescale of zero",
        ));
    }
    Ok(Some(index))
}

/// Reads one index box, and those that it points to.
fn follow(
    source: &dyn Source,
    name: &str,
    place: (u64, u64),
    depth: u32,
    index: &mut Index,
) -> Result<(), PublishError> {
    let malformed = |detail: String| PublishError::unreadable(name, format!("its segment index {detail}"));
    if depth > DEPTH || index.boxes.len() >= BOXES {
        return Err(malformed("refers to too many others".to_owned()));
    }
    let (offset, length) = place;
    let bytes = read_range(source, name, Some((offset, length.min(BOX_LIMIT))), BOX_LIMIT)?;
    let mut cursor = Cursor::new(bytes.as_slice());
    let header = Header::read_from(&mut cursor).map_err(|error| malformed(format!("is damaged: {error}")))?;
    if header.kind != Sidx::KIND {
        return Err(malformed(format!("is not where it should be, at byte {offset}")));
    }
    let sidx =
        Sidx::read_atom(&header, &mut cursor).map_err(|error| malformed(format!("is damaged: {error}")))?;
    let end = offset + cursor.position();
    index.boxes.push((offset, end - offset));
    if index.timescale == 0 {
        index.timescale = sidx.timescale;
        index.earliest = sidx.earliest_presentation_time;
    }
    let mut position = end
        .checked_add(sidx.first_offset)
        .ok_or_else(|| malformed("points nowhere".to_owned()))?;
    for reference in &sidx.references {
        let size = u64::from(reference.referenced_size);
        if reference.reference_type {
            follow(source, name, (position, size), depth + 1, index)?;
        } else {
            index.ranges.push((position, size, reference.subsegment_duration));
        }
        position = position
            .checked_add(size)
            .ok_or_else(|| malformed("points nowhere".to_owned()))?;
    }
    Ok(())
}

fn is_sidx(source: &dyn Source, name: &str, offset: u64) -> Result<bool, PublishError> {
    let head = read_range(source, name, Some((offset, 8)), 8)?;
    Ok(head.get(4..8).is_some_and(|kind| kind == b"sidx"))
}

/// Walks the top-level boxes before the media.
fn search(source: &dyn Source, name: &str, file_length: u64) -> Result<Option<(u64, u64)>, PublishError> {
    let mut offset: u64 = 0;
    for _ in 0..BOXES {
        if offset.saturating_add(8) > file_length {
            break;
        }
        let head = read_range(source, name, Some((offset, 16.min(file_length - offset))), 16)?;
        // A box that fills the rest of the file, or bytes that are no box at all.
        let Ok(Header {
            kind,
            size: Some(size),
        }) = Header::read_from(&mut Cursor::new(head.as_slice()))
        else {
            break;
        };
        let long = head.get(..4).is_some_and(|size| size == [0, 0, 0, 1]);
        let length = (size as u64).saturating_add(if long { 16 } else { 8 });
        if kind == Sidx::KIND {
            return Ok(Some((offset, length)));
        }
        if &*kind.to_string() == "mdat" || &*kind.to_string() == "moof" {
            break;
        }
        offset = offset.saturating_add(length);
    }
    Ok(None)
}

/// 65,535 references of 12 bytes and the head.
const BOX_LIMIT: u64 = 1 << 20;
/// Levels of indexes that refer to indexes; packagers use two at most.
const DEPTH: u32 = 4;
/// Index boxes per file, and boxes looked at in the search for one.
const BOXES: usize = 4096;
