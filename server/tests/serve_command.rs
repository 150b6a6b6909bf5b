//! `swarmseal serve` as a process: flags, ready file, signals, and what it writes about its users.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod peers;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use peers::service::Service;
use peers::{Client, PATIENCE, http};
use swarmseal::identity::Fingerprint;
use swarmseal::signal::{Candidate, ClientMessage, Description, Loopback, SdpType, Setup};

#[tokio::test]
async fn one_line_says_where_it_listens_and_the_key_stays() {
    let mut service = Service::start(&[]);
    let url = service.ready["url"].as_str().unwrap().to_owned();
    assert_eq!(service.text("stdout"), format!("listening on {url}\n"));
    let key = service.ready["tracker_key"].clone();
    let path: PathBuf = service.folder.path().join("tracker.key");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let public = std::fs::read_to_string(service.folder.path().join("tracker.key.pub")).unwrap();
    assert_eq!(public.trim(), key.as_str().unwrap());
    assert_eq!(service.stop("-TERM"), Some(0));
    let folder = std::mem::replace(&mut service.folder, tempfile::tempdir().unwrap());
    let mut again = Service::start_in(folder, &[]);
    assert_eq!(again.ready["tracker_key"], key);
    assert_eq!(again.stop("-INT"), Some(0));
}

#[tokio::test]
async fn files_come_beside_the_tracker_and_are_counted() {
    let service = Service::start(&[]);
    let whole = http(service.address(), "GET /show/1.m4s?token=hunter2 HTTP/1.1").await;
    assert!(whole.starts_with("HTTP/1.1 200"), "{whole:.200}");
    let part = http(
        service.address(),
        "GET /show/1.m4s HTTP/1.1\r\nrange: bytes=10-19",
    )
    .await;
    assert!(
        part.starts_with("HTTP/1.1 206") && part.contains("content-range: bytes 10-19/100000"),
        "{part}"
    );
    let (mut client, origin) = (Client::connect(service.tracker(), 1).await, service.address());
    client.join().await;
    assert!(
        http(origin, "GET /metrics HTTP/1.1")
            .await
            .contains("swarmseal_members 1\n")
    );
    let start = Instant::now();
    while service.text("access.log").lines().count() < 2 && start.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let log = service.text("access.log");
    let bytes: Vec<u64> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["bytes"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(bytes, [100_000, 10], "{log}");
    assert!(!log.contains("hunter2") && !log.contains("127.0.0.1"), "{log}");
}

#[tokio::test]
async fn a_reader_that_goes_away_is_counted_for_what_it_took() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let service = Service::start(&[]);
    let length = 64 * 1024 * 1024;
    std::fs::File::create(service.folder.path().join("site/long.mp4"))
        .unwrap()
        .set_len(length)
        .unwrap();
    let mut stream = tokio::net::TcpStream::connect(service.address()).await.unwrap();
    stream
        .write_all(b"GET /long.mp4 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    stream.read_exact(&mut [0; 1_000]).await.unwrap();
    drop(stream);
    let start = Instant::now();
    while service.text("access.log").is_empty() && start.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let line: serde_json::Value = serde_json::from_str(service.text("access.log").trim()).unwrap();
    let bytes = line["bytes"].as_u64().unwrap();
    assert!((1_000..length / 2).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn logs_and_metrics_name_nobody() {
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        config.path(),
        "trusted_proxies = [\"127.0.0.0/8\"]\n[log]\nlevel = \"debug\"\nformat = \"json\"\n",
    )
    .unwrap();
    let mut service = Service::start(&["--config", config.path().to_str().unwrap()]);
    let headers = [
        ("x-forwarded-for", "203.0.113.77"),
        ("user-agent", "Marker/9"),
        ("cookie", "account=alice"),
        ("authorization", "Bearer hunter2"),
    ];
    let mut one = Client::connect_with(service.tracker(), 1, &headers).await;
    let mut two = Client::connect_with(service.tracker(), 2, &headers).await;
    one.join().await;
    two.join().await;
    one.announce().await;
    two.hear().await;
    two.say(&ClientMessage::Introduce { peer: one.handle() }).await;
    let (id, _, role) = one.hear_introduction().await;
    two.hear_introduction().await;
    let (mut offerer, mut answerer) = if role == SdpType::Offer {
        (one, two)
    } else {
        (two, one)
    };
    let description = Description {
        ufrag: "abcd".parse().unwrap(),
        pwd: "0123456789abcdefghijkl".parse().unwrap(),
        fingerprint: Fingerprint([4; 32]),
        setup: Setup::Actpass,
        max_message_size: 262_144,
    };
    offerer
        .say(&ClientMessage::Description {
            introduction: id,
            description,
        })
        .await;
    answerer.hear().await;
    let line = "candidate:1 1 udp 2113937151 198.51.100.23 40000 typ host";
    let candidate = Candidate::from_line(line, Loopback::Refuse).unwrap().unwrap();
    offerer
        .say(&ClientMessage::Candidate {
            introduction: id,
            candidate,
        })
        .await;
    answerer.hear().await;
    let mut stranger = Client::connect_with(service.tracker(), 3, &headers).await;
    let refused = stranger.join_message(&peers::manifest(2).swarm_secret, Client::swarm());
    stranger.say(&refused).await;
    stranger.until_closed().await;

    let metrics = http(service.address(), "GET /metrics HTTP/1.1").await;
    assert!(
        metrics.contains("swarmseal_relayed_candidates_total 1\n"),
        "{metrics}"
    );
    let secrets = [
        "127.0.0.1".to_owned(),
        "203.0.113".to_owned(),
        "198.51.100".to_owned(),
        "Marker".to_owned(),
        "alice".to_owned(),
        "hunter2".to_owned(),
        "abcd".to_owned(),
        offerer.handle().to_string(),
        answerer.handle().to_string(),
        id.to_string(),
        Client::swarm().to_string(),
        peers::manifest(1).content_id.to_string(),
        "show".to_owned(),
        ".seal".to_owned(),
    ];
    drop((offerer, answerer));
    assert_eq!(service.stop("-TERM"), Some(0));
    let log = service.text("stderr");
    assert!(log.lines().count() > 6, "{log}");
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    for secret in &secrets {
        assert!(!log.contains(secret.as_str()), "the log names {secret}:\n{log}");
        assert!(
            !metrics.contains(secret.as_str()),
            "the metrics name {secret}:\n{metrics}"
        );
    }
}

fn failure(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_swarmseal"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn it_says_that_nobody_is_introduced_without_a_manifest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("site")).unwrap();
    let mut empty = Service::start_in(folder, &[]);
    assert_eq!(empty.stop("-TERM"), Some(0));
    assert!(
        empty.text("stderr").contains("no_contents"),
        "{}",
        empty.text("stderr")
    );
    let mut full = Service::start(&[]);
    assert_eq!(full.stop("-TERM"), Some(0));
    assert!(
        !full.text("stderr").contains("no_contents"),
        "{}",
        full.text("stderr")
    );
}

#[test]
fn mistakes_are_in_words_that_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("mine.toml");
    std::fs::write(&config, "listen = 5\n").unwrap();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (taken, key) = (
        other.local_addr().unwrap().to_string(),
        folder.path().join("t.key"),
    );
    let (config, key) = (config.to_str().unwrap(), key.to_str().unwrap());
    for (arguments, words) in [
        (vec!["track", "--listen", "8080"], "such as 127.0.0.1:8400"),
        (
            vec!["track", "--config", "/no/such/file"],
            "/no/such/file: no such file or directory; swarmseal track --print-config",
        ),
        (
            vec!["track", "--config", config],
            "expected socket address; swarmseal track --print-config",
        ),
        (
            vec!["track", "--listen", &taken, "--key", key],
            ": address already in use; choose another --listen",
        ),
    ] {
        let text = failure(&arguments);
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
}

#[test]
fn mistakes_are_said_with_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let inside = folder.path().join("tracker.key");
    for (arguments, code) in [
        (vec!["serve", "--listen", "127.0.0.1:0"], "nothing_to_serve"),
        (vec!["serve", "--root", "/no/such/folder"], "mount_folder"),
        (
            vec!["serve", "--root", dir, "--key", inside.to_str().unwrap()],
            "key_in_mount",
        ),
        (vec!["track", "--content", dir], "no_publisher"),
        (vec!["track", "--config", "/no/such/file"], "config_unreadable"),
    ] {
        let text = failure(&arguments);
        assert!(
            text.starts_with(&format!("error[{code}]: ")),
            "{arguments:?}: {text}"
        );
    }
}

#[test]
fn the_default_configuration_is_printed() {
    for command in ["track", "serve"] {
        let output = Command::new(env!("CARGO_BIN_EXE_swarmseal"))
            .args([command, "--print-config"])
            .output()
            .unwrap();
        assert!(output.status.success());
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            swarmseal_server::config::DEFAULT_TOML
        );
    }
}
