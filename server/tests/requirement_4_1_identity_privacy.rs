//! TR 33.844 §4.1: the lists that a tracker shares reveal no permanent identity, nor does anything else that it or the
//! origin gives away. Identities are put where they are really found, into headers, query strings, paths, unknown fields
//! and candidates, and every list, ticket, relayed message, log line, metric and error is searched.
//!
//! One exception, and it is stated: the address in a candidate of an introduction that both sides asked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../../tests/hostile/canary.rs"]
#[allow(unreachable_pub, reason = "shared with the attacks on the core")]
mod canary;
mod peers;
#[path = "../../tests/hostile/report.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with the attacks on the core")]
mod report;

use canary::{CANARIES, none_in};
use futures_util::SinkExt as _;
use peers::service::Service;
use peers::{Client, http, manifest};
use report::{Outcome, conclude};
use swarmseal::content::to_base64url;
use swarmseal::identity::Fingerprint;
use swarmseal::signal::{
    Candidate, ClientMessage, Description, Join, Loopback, SdpType, ServerMessage, Setup,
};
use tokio_tungstenite::tungstenite::Message;

/// Where a proxy, a browser or an IMS core puts what it knows of a user.
const HEADERS: [&str; 8] = [
    "cookie",
    "authorization",
    "forwarded",
    "x-forwarded-for",
    "p-asserted-identity",
    "user-agent",
    "referer",
    "x-device-id",
];

#[tokio::test]
async fn nothing_that_the_tracker_or_the_origin_says_names_anybody() {
    let config = tempfile::NamedTempFile::new().unwrap();
    let text = "trusted_proxies = [\"127.0.0.0/8\"]\n[log]\nlevel = \"debug\"\nformat = \"json\"\n";
    std::fs::write(config.path(), text).unwrap();
    let mut service = Service::start(&["--config", config.path().to_str().unwrap()]);
    let all: Vec<&str> = CANARIES.iter().map(|canary| canary.text).collect();
    let everything = all.join(", ");
    let headers: Vec<(&'static str, &str)> =
        HEADERS.iter().map(|name| (*name, everything.as_str())).collect();
    let query: String = url::form_urlencoded::byte_serialize(everything.as_bytes()).collect();
    let tracker = format!("{}?account={query}", service.tracker());

    // Two peers that know each other, and one that looks on.
    let mut one = Client::connect_with(&tracker, 1, &headers).await;
    let mut two = Client::connect_with(&tracker, 2, &headers).await;
    let mut seen = Vec::new();
    let mut tickets = Vec::new();
    for client in [&mut one, &mut two] {
        let joined = client.join().await;
        tickets.extend(&joined.ticket);
        seen.extend(serde_json::to_vec(&joined).unwrap());
    }
    one.announce().await;
    seen.extend(two.hear_text().await.bytes());
    two.say(&ClientMessage::List { want: 30 }).await;
    seen.extend(two.hear_text().await.bytes());
    two.say(&ClientMessage::Introduce { peer: one.handle() }).await;
    let (id, _, role) = one.hear_introduction().await;
    seen.extend(two.hear_text().await.bytes());
    let (mut offerer, mut answerer) = if role == SdpType::Offer {
        (one, two)
    } else {
        (two, one)
    };
    offerer
        .say(&ClientMessage::Description {
            introduction: id,
            description: Description {
                ufrag: "abcd".parse().unwrap(),
                pwd: "0123456789abcdefghijkl".parse().unwrap(),
                fingerprint: Fingerprint([4; 32]),
                setup: Setup::Actpass,
                max_message_size: 262_144,
            },
        })
        .await;
    seen.extend(answerer.hear_text().await.bytes());

    // The exception: an address in a candidate reaches the introduced peer, and nobody else.
    let address = CANARIES
        .iter()
        .find(|canary| canary.kind == "IP address")
        .unwrap()
        .text;
    let line = format!("candidate:1 1 udp 1 {address} 40000 typ srflx raddr 0.0.0.0 rport 0");
    let candidate = Candidate::from_line(&line, Loopback::Refuse).unwrap().unwrap();
    offerer
        .say(&ClientMessage::Candidate {
            introduction: id,
            candidate,
        })
        .await;
    let candidate = answerer.hear_text().await;
    assert!(
        candidate.contains(address),
        "the address is really there: {candidate}"
    );

    // Messages with more in them than the schema has room for.
    let mut errors = Vec::new();
    let mut planted = HEADERS.len() as u64 * CANARIES.len() as u64 * 3 + CANARIES.len() as u64;
    for canary in &CANARIES {
        let text = serde_json::to_string(canary.text).unwrap();
        let encoded = to_base64url(canary.text.as_bytes());
        for message in [
            format!("{{\"type\":\"renew\",\"account\":{text}}}"),
            format!("{{\"type\":\"renew\",{text}:1}}"),
            format!("{{\"type\":{text}}}"),
            format!("{{\"type\":\"introduce\",\"peer\":{text}}}"),
            format!("{{\"type\":\"introduce\",\"peer\":\"{encoded}\"}}"),
            format!(
                "{{\"type\":\"report\",\"peer\":\"{}\",\"code\":{text}}}",
                offerer.handle()
            ),
            canary.text.to_owned(),
        ] {
            let mut curious = Client::connect_with(&tracker, 3, &headers).await;
            curious.join().await;
            curious.socket.send(Message::text(message)).await.unwrap();
            planted += 1;
            loop {
                let answer = curious.hear_text().await;
                errors.extend(answer.bytes());
                match serde_json::from_str(&answer).unwrap() {
                    ServerMessage::Error { .. } => break,
                    ServerMessage::Peers { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    let mut stranger = Client::connect_with(&tracker, 4, &headers).await;
    let wrong = Join::sign(
        &stranger.keys,
        &manifest(2).swarm_secret,
        Client::swarm(),
        &stranger.nonce,
        None,
    );
    stranger.say(&ClientMessage::Join(wrong)).await;
    let (said, close) = stranger.until_closed().await;
    errors.extend(said.concat().bytes());
    errors.extend(format!("{close:?}").bytes());

    // The origin: tokens in query strings, headers, and a file that is not there.
    let mut pages = Vec::new();
    for path in [
        "/show/1.m4s",
        "/show/1.seal",
        "/show/missing.m4s",
        "/metrics",
        "/healthz",
    ] {
        let mut request = format!("GET {path}?token={query} HTTP/1.1\r\nrange: bytes=0-9");
        for (name, value) in &headers {
            request.push_str(&format!("\r\n{name}: {value}"));
        }
        pages.extend(http(service.address(), &request).await.bytes());
        planted += CANARIES.len() as u64 * (HEADERS.len() as u64 + 1);
    }
    let metrics = http(service.address(), "GET /metrics HTTP/1.1").await;
    drop((offerer, answerer));
    assert_eq!(service.stop("-TERM"), Some(0));
    let log = service.text("stderr");
    assert!(log.lines().count() > 20, "there is a log to search: {log}");

    let mut searched = 0;
    for (name, surface) in [
        ("lists and relayed messages", seen.as_slice()),
        ("tickets", &tickets),
        ("error messages and close reasons", &errors),
        ("answers over HTTP", &pages),
        ("metrics", metrics.as_bytes()),
        ("the log", log.as_bytes()),
        ("the access log", service.text("access.log").as_bytes()),
        ("standard output", service.text("stdout").as_bytes()),
    ] {
        searched += none_in(name, surface);
    }
    conclude(&Outcome {
        threat: "13",
        attack: "twelve kinds of identity in headers, query strings, unknown fields and candidates",
        attempts: planted,
        successes: 0,
        figure: &format!(
            "{searched} bytes of eight surfaces searched, 0 hits; each leak made on purpose is found"
        ),
        target: "0 hits, but for the address in a candidate of a solicited introduction",
    });
}
