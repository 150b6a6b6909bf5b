//! Ten thousand segments are as good as ten.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::{playlist, publish_folder, verify_folder, write};
use swarmseal::content::Names;

#[test]
fn ten_thousand_segments() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "i.m3u8", playlist(10_000).as_bytes());
    write(folder.path(), "init.mp4", b"init");
    for index in 0..10_000_u32 {
        write(folder.path(), &format!("s{index}.m4s"), &index.to_be_bytes());
    }
    let published = publish_folder(folder.path()).unwrap();
    let [track] = published.manifest.tracks.as_slice() else {
        panic!("one track")
    };
    assert_eq!(track.segments, 10_000);
    assert_eq!(
        track.names,
        Names::Template {
            pattern: "s$Number$.m4s".to_owned(),
            start_number: 0
        }
    );
    assert!(published.sealed_len < 1024);
    let report = verify_folder(folder.path()).unwrap();
    assert_eq!(
        (report.objects, report.bytes),
        (10_002, 40_004 + playlist(10_000).len() as u64)
    );
}
