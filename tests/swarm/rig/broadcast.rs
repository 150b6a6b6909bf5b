//! A live content made in memory: a publisher that states one segment after the other.

use std::sync::Arc;

use swarmseal::content::live::{Document, LiveHead, LiveSlot, LiveTrack, Parent, Parts, Session};
use swarmseal::content::publish::HashedObject;
use swarmseal::content::tree::{self, RootBuilder};
use swarmseal::content::{
    ContentId, Hash, Manifest, Names, Record, SecretKey, SwarmSecret, TrackId, TrackKind,
};

use super::content::{NOW_S, Published, bytes};
use super::tracker;
use super::world::World;

/// Segments last so long.
pub const TARGET_US: u64 = 2_000_000;
/// Bytes of a segment: some chunks.
pub const SEGMENT: usize = 150_000;
/// Bytes of a long one: enough chunks to fetch it in slices.
pub const LONG_SEGMENT: usize = 400_000;
/// Records of segments that a head carries.
const CARRIED: usize = 3;
/// Parts of a segment, of which all but the last are so long.
pub const PARTS: usize = 3;
const PART: usize = 50_000;
pub const PLAYLIST: &str = "live.m3u8";

/// The publisher's side of a live content.
pub struct Broadcast {
    slot: LiveSlot,
    publisher: SecretKey,
    session: SecretKey,
    pub log: u64,
    pub sequence: u64,
    pub records: Vec<Record>,
    rows: Vec<Vec<Hash>>,
    /// Bytes of the segments to come, about.
    pub segment_bytes: usize,
    /// Of low latency: the log of the parts.
    parts: Option<Log>,
    digests: Vec<Hash>,
}

/// Records and rows of a track.
#[derive(Default)]
struct Log {
    records: Vec<Record>,
    rows: Vec<Vec<Hash>>,
}

impl Broadcast {
    /// A world around a live content of which nothing is stated yet.
    pub fn world() -> (World, Self) {
        let slot = LiveSlot {
            folder: "seal/live".into(),
        };
        let publisher = SecretKey::from_seed(&[3; 32]);
        let manifest = Manifest {
            tracker_keys: vec![tracker::key().public()],
            live: Some(slot.encode()),
            ..Manifest::new(
                ContentId([7; 16]),
                SwarmSecret([9; 32]),
                NOW_S - 100..NOW_S + 1_000_000,
            )
        };
        let world = World::of(Published {
            files: std::collections::BTreeMap::new(),
            sealed: manifest.sign(&publisher).unwrap(),
            publisher: publisher.public(),
            manifest,
        });
        let broadcast = Self {
            slot,
            publisher,
            session: SecretKey::from_seed(&[5; 32]),
            log: NOW_S,
            sequence: 0,
            records: Vec::new(),
            rows: Vec::new(),
            segment_bytes: SEGMENT,
            parts: None,
            digests: Vec::new(),
        };
        (world, broadcast)
    }

    /// From now on, each segment comes in parts as well. Before the first one.
    pub fn split(&mut self) {
        self.parts = Some(Log::default());
    }

    /// Loses all state and begins other logs under another session.
    pub fn lose_state(&mut self) {
        self.session = SecretKey::from_seed(&[6; 32]);
        self.log += 1;
        self.sequence = 0;
        self.records.clear();
        self.rows.clear();
    }

    /// Makes one more segment, and says where it lies.
    pub fn segment(&mut self, world: &mut World) -> String {
        let index = self.records.len();
        let body = Self::body_of(self.log, index, self.segment_bytes);
        append(&mut self.records, &mut self.rows, &body, 2_000);
        if let Some(parts) = &mut self.parts {
            for (number, part) in body
                .chunks(PART)
                .take(PARTS - 1)
                .chain([&body[PART * (PARTS - 1)..]])
                .enumerate()
            {
                let number = index * PARTS + number;
                append(&mut parts.records, &mut parts.rows, part, 500);
                world
                    .published
                    .files
                    .insert(format!("p/{number}.m4s"), part.to_vec().into());
            }
        }
        let path = format!("v/{index}.m4s");
        world.published.files.insert(path.clone(), body.into());
        path
    }

    /// The bytes of a segment.
    pub fn body(log: u64, index: usize) -> Vec<u8> {
        Self::body_of(log, index, SEGMENT)
    }

    /// The bytes of a segment that is about so long.
    pub fn body_of(log: u64, index: usize, about: usize) -> Vec<u8> {
        bytes(log + index as u64, about + index % 3)
    }

    /// Writes a playlist, which the next head vouches for.
    pub fn playlist(&mut self, world: &mut World) -> Vec<u8> {
        let text = format!("#EXTM3U of {} segments", self.records.len()).into_bytes();
        self.digests.insert(0, Hash::of(&[&text]));
        self.digests.truncate(4);
        world.published.files.insert(PLAYLIST.into(), text.clone().into());
        text
    }

    /// One more segment, its playlist, and the head that states both.
    pub fn go_on(&mut self, world: &mut World) {
        self.segment(world);
        self.playlist(world);
        self.state(world, false);
    }

    /// States what has been made in a new head.
    pub fn state(&mut self, world: &mut World, end: bool) {
        self.sequence += 1;
        let head = self.head(world, end);
        self.publish(world, &head);
    }

    /// The next head, unsigned.
    pub fn head(&self, world: &World, end: bool) -> LiveHead {
        let segments = track(1, "v", (&self.records, &self.rows), CARRIED, end);
        let parts = self.parts.as_ref().map(|parts| {
            let first = self.records.len().saturating_sub(CARRIED);
            let parent = |segment: usize| Parent {
                segment: u32::try_from(segment).unwrap(),
                first: u32::try_from(segment * PARTS).unwrap(),
                count: u32::try_from(PARTS).unwrap(),
            };
            LiveTrack {
                parts: Some(Parts {
                    of: TrackId(1),
                    parents: (first..self.records.len()).map(parent).collect(),
                }),
                ..track(2, "p", (&parts.records, &parts.rows), CARRIED * PARTS, end)
            }
        });
        let documents = match self.digests.as_slice() {
            [] => Vec::new(),
            digests => vec![Document {
                path: PLAYLIST.into(),
                media_type: "application/vnd.apple.mpegurl".into(),
                digests: digests.to_vec(),
            }],
        };
        LiveHead {
            content_id: world.published.manifest.content_id,
            session: self.log,
            log: self.log,
            sequence: self.sequence,
            issued_ms: NOW_S * 1_000 + world.now.0 / 1_000,
            target_ms: 2_000,
            tracks: core::iter::once(segments).chain(parts).collect(),
            assets: Vec::new(),
            documents,
            end,
        }
    }

    /// A session under the publisher's own signature.
    pub fn certify(&self, session: &Session) -> Vec<u8> {
        session.sign(&self.publisher).unwrap()
    }

    /// Signs a head and puts it, its session and its logs where viewers look.
    pub fn publish(&self, world: &mut World, head: &LiveHead) {
        let session = Session {
            content_id: head.content_id,
            number: head.session,
            key: self.session.public(),
            not_before: NOW_S - 100,
            not_after: NOW_S + 80_000,
            first_sequence: 1,
        };
        let log = format!("{}/{}", self.slot.folder, self.log);
        let mut files = vec![
            (self.slot.session(head.session), self.certify(&session)),
            (self.slot.newest(), self.sign(head)),
        ];
        let parts = self.parts.as_ref().map(|parts| (&parts.records, &parts.rows));
        for (number, (records, rows)) in
            (1..).zip([Some((&self.records, &self.rows)), parts].into_iter().flatten())
        {
            let encoded: Vec<u8> = records.iter().flat_map(Record::encode).collect();
            let roots = encoded.chunks_exact(256 * 64).flat_map(|page| {
                let leaves: Vec<Hash> = page.chunks_exact(64).map(tree::leaf).collect();
                tree::root(&leaves).0
            });
            let rows = rows.iter().flatten().flat_map(|hash| hash.0);
            files.push((format!("{log}/track-{number}.pages"), roots.collect()));
            files.push((format!("{log}/track-{number}.rows"), rows.collect()));
            files.push((format!("{log}/track-{number}.records"), encoded));
        }
        for (path, body) in files {
            world.published.files.insert(path, Arc::new(body));
        }
    }

    /// A head under this session's key.
    pub fn sign(&self, head: &LiveHead) -> Vec<u8> {
        head.sign(&self.session, &[]).unwrap()
    }
}

/// One more segment of a log; all of them last equally long.
fn append(records: &mut Vec<Record>, rows: &mut Vec<Vec<Hash>>, body: &[u8], duration: u32) {
    let hashed = HashedObject::of(body);
    records.push(Record {
        root: hashed.root,
        length: u32::try_from(hashed.length).unwrap(),
        duration,
        offset: 0,
        row_offset: rows.iter().map(|row| row.len() as u64 * 32).sum(),
        media_start: records.len() as u64 * u64::from(duration),
    });
    rows.push(hashed.row);
}

/// A track as a head states it.
fn track(
    id: u16,
    folder: &str,
    (records, rows): (&[Record], &[Vec<Hash>]),
    carried: usize,
    closed: bool,
) -> LiveTrack {
    let base = records.len().saturating_sub(carried);
    let mut before = RootBuilder::default();
    for record in &records[..base] {
        before.push(tree::leaf(&record.encode()));
    }
    LiveTrack {
        id: TrackId(id),
        kind: TrackKind::Video,
        media_type: "video/mp4".into(),
        timescale: 1_000,
        bitrate: None,
        names: Names::Template {
            pattern: format!("{folder}/$Number$.m4s"),
            start_number: 0,
        },
        ranged: false,
        base: u32::try_from(base).unwrap(),
        frontier: before.peaks().to_vec(),
        records: records[base..].to_vec(),
        rows: rows[base..].to_vec(),
        discontinuities: Vec::new(),
        closed,
        parts: None,
    }
}
