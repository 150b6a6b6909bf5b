//! What it writes means the same as what serde_json writes.

use serde::Serialize;
use serde_json::{Value, json};

use super::*;
use crate::signal::ClientMessage;
use crate::swarm::{Event, HttpReason};

#[test]
fn tracker_messages_mean_what_they_mean_to_the_tracker() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/signal.json")).expect("vectors");
    let valid = vectors["client"]["valid"].as_array().expect("a list");
    assert!(valid.len() > 10);
    for vector in valid {
        let message: ClientMessage = serde_json::from_value(vector["message"].clone()).expect("a message");
        assert_eq!(parsed(&message), vector["message"], "{}", vector["name"]);
    }
}

#[test]
fn events_keep_what_is_missing_as_null() {
    let event = Event::ObjectDone {
        track: 1,
        index: 2,
        bytes: u64::from(u32::MAX) * 1000,
        from_peers: 0,
        from_http: 7,
        http_reason: Some(HttpReason::NobodyHas),
    };
    assert_eq!(parsed(&event), serde_json::to_value(&event).expect("a value"));
    let event = Event::PeerBlamed {
        peer: 1,
        handle: "h".to_owned(),
        code: "c".to_owned(),
        track: None,
        index: None,
        chunk: None,
    };
    assert_eq!(parsed(&event)["track"], Value::Null);
}

#[test]
fn texts_survive_whatever_is_in_them() {
    let all: String = (0..0x300)
        .filter_map(char::from_u32)
        .chain("\u{1f512}".chars())
        .collect();
    assert_eq!(parsed(&all), json!(all));
}

#[test]
fn numbers_lists_and_flags() {
    #[derive(Serialize)]
    struct Everything {
        numbers: Vec<u64>,
        pairs: Vec<(String, u32)>,
        none: Option<u8>,
        some: Option<bool>,
        empty: [u8; 0],
    }
    let value = Everything {
        numbers: vec![0, 9, 10, 65_536, u64::MAX],
        pairs: vec![("a".to_owned(), 1), ("b".to_owned(), 2)],
        none: None,
        some: Some(true),
        empty: [],
    };
    assert_eq!(parsed(&value), serde_json::to_value(&value).expect("a value"));
}

#[test]
fn what_it_is_not_for_is_null() {
    assert_eq!(parsed(&1.5), Value::Null);
    assert_eq!(text(&vec![json!({})]), "null");
}

fn parsed(value: &impl Serialize) -> Value {
    serde_json::from_str(&text(value)).expect("JSON")
}
