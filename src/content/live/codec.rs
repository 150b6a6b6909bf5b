//! The head's payload: maps with integer keys (docs/PROTOCOL.md, "Live").

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::error::Unreadable;
use super::{Document, HeadError, LiveHead, LiveTrack, Parent, Parts};
use crate::content::cbor::{self, CborError, MapWriter, Reader, Writer};
use crate::content::geometry::RECORD_LEN;
use crate::content::manifest::codec::{read_asset, read_kind, read_names, write_assets, write_names};
use crate::content::{ContentId, Hash, MAX_SEGMENTS, ManifestError, Record, TrackId, chunk_count, cose};

/// Version of the format that this build reads and writes.
pub(super) const FORMAT: u64 = 1;
pub(super) const TYPE_SESSION: u64 = 1;
pub(super) const TYPE_HEAD: u64 = 2;
/// Unknown keys from here on may be skipped; those below mean something that a reader has to understand.
pub(super) const FIRST_OPTIONAL: u64 = 64;

/// Checks the form of a payload.
pub(super) fn check(payload: &[u8]) -> Result<(), Unreadable> {
    Ok(cbor::check(payload, cose::MAX_DEPTH)?)
}

/// Reads format and type, which come first because keys ascend; gives the number of entries after them.
pub(super) fn begin(reader: &mut Reader<'_>, expected: u64) -> Result<u64, Unreadable> {
    let entries = reader.map()?;
    let malformed = Unreadable::Form(CborError::Malformed);
    if entries < 2 || reader.unsigned()? != key::FORMAT {
        return Err(malformed);
    }
    if reader.unsigned()? != FORMAT {
        return Err(Unreadable::Version);
    }
    if reader.unsigned()? != key::TYPE {
        return Err(malformed);
    }
    if reader.unsigned()? != expected {
        return Err(Unreadable::Type);
    }
    Ok(entries - 2)
}

/// The session that a head says it is by, for whoever has to fetch that session first. Never a basis for trust.
pub(super) fn claimed_session(payload: &[u8]) -> Option<u64> {
    check(payload).ok()?;
    let mut reader = Reader::new(payload);
    for _ in 0..begin(&mut reader, TYPE_HEAD).ok()? {
        match reader.unsigned().ok()? {
            key::SESSION => return reader.unsigned().ok(),
            _ => reader.skip().ok()?,
        }
    }
    None
}

/// Whether an object says that it is a session. Never a basis for trust.
pub(super) fn claims_session(payload: &[u8]) -> bool {
    check(payload).is_ok() && begin(&mut Reader::new(payload), TYPE_SESSION).is_ok()
}

pub(super) fn write(head: &LiveHead) -> Vec<u8> {
    let mut map = MapWriter::default();
    map.put(key::FORMAT, |out| _ = out.unsigned(FORMAT));
    map.put(key::TYPE, |out| _ = out.unsigned(TYPE_HEAD));
    map.put(key::CONTENT_ID, |out| _ = out.bytes(&head.content_id.0));
    map.put(key::SESSION, |out| _ = out.unsigned(head.session));
    map.put(key::LOG, |out| _ = out.unsigned(head.log));
    map.put(key::SEQUENCE, |out| _ = out.unsigned(head.sequence));
    map.put(key::ISSUED, |out| _ = out.unsigned(head.issued_ms));
    map.put(key::TARGET, |out| _ = out.unsigned(u64::from(head.target_ms)));
    map.put(key::TRACKS, |out| {
        out.array(head.tracks.len());
        for track in &head.tracks {
            write_track(out, track);
        }
    });
    map.put(key::ASSETS, |out| write_assets(out, &head.assets));
    map.put(key::DOCUMENTS, |out| {
        out.array(head.documents.len());
        for document in &head.documents {
            out.array(3).text(&document.path).text(&document.media_type);
            out.bytes(&joined(&document.digests));
        }
    });
    map.put(key::END, |out| _ = out.boolean(head.end));
    let mut out = Writer::default();
    map.finish(&mut out);
    out.into_bytes()
}

fn write_track(out: &mut Writer, track: &LiveTrack) {
    let mut map = MapWriter::default();
    map.put(track_key::ID, |out| _ = out.unsigned(u64::from(track.id.0)));
    map.put(track_key::KIND, |out| _ = out.unsigned(track.kind as u64));
    map.put(track_key::MEDIA_TYPE, |out| _ = out.text(&track.media_type));
    map.put(track_key::TIMESCALE, |out| {
        _ = out.unsigned(u64::from(track.timescale))
    });
    if let Some(bitrate) = track.bitrate {
        map.put(track_key::BITRATE, |out| _ = out.unsigned(bitrate));
    }
    map.put(track_key::NAMES, |out| write_names(out, &track.names));
    map.put(track_key::RANGED, |out| _ = out.boolean(track.ranged));
    map.put(track_key::BASE, |out| _ = out.unsigned(u64::from(track.base)));
    map.put(track_key::FRONTIER, |out| _ = out.bytes(&joined(&track.frontier)));
    map.put(track_key::RECORDS, |out| {
        let records: Vec<u8> = track.records.iter().flat_map(Record::encode).collect();
        out.bytes(&records);
    });
    map.put(track_key::ROWS, |out| {
        _ = out.bytes(&joined(track.rows.iter().flatten()))
    });
    if !track.discontinuities.is_empty() {
        map.put(track_key::DISCONTINUITIES, |out| {
            out.array(track.discontinuities.len());
            for index in &track.discontinuities {
                out.unsigned(u64::from(*index));
            }
        });
    }
    if track.closed {
        map.put(track_key::CLOSED, |out| _ = out.boolean(true));
    }
    if let Some(parts) = &track.parts {
        map.put(track_key::PARTS, |out| {
            out.array(2).unsigned(u64::from(parts.of.0));
            out.array(parts.parents.len());
            for parent in &parts.parents {
                out.array(3);
                for number in [parent.segment, parent.first, parent.count] {
                    out.unsigned(u64::from(number));
                }
            }
        });
    }
    map.finish(out);
}

/// Reads the structure; `payload` is deterministic CBOR already. Rules about values are checked afterwards.
pub(super) fn read(payload: &[u8]) -> Result<LiveHead, HeadError> {
    let mut reader = Reader::new(payload);
    let entries = begin(&mut reader, TYPE_HEAD)?;
    let (mut content_id, mut session, mut log, mut sequence) = (None, None, None, None);
    let (mut issued_ms, mut target_ms, mut tracks, mut assets) = (None, None, None, None);
    let (mut documents, mut end) = (None, None);
    for _ in 0..entries {
        match reader.unsigned()? {
            key::CONTENT_ID => content_id = Some(ContentId(reader.fixed()?)),
            key::SESSION => session = Some(reader.unsigned()?),
            key::LOG => log = Some(reader.unsigned()?),
            key::SEQUENCE => sequence = Some(reader.unsigned()?),
            key::ISSUED => issued_ms = Some(reader.unsigned()?),
            key::TARGET => target_ms = Some(small(&mut reader)?),
            key::TRACKS => tracks = Some(read_array(&mut reader, super::MAX_LIVE_TRACKS, read_track)?),
            key::ASSETS => {
                assets = Some(read_array(&mut reader, super::MAX_LIVE_ASSETS, |reader| {
                    read_asset(reader).map_err(plain)
                })?);
            }
            key::DOCUMENTS => {
                documents = Some(read_array(&mut reader, super::MAX_DOCUMENTS, read_document)?);
            }
            key::END => end = Some(reader.boolean()?),
            unknown if unknown < FIRST_OPTIONAL => return Err(HeadError::UnsupportedFeature),
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    let draft = || {
        Some(LiveHead {
            content_id: content_id?,
            session: session?,
            log: log?,
            sequence: sequence?,
            issued_ms: issued_ms?,
            target_ms: target_ms?,
            tracks: tracks?,
            assets: assets?,
            documents: documents?,
            end: end?,
        })
    };
    draft().ok_or(HeadError::Malformed)
}

fn read_track(reader: &mut Reader<'_>) -> Result<LiveTrack, HeadError> {
    let (mut id, mut kind, mut media_type, mut timescale) = (None, None, None, None);
    let (mut bitrate, mut names, mut ranged, mut base) = (None, None, None, None);
    let (mut frontier, mut records, mut rows): (_, Option<Vec<Record>>, Option<&[u8]>) = (None, None, None);
    let (mut discontinuities, mut closed, mut parts) = (Vec::new(), false, None);
    for _ in 0..reader.map()? {
        match reader.unsigned()? {
            track_key::ID => id = Some(small(reader)?),
            track_key::KIND => kind = Some(read_kind(reader).map_err(plain)?),
            track_key::MEDIA_TYPE => media_type = Some(reader.text()?.to_owned()),
            track_key::TIMESCALE => timescale = Some(small(reader)?),
            track_key::BITRATE => bitrate = Some(reader.unsigned()?),
            track_key::NAMES => names = Some(read_names(reader).map_err(plain)?),
            track_key::RANGED => ranged = Some(reader.boolean()?),
            track_key::BASE => base = Some(small(reader)?),
            track_key::FRONTIER => frontier = Some(hashes(reader.bytes()?)?),
            track_key::RECORDS => records = Some(read_records(reader.bytes()?)?),
            track_key::ROWS => rows = Some(reader.bytes()?),
            track_key::DISCONTINUITIES => {
                discontinuities = read_array(reader, MAX_SEGMENTS as usize, small)?;
            }
            track_key::CLOSED => closed = reader.boolean()?,
            track_key::PARTS => parts = Some(read_parts(reader)?),
            unknown if unknown < FIRST_OPTIONAL => return Err(HeadError::UnsupportedFeature),
            _ => reader.skip()?,
        }
    }
    let draft = || {
        let records = records?;
        let rows = cut_rows(&records, rows?);
        Some(LiveTrack {
            id: TrackId(id?),
            kind: kind?,
            media_type: media_type?,
            timescale: timescale?,
            bitrate,
            names: names?,
            ranged: ranged?,
            base: base?,
            frontier: frontier?,
            rows,
            records,
            discontinuities,
            closed,
            parts,
        })
    };
    draft().ok_or(HeadError::Malformed)
}

/// Rows have no lengths of their own: from the newest record backwards, each takes one hash for each chunk. What is
/// left over stays as a row that belongs to no record, for the rules to find.
fn cut_rows(records: &[Record], mut bytes: &[u8]) -> Vec<Vec<Hash>> {
    let mut rows = Vec::new();
    for record in records.iter().rev() {
        if bytes.is_empty() {
            break;
        }
        let length = chunk_count(u64::from(record.length)) as usize * Hash::LEN;
        let at = bytes.len().saturating_sub(length);
        let (rest, row) = bytes.split_at_checked(at).unwrap_or_default();
        rows.push(row.chunks(Hash::LEN).filter_map(Hash::from_slice).collect());
        bytes = rest;
    }
    if !bytes.is_empty() {
        rows.resize(records.len() + 1, Vec::new());
    }
    rows.reverse();
    rows
}

fn read_records(bytes: &[u8]) -> Result<Vec<Record>, HeadError> {
    let (records, rest) = bytes.as_chunks::<{ RECORD_LEN as usize }>();
    if !rest.is_empty() {
        return Err(HeadError::Malformed);
    }
    records
        .iter()
        .map(|record| Record::decode(record).map_err(HeadError::Record))
        .collect()
}

fn read_parts(reader: &mut Reader<'_>) -> Result<Parts, HeadError> {
    if reader.array()? != 2 {
        return Err(HeadError::Malformed);
    }
    Ok(Parts {
        of: TrackId(small(reader)?),
        parents: read_array(reader, MAX_SEGMENTS as usize, |reader| {
            if reader.array()? != 3 {
                return Err(HeadError::Malformed);
            }
            Ok(Parent {
                segment: small(reader)?,
                first: small(reader)?,
                count: small(reader)?,
            })
        })?,
    })
}

fn read_document(reader: &mut Reader<'_>) -> Result<Document, HeadError> {
    if reader.array()? != 3 {
        return Err(HeadError::Malformed);
    }
    Ok(Document {
        path: reader.text()?.to_owned(),
        media_type: reader.text()?.to_owned(),
        digests: hashes(reader.bytes()?)?,
    })
}

fn read_array<'b, T>(
    reader: &mut Reader<'b>,
    most: usize,
    mut read: impl FnMut(&mut Reader<'b>) -> Result<T, HeadError>,
) -> Result<Vec<T>, HeadError> {
    let count = reader.array()?;
    if count > most as u64 {
        return Err(HeadError::TooMany);
    }
    (0..count).map(|_| read(reader)).collect()
}

fn hashes(bytes: &[u8]) -> Result<Vec<Hash>, HeadError> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::LEN }>();
    if !rest.is_empty() {
        return Err(HeadError::Malformed);
    }
    Ok(hashes.iter().copied().map(Hash).collect())
}

fn joined<'a>(hashes: impl IntoIterator<Item = &'a Hash>) -> Vec<u8> {
    hashes.into_iter().flat_map(|hash| hash.0).collect()
}

/// A number that its field cannot hold is out of its range; the rules say so where the range is narrower.
fn small<T: TryFrom<u64>>(reader: &mut Reader<'_>) -> Result<T, HeadError> {
    T::try_from(reader.unsigned()?).map_err(|_| HeadError::NumberRange)
}

/// What manifests and heads share has the same codes in both.
fn plain(error: ManifestError) -> HeadError {
    match error {
        ManifestError::Malformed => HeadError::Malformed,
        ManifestError::UnsupportedFeature => HeadError::UnsupportedFeature,
        other => HeadError::Entry(other),
    }
}

mod key {
    pub(super) const FORMAT: u64 = 1;
    pub(super) const TYPE: u64 = 2;
    pub(super) const CONTENT_ID: u64 = 3;
    pub(super) const SESSION: u64 = 4;
    pub(super) const LOG: u64 = 5;
    pub(super) const SEQUENCE: u64 = 6;
    pub(super) const ISSUED: u64 = 7;
    pub(super) const TARGET: u64 = 8;
    pub(super) const TRACKS: u64 = 9;
    pub(super) const ASSETS: u64 = 10;
    pub(super) const DOCUMENTS: u64 = 11;
    pub(super) const END: u64 = 12;
}

/// Numbers up to 11 mean the same as in a manifest's track.
mod track_key {
    pub(super) const ID: u64 = 1;
    pub(super) const KIND: u64 = 2;
    pub(super) const MEDIA_TYPE: u64 = 3;
    pub(super) const TIMESCALE: u64 = 4;
    pub(super) const BITRATE: u64 = 6;
    pub(super) const NAMES: u64 = 10;
    pub(super) const RANGED: u64 = 11;
    pub(super) const BASE: u64 = 12;
    pub(super) const FRONTIER: u64 = 13;
    pub(super) const RECORDS: u64 = 14;
    pub(super) const ROWS: u64 = 15;
    pub(super) const DISCONTINUITIES: u64 = 16;
    pub(super) const CLOSED: u64 = 17;
    pub(super) const PARTS: u64 = 18;
}
