//! `swarmseal audit` where content, tracker and operator's address have certificates of an authority of the operator's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use support::tls::Authority;
use support::web::{GOOD, Web};
use swarmseal_server::daemon::Running;
use swarmseal_server::publisher::key_file;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(40);

/// A content, a tracker that believes an auditor, and TLS before all three addresses that an auditor needs.
struct Stage {
    folder: tempfile::TempDir,
    running: Running,
    plain: Addresses,
    secure: Addresses,
}

#[derive(Clone)]
struct Addresses {
    content: String,
    tracker: String,
    operator: String,
}

impl Stage {
    async fn set(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let show = folder.path().join("show");
        support::write(&show, "i.m3u8", support::playlist(1).as_bytes());
        support::write(&show, "init.mp4", &support::noise(1, 800));
        support::write(&show, "s0.m4s", &support::noise(2, 100_000));
        support::publish_folder(&show).unwrap();
        let auditor = key_file::generate(&folder.path().join("auditor.key")).unwrap();
        let config = support::audited(folder.path(), &show, auditor);
        let running = Running::start(&config, None).await.unwrap();
        let content = Web::serve(&show, GOOD).url("content.seal");
        let tracker: url::Url = running.tracker_url().parse().unwrap();
        let operator = running.metrics_address().unwrap();
        let of = |url: &url::Url| url.socket_addrs(|| None).unwrap()[0];
        let [content_tls, tracker_tls, operator_tls] = [
            authority.before(of(&content)).await,
            authority.before(of(&tracker)).await,
            authority.before(operator).await,
        ];
        let secure = Addresses {
            content: format!("https://{content_tls}{}", content.path()),
            tracker: format!("wss://{tracker_tls}{}", tracker.path()),
            operator: format!("https://{operator_tls}/"),
        };
        let plain = Addresses {
            content: content.to_string(),
            tracker: tracker.to_string(),
            operator: format!("http://{operator}/"),
        };
        Self {
            folder,
            running,
            plain,
            secure,
        }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What the auditor says until a line is `enough`, or what it ends with.
    async fn audit(
        &self,
        addresses: &Addresses,
        authorities: &[&str],
        enough: impl Fn(&Value) -> bool,
    ) -> (Vec<Value>, String) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_swarmseal"))
            .args(arguments(
                self.folder.path(),
                addresses,
                &self.running.key().to_string(),
            ))
            .args(authorities.iter().flat_map(|file| ["--extra-ca-certs", file]))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        loop {
            let line = timeout(PATIENCE, lines.next_line()).await;
            let Some(line) = line.expect("the auditor says something").unwrap() else {
                break;
            };
            said.push(serde_json::from_str(&line).unwrap());
            if enough(&said[said.len() - 1]) {
                return (said, String::new());
            }
        }
        let mut error = String::new();
        let mut stderr = process.stderr.take().unwrap();
        stderr.read_to_string(&mut error).await.unwrap();
        (said, error)
    }
}

fn arguments(folder: &Path, addresses: &Addresses, tracker_key: &str) -> Vec<String> {
    let key = folder.join("auditor.key");
    [
        "audit",
        &addresses.content,
        "--tracker",
        &addresses.tracker,
        "--operator",
        &addresses.operator,
        "--key",
        key.to_str().unwrap(),
        "--publisher",
        &support::public_key().to_string(),
        "--tracker-key",
        tracker_key,
        "--address",
        "127.0.0.1",
        "--visit",
        "5s",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn is(note: &'static str) -> impl Fn(&Value) -> bool {
    move |line| line["note"] == note
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_believes_the_authority_that_it_is_given() {
    let authority = Authority::new();
    let stage = Stage::set(&authority).await;
    let other = stage.file("other.pem", &Authority::new().pem());
    let own = stage.file("own.pem", &format!("Of our own.\n{}", authority.pem()));

    let (said, error) = stage.audit(&stage.secure, &[&other, &own], is("joined")).await;
    assert!(said.iter().any(is("joined")), "{said:?} {error}");
    let paced = said.iter().find(|line| is("paced")(line)).unwrap();
    assert_eq!(
        (&paced["outcome"], &paced["visits"]),
        (&Value::from("told"), &Value::from(1)),
        "the operator's address was reached"
    );
    stage.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_whom_no_known_authority_vouches_for() {
    let stage = Stage::set(&Authority::new()).await;
    let other = stage.file("other.pem", &Authority::new().pem());
    let other = [other.as_str()];
    for authorities in [&[][..], &other] {
        let of_content = Addresses {
            content: stage.secure.content.clone(),
            ..stage.plain.clone()
        };
        let (said, error) = stage.audit(&of_content, authorities, is("left")).await;
        assert!(said.is_empty(), "{said:?}");
        assert!(
            error.starts_with("error[manifest_unreadable]: ") && error.contains("--extra-ca-certs"),
            "{error}"
        );

        let of_tracker = Addresses {
            tracker: stage.secure.tracker.clone(),
            ..stage.plain.clone()
        };
        let (said, _) = stage.audit(&of_tracker, authorities, is("left")).await;
        let failed = said.iter().find(|line| is("failed")(line));
        assert_eq!(failed.unwrap()["code"], "connection_closed", "{said:?}");
        assert!(!said.iter().any(is("joined")), "{said:?}");

        let of_operator = Addresses {
            operator: stage.secure.operator.clone(),
            ..stage.plain.clone()
        };
        let (said, _) = stage.audit(&of_operator, authorities, is("joined")).await;
        assert_eq!(said[0]["outcome"], "undelivered", "{said:?}");
    }
    stage.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_no_authority_are_said_so() {
    let authority = Authority::new();
    let stage = Stage::set(&authority).await;
    let pem = authority.pem();
    let files = [
        ("/no/such/file".to_owned(), "authorities_unreadable"),
        (stage.file("empty.pem", ""), "no_certificate"),
        (stage.file("text.pem", "no certificate at all"), "no_certificate"),
        (
            stage.folder.path().join("auditor.key").display().to_string(),
            "no_certificate",
        ),
        (
            stage.file("long.pem", &" ".repeat((1 << 20) + 1)),
            "authorities_too_long",
        ),
        (
            stage.file("cut.pem", &pem[..pem.len() / 2]),
            "certificate_malformed",
        ),
        (
            stage.file(
                "other.pem",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
            "certificate_malformed",
        ),
        (
            stage.file("second.pem", &format!("{pem}{}", pem.replace("MII", "MAA"))),
            "certificate_malformed",
        ),
    ];
    for (file, code) in &files {
        let (said, error) = stage.audit(&stage.secure, &[file], is("left")).await;
        assert!(said.is_empty());
        assert!(
            error.starts_with(&format!("error[{code}]: ")) && error.contains(file.as_str()),
            "{file}: {error}"
        );
    }
    stage.running.stop().await;
}
