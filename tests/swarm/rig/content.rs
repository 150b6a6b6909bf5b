//! A small content made in memory: two tracks whose bytes follow from a rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use swarmseal::content::publish::{HashedObject, IndexBuilder, NewSegment, RowsWriter};
use swarmseal::content::{
    Asset, Catalog, ContentId, IndexFile, Manifest, Names, ObjectId, PublicKey, RollbackMemory, RowsFile,
    SecretKey, SwarmSecret, Track, TrackId, TrackKind, Trust, WallTime,
};

/// When everything here happens, seconds since 1970.
pub const NOW_S: u64 = 1_800_000_000;

/// Published files by path, and what it takes to trust them.
pub struct Published {
    pub files: BTreeMap<String, Arc<Vec<u8>>>,
    pub sealed: Vec<u8>,
    pub publisher: PublicKey,
    pub manifest: Manifest,
}

/// `count` bytes that follow from `seed`.
pub fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(count + 8);
    while out.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(count);
    out
}

impl Published {
    /// A title of `segments` segments of two seconds and `len` bytes each, and a playlist.
    pub fn title(segments: u32, len: usize, tracker_key: PublicKey) -> Self {
        let body = |n: u32| Arc::new(bytes(u64::from(n) + 1, len + n as usize % 3));
        Self::of(segments, body, tracker_key)
    }

    /// The same with every segment alike, so that a long one costs no memory.
    pub fn uniform(segments: u32, len: usize, tracker_key: PublicKey) -> Self {
        let body = Arc::new(bytes(1, len));
        Self::of(segments, |_| Arc::clone(&body), tracker_key)
    }

    /// A title whose segment `n` has the bytes `body(n)`.
    pub fn of(segments: u32, body: impl Fn(u32) -> Arc<Vec<u8>>, tracker_key: PublicKey) -> Self {
        let mut files = BTreeMap::new();
        let mut index = IndexBuilder::default();
        let mut rows = RowsWriter::new(Vec::new());
        let mut last: Option<(Arc<Vec<u8>>, HashedObject)> = None;
        for n in 0..segments {
            let body = body(n);
            // Many alike are hashed once.
            let hashed = match last.take() {
                Some((same, hashed)) if Arc::ptr_eq(&same, &body) => hashed,
                Some(_) | None => HashedObject::of(&body),
            };
            rows.push(&hashed.row).unwrap();
            index
                .push(&NewSegment {
                    root: hashed.root,
                    length: hashed.length,
                    offset: 0,
                    media_start: u64::from(n) * 2_000,
                    duration: 2_000,
                })
                .unwrap();
            files.insert(format!("v/{n}.m4s"), Arc::clone(&body));
            last = Some((body, hashed));
        }
        let built = index.finish();
        files.insert("seal/1.index".into(), built.bytes.into());
        files.insert("seal/1.rows".into(), rows.finish().unwrap().into());
        let playlist = bytes(99, 700);
        let hashed = HashedObject::of(&playlist);
        files.insert("index.m3u8".into(), playlist.into());
        let manifest = Manifest {
            assets: vec![Asset {
                path: "index.m3u8".into(),
                range: None,
                length: hashed.length,
                root: hashed.root,
                media_type: "application/vnd.apple.mpegurl".into(),
            }],
            tracks: vec![Track {
                id: TrackId(1),
                kind: TrackKind::Video,
                media_type: "video/mp4".into(),
                timescale: 1_000,
                segments,
                bitrate: Some(1_000_000),
                index: IndexFile {
                    path: "seal/1.index".into(),
                    root: built.root,
                },
                rows: RowsFile {
                    path: "seal/1.rows".into(),
                },
                names: Names::Template {
                    pattern: "v/$Number$.m4s".into(),
                    start_number: 0,
                },
                ranged: false,
            }],
            tracker_keys: vec![tracker_key],
            ..Manifest::new(
                ContentId([7; 16]),
                SwarmSecret([9; 32]),
                NOW_S - 100..NOW_S + 1_000_000,
            )
        };
        let key = SecretKey::from_seed(&[3; 32]);
        let sealed = manifest.sign(&key).unwrap();
        Self {
            files,
            sealed,
            publisher: key.public(),
            manifest,
        }
    }

    /// The published bytes of an object.
    pub fn object(&self, object: ObjectId) -> &[u8] {
        let path = match object.track.0 {
            0 => "index.m3u8".to_owned(),
            1 => format!("v/{}.m4s", object.index),
            // Parts of a live content.
            _ => format!("p/{}.m4s", object.index),
        };
        &self.files[&path]
    }

    /// What a viewer who trusts the publisher starts from.
    pub fn catalog(&self) -> Catalog {
        let mut trust = Trust::new(
            vec![self.publisher],
            Some(self.manifest.content_id),
            "https://example.com/content.seal",
            RollbackMemory::default(),
        );
        let wall = WallTime {
            unix_s: NOW_S,
            uncertainty_s: 1,
        };
        Catalog::new(trust.verify_live(&self.sealed, wall).unwrap())
    }
}
