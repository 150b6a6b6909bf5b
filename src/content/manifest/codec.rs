//! The manifest's payload: maps with integer keys (docs/PROTOCOL.md, "Manifest").

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{
    Asset, Class, FORMAT, IndexFile, Manifest, ManifestError, Names, RowsFile, Tombstone, Track, TrackKind,
};
use crate::content::cbor::{CborError, MapWriter, Reader, Writer};
use crate::content::{ContentId, Hash, PublicKey, SwarmSecret, TrackId};

pub(super) fn write(manifest: &Manifest) -> Vec<u8> {
    let mut map = MapWriter::default();
    map.put(key::FORMAT, |out| _ = out.unsigned(FORMAT));
    map.put(key::CONTENT_ID, |out| _ = out.bytes(&manifest.content_id.0));
    map.put(key::SWARM_SECRET, |out| _ = out.bytes(&manifest.swarm_secret.0));
    map.put(key::VERSION, |out| _ = out.unsigned(manifest.version));
    if let Some(previous) = &manifest.previous {
        map.put(key::PREVIOUS, |out| _ = out.bytes(&previous.0));
    }
    map.put(key::ISSUED, |out| _ = out.unsigned(manifest.issued));
    map.put(key::EXPIRES, |out| _ = out.unsigned(manifest.expires));
    map.put(key::CLASS, |out| _ = out.unsigned(manifest.class as u64));
    if let Some(endorsement) = &manifest.endorsement {
        map.put(key::ENDORSEMENT, |out| _ = out.bytes(endorsement));
    }
    map.put(key::SIGNIFICANT_QUERY, |out| {
        out.array(manifest.significant_query.len());
        for name in &manifest.significant_query {
            out.text(name);
        }
    });
    map.put(key::ASSETS, |out| write_assets(out, &manifest.assets));
    map.put(key::TRACKS, |out| {
        out.array(manifest.tracks.len());
        for track in &manifest.tracks {
            write_track(out, track);
        }
    });
    map.put(key::TRACKER_KEYS, |out| {
        out.array(manifest.tracker_keys.len());
        for tracker in &manifest.tracker_keys {
            out.bytes(&tracker.0);
        }
    });
    if let Some(tombstone) = &manifest.tombstone {
        map.put(key::TOMBSTONE, |out| {
            _ = out.map(1).unsigned(1).unsigned(u64::from(tombstone.reason))
        });
    }
    if let Some(live) = &manifest.live {
        map.put(key::LIVE, |out| _ = out.bytes(live));
    }
    if let Some(freshness) = &manifest.freshness {
        map.put(key::FRESHNESS, |out| _ = out.bytes(freshness));
    }
    if let Some(root_document) = &manifest.root_document {
        map.put(key::ROOT_DOCUMENT, |out| _ = out.bytes(&root_document.0));
    }
    let mut out = Writer::default();
    map.finish(&mut out);
    out.into_bytes()
}

pub(in crate::content) fn write_assets(out: &mut Writer, assets: &[Asset]) {
    out.array(assets.len());
    for asset in assets {
        let mut map = MapWriter::default();
        map.put(asset_key::PATH, |out| _ = out.text(&asset.path));
        map.put(asset_key::LENGTH, |out| _ = out.unsigned(asset.length));
        map.put(asset_key::ROOT, |out| _ = out.bytes(&asset.root.0));
        map.put(asset_key::MEDIA_TYPE, |out| _ = out.text(&asset.media_type));
        if let Some((offset, _)) = asset.range {
            map.put(asset_key::OFFSET, |out| _ = out.unsigned(offset));
        }
        map.finish(out);
    }
}

fn write_track(out: &mut Writer, track: &Track) {
    let mut map = MapWriter::default();
    map.put(track_key::ID, |out| _ = out.unsigned(u64::from(track.id.0)));
    map.put(track_key::KIND, |out| _ = out.unsigned(track.kind as u64));
    map.put(track_key::MEDIA_TYPE, |out| _ = out.text(&track.media_type));
    map.put(track_key::TIMESCALE, |out| {
        _ = out.unsigned(u64::from(track.timescale))
    });
    map.put(track_key::SEGMENTS, |out| {
        _ = out.unsigned(u64::from(track.segments))
    });
    if let Some(bitrate) = track.bitrate {
        map.put(track_key::BITRATE, |out| _ = out.unsigned(bitrate));
    }
    map.put(track_key::INDEX_PATH, |out| _ = out.text(&track.index.path));
    map.put(track_key::INDEX_ROOT, |out| _ = out.bytes(&track.index.root.0));
    map.put(track_key::ROWS_PATH, |out| _ = out.text(&track.rows.path));
    map.put(track_key::NAMES, |out| write_names(out, &track.names));
    map.put(track_key::RANGED, |out| _ = out.boolean(track.ranged));
    map.finish(out);
}

pub(in crate::content) fn write_names(out: &mut Writer, names: &Names) {
    match names {
        Names::Template {
            pattern,
            start_number,
        } => {
            out.array(3)
                .unsigned(NAMES_TEMPLATE)
                .text(pattern)
                .unsigned(*start_number);
        }
        Names::Table { path, root } => {
            out.array(3).unsigned(NAMES_TABLE).text(path).bytes(&root.0);
        }
        Names::Single { path } => {
            out.array(2).unsigned(NAMES_SINGLE).text(path);
        }
    }
}

/// Reads the structure; `payload` is deterministic CBOR already. Rules about values are checked afterwards.
pub(super) fn read(payload: &[u8]) -> Result<Manifest, ManifestError> {
    let mut reader = Reader::new(payload);
    let entries = reader.map()?;
    // The format comes first, because keys ascend: what follows may mean anything in another one.
    if entries == 0 || reader.unsigned()? != key::FORMAT {
        return Err(ManifestError::Malformed);
    }
    if reader.unsigned()? != FORMAT {
        return Err(ManifestError::UnsupportedVersion);
    }
    let mut draft = Draft::default();
    for _ in 1..entries {
        match reader.unsigned()? {
            key::CONTENT_ID => draft.content_id = Some(ContentId(reader.fixed()?)),
            key::SWARM_SECRET => draft.swarm_secret = Some(SwarmSecret(reader.fixed()?)),
            key::VERSION => draft.version = Some(reader.unsigned()?),
            key::PREVIOUS => draft.previous = Some(Hash(reader.fixed()?)),
            key::ISSUED => draft.issued = Some(reader.unsigned()?),
            key::EXPIRES => draft.expires = Some(reader.unsigned()?),
            key::CLASS => draft.class = Some(read_class(&mut reader)?),
            key::ENDORSEMENT => draft.endorsement = Some(reader.bytes()?.to_vec()),
            key::SIGNIFICANT_QUERY => {
                draft.significant_query =
                    Some(read_array(&mut reader, |reader| Ok(reader.text()?.to_owned()))?);
            }
            key::ASSETS => draft.assets = Some(read_array(&mut reader, read_asset)?),
            key::TRACKS => draft.tracks = Some(read_array(&mut reader, read_track)?),
            key::TRACKER_KEYS => {
                draft.tracker_keys = Some(read_array(&mut reader, |reader| Ok(PublicKey(reader.fixed()?)))?);
            }
            key::TOMBSTONE => draft.tombstone = Some(read_tombstone(&mut reader)?),
            key::LIVE => draft.live = Some(reader.bytes()?.to_vec()),
            key::FRESHNESS => draft.freshness = Some(reader.bytes()?.to_vec()),
            key::ROOT_DOCUMENT => draft.root_document = Some(Hash(reader.fixed()?)),
            unknown if unknown < key::FIRST_OPTIONAL => return Err(ManifestError::UnsupportedFeature),
            _ => reader.skip()?,
        }
    }
    reader.end()?;
    draft.complete().ok_or(ManifestError::Malformed)
}

#[derive(Default)]
struct Draft {
    content_id: Option<ContentId>,
    swarm_secret: Option<SwarmSecret>,
    version: Option<u64>,
    previous: Option<Hash>,
    issued: Option<u64>,
    expires: Option<u64>,
    class: Option<Class>,
    endorsement: Option<Vec<u8>>,
    significant_query: Option<Vec<String>>,
    assets: Option<Vec<Asset>>,
    tracks: Option<Vec<Track>>,
    tracker_keys: Option<Vec<PublicKey>>,
    tombstone: Option<Tombstone>,
    live: Option<Vec<u8>>,
    freshness: Option<Vec<u8>>,
    root_document: Option<Hash>,
}

impl Draft {
    fn complete(self) -> Option<Manifest> {
        Some(Manifest {
            content_id: self.content_id?,
            swarm_secret: self.swarm_secret?,
            version: self.version?,
            previous: self.previous,
            issued: self.issued?,
            expires: self.expires?,
            class: self.class?,
            endorsement: self.endorsement,
            significant_query: self.significant_query?,
            assets: self.assets?,
            tracks: self.tracks?,
            tracker_keys: self.tracker_keys?,
            tombstone: self.tombstone,
            live: self.live,
            freshness: self.freshness,
            root_document: self.root_document,
        })
    }
}

fn read_array<'b, T>(
    reader: &mut Reader<'b>,
    mut read: impl FnMut(&mut Reader<'b>) -> Result<T, ManifestError>,
) -> Result<Vec<T>, ManifestError> {
    let count = reader.array()?;
    if count > MAX_ENTRIES {
        return Err(ManifestError::TooMany);
    }
    (0..count).map(|_| read(reader)).collect()
}

fn read_class(reader: &mut Reader<'_>) -> Result<Class, ManifestError> {
    match reader.unsigned()? {
        0 => Ok(Class::Publisher),
        1 => Ok(Class::UserMade),
        _ => Err(ManifestError::UnsupportedFeature),
    }
}

fn read_tombstone(reader: &mut Reader<'_>) -> Result<Tombstone, ManifestError> {
    if reader.map()? != 1 || reader.unsigned()? != 1 {
        return Err(ManifestError::Malformed);
    }
    let reason = u8::try_from(reader.unsigned()?).map_err(|_| ManifestError::Malformed)?;
    Ok(Tombstone { reason })
}

pub(in crate::content) fn read_asset(reader: &mut Reader<'_>) -> Result<Asset, ManifestError> {
    let (mut path, mut length, mut root, mut media_type, mut offset) = (None, None, None, None, None);
    for _ in 0..reader.map()? {
        match reader.unsigned()? {
            asset_key::PATH => path = Some(reader.text()?.to_owned()),
            asset_key::LENGTH => length = Some(reader.unsigned()?),
            asset_key::ROOT => root = Some(Hash(reader.fixed()?)),
            asset_key::MEDIA_TYPE => media_type = Some(reader.text()?.to_owned()),
            asset_key::OFFSET => offset = Some(reader.unsigned()?),
            unknown if unknown < key::FIRST_OPTIONAL => return Err(ManifestError::UnsupportedFeature),
            _ => reader.skip()?,
        }
    }
    let (Some(path), Some(length), Some(root), Some(media_type)) = (path, length, root, media_type) else {
        return Err(ManifestError::Malformed);
    };
    Ok(Asset {
        path,
        range: offset.map(|offset| (offset, length)),
        length,
        root,
        media_type,
    })
}

fn read_track(reader: &mut Reader<'_>) -> Result<Track, ManifestError> {
    let (mut id, mut kind, mut media_type, mut timescale, mut segments) = (None, None, None, None, None);
    let (mut bitrate, mut index_path, mut index_root, mut rows_path) = (None, None, None, None);
    let (mut names, mut ranged) = (None, None);
    for _ in 0..reader.map()? {
        match reader.unsigned()? {
            track_key::ID => id = Some(small(reader)?),
            track_key::KIND => kind = Some(read_kind(reader)?),
            track_key::MEDIA_TYPE => media_type = Some(reader.text()?.to_owned()),
            track_key::TIMESCALE => timescale = Some(small(reader)?),
            track_key::SEGMENTS => segments = Some(small(reader)?),
            track_key::BITRATE => bitrate = Some(reader.unsigned()?),
            track_key::INDEX_PATH => index_path = Some(reader.text()?.to_owned()),
            track_key::INDEX_ROOT => index_root = Some(Hash(reader.fixed()?)),
            track_key::ROWS_PATH => rows_path = Some(reader.text()?.to_owned()),
            track_key::NAMES => names = Some(read_names(reader)?),
            track_key::RANGED => ranged = Some(reader.boolean()?),
            unknown if unknown < key::FIRST_OPTIONAL => return Err(ManifestError::UnsupportedFeature),
            _ => reader.skip()?,
        }
    }
    let draft = || {
        Some(Track {
            id: TrackId(id?),
            kind: kind?,
            media_type: media_type?,
            timescale: timescale?,
            segments: segments?,
            bitrate,
            index: IndexFile {
                path: index_path?,
                root: index_root?,
            },
            rows: RowsFile { path: rows_path? },
            names: names?,
            ranged: ranged?,
        })
    };
    draft().ok_or(ManifestError::Malformed)
}

pub(in crate::content) fn read_kind(reader: &mut Reader<'_>) -> Result<TrackKind, ManifestError> {
    match reader.unsigned()? {
        0 => Ok(TrackKind::Video),
        1 => Ok(TrackKind::Audio),
        2 => Ok(TrackKind::Text),
        3 => Ok(TrackKind::Files),
        _ => Err(ManifestError::UnsupportedFeature),
    }
}

pub(in crate::content) fn read_names(reader: &mut Reader<'_>) -> Result<Names, ManifestError> {
    match (reader.array()?, reader.unsigned()?) {
        (3, NAMES_TEMPLATE) => Ok(Names::Template {
            pattern: reader.text()?.to_owned(),
            start_number: reader.unsigned()?,
        }),
        (3, NAMES_TABLE) => Ok(Names::Table {
            path: reader.text()?.to_owned(),
            root: Hash(reader.fixed()?),
        }),
        (2, NAMES_SINGLE) => Ok(Names::Single {
            path: reader.text()?.to_owned(),
        }),
        (_, NAMES_TEMPLATE..=NAMES_SINGLE) => Err(ManifestError::Malformed),
        _ => Err(ManifestError::UnsupportedFeature),
    }
}

/// A number that its field cannot hold is out of its range; the rules say so where the range is narrower.
fn small<T: TryFrom<u64>>(reader: &mut Reader<'_>) -> Result<T, ManifestError> {
    T::try_from(reader.unsigned()?).map_err(|_| ManifestError::NumberRange)
}

impl From<CborError> for ManifestError {
    fn from(error: CborError) -> Self {
        match error {
            CborError::Malformed => Self::Malformed,
            CborError::NotDeterministic => Self::NotDeterministic,
            CborError::TooDeep => Self::TooDeep,
        }
    }
}

/// More entries than any list may have; the rules have narrower limits.
const MAX_ENTRIES: u64 = 1024;

mod key {
    pub(super) const FORMAT: u64 = 1;
    pub(super) const CONTENT_ID: u64 = 2;
    pub(super) const SWARM_SECRET: u64 = 3;
    pub(super) const VERSION: u64 = 4;
    pub(super) const PREVIOUS: u64 = 5;
    pub(super) const ISSUED: u64 = 6;
    pub(super) const EXPIRES: u64 = 7;
    pub(super) const CLASS: u64 = 8;
    pub(super) const ENDORSEMENT: u64 = 9;
    pub(super) const SIGNIFICANT_QUERY: u64 = 10;
    pub(super) const ASSETS: u64 = 11;
    pub(super) const TRACKS: u64 = 12;
    pub(super) const TRACKER_KEYS: u64 = 13;
    pub(super) const TOMBSTONE: u64 = 14;
    pub(super) const LIVE: u64 = 15;
    pub(super) const FRESHNESS: u64 = 16;
    pub(super) const ROOT_DOCUMENT: u64 = 17;
    /// Unknown keys from here on may be skipped; those below mean something that a reader has to understand.
    pub(super) const FIRST_OPTIONAL: u64 = 64;
}

mod asset_key {
    pub(super) const PATH: u64 = 1;
    pub(super) const LENGTH: u64 = 2;
    pub(super) const ROOT: u64 = 3;
    pub(super) const MEDIA_TYPE: u64 = 4;
    pub(super) const OFFSET: u64 = 5;
}

mod track_key {
    pub(super) const ID: u64 = 1;
    pub(super) const KIND: u64 = 2;
    pub(super) const MEDIA_TYPE: u64 = 3;
    pub(super) const TIMESCALE: u64 = 4;
    pub(super) const SEGMENTS: u64 = 5;
    pub(super) const BITRATE: u64 = 6;
    pub(super) const INDEX_PATH: u64 = 7;
    pub(super) const INDEX_ROOT: u64 = 8;
    pub(super) const ROWS_PATH: u64 = 9;
    pub(super) const NAMES: u64 = 10;
    pub(super) const RANGED: u64 = 11;
}

const NAMES_TEMPLATE: u64 = 0;
const NAMES_TABLE: u64 = 1;
const NAMES_SINGLE: u64 = 2;
