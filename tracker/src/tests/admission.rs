//! Who gets in, and what a ticket says.

use swarmseal::content::{SwarmId, SwarmSecret, WallTime};
use swarmseal::identity::{EphemeralKeys, PeerClass, Ticket};
use swarmseal::signal::{ClientMessage, ErrorCode, Join, SIGNAL_VERSION, ServerMessage};

use super::rig::{Rig, SWARM, handle, joined, keys, refusal, secret, tracker_key};
use crate::{
    Admission, AdmissionRequest, CloseReason, Content, Grant, Input, Now, Refused, Tracker, TrackerConfig,
    TrackerKeys,
};

#[test]
fn welcome_says_version_time_and_a_fresh_nonce() {
    let mut rig = Rig::new();
    let (first, second) = (rig.connect(1), rig.connect(1));
    let [
        ServerMessage::Welcome {
            version,
            nonce,
            time_unix_ms,
            keepalive_s,
        },
    ] = rig.heard(first)[..]
    else {
        panic!("no welcome");
    };
    assert_eq!(
        (version, time_unix_ms, keepalive_s),
        (SIGNAL_VERSION, rig.now.unix_ms, 45)
    );
    assert_ne!(nonce, rig.nonces[&second]);
}

#[test]
fn a_proven_peer_gets_a_ticket_for_its_key() {
    let mut rig = Rig::new();
    let (_, answer) = rig.join(1);
    assert_eq!(answer.handle, handle(1));
    assert_eq!(answer.ticket_expires_in_s, 600);
    let wall = WallTime {
        unix_s: rig.now.unix_ms / 1_000,
        uncertainty_s: 0,
    };
    let ticket = Ticket::verify(&answer.ticket, &[tracker_key().public()], wall).unwrap();
    assert_eq!(
        (ticket.key, ticket.swarm, ticket.class),
        (keys(1).public(), SWARM, PeerClass::User)
    );
    assert_eq!(ticket.expires - ticket.issued, 600);
}

#[test]
fn unknown_swarm_and_failed_proof_get_the_same_answer() {
    let mut rig = Rig::new();
    let wrong_secret = SwarmSecret([1; 32]);
    let mut answers = Vec::new();
    for case in 0..4 {
        let conn = rig.connect(1);
        let nonce = rig.nonces[&conn];
        let mut join = match case {
            0 => Join::sign(&keys(1), &wrong_secret, SWARM, &nonce, None),
            1 => Join::sign(&keys(1), &wrong_secret, SwarmId([8; 32]), &nonce, None),
            2 => Join::sign(&keys(1), &secret(), SwarmId([8; 32]), &nonce, None),
            _ => Join::sign(&keys(1), &secret(), SWARM, &[0; 32], None),
        };
        if case == 1 {
            join.signature = [0; 64];
        }
        answers.push((rig.say(conn, ClientMessage::Join(join)), rig.closed[&conn]));
    }
    assert_eq!(refusal(&answers[0].0), ErrorCode::NotAdmitted);
    assert_eq!(answers[0].1, CloseReason::NotAdmitted);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(rig.tracker.member_count(), 0);
}

#[test]
fn a_key_that_is_not_held_is_refused() {
    let mut rig = Rig::new();
    let conn = rig.connect(1);
    let mut join = rig.join_message(conn, 1);
    join.signature[5] ^= 1;
    assert_eq!(
        refusal(&rig.say(conn, ClientMessage::Join(join))),
        ErrorCode::BadSignature
    );
    assert_eq!(rig.closed[&conn], CloseReason::BadSignature);
}

#[test]
fn a_join_cannot_be_replayed_on_another_connection() {
    let mut rig = Rig::new();
    let (first, second) = (rig.connect(1), rig.connect(2));
    let join = rig.join_message(first, 1);
    assert_eq!(
        refusal(&rig.say(second, ClientMessage::Join(join))),
        ErrorCode::NotAdmitted
    );
}

#[test]
fn another_version_is_told_so() {
    let mut rig = Rig::new();
    let conn = rig.connect(1);
    let join = Join {
        version: SIGNAL_VERSION + 1,
        ..rig.join_message(conn, 1)
    };
    assert_eq!(
        refusal(&rig.say(conn, ClientMessage::Join(join))),
        ErrorCode::UnsupportedVersion
    );
    assert_eq!(rig.closed[&conn], CloseReason::UnsupportedVersion);
}

#[test]
fn one_connection_is_one_peer() {
    let mut rig = Rig::new();
    let (conn, _) = rig.join(1);
    let join = rig.join_message(conn, 2);
    assert_eq!(
        refusal(&rig.say(conn, ClientMessage::Join(join))),
        ErrorCode::AlreadyJoined
    );
    assert_eq!(rig.tracker.member_count(), 1);
}

#[test]
fn nothing_is_allowed_before_join() {
    let mut rig = Rig::new();
    for message in [
        ClientMessage::Renew {},
        ClientMessage::List { want: 5 },
        ClientMessage::Introduce { peer: handle(2) },
    ] {
        let conn = rig.connect(1);
        assert_eq!(refusal(&rig.say(conn, message)), ErrorCode::NotJoined);
    }
}

#[test]
fn the_same_key_takes_its_own_place_at_once() {
    let mut rig = Rig::new();
    let (old, _) = rig.join(1);
    let (new, _) = rig.join(1);
    assert_eq!(rig.closed.get(&old), Some(&CloseReason::Replaced));
    assert_eq!(rig.closed.get(&new), None);
    assert_eq!(rig.tracker.member_count(), 1);
    // The late end of the old connection does not take the new one along.
    rig.input(Input::Closed { conn: old });
    assert_eq!(rig.tracker.member_count(), 1);
    assert_eq!(rig.tracker.counts().rejoined, 1);
}

#[test]
fn nobody_else_takes_a_handle() {
    let mut rig = Rig::new();
    let (victim, _) = rig.join(1);
    let thief = rig.connect(2);
    // Knows secret and public key, but cannot sign for it.
    let forged = Join {
        signature: keys(2).sign(b"anything"),
        ..Join::sign(&keys(1), &secret(), SWARM, &rig.nonces[&thief], None)
    };
    assert_eq!(
        refusal(&rig.say(thief, ClientMessage::Join(forged))),
        ErrorCode::BadSignature
    );
    assert_eq!(rig.closed.get(&victim), None);
}

#[test]
fn an_election_value_is_fixed_by_key_swarm_and_tracker() {
    let wall = |rig: &Rig| WallTime {
        unix_s: rig.now.unix_ms / 1_000,
        uncertainty_s: 0,
    };
    let election = |rig: &mut Rig, seed| {
        let (_, joined) = rig.join(seed);
        let at = wall(rig);
        Ticket::verify(&joined.ticket, &[tracker_key().public()], at)
            .unwrap()
            .election
    };
    let mut rig = Rig::new();
    let first = election(&mut rig, 1);
    assert_eq!(first, election(&mut rig, 1), "joining again draws no new lot");
    assert_ne!(first, election(&mut rig, 2));
    assert_eq!(
        first,
        election(&mut Rig::new(), 1),
        "nor does a restart of the tracker"
    );
}

#[test]
fn a_restarted_tracker_takes_peers_back() {
    let mut rig = Rig::new();
    let (_, before) = rig.join(1);
    let now = rig.now;
    let mut fresh = Tracker::new(
        TrackerConfig::default(),
        TrackerKeys::new(tracker_key()),
        [77; 32],
    );
    fresh.set_contents(
        now,
        [Content {
            swarm: SWARM,
            secret: secret(),
            roots: Vec::new(),
            is_followed: false,
        }],
    );
    rig.tracker = fresh;
    let (_, after) = rig.join(1);
    assert_eq!(before.handle, after.handle);
    let wall = WallTime {
        unix_s: now.unix_ms / 1_000,
        uncertainty_s: 0,
    };
    assert!(Ticket::verify(&before.ticket, &[tracker_key().public()], wall).is_ok());
}

#[test]
fn a_ticket_is_renewed_with_a_later_end() {
    let mut rig = Rig::new();
    let (conn, joined) = rig.join(1);
    for _ in 0..10 {
        rig.sleep_ms(30_000);
        rig.input(Input::Alive { conn });
    }
    let heard = rig.say(conn, ClientMessage::Renew {});
    let [
        ServerMessage::Ticket {
            ticket,
            ticket_expires_in_s: 600,
            ..
        },
    ] = &heard[..]
    else {
        panic!("{heard:?}");
    };
    let wall = WallTime {
        unix_s: rig.now.unix_ms / 1_000,
        uncertainty_s: 0,
    };
    let keys = [tracker_key().public()];
    let (old, new) = (
        Ticket::verify(&joined.ticket, &keys, wall).unwrap(),
        Ticket::verify(ticket, &keys, wall).unwrap(),
    );
    assert_eq!(new.expires, old.expires + 300);
    assert_eq!(new.election, old.election);
}

#[test]
fn a_content_that_is_taken_away_takes_its_peers_along() {
    let mut rig = Rig::new();
    let (conn, _) = rig.join(1);
    let other = Content {
        swarm: SwarmId([1; 32]),
        secret: secret(),
        roots: Vec::new(),
        is_followed: false,
    };
    rig.tracker.set_contents(rig.now, [other]);
    rig.drain();
    assert_eq!(rig.closed[&conn], CloseReason::ContentGone);
    assert_eq!(rig.tracker.swarm_count(), 0);
}

#[test]
fn leaving_and_shutting_down_close_connections() {
    let mut rig = Rig::new();
    let (first, _) = rig.join(1);
    let (second, _) = rig.join(2);
    assert_eq!(rig.say(first, ClientMessage::Leave {}), []);
    assert_eq!(rig.closed[&first], CloseReason::Left);
    rig.tracker.shut_down(rig.now);
    rig.drain();
    assert_eq!(rig.closed[&second], CloseReason::ShuttingDown);
    assert_eq!(rig.tracker.connection_count(), 0);
}

struct OnlyOne(EphemeralKeys);

impl Admission for OnlyOne {
    fn admit(&mut self, _: Now, request: &AdmissionRequest) -> Result<Grant, Refused> {
        if request.key != self.0.public() {
            return Err(Refused);
        }
        let limits = swarmseal::identity::TicketLimits {
            connections: 3,
            budget: 4,
        };
        Ok(Grant {
            class: PeerClass::Network,
            limits,
            tag: b"opaque".to_vec(),
        })
    }

    fn renew(&mut self, _: Now, _: &AdmissionRequest, tag: &[u8]) -> Result<Grant, Refused> {
        assert_eq!(tag, b"opaque");
        Err(Refused)
    }
}

#[test]
fn admission_decides_and_fills_the_ticket() {
    let mut rig = Rig::new();
    rig.tracker = Tracker::new(TrackerConfig::default(), TrackerKeys::new(tracker_key()), [3; 32])
        .with_admission(Box::new(OnlyOne(keys(1))));
    rig.tracker.set_contents(
        rig.now,
        [Content {
            swarm: SWARM,
            secret: secret(),
            roots: Vec::new(),
            is_followed: false,
        }],
    );
    let conn = rig.connect(1);
    let join = rig.join_message(conn, 1);
    let answer = joined(&rig.say(conn, ClientMessage::Join(join)));
    let wall = WallTime {
        unix_s: rig.now.unix_ms / 1_000,
        uncertainty_s: 0,
    };
    let ticket = Ticket::verify(&answer.ticket, &[tracker_key().public()], wall).unwrap();
    assert_eq!((ticket.class, ticket.limits.connections), (PeerClass::Network, 3));
    assert_eq!(ticket.admission_tag, b"opaque");
    let refused = rig.connect(2);
    let join = rig.join_message(refused, 2);
    assert_eq!(
        refusal(&rig.say(refused, ClientMessage::Join(join))),
        ErrorCode::NotAdmitted
    );
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let run = || {
        let mut rig = Rig::new();
        let conns: Vec<_> = (1..20).map(|seed| rig.source(seed)).collect();
        rig.introduce(conns[3], 9);
        (rig.inbox, rig.nonces)
    };
    assert_eq!(run(), run());
}
