//! Tickets, statements and handshakes: `ticket.json`, `tampering.json`, `handshake.json`.

use serde_json::{Value, json};
use swarmseal::content::{Hash, PublicKey, SecretKey, TrackId, WallTime};
use swarmseal::identity::{
    Drbg, EphemeralKeys, Fingerprint, Handle, Handshake, HandshakeConfig, HandshakeStep, NoTampering,
    PeerClass, Revocation, Role, Statement, Tampering, Ticket, rank, roots_digest,
};
use swarmseal::signal::IntroductionId;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reading::{array, hex, list, parse, string, text, to_hex};

#[test]
fn tickets_are_issued_and_verified_as_written() {
    let vectors = parse(include_str!("../vectors/ticket.json"));
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
    let vectors = parse(include_str!("../vectors/ticket.json"));
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
    let vectors = parse(include_str!("../vectors/tampering.json"));
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
    let vectors = parse(include_str!("../vectors/tampering.json"));
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
fn both_sides_say_and_sign_what_is_written() {
    let vectors = parse(include_str!("../vectors/handshake.json"));
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
    let vectors = parse(include_str!("../vectors/handshake.json"));
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
    let vectors = parse(include_str!("../vectors/handshake.json"));
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

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    value
        .as_u64()
        .and_then(|number| T::try_from(number).ok())
        .expect("a number")
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
