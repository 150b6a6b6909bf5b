//! A second version: what stays the same, what must not be touched, and what an interrupted run leaves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use support::{NOW, YEAR, noise, options, playlist, publish_folder, stream, verify_folder, write};
use swarmseal::content::{ContentId, Hash, SecretKey, TrackId};
use swarmseal_server::publisher::progress::Silent;
use swarmseal_server::publisher::source::{Folder, Opened, Source, Stamp};
use swarmseal_server::publisher::{PublishError, publish};
use url::Url;

/// Names in `seal/` with the time they were written.
fn seal_files(folder: &Path) -> BTreeMap<String, SystemTime> {
    let entries = std::fs::read_dir(folder.join("seal")).unwrap().flatten();
    entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                entry.metadata().unwrap().modified().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_second_version_continues_the_first() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    let first = publish_folder(folder.path()).unwrap();
    let sealed = std::fs::read(folder.path().join("content.seal")).unwrap();
    let files = seal_files(folder.path());
    let second = publish_folder(folder.path()).unwrap();
    assert_eq!((first.manifest.version, second.manifest.version), (1, 2));
    assert_eq!(second.manifest.content_id, first.manifest.content_id);
    assert!(second.manifest.swarm_secret == first.manifest.swarm_secret);
    assert_eq!(
        (first.manifest.previous, second.manifest.previous),
        (None, Some(Hash::of(&[&sealed])))
    );
    assert_eq!(second.manifest.tracks, first.manifest.tracks);
    assert_eq!((second.unchanged_tracks, second.reused), (3, second.objects));
    assert_eq!(seal_files(folder.path()), files);
    assert_eq!(verify_folder(folder.path()).unwrap().objects, second.objects);
}

#[test]
fn a_changed_track_gets_new_files_and_keeps_its_number() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    publish_folder(folder.path()).unwrap();
    let before = seal_files(folder.path());
    write(folder.path(), "low/s6.m4s", &noise(99, 7000));
    write(folder.path(), "low/i.m3u8", playlist(7).as_bytes());
    let second = publish_folder(folder.path()).unwrap();
    assert_eq!(second.unchanged_tracks, 2);
    let low = second.manifest.track(TrackId(2)).unwrap();
    assert_eq!(
        (low.segments, low.index.path.as_str()),
        (7, "seal/track-2.v2.index")
    );
    let after = seal_files(folder.path());
    // Viewers of the first version still find what it names.
    for (name, written) in &before {
        assert_eq!(after.get(name), Some(written), "{name}");
    }
    verify_folder(folder.path()).unwrap();
    let third = publish_folder(folder.path()).unwrap();
    assert_eq!(third.unchanged_tracks, 3);
    assert!(!seal_files(folder.path()).contains_key("track-2.index"));
    verify_folder(folder.path()).unwrap();
}

#[test]
fn tracks_that_come_and_go_leave_the_numbers_of_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    publish_folder(folder.path()).unwrap();
    let number = |published: &swarmseal_server::publisher::Published, pattern: &str| {
        let named = published
            .manifest
            .tracks
            .iter()
            .find(|track| format!("{:?}", track.names).contains(pattern));
        named.map(|track| track.id.0)
    };
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=90000,RESOLUTION=1x1\nlow/i.m3u8\n";
    write(folder.path(), "master.m3u8", master.as_bytes());
    std::fs::remove_dir_all(folder.path().join("high")).unwrap();
    let second = publish_folder(folder.path()).unwrap();
    assert_eq!(
        (
            number(&second, "low/"),
            number(&second, "high/"),
            number(&second, "film")
        ),
        (Some(2), None, Some(3))
    );
    write(folder.path(), "new/i.m3u8", playlist(1).as_bytes());
    write(folder.path(), "new/init.mp4", b"init");
    write(folder.path(), "new/s0.m4s", b"segment");
    let third = publish_folder(folder.path()).unwrap();
    assert_eq!(
        (number(&third, "low/"), number(&third, "film")),
        (Some(2), Some(3))
    );
    verify_folder(folder.path()).unwrap();
}

#[test]
fn what_changed_is_read_again_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    publish_folder(folder.path()).unwrap();
    write(folder.path(), "high/s3.m4s", &noise(77, 40_003));
    let second = publish_folder(folder.path()).unwrap();
    assert_eq!(second.objects - second.reused, 1);
    verify_folder(folder.path()).unwrap();
    let rehash = swarmseal_server::publisher::Options {
        rehash: true,
        ..options(folder.path())
    };
    let source = Folder::open(folder.path()).unwrap();
    assert_eq!(publish(&source, &rehash, NOW, &Silent).unwrap().reused, 0);
}

/// A folder that breaks off after some reads, and notes what was read.
struct Breaking {
    folder: Folder,
    left: AtomicUsize,
    read: Mutex<Vec<String>>,
}

impl Source for Breaking {
    fn base(&self) -> &Url {
        self.folder.base()
    }

    fn entries(&self) -> Result<Vec<String>, PublishError> {
        self.folder.entries()
    }

    fn learn(&self, name: &str, address: &Url) {
        self.folder.learn(name, address);
    }

    fn stamp(&self, name: &str) -> Result<Option<Stamp>, PublishError> {
        self.folder.stamp(name)
    }

    fn open(&self, name: &str, range: Option<(u64, u64)>) -> Result<Opened, PublishError> {
        if name.ends_with(".m4s") {
            if self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_err()
            {
                return Err(PublishError::File {
                    path: name.to_owned(),
                    detail: "broken off".to_owned(),
                });
            }
            self.read.lock().unwrap().push(name.to_owned());
        }
        self.folder.open(name, range)
    }

    fn failed(&self, name: &str, error: &std::io::Error) -> PublishError {
        self.folder.failed(name, error)
    }

    fn stamps_are_cheap(&self) -> bool {
        true
    }
}

#[test]
fn an_interrupted_run_continues_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    let mut all = Vec::new();
    for attempt in 0.. {
        let source = Breaking {
            folder: Folder::open(folder.path()).unwrap(),
            left: AtomicUsize::new(5),
            read: Mutex::new(Vec::new()),
        };
        let result = publish(&source, &options(folder.path()), NOW, &Silent);
        all.extend(source.read.into_inner().unwrap());
        match result {
            Ok(published) => {
                assert_eq!((published.manifest.version, attempt), (1, 2));
                break;
            }
            Err(error) => {
                assert_eq!(error.code(), "file");
                assert!(!folder.path().join("content.seal").exists());
            }
        }
    }
    assert_eq!(all.len(), 12);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 12, "no segment was read twice");
    verify_folder(folder.path()).unwrap();
}

#[test]
fn another_content_or_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    publish_folder(folder.path()).unwrap();
    let source = Folder::open(folder.path()).unwrap();
    let mut other = options(folder.path());
    other.content_id = Some(ContentId([9; 16]));
    assert_eq!(
        publish(&source, &other, NOW, &Silent).unwrap_err().code(),
        "option"
    );
    let mut other = options(folder.path());
    other.key = SecretKey::from_seed(&[8; 32]);
    assert_eq!(
        publish(&source, &other, NOW, &Silent).unwrap_err().code(),
        "previous_version"
    );
    write(folder.path(), "content.seal", b"garbage");
    assert_eq!(
        publish_folder(folder.path()).unwrap_err().code(),
        "previous_version"
    );
}

#[test]
fn an_expired_version_can_be_continued() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    publish_folder(folder.path()).unwrap();
    let source = Folder::open(folder.path()).unwrap();
    let later = publish(&source, &options(folder.path()), NOW + 2 * YEAR, &Silent).unwrap();
    assert_eq!(
        (later.manifest.version, later.manifest.issued),
        (2, NOW + 2 * YEAR)
    );
    // A clock that was put back must not make the new version look older than the last.
    let earlier = publish(&source, &options(folder.path()), NOW, &Silent).unwrap();
    assert_eq!(
        (earlier.manifest.version, earlier.manifest.issued),
        (3, NOW + 2 * YEAR)
    );
}

#[test]
fn options_that_are_not_repeated_stay() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    let source = Folder::open(folder.path()).unwrap();
    let mut with = options(folder.path());
    with.tracker_keys = Some(vec![support::public_key()]);
    with.significant_query = Some(vec!["v".to_owned()]);
    publish(&source, &with, NOW, &Silent).unwrap();
    let second = publish_folder(folder.path()).unwrap();
    assert_eq!(second.manifest.tracker_keys, [support::public_key()]);
    assert_eq!(second.manifest.significant_query, ["v"]);
}

#[test]
fn two_runs_at_once_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    publish_folder(folder.path()).unwrap();
    let lock = std::fs::File::open(folder.path().join("seal/.state/lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(publish_folder(folder.path()).unwrap_err().code(), "busy");
}
