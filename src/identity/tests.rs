//! What the vectors cannot show: both sides together, versions that do not exist yet, and every altered byte.

use super::*;
use crate::content::{Hash, SecretKey, SwarmId, WallTime};

const NOW: WallTime = WallTime {
    unix_s: 1_800_000_000,
    uncertainty_s: 0,
};

fn tracker() -> SecretKey {
    SecretKey::from_seed(&[7; 32])
}

fn ticket(keys: &EphemeralKeys, issued: u64) -> Ticket {
    Ticket {
        key: keys.public(),
        swarm: SwarmId([1; 32]),
        class: PeerClass::User,
        issued,
        expires: issued + MAX_TICKET_LIFETIME_S,
        election: [3; 16],
        limits: TicketLimits {
            connections: 40,
            budget: 30,
        },
        admission_tag: vec![0xee; MAX_ADMISSION_TAG],
    }
}

fn config(own: u8, peer: u8, role: Role) -> HandshakeConfig {
    let keys = EphemeralKeys::from_seed([own; 32]);
    HandshakeConfig {
        ticket: ticket(&keys, NOW.unix_s).issue(&tracker()).expect("a ticket"),
        keys,
        tracker_keys: vec![tracker().public()],
        swarm: SwarmId([1; 32]),
        introduction: [2; 16],
        role,
        local_fingerprint: Fingerprint([own; 32]),
        remote_fingerprint: Fingerprint([peer; 32]),
        expected_peer: EphemeralKeys::from_seed([peer; 32]).handle(),
        roots_digest: Hash([own ^ peer; 32]),
        capabilities: 0,
        nonce: [own; 32],
        wall: NOW,
    }
}

fn pair() -> (Handshake, Handshake) {
    (
        Handshake::new(config(10, 20, Role::Offerer)),
        Handshake::new(config(20, 10, Role::Answerer)),
    )
}

/// Both verdicts of a whole exchange.
fn meet(a: &mut Handshake, b: &mut Handshake) -> Result<(PeerIdentity, PeerIdentity), HandshakeFault> {
    let (hello_a, hello_b) = (a.hello(), b.hello());
    let proof_a = a.handle_hello(&hello_b)?;
    let proof_b = b.handle_hello(&hello_a)?;
    Ok((a.handle_proof(&proof_b)?, b.handle_proof(&proof_a)?))
}

#[test]
fn two_honest_peers_prove_themselves_within_the_limit() {
    let (mut a, mut b) = pair();
    let bytes = a.hello().encode().len()
        + Proof {
            signature: [0; SIGNATURE],
        }
        .encode()
        .len();
    assert!(bytes <= MAX_HANDSHAKE, "{bytes}");
    let (at_a, at_b) = meet(&mut a, &mut b).expect("both proven");
    assert_eq!(at_a.handle, EphemeralKeys::from_seed([20; 32]).handle());
    assert_eq!(at_b.handle, EphemeralKeys::from_seed([10; 32]).handle());
    assert_eq!((at_a.version, at_b.version), (PROTOCOL_VERSION, PROTOCOL_VERSION));
    assert_eq!(at_a.ticket_expires, NOW.unix_s + MAX_TICKET_LIFETIME_S);
}

#[test]
fn the_highest_common_version_is_agreed() {
    let (a, b) = pair();
    let (at_a, at_b) =
        meet(&mut a.with_versions(&[1, 2, 4]), &mut b.with_versions(&[1, 2, 3])).expect("common");
    assert_eq!((at_a.version, at_b.version), (2, 2));
}

#[test]
fn a_downgrade_changes_what_is_signed() {
    let (a, b) = pair();
    let (mut a, mut b) = (a.with_versions(&[1, 2]), b.with_versions(&[1, 2]));
    // The man in the middle takes version 2 out of both offers.
    let lowered = |mut hello: Hello| {
        hello.versions = vec![1];
        hello
    };
    let (hello_a, hello_b) = (lowered(a.hello()), lowered(b.hello()));
    let proof_a = a.handle_hello(&hello_b).expect("well-formed");
    let proof_b = b.handle_hello(&hello_a).expect("well-formed");
    assert_eq!(a.handle_proof(&proof_b), Err(HandshakeFault::BadSignature));
    assert_eq!(b.handle_proof(&proof_a), Err(HandshakeFault::BadSignature));
}

#[test]
fn only_common_capabilities_count() {
    let both = CAPABILITY_STATEMENTS | CAPABILITY_LIVE_HEADS;
    let mut a = Handshake::new(HandshakeConfig {
        capabilities: both,
        ..config(10, 20, Role::Offerer)
    });
    let mut b = Handshake::new(HandshakeConfig {
        capabilities: CAPABILITY_LIVE_HEADS | 1 << 31,
        ..config(20, 10, Role::Answerer)
    });
    let (at_a, at_b) = meet(&mut a, &mut b).expect("both proven");
    assert_eq!(
        (at_a.capabilities, at_b.capabilities),
        (CAPABILITY_LIVE_HEADS, CAPABILITY_LIVE_HEADS)
    );
}

#[test]
fn no_altered_byte_gets_through() {
    let (mut a, mut b) = pair();
    let (hello_a, hello_b) = (a.hello(), b.hello());
    let _ = a.handle_hello(&hello_b).expect("a good HELLO");
    let good = [
        hello_b.encode(),
        b.handle_hello(&hello_a).expect("a good HELLO").encode(),
    ];
    for message in 0..good.len() {
        for place in 0..good[message].len() {
            for flip in [1, 0x80] {
                let mut sent = good.clone();
                sent[message][place] ^= flip;
                let mut victim = Handshake::new(config(10, 20, Role::Offerer));
                let proven = sent
                    .iter()
                    .any(|bytes| matches!(victim.handle_bytes(bytes), Ok(HandshakeStep::Proven(_))));
                assert!(!proven, "message {message}, byte {place}");
            }
        }
    }
}

#[test]
fn a_recorded_handshake_is_worth_nothing_later() {
    let (mut a, mut b) = pair();
    let (hello_a, hello_b) = (a.hello(), b.hello());
    let proof_b = b.handle_hello(&hello_a).expect("a good HELLO");
    assert!(a.handle_hello(&hello_b).is_ok() && a.handle_proof(&proof_b).is_ok());
    let mut later = Handshake::new(HandshakeConfig {
        nonce: [99; 32],
        ..config(10, 20, Role::Offerer)
    });
    assert!(later.handle_hello(&hello_b).is_ok());
    assert_eq!(later.handle_proof(&proof_b), Err(HandshakeFault::BadSignature));
    assert_eq!(later.handle_proof(&proof_b), Err(HandshakeFault::Ended));
}

#[test]
fn more_than_a_kibibyte_ends_an_unproven_channel() {
    let (mut a, b) = pair();
    let hello = b.hello();
    assert!(a.handle_hello(&hello).is_ok());
    let mut received = hello.encode().len();
    loop {
        received += hello.encode().len();
        let fault = a.handle_hello(&hello).expect_err("a second HELLO");
        if received > MAX_HANDSHAKE {
            assert_eq!(fault, HandshakeFault::TooLarge);
            break;
        }
        assert_eq!(fault, HandshakeFault::HelloRepeated);
    }
}

#[test]
fn tickets_that_no_peer_would_take_are_not_issued() {
    let keys = EphemeralKeys::from_seed([10; 32]);
    let good = ticket(&keys, NOW.unix_s);
    assert!(
        good.issue(&tracker())
            .is_ok_and(|sealed| sealed.len() <= MAX_TICKET)
    );
    let long = Ticket {
        expires: good.issued + MAX_TICKET_LIFETIME_S + 1,
        ..good.clone()
    };
    assert_eq!(long.issue(&tracker()), Err(TicketError::LifetimeTooLong));
    let tagged = Ticket {
        admission_tag: vec![0; MAX_ADMISSION_TAG + 1],
        ..good.clone()
    };
    assert_eq!(tagged.issue(&tracker()), Err(TicketError::Malformed));
    let backwards = Ticket {
        expires: good.issued - 1,
        ..good
    };
    assert_eq!(backwards.issue(&tracker()), Err(TicketError::Malformed));
}

#[test]
fn times_at_the_end_of_time_do_not_wrap() {
    let keys = EphemeralKeys::from_seed([10; 32]);
    let last = Ticket {
        expires: u64::MAX,
        ..ticket(&keys, u64::MAX - MAX_TICKET_LIFETIME_S)
    };
    let sealed = last.issue(&tracker()).expect("a ticket");
    let trusted = [tracker().public()];
    assert_eq!(
        Ticket::verify(&sealed, &trusted, NOW),
        Err(TicketError::NotYetValid)
    );
    let end = WallTime {
        unix_s: u64::MAX - 1,
        uncertainty_s: u32::MAX,
    };
    assert_eq!(Ticket::verify(&sealed, &trusted, end), Ok(last));
    assert_eq!(
        Ticket::verify(
            &ticket(&keys, 0).issue(&tracker()).expect("a ticket"),
            &trusted,
            NOW
        ),
        Err(TicketError::Expired)
    );
}

#[test]
fn secrets_are_not_printed() {
    let keys = EphemeralKeys::from_seed([10; 32]);
    let printed = format!("{keys:?} {:?}", Drbg::new([0xab; 32]));
    assert!(printed.contains(&keys.handle().to_string()));
    assert!(!printed.contains("171"), "a byte of the seed: {printed}");
}

#[test]
fn randomness_repeats_with_its_seed_and_not_otherwise() {
    let draw = |mut drbg: Drbg| (0..100).map(|_| drbg.next_u64()).collect::<Vec<_>>();
    let drbg = Drbg::new([1; 32]);
    assert_eq!(draw(drbg.clone()), draw(Drbg::new([1; 32])));
    assert_ne!(draw(drbg.clone()), draw(Drbg::new([2; 32])));
    assert_ne!(draw(drbg.clone()), draw(drbg.fork("timers")));
    assert_ne!(draw(drbg.fork("timers")), draw(drbg.fork("nonces")));
}

#[test]
fn numbers_below_a_bound_are_below_it_and_all_occur() {
    let mut drbg = Drbg::new([1; 32]);
    assert_eq!((drbg.below(0), drbg.below(1), drbg.index(0)), (0, 0, None));
    let mut seen = [0_u32; 7];
    for _ in 0..7000 {
        seen[usize::try_from(drbg.below(7)).expect("small")] += 1;
    }
    assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    assert!((0..100).all(|_| drbg.below(u64::MAX) < u64::MAX));
    let mut items: Vec<u32> = (0..50).collect();
    drbg.shuffle(&mut items);
    assert!(!items.is_sorted());
    items.sort_unstable();
    assert_eq!(items, (0..50).collect::<Vec<_>>());
}

#[test]
fn fingerprints_are_read_in_either_case_and_in_no_other_form() {
    let text = Fingerprint([0xaf; 32]).to_string();
    assert_eq!(text.len(), 95);
    assert_eq!(text.parse(), Ok(Fingerprint([0xaf; 32])));
    assert_eq!(text.to_lowercase().parse(), Ok(Fingerprint([0xaf; 32])));
    for wrong in [
        "",
        &text[1..],
        &text.replace(':', " "),
        &text.replacen("AF", "+F", 1),
        &text.replacen("AF:", "AFA", 1),
    ] {
        assert_eq!(wrong.parse::<Fingerprint>(), Err(FingerprintError), "{wrong}");
    }
}
