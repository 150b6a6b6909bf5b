mod following;
mod heads;
mod log;

use super::*;
use crate::content::publish::HashedObject;
use crate::content::tree::{self, RootBuilder};
use crate::content::{
    Asset, ContentId, Hash, Names, PublicKey, Record, SecretKey, TrackId, TrackKind, WallTime,
};

/// A stream of one track with segments of a few chunks.
struct Stream {
    objects: Vec<HashedObject>,
}

impl Stream {
    fn new(segments: u32) -> Self {
        let object = |index: u32| HashedObject::of(&vec![index as u8; 1 + (index as usize % 3) * 16_384]);
        Self {
            objects: (0..segments).map(object).collect(),
        }
    }

    fn records(&self) -> Vec<Record> {
        let mut row_offset = 0;
        let record = |(index, object): (usize, &HashedObject)| {
            let record = Record {
                root: object.root,
                length: object.length as u32,
                duration: 2000,
                offset: 0,
                row_offset,
                media_start: index as u64 * 2000,
            };
            row_offset += record.row_len();
            record
        };
        self.objects.iter().enumerate().map(record).collect()
    }

    fn records_file(&self, size: u32) -> Vec<u8> {
        self.records()
            .iter()
            .take(size as usize)
            .flat_map(Record::encode)
            .collect()
    }

    /// The track as a head states it that carries `carried` records.
    fn track(&self, size: u32, carried: u32) -> LiveTrack {
        let base = size.saturating_sub(carried);
        let records = self.records();
        let mut log = RootBuilder::default();
        records[..base as usize]
            .iter()
            .for_each(|record| log.push(tree::leaf(&record.encode())));
        let rows = self.objects[base as usize..size as usize]
            .iter()
            .map(|object| object.row.clone());
        LiveTrack {
            id: TrackId(1),
            kind: TrackKind::Video,
            media_type: "video/mp4".into(),
            timescale: 1000,
            bitrate: Some(1_500_000),
            names: Names::Template {
                pattern: "v/s$Number$.m4s".into(),
                start_number: 1,
            },
            ranged: false,
            base,
            frontier: log.peaks().to_vec(),
            records: records[base as usize..size as usize].to_vec(),
            rows: rows.collect(),
            discontinuities: Vec::new(),
            closed: false,
            parts: None,
        }
    }

    fn head(&self, sequence: u64, size: u32, carried: u32) -> LiveHead {
        LiveHead {
            content_id: CONTENT,
            session: 7,
            log: 7,
            sequence,
            issued_ms: NOW * 1000 + sequence * 2000,
            target_ms: 2000,
            tracks: vec![self.track(size, carried)],
            assets: vec![asset("v/init.mp4", 1)],
            documents: vec![Document {
                path: "v/live.m3u8".into(),
                media_type: "application/vnd.apple.mpegurl".into(),
                digests: vec![Hash([9; 32])],
            }],
            end: false,
        }
    }
}

const NOW: u64 = 1_800_000_000;
const CONTENT: ContentId = ContentId([7; 16]);
const SECOND: u64 = 1_000_000;

fn publisher() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn live_key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn asset(path: &str, seed: u8) -> Asset {
    Asset {
        path: path.into(),
        range: None,
        length: 10,
        root: Hash([seed; 32]),
        media_type: "video/mp4".into(),
    }
}

fn session(number: u64, key: PublicKey) -> Session {
    Session {
        content_id: CONTENT,
        number,
        key,
        not_before: NOW,
        not_after: NOW + MAX_SESSION_S,
        first_sequence: 1,
    }
}

fn wall() -> WallTime {
    WallTime {
        unix_s: NOW + 10,
        uncertainty_s: 5,
    }
}

fn chain() -> Chain {
    let mut chain = Chain::new(
        CONTENT,
        vec![publisher().public()],
        Vec::new(),
        LiveMemory::default(),
    );
    let sealed = session(7, live_key(2).public()).sign(&publisher()).unwrap();
    assert_eq!(chain.accept_session(&sealed, wall()), Ok(7));
    chain
}

fn sealed(head: &LiveHead) -> Vec<u8> {
    head.sign(&live_key(2), &[]).unwrap()
}

fn offer(chain: &mut Chain, head: &LiveHead) -> Result<Accepted, HeadError> {
    let before = (chain.newest().cloned(), chain.memory());
    let verdict = chain.accept(&sealed(head), 0, wall());
    if verdict.is_err() {
        assert_eq!(
            (chain.newest().cloned(), chain.memory()),
            before,
            "a refused head leaves no trace"
        );
    }
    verdict
}
