//! What the terminal shows: the whole program, run as a user runs it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use support::web::{GOOD, Habits, Web};
use support::{stream, write};
use tempfile::TempDir;

struct Ran {
    status: i32,
    out: String,
    error: String,
}

fn swarmseal(folder: &Path, arguments: &[&str]) -> Ran {
    let ran = Command::new(env!("CARGO_BIN_EXE_swarmseal"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    Ran {
        status: ran.status.code().unwrap(),
        out: String::from_utf8(ran.stdout).unwrap(),
        error: String::from_utf8(ran.stderr).unwrap(),
    }
}

/// A folder with `media/` and keys, published with a fixed identity.
fn published() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    stream(&folder.path().join("media"));
    write(
        folder.path(),
        "key",
        b"# test\ned25519-secret:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\n",
    );
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.path().join("key"), mode).unwrap();
    write(
        folder.path(),
        "key.pub",
        format!("{}\n", support::public_key()).as_bytes(),
    );
    let content = [
        "publish",
        "media",
        "--key",
        "key",
        "--content-id",
        "BQUFBQUFBQUFBQUFBQUFBQ",
    ];
    let ran = swarmseal(folder.path(), &content);
    assert_eq!((ran.status, ran.error.as_str()), (0, ""));
    let expected = "\
note: also lists what no playlist names: extras/film.mkv and 1 more
published version 1 of content BQUFBQUFBQUFBQUFBQUFBQ
  3 tracks, 6 assets, 9.3 MiB in 21 objects
  media/content.seal (991 B), valid until DATE
";
    assert_eq!(without_dates(&ran.out), expected);
    folder
}

/// Dates change from run to run, and how far off they are.
fn without_dates(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let date = line
            .find(" UTC")
            .and_then(|end| Some((end.checked_sub(19)?, end + 4)));
        lines.push(match date {
            Some((start, end)) => {
                let rest = if line[end..].starts_with(',') {
                    ", DISTANCE"
                } else {
                    &line[end..]
                };
                format!("{}DATE{rest}", &line[..start])
            }
            None => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

#[test]
fn verify_says_what_is_good() {
    let folder = published();
    let ran = swarmseal(folder.path(), &["verify", "media", "--key", "key.pub"]);
    let expected = "\
good  signature    version 1 of content BQUFBQUFBQUFBQUFBQUFBQ by ed25519:KEY
good  validity     until DATE, DISTANCE
note  freshness    signed, freshness unknown: there is no statement by the publisher
good  indexes      3 tracks, 15 segments
good  every byte   21 objects, 606 chunks, 9.3 MiB
";
    let expected = expected.replace("ed25519:KEY", &support::public_key().to_string());
    assert_eq!(
        (ran.status, without_dates(&ran.out), ran.error.as_str()),
        (0, expected, "")
    );
}

#[test]
fn verify_names_the_first_mismatch_in_one_line() {
    let folder = published();
    let path = folder.path().join("media/high/s2.m4s");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20_000] ^= 1;
    std::fs::write(path, bytes).unwrap();
    let ran = swarmseal(folder.path(), &["verify", "media", "--key", "key.pub"]);
    assert_eq!(
        (ran.status, ran.out.as_str(), ran.error.lines().count()),
        (3, "", 1)
    );
    assert!(
        ran.error
            .starts_with("error[mismatch]: high/s2.m4s, chunk 1: expected "),
        "{}",
        ran.error
    );
    let remedy = "; put the published file back, or publish again if the change was meant\n";
    assert!(ran.error.ends_with(remedy), "{}", ran.error);
}

#[test]
fn verify_of_a_url_looks_at_the_server() {
    let folder = published();
    let web = Web::serve(
        &folder.path().join("media"),
        Habits {
            ranges: false,
            ..GOOD
        },
    );
    let ran = swarmseal(
        folder.path(),
        &["verify", web.url("").as_str(), "--key", "key.pub"],
    );
    let expected = "\
good  CORS         pages of other origins may read (Access-Control-Allow-Origin: *)
poor  Range        master.m3u8: Range is ignored (200 with the whole file); it plays, but viewers load more
good  encoding     bytes arrive as they are stored
";
    assert_eq!(ran.status, 0, "{}", ran.error);
    assert!(ran.out.ends_with(expected), "{}", ran.out);
    let web = Web::serve(&folder.path().join("media"), Habits { cors: false, ..GOOD });
    let ran = swarmseal(
        folder.path(),
        &["verify", web.url("content.seal").as_str(), "--key", "key.pub"],
    );
    assert_eq!(ran.status, 3);
    assert!(ran.out.contains("BAD   CORS "), "{}", ran.out);
    assert!(ran.error.starts_with("error[server_unusable]: "), "{}", ran.error);
}

#[test]
fn inspect_shows_a_manifest_and_no_secret() {
    let folder = published();
    let ran = swarmseal(folder.path(), &["inspect", "media"]);
    let text = without_dates(&ran.out);
    let mut lines: Vec<&str> = text.lines().collect();
    assert!(lines.remove(2).starts_with("manifest     "));
    let expected = "\
content      BQUFBQUFBQUFBQUFBQUFBQ
version      1
signed by    key id KEYID (signature not checked; give --key)
issued       DATE, DISTANCE
expires      DATE, DISTANCE

6 assets, 5.0 KiB
  master.m3u8         130 B  application/vnd.apple.mpegurl
  high/i.m3u8         193 B  application/vnd.apple.mpegurl
  high/init.mp4       800 B  video/mp4
  low/i.m3u8          193 B  application/vnd.apple.mpegurl
  low/init.mp4        800 B  video/mp4
  poster.jpg        2.9 KiB  image/jpeg

3 tracks, 15 segments
     1  video       6 segments    900 kbit/s  video/mp4         high/s$Number$.m4s from 0
     2  video       6 segments     90 kbit/s  video/mp4         low/s$Number$.m4s from 0
     3  files       3 segments                video/x-matroska  ranges of extras/film.mkv";
    let expected = expected.replace(
        "KEYID",
        &swarmseal::content::to_base64url(&support::public_key().id()),
    );
    assert_eq!(lines.join("\n"), expected);
    let checked = swarmseal(
        folder.path(),
        &["inspect", "media/content.seal", "--key", "key.pub"],
    );
    assert!(checked.out.contains("(signature is good)"));
    let ran = swarmseal(folder.path(), &["inspect", "media", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["content"], "BQUFBQUFBQUFBQUFBQUFBQ");
    assert_eq!(json["version"], 1);
    assert_eq!(json["tracks"][0]["kind"], "video");
    assert_eq!(json["tracks"][0]["segments"], 6);
    assert_eq!(json["assets"][0]["path"], "master.m3u8");
    assert!(!ran.out.to_lowercase().contains("secret"));
}

#[test]
fn a_key_is_made_and_refused_when_others_can_read_it() {
    let folder = published();
    let ran = swarmseal(folder.path(), &["keygen", "mine"]);
    assert_eq!(ran.status, 0);
    assert!(ran.out.starts_with("ed25519:") && ran.out.lines().count() == 1);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("mine.pub")).unwrap(),
        ran.out
    );
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(folder.path().join("mine"), mode).unwrap();
    let ran = swarmseal(folder.path(), &["publish", "media", "--key", "mine"]);
    let expected = "error[key_readable_by_others]: mine can be read by others than its owner (mode 0640); \
                    run: chmod 600 mine, and make a new key if somebody may have read it\n";
    assert_eq!((ran.status, ran.error.as_str()), (1, expected));
}

#[test]
fn every_failure_is_one_line_that_says_what_to_do() {
    let folder = published();
    let failures: &[(&[&str], i32, &str)] = &[
        (
            &["publish", "none", "--key", "key"],
            1,
            "error[not_a_folder]: there is no folder none; check the path\n",
        ),
        (
            &["publish", "media", "--key", "none"],
            1,
            "error[key_file]: none: no such file or directory; check the path, or make a key with: swarmseal keygen FILE\n",
        ),
        (
            &["publish", "media", "--key", "key.pub"],
            1,
            "error[not_a_private_key]: key.pub holds no private key; give the file that swarmseal keygen wrote, not its .pub\n",
        ),
        (
            &["keygen", "key"],
            1,
            "error[key_exists]: key exists already and is not overwritten; choose another name\n",
        ),
        (
            &["verify", ".", "--key", "key.pub"],
            1,
            "error[no_manifest]: there is no ./content.seal; name a folder that swarmseal publish has written, or its \
             content.seal\n",
        ),
        (
            &["verify", "media", "--key", "ed25519:x"],
            1,
            "error[not_a_public_key]: ed25519:x is no public key and no file with one; give ed25519:… or a .pub file \
             that swarmseal keygen wrote\n",
        ),
    ];
    for (arguments, status, error) in failures {
        let ran = swarmseal(folder.path(), arguments);
        assert_eq!(
            (ran.status, ran.error.as_str(), ran.out.as_str()),
            (*status, *error, "")
        );
    }
    let ran = swarmseal(
        folder.path(),
        &["publish", "media", "--key", "key", "--expires", "1y"],
    );
    assert_eq!(ran.status, 2);
    assert!(ran.error.contains("such as 12h, 30d or 52w"), "{}", ran.error);
}
