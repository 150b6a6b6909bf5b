//! How long it takes from a segment that is closed on disk, and named by its playlist, to the head that states it.
//!
//! `cargo test -p swarmseal-server --test live_latency -- --nocapture` prints the figures; as a test it only
//! asserts that every segment is stated.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "test code"
)]

mod support;

use std::time::{Duration, Instant};

use swarmseal::content::cose;
use swarmseal::content::live::LiveHead;
use swarmseal_server::publisher::Options;
use swarmseal_server::publisher::live::{LiveOptions, LivePublisher, Watch};

/// As at 1.5 Mbit/s and two seconds.
const SEGMENT: usize = 375_000;
const SEGMENTS: u32 = 40;

#[test]
fn every_segment_is_stated_soon() {
    let folder = tempfile::tempdir().unwrap();
    let media = folder.path().join("media");
    std::fs::create_dir(&media).unwrap();
    let options = LiveOptions {
        folder: media.clone(),
        state: folder.path().join("state"),
        signing: Some(Options {
            content_id: None,
            ..support::options(&media)
        }),
        session_s: 86_400,
    };
    let watch = Watch::new(&media).unwrap();
    let stop = watch.stop();
    let now_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    let mut publisher = LivePublisher::open(options, now_ms).unwrap();
    let loop_ = std::thread::spawn(move || {
        watch.run(&mut publisher, &mut |_| {}).unwrap();
    });
    let mut waits: Vec<Duration> = Vec::new();
    let mut playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n".to_owned();
    for index in 0..SEGMENTS {
        std::thread::sleep(Duration::from_millis(150));
        std::fs::write(
            media.join(format!("s{index}.m4s")),
            support::noise(index.into(), SEGMENT),
        )
        .unwrap();
        let closed = Instant::now();
        playlist.push_str(&format!("#EXTINF:2.0,\ns{index}.m4s\n"));
        std::fs::write(media.join("live.m3u8.tmp"), &playlist).unwrap();
        std::fs::rename(media.join("live.m3u8.tmp"), media.join("live.m3u8")).unwrap();
        while stated(&media) != Some(index + 1) {
            assert!(
                closed.elapsed() < Duration::from_secs(60),
                "segment {index} is not stated"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        waits.push(closed.elapsed());
    }
    stop.now();
    loop_.join().unwrap();
    waits.sort();
    let at = |share: usize| waits[(waits.len() - 1) * share / 100].as_secs_f64() * 1000.0;
    println!(
        "from a closed segment to its head: median {:.1} ms, 95 % {:.1} ms, worst {:.1} ms",
        at(50),
        at(95),
        at(100)
    );
}

fn stated(media: &std::path::Path) -> Option<u32> {
    let sealed = std::fs::read(media.join("seal/live/latest")).ok()?;
    let head = LiveHead::decode(cose::peek(&sealed).ok()?.payload, &[]).ok()?;
    Some(head.tracks.first()?.size())
}
