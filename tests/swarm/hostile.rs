//! Peers and sources that misbehave. Each test first shows that the attack took place.
//!
//! Every chunk that an engine keeps is compared with the published file by the rig itself.

use crate::rig::{Behaviour, World, bytes};
use swarmseal::swarm::{DemandId, Event, Input, PeerId, RefuseCode};

const SEGMENT: usize = 150_000;

fn segment(n: u32) -> Vec<u8> {
    bytes(u64::from(n) + 1, SEGMENT + n as usize % 3)
}

/// A first viewer that behaves like this, holding ten segments, and an honest second, connected to it.
fn pair(behaviour: Behaviour) -> (World, usize, usize) {
    let mut world = World::new(20, SEGMENT);
    let first = world.join(behaviour);
    for n in 0..10 {
        world.demand(first, n, &format!("v/{n}.m4s"));
    }
    world.run(4_000_000);
    let second = world.join(Behaviour::Honest);
    world.run(1_000_000);
    assert_eq!(world.viewers[second].engine.stats().connections_proved, 1);
    let far = Input::Player {
        position_us: 0,
        rate_milli: 1_000,
        buffered_end_us: 0,
        paused: false,
        seeking: false,
    };
    world.input(second, far);
    (world, first, second)
}

fn blamed(world: &World, viewer: usize) -> Vec<String> {
    let codes = world.viewers[viewer]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::PeerBlamed { code, .. } => Some(code.clone()),
            _ => None,
        });
    codes.collect()
}

#[test]
fn a_corrupting_peer_is_cut_at_its_first_bad_chunk() {
    let (mut world, first, second) = pair(Behaviour::Corrupts);
    for n in 0..10 {
        world.demand(second, n, &format!("v/{n}.m4s"));
    }
    world.run(10_000_000);
    assert!(world.viewers[first].sent_corrupt > 0, "the attack took place");
    for n in 0..10 {
        assert_eq!(world.viewers[second].delivered[&DemandId(n)].1, segment(n));
    }
    assert_eq!(blamed(&world, second), ["corrupt_chunk"]);
    let stats = world.viewers[second].engine.stats();
    assert!(
        stats.traffic.rejected > 0 && stats.traffic.rejected <= 65_536,
        "{}",
        stats.traffic.rejected
    );
    assert!(stats.peers.is_empty(), "and it is not dialled again");
    assert_eq!(stats.connections_made, 1);
}

#[test]
fn a_silent_peer_costs_no_play_time() {
    let (mut world, _, second) = pair(Behaviour::Silent);
    // Twelve seconds are buffered; the next segments are needed from then on.
    world.input(
        second,
        Input::Player {
            position_us: 0,
            rate_milli: 1_000,
            buffered_end_us: 12_000_000,
            paused: false,
            seeking: false,
        },
    );
    let started = world.now;
    for n in 6..9 {
        world.demand(second, n, &format!("v/{n}.m4s"));
    }
    world.run(20_000_000);
    for n in 6..9_u32 {
        let (at, body) = &world.viewers[second].delivered[&DemandId(n)];
        assert_eq!(*body, segment(n));
        let needed = started.0 + u64::from(n) * 2_000_000;
        assert!(*at < needed, "segment {n} came {} µs late", at - needed);
    }
    assert_eq!(
        blamed(&world, second),
        Vec::<String>::new(),
        "silence is suspicious, not proof"
    );
}

#[test]
fn an_altered_origin_is_named_and_its_bytes_go_nowhere() {
    let mut world = World::new(20, SEGMENT);
    world.origin.altered = Some(("v/3.m4s".into(), 77_777));
    let viewer = world.join(Behaviour::Honest);
    world.demand(viewer, 1, "v/3.m4s");
    world.demand(viewer, 2, "v/4.m4s");
    world.run(5_000_000);
    assert!(
        world.origin.requests["v/3.m4s"] >= 2,
        "asked again past the cache"
    );
    assert_eq!(
        world.viewers[viewer].refused.get(&DemandId(1)),
        Some(&RefuseCode::Corrupt)
    );
    assert_eq!(world.viewers[viewer].delivered[&DemandId(2)].1, segment(4));
    let named = world.viewers[viewer].events.iter().any(
        |event| matches!(event, Event::SourceBlamed { path, track: 1, index: 3, .. } if path == "v/3.m4s"),
    );
    assert!(named);
}

#[test]
fn what_the_origin_altered_comes_from_a_peer() {
    let (mut world, _, second) = pair(Behaviour::Honest);
    world.origin.altered = Some(("v/5.m4s".into(), 1_000));
    world.demand(second, 5, "v/5.m4s");
    world.run(5_000_000);
    assert_eq!(world.viewers[second].delivered[&DemandId(5)].1, segment(5));
}

#[test]
fn altered_rows_are_refused_and_named() {
    let mut world = World::new(20, SEGMENT);
    world.origin.altered = Some(("seal/1.rows".into(), 40));
    let viewer = world.join(Behaviour::Honest);
    world.demand(viewer, 1, "v/0.m4s");
    world.run(5_000_000);
    assert_eq!(
        world.viewers[viewer].delivered[&DemandId(1)].1,
        segment(0),
        "a whole body needs no row"
    );
    let named = world.viewers[viewer]
        .events
        .iter()
        .any(|event| matches!(event, Event::SourceBlamed { path, .. } if path == "seal/1.rows"));
    assert!(named, "{:?}", world.viewers[viewer].events);
}

#[test]
fn junk_on_either_channel_is_a_reason_to_close() {
    let junk: [(&[u8], bool); 6] = [
        (&[], false),
        (&[0xff, 1, 2], false),
        (&[0x08, 0, 0], false),
        (&[0x0b; 40], true),
        (&[0x00; 48], true),
        (&[0x07; 9], false),
    ];
    for (bytes, data) in junk {
        let (mut world, _, second) = pair(Behaviour::Honest);
        let peer = PeerId(world.viewers[second].engine.stats().peers[0].peer);
        if data {
            let payload: &[u8] = &[1; 16_384];
            world.input(
                second,
                Input::Data {
                    peer,
                    head: bytes,
                    payload: &payload,
                },
            );
        } else {
            world.input(second, Input::Message { peer, bytes });
        }
        assert_eq!(blamed(&world, second).len(), 1, "{bytes:?}");
        assert!(world.viewers[second].engine.stats().peers.is_empty());
    }
}
