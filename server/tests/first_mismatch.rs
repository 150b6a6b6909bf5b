//! `verify` finds every kind of difference and names the first one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::Path;

use support::{NOW, YEAR, expected, publish_folder, stream, verify_folder, write};
use swarmseal::content::{ContentId, SecretKey};
use swarmseal_server::publisher::progress::Silent;
use swarmseal_server::publisher::source::Folder;
use swarmseal_server::publisher::{Mismatch, VerifyError, verify};

fn published() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    stream(folder.path());
    publish_folder(folder.path()).unwrap();
    folder
}

fn flip(folder: &Path, name: &str, at: usize) {
    let mut bytes = std::fs::read(folder.join(name)).unwrap();
    bytes[at] ^= 1;
    std::fs::write(folder.join(name), bytes).unwrap();
}

fn mismatch(folder: &Path) -> Mismatch {
    match verify_folder(folder) {
        Err(VerifyError::Mismatch(mismatch)) => mismatch,
        other => panic!("no mismatch: {other:?}"),
    }
}

fn refusal(result: Result<swarmseal_server::publisher::Report, VerifyError>) -> &'static str {
    match result {
        Err(VerifyError::Untrusted { code, .. }) => code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_good_folder_is_good() {
    let folder = published();
    let report = verify_folder(folder.path()).unwrap();
    // 12 segments, 3 ranges of the film, 3 playlists, 2 headers, 1 poster.
    assert_eq!(report.objects, 21);
    assert!(report.unlisted.is_empty());
    write(folder.path(), "later.txt", b"new");
    assert_eq!(verify_folder(folder.path()).unwrap().unlisted, ["later.txt"]);
}

#[test]
fn one_bit_of_a_segment() {
    let folder = published();
    flip(folder.path(), "high/s4.m4s", 16_384);
    flip(folder.path(), "high/s5.m4s", 0);
    flip(folder.path(), "low/s0.m4s", 0);
    let found = mismatch(folder.path());
    assert_eq!(
        (found.file.as_str(), found.range, found.chunk),
        ("high/s4.m4s", None, Some(1))
    );
    assert_eq!(found.expected.len(), 64);
    assert_ne!(found.expected, found.found);
}

#[test]
fn one_bit_of_a_piece_of_a_large_file() {
    let folder = published();
    flip(folder.path(), "extras/film.mkv", (4 << 20) + 3 * 16_384 + 5);
    let found = mismatch(folder.path());
    let place = (found.file.as_str(), found.range, found.chunk);
    assert_eq!(place, ("extras/film.mkv", Some((4 << 20, 4 << 20)), Some(3)));
}

#[test]
fn an_asset() {
    let folder = published();
    flip(folder.path(), "master.m3u8", 0);
    flip(folder.path(), "high/s0.m4s", 0);
    let found = mismatch(folder.path());
    assert_eq!((found.file.as_str(), found.chunk), ("master.m3u8", Some(0)));
}

#[test]
fn a_segment_that_is_shorter_longer_or_gone() {
    for (length, found_text) in [(39_999, "39999"), (40_002, "more"), (0, "0")] {
        let folder = published();
        let path = folder.path().join("high/s1.m4s");
        std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(length)
            .unwrap();
        let found = mismatch(folder.path());
        assert_eq!((found.file.as_str(), found.chunk), ("high/s1.m4s", None));
        assert_eq!(
            (found.expected.as_str(), found.found.as_str()),
            ("40001 bytes", found_text)
        );
    }
    let folder = published();
    std::fs::remove_file(folder.path().join("low/s2.m4s")).unwrap();
    let found = mismatch(folder.path());
    assert_eq!(
        (found.file.as_str(), found.found.as_str()),
        ("low/s2.m4s", "none")
    );
}

#[test]
fn rows_indexes_and_names() {
    for (file, at) in [
        ("seal/track-1.rows", 40),
        ("seal/track-1.index", 3),
        ("seal/track-1.index", 100),
    ] {
        let folder = published();
        flip(folder.path(), file, at);
        assert!(mismatch(folder.path()).file.starts_with(file), "{file} {at}");
    }
    let folder = published();
    let rows = folder.path().join("seal/track-2.rows");
    let mut bytes = std::fs::read(&rows).unwrap();
    bytes.push(0);
    std::fs::write(&rows, &bytes).unwrap();
    assert_eq!(mismatch(folder.path()).found, "more bytes");
    bytes.truncate(40);
    std::fs::write(&rows, &bytes).unwrap();
    assert_eq!(mismatch(folder.path()).found, "end of the file");
    std::fs::remove_file(&rows).unwrap();
    assert_eq!(mismatch(folder.path()).found, "none");
}

#[test]
fn a_table_of_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one.bin", "two.bin", "three.bin"] {
        write(folder.path(), name, name.as_bytes());
    }
    publish_folder(folder.path()).unwrap();
    verify_folder(folder.path()).unwrap();
    let length = std::fs::read(folder.path().join("seal/track-1.names"))
        .unwrap()
        .len();
    for at in [2, length - 1] {
        flip(folder.path(), "seal/track-1.names", at);
        assert_eq!(mismatch(folder.path()).file, "seal/track-1.names");
        flip(folder.path(), "seal/track-1.names", at);
    }
}

#[test]
fn manifests_that_are_not_to_be_trusted() {
    let folder = published();
    let source = Folder::open(folder.path()).unwrap();
    let mut other = expected();
    other.keys = vec![SecretKey::from_seed(&[8; 32]).public()];
    assert_eq!(
        refusal(verify(&source, "content.seal", &other, &Silent)),
        "untrusted_key"
    );
    let mut other = expected();
    other.content = Some(ContentId([1; 16]));
    assert_eq!(
        refusal(verify(&source, "content.seal", &other, &Silent)),
        "wrong_content"
    );
    let mut other = expected();
    other.now_unix_s = NOW + YEAR + 120;
    assert_eq!(
        refusal(verify(&source, "content.seal", &other, &Silent)),
        "expired"
    );
    let length = std::fs::read(folder.path().join("content.seal")).unwrap().len();
    flip(folder.path(), "content.seal", length - 70);
    verify_folder(folder.path()).unwrap_err();
}
