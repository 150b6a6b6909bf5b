//! A live content with one segment, made by hand and stated now.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use swarmseal::content::live::{LiveHead, LiveSlot, LiveTrack, Session};
use swarmseal::content::publish::HashedObject;
use swarmseal::content::{
    Catalog, Names, Record, RollbackMemory, SecretKey, TrackId, TrackKind, Trust, WallTime,
};
use swarmseal_server::config::Config;

use crate::peers::{folder, manifest, publisher};

/// The content, a configuration for it, and what viewers know of it before its head and after.
pub(crate) fn broadcast() -> (tempfile::TempDir, Config, Catalog, Catalog) {
    let (folder, config) = folder();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let slot = LiveSlot {
        folder: "seal/live".to_owned(),
    };
    let mut manifest = manifest(1);
    manifest.live = Some(slot.encode());
    let sealed = manifest.sign(&publisher()).unwrap();
    std::fs::write(folder.path().join("1.seal"), &sealed).unwrap();

    let hashed = HashedObject::of(&[7; 150_000]);
    let key = SecretKey::from_seed(&[5; 32]);
    let session = Session {
        content_id: manifest.content_id,
        number: now.as_secs(),
        key: key.public(),
        not_before: now.as_secs() - 100,
        not_after: now.as_secs() + 10_000,
        first_sequence: 1,
    };
    let head = LiveHead {
        content_id: manifest.content_id,
        session: session.number,
        log: session.number,
        sequence: 1,
        issued_ms: now.as_secs() * 1_000,
        target_ms: 2_000,
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
            records: vec![Record {
                root: hashed.root,
                length: u32::try_from(hashed.length).unwrap(),
                duration: 2_000,
                offset: 0,
                row_offset: 0,
                media_start: 0,
            }],
            rows: vec![hashed.row],
            discontinuities: Vec::new(),
            closed: false,
            parts: None,
        }],
        assets: Vec::new(),
        documents: Vec::new(),
        end: false,
    };
    let write = |name: String, bytes: Vec<u8>| write(folder.path(), &name, &bytes);
    write(slot.session(session.number), session.sign(&publisher()).unwrap());
    write(slot.newest(), head.sign(&key, &[]).unwrap());

    let mut trust = Trust::new(vec![publisher().public()], None, "m", RollbackMemory::default());
    let wall = WallTime {
        unix_s: now.as_secs(),
        uncertainty_s: 5,
    };
    let before = Catalog::new(trust.verify_live(&sealed, wall).unwrap());
    let mut after = before.clone();
    after.accept_head(&head);
    (folder, config, before, after)
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
