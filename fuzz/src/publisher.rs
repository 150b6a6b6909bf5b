//! Playlists and MPDs that a publisher is asked to publish. They may come from a web server that is not the publisher's.

use std::io::Cursor;

use swarmseal_server::publisher::PublishError;
use swarmseal_server::publisher::plan::Plan;
use swarmseal_server::publisher::source::{Opened, Source, Stamp};
use url::Url;

/// An HLS playlist; what follows a zero byte is a second one, which the first may name `b.m3u8`.
pub fn hls(data: &[u8]) {
    let (first, second) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, [].as_slice()),
    };
    plan(vec![("a.m3u8", first.to_vec()), ("b.m3u8", second.to_vec())]);
}

/// An MPD; what follows a zero byte is `b.mp4`, whose index it may point to.
pub fn mpd(data: &[u8]) {
    let (first, second) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, [].as_slice()),
    };
    plan(vec![("a.mpd", first.to_vec()), ("b.mp4", second.to_vec())]);
}

fn plan(files: Vec<(&'static str, Vec<u8>)>) {
    let source = Memory {
        base: Url::parse("http://127.0.0.1/content/").unwrap(),
        files,
    };
    if let Ok(plan) = Plan::make(&source, &["v".to_owned()]) {
        assert!(plan.tracks.iter().all(|track| !track.pieces.is_empty()));
        let _ = (plan.objects(), plan.bytes());
    }
}

/// A folder in memory. Whatever is asked for and not in it is there and has 1,000 bytes.
struct Memory {
    base: Url,
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Memory {
    fn file(&self, name: &str) -> Vec<u8> {
        let known = self.files.iter().find(|(known, _)| *known == name);
        known.map_or_else(|| vec![7; 1_000], |(_, bytes)| bytes.clone())
    }
}

impl Source for Memory {
    fn base(&self) -> &Url {
        &self.base
    }

    fn entries(&self) -> Result<Vec<String>, PublishError> {
        Ok(self.files.iter().map(|(name, _)| (*name).to_owned()).collect())
    }

    fn learn(&self, _: &str, _: &Url) {}

    fn stamp(&self, name: &str) -> Result<Option<Stamp>, PublishError> {
        Ok(Some(Stamp {
            length: Some(self.file(name).len() as u64),
            validator: String::new(),
        }))
    }

    fn open(&self, name: &str, range: Option<(u64, u64)>) -> Result<Opened, PublishError> {
        let file = self.file(name);
        let length = file.len();
        let part = match range {
            Some((offset, count)) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(length);
                let to = from
                    .saturating_add(usize::try_from(count).unwrap_or(usize::MAX))
                    .min(length);
                file[from..to].to_vec()
            }
            None => file,
        };
        Ok(Opened {
            bytes: Box::new(Cursor::new(part)),
            stamp: Stamp {
                length: Some(length as u64),
                validator: String::new(),
            },
        })
    }

    fn failed(&self, name: &str, error: &std::io::Error) -> PublishError {
        panic!("reading {name} from memory failed: {error}")
    }

    fn stamps_are_cheap(&self) -> bool {
        true
    }
}
