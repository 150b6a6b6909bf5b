//! What one peer says to another.

use swarmseal::content::{Hash, SecretKey, SwarmId, WallTime};
use swarmseal::identity::{
    EphemeralKeys, Fingerprint, Handle, Handshake, HandshakeConfig, HandshakeStep, Hello, MAX_STATED, Proof,
    Role, Statement, Tampering,
};
use swarmseal::wire;

/// A message on either channel.
pub fn peer_message(data: &[u8]) {
    if let Ok(message) = wire::decode(data) {
        assert_eq!(
            wire::encode(&message),
            data,
            "one encoding for each message, consumed exactly"
        );
    }
    let head = &data[..data.len().min(wire::DATA_HEAD)];
    if let Ok((message, length)) = wire::decode_data_head(head) {
        assert_eq!(wire::encode(&message), head[..length]);
    }
    if let Ok(hello) = Hello::decode(data) {
        assert_eq!(hello.encode(), data);
    }
    if let Ok(proof) = Proof::decode(data) {
        assert_eq!(proof.encode(), data);
    }
}

/// A statement, and a proof that one is false. Nobody can have signed either.
pub fn tampering(data: &[u8]) {
    let key = SecretKey::from_seed(&[5; 32]).public();
    if let Some(statement) = Statement::read(data) {
        assert!((1..=MAX_STATED).contains(&statement.leaves.len()));
        let again = statement.sign(&EphemeralKeys::from_seed([1; 32]));
        assert_eq!(again[64..], data[64..], "one form for each statement");
        assert!(!Statement::is_of(data, &key));
    }
    if let Some(mut proof) = Tampering::read(data) {
        assert_eq!(proof.encode(), data, "one form for each proof");
        proof.key = key;
        if let Some(stated) = proof.stated() {
            assert!(proof.check(&stated).is_err());
        }
    }
}

/// Messages before the proof, each after its length (u16): nobody without a key gets through.
pub fn proof_of_identity(data: &[u8]) {
    let mut handshake = Handshake::new(HandshakeConfig {
        keys: EphemeralKeys::from_seed([1; 32]),
        ticket: vec![1; 100],
        tracker_keys: vec![SecretKey::from_seed(&[5; 32]).public()],
        swarm: SwarmId([7; 32]),
        introduction: [8; 16],
        role: Role::Offerer,
        local_fingerprint: Fingerprint([1; 32]),
        remote_fingerprint: Fingerprint([2; 32]),
        expected_peer: Handle([3; 16]),
        roots_digest: Hash([4; 32]),
        capabilities: 0,
        nonce: [5; 32],
        wall: WallTime {
            unix_s: 1_800_000_000,
            uncertainty_s: 1,
        },
    });
    let mut rest = data;
    while let [high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (message, after) = after.split_at(length);
        rest = after;
        let step = handshake.handle_bytes(message);
        assert!(
            !matches!(step, Ok(HandshakeStep::Proven(_))),
            "proved without a key"
        );
    }
}
