//! TR 33.844 §4.4: who has done wrong is taken out of the network. What a peer makes of the tracker's word about others,
//! and of the word of somebody who is not the tracker.

use std::sync::Arc;

use swarmseal::content::{SecretKey, SwarmId};
use swarmseal::identity::{Handle, Revocation};
use swarmseal::signal::{IntroductionId, SdpType, ServerMessage};

use crate::arena::{Arena, honest};
use crate::dice::Dice;
use crate::party::{Desk, Wish};
use crate::published::{NOW_S, Published};
use crate::report::{Outcome, conclude, runs};

const RUNS: u64 = 100;
const UNTIL: u64 = NOW_S + 3_600;

#[test]
fn whoever_is_revoked_is_cut_off_at_once_and_stays_out() {
    let published = Arc::new(Published::title(4, 60_000, Desk::new().key.public()));
    let (mut lingered, mut came_back, mut others_lost) = (0, 0, 0);
    for run in 0..runs(RUNS) {
        let mut arena = Arena::new(&published, run);
        let (revoked, handle) = guest(&mut arena);
        let (other, _) = guest(&mut arena);
        arena.run(100_000);
        assert!(arena.closed.is_empty(), "both are connected");
        let swarm = published.manifest.swarm_id();
        let statement = issue(&arena.desk.key, swarm, handle, UNTIL);
        // In the same drain: no time passes.
        arena.hear(ServerMessage::Revocation { statement });
        arena.run(0);
        let is_closed = |arena: &Arena, peer| arena.closed.iter().any(|(closed, _)| *closed == peer);
        lingered += u64::from(!is_closed(&arena, revoked));
        others_lost += u64::from(is_closed(&arena, other));
        came_back += u64::from(is_dialled(&mut arena, handle));
    }
    assert_eq!(others_lost, 0);
    conclude(&Outcome {
        threat: "7",
        attack: "a revoked peer stays connected, or is introduced again",
        attempts: runs(RUNS),
        successes: lingered + came_back,
        figure: "closed in the same drain, not dialled again",
        target: "closed within 2 s",
    });
}

#[test]
fn nobody_else_can_revoke() {
    let published = Arc::new(Published::title(4, 60_000, Desk::new().key.public()));
    let (mut attempts, mut cut_off) = (0, 0);
    for run in 0..runs(RUNS) {
        let mut arena = Arena::new(&published, run);
        let (peer, handle) = guest(&mut arena);
        arena.run(100_000);
        let swarm = published.manifest.swarm_id();
        for statement in forgeries(&arena.desk.key, swarm, handle, &mut Dice::new(run)) {
            arena.hear(ServerMessage::Revocation { statement });
            arena.run(0);
            attempts += 1;
        }
        arena.run(1_000_000);
        cut_off += u64::from(arena.closed.iter().any(|(closed, _)| *closed == peer));
    }
    conclude(&Outcome {
        threat: "7",
        attack: "forged, altered, foreign and old revocations of an honest peer",
        attempts,
        successes: cut_off,
        figure: "the peer stays connected",
        target: "0 honest peers removed",
    });
}

fn guest(arena: &mut Arena) -> (swarmseal::swarm::PeerId, Handle) {
    let shelf = Arc::clone(&arena.published);
    arena.invite(Box::new(move |message, _| honest(&shelf, message)))
}

fn is_dialled(arena: &mut Arena, peer: Handle) -> bool {
    let wishes = arena.party.tracker(ServerMessage::Introduction {
        introduction: IntroductionId(arena.dice.array()),
        peer,
        role: SdpType::Offer,
    });
    wishes.iter().any(|wish| matches!(wish, Wish::Dial { .. }))
}

fn issue(key: &SecretKey, swarm: SwarmId, handle: Handle, until: u64) -> Vec<u8> {
    let handles = vec![handle];
    Revocation {
        swarm,
        until,
        handles,
    }
    .issue(key)
}

fn forgeries(tracker: &SecretKey, swarm: SwarmId, handle: Handle, dice: &mut Dice) -> Vec<Vec<u8>> {
    let stranger = SecretKey::from_seed(&dice.array());
    let good = issue(tracker, swarm, handle, UNTIL);
    // Of another peer, with this one's handle written over it.
    let theirs = issue(tracker, swarm, Handle([7; 16]), UNTIL);
    let at = theirs.windows(16).position(|bytes| bytes == [7; 16]).unwrap();
    let mut altered = theirs;
    altered[at..at + 16].copy_from_slice(&handle.0);
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    vec![
        issue(&stranger, swarm, handle, UNTIL),
        issue(tracker, SwarmId([1; 32]), handle, UNTIL),
        issue(tracker, swarm, handle, NOW_S - 60),
        // The same words, signed for another purpose.
        [&tracker.sign(&good[64..])[..], &good[64..]].concat(),
        altered,
        flipped,
        good[..good.len() - 1].to_vec(),
        Vec::new(),
    ]
}
