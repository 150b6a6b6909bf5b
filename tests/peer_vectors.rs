//! Runs tests/vectors/{wire,handshake,ticket,signal}.json, natively and in a browser. The vectors are made by
//! tests/vectors/make, which shares no code with the crate.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fmt::Debug;

use serde_json::{Value, json};
use swarmseal::content::{
    Hash, PublicKey, SecretKey, SwarmId, SwarmSecret, TrackId, WallTime, chunk_count, tree,
};
use swarmseal::identity::{
    Drbg, EphemeralKeys, Fingerprint, Handle, Handshake, HandshakeConfig, HandshakeStep, NoTampering,
    PeerClass, Revocation, Role, Statement, Tampering, Ticket, rank, roots_digest,
};
use swarmseal::signal::{
    Candidate, ClientMessage, Description, IntroductionId, InvalidSignal, Join, Loopback, Pick, SdpType,
    ServerMessage, Shown, shown_head, sign_answer, verify_answer,
};
use swarmseal::wire::{self, Message, Range};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[test]
fn messages_encode_and_decode_as_written() {
    let vectors = parse(include_str!("vectors/wire.json"));
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
    let vectors = parse(include_str!("vectors/wire.json"));
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

#[test]
fn tickets_are_issued_and_verified_as_written() {
    let vectors = parse(include_str!("vectors/ticket.json"));
    let issuer = SecretKey::from_seed(&array(text(&vectors, "issuer_seed")));
    let keys = tracker_keys(&vectors);
    for vector in list(&vectors, "valid") {
        let name = text(vector, "name");
        let sealed = hex(text(vector, "sealed"));
        let ticket =
            Ticket::verify(&sealed, &keys, wall(&vector["wall"])).unwrap_or_else(|e| panic!("{name}: {e}"));
        let claims = json!({
            "key": ticket.key.to_string(),
            "handle": ticket.handle().to_string(),
            "swarm": ticket.swarm.to_string(),
            "class": if ticket.class == PeerClass::User { "user" } else { "network" },
            "issued": ticket.issued,
            "expires": ticket.expires,
            "election": to_hex(&ticket.election),
            "connections": ticket.limits.connections,
            "budget": ticket.limits.budget,
            "admission_tag": to_hex(&ticket.admission_tag),
        });
        assert_eq!(claims, vector["claims"], "{name}");
        assert_eq!(ticket.issue(&issuer), Ok(sealed), "{name}");
    }
    for vector in list(&vectors, "invalid") {
        let verdict = Ticket::verify(&hex(text(vector, "sealed")), &keys, wall(&vector["wall"]));
        assert_eq!(
            verdict.expect_err(text(vector, "name")).code(),
            text(vector, "error"),
            "{}",
            text(vector, "name")
        );
    }
}

#[test]
fn revocations_are_issued_and_verified_as_written() {
    let vectors = parse(include_str!("vectors/ticket.json"));
    let issuer = SecretKey::from_seed(&array(text(&vectors, "issuer_seed")));
    let keys = tracker_keys(&vectors);
    for vector in list(&vectors["revocations"], "valid") {
        let name = text(vector, "name");
        let statement = hex(text(vector, "statement"));
        let revocation = Revocation::verify(&statement, &keys).expect(name);
        let handles: Vec<String> = revocation.handles.iter().map(ToString::to_string).collect();
        assert_eq!(json!(handles), vector["handles"], "{name}");
        assert_eq!(json!(revocation.until), vector["until"], "{name}");
        assert_eq!(revocation.swarm.to_string(), text(vector, "swarm"), "{name}");
        assert_eq!(revocation.issue(&issuer), statement, "{name}");
    }
    for vector in list(&vectors["revocations"], "invalid") {
        let verdict = Revocation::verify(&hex(text(vector, "statement")), &keys);
        assert_eq!(verdict, None, "{}", text(vector, "name"));
    }
}

#[test]
fn statements_are_signed_and_read_as_written() {
    let vectors = parse(include_str!("vectors/tampering.json"));
    let sender = EphemeralKeys::from_seed(array(text(&vectors, "sender_seed")));
    for vector in list(&vectors["statements"], "valid") {
        let name = text(vector, "name");
        let bytes = hex(text(vector, "statement"));
        let stated = Statement::read(&bytes).expect(name);
        let leaves: Vec<String> = stated.leaves.iter().map(ToString::to_string).collect();
        let said = json!({
            "name": name,
            "swarm": stated.swarm.to_string(),
            "track": stated.object.track.0,
            "index": stated.object.index,
            "root": stated.root.to_string(),
            "chunks": stated.chunks,
            "first": stated.first,
            "nonce": to_hex(&stated.nonce),
            "unix_s": stated.unix_s,
            "leaves": leaves,
            "statement": text(vector, "statement"),
        });
        assert_eq!(said, *vector, "{name}");
        assert_eq!(stated.sign(&sender), bytes, "{name}");
        assert!(Statement::is_of(&bytes, &sender.public()), "{name}");
    }
    for vector in list(&vectors["statements"], "invalid") {
        let read = Statement::read(&hex(text(vector, "statement")));
        assert_eq!(read, None, "{}", text(vector, "name"));
    }
}

#[test]
fn proofs_of_tampering_prove_as_written() {
    let vectors = parse(include_str!("vectors/tampering.json"));
    let verdict = |vector: &Value| -> Result<(), &'static str> {
        let proof = Tampering::read(&hex(text(vector, "proof"))).ok_or("malformed")?;
        let stated = proof.stated().ok_or("malformed")?;
        proof.check(&stated).map_err(NoTampering::code)
    };
    for vector in list(&vectors["proofs"], "valid") {
        let name = text(vector, "name");
        let bytes = hex(text(vector, "proof"));
        assert_eq!(verdict(vector), Ok(()), "{name}");
        assert_eq!(Tampering::read(&bytes).expect(name).encode(), bytes, "{name}");
    }
    for vector in list(&vectors["proofs"], "invalid") {
        assert_eq!(
            verdict(vector),
            Err(text(vector, "error")),
            "{}",
            text(vector, "name")
        );
    }
}

#[test]
fn challenges_are_answered_as_written() {
    let vectors = parse(include_str!("vectors/signal.json"));
    let vectors = &vectors["challenges"];
    let keys = EphemeralKeys::from_seed(array(text(vectors, "seed")));
    let challenge: IntroductionId = text(vectors, "challenge").parse().expect("an id");
    for vector in list(&vectors["answers"], "valid") {
        let name = text(vector, "name");
        let question = hex(text(vector, "question"));
        let picks: Vec<Pick> = question.as_chunks().0.iter().map(Pick::decode).collect();
        let written = picks
            .iter()
            .map(|pick| json!([pick.object.track.0, pick.object.index, pick.chunk]));
        assert_eq!(json!(written.collect::<Vec<_>>()), vector["picks"], "{name}");
        let encoded: Vec<u8> = picks.iter().flat_map(Pick::encode).collect();
        assert_eq!(encoded, question, "{name}");
        let leaves: Vec<u8> = list(vector, "leaves")
            .iter()
            .flat_map(|leaf| hex(leaf.as_str().expect("a hash")))
            .collect();
        let answer = hex(text(vector, "answer"));
        assert_eq!(
            sign_answer(&keys, challenge, &question, leaves.clone()),
            answer,
            "{name}"
        );
        let verified = verify_answer(&answer, &keys.public(), challenge, &question).expect(name);
        let verified: Vec<u8> = verified.iter().flat_map(|leaf| leaf.0).collect();
        assert_eq!(verified, leaves, "{name}");
    }
    for vector in list(&vectors["answers"], "invalid") {
        let (question, answer) = (hex(text(vector, "question")), hex(text(vector, "answer")));
        let verdict = verify_answer(&answer, &keys.public(), challenge, &question);
        assert_eq!(verdict, None, "{}", text(vector, "name"));
    }
    for vector in list(&vectors["shown"], "valid") {
        let name = text(vector, "name");
        let message = hex(text(vector, "message"));
        let shown = Shown::read(&message).expect(name);
        assert_eq!(shown.challenge, challenge, "{name}");
        assert_eq!(json!(shown.number), vector["number"], "{name}");
        let path: Vec<String> = shown.path.iter().map(|hash| to_hex(&hash.0)).collect();
        assert_eq!(json!(path), vector["path"], "{name}");
        assert_eq!(to_hex(&shown.leaf.0), text(vector, "leaf"), "{name}");
        let head = shown_head(challenge, shown.number, &shown.path);
        assert!(message.starts_with(&head), "{name}");
    }
    for vector in list(&vectors["shown"], "invalid") {
        let message = hex(text(vector, "message"));
        assert_eq!(Shown::read(&message), None, "{}", text(vector, "name"));
    }
    // The short chunk is the last of the segment.
    let vector = &list(&vectors["shown"], "valid")[0];
    let shown = Shown::read(&hex(text(vector, "message"))).expect("it is valid");
    let length = vectors["segment"]["length"].as_u64().expect("a number");
    let chunks = chunk_count(length) as usize;
    let root = Hash(array(text(&vectors["segment"], "root")));
    assert!(tree::verify_path(&shown.leaf, 4, chunks, &shown.path, &root));
    assert!(!tree::verify_path(&shown.leaf, 3, chunks, &shown.path, &root));
    // No chunk is longer than 16 KiB.
    let longest = [shown_head(challenge, 0, &[]), vec![0; 16_384]].concat();
    assert!(Shown::read(&longest).is_some());
    assert_eq!(Shown::read(&[longest, vec![0]].concat()), None);
}

#[test]
fn both_sides_say_and_sign_what_is_written() {
    let vectors = parse(include_str!("vectors/handshake.json"));
    let valid = &vectors["valid"];
    for (this, other) in [("offerer", "answerer"), ("answerer", "offerer")] {
        let (mine, theirs) = (&valid[this], &valid[other]);
        let config = handshake_config(&vectors, &mine["config"]);
        assert!(
            config
                .keys
                .public()
                .verify(&hex(text(mine, "signed")), &array(&text(mine, "proof")[2..]))
        );
        let mut handshake = Handshake::new(config);
        assert_eq!(to_hex(&handshake.hello().encode()), text(mine, "hello"));
        let step = handshake
            .handle_bytes(&hex(text(theirs, "hello")))
            .expect("a good HELLO");
        let HandshakeStep::SendProof(proof) = step else {
            panic!("a HELLO asks for a proof")
        };
        assert_eq!(to_hex(&proof.encode()), text(mine, "proof"));
        let step = handshake
            .handle_bytes(&hex(text(theirs, "proof")))
            .expect("a good PROOF");
        let HandshakeStep::Proven(peer) = step else {
            panic!("a PROOF ends the handshake")
        };
        assert_eq!(peer.handle.to_string(), text(&mine["config"], "expected_peer"));
        assert_eq!(
            to_hex(&peer.roots_digest.0),
            text(&theirs["config"], "roots_digest")
        );
    }
}

#[test]
fn a_man_in_the_middle_is_found_out() {
    let vectors = parse(include_str!("vectors/handshake.json"));
    for vector in list(&vectors, "invalid") {
        let name = text(vector, "name");
        let mut config = vectors["valid"][text(vector, "to")]["config"].clone();
        for (field, value) in vector["with"].as_object().expect("an object") {
            config[field] = value.clone();
        }
        let mut handshake = Handshake::new(handshake_config(&vectors, &config));
        let mut verdicts: Vec<_> = list(vector, "receive")
            .iter()
            .map(|bytes| handshake.handle_bytes(&hex(string(bytes))))
            .collect();
        let last = verdicts.pop().expect("a message").expect_err(name);
        assert_eq!(last.code(), text(vector, "error"), "{name}");
        assert!(
            verdicts
                .iter()
                .all(|verdict| !matches!(verdict, Ok(HandshakeStep::Proven(_)))),
            "{name}"
        );
        let after = handshake.handle_bytes(&hex(text(&vectors["valid"]["answerer"], "hello")));
        assert!(after.is_err(), "{name}: accepts more after a fault");
    }
}

#[test]
fn handles_ranks_digests_and_randomness_follow_from_their_inputs() {
    let vectors = parse(include_str!("vectors/handshake.json"));
    let derived = &vectors["derived"];
    for vector in list(derived, "handles") {
        let key: PublicKey = text(vector, "key").parse().expect("a key");
        assert_eq!(Handle::of(&key).to_string(), text(vector, "handle"));
        assert_eq!(text(vector, "handle").parse(), Ok(Handle::of(&key)));
    }
    for vector in list(derived, "ranks") {
        let epoch = text(vector, "epoch").parse().expect("a number");
        let ranked = rank(
            &array(text(vector, "election")),
            &Hash(array(text(vector, "root"))),
            epoch,
        );
        assert_eq!(ranked.to_string(), text(vector, "rank"));
    }
    for vector in list(derived, "roots_digests") {
        let mut roots: Vec<(TrackId, Hash)> = list(vector, "roots")
            .iter()
            .map(|entry| (TrackId(number(&entry[0])), Hash(array(string(&entry[1])))))
            .collect();
        roots.reverse();
        assert_eq!(to_hex(&roots_digest(&roots).0), text(vector, "digest"));
    }
    let mut drbg = Drbg::new(array(text(&derived["drbg"], "seed")));
    assert_eq!(
        to_hex(&drbg.array::<64>()),
        text(&derived["drbg"], "first_64_bytes")
    );
}

#[test]
fn joining_proves_the_secret_and_the_key() {
    let vectors = parse(include_str!("vectors/signal.json"));
    let registration = &vectors["registration"];
    let keys = EphemeralKeys::from_seed(array(text(registration, "seed")));
    let secret = SwarmSecret(array(text(registration, "swarm_secret")));
    let swarm: SwarmId = text(registration, "swarm").parse().expect("a swarm");
    let nonce = array(text(registration, "nonce"));

    let join = Join::sign(&keys, &secret, swarm, &nonce, None);
    assert_eq!(value(&ClientMessage::Join(join.clone())), registration["join"]);
    assert!(join.proves(&secret, &nonce) && join.is_signed(&nonce));
    assert!(!join.proves(&SwarmSecret([0; 32]), &nonce), "another secret");
    assert!(
        !join.proves(&secret, &[0; 32]) && !join.is_signed(&[0; 32]),
        "another nonce"
    );
    assert!(
        !Join {
            swarm: SwarmId([0; 32]),
            ..join.clone()
        }
        .is_signed(&nonce),
        "another swarm"
    );
    assert!(
        !Join {
            proof: [0; 32],
            ..join.clone()
        }
        .is_signed(&nonce),
        "another proof"
    );
    let other = EphemeralKeys::from_seed([9; 32]).public();
    let stolen = Join { key: other, ..join };
    assert!(
        !stolen.proves(&secret, &nonce) && !stolen.is_signed(&nonce),
        "another key"
    );

    let announce: swarmseal::signal::Announce =
        serde_json::from_value(registration["announce"].clone()).expect("an announce");
    let again = swarmseal::signal::Announce::sign(&keys, swarm, &nonce, announce.ranges.clone(), 600, 1);
    assert_eq!(again, announce);
    assert!(announce.is_signed(&keys.public(), swarm, &nonce));
    assert!(!announce.is_signed(&other, swarm, &nonce), "another key");
    assert!(
        !announce.is_signed(&keys.public(), SwarmId([0; 32]), &nonce),
        "another swarm"
    );
    assert!(
        !announce.is_signed(&keys.public(), swarm, &[0; 32]),
        "another connection"
    );
    let mut later = announce.clone();
    later.seq += 1;
    assert!(!later.is_signed(&keys.public(), swarm, &nonce), "another number");
    let mut more = announce;
    more.ranges[0].ranges[0] = Range::new(0, 11);
    assert!(
        !more.is_signed(&keys.public(), swarm, &nonce),
        "more than was signed"
    );
}

#[test]
fn tracker_messages_keep_to_the_schema() {
    let vectors = parse(include_str!("vectors/signal.json"));
    schema::<ClientMessage>(&vectors["client"], |message| message.validate(Loopback::Refuse));
    schema::<ServerMessage>(&vectors["server"], |message| message.validate(Loopback::Refuse));
}

/// The browser parses tracker JSON and the core gets objects: they must mean the same as the text.
#[cfg(target_arch = "wasm32")]
#[test]
fn tracker_messages_cross_from_and_to_javascript_unchanged() {
    fn cross<M: serde::Serialize + serde::de::DeserializeOwned>(vectors: &Value) {
        for vector in list(vectors, "valid") {
            let name = text(vector, "name");
            let object = js_sys::JSON::parse(&vector["message"].to_string()).expect("JSON");
            let message: M = serde_wasm_bindgen::from_value(object).unwrap_or_else(|e| panic!("{name}: {e}"));
            let back = serde_wasm_bindgen::to_value(&message).expect("an object");
            let back: String = js_sys::JSON::stringify(&back).expect("JSON").into();
            assert_eq!(parse(&back), vector["message"], "{name}");
        }
        for vector in list(vectors, "invalid")
            .iter()
            .filter(|vector| text(vector, "error") == "malformed")
        {
            let object = js_sys::JSON::parse(&vector["message"].to_string()).expect("JSON");
            assert!(
                serde_wasm_bindgen::from_value::<M>(object).is_err(),
                "{}",
                text(vector, "name")
            );
        }
    }
    let vectors = parse(include_str!("vectors/signal.json"));
    cross::<ClientMessage>(&vectors["client"]);
    cross::<ServerMessage>(&vectors["server"]);
}

#[test]
fn descriptions_are_read_from_browsers_and_rebuilt_from_the_template() {
    let vectors = parse(include_str!("vectors/signal.json"));
    let vectors = &vectors["descriptions"];
    for vector in list(vectors, "valid") {
        let name = text(vector, "name");
        let kind = if text(vector, "kind") == "offer" {
            SdpType::Offer
        } else {
            SdpType::Answer
        };
        let description =
            Description::from_sdp(text(vector, "local")).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(value(&description), vector["description"], "{name}");
        assert_eq!(description.validate_as(kind), Ok(()), "{name}");
        assert_eq!(description.to_sdp(kind), text(vector, "remote"), "{name}");
        assert_eq!(
            Description::from_sdp(&description.to_sdp(kind)),
            Ok(description),
            "{name}: its own template"
        );
    }
    for vector in list(vectors, "invalid") {
        let fault = Description::from_sdp(text(vector, "local")).expect_err(text(vector, "name"));
        assert_eq!(fault.code(), text(vector, "error"), "{}", text(vector, "name"));
    }
}

#[test]
fn candidates_are_rewritten_or_kept_back() {
    let vectors = parse(include_str!("vectors/signal.json"));
    let vectors = &vectors["candidates"];
    for vector in list(vectors, "sent") {
        let name = text(vector, "name");
        let candidate = Candidate::from_line(text(vector, "local"), Loopback::Refuse)
            .unwrap_or_else(|fault| panic!("{name}: {fault}"))
            .unwrap_or_else(|| panic!("{name}: kept back"));
        assert_eq!(value(&candidate), vector["candidate"], "{name}");
        assert_eq!(candidate.to_line(), text(vector, "remote"), "{name}");
        assert_eq!(
            Candidate::from_line(&candidate.to_line(), Loopback::Refuse),
            Ok(Some(candidate)),
            "{name}"
        );
    }
    for vector in list(vectors, "kept") {
        let verdict = Candidate::from_line(text(vector, "local"), Loopback::Refuse);
        assert_eq!(verdict, Ok(None), "{}", text(vector, "name"));
    }
    for vector in list(vectors, "invalid") {
        let verdict = Candidate::from_line(text(vector, "local"), Loopback::Refuse);
        assert_eq!(
            verdict.expect_err(text(vector, "name")).code(),
            text(vector, "error")
        );
    }
}

fn schema<M>(vectors: &Value, validate: impl Fn(&M) -> Result<(), InvalidSignal>)
where
    M: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug,
{
    for vector in list(vectors, "valid") {
        let name = text(vector, "name");
        let message: M =
            serde_json::from_value(vector["message"].clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(validate(&message), Ok(()), "{name}");
        assert_eq!(value(&message), vector["message"], "{name}");
    }
    for vector in list(vectors, "invalid") {
        let name = text(vector, "name");
        let code = match serde_json::from_value::<M>(vector["message"].clone()) {
            Err(_) => "malformed",
            Ok(message) => validate(&message).expect_err(name).code(),
        };
        assert_eq!(code, text(vector, "error"), "{name}");
    }
}

fn handshake_config(vectors: &Value, config: &Value) -> HandshakeConfig {
    HandshakeConfig {
        keys: EphemeralKeys::from_seed(array(text(config, "seed"))),
        ticket: hex(text(config, "ticket")),
        tracker_keys: tracker_keys(vectors),
        swarm: text(config, "swarm").parse().expect("a swarm"),
        introduction: text(config, "introduction")
            .parse::<IntroductionId>()
            .expect("an introduction")
            .0,
        role: if text(config, "role") == "offerer" {
            Role::Offerer
        } else {
            Role::Answerer
        },
        local_fingerprint: text(config, "local_fingerprint")
            .parse::<Fingerprint>()
            .expect("a fingerprint"),
        remote_fingerprint: text(config, "remote_fingerprint").parse().expect("a fingerprint"),
        expected_peer: text(config, "expected_peer").parse().expect("a handle"),
        roots_digest: Hash(array(text(config, "roots_digest"))),
        capabilities: number(&config["capabilities"]),
        nonce: array(text(config, "nonce")),
        wall: wall(&vectors["wall"]),
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

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("a JSON file")
}

fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field]
        .as_array()
        .unwrap_or_else(|| panic!("{field} is no list"))
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is no text"))
}

fn string(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    value
        .as_u64()
        .and_then(|number| T::try_from(number).ok())
        .expect("a number")
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).expect("JSON")
}

fn wall(value: &Value) -> WallTime {
    WallTime {
        unix_s: number(&value["unix_s"]),
        uncertainty_s: number(&value["uncertainty_s"]),
    }
}

fn tracker_keys(vectors: &Value) -> Vec<PublicKey> {
    list(vectors, "tracker_keys")
        .iter()
        .map(|key| string(key).parse().expect("a key"))
        .collect()
}

/// Hexadecimal parts, and runs written `[byte, times]`.
fn parts(value: &Value) -> Vec<u8> {
    value
        .as_array()
        .expect("parts")
        .iter()
        .flat_map(|part| match part {
            Value::String(part) => hex(part),
            run => hex(string(&run[0])).repeat(number(&run[1])),
        })
        .collect()
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal"))
        .collect()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().expect("the right length")
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
