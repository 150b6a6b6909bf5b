//! `swarmseal publish --watch` beside a real packager: what is stated, and what survives a crash.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use swarmseal::content::live::{Chain, LiveHead, LiveMemory, LogPages, Session};
use swarmseal::content::{Hash, Manifest, TrackId, WallTime, cose, tree};
use swarmseal_server::publisher::live::{LiveOptions, LivePublisher, Step};
use swarmseal_server::publisher::progress::Silent;
use swarmseal_server::publisher::source::Folder;
use swarmseal_server::publisher::{Options, verify};

/// Longer than anything takes, even on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("media")).unwrap();
        let stage = Self { folder };
        stage.swarmseal(&["keygen", "key"]).wait().unwrap();
        stage
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn swarmseal(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_swarmseal"))
            .current_dir(self.folder.path())
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn publisher(&self) -> Child {
        self.swarmseal(&["publish", "media", "--watch", "--key", "key", "--state", "state"])
    }

    /// Twelve segments of half a second, in real time.
    fn packager(&self, extra: &[&str]) -> Child {
        let source = "testsrc2=size=160x90:rate=10";
        Command::new("ffmpeg")
            .current_dir(self.at("media"))
            .args([
                "-loglevel",
                "error",
                "-re",
                "-f",
                "lavfi",
                "-i",
                source,
                "-t",
                "6",
            ])
            .args([
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-g",
                "5",
                "-keyint_min",
                "5",
            ])
            .args(extra)
            .stdin(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn newest(&self) -> Option<LiveHead> {
        decode(&std::fs::read(self.at("media/seal/live/latest")).ok()?)
    }

    fn wait_for(&self, what: &str, is_there: impl Fn(&LiveHead) -> bool) -> LiveHead {
        let from = Instant::now();
        loop {
            if let Some(head) = self.newest().filter(&is_there) {
                return head;
            }
            assert!(
                from.elapsed() < PATIENCE,
                "waited for {what} in vain, at {:?}",
                self.newest()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All heads of a log as they lie there, through the eyes of one viewer.
    fn follow(&self, log: u64) -> Vec<LiveHead> {
        let sealed = std::fs::read(self.at("media/content.seal")).unwrap();
        let manifest = Manifest::decode(cose::peek(&sealed).unwrap().payload).unwrap();
        let key = swarmseal_server::publisher::key_file::read_private(&self.at("key"))
            .unwrap()
            .public();
        let mut chain = Chain::new(manifest.content_id, vec![key], Vec::new(), LiveMemory::default());
        for entry in std::fs::read_dir(self.at("media/seal/live")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "session") {
                chain
                    .accept_session(&std::fs::read(path).unwrap(), wall())
                    .unwrap();
            }
        }
        let folder = self.at("media/seal/live").join(log.to_string());
        let mut heads: Vec<(u64, Vec<u8>)> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "head"))
            .map(|path| {
                let sequence = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
                (sequence, std::fs::read(path).unwrap())
            })
            .collect();
        heads.sort();
        for (sequence, sealed) in &heads {
            let taken = chain.accept(sealed, 0, wall()).unwrap();
            assert!(taken.linked && taken.sequence == *sequence);
        }
        assert!(chain.evidence().is_empty());
        heads.iter().map(|(_, sealed)| decode(sealed).unwrap()).collect()
    }

    fn assert_published(&self) {
        let checked = self
            .swarmseal(&["verify", "media", "--key", "key.pub"])
            .wait()
            .unwrap();
        assert!(checked.success());
    }
}

fn decode(sealed: &[u8]) -> Option<LiveHead> {
    LiveHead::decode(cose::peek(sealed).ok()?.payload, &[]).ok()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn wall() -> WallTime {
    WallTime {
        unix_s: now_s(),
        uncertainty_s: 5,
    }
}

fn terminate(process: &Child) {
    Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status()
        .unwrap();
}

/// What becomes of `process`, which must not run for ever.
fn ended(mut process: Child) -> std::process::ExitStatus {
    let from = Instant::now();
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        assert!(from.elapsed() < PATIENCE, "it goes on and on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const FMP4: &[&str] = &[
    "-f",
    "hls",
    "-hls_time",
    "0.5",
    "-hls_list_size",
    "0",
    "-hls_segment_type",
    "fmp4",
    "-hls_segment_filename",
    "s%d.m4s",
    "live.m3u8",
];

fn size(head: &LiveHead) -> u32 {
    head.tracks.first().map_or(0, |track| track.size())
}

#[test]
fn a_killed_publisher_goes_on_with_the_same_log_and_the_recording_has_its_pages() {
    let stage = Stage::new();
    let mut publisher = stage.publisher();
    let packager = stage.packager(FMP4);
    let before = stage.wait_for("three segments", |head| size(head) >= 3);
    publisher.kill().unwrap();
    publisher.wait().unwrap();
    std::thread::sleep(Duration::from_millis(800));
    let again = stage.publisher();
    let end = stage.wait_for("the end", |head| head.end);
    assert!(ended(packager).success() && ended(again).success());
    assert_eq!((end.log, end.session), (before.log, before.session));
    let heads = stage.follow(before.log);
    assert_eq!(heads.last(), Some(&end));
    assert!(size(&end) >= 8);
    stage.assert_published();
    // The pages of the log are the pages of the recording's index, after the hashes of these.
    let log = stage.at("media/seal/live").join(end.log.to_string());
    let records = std::fs::read(log.join("track-1.records")).unwrap();
    let index = std::fs::read(stage.at("media/seal/track-1.index")).unwrap();
    assert_eq!(index[32..], records);
    let pages = LogPages::of(&end.tracks[0]);
    assert_eq!(std::fs::read(log.join("track-1.pages")).unwrap(), b"");
    let root = pages.root_at(before.tracks[0].size(), &records).unwrap();
    assert_eq!(root, before.tracks[0].root());
    // The playlist that a viewer has just fetched is one that the head vouches for.
    let playlist = std::fs::read(stage.at("media/live.m3u8")).unwrap();
    assert_eq!(end.documents[0].digests.first(), Some(&Hash::of(&[&playlist])));
}

#[test]
fn lost_state_begins_other_logs_under_a_new_session() {
    let stage = Stage::new();
    let mut publisher = stage.publisher();
    let packager = stage.packager(FMP4);
    let before = stage.wait_for("two segments", |head| size(head) >= 2);
    publisher.kill().unwrap();
    publisher.wait().unwrap();
    stage.assert_published();
    std::fs::remove_dir_all(stage.at("state")).unwrap();
    let again = stage.publisher();
    let after = stage.wait_for("another log", |head| head.log != before.log);
    assert!(after.log > before.log && after.session == after.log);
    assert!(size(&after) >= 2, "what the playlist still names is stated again");
    stage.wait_for("the end", |head| head.end);
    assert!(ended(packager).success() && ended(again).success());
    let old = stage.follow(before.log);
    assert!(
        old.iter().all(|head| !head.end),
        "nothing is added to the logs that were lost"
    );
    stage.follow(after.log);
    stage.assert_published();
}

#[test]
fn a_state_from_a_backup_is_a_lost_state() {
    let stage = Stage::new();
    let mut publisher = stage.publisher();
    let packager = stage.packager(FMP4);
    stage.wait_for("a segment", |head| size(head) >= 1);
    publisher.kill().unwrap();
    publisher.wait().unwrap();
    let state = std::fs::read_dir(stage.at("state"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path()
        .join("log");
    let backup = std::fs::read(&state).unwrap();
    let mut publisher = stage.publisher();
    let before = stage.wait_for("three segments", |head| size(head) >= 3);
    publisher.kill().unwrap();
    publisher.wait().unwrap();
    std::fs::write(&state, backup).unwrap();
    let again = stage.publisher();
    stage.wait_for("another log", |head| head.log > before.log);
    assert!(ended(packager).success() && ended(again).success());
    stage.follow(before.log);
}

#[test]
fn sigterm_signs_the_end_and_publishes_what_there_is() {
    let stage = Stage::new();
    let publisher = stage.publisher();
    let mut packager = stage.packager(&[
        "-f",
        "hls",
        "-hls_time",
        "0.5",
        "-hls_list_size",
        "0",
        "live.m3u8",
    ]);
    stage.wait_for("three segments", |head| size(head) >= 3);
    terminate(&publisher);
    assert!(ended(publisher).success());
    let end = stage.newest().unwrap();
    assert!(end.end && size(&end) >= 3);
    packager.kill().unwrap();
    packager.wait().unwrap();
    stage.follow(end.log);
    let manifest = std::fs::read(stage.at("media/content.seal")).unwrap();
    let manifest = Manifest::decode(cose::peek(&manifest).unwrap().payload).unwrap();
    assert_eq!((manifest.live, manifest.version), (None, 2));
    assert_eq!(manifest.tracks[0].segments, size(&end));
}

#[test]
fn segments_that_the_window_took_away_are_gaps() {
    let stage = Stage::new();
    let mut publisher = stage.publisher();
    let window = [
        "-f",
        "hls",
        "-hls_time",
        "0.5",
        "-hls_list_size",
        "2",
        "-hls_flags",
        "delete_segments",
        "-hls_delete_threshold",
        "1",
        "-hls_segment_type",
        "fmp4",
        "-hls_segment_filename",
        "s%d.m4s",
        "live.m3u8",
    ];
    let packager = stage.packager(&window);
    let before = stage.wait_for("a segment", |head| size(head) >= 1);
    publisher.kill().unwrap();
    publisher.wait().unwrap();
    let gone = stage.at("media").join(format!("s{}.m4s", size(&before) + 1));
    let from = Instant::now();
    while gone.exists() || from.elapsed() < Duration::from_millis(2600) {
        assert!(from.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    let again = stage.publisher();
    let end = stage.wait_for("the end", |head| head.end);
    assert!(ended(packager).success() && ended(again).success());
    let heads = stage.follow(end.log);
    let records = heads.iter().flat_map(|head| &head.tracks[0].records);
    assert!(
        records
            .clone()
            .any(|record| record.length == 0 && record.root == tree::root(&[]))
    );
    assert!(records.clone().any(|record| record.length > 0));
    stage.assert_published();
}

#[test]
fn dash_is_followed_by_its_mpd() {
    let stage = Stage::new();
    let publisher = stage.publisher();
    let packager = stage.packager(&[
        "-f",
        "dash",
        "-seg_duration",
        "0.5",
        "-window_size",
        "0",
        "live.mpd",
    ]);
    let end = stage.wait_for("the end", |head| head.end);
    assert!(ended(packager).success() && ended(publisher).success());
    assert!(size(&end) >= 8 && end.documents[0].path == "live.mpd");
    stage.follow(end.log);
    stage.assert_published();
}

#[test]
fn prepared_sessions_need_no_publisher_key_until_the_recording() {
    let stage = Stage::new();
    assert!(!ended(stage.swarmseal(&["publish", "media", "--watch", "--state", "state"])).success());
    let prepared = [
        "session",
        "media",
        "--key",
        "key",
        "--state",
        "state",
        "--sessions",
        "2",
    ];
    assert!(ended(stage.swarmseal(&prepared)).success());
    std::fs::rename(stage.at("key"), stage.at("safe")).unwrap();
    let publisher = stage.swarmseal(&["publish", "media", "--watch", "--state", "state"]);
    let packager = stage.packager(FMP4);
    let end = stage.wait_for("the end", |head| head.end);
    assert!(ended(packager).success() && ended(publisher).success());
    let sealed = std::fs::read(stage.at("media/content.seal")).unwrap();
    assert!(
        Manifest::decode(cose::peek(&sealed).unwrap().payload)
            .unwrap()
            .live
            .is_some()
    );
    std::fs::rename(stage.at("safe"), stage.at("key")).unwrap();
    assert!(ended(stage.publisher()).success());
    assert_eq!(stage.newest().as_ref(), Some(&end), "nothing follows the end");
    stage.assert_published();
}

/// A packager made of plain writes, for what no real one does on demand.
struct Written {
    folder: tempfile::TempDir,
}

impl Written {
    fn options(&self) -> LiveOptions {
        LiveOptions {
            folder: self.folder.path().join("media"),
            state: self.folder.path().join("state"),
            signing: Some(Options {
                content_id: None,
                ..support::options(&self.folder.path().join("media"))
            }),
            session_s: 3600,
        }
    }

    fn write(&self, first: u32, end: u32, prefix: &str) {
        let media = self.folder.path().join("media");
        let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n".to_owned();
        for index in first..end {
            text.push_str(&format!("#EXTINF:2.0,\n{prefix}{index}.ts\n"));
            support::write(
                &media,
                &format!("{prefix}{index}.ts"),
                &support::noise(index.into(), 40_000),
            );
        }
        support::write(&media, "live.m3u8", text.as_bytes());
    }
}

fn stated(publisher: &mut LivePublisher, at_s: u64) -> Step {
    publisher.step(at_s * 1000).unwrap()
}

#[test]
fn sessions_overlap_and_the_log_outlives_them() {
    let written = Written {
        folder: tempfile::tempdir().unwrap(),
    };
    std::fs::create_dir(written.folder.path().join("media")).unwrap();
    let mut publisher = LivePublisher::open(written.options(), support::NOW * 1000).unwrap();
    let mut sessions = Vec::new();
    for (at, count) in [(0, 2), (1800, 3), (2800, 4), (5600, 5)] {
        written.write(0, count, "s");
        let Step::Stated(stated) = stated(&mut publisher, support::NOW + at) else {
            panic!("nothing stated")
        };
        sessions.push(stated.session);
    }
    assert!(sessions[0] == sessions[1] && sessions[1] < sessions[2] && sessions[2] < sessions[3]);
    assert!(matches!(
        stated(&mut publisher, support::NOW + 5601),
        Step::Unchanged
    ));
    let live = written.folder.path().join("media/seal/live");
    let read = |session: &u64| std::fs::read(live.join(format!("{session}.session"))).unwrap();
    let decoded = sessions
        .iter()
        .map(|session| Session::decode(cose::peek(&read(session)).unwrap().payload).unwrap());
    let decoded: Vec<Session> = decoded.collect();
    assert!(decoded[2].not_before < decoded[1].not_after && decoded[2].first_sequence == 3);
}

#[test]
fn numbering_that_begins_anew_begins_another_track() {
    let written = Written {
        folder: tempfile::tempdir().unwrap(),
    };
    std::fs::create_dir(written.folder.path().join("media")).unwrap();
    let mut publisher = LivePublisher::open(written.options(), support::NOW * 1000).unwrap();
    written.write(5, 8, "s");
    assert!(matches!(stated(&mut publisher, support::NOW), Step::Stated(_)));
    written.write(0, 2, "t");
    assert!(matches!(
        stated(&mut publisher, support::NOW + 2),
        Step::Stated(_)
    ));
    let head = std::fs::read(written.folder.path().join("media/seal/live/latest")).unwrap();
    let head = decode(&head).unwrap();
    let of = |id: u16| head.track(TrackId(id)).map(|track| (track.size(), track.closed));
    assert_eq!((of(1), of(2)), (Some((3, true)), Some((2, false))));
    publisher.end((support::NOW + 4) * 1000).unwrap();
    publisher.finish(support::NOW + 4).unwrap().unwrap();
    let media = written.folder.path().join("media");
    let expected = swarmseal_server::publisher::Expected {
        content: None,
        ..support::expected()
    };
    verify(&Folder::open(&media).unwrap(), "content.seal", &expected, &Silent).unwrap();
}

#[test]
fn a_long_playlist_at_the_beginning_is_stated_whole() {
    let written = Written {
        folder: tempfile::tempdir().unwrap(),
    };
    std::fs::create_dir(written.folder.path().join("media")).unwrap();
    written.write(0, 300, "s");
    let mut publisher = LivePublisher::open(written.options(), support::NOW * 1000).unwrap();
    let Step::Stated(stated) = stated(&mut publisher, support::NOW) else {
        panic!("nothing stated")
    };
    assert_eq!(stated.segments, 300);
    let log = written
        .folder
        .path()
        .join("media/seal/live")
        .join(stated.log.to_string());
    let head = decode(&std::fs::read(log.join("1.head")).unwrap()).unwrap();
    let track = &head.tracks[0];
    let (records, rows) = (
        std::fs::read(log.join("track-1.records")).unwrap(),
        std::fs::read(log.join("track-1.rows")).unwrap(),
    );
    assert_eq!(
        (track.size(), records.len(), rows.len()),
        (300, 300 * 64, 300 * 3 * 32)
    );
    let roots = std::fs::read(log.join("track-1.pages")).unwrap();
    let mut pages = LogPages::of(track);
    pages.take_roots(&roots).unwrap();
    assert_eq!(pages.check(0, &records[..256 * 64]), Ok(()));
    assert_eq!(pages.check(1, &records[256 * 64..]), Ok(()));
}

#[test]
fn a_live_content_is_checked_to_its_last_byte() {
    let written = Written {
        folder: tempfile::tempdir().unwrap(),
    };
    let media = written.folder.path().join("media");
    std::fs::create_dir(&media).unwrap();
    written.write(0, 300, "s");
    let mut publisher = LivePublisher::open(written.options(), support::NOW * 1000).unwrap();
    let Step::Stated(stated) = stated(&mut publisher, support::NOW) else {
        panic!("nothing stated")
    };
    let expected = swarmseal_server::publisher::Expected {
        content: None,
        ..support::expected()
    };
    let check = || verify(&Folder::open(&media).unwrap(), "content.seal", &expected, &Silent);
    std::fs::remove_file(media.join("s7.ts")).unwrap();
    let report = check().unwrap();
    let live = report.live.unwrap();
    assert_eq!(
        (live.segments, live.gone, report.objects, live.end),
        (300, 1, 299, false)
    );
    let altered = |name: &str| {
        let path = media.join(name);
        let good = std::fs::read(&path).unwrap();
        let mut bytes = good.clone();
        bytes[20] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let refused = check().unwrap_err().to_string();
        std::fs::write(&path, good).unwrap();
        refused
    };
    let of = |ending: &str| format!("seal/live/{}/track-1.{ending}", stated.log);
    for name in ["s299.ts", &of("records"), &of("pages"), &of("rows")] {
        assert!(altered(name).contains("expected"), "{name}");
    }
    assert!(altered("seal/live/latest").starts_with("seal/live/latest"));
    assert!(check().is_ok());
}

#[test]
fn keys_of_sessions_are_kept_out_of_what_is_served() {
    let written = Written {
        folder: tempfile::tempdir().unwrap(),
    };
    let media: &Path = &written.folder.path().join("media");
    std::fs::create_dir(media).unwrap();
    let options = LiveOptions {
        state: media.join("state"),
        ..written.options()
    };
    assert_eq!(LivePublisher::open(options, 0).err().unwrap().code(), "option");
}
