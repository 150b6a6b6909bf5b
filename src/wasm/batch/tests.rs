//! The same records as `www/src/worker/batch.test.ts` reads, byte for byte.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::content::{Span, TrackId};
use crate::signal::ClientMessage;
use crate::swarm::{CloseReason, DeliverTiming, DemandId, Event, FetchId, PeerId, RefuseCode};

const VECTORS: &str = include_str!("../../../www/src/worker/testdata/batch.json");

#[test]
fn every_kind_of_record_has_the_bytes_that_the_worker_reads() {
    let file: Value = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    let mut expected: BTreeMap<&str, &str> = file["records"]
        .as_array()
        .expect("a list of records")
        .iter()
        .map(|record| {
            (
                record["name"].as_str().expect("a name"),
                record["bytes"].as_str().expect("bytes"),
            )
        })
        .collect();
    let mut tags = [false; Tag::Event as usize + 1];
    for (name, output) in outputs() {
        let mut batch = Batch::default();
        batch.push(&output);
        let bytes = batch.as_bytes();
        assert_eq!(Some(&*hex(bytes)), expected.remove(name), "{name}");
        tags[usize::from(bytes[0])] = true;
    }
    assert_eq!(expected.len(), 0, "records that nothing packs: {expected:?}");
    assert_eq!(
        tags,
        [true; Tag::Event as usize + 1],
        "a record that is not tried"
    );
}

#[test]
fn a_cleared_batch_starts_anew() {
    let mut batch = Batch::default();
    batch.push(&Output::TrackerOpen);
    batch.clear();
    batch.push(&Output::TrackerClose);
    assert_eq!(batch.as_bytes(), [Tag::TrackerClose as u8]);
}

fn outputs() -> Vec<(&'static str, Output)> {
    vec![
        ("idle", Output::Idle { wake_at: None }),
        (
            "idle until",
            Output::Idle {
                wake_at: Some(Timestamp((7 << 32) + 5)),
            },
        ),
        (
            "fetch of an object",
            Output::Fetch {
                fetch: FetchId(1),
                path: "video/1.m4s".to_owned(),
                range: None,
                kind: FetchKind::Object {
                    object: object(1, 1),
                    first_chunk: 0,
                    chunks: 3,
                    len: 40_000,
                },
                reload: false,
            },
        ),
        (
            "fetch of a sheet",
            Output::Fetch {
                fetch: FetchId(2),
                path: "seal/1.index".to_owned(),
                range: Some((5_000_000_000, 5_000_016_383)),
                kind: FetchKind::Sheet { len: 16_384 },
                reload: true,
            },
        ),
        ("abort", Output::AbortFetch { fetch: FetchId(3) }),
        (
            "keep from a fetch",
            Output::Keep {
                from: KeepFrom::Fetch {
                    fetch: FetchId(4),
                    piece: 2,
                },
                object: object(1023, 131_071),
                chunk: 9,
            },
        ),
        (
            "keep from a message",
            Output::Keep {
                from: KeepFrom::Message {
                    offset: 16_384,
                    len: 100,
                },
                object: object(1, 0),
                chunk: 2047,
            },
        ),
        ("forget", Output::Forget { fetch: FetchId(5) }),
        ("evict", Output::Evict { object: object(2, 3) }),
        (
            "deliver",
            Output::Deliver {
                demand: DemandId(6),
                spans: vec![span(object(0, 1), 0, 10), span(object(1, 2), 1 << 32, 20)],
                media_type: "video/mp4; codecs=\"ü\"".to_owned(),
                timing: DeliverTiming {
                    asked_at: Timestamp(1),
                    first_byte_at: Timestamp(2),
                    done_at: Timestamp((1 << 32) + 3),
                    transfer_us: 4,
                    from_peers: 11,
                    from_http: 12,
                },
            },
        ),
        (
            "refuse",
            Output::Refuse {
                demand: DemandId(7),
                code: RefuseCode::Unlisted,
            },
        ),
        ("tracker open", Output::TrackerOpen),
        ("tracker close", Output::TrackerClose),
        ("tracker send", Output::TrackerSend(ClientMessage::Leave {})),
        (
            "dial",
            Output::Dial {
                peer: PeerId(8),
                offer: true,
                ice_servers: vec![
                    IceServer {
                        urls: vec!["stun:a.example:3478".to_owned(), "stun:b.example:3478".to_owned()],
                        username: None,
                        credential: None,
                    },
                    IceServer {
                        urls: vec!["turn:c.example:3478".to_owned()],
                        username: Some("u".to_owned()),
                        credential: Some("c".to_owned()),
                    },
                ],
                relay_only: false,
            },
        ),
        (
            "remote description",
            Output::RemoteDescription {
                peer: PeerId(9),
                sdp: "v=0\r\n".to_owned(),
                offer: false,
            },
        ),
        (
            "remote candidate",
            Output::RemoteCandidate {
                peer: PeerId(10),
                line: "candidate:1 1 udp 1 192.0.2.1 4000 typ host".to_owned(),
            },
        ),
        (
            "close",
            Output::Close {
                peer: PeerId(11),
                reason: CloseReason::Expired,
            },
        ),
        (
            "send",
            Output::Send {
                peer: PeerId(12),
                bytes: vec![0, 1, 255],
            },
        ),
        (
            "send data",
            Output::SendData {
                peer: PeerId(13),
                head: vec![10, 11],
                object: object(1, 4),
                first: 5,
                count: 4,
            },
        ),
        (
            "event",
            Output::Event(Event::ObjectEvicted { track: 1, index: 2 }),
        ),
    ]
}

fn object(track: u16, index: u32) -> ObjectId {
    ObjectId {
        track: TrackId(track),
        index,
    }
}

fn span(object: ObjectId, first: u64, len: u64) -> Span {
    Span { object, first, len }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
