//! Challenges: what the engine shows to a tracker, and how much of it.

use swarmseal::content::{ObjectId, TrackId, tree};
use swarmseal::signal::{ClientMessage, IntroductionId, NOT_HELD, Pick, ServerMessage, Shown, verify_answer};
use swarmseal::swarm::{Input, Sharing, Timestamp};

use crate::rig::{Behaviour, Said, World};

/// Ten chunks each.
const SEGMENT: usize = 150_000;
const CHALLENGE: IntroductionId = IntroductionId([9; 16]);

fn pick(index: u32, chunk: u32) -> Pick {
    Pick {
        object: ObjectId::new(TrackId(1), index),
        chunk,
    }
}

/// A viewer that holds the first so many segments.
fn holding(segments: u32) -> (World, usize) {
    let mut world = World::new(20, SEGMENT);
    let viewer = world.join(Behaviour::Honest);
    for n in 0..segments {
        world.demand(viewer, n, &format!("v/{n}.m4s"));
    }
    world.run(5_000_000);
    (world, viewer)
}

/// What it says when it is asked for these.
fn ask(world: &mut World, viewer: usize, picks: &[Pick]) -> Vec<Said> {
    let before = world.viewers[viewer].to_tracker.len();
    world.input(
        viewer,
        Input::Tracker(ServerMessage::Challenge {
            challenge: CHALLENGE,
            question: question(picks),
        }),
    );
    world.viewers[viewer].to_tracker.split_off(before)
}

fn question(picks: &[Pick]) -> Vec<u8> {
    picks.iter().flat_map(Pick::encode).collect()
}

fn is_announce(said: &Said) -> bool {
    matches!(said, Said::Message(ClientMessage::Announce(_)))
}

#[test]
fn it_shows_what_it_holds_and_signs_for_it() {
    let (mut world, viewer) = holding(5);
    let picks = [pick(0, 0), pick(4, 9), pick(2, 3)];
    let mut said = ask(&mut world, viewer, &picks);
    let Some(Said::Message(ClientMessage::ChallengeAnswer { challenge, answer })) = said.pop() else {
        panic!("the signature comes last: {said:?}");
    };
    assert_eq!((challenge, said.len()), (CHALLENGE, 3));
    let key = world.key_of(viewer);
    let leaves = verify_answer(&answer, &key, CHALLENGE, &question(&picks)).unwrap();
    for (number, (said, pick)) in said.into_iter().zip(picks).enumerate() {
        let Said::Chunk(message) = said else {
            panic!("{said:?}")
        };
        let (_, chunk) = Shown::split(&message).unwrap();
        assert_eq!(
            chunk,
            world.published.files[&format!("v/{}.m4s", pick.object.index)]
                .chunks(16_384)
                .nth(pick.chunk as usize)
                .unwrap()
        );
        let shown = Shown::read(&message).unwrap();
        assert_eq!((shown.challenge, usize::from(shown.number)), (CHALLENGE, number));
        assert_eq!((shown.leaf, shown.leaf), (tree::leaf(chunk), leaves[number]));
        let info = *world.viewers[viewer]
            .engine
            .catalog()
            .object(pick.object)
            .unwrap();
        assert!(tree::verify_path(
            &shown.leaf,
            pick.chunk as usize,
            info.chunks as usize,
            &shown.path,
            &info.root
        ));
    }
    let stats = world.viewers[viewer].engine.stats();
    assert_eq!(
        (stats.traffic.to_tracker, stats.traffic.to_peers),
        (3 * 16_384, 0)
    );
}

#[test]
fn nobody_else_s_key_and_no_other_question_fits_its_signature() {
    let (mut world, viewer) = holding(1);
    let picks = [pick(0, 1)];
    let said = ask(&mut world, viewer, &picks);
    let Some(Said::Message(ClientMessage::ChallengeAnswer { answer, .. })) = said.last() else {
        panic!("{said:?}");
    };
    let other = world.join(Behaviour::Honest);
    world.run(1_000_000);
    let (key, stranger) = (world.key_of(viewer), world.key_of(other));
    let fits = |key, challenge, picks: &[Pick]| verify_answer(answer, key, challenge, &question(picks));
    assert!(fits(&key, CHALLENGE, &picks).is_some());
    assert_eq!(fits(&stranger, CHALLENGE, &picks), None);
    assert_eq!(fits(&key, IntroductionId([8; 16]), &picks), None);
    assert_eq!(fits(&key, CHALLENGE, &[pick(0, 2)]), None);
    assert_eq!(fits(&key, CHALLENGE, &[pick(0, 1), pick(0, 2)]), None);
}

#[test]
fn what_it_does_not_hold_it_does_not_sign_for() {
    let (mut world, viewer) = holding(2);
    let picks = [pick(0, 0), pick(15, 0), pick(0, 10), pick(500, 0), pick(1, 2)];
    let said = ask(&mut world, viewer, &picks);
    let Some(Said::Message(ClientMessage::ChallengeAnswer { answer, .. })) = said.last() else {
        panic!("{said:?}");
    };
    let key = world.key_of(viewer);
    let leaves = verify_answer(answer, &key, CHALLENGE, &question(&picks)).unwrap();
    let held: Vec<bool> = leaves.iter().map(|leaf| *leaf != NOT_HELD).collect();
    assert_eq!(held, [true, false, false, false, true]);
    assert_eq!(said.len(), 3);
}

#[test]
fn what_is_gone_is_withdrawn_before_that_is_said() {
    let mut world = World::new(20, SEGMENT);
    let viewer = world.join_with(Behaviour::Honest, |mut config| {
        config.store_bytes = 4 * SEGMENT as u64;
        config
    });
    for n in 0..3 {
        world.demand(viewer, n, &format!("v/{n}.m4s"));
    }
    world.run(5_000_000);
    assert!(world.viewers[viewer].to_tracker.iter().any(is_announce));
    // More than the store holds, and asked for at once: no announcement says so yet.
    for n in 3..9 {
        world.demand(viewer, n, &format!("v/{n}.m4s"));
    }
    let gone = |world: &World| {
        let stored = |n| {
            world.viewers[viewer]
                .store
                .contains_key(&(ObjectId::new(TrackId(1), n), 0))
        };
        (0..3).find(|n| !stored(*n))
    };
    let end = Timestamp(world.now.0 + 5_000_000);
    assert!(
        world.run_until(end, |world| gone(world).is_some()),
        "something is evicted"
    );
    let gone = gone(&world).unwrap();
    let said = ask(&mut world, viewer, &[pick(gone, 0)]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(is_announce(&said[0]), "{said:?}");
    let Said::Message(ClientMessage::Announce(announce)) = &said[0] else {
        panic!("{said:?}")
    };
    let ranges = announce.ranges.iter().flat_map(|track| &track.ranges);
    assert!(
        ranges.clone().count() > 0
            && ranges
                .clone()
                .all(|range| !(range.first..range.first + range.count).contains(&gone))
    );
}

#[test]
fn one_that_does_not_share_shows_nothing() {
    for sharing in [Sharing::Receive, Sharing::Off] {
        let (mut world, viewer) = holding(2);
        world.input(
            viewer,
            Input::Policy {
                sharing,
                upload_bps: None,
                upload_bytes: None,
            },
        );
        assert_eq!(ask(&mut world, viewer, &[pick(0, 0)]), []);
    }
}

#[test]
fn a_tracker_cannot_drain_an_uplink() {
    let (mut world, viewer) = holding(5);
    let picks: Vec<Pick> = (0..10).map(|chunk| pick(0, chunk)).collect();
    for _ in 0..1_000 {
        ask(&mut world, viewer, &picks);
    }
    let traffic = world.viewers[viewer].engine.stats().traffic;
    let received = traffic.from_http + traffic.from_peers;
    assert!(traffic.to_tracker > 900_000, "the first are answered");
    assert!(
        traffic.to_tracker <= (1 << 20) + received / 64 + 16 * 16_384,
        "{traffic:?}"
    );
}

#[test]
fn what_is_shown_is_taken_out_of_the_upload_cap() {
    let (mut world, viewer) = holding(10);
    let cap = Input::Policy {
        sharing: Sharing::On,
        upload_bps: Some(800_000),
        upload_bytes: None,
    };
    world.input(viewer, cap);
    let picks: Vec<Pick> = (0..10).map(|chunk| pick(1, chunk)).collect();
    assert_eq!(ask(&mut world, viewer, &picks).len(), 11);
    // 160 KiB at 100 kB/s: nothing goes to a neighbour for a good second.
    let other = world.join(Behaviour::Honest);
    world.run(1_000_000);
    world.demand_later(other, 1, "v/3.m4s", 30_000_000);
    let sent = |world: &World| world.viewers[viewer].engine.stats().traffic.to_peers;
    let shown_at = world.now.0 - 1_000_000;
    let end = Timestamp(world.now.0 + 20_000_000);
    assert!(
        world.run_until(end, |world| sent(world) > 0),
        "it serves in the end"
    );
    assert!(
        world.now.0 - shown_at >= 1_500_000,
        "after {} us",
        world.now.0 - shown_at
    );
}

#[test]
fn nothing_may_be_shown_once_the_visit_s_bytes_are_spent() {
    let (mut world, viewer) = holding(2);
    let spent = Input::Policy {
        sharing: Sharing::On,
        upload_bps: None,
        upload_bytes: Some(10_000),
    };
    world.input(viewer, spent);
    assert_eq!(ask(&mut world, viewer, &[pick(0, 0)]), []);
}
