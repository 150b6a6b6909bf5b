//! Low-latency HLS from short fragments: parts, their parents, what the head says of both, and the origin that holds
//! requests back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use swarmseal::content::cose;
use swarmseal::content::live::{LiveHead, LiveTrack};
use swarmseal_server::looping::{Loop, LoopOptions};
use swarmseal_server::low_latency::{LowLatency, LowLatencyOptions};
use swarmseal_server::origin::{Mount, Origin};
use swarmseal_server::publisher::live::{LiveOptions, LivePublisher, Step};
use tower::ServiceExt as _;

const SECOND_US: u64 = 1_000_000;
const BEGAN_US: u64 = support::NOW * SECOND_US;

/// The sample's segments of 2 s as fragments; four of them make a parent.
struct Stage {
    folder: tempfile::TempDir,
    looped: Loop,
    now_us: u64,
}

impl Stage {
    fn new(window_s: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fragments = folder.path().join("fragments");
        for made in [&fragments, &folder.path().join("media")] {
            fs::create_dir(made).unwrap();
        }
        let options = LoopOptions {
            source: Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample/media"),
            folder: fragments,
            window_s,
            ahead_s: 0,
        };
        Self {
            looped: Loop::open(options, BEGAN_US).unwrap(),
            folder,
            now_us: BEGAN_US,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("media").join(name)
    }

    fn packager(&self) -> LowLatency {
        LowLatency::open(LowLatencyOptions {
            fragments: self.folder.path().join("fragments"),
            folder: self.at(""),
            segment_ms: 8_000,
        })
        .unwrap()
    }

    fn publisher(&self) -> LivePublisher {
        let options = LiveOptions {
            folder: self.at(""),
            state: self.folder.path().join("state"),
            signing: Some(support::options(&self.at(""))),
            session_s: 3600,
        };
        LivePublisher::open(options, self.now_us / 1_000).unwrap()
    }

    /// Time goes on; the first packager writes what is finished, and then the second one does.
    fn advance(&mut self, packager: &mut LowLatency, seconds: u64) {
        self.now_us += seconds * SECOND_US;
        self.looped.advance(self.now_us).unwrap();
        packager.step(self.now_us / 1_000).unwrap();
    }

    fn playlist(&self) -> String {
        fs::read_to_string(self.at("video-180/index.m3u8")).unwrap()
    }

    fn head(&self) -> LiveHead {
        let sealed = fs::read(self.at("seal/live/latest")).unwrap();
        LiveHead::decode(cose::peek(&sealed).unwrap().payload, &[]).unwrap()
    }
}

/// The names that playlist lines with this beginning give, or all names of segments.
fn named<'a>(playlist: &'a str, tag: &str) -> Vec<&'a str> {
    let lines = playlist.lines();
    if tag.is_empty() {
        return lines.filter(|line| !line.starts_with('#')).collect();
    }
    let quoted = |line: &'a str| line.split('"').nth(1);
    lines
        .filter(|line| line.starts_with(tag))
        .filter_map(quoted)
        .collect()
}

fn parts_of<'a>(head: &'a LiveHead, pattern: &str) -> (&'a LiveTrack, &'a LiveTrack) {
    let is_named = |track: &&LiveTrack| format!("{:?}", track.names).contains(pattern);
    let parts = head.tracks.iter().find(is_named).unwrap();
    (parts, head.track(parts.parts.as_ref().unwrap().of).unwrap())
}

#[test]
fn a_parent_is_its_parts_and_begins_where_a_player_can() {
    let mut stage = Stage::new(None);
    let mut packager = stage.packager();
    stage.advance(&mut packager, 37);
    let playlist = stage.playlist();
    assert!(playlist.contains("#EXT-X-TARGETDURATION:8\n"));
    assert!(playlist.contains("CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=6.000"));
    assert!(playlist.contains("#EXT-X-PART-INF:PART-TARGET=2.000"));
    let segments = named(&playlist, "");
    assert_eq!(
        segments,
        ["index-0.m4s", "index-1.m4s", "index-2.m4s", "index-3.m4s"]
    );
    // Those of the last three target durations, and of the parent that is being made.
    let parts = named(&playlist, "#EXT-X-PART:");
    assert_eq!(parts.len(), 3 * 4 + 2);
    assert_eq!(parts.first(), Some(&"index-part-4.m4s"));
    assert_eq!(named(&playlist, "#EXT-X-PRELOAD-HINT:"), ["index-part-18.m4s"]);
    for (number, segment) in segments.iter().enumerate() {
        let own = (number * 4..number * 4 + 4)
            .map(|part| fs::read(stage.at(&format!("video-180/index-part-{part}.m4s"))).unwrap());
        let whole = fs::read(stage.at(&format!("video-180/{segment}"))).unwrap();
        assert_eq!(whole, own.collect::<Vec<_>>().concat(), "{segment}");
    }
}

#[test]
fn a_head_says_which_parts_make_a_parent() {
    let mut stage = Stage::new(None);
    let mut packager = stage.packager();
    let mut publisher = stage.publisher();
    stage.advance(&mut packager, 9);
    // No parent is finished, so nothing can be part of one.
    let first = publisher.step(stage.now_us / 1_000).unwrap();
    assert!(matches!(first, Step::Unchanged), "{first:?}");
    for _ in 0..7 {
        stage.advance(&mut packager, 4);
        let step = publisher.step(stage.now_us / 1_000).unwrap();
        assert!(matches!(step, Step::Stated(_)), "{step:?}");
    }
    let head = stage.head();
    let (parts, whole) = parts_of(&head, "video-180/index-part-$Number$.m4s");
    assert_eq!((parts.size(), whole.size()), (18, 4));
    let parents = &parts.parts.as_ref().unwrap().parents;
    let said: Vec<_> = parents
        .iter()
        .map(|parent| (parent.segment, parent.first, parent.count))
        .collect();
    assert_eq!(said, [(1, 4, 4), (2, 8, 4), (3, 12, 4), (4, 16, 2)]);
    // The rows of what comes as parts are not carried twice.
    assert!(whole.rows.is_empty() && !parts.rows.is_empty());

    // A parent that is not its parts byte by byte is not said to be.
    stage.advance(&mut packager, 6);
    let other = stage.at("video-180/index-4.m4s");
    let mut bytes = fs::read(&other).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&other, bytes).unwrap();
    assert!(matches!(
        publisher.step(stage.now_us / 1_000).unwrap(),
        Step::Stated(_)
    ));
    let head = stage.head();
    let (parts, whole) = parts_of(&head, "video-180/index-part-$Number$.m4s");
    assert_eq!(whole.size(), 5);
    let said = &parts.parts.as_ref().unwrap().parents;
    assert!(said.iter().all(|parent| parent.segment == 5), "{said:?}");
}

#[test]
fn the_recording_has_segments_and_no_parts() {
    let mut stage = Stage::new(None);
    let mut packager = stage.packager();
    let mut publisher = stage.publisher();
    stage.advance(&mut packager, 21);
    publisher.step(stage.now_us / 1_000).unwrap();
    stage.looped.end().unwrap();
    packager.step(stage.now_us / 1_000).unwrap();
    let playlist = stage.playlist();
    assert!(playlist.ends_with("#EXT-X-ENDLIST\n") && !playlist.contains("PART"));
    assert_eq!(named(&playlist, "").len(), 3);
    assert!(matches!(
        publisher.step(stage.now_us / 1_000).unwrap(),
        Step::Finished
    ));
    publisher.end(stage.now_us / 1_000).unwrap();
    publisher.finish(support::NOW).unwrap();
    let report = support::verify_folder(&stage.at("")).unwrap();
    assert_eq!(report.manifest.manifest().tracks.len(), 3);
}

#[test]
fn a_restart_goes_on_and_what_left_the_list_is_deleted_later() {
    let mut stage = Stage::new(Some(40));
    let mut packager = stage.packager();
    stage.advance(&mut packager, 30);
    drop(packager);
    let mut packager = stage.packager();
    let mut seen = BTreeSet::new();
    for _ in 0..50 {
        stage.advance(&mut packager, 4);
        let playlist = stage.playlist();
        seen.extend(named(&playlist, "").into_iter().map(str::to_owned));
        let there = |name: &&str| stage.at(&format!("video-180/{name}")).exists();
        assert!(named(&playlist, "").iter().all(there));
        assert!(named(&playlist, "#EXT-X-PART:").iter().all(there));
    }
    let expected: BTreeSet<String> = (0..28).map(|number| format!("index-{number}.m4s")).collect();
    assert!(expected.is_subset(&seen), "numbers go on: {seen:?}");
    for gone in ["index-0.m4s", "index-part-0.m4s", "index-9.m4s"] {
        assert!(!stage.at(&format!("video-180/{gone}")).exists(), "{gone}");
    }
}

#[test]
fn numbers_that_begin_anew_are_refused_and_nothing_is_lost() {
    let mut stage = Stage::new(None);
    let mut packager = stage.packager();
    stage.advance(&mut packager, 21);
    let before = stage.playlist();
    let fragments = stage.folder.path().join("fragments/video-180/index.m3u8");
    let text = fs::read_to_string(&fragments).unwrap();
    let first = text.lines().take_while(|line| !line.ends_with("index-1.m4s"));
    let text: Vec<String> = first.map(|line| format!("{line}\n")).collect();
    fs::write(&fragments, text.concat()).unwrap();
    let refused = packager.step(stage.now_us / 1_000).unwrap_err();
    assert_eq!(refused.code(), "unsupported");
    assert!(refused.to_string().contains("folder of its own"), "{refused}");
    assert_eq!(stage.playlist(), before);
}

#[test]
fn fragments_and_parts_need_folders_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let options = LowLatencyOptions {
        fragments: folder.path().to_owned(),
        folder: folder.path().join("."),
        segment_ms: 2_000,
    };
    assert_eq!(LowLatency::open(options).err().unwrap().code(), "option");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_origin_holds_requests_until_there_is_what_they_ask_for() {
    let mut stage = Stage::new(None);
    let mut packager = stage.packager();
    stage.advance(&mut packager, 21);
    let origin = Origin::new(vec![Mount::new("/", &stage.at("")).unwrap()], None);
    let get = |path: &str| {
        let request = axum::http::Request::get(path)
            .body(axum::body::Body::empty())
            .unwrap();
        let origin = origin.clone();
        let answer = tower::service_fn(move |request| origin.clone().answer(request)).oneshot(request);
        async move {
            let response = answer.await.unwrap();
            let status = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            (status, body)
        }
    };
    let playlist = "/video-180/index.m3u8";
    // Two parents, and two parts of the next one.
    for (query, status) in [
        ("?_HLS_msn=1", 200),
        ("?_HLS_msn=2&_HLS_part=1", 200),
        ("?_HLS_msn=4", 400),
        ("?_HLS_part=1", 400),
    ] {
        assert_eq!(get(&format!("{playlist}{query}")).await.0, status, "{query}");
    }
    let held = [
        tokio::spawn(get(&format!("{playlist}?_HLS_msn=2&_HLS_part=2"))),
        tokio::spawn(get("/video-180/index-part-10.m4s")),
    ];
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(held.iter().all(|request| !request.is_finished()));
    assert_eq!(
        get("/video-180/index-part-11.m4s").await.0,
        404,
        "nobody hints at it"
    );
    stage.advance(&mut packager, 2);
    for request in held {
        let (status, body) = request.await.unwrap();
        assert_eq!(status, 200);
        assert!(!body.is_empty());
    }
}
