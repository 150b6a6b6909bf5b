//! A live content made by hand: so many segments, all stated in one head, now.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use swarmseal::content::live::{LiveHead, LiveSlot, LiveTrack, Session};
use swarmseal::content::publish::HashedObject;
use swarmseal::content::{
    Catalog, Class, ContentId, Manifest, Names, Record, RollbackMemory, SecretKey, SwarmSecret, TrackId,
    TrackKind, Trust, WallTime,
};

use super::{key, public_key, write};

/// So long a segment may last, and a test may take: what is stated counts as the live edge for three times that.
const TARGET_MS: u32 = 60_000;

/// Writes manifest, session, head and segments, and gives what viewers know before the head and after.
pub fn broadcast(folder: &Path, bodies: &[Vec<u8>]) -> (Catalog, Catalog) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let slot = LiveSlot {
        folder: "seal/live".to_owned(),
    };
    let manifest = Manifest {
        content_id: ContentId([5; 16]),
        swarm_secret: SwarmSecret([6; 32]),
        version: 1,
        previous: None,
        issued: now - 60,
        expires: now + 3_600,
        class: Class::Publisher,
        endorsement: None,
        significant_query: Vec::new(),
        assets: Vec::new(),
        tracks: Vec::new(),
        tracker_keys: Vec::new(),
        tombstone: None,
        live: Some(slot.encode()),
        freshness: None,
        root_document: None,
    };
    let sealed = manifest.sign(&key()).unwrap();
    let session_key = SecretKey::from_seed(&[5; 32]);
    let session = Session {
        content_id: manifest.content_id,
        number: now,
        key: session_key.public(),
        not_before: now - 100,
        not_after: now + 10_000,
        first_sequence: 1,
    };
    let (mut records, mut rows, mut row_offset) = (Vec::new(), Vec::new(), 0);
    for (number, body) in bodies.iter().enumerate() {
        write(folder, &format!("v/{number}.m4s"), body);
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
    let head = LiveHead {
        content_id: manifest.content_id,
        session: now,
        log: now,
        sequence: 1,
        issued_ms: now * 1_000,
        target_ms: TARGET_MS,
        tracks: vec![LiveTrack {
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
            base: 0,
            frontier: Vec::new(),
            records,
            rows,
            discontinuities: Vec::new(),
            closed: false,
            parts: None,
        }],
        assets: Vec::new(),
        documents: Vec::new(),
        end: false,
    };
    write(folder, "content.seal", &sealed);
    write(folder, &slot.session(now), &session.sign(&key()).unwrap());
    write(folder, &slot.newest(), &head.sign(&session_key, &[]).unwrap());

    let mut trust = Trust::new(vec![public_key()], None, "m", RollbackMemory::default());
    let wall = WallTime {
        unix_s: now,
        uncertainty_s: 5,
    };
    let before = Catalog::new(trust.verify_live(&sealed, wall).unwrap());
    let mut after = before.clone();
    after.accept_head(&head);
    (before, after)
}
