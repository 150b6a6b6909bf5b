//! Bytes to messages.

use alloc::vec::Vec;

use super::error::InvalidMessage;
use super::limits::{
    DATA_HEAD, MAX_DATA_CHUNKS, MAX_HEAD, MAX_MESSAGE, MAX_PARTIAL_RANGES, MAX_PARTIALS, MAX_RANGES,
    MAX_REQUEST_CHUNKS, MAX_ROW, MAX_STATEMENT, MAX_TRACKS,
};
use super::message::{ByeReason, Have, Message, Partial, Ranges, RejectReason, Urgency, kind};
use super::range::Range;
use crate::content::{Hash, MAX_CHUNKS, ObjectId, TrackId};
use crate::identity::{Hello, MAX_TICKET, Proof, Reader};

/// Reads one message of the control channel. Every byte must belong to it.
pub fn decode(bytes: &[u8]) -> Result<Message, InvalidMessage> {
    if bytes.len() > MAX_MESSAGE {
        return Err(InvalidMessage::TooLarge);
    }
    let mut reader = Reader::new(bytes);
    let message = match reader.u8().map_err(|_| InvalidMessage::Empty)? {
        Hello::TYPE => return Ok(Message::Hello(Hello::decode(bytes)?)),
        Proof::TYPE => return Ok(Message::Proof(Proof::decode(bytes)?)),
        kind::TRACKS => tracks(&mut reader)?,
        kind::HAVE => have(&mut reader)?,
        kind::UNHAVE => unhave(&mut reader)?,
        kind::WANT_ROWS => {
            let (object, root) = object(&mut reader)?;
            Message::WantRows { object, root }
        }
        kind::ROWS => rows(&mut reader)?,
        kind::REQUEST => request(&mut reader)?,
        kind::CANCEL => Message::Cancel { id: reader.u32()? },
        kind::REJECT => {
            let id = reader.u32()?;
            let reason = RejectReason::from_code(reader.u8()?).ok_or(InvalidMessage::UnknownReason)?;
            Message::Reject { id, reason }
        }
        kind::DATA => return Err(InvalidMessage::DataOnControl),
        kind::STATEMENT => Message::Statement(opaque(&mut reader, MAX_STATEMENT)?),
        kind::CHOKE => Message::Choke,
        kind::UNCHOKE => Message::Unchoke,
        kind::HEAD => Message::Head(opaque(&mut reader, MAX_HEAD)?),
        kind::BYE => {
            let reason = ByeReason::from_code(reader.u8()?).ok_or(InvalidMessage::UnknownReason)?;
            Message::Bye { reason }
        }
        kind::CLAIM => {
            let track = TrackId(reader.u16()?);
            let index = reader.u32()?;
            let rank = u64::from_be_bytes(reader.array()?);
            Message::Claim {
                object: ObjectId { track, index },
                rank,
            }
        }
        kind::TICKET => Message::Ticket(opaque(&mut reader, MAX_TICKET)?),
        _ => return Err(InvalidMessage::UnknownType),
    };
    if !reader.is_empty() {
        return Err(InvalidMessage::TrailingBytes);
    }
    Ok(message)
}

/// Reads the head of one message of the data channel: the [`Message::Data`] and the length of the head.
/// What follows the head is payload, which the caller must compare with what it asked for.
pub fn decode_data_head(bytes: &[u8]) -> Result<(Message, usize), InvalidMessage> {
    let mut reader = Reader::new(bytes);
    if reader.u8().map_err(|_| InvalidMessage::Empty)? != kind::DATA {
        return Err(InvalidMessage::NotDataOnData);
    }
    let id = reader.u32()?;
    let (object, root) = object(&mut reader)?;
    let (first, count) = chunks(&mut reader, MAX_DATA_CHUNKS)?;
    Ok((
        Message::Data {
            id,
            object,
            root,
            first,
            count,
        },
        DATA_HEAD,
    ))
}

fn tracks(reader: &mut Reader<'_>) -> Result<Message, InvalidMessage> {
    let count = usize::from(reader.u16()?);
    if count > MAX_TRACKS {
        return Err(InvalidMessage::TooManyTracks);
    }
    require(reader, count, 2 + 32)?;
    let mut tracks: Vec<(TrackId, Hash)> = Vec::with_capacity(count);
    for _ in 0..count {
        let track = TrackId(reader.u16()?);
        if tracks.last().is_some_and(|(earlier, _)| *earlier >= track) {
            return Err(InvalidMessage::TracksOutOfOrder);
        }
        tracks.push((track, Hash(reader.array()?)));
    }
    Ok(Message::Tracks(tracks))
}

fn have(reader: &mut Reader<'_>) -> Result<Message, InvalidMessage> {
    let track = TrackId(reader.u16()?);
    let complete = segments(reader)?;
    let count = usize::from(reader.u8()?);
    if count > MAX_PARTIALS {
        return Err(InvalidMessage::TooManyPartials);
    }
    if complete.is_empty() && count == 0 {
        return Err(InvalidMessage::NothingNamed);
    }
    let mut partial: Vec<Partial> = Vec::with_capacity(count);
    for _ in 0..count {
        let index = reader.u32()?;
        if partial.last().is_some_and(|earlier| earlier.index >= index) {
            return Err(InvalidMessage::RangesOutOfOrder);
        }
        partial.push(Partial {
            index,
            chunks: chunk_ranges(reader)?,
        });
    }
    Ok(Message::Have(Have {
        track,
        complete,
        partial,
    }))
}

fn unhave(reader: &mut Reader<'_>) -> Result<Message, InvalidMessage> {
    let track = TrackId(reader.u16()?);
    let segments = segments(reader)?;
    if segments.is_empty() {
        return Err(InvalidMessage::NothingNamed);
    }
    Ok(Message::Unhave(Ranges { track, segments }))
}

fn rows(reader: &mut Reader<'_>) -> Result<Message, InvalidMessage> {
    let (object, root) = object(reader)?;
    let count = usize::from(reader.u16()?);
    if count == 0 || count > MAX_ROW {
        return Err(InvalidMessage::BadRowLength);
    }
    require(reader, count, 32)?;
    let mut hashes = Vec::with_capacity(count);
    for _ in 0..count {
        hashes.push(Hash(reader.array()?));
    }
    Ok(Message::Rows { object, root, hashes })
}

fn request(reader: &mut Reader<'_>) -> Result<Message, InvalidMessage> {
    let id = reader.u32()?;
    let (object, root) = object(reader)?;
    let (first, count) = chunks(reader, MAX_REQUEST_CHUNKS)?;
    let nonce = reader.array()?;
    let urgency = Urgency::from_code(reader.u8()?).ok_or(InvalidMessage::UnknownUrgency)?;
    Ok(Message::Request {
        id,
        object,
        root,
        first,
        count,
        nonce,
        urgency,
    })
}

fn object(reader: &mut Reader<'_>) -> Result<(ObjectId, Hash), InvalidMessage> {
    let track = TrackId(reader.u16()?);
    let index = reader.u32()?;
    Ok((ObjectId { track, index }, Hash(reader.array()?)))
}

fn chunks(reader: &mut Reader<'_>, limit: u8) -> Result<(u32, u8), InvalidMessage> {
    let first = reader.u32()?;
    let count = reader.u8()?;
    if count == 0 || count > limit {
        return Err(InvalidMessage::BadChunkCount);
    }
    match first.checked_add(u32::from(count)) {
        Some(end) if end <= MAX_CHUNKS => Ok((first, count)),
        _ => Err(InvalidMessage::ChunkOutOfRange),
    }
}

fn segments(reader: &mut Reader<'_>) -> Result<Vec<Range>, InvalidMessage> {
    let count = usize::from(reader.u8()?);
    if count > MAX_RANGES {
        return Err(InvalidMessage::TooManyRanges);
    }
    require(reader, count, 8)?;
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        let range = Range::new(reader.u32()?, reader.u32()?);
        append(&mut ranges, range)?;
    }
    Ok(ranges)
}

fn chunk_ranges(reader: &mut Reader<'_>) -> Result<Vec<Range>, InvalidMessage> {
    let count = usize::from(reader.u8()?);
    if count == 0 {
        return Err(InvalidMessage::NothingNamed);
    }
    if count > MAX_PARTIAL_RANGES {
        return Err(InvalidMessage::TooManyRanges);
    }
    require(reader, count, 4)?;
    let mut ranges = Vec::with_capacity(count);
    for _ in 0..count {
        let range = Range::new(u32::from(reader.u16()?), u32::from(reader.u16()?));
        append(&mut ranges, range)?;
        if range.end().is_none_or(|end| end > MAX_CHUNKS) {
            return Err(InvalidMessage::ChunkOutOfRange);
        }
    }
    Ok(ranges)
}

fn append(ranges: &mut Vec<Range>, range: Range) -> Result<(), InvalidMessage> {
    if range.count == 0 {
        return Err(InvalidMessage::EmptyRange);
    }
    if range.end().is_none() {
        return Err(InvalidMessage::RangeOverflow);
    }
    if ranges
        .last()
        .and_then(|earlier| earlier.end())
        .is_some_and(|end| range.first < end)
    {
        return Err(InvalidMessage::RangesOutOfOrder);
    }
    ranges.push(range);
    Ok(())
}

fn opaque(reader: &mut Reader<'_>, limit: usize) -> Result<Vec<u8>, InvalidMessage> {
    let length = reader.remaining();
    if length == 0 || length > limit {
        return Err(InvalidMessage::BadOpaqueLength);
    }
    Ok(reader.bytes(length)?.to_vec())
}

/// Refuses a count whose items cannot all be there, before anything is allocated for them.
fn require(reader: &Reader<'_>, count: usize, size: usize) -> Result<(), InvalidMessage> {
    if reader.remaining() < count * size {
        Err(InvalidMessage::Truncated)
    } else {
        Ok(())
    }
}
