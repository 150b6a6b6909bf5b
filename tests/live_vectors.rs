//! Runs tests/vectors/live.json, natively and in a browser. The vectors are made by
//! tests/vectors/make, which shares no code with the crate.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "vectors/reading.rs"]
mod reading;

use reading::{hex, list, text};
use serde_json::Value;
use swarmseal::content::live::{
    Chain, HeadError, LiveHead, LiveMemory, LiveSlot, Pulse, consistency, verify_consistency,
};
use swarmseal::content::publish::HashedObject;
use swarmseal::content::{ContentId, Hash, Record, SecretKey, WallTime, cose, tree};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[test]
fn heads_say_what_is_written() {
    let vectors = vectors();
    let (records, rows) = log(20);
    let bytes: Vec<u8> = records.iter().flat_map(Record::encode).collect();
    assert_eq!(Hash::of(&[&bytes]).to_string(), text(&vectors, "records"));
    let key = SecretKey::from_seed(&hex(text(&vectors, "live_seed")).try_into().unwrap());
    for vector in list(&vectors, "valid") {
        let sealed = hex(text(vector, "sealed"));
        let head = LiveHead::decode(cose::peek(&sealed).unwrap().payload, &[]).unwrap();
        let track = &head.tracks[0];
        assert_eq!(head.sequence, number(vector, "sequence"));
        assert_eq!(u64::from(track.size()), number(vector, "size"));
        assert_eq!(track.records.len() as u64, number(vector, "carried"));
        assert_eq!(track.root().to_string(), text(vector, "root"));
        for index in 0..track.size() {
            let expected = (index >= track.base).then(|| &records[index as usize]);
            assert_eq!(track.record(index), expected);
            assert!(track.row(index).is_none_or(|row| *row == rows[index as usize]));
        }
        if !is_skipping(&sealed) {
            assert_eq!(head.sign(&key, &[]).unwrap(), sealed, "the same bytes again");
        }
    }
    let slot = LiveSlot {
        folder: text(&vectors["slot"], "folder").to_owned(),
    };
    assert_eq!(slot.encode(), hex(text(&vectors["slot"], "bytes")));
    assert_eq!(LiveSlot::decode(&slot.encode(), &[]), Ok(slot));
}

#[test]
fn every_rule_of_heads_has_its_code() {
    for vector in list(&vectors(), "invalid") {
        let sealed = hex(text(vector, "sealed"));
        let refused = LiveHead::decode(cose::peek(&sealed).unwrap().payload, &[]);
        assert_eq!(
            refused.map_err(HeadError::code).err(),
            vector["error"].as_str(),
            "{}",
            text(vector, "name")
        );
    }
}

#[test]
fn receivers_judge_what_is_offered_in_order() {
    let vectors = vectors();
    let wall = WallTime {
        unix_s: number(&vectors, "now"),
        uncertainty_s: 5,
    };
    for name in ["sessions", "chain"] {
        let content = ContentId(hex(text(&vectors, "content")).try_into().unwrap());
        let publisher = text(&vectors, "publisher").parse().unwrap();
        let mut chain = Chain::new(content, vec![publisher], Vec::new(), LiveMemory::default());
        for vector in list(&vectors, name) {
            let sealed = hex(text(vector, "sealed"));
            let of_session =
                name == "sessions" || text(vector, "name").contains("session") && is_session(&sealed);
            let verdict = if of_session {
                chain
                    .accept_session(&sealed, wall)
                    .map_or_else(|error| error.code(), |_| "ok")
            } else {
                chain
                    .accept(&sealed, 0, wall)
                    .map_or_else(HeadError::code, |accepted| {
                        match (
                            accepted.began && chain_had_one(&chain, accepted.sequence),
                            accepted.linked,
                        ) {
                            (true, _) => "began",
                            (false, true) => "linked",
                            (false, false) => "unlinked",
                        }
                    })
            };
            assert_eq!(verdict, text(vector, "verdict"), "{}", text(vector, "name"));
        }
    }
}

#[test]
fn consistency_proofs_are_those_of_another_implementation() {
    let vectors = vectors();
    let leaves: Vec<Hash> = log(20)
        .0
        .iter()
        .map(|record| tree::leaf(&record.encode()))
        .collect();
    assert_eq!(tree::root(&leaves).to_string(), text(&vectors, "log_root"));
    for vector in list(&vectors, "proofs") {
        let (old, size) = (number(vector, "old") as usize, number(vector, "size") as usize);
        let proof: Vec<Hash> = hex(text(vector, "proof"))
            .chunks(32)
            .filter_map(Hash::from_slice)
            .collect();
        assert_eq!(consistency(&leaves[..size], old), Some(proof.clone()));
        let roots = (tree::root(&leaves[..old]), tree::root(&leaves[..size]));
        assert!(verify_consistency(
            (old as u32, &roots.0),
            (size as u32, &roots.1),
            &proof
        ));
    }
}

/// Other logs than before: their sessions are numbered above the first one's.
fn chain_had_one(chain: &Chain, sequence: u64) -> bool {
    assert_ne!(chain.pulse(0), Pulse::Waiting);
    let memory = chain.memory();
    memory.log == number(&vectors(), "now") - 15 && memory.sequence == sequence
}

fn log(count: usize) -> (Vec<Record>, Vec<Vec<Hash>>) {
    let mut row_offset = 0;
    let segment = |index: usize| {
        let bytes: Vec<u8> = (0..1000 + 9000 * index % 40_000)
            .map(|j| ((j * 31 + index) % 251) as u8)
            .collect();
        let object = HashedObject::of(&bytes);
        let record = Record {
            root: object.root,
            length: object.length as u32,
            duration: 2000,
            offset: 0,
            row_offset,
            media_start: index as u64 * 2000,
        };
        row_offset += record.row_len();
        (record, object.row)
    };
    (0..count).map(segment).unzip()
}

fn is_session(sealed: &[u8]) -> bool {
    let payload = cose::peek(sealed).unwrap().payload;
    payload[3..5] == [0x02, 0x01]
}

/// Whether it has a key that a reader skips, and so does not write again.
fn is_skipping(sealed: &[u8]) -> bool {
    sealed.windows(7).any(|window| window == b"skipped")
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/live.json")).unwrap()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap()
}
