//! A live content made by hand: each head states so many segments, now.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use swarmseal::content::live::{LiveHead, LiveSlot, LiveTrack, Session, TrackFile};
use swarmseal::content::publish::HashedObject;
use swarmseal::content::tree::{self, RootBuilder};
use swarmseal::content::{
    Catalog, ContentId, Hash, Manifest, Names, Record, RollbackMemory, SecretKey, SwarmSecret, TrackId,
    TrackKind, Trust, WallTime,
};

use super::{key, public_key, write};

/// So long a segment may last, and a test may take: what is stated counts as the live edge for three times that.
const TARGET_MS: u32 = 60_000;

/// Writes manifest, session, head and segments, and gives what viewers know before the head and after.
pub fn broadcast(folder: &Path, bodies: &[Vec<u8>]) -> (Catalog, Catalog) {
    let broadcast = Broadcast::begin(folder, TARGET_MS);
    let after = broadcast.state(1, bodies, bodies.len());
    (broadcast.before, after)
}

/// A live content whose heads are written one after the other.
pub struct Broadcast {
    folder: PathBuf,
    slot: LiveSlot,
    content: ContentId,
    session: SecretKey,
    /// Seconds of its beginning: number of its session and of its log.
    began: u64,
    target_ms: u32,
    /// What viewers know before the first head.
    pub before: Catalog,
}

impl Broadcast {
    /// Writes manifest and session.
    pub fn begin(folder: &Path, target_ms: u32) -> Self {
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let slot = LiveSlot {
            folder: "seal/live".to_owned(),
        };
        let manifest = Manifest {
            live: Some(slot.encode()),
            ..Manifest::new(
                ContentId([5; 16]),
                SwarmSecret([6; 32]),
                began - 60..began + 3_600,
            )
        };
        let sealed = manifest.sign(&key()).unwrap();
        let session_key = SecretKey::from_seed(&[5; 32]);
        let session = Session {
            content_id: manifest.content_id,
            number: began,
            key: session_key.public(),
            not_before: began - 100,
            not_after: began + 10_000,
            first_sequence: 1,
        };
        write(folder, "content.seal", &sealed);
        write(folder, &slot.session(began), &session.sign(&key()).unwrap());
        let mut trust = Trust::new(vec![public_key()], None, "m", RollbackMemory::default());
        let wall = WallTime {
            unix_s: began,
            uncertainty_s: 5,
        };
        let before = Catalog::new(trust.verify_live(&sealed, wall).unwrap());
        Self {
            folder: folder.to_owned(),
            slot,
            content: manifest.content_id,
            session: session_key,
            began,
            target_ms,
            before,
        }
    }

    /// Writes these segments, the log that they are, and the head that states them and carries the records of the last
    /// `carried`. Gives what viewers know then who have seen it all.
    pub fn state(&self, sequence: u64, bodies: &[Vec<u8>], carried: usize) -> Catalog {
        let (mut records, mut rows, mut row_offset) = (Vec::new(), Vec::new(), 0);
        for (number, body) in bodies.iter().enumerate() {
            write(&self.folder, &format!("v/{number}.m4s"), body);
            let hashed = HashedObject::of(body);
            records.push(Record {
                root: hashed.root,
                length: u32::try_from(hashed.length).unwrap(),
                duration: 2_000,
                offset: 0,
                row_offset,
                media_start: number as u64 * 2_000,
            });
            row_offset += hashed.row.len() as u64 * 32;
            rows.push(hashed.row);
        }
        let log = |file| self.slot.track(self.began, TrackId(1), file);
        let encoded: Vec<[u8; 64]> = records.iter().map(Record::encode).collect();
        write(&self.folder, &log(TrackFile::Records), &encoded.concat());
        write(&self.folder, &log(TrackFile::Pages), &[]);
        let hashes: Vec<u8> = rows.iter().flatten().flat_map(|hash: &Hash| hash.0).collect();
        write(&self.folder, &log(TrackFile::Rows), &hashes);
        let head = |carried: usize| {
            let base = records.len() - carried;
            let mut before = RootBuilder::default();
            for record in &encoded[..base] {
                before.push(tree::leaf(record));
            }
            let track = LiveTrack {
                id: TrackId(1),
                kind: TrackKind::Video,
                media_type: "video/mp4".to_owned(),
                timescale: 1_000,
                bitrate: None,
                names: Names::Template {
                    pattern: "v/$Number$.m4s".to_owned(),
                    start_number: 0,
                },
                ranged: false,
                base: u32::try_from(base).unwrap(),
                frontier: before.peaks().to_vec(),
                records: records[base..].to_vec(),
                rows: rows[base..].to_vec(),
                discontinuities: Vec::new(),
                closed: false,
                parts: None,
            };
            LiveHead {
                content_id: self.content,
                session: self.began,
                log: self.began,
                sequence,
                issued_ms: self.began * 1_000 + sequence,
                target_ms: self.target_ms,
                tracks: vec![track],
                assets: Vec::new(),
                documents: Vec::new(),
                end: false,
            }
        };
        let sealed = head(carried).sign(&self.session, &[]).unwrap();
        // As a publisher does: whoever reads it meanwhile sees one of the two.
        write(&self.folder, "latest.new", &sealed);
        let latest = self.folder.join(self.slot.newest());
        std::fs::rename(self.folder.join("latest.new"), latest).unwrap();
        let mut after = self.before.clone();
        after.accept_head(&head(bodies.len()));
        after
    }

    /// Takes the newest head away, and whatever the log would tell.
    pub fn hide(&self) {
        std::fs::remove_file(self.folder.join(self.slot.newest())).unwrap();
    }
}
