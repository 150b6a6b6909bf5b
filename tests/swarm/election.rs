//! One viewer fetches for everybody, whoever knows whom; and nobody waits for a promise that is not kept.

use swarmseal::content::{ObjectId, TrackId};
use swarmseal::swarm::{DemandId, Event, Input};
use swarmseal::wire::Message;

use crate::rig::{Behaviour, World};

const SEGMENT: usize = 150_000;

/// Viewers of whom each knows the one before and the one after, all with the first three segments.
fn line(viewers: usize) -> World {
    let mut world = World::new(20, SEGMENT);
    world.in_line();
    for viewer in 0..viewers {
        world.join(Behaviour::Honest);
        for n in 0..3 {
            world.demand(viewer, n, &format!("v/{n}.m4s"));
        }
        world.run(2_500_000);
    }
    for viewer in 0..viewers {
        let ends = usize::from(viewer > 0) + usize::from(viewer + 1 < viewers);
        assert_eq!(
            world.viewers[viewer].engine.stats().peers.len(),
            ends,
            "viewer {viewer}"
        );
    }
    world
}

/// Viewers from `first` on play at the beginning of segment 0 and ask for `segment`.
fn all_ask(world: &mut World, first: usize, segment: u32) {
    for viewer in first..world.viewers.len() {
        world.input(
            viewer,
            Input::Player {
                position_us: 0,
                rate_milli: 1_000,
                buffered_end_us: 6_000_000,
                paused: false,
                seeking: false,
            },
        );
        world.demand(viewer, segment, &format!("v/{segment}.m4s"));
    }
}

fn requests(world: &World, segment: u32) -> u32 {
    world
        .origin
        .requests
        .get(&format!("v/{segment}.m4s"))
        .copied()
        .unwrap_or_default()
}

fn have_it(world: &World, segment: u32) -> usize {
    world
        .viewers
        .iter()
        .filter(|viewer| viewer.delivered.contains_key(&DemandId(segment)))
        .count()
}

#[test]
fn viewers_who_do_not_know_each_other_agree_on_one_fetcher() {
    let mut world = line(7);
    for segment in 6..12 {
        all_ask(&mut world, 0, segment);
        world.run(9_000_000);
        assert_eq!(have_it(&world, segment), 7, "segment {segment}");
        assert_eq!(requests(&world, segment), 1, "segment {segment}");
    }
}

#[test]
fn a_claim_that_is_not_kept_delays_nobody_beyond_the_deadline_and_is_soon_not_believed() {
    let mut world = line(4);
    let mut waits = Vec::new();
    for index in 6..12 {
        let lie = Message::Claim {
            object: ObjectId {
                track: TrackId(1),
                index,
            },
            rank: 0,
        };
        all_ask(&mut world, 1, index);
        let asked = world.now;
        world.say(0, &lie);
        world.run(9_000_000);
        let (came, _) = world.viewers[1].delivered[&DemandId(index)];
        waits.push(came - asked.0);
        // Six seconds of media were ahead of segment 3, which begins where the buffer ends.
        assert!(
            came - asked.0 < 6_000_000,
            "segment {index} after {} us",
            came - asked.0
        );
        assert_eq!(have_it(&world, index), 3, "segment {index}");
    }
    assert!(waits[0] > 1_000_000, "the lie was believed at first: {waits:?}");
    assert!(waits[5] < waits[0] / 2, "and not in the end: {waits:?}");
}

#[test]
fn a_connection_outlives_the_tickets_that_it_began_with() {
    let mut world = line(2);
    // Tickets are valid for ten minutes, a connection ends two minutes after its peer's ticket.
    world.run(30 * 60 * 1_000_000);
    for viewer in &world.viewers {
        assert_eq!(viewer.engine.stats().connections_made, 1);
        let lost = viewer
            .events
            .iter()
            .any(|event| matches!(event, Event::PeerLost { .. }));
        assert!(!lost, "{:?}", viewer.closes);
    }
}

#[test]
fn a_ticket_of_somebody_else_is_an_offence() {
    let mut world = line(3);
    let stolen = world.ticket_of(2);
    world.run(10_000_000);
    world.say(0, &Message::Ticket(stolen));
    world.run(1_000_000);
    let blamed = world.viewers[1]
        .events
        .iter()
        .any(|event| matches!(event, Event::PeerBlamed { code, .. } if code == "foreign_ticket"));
    assert!(blamed);
}
