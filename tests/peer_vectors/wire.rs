//! Peer messages: `wire.json`.

use std::fmt::Debug;

use serde_json::{Value, json};
use swarmseal::content::Hash;
use swarmseal::wire::{self, Message};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reading::{list, parse, parts, text, to_hex};

#[test]
fn messages_encode_and_decode_as_written() {
    let vectors = parse(include_str!("../vectors/wire.json"));
    for vector in list(&vectors, "valid") {
        let name = text(vector, "name");
        let bytes = parts(&vector["bytes"]);
        let message = match text(vector, "channel") {
            "data" => {
                let (message, head) =
                    wire::decode_data_head(&bytes).unwrap_or_else(|fault| panic!("{name}: {fault}"));
                assert_eq!((head, bytes.len()), (wire::DATA_HEAD, wire::DATA_HEAD), "{name}");
                message
            }
            _ => wire::decode(&bytes).unwrap_or_else(|fault| panic!("{name}: {fault}")),
        };
        let channel = if text(vector, "channel") == "data" {
            wire::Channel::Data
        } else {
            wire::Channel::Control
        };
        assert_eq!(message.channel(), channel, "{name}");
        assert_eq!(wire::encode(&message), bytes, "{name}");
        let described = describe(&message);
        for (field, expected) in vector["message"].as_object().expect("an object") {
            assert_eq!(&described[field], expected, "{name}: {field}");
        }
    }
}

#[test]
fn messages_that_break_a_rule_are_refused_by_that_rule() {
    let vectors = parse(include_str!("../vectors/wire.json"));
    for vector in list(&vectors, "invalid") {
        let bytes = parts(&vector["bytes"]);
        let verdict = match text(vector, "channel") {
            "data" => wire::decode_data_head(&bytes).map(|(message, _)| message),
            _ => wire::decode(&bytes),
        };
        let code = verdict.expect_err(text(vector, "name")).code();
        assert_eq!(code, text(vector, "error"), "{}", text(vector, "name"));
    }
}

fn describe(message: &Message) -> Value {
    let object = |object: &swarmseal::content::ObjectId, root: &Hash| json!({ "track": object.track, "index": object.index, "root": to_hex(&root.0) });
    match message {
        Message::Hello(_) => json!({ "type": "hello" }),
        Message::Proof(_) => json!({ "type": "proof" }),
        Message::Tracks(tracks) => json!({
            "type": "tracks",
            "count": tracks.len(),
            "tracks": tracks.iter().map(|(track, root)| json!([track, to_hex(&root.0)])).collect::<Vec<_>>(),
        }),
        Message::Have(have) => json!({
            "type": "have",
            "track": have.track,
            "complete": have.complete,
            "partial": have.partial.iter().map(|p| json!({ "index": p.index, "chunks": p.chunks })).collect::<Vec<_>>(),
        }),
        Message::Unhave(unhave) => {
            json!({ "type": "unhave", "track": unhave.track, "segments": unhave.segments })
        }
        Message::WantRows { object: o, root } => json!({ "type": "want_rows", "object": object(o, root) }),
        Message::Rows {
            object: o,
            root,
            hashes,
        } => {
            json!({ "type": "rows", "object": object(o, root), "hashes": hashes.len() })
        }
        Message::Request {
            id,
            object: o,
            root,
            first,
            count,
            nonce,
            urgency,
        } => json!({
            "type": "request",
            "id": id,
            "object": object(o, root),
            "first": first,
            "count": count,
            "nonce": to_hex(nonce),
            "urgency": snake(urgency),
        }),
        Message::Cancel { id } => json!({ "type": "cancel", "id": id }),
        Message::Reject { id, reason } => json!({ "type": "reject", "id": id, "reason": snake(reason) }),
        Message::Data {
            id,
            object: o,
            root,
            first,
            count,
        } => {
            json!({ "type": "data", "id": id, "object": object(o, root), "first": first, "count": count })
        }
        Message::Statement(bytes) => json!({ "type": "statement", "bytes": bytes.len() }),
        Message::Choke => json!({ "type": "choke" }),
        Message::Unchoke => json!({ "type": "unchoke" }),
        Message::Head(bytes) => json!({ "type": "head", "bytes": bytes.len() }),
        Message::Bye { reason } => json!({ "type": "bye", "reason": reason.code() }),
        Message::Claim { object, rank } => json!({
            "type": "claim",
            "track": object.track.0,
            "index": object.index,
            "rank": format!("{rank:016x}"),
        }),
        Message::Ticket(bytes) => json!({ "type": "ticket", "bytes": bytes.len() }),
    }
}

/// `NotHeld` to `not_held`.
fn snake(variant: &impl Debug) -> String {
    let name = format!("{variant:?}");
    let mut out = String::new();
    for (position, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && position > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}
