//! The tracker as peers meet it: over WebSockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod peers;

use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use peers::{Client, PATIENCE, folder, http, http_with_body, manifest, publish};
use swarmseal::content::{SwarmId, SwarmSecret, WallTime};
use swarmseal::identity::{Fingerprint, Ticket};
use swarmseal::signal::{
    Candidate, ClientMessage, Description, EndReason, ErrorCode, Loopback, SdpType, ServerMessage, Setup,
};
use swarmseal_server::daemon::Running;
use swarmseal_tracker::Rate;
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, client_async};

fn description(setup: Setup) -> Description {
    Description {
        ufrag: "abcd".parse().unwrap(),
        pwd: "0123456789abcdefghijkl".parse().unwrap(),
        fingerprint: Fingerprint([4; 32]),
        setup,
        max_message_size: 262_144,
    }
}

fn candidate() -> Candidate {
    let line = "candidate:1 1 udp 2113937151 5f0b2f4c-3c6e-4f6e-9d1a-0e8a3c1f7a11.local 40000 typ host";
    Candidate::from_line(line, Loopback::Refuse).unwrap().unwrap()
}

#[tokio::test]
async fn two_peers_are_listed_introduced_and_relayed() {
    let (_folder, config) = folder();
    let running = Running::start(&config, None).await.unwrap();
    let (mut one, joined) = Client::joined(&running, 1).await;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let wall = WallTime {
        unix_s: now,
        uncertainty_s: 0,
    };
    let ticket = Ticket::verify(&joined.ticket, &[running.key()], wall).unwrap();
    assert_eq!((ticket.handle(), ticket.swarm), (one.handle(), Client::swarm()));
    one.announce().await;

    let (mut two, joined) = Client::joined(&running, 2).await;
    if joined.peers.is_empty() {
        // The announcement may still have been on its way; then it comes unasked.
        assert_eq!(
            two.hear().await,
            ServerMessage::Peers {
                peers: vec![one.handle()]
            }
        );
    } else {
        assert_eq!(joined.peers, [one.handle()]);
    }
    two.say(&ClientMessage::Introduce { peer: one.handle() }).await;
    let (id, peer, role) = one.hear_introduction().await;
    assert_eq!(peer, two.handle());
    assert_eq!(two.hear_introduction().await.0, id);
    let (mut offerer, mut answerer) = if role == SdpType::Offer {
        (one, two)
    } else {
        (two, one)
    };
    assert!(offerer.handle() < answerer.handle());

    let say = |setup| ClientMessage::Description {
        introduction: id,
        description: description(setup),
    };
    offerer.say(&say(Setup::Actpass)).await;
    let passed = |setup| ServerMessage::Description {
        introduction: id,
        description: description(setup),
    };
    assert_eq!(answerer.hear().await, passed(Setup::Actpass));
    answerer.say(&say(Setup::Active)).await;
    assert_eq!(offerer.hear().await, passed(Setup::Active));
    offerer
        .say(&ClientMessage::Candidate {
            introduction: id,
            candidate: candidate(),
        })
        .await;
    let passed = ServerMessage::Candidate {
        introduction: id,
        candidate: candidate(),
    };
    assert_eq!(answerer.hear().await, passed);

    // Without its peer, an introduction is over.
    drop(offerer);
    let ended = ServerMessage::IntroductionEnded {
        introduction: id,
        reason: EndReason::PeerGone,
    };
    assert_eq!(answerer.hear().await, ended);
    running.stop().await;
}

#[tokio::test]
async fn two_that_join_together_find_each_other_within_a_second() {
    let (_folder, config) = folder();
    let running = Running::start(&config, None).await.unwrap();
    let ((mut one, _), (mut two, _)) = tokio::join!(Client::joined(&running, 1), Client::joined(&running, 2));
    let start = Instant::now();
    one.announce().await;
    assert_eq!(
        two.hear().await,
        ServerMessage::Peers {
            peers: vec![one.handle()]
        }
    );
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    running.stop().await;
}

#[tokio::test]
async fn probing_for_swarms_learns_nothing() {
    let (_folder, config) = folder();
    let running = Running::start(&config, None).await.unwrap();
    let mut answers = Vec::new();
    for case in 0..3 {
        let mut client = Client::connect(&running.tracker_url(), 1).await;
        let (secret, swarm) = match case {
            0 => (SwarmSecret([99; 32]), Client::swarm()),
            1 => (SwarmSecret([99; 32]), SwarmId([5; 32])),
            _ => (manifest(1).swarm_secret, SwarmId([5; 32])),
        };
        let join = client.join_message(&secret, swarm);
        client.say(&join).await;
        answers.push(client.until_closed().await);
    }
    assert_eq!(answers[0].0.len(), 1);
    assert!(answers[0].0[0].contains("not_admitted"), "{answers:?}");
    assert_eq!(answers[0].1, Some((1008, "not_admitted".to_owned())));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_key_handles_and_tickets() {
    let (_folder, mut config) = folder();
    let first = Running::start(&config, None).await.unwrap();
    let key = first.key();
    // The same address again, as an operator's restart has it.
    config.listen = first.address();
    let (mut one, before) = Client::joined(&first, 1).await;
    one.announce().await;
    first.stop().await;
    let (heard, close) = one.until_closed().await;
    assert!(heard.last().unwrap().contains("shutting_down"), "{heard:?}");
    assert_eq!(close, Some((1001, "shutting_down".to_owned())));

    let second = Running::start(&config, None).await.unwrap();
    assert_eq!(second.key(), key);
    let (mut one, after) = Client::joined(&second, 1).await;
    assert_eq!(after.handle, before.handle);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let wall = WallTime {
        unix_s: now,
        uncertainty_s: 0,
    };
    let (old, new) = (
        Ticket::verify(&before.ticket, &[second.key()], wall).unwrap(),
        Ticket::verify(&after.ticket, &[second.key()], wall).unwrap(),
    );
    assert_eq!(old.election, new.election);
    one.announce().await;
    let (mut newcomer, joined) = Client::joined(&second, 2).await;
    if joined.peers.is_empty() {
        assert_eq!(
            newcomer.hear().await,
            ServerMessage::Peers {
                peers: vec![one.handle()]
            }
        );
    }
    second.stop().await;
}

#[tokio::test]
async fn a_second_connection_with_the_same_key_replaces_the_first() {
    let (_folder, config) = folder();
    let running = Running::start(&config, None).await.unwrap();
    let (mut old, _) = Client::joined(&running, 1).await;
    let (_new, _) = Client::joined(&running, 1).await;
    assert_eq!(old.until_closed().await.1, Some((1008, "replaced".to_owned())));
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_ends_the_connection_in_the_end() {
    let (_folder, config) = folder();
    let running = Running::start(&config, None).await.unwrap();
    let (mut client, _) = Client::joined(&running, 1).await;
    for text in [
        "",
        "{",
        "[]",
        "{\"type\":\"fly\"}",
        "{\"type\":\"renew\",\"extra\":1}",
        "{\"type\":\"list\",\"want\":31}",
        "{\"type\":\"list\",\"want\":-1}",
        "{\"type\":\"introduce\",\"peer\":\"short\"}",
    ] {
        client.socket.send(Message::text(text)).await.unwrap();
        let answer = client.hear().await;
        assert!(
            matches!(
                answer,
                ServerMessage::Error {
                    code: ErrorCode::Malformed,
                    ..
                }
            ),
            "{text}: {answer:?}"
        );
    }
    // Too short to show a chunk, and a chunk that nobody has asked for.
    for (length, code) in [(18, ErrorCode::Malformed), (100, ErrorCode::NotSolicited)] {
        let message = Message::binary(vec![0; length]);
        client.socket.send(message).await.unwrap();
        let answer = client.hear().await;
        assert!(
            matches!(answer, ServerMessage::Error { code: refused, .. } if refused == code),
            "{answer:?}"
        );
    }
    for _ in 0..30 {
        let _ = client.socket.send(Message::text("nonsense")).await;
    }
    let (_, close) = client.until_closed().await;
    assert_eq!(close, Some((1008, "misbehaviour".to_owned())));
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection() {
    let (_folder, mut config) = folder();
    config.socket.max_message_bytes = 17_408;
    let running = Running::start(&config, None).await.unwrap();
    let (mut client, _) = Client::joined(&running, 1).await;
    client
        .socket
        .send(Message::text("x".repeat(18_000)))
        .await
        .unwrap();
    client.until_closed().await;
    let (_other, _) = Client::joined(&running, 2).await;
    running.stop().await;
}

#[tokio::test]
async fn a_peer_that_takes_no_messages_is_dropped() {
    let (_folder, mut config) = folder();
    config.socket.write_timeout_s = 1;
    config.socket.outbox_messages = 32;
    config.tracker.messages = Rate {
        burst: 100_000_000,
        per_minute: 1,
    };
    config.tracker.lists = Rate {
        burst: 100_000_000,
        per_minute: 1,
    };
    let running = Running::start(&config, None).await.unwrap();
    let mut sources = Vec::new();
    for seed in 10..40 {
        let (mut source, _) = Client::joined(&running, seed).await;
        source.announce().await;
        sources.push(source);
    }
    // A peer with a tiny receive buffer that asks and asks and never reads.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    let stream = MaybeTlsStream::Plain(socket.connect(running.address()).await.unwrap());
    let (socket, _) = client_async(running.tracker_url(), stream).await.unwrap();
    let mut deaf = Client::over(socket, 1).await;
    deaf.join().await;
    let question = serde_json::to_string(&ClientMessage::List { want: 30 }).unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        let sent = timeout(PATIENCE, deaf.socket.send(Message::text(question.clone()))).await;
        if !matches!(sent, Ok(Ok(()))) {
            break;
        }
    }
    // It is off the books, and others are served as before.
    let gone = async {
        loop {
            let metrics = http(running.address(), "GET /metrics HTTP/1.1").await;
            if metrics.contains("swarmseal_slow_consumers_total 1\n") {
                assert!(metrics.contains("swarmseal_members 30\n"), "{metrics}");
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, gone)
        .await
        .expect("the deaf peer is still connected");
    let (_other, _) = Client::joined(&running, 2).await;
    running.stop().await;
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused_where_pages_are_named() {
    let (_folder, mut config) = folder();
    config.allowed_origins = vec!["https://player.example".to_owned()];
    let running = Running::start(&config, None).await.unwrap();
    let upgrade = |origin: &str| {
        format!(
            "GET /tracker HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\norigin: {origin}"
        )
    };
    let answer = http(running.address(), &upgrade("https://evil.example")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    Client::connect_with(&running.tracker_url(), 1, &[("origin", "https://player.example")]).await;
    running.stop().await;
}

#[tokio::test]
async fn a_content_published_later_is_found_on_reload() {
    let (folder, mut config) = folder();
    config.contents.check_interval_s = 3_600;
    let running = Running::start(&config, None).await.unwrap();
    publish(folder.path(), 2);
    running.reload();
    let second = manifest(2);
    let joined = async {
        loop {
            let mut client = Client::connect(&running.tracker_url(), 1).await;
            let join = client.join_message(&second.swarm_secret, second.swarm_id());
            client.say(&join).await;
            if matches!(client.hear().await, ServerMessage::Joined(_)) {
                return;
            }
        }
    };
    timeout(PATIENCE, joined).await.unwrap();
    // A content that is gone takes its peers along.
    let mut client = Client::connect(&running.tracker_url(), 3).await;
    let join = client.join_message(&second.swarm_secret, second.swarm_id());
    client.say(&join).await;
    client.hear().await;
    std::fs::remove_file(folder.path().join("2.seal")).unwrap();
    running.reload();
    assert_eq!(
        client.until_closed().await.1,
        Some((1001, "content_gone".to_owned()))
    );
    running.stop().await;
}

#[tokio::test]
async fn health_and_metrics_answer() {
    let (_folder, mut config) = folder();
    let running = Running::start(&config, None).await.unwrap();
    assert!(
        http(running.address(), "GET /healthz HTTP/1.1")
            .await
            .ends_with("ok\n")
    );
    let metrics = http(running.address(), "GET /metrics HTTP/1.1").await;
    assert!(metrics.contains("swarmseal_contents 1\n"), "{metrics}");
    assert!(
        http(running.address(), "GET /anything HTTP/1.1")
            .await
            .starts_with("HTTP/1.1 404")
    );
    running.stop().await;

    config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    let running = Running::start(&config, None).await.unwrap();
    assert!(
        http(running.address(), "GET /metrics HTTP/1.1")
            .await
            .starts_with("HTTP/1.1 404")
    );
    let metrics = http(running.metrics_address().unwrap(), "GET /metrics HTTP/1.1").await;
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    running.stop().await;
}

#[tokio::test]
async fn a_peer_is_put_out_by_the_operator_and_stays_out_over_a_restart() {
    let (_folder, mut config) = folder();
    config.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    let running = Running::start(&config, None).await.unwrap();
    let (bad, _) = Client::joined(&running, 1).await;
    let (mut other, _) = Client::joined(&running, 2).await;
    let body = format!("{{\"handle\": \"{}\", \"seconds\": 3600}}", bad.handle());
    let post = |kind: &str| {
        format!(
            "POST /revocations HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {}",
            body.len()
        )
    };
    // Not where viewers connect, and not in the form that any page may send.
    let answer = http_with_body(running.address(), &post("application/json"), &body).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    let operator = running.metrics_address().unwrap();
    let answer = http_with_body(operator, &post("text/plain"), &body).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let answer = http_with_body(operator, &post("application/json"), &body).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    let told = other.hear().await;
    assert!(matches!(told, ServerMessage::Revocation { .. }), "{told:?}");
    running.stop().await;

    let running = Running::start(&config, None).await.unwrap();
    let mut client = Client::connect(&running.tracker_url(), 1).await;
    let join = client.join_message(&manifest(1).swarm_secret, Client::swarm());
    client.say(&join).await;
    let heard = client.hear().await;
    let refused = ErrorCode::NotAdmitted;
    assert!(
        matches!(heard, ServerMessage::Error { code, .. } if code == refused),
        "{heard:?}"
    );
    running.stop().await;

    std::fs::write(&config.revocations, "half a li").unwrap();
    let error = Running::start(&config, None).await.unwrap_err();
    assert_eq!(error.code(), "revocations_unusable");
}

#[tokio::test]
async fn contents_that_cannot_be_served_stop_the_start() {
    let (_folder, mut config) = folder();
    config.contents.publishers = vec![swarmseal::content::SecretKey::from_seed(&[8; 32]).public()];
    let error = Running::start(&config, None).await.unwrap_err();
    assert_eq!(error.code(), "untrusted_key");
    let (_folder, mut config) = folder();
    config.contents.manifests = vec!["/no/such/content.seal".to_owned()];
    assert_eq!(
        Running::start(&config, None).await.unwrap_err().code(),
        "manifest_unreadable"
    );
}
