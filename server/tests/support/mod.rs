//! What the publisher's tests share: folders with streams, a key, and a small web server with faults.
#![allow(dead_code, unreachable_pub, missing_docs)] // Each test file uses its own part of this.

pub mod live;
pub mod tls;
pub mod web;

use std::path::Path;

use swarmseal::content::{ContentId, PublicKey, RollbackMemory, SecretKey};
use swarmseal_server::config::{Config, ContentsConfig};
use swarmseal_server::publisher::progress::Silent;
use swarmseal_server::publisher::source::{Folder, Source};
use swarmseal_server::publisher::{
    Expected, Options, PublishError, Published, Report, VerifyError, publish, verify,
};

pub const NOW: u64 = 1_790_000_000;
pub const YEAR: u64 = 365 * 86_400;

pub fn key() -> SecretKey {
    SecretKey::from_seed(&[7; 32])
}

pub fn public_key() -> PublicKey {
    key().public()
}

pub fn content_id() -> ContentId {
    ContentId([5; 16])
}

pub fn options(out: &Path) -> Options {
    Options {
        key: key(),
        out: out.to_owned(),
        content_id: Some(content_id()),
        valid_for_s: YEAR,
        class: None,
        endorsement: None,
        significant_query: None,
        tracker_keys: None,
        jobs: 4,
        rehash: false,
    }
}

pub fn publish_folder(folder: &Path) -> Result<Published, PublishError> {
    publish(&Folder::open(folder)?, &options(folder), NOW, &Silent)
}

pub fn expected() -> Expected {
    Expected {
        keys: vec![public_key()],
        makers: Vec::new(),
        endorsers: Vec::new(),
        before_endorsement: false,
        memory: RollbackMemory::default(),
        content: Some(content_id()),
        now_unix_s: NOW,
        clock_within_s: None,
        jobs: 4,
    }
}

pub fn verify_folder(folder: &Path) -> Result<Report, VerifyError> {
    verify(&Folder::open(folder)?, "content.seal", &expected(), &Silent)
}

/// Bytes that differ from place to place and from seed to seed, without a random number crate.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

pub fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A media playlist of segments `s0.m4s`… of two seconds with an `init.mp4`.
pub fn playlist(segments: usize) -> String {
    let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"init.mp4\"\n".to_owned();
    for index in 0..segments {
        text.push_str(&format!("#EXTINF:2.0,\ns{index}.m4s\n"));
    }
    text + "#EXT-X-ENDLIST\n"
}

/// Two renditions of six segments each, the second of three chunks per segment, a poster, and a file of 9 MiB.
pub fn stream(folder: &Path) {
    let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=2x2\nhigh/i.m3u8\n\
                  #EXT-X-STREAM-INF:BANDWIDTH=90000,RESOLUTION=1x1\nlow/i.m3u8\n";
    write(folder, "master.m3u8", master.as_bytes());
    for (name, length) in [("high", 40_000), ("low", 5000)] {
        write(folder, &format!("{name}/i.m3u8"), playlist(6).as_bytes());
        write(folder, &format!("{name}/init.mp4"), &noise(length as u64, 800));
        for index in 0..6 {
            let bytes = noise((length + index) as u64, length + index);
            write(folder, &format!("{name}/s{index}.m4s"), &bytes);
        }
    }
    write(folder, "poster.jpg", &noise(1, 3000));
    write(folder, "extras/film.mkv", &noise(2, 9 << 20));
}

pub fn source_names(folder: &Path) -> Vec<String> {
    Folder::open(folder).unwrap().entries().unwrap()
}

/// Of a tracker that introduces the viewers of what `show` holds, believes `auditor`, and keeps its files in `folder`.
pub fn audited(folder: &Path, show: &Path, auditor: PublicKey) -> Config {
    let mut config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics_listen: Some("127.0.0.1:0".parse().unwrap()),
        key: folder.join("tracker.key"),
        revocations: folder.join("revocations.jsonl"),
        contents: ContentsConfig {
            publishers: vec![public_key()],
            manifests: vec![show.to_str().unwrap().to_owned()],
            ..ContentsConfig::default()
        },
        ..Config::default()
    };
    config.tracker.loopback = true;
    config.tracker.auditors = vec![auditor];
    config
}
