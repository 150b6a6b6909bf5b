//! Publishing from a web server and checking one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::web::{GOOD, Habits, Web};
use support::{NOW, expected, options, publish_folder, stream, write};
use swarmseal_server::publisher::delivery::{Answer, probe};
use swarmseal_server::publisher::progress::Silent;
use swarmseal_server::publisher::source::{HttpSource, Source};
use swarmseal_server::publisher::{PublishError, Published, VerifyError, publish, verify};
use tempfile::TempDir;

fn publish_url(web: &Web, path: &str, out: &TempDir) -> Result<Published, PublishError> {
    publish(
        &HttpSource::open(&web.url(path), None)?,
        &options(out.path()),
        NOW,
        &Silent,
    )
}

#[test]
fn a_stream_is_published_from_its_playlist() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    stream(folder.path());
    let web = Web::serve(folder.path(), GOOD);
    let published = publish_url(&web, "master.m3u8", &out).unwrap();
    assert_eq!(published.manifest.tracks.len(), 2);
    let mut names: Vec<_> = published
        .manifest
        .assets
        .iter()
        .map(|asset| asset.path.as_str())
        .collect();
    names.sort_unstable();
    // Nothing can be known of files that no playlist names.
    assert_eq!(
        names,
        [
            "high/i.m3u8",
            "high/init.mp4",
            "low/i.m3u8",
            "low/init.mp4",
            "master.m3u8"
        ]
    );
    let local = publish_folder(folder.path()).unwrap();
    for (remote, local) in published.manifest.tracks.iter().zip(&local.manifest.tracks) {
        assert_eq!(remote, local);
    }
}

#[test]
fn a_second_run_asks_only_whether_anything_changed() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    stream(folder.path());
    let web = Web::serve(folder.path(), GOOD);
    publish_url(&web, "high/i.m3u8", &out).unwrap();
    web.requests();
    write(folder.path(), "high/s2.m4s", b"changed");
    let second = publish_url(&web, "high/i.m3u8", &out).unwrap();
    let fetched: Vec<_> = web
        .requests()
        .into_iter()
        .filter(|line| line.starts_with("GET"))
        .collect();
    // The playlist is read to know what there is.
    assert_eq!(fetched, ["GET /high/i.m3u8", "GET /high/s2.m4s"]);
    assert_eq!(second.objects - second.reused, 1);
}

#[test]
fn without_entity_tags_everything_is_read_again() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    stream(folder.path());
    let web = Web::serve(
        folder.path(),
        Habits {
            entity_tags: false,
            ..GOOD
        },
    );
    publish_url(&web, "high/i.m3u8", &out).unwrap();
    assert_eq!(publish_url(&web, "high/i.m3u8", &out).unwrap().reused, 0);
}

#[test]
fn byte_ranges_are_fetched_with_and_without_help_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let text = "#EXTM3U\n#EXT-X-MAP:URI=\"v.mp4\",BYTERANGE=\"700@0\"\n#EXTINF:2,\n#EXT-X-BYTERANGE:40000@700\nv.mp4\n\
                #EXTINF:2,\n#EXT-X-BYTERANGE:20000\nv.mp4\n#EXT-X-ENDLIST\n";
    write(folder.path(), "v.m3u8", text.as_bytes());
    write(folder.path(), "v.mp4", &support::noise(3, 60_700));
    let tracks = [true, false].map(|ranges| {
        let out = tempfile::tempdir().unwrap();
        let web = Web::serve(folder.path(), Habits { ranges, ..GOOD });
        publish_url(&web, "v.m3u8", &out).unwrap().manifest.tracks
    });
    assert_eq!(tracks[0], tracks[1]);
    assert_eq!(tracks[0], publish_folder(folder.path()).unwrap().manifest.tracks);
}

#[test]
fn a_server_that_stumbles_is_asked_again() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(folder.path(), "film.bin", b"film");
    let web = Web::serve(
        folder.path(),
        Habits {
            stumbles: true,
            ..GOOD
        },
    );
    let published = publish_url(&web, "film.bin", &out).unwrap();
    assert_eq!(published.bytes, 4);
}

#[test]
fn tokens_are_sent_but_neither_published_nor_shown() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(
        folder.path(),
        "v.m3u8",
        b"#EXTM3U\n#EXTINF:2,\ns0.ts?token=secret2\n#EXT-X-ENDLIST\n",
    );
    write(folder.path(), "s0.ts", b"segment");
    let web = Web::serve(folder.path(), GOOD);
    let published = publish_url(&web, "v.m3u8?token=secret1", &out).unwrap();
    let requests = web.requests();
    assert!(
        requests.contains(&"GET /v.m3u8?token=secret1".to_owned()),
        "{requests:?}"
    );
    assert!(
        requests.contains(&"GET /s0.ts?token=secret2".to_owned()),
        "{requests:?}"
    );
    assert!(!format!("{:?}", published.manifest).contains("secret1"));
    assert!(!format!("{:?}", published.manifest).contains("secret2"));
    std::fs::remove_file(folder.path().join("s0.ts")).unwrap();
    let error = publish_url(&web, "v.m3u8?token=secret1", &out).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn significant_parameters_tell_resources_apart() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text = "#EXTM3U\n#EXTINF:2,\ns.ts?t=a&part=1\n#EXTINF:2,\ns.ts?t=b&part=2\n#EXT-X-ENDLIST\n";
    write(folder.path(), "v.m3u8", text.as_bytes());
    write(folder.path(), "s.ts", b"segment");
    let web = Web::serve(folder.path(), GOOD);
    let segments = |significant: Option<&str>, out: &TempDir| {
        let source = HttpSource::open(&web.url("v.m3u8"), None).unwrap();
        let mut options = options(out.path());
        options.significant_query = significant.map(|name| vec![name.to_owned()]);
        publish(&source, &options, NOW, &Silent).unwrap().manifest.tracks[0].clone()
    };
    let with = segments(Some("part"), &out);
    assert_eq!(with.segments, 2);
    assert_eq!(
        format!("{:?}", with.names),
        r#"Template { pattern: "s.ts?part=$Number$", start_number: 1 }"#
    );
    assert!(web.requests().contains(&"GET /s.ts?t=b&part=2".to_owned()));
    assert_eq!(segments(None, &tempfile::tempdir().unwrap()).segments, 1);
}

#[test]
fn references_above_the_base_need_a_higher_base() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(
        folder.path(),
        "a/v.m3u8",
        b"#EXTM3U\n#EXTINF:2,\n../b/s0.ts\n#EXT-X-ENDLIST\n",
    );
    write(folder.path(), "b/s0.ts", b"segment");
    let web = Web::serve(folder.path(), GOOD);
    assert_eq!(
        publish_url(&web, "a/v.m3u8", &out).unwrap_err().code(),
        "outside_folder"
    );
    let source = HttpSource::open(&web.url("a/v.m3u8"), Some(web.url(""))).unwrap();
    let published = publish(&source, &options(out.path()), NOW, &Silent).unwrap();
    assert_eq!(published.manifest.assets[0].path, "a/v.m3u8");
}

#[test]
fn a_web_server_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    publish_folder(folder.path()).unwrap();
    let web = Web::serve(folder.path(), GOOD);
    let source = HttpSource::open(&web.url("content.seal"), None).unwrap();
    let report = verify(&source, "content.seal", &expected(), &Silent).unwrap();
    assert_eq!(report.objects, 21);
    let mut bytes = std::fs::read(folder.path().join("low/s3.m4s")).unwrap();
    bytes[4000] ^= 1;
    write(folder.path(), "low/s3.m4s", &bytes);
    match verify(&source, "content.seal", &expected(), &Silent) {
        Err(VerifyError::Mismatch(found)) => {
            assert_eq!((found.file.as_str(), found.chunk), ("low/s3.m4s", Some(0)))
        }
        other => panic!("{other:?}"),
    }
    std::fs::remove_file(folder.path().join("low/s3.m4s")).unwrap();
    match verify(&source, "content.seal", &expected(), &Silent) {
        Err(VerifyError::Mismatch(found)) => assert_eq!(found.found, "none"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_browsers_need_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    let manifest = publish_folder(folder.path()).unwrap().manifest;
    let look = |habits: Habits| {
        let web = Web::serve(folder.path(), habits);
        probe(&web.url(""), "content.seal", &manifest).unwrap()
    };
    let good = look(GOOD);
    assert!(
        matches!((&good.cors, &good.ranges), (Answer::Good(_), Answer::Good(_))),
        "{good:?}"
    );
    assert!(matches!(
        look(Habits { cors: false, ..GOOD }).cors,
        Answer::Bad(_)
    ));
    assert!(matches!(
        look(Habits {
            ranges: false,
            ..GOOD
        })
        .ranges,
        Answer::Poor(_)
    ));
}

#[test]
fn a_url_has_no_list_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let web = Web::serve(folder.path(), GOOD);
    let source = HttpSource::open(&web.url("v.m3u8?x=1"), None).unwrap();
    assert_eq!(source.entries().unwrap(), ["v.m3u8"]);
}
