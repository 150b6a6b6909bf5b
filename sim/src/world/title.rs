//! What is watched: real manifest, index, heads and hash rows, and chunks that are a name and a length.

use std::collections::BTreeMap;

use swarmseal::content::publish::{IndexBuilder, NewSegment, RowsWriter};
use swarmseal::content::{
    Asset, CHUNK, Catalog, ContentId, Hash, IndexFile, Manifest, Names, ObjectId, PublicKey, Record,
    RollbackMemory, RowsFile, SecretKey, Sheet, SwarmSecret, Track, TrackId, TrackKind, Trust, WallTime,
    chunk_count, chunk_len, page_count, tree,
};
use swarmseal::swarm::Payload;
use swarmseal_tracker::Roots;

use super::broadcast::{self, Broadcast, Log};
use crate::failure::Failure;
use crate::scenario::{ContentKind, Scenario};

/// When every run begins, in seconds since 1970.
pub(super) const BEGIN_UNIX_S: u64 = 1_800_000_000;
/// The path of the playlist.
pub(super) const PLAYLIST: &str = "index.m3u8";
/// Bytes of a playlist for each segment in it.
const PLAYLIST_LINE: u64 = 32;
/// Segments are up to this much smaller or larger than their mean, in percent: encoders keep a rate only on average.
const SIZE_SPREAD_PERCENT: u64 = 15;

/// A title as it was published.
pub(super) struct Title {
    catalog: Catalog,
    /// By track number; 0 is the playlist.
    tracks: Vec<Vec<Placed>>,
    leaves: Vec<Hash>,
    /// Index and rows, by path.
    files: BTreeMap<String, Vec<u8>>,
    /// Of a live content.
    broadcast: Option<Broadcast>,
    segments: u32,
    segment_us: u64,
}

/// Where the chunks of an object are among all chunks of the title.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) first: u32,
    pub(super) chunks: u32,
    pub(super) len: u64,
}

/// Chunks by name, as the payload of a message or of an answer.
#[derive(Clone, Copy)]
pub(super) struct Named<'t> {
    title: &'t Title,
    object: Placed,
    first: u32,
    count: u32,
    honest: bool,
}

impl Title {
    /// Publishes what the scenario names, for viewers who trust tickets of `tracker_key`.
    pub(super) fn publish(scenario: &Scenario, tracker_key: PublicKey) -> Result<Self, Failure> {
        let content = &scenario.content;
        let mut title = Builder::default();
        let mut logs = Vec::new();
        for rendition in 0..content.renditions {
            logs.push(title.rendition(scenario, rendition)?);
        }
        let mut manifest = Manifest {
            tracker_keys: vec![tracker_key],
            ..Manifest::new(
                ContentId([7; 16]),
                SwarmSecret([9; 32]),
                BEGIN_UNIX_S - 100..BEGIN_UNIX_S + 1_000_000,
            )
        };
        let publisher = SecretKey::from_seed(&[3; 32]);
        let is_live = content.kind == ContentKind::Live;
        let broadcast = if is_live {
            manifest.live = Some(broadcast::slot().encode());
            let first = content.edge_segments as usize;
            let segment_ms = u64::from(content.segment_seconds) * 1_000;
            let id = manifest.content_id;
            Some(Broadcast::sign(&logs, id, &publisher, first, segment_ms)?)
        } else {
            let length = u64::from(content.segments) * PLAYLIST_LINE;
            manifest.assets.push(Asset {
                path: PLAYLIST.into(),
                range: None,
                length,
                root: title.object(0, 0, length),
                media_type: "application/vnd.apple.mpegurl".into(),
            });
            for log in &logs {
                manifest.tracks.push(title.track(log)?);
            }
            None
        };
        let sealed = manifest.sign(&publisher).map_err(Failure::world)?;
        let mut trust = Trust::new(
            vec![publisher.public()],
            Some(manifest.content_id),
            "https://origin.example/content.seal",
            RollbackMemory::default(),
        );
        let wall = WallTime {
            unix_s: BEGIN_UNIX_S,
            uncertainty_s: 1,
        };
        let verified = if is_live {
            trust.verify_live(&sealed, wall)
        } else {
            trust.verify(&sealed, wall)
        };
        Ok(Self {
            catalog: Catalog::new(verified.map_err(Failure::world)?),
            tracks: title.tracks,
            leaves: title.leaves,
            files: title.files,
            broadcast,
            segments: content.segments,
            segment_us: u64::from(content.segment_seconds) * 1_000_000,
        })
    }

    /// What a viewer starts from.
    pub(super) fn catalog(&self) -> Catalog {
        self.catalog.clone()
    }

    pub(super) fn manifest(&self) -> &Manifest {
        self.catalog.manifest()
    }

    pub(super) fn object(&self, id: ObjectId) -> Option<Placed> {
        self.tracks
            .get(usize::from(id.track.0))?
            .get(id.index as usize)
            .copied()
    }

    /// Chunks `first..first + count` of an object.
    pub(super) fn named(&self, id: ObjectId, first: u32, count: u32, honest: bool) -> Option<Named<'_>> {
        let object = self.object(id)?;
        (first.checked_add(count)? <= object.chunks).then_some(Named {
            title: self,
            object,
            first,
            count,
            honest,
        })
    }

    /// Bytes of chunks `first..first + count` of an object.
    pub(super) fn bytes_of(&self, id: ObjectId, first: u32, count: u32) -> u64 {
        self.named(id, first, count, true)
            .map_or(0, |named| named.len() as u64)
    }

    /// What a tracker knows of a title: the roots of all segments. Those of a live content are stated while it goes on.
    pub(super) fn roots(&self) -> Result<Option<Roots>, Failure> {
        if self.broadcast.is_some() {
            return Ok(None);
        }
        let mut catalog = self.catalog();
        for rendition in 1..=self.renditions() {
            let track = TrackId(rendition);
            for page in 0..page_count(self.segments) {
                let sheet = match page {
                    0 => Sheet::IndexHead(track),
                    _ => Sheet::IndexPage(track, page),
                };
                let bytes = catalog.sheet_location(&sheet).and_then(|place| {
                    let (first, length) = place.range?;
                    self.sheet(&place.path, (first, first + length.saturating_sub(1)))
                });
                catalog
                    .accept_sheet(&sheet, bytes.unwrap_or_default())
                    .map_err(Failure::world)?;
            }
        }
        Ok(Some(Roots::of(&catalog)))
    }

    /// What the heads of a live content have told of its first `size` segments.
    pub(super) fn stated(&self, size: u32) -> Roots {
        self.broadcast
            .as_ref()
            .map_or_else(Roots::default, |broadcast| broadcast.stated(size as usize))
    }

    /// Bytes `first..=last` of an index or rows file.
    pub(super) fn sheet(&self, path: &str, range: (u64, u64)) -> Option<&[u8]> {
        let first = usize::try_from(range.0).ok()?;
        let last = usize::try_from(range.1).ok()?;
        let log = || self.broadcast.as_ref()?.log(path);
        let file = self.files.get(path).map(Vec::as_slice).or_else(log)?;
        file.get(first..=last)
    }

    /// Live: a small file as it is when `newer` segments have come since the beginning.
    pub(super) fn file(&self, path: &str, newer: u32) -> Option<&[u8]> {
        self.broadcast.as_ref()?.file(path, newer as usize)
    }

    /// Whether this is where the newest live head lies.
    pub(super) fn is_head(path: &str) -> bool {
        path == broadcast::slot().newest()
    }

    pub(super) const fn segments(&self) -> u32 {
        self.segments
    }

    pub(super) const fn segment_us(&self) -> u64 {
        self.segment_us
    }

    pub(super) fn renditions(&self) -> u16 {
        u16::try_from(self.tracks.len().saturating_sub(1)).unwrap_or(u16::MAX)
    }

    /// The path that a player asks for.
    pub(super) fn path(object: ObjectId) -> String {
        if object.track == TrackId::ASSETS {
            PLAYLIST.to_owned()
        } else {
            format!("v{}/{}.m4s", object.track.0, object.index)
        }
    }
}

impl Payload for Named<'_> {
    fn len(&self) -> usize {
        let bytes: u64 = (self.first..self.first + self.count)
            .map(|chunk| u64::from(chunk_len(self.object.len, chunk)))
            .sum();
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    fn leaf(&self, offset: usize, len: usize) -> Option<Hash> {
        let chunk_size = CHUNK as usize;
        let within = u32::try_from(offset / chunk_size).ok()?;
        let chunk = self.first.checked_add(within)?;
        if within >= self.count || offset + len > self.len() {
            return None;
        }
        let whole = offset.is_multiple_of(chunk_size) && len == chunk_len(self.object.len, chunk) as usize;
        let mut leaf = *self.title.leaves.get((self.object.first + chunk) as usize)?;
        if !whole || !self.honest {
            // What other bytes would hash to.
            leaf.0 = leaf.0.map(|byte| !byte);
        }
        Some(leaf)
    }
}

#[derive(Default)]
struct Builder {
    tracks: Vec<Vec<Placed>>,
    leaves: Vec<Hash>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Builder {
    /// Adds an object whose chunks' hashes follow from their names. Its root.
    fn object(&mut self, track: u16, index: u32, len: u64) -> Hash {
        let chunks = chunk_count(len);
        let first = self.leaves.len();
        for chunk in 0..chunks {
            self.leaves.push(Hash::of(&[
                b"simulated chunk",
                &track.to_be_bytes(),
                &index.to_be_bytes(),
                &chunk.to_be_bytes(),
            ]));
        }
        while self.tracks.len() <= usize::from(track) {
            self.tracks.push(Vec::new());
        }
        if let Some(objects) = self.tracks.get_mut(usize::from(track)) {
            objects.push(Placed {
                first: u32::try_from(first).unwrap_or(u32::MAX),
                chunks,
                len,
            });
        }
        tree::root(self.leaves.get(first..).unwrap_or_default())
    }

    /// All segments of a rendition.
    fn rendition(&mut self, scenario: &Scenario, rendition: u32) -> Result<Log, Failure> {
        let content = &scenario.content;
        let number = u16::try_from(rendition + 1).map_err(Failure::world)?;
        let kbps = scenario.rendition_kbps(rendition);
        let mean = u64::from(kbps) * 125 * u64::from(content.segment_seconds);
        let mut log = Log {
            track: TrackId(number),
            bitrate: u64::from(kbps) * 1_000,
            names: Names::Template {
                pattern: format!("v{number}/$Number$.m4s"),
                start_number: 0,
            },
            records: Vec::new(),
            rows: Vec::new(),
        };
        let mut row_offset = 0;
        for segment in 0..content.segments {
            let length = sized(mean, segment);
            let first = self.leaves.len();
            let record = Record {
                root: self.object(number, segment, length),
                length: u32::try_from(length).map_err(Failure::world)?,
                duration: content.segment_seconds * 1_000,
                offset: 0,
                row_offset,
                media_start: u64::from(segment) * u64::from(content.segment_seconds) * 1_000,
            };
            row_offset += record.row_len();
            log.records.push(record);
            log.rows
                .push(self.leaves.get(first..).unwrap_or_default().to_vec());
        }
        Ok(log)
    }

    /// A rendition of a title: its index and its rows are files.
    fn track(&mut self, log: &Log) -> Result<Track, Failure> {
        let mut index = IndexBuilder::default();
        let mut rows = RowsWriter::new(Vec::new());
        for (record, row) in log.records.iter().zip(&log.rows) {
            rows.push(row).map_err(Failure::world)?;
            index
                .push(&NewSegment {
                    root: record.root,
                    length: record.length.into(),
                    offset: record.offset,
                    media_start: record.media_start,
                    duration: record.duration,
                })
                .map_err(Failure::world)?;
        }
        let built = index.finish();
        let [index_path, rows_path] = ["index", "rows"].map(|kind| format!("seal/{}.{kind}", log.track.0));
        self.files.insert(index_path.clone(), built.bytes);
        self.files
            .insert(rows_path.clone(), rows.finish().map_err(Failure::world)?);
        Ok(Track {
            id: log.track,
            kind: TrackKind::Video,
            media_type: "video/mp4".into(),
            timescale: 1_000,
            segments: built.segments,
            bitrate: Some(log.bitrate),
            index: IndexFile {
                path: index_path,
                root: built.root,
            },
            rows: RowsFile { path: rows_path },
            names: log.names.clone(),
            ranged: false,
        })
    }
}

/// The length of a segment: spread about the mean by a rule, the same in every run.
fn sized(mean: u64, segment: u32) -> u64 {
    let mixed = u64::from(segment).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let percent = 100 - SIZE_SPREAD_PERCENT + mixed % (2 * SIZE_SPREAD_PERCENT + 1);
    (mean * percent / 100).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title() -> Title {
        let mut scenario = Scenario::default();
        scenario.content.segments = 40;
        scenario.content.renditions = 2;
        Title::publish(&scenario, SecretKey::from_seed(&[5; 32]).public()).unwrap()
    }

    #[test]
    fn a_chunk_hashes_to_its_row_if_it_is_whole_and_honest() {
        let title = title();
        let id = ObjectId {
            track: TrackId(2),
            index: 7,
        };
        let placed = title.object(id).unwrap();
        let honest = title.named(id, 1, 2, true).unwrap();
        let chunk = CHUNK as usize;
        let leaf = title.leaves[placed.first as usize + 2];
        assert_eq!(honest.leaf(chunk, chunk), Some(leaf));
        assert_ne!(honest.leaf(chunk, chunk - 1), Some(leaf));
        assert_ne!(
            title.named(id, 1, 2, false).unwrap().leaf(chunk, chunk),
            Some(leaf)
        );
        assert_eq!(honest.leaf(2 * chunk, chunk), None);
        assert!(title.named(id, placed.chunks, 1, true).is_none());
    }

    #[test]
    fn sizes_keep_the_rate_on_average() {
        let title = title();
        let total: u64 = title.tracks[1].iter().map(|object| object.len).sum();
        let mean = total / 40;
        assert!((365_000..385_000).contains(&mean), "{mean}");
        assert!(title.tracks[1].iter().any(|object| object.len > 400_000));
        assert_eq!(title.renditions(), 2);
    }
}
