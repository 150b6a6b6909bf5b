//! Admissions that are taken back: at once, for the tag as well, and over a restart.

use std::collections::BTreeSet;

use swarmseal::identity::{Handle, PeerClass, TicketLimits};
use swarmseal::signal::{ClientMessage, ErrorCode, ServerMessage};

use super::report::{Outcome, conclude};
use super::rig::{Rig, handle, named, refusal};
use crate::{Admission, AdmissionRequest, CloseReason, ConnId, Grant, Now, Refused, Revoked};

/// Every peer of one prefix has one tag.
struct ByPrefix;

impl Admission for ByPrefix {
    fn admit(&mut self, _: Now, request: &AdmissionRequest) -> Result<Grant, Refused> {
        let limits = TicketLimits {
            connections: 64,
            budget: 30,
        };
        Ok(Grant {
            class: PeerClass::User,
            limits,
            tag: request.prefix.0.to_be_bytes().to_vec(),
        })
    }

    fn renew(&mut self, now: Now, request: &AdmissionRequest, _: &[u8]) -> Result<Grant, Refused> {
        self.admit(now, request)
    }
}

fn join(rig: &mut Rig, prefix: u64, seed: u8) -> (ConnId, Vec<ServerMessage>) {
    let conn = rig.connect(prefix);
    let join = rig.join_message(conn, seed);
    (conn, rig.say(conn, ClientMessage::Join(join)))
}

fn revoke(rig: &mut Rig, seed: u8, seconds: u64) -> bool {
    let until = rig.now.unix_ms / 1_000 + seconds;
    let has_room = rig.tracker.revoke(rig.now, handle(seed), until);
    rig.drain();
    has_room
}

#[test]
fn a_revoked_peer_is_out_its_swarm_is_told_and_it_does_not_come_back() {
    let (mut attempts, mut admitted) = (0, 0);
    for round in 0..20 {
        let mut rig = Rig::new();
        rig.admit(Box::new(ByPrefix));
        let (bad, twin) = (1 + round, 101 + round);
        let (conn, _) = join(&mut rig, 7, bad);
        let (second, _) = join(&mut rig, 7, twin);
        let (other, _) = join(&mut rig, 8, 201);
        assert!(revoke(&mut rig, bad, 3_600));
        // Both of the tag are gone and named, and nobody else.
        for conn in [conn, second] {
            assert_eq!(rig.closed.get(&conn), Some(&CloseReason::Revoked));
        }
        assert!(!rig.closed.contains_key(&other));
        let both = BTreeSet::from([handle(bad), handle(twin)]);
        assert_eq!(named(&rig.heard(other)), both);
        // The same key, a key of the tag, a new key of the tag; and all again after a restart.
        let kept: Vec<Revoked> = rig.tracker.revocations().cloned().collect();
        for restart in [false, true] {
            if restart {
                let now = rig.now;
                rig = Rig::new();
                rig.now = now;
                rig.admit(Box::new(ByPrefix));
                let text = serde_json::to_string(&kept).unwrap();
                rig.tracker
                    .restore_revocations(serde_json::from_str::<Vec<Revoked>>(&text).unwrap());
            }
            for (prefix, seed) in [(7, bad), (7, twin), (7, 202), (9, bad)] {
                let (_, heard) = join(&mut rig, prefix, seed);
                attempts += 1;
                admitted += u64::from(refusal_of(&heard) != Some(ErrorCode::NotAdmitted));
            }
            // Somebody who comes now hears of them: their tickets are still good.
            let (_, heard) = join(&mut rig, 10, 203);
            assert_eq!(named(&heard), both);
        }
    }
    conclude(&Outcome {
        threat: "7",
        attack: "a revoked peer comes back, with its key, another one, or after a restart of the tracker",
        attempts,
        successes: admitted,
        figure: "not admitted; its swarm and every newcomer are told",
        target: "0 admitted before the revocation ends",
    });
}

#[test]
fn a_revocation_ends() {
    let mut rig = Rig::new();
    let (_, _) = join(&mut rig, 7, 1);
    revoke(&mut rig, 1, 30);
    let (_, heard) = join(&mut rig, 7, 1);
    assert_eq!(refusal(&heard), ErrorCode::NotAdmitted);
    rig.sleep_ms(31_000);
    let (_, heard) = join(&mut rig, 7, 1);
    assert!(matches!(heard[..], [ServerMessage::Joined(_)]), "{heard:?}");
}

#[test]
fn without_a_tag_only_the_key_is_out() {
    let mut rig = Rig::new();
    join(&mut rig, 7, 1);
    let (neighbour, _) = join(&mut rig, 7, 2);
    revoke(&mut rig, 1, 3_600);
    assert!(
        !rig.closed.contains_key(&neighbour),
        "an address prefix is nobody's"
    );
    let (_, heard) = join(&mut rig, 7, 3);
    assert!(matches!(heard[..], [ServerMessage::Joined(_), ..]), "{heard:?}");
}

#[test]
fn what_is_kept_has_a_bound() {
    let mut rig = Rig::new();
    let until = rig.now.unix_ms / 1_000 + 60;
    for number in 0..10_000_u128 {
        assert!(rig.tracker.revoke(rig.now, Handle(number.to_be_bytes()), until));
    }
    assert!(!revoke(&mut rig, 1, 60));
    rig.sleep_ms(61_000);
    assert!(revoke(&mut rig, 1, 60), "those that have ended make room");
}

fn refusal_of(heard: &[ServerMessage]) -> Option<ErrorCode> {
    match heard {
        [ServerMessage::Error { code, .. }] => Some(*code),
        _ => None,
    }
}
