//! TR 33.844, both editor's notes, by the command line: a folder and a key without a network, and what users have made.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::{noise, stream, write};

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in ["publisher", "user", "operator"] {
            desk.good(&["keygen", &desk.path(&format!("{name}.key"))]);
        }
        desk
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Without a network where this machine lets us take it away.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let program = env!("CARGO_BIN_EXE_swarmseal");
        let apart = ["--net", "--map-root-user"];
        let is_possible = Command::new("unshare")
            .args(apart)
            .arg("true")
            .output()
            .is_ok_and(|done| done.status.success());
        let mut command = if is_possible {
            let mut command = Command::new("unshare");
            command.args(apart).arg(program);
            command
        } else {
            Command::new(program)
        };
        let done = command.args(arguments).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8(said).unwrap())
    }

    fn good(&self, arguments: &[&str]) -> String {
        let (status, said) = self.run(arguments);
        assert_eq!(status, Some(0), "{arguments:?}: {said}");
        said
    }

    /// Does not get as far as a check, and says why in `words`.
    fn fails(&self, arguments: &[&str], words: &str) {
        let (status, said) = self.run(arguments);
        assert_eq!(status, Some(1), "{arguments:?}: {said}");
        assert!(said.contains(words), "{said}");
    }

    fn refused(&self, arguments: &[&str], code: &str) {
        let (status, said) = self.run(arguments);
        assert_eq!(status, Some(3), "{arguments:?}: {said}");
        assert!(said.contains(code), "{said}");
    }
}

fn folder(desk: &Desk, name: &str) -> PathBuf {
    let folder = desk.folder.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_folder_and_a_key_verify_without_a_network_and_are_graded() {
    let desk = Desk::new();
    let media = folder(&desk, "media");
    stream(&media);
    let (key, public) = (desk.path("publisher.key"), desk.path("publisher.key.pub"));
    desk.good(&["publish", text(&media), "--key", &key, "--quiet"]);
    let check = ["verify", text(&media), "--key", &public];
    let said = desk.good(&check);
    assert!(
        said.contains("signed, freshness unknown: there is no statement"),
        "{said}"
    );

    desk.good(&["refresh", text(&media), "--key", &key, "--for", "2d"]);
    let said = desk.good(&check);
    assert!(
        said.contains("signed, freshness unknown: the statement is good until"),
        "{said}"
    );
    let said = desk.good(&[check.as_slice(), &["--clock-within", "60"]].concat());
    assert!(said.contains("good  freshness"), "{said}");
    assert!(
        !said.contains("not listed"),
        "the statement is no forgotten file: {said}"
    );

    // A statement by somebody else, or of the version before, makes nothing fresh.
    let statement = std::fs::read(media.join("content.fresh")).unwrap();
    let mut forged = statement.clone();
    *forged.last_mut().unwrap() ^= 1;
    std::fs::write(media.join("content.fresh"), &forged).unwrap();
    let vouched = [check.as_slice(), &["--clock-within", "60"]].concat();
    assert!(
        desk.good(&vouched)
            .contains("the statement is refused (bad_signature)")
    );
    std::fs::write(media.join("content.fresh"), &statement).unwrap();
    let old = std::fs::read(media.join("content.seal")).unwrap();
    desk.good(&["publish", text(&media), "--key", &key, "--quiet"]);
    assert!(desk.good(&vouched).contains("signed, freshness unknown"));

    // What was seen once is remembered: the version before, with its good statement, is not brought back.
    let memory = desk.path("seen.json");
    desk.good(&[check.as_slice(), &["--memory", &memory]].concat());
    std::fs::write(media.join("content.seal"), old).unwrap();
    assert!(
        desk.good(&vouched).contains("good  freshness"),
        "whoever has not seen it cannot know"
    );
    desk.refused(&[vouched.as_slice(), &["--memory", &memory]].concat(), "rollback");
}

#[test]
fn what_has_expired_is_refused() {
    let desk = Desk::new();
    let media = folder(&desk, "media");
    write(&media, "film.mp4", &noise(1, 70_000));
    let (key, public) = (desk.path("publisher.key"), desk.path("publisher.key.pub"));
    let mut manifest = {
        desk.good(&["publish", text(&media), "--key", &key, "--quiet"]);
        let sealed = std::fs::read(media.join("content.seal")).unwrap();
        swarmseal::content::Manifest::decode(swarmseal::content::cose::peek(&sealed).unwrap().payload)
            .unwrap()
    };
    (manifest.issued, manifest.expires) = (1_600_000_000, 1_600_086_400);
    let signing = swarmseal_server::publisher::key_file::read_private(Path::new(&key)).unwrap();
    std::fs::write(media.join("content.seal"), manifest.sign(&signing).unwrap()).unwrap();
    desk.refused(&["verify", text(&media), "--key", &public], "expired");
}

#[test]
fn user_made_content_needs_an_endorsement_of_exactly_that() {
    let desk = Desk::new();
    let media = folder(&desk, "media");
    write(&media, "holiday.mp4", &noise(1, 70_000));
    let (user, maker) = (desk.path("user.key"), desk.path("user.key.pub"));
    let (operator, endorser) = (desk.path("operator.key"), desk.path("operator.key.pub"));
    let publish = ["publish", text(&media), "--key", &user, "--user-made", "--quiet"];
    let check = [
        "verify",
        text(&media),
        "--maker",
        &maker,
        "--endorser",
        &endorser,
        "--quiet",
    ];
    desk.good(&publish);
    desk.refused(&check, "user_made_unendorsed");
    desk.refused(&["verify", text(&media), "--key", &maker], "user_made_unendorsed");

    let endorsement = desk.path("endorsement");
    let endorse = [
        "endorse",
        text(&media),
        "--maker",
        &maker,
        "--key",
        &operator,
        "--out",
        &endorsement,
        "--quiet",
    ];
    desk.good(&endorse);
    desk.good(&[publish.as_slice(), &["--endorsement", &endorsement]].concat());
    desk.good(&check);
    desk.refused(
        &[
            "verify",
            text(&media),
            "--maker",
            &maker,
            "--endorser",
            &desk.path("publisher.key.pub"),
        ],
        "user_made_unendorsed",
    );
    desk.refused(&["verify", text(&media), "--key", &maker], "user_made_unendorsed");

    // The next version has more in it than the operator has seen.
    write(&media, "more.mp4", &noise(2, 70_000));
    desk.good(&publish);
    desk.refused(&check, "user_made_unendorsed");

    // Nobody endorses bytes that are not those listed.
    write(&media, "more.mp4", &noise(3, 70_000));
    desk.refused(&endorse, "mismatch");
}

#[test]
fn who_takes_the_wrong_key_or_file_is_told_which_is_right() {
    let desk = Desk::new();
    let media = folder(&desk, "media");
    stream(&media);
    let (key, public) = (desk.path("publisher.key"), desk.path("publisher.key.pub"));
    let (operator, out) = (desk.path("operator.key"), desk.path("endorsement"));
    desk.good(&["publish", text(&media), "--key", &key, "--quiet"]);
    let manifest = media.join("content.seal");

    desk.fails(
        &["refresh", text(&media), "--key", &operator],
        "error[not_its_publisher]",
    );
    desk.fails(
        &["refresh", text(desk.folder.path()), "--key", &key],
        "error[no_manifest]",
    );
    let said = desk.good(&["refresh", text(&manifest), "--key", &key]);
    assert!(said.contains("content.fresh"), "{said}");
    desk.fails(
        &["verify", text(&media), "--key", &key],
        "publisher.key is a private key; its public half is in",
    );
    // What a publisher has made is endorsed by nobody.
    let endorse = [
        "endorse",
        text(&media),
        "--maker",
        &public,
        "--key",
        &operator,
        "--out",
        &out,
    ];
    desk.fails(&endorse, "error[not_endorsable]");
    assert!(!Path::new(&out).exists());
}
