//! Messages to and from the tracker: `signal.json`.

use std::fmt::Debug;

use serde_json::{Value, json};
use swarmseal::content::{Hash, SwarmId, SwarmSecret, chunk_count, tree};
use swarmseal::identity::EphemeralKeys;
use swarmseal::signal::{
    Candidate, ClientMessage, Description, IntroductionId, InvalidSignal, Join, Loopback, Pick, SdpType,
    ServerMessage, Shown, shown_head, sign_answer, verify_answer,
};
use swarmseal::wire::Range;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reading::{array, hex, list, parse, text, to_hex};

#[test]
fn challenges_are_answered_as_written() {
    let vectors = parse(include_str!("../vectors/signal.json"));
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
fn joining_proves_the_secret_and_the_key() {
    let vectors = parse(include_str!("../vectors/signal.json"));
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
    let vectors = parse(include_str!("../vectors/signal.json"));
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
    let vectors = parse(include_str!("../vectors/signal.json"));
    cross::<ClientMessage>(&vectors["client"]);
    cross::<ServerMessage>(&vectors["server"]);
}

#[test]
fn descriptions_are_read_from_browsers_and_rebuilt_from_the_template() {
    let vectors = parse(include_str!("../vectors/signal.json"));
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
    let vectors = parse(include_str!("../vectors/signal.json"));
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

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).expect("JSON")
}
