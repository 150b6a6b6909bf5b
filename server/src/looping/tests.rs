use std::fs;
use std::path::{Path, PathBuf};

use super::{Loop, LoopOptions};
use crate::fmp4::Header;

const SECOND_US: u64 = 1_000_000;
/// 2026-09-21 14:13:20 UTC.
const BEGAN_US: u64 = 1_790_000_000 * SECOND_US;
/// The sample has 42 segments of 2 s of pictures, and sound that ends a little earlier.
const PERIOD_US: u64 = 83_921_333;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample/media")
}

fn options(folder: &Path, window_s: Option<u32>) -> LoopOptions {
    LoopOptions {
        source: sample(),
        folder: folder.to_owned(),
        window_s,
        ahead_s: 12,
    }
}

fn listed(folder: &Path, playlist: &str) -> m3u8_rs::MediaPlaylist {
    let bytes = fs::read(folder.join(playlist)).unwrap();
    m3u8_rs::parse_media_playlist_res(&bytes).unwrap()
}

#[test]
fn media_time_goes_on_over_repetitions() {
    let folder = tempfile::tempdir().unwrap();
    let mut looped = Loop::open(options(folder.path(), None), BEGAN_US).unwrap();
    looped.advance(BEGAN_US + 200 * SECOND_US).unwrap();
    for (rendition, two_pictures) in [("video-180", 2 * 512), ("video-360", 2 * 512), ("audio", 0)] {
        let own = folder.path().join(rendition);
        let header = Header::read(&fs::read(own.join("index-init.mp4")).unwrap()).unwrap();
        let mut end: Option<u64> = None;
        for number in 0..106 {
            let bytes = fs::read(own.join(format!("index-{number}.m4s"))).unwrap();
            let span = header.span(&bytes).unwrap();
            // The sound ends before the picture does, and nothing may be missing.
            let overlap = end.map_or(0, |end: u64| end.checked_sub(span.start).unwrap());
            let allowed = if number % 42 == 0 { two_pictures } else { 0 };
            assert!(overlap <= allowed, "{rendition} {number}: {overlap}");
            end = Some(span.start + span.duration);
            // What was read from the source is what is there, but for its times.
            let source = sample().join(rendition).join(format!("s{:03}.m4s", number % 42));
            let source = fs::read(source).unwrap();
            assert_eq!(source.len(), bytes.len());
            let differing = source.iter().zip(&bytes).filter(|(a, b)| a != b).count();
            assert!(
                differing <= 4 + 8 + 8,
                "{rendition} {number}: {differing} bytes differ"
            );
        }
    }
}

#[test]
fn segments_appear_when_they_are_finished() {
    let folder = tempfile::tempdir().unwrap();
    let mut looped = Loop::open(options(folder.path(), Some(20)), BEGAN_US).unwrap();
    let count = |playlist| {
        let playlist = listed(folder.path(), playlist);
        playlist.media_sequence + playlist.segments.len() as u64
    };
    assert_eq!(count("video-180/index.m3u8"), 6);
    let mut now_us = BEGAN_US;
    while now_us < BEGAN_US + 90 * SECOND_US {
        let due_us = looped.due_us();
        assert!(due_us > now_us && due_us <= now_us + 2 * SECOND_US + SECOND_US / 10);
        now_us = due_us;
        looped.advance(now_us).unwrap();
        let media_us = now_us - BEGAN_US + 12 * SECOND_US;
        let finished = media_us / PERIOD_US * 42 + media_us % PERIOD_US / (2 * SECOND_US);
        assert_eq!(count("video-180/index.m3u8"), finished);
    }
}

#[test]
fn playlists_slide_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut looped = Loop::open(options(folder.path(), Some(20)), BEGAN_US).unwrap();
    for second in 1..=100 {
        looped.advance(BEGAN_US + second * SECOND_US).unwrap();
    }
    let playlist = listed(folder.path(), "video-180/index.m3u8");
    assert!(!playlist.end_list);
    assert_eq!((playlist.media_sequence, playlist.segments.len()), (46, 10));
    assert_eq!(playlist.target_duration, 2);
    let first = playlist.segments.first().unwrap();
    let began = first.program_date_time.unwrap().timestamp_millis();
    let expected_us = BEGAN_US + PERIOD_US + 4 * 2 * SECOND_US - 12 * SECOND_US;
    assert_eq!(began as u64, expected_us / 1000);
    // What has left the playlist stays for as long as the playlist is long.
    let is_there = |number: u32| {
        folder
            .path()
            .join(format!("video-180/index-{number}.m4s"))
            .exists()
    };
    assert!(is_there(46) && is_there(36) && !is_there(32));
    looped.end().unwrap();
    assert!(listed(folder.path(), "video-180/index.m3u8").end_list);
    assert!(listed(folder.path(), "audio/index.m3u8").end_list);
}

#[test]
fn another_stream_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    Loop::open(options(folder.path(), None), BEGAN_US).unwrap();
    let again = Loop::open(options(folder.path(), None), BEGAN_US);
    assert_eq!(again.err().map(|error| error.code()), Some("option"));
}

#[test]
fn what_cannot_be_moved_is_refused() {
    let source = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let refused = |playlist: &str| {
        fs::write(source.path().join("index.m3u8"), playlist).unwrap();
        let options = LoopOptions {
            source: source.path().to_owned(),
            ..options(folder.path(), None)
        };
        Loop::open(options, BEGAN_US)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let live = refused("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.m4s\n");
    assert!(live.contains("only a finished stream"), "{live}");
    let ts = refused("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n");
    assert!(ts.contains("other than fragmented MP4"), "{ts}");
    let elsewhere = refused(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"../i.mp4\"\n#EXTINF:2,\na.m4s\n#EXT-X-ENDLIST\n",
    );
    assert!(elsewhere.contains("not below"), "{elsewhere}");
    fs::write(source.path().join("i.mp4"), b"\0\0\0\x10moov\0\0\0\x09mvhd").unwrap();
    let broken = refused(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:2,\na.m4s\n#EXT-X-ENDLIST\n",
    );
    assert!(broken.starts_with("i.mp4 cannot be read"), "{broken}");
}

#[test]
fn a_clock_without_room_is_an_error() {
    let folder = sample().join("video-180");
    let header = Header::read(&fs::read(folder.join("init.mp4")).unwrap()).unwrap();
    let mut bytes = fs::read(folder.join("s003.m4s")).unwrap();
    let before = header.span(&bytes).unwrap();
    header
        .shift(&mut bytes, (1 << 40, before.timescale), &mut 0)
        .unwrap();
    assert_eq!(header.span(&bytes).unwrap().start, before.start + (1 << 40));
    assert!(
        header
            .shift(&mut bytes, (u64::MAX, before.timescale), &mut 0)
            .is_err()
    );
    for length in 0..bytes.len() {
        // Cut anywhere: an error, or whole boxes.
        let _ = header.span(&bytes[..length]);
    }
}
