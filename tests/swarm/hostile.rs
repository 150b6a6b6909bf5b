//! Peers and sources that misbehave. Each test first shows that the attack took place.
//!
//! Every chunk that an engine keeps is compared with the published file by the rig itself.

use crate::rig::{Behaviour, World, bytes};
use swarmseal::content::{ObjectId, TrackId};
use swarmseal::swarm::{DemandId, Event, Input, PeerId, RefuseCode, Sharing};
use swarmseal::wire::{self, Message, Urgency};

const SEGMENT: usize = 150_000;
const OBJECT: ObjectId = ObjectId {
    track: TrackId(1),
    index: 1,
};

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

#[test]
fn a_peer_that_refuses_everything_is_not_asked_in_a_loop() {
    let (mut world, first, second) = pair(Behaviour::Refuses);
    for n in 0..3 {
        world.demand(second, n, &format!("v/{n}.m4s"));
    }
    world.run(10_000_000);
    assert!(world.viewers[first].refusals > 0, "the attack took place");
    assert!(
        world.viewers[first].refusals < 60,
        "{} refusals in ten seconds",
        world.viewers[first].refusals
    );
    for n in 0..3 {
        assert_eq!(world.viewers[second].delivered[&DemandId(n)].1, segment(n));
    }
}

#[test]
fn a_peer_that_says_for_ever_that_it_is_busy_is_not_waited_for() {
    let (mut world, first, second) = pair(Behaviour::Refuses);
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
    let asked_at = world.now;
    world.demand(second, 6, "v/6.m4s");
    let has_it = |world: &World| world.viewers[second].delivered.contains_key(&DemandId(6));
    // Long before the player has to have it, or it would have nothing in hand any more.
    assert!(world.run_until(asked_at + 5_000_000, has_it), "it is waited for");
    assert!(world.viewers[first].refusals > 0, "the attack took place");
}

#[test]
fn a_peer_that_drips_does_not_hold_off_http_past_the_deadline() {
    let mut world = World::new(20, 1_500_000);
    let first = world.join(Behaviour::Drips);
    for n in 0..8 {
        world.demand(first, n, &format!("v/{n}.m4s"));
    }
    world.run(20_000_000);
    let second = world.join(Behaviour::Honest);
    world.run(1_000_000);
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
    world.demand(second, 6, "v/6.m4s");
    world.run(20_000_000);
    let from_peers = world.viewers[second].engine.stats().media.from_peers;
    assert!(
        from_peers > 0 && from_peers < 1_500_000,
        "it dripped: {from_peers}"
    );
    let (at, _) = world.viewers[second].delivered[&DemandId(6)];
    assert!(
        at < started.0 + 12_000_000,
        "{} µs late",
        at - started.0 - 12_000_000
    );
}

#[test]
fn what_a_peer_brings_too_slowly_is_in_time_even_if_http_takes_longer_than_it_did() {
    let mut world = World::new(20, 500_000);
    let first = world.join(Behaviour::Honest);
    for n in 0..8 {
        world.demand(first, n, &format!("v/{n}.m4s"));
    }
    world.run(10_000_000);
    let second = world.join(Behaviour::Honest);
    world.run(1_000_000);
    for n in 0..7 {
        world.demand(second, n, &format!("v/{n}.m4s"));
        world.run(4_000_000);
    }
    world.link_bytes_per_s = 80_000;
    world.demand(first, 8, "v/8.m4s");
    world.run(400_000);
    let from_peers = |world: &World| world.viewers[second].engine.stats().media.from_peers;
    let before = from_peers(&world);
    let due = world.now + 4_000_000;
    world.demand_later(second, 8, "v/8.m4s", 4_000_000);
    world.origin.latency_us += 400_000;
    world.run(10_000_000);
    assert!(from_peers(&world) > before, "it brought some");
    assert_eq!(
        world.origin.requests["v/8.m4s"], 3,
        "of the rest, two parts come over HTTP"
    );
    let (at, _) = world.viewers[second].delivered[&DemandId(8)];
    assert!(at <= due.0, "{} µs late", at - due.0);
}

#[test]
fn data_that_comes_too_late_is_no_offence_and_data_never_asked_for_is() {
    for (asked, blamed_for) in [(true, None), (false, Some("unsolicited_data"))] {
        let (mut world, _, second) = pair(Behaviour::Silent);
        world.demand(second, 1, "v/1.m4s");
        world.run(25_000_000);
        let root = world.viewers[second]
            .engine
            .catalog()
            .object(OBJECT)
            .unwrap()
            .root;
        let peer = PeerId(world.viewers[second].engine.stats().peers[0].peer);
        let id = if asked { 1 } else { 1_000_000 };
        let head = wire::encode(&Message::Data {
            id,
            object: OBJECT,
            root,
            first: 0,
            count: 1,
        });
        world.input(
            second,
            Input::Data {
                peer,
                head: &head,
                payload: &[0_u8; 16_384].as_slice(),
            },
        );
        assert_eq!(blamed(&world, second).first().map(String::as_str), blamed_for);
    }
}

#[test]
fn an_origin_that_stalls_in_mid_body_is_given_up_in_time() {
    let mut world = World::new(20, 600_000);
    world.origin.stalls = Some(("v/2.m4s".into(), 3));
    let viewer = world.join(Behaviour::Honest);
    world.demand(viewer, 2, "v/2.m4s");
    world.run(12_000_000);
    assert!(world.origin.stalls.is_none(), "it stalled");
    assert!(world.viewers[viewer].delivered.contains_key(&DemandId(2)));
    assert_eq!(world.origin.requests["v/2.m4s"], 2);
}

#[test]
fn rows_are_no_way_round_the_upload_policy() {
    let (mut world, first, _) = pair(Behaviour::Honest);
    world.input(
        first,
        Input::Policy {
            sharing: Sharing::Receive,
            upload_bps: None,
            upload_bytes: None,
        },
    );
    let sent_before = world.viewers[first].rows_sent;
    let peer = PeerId(world.viewers[first].engine.stats().peers[0].peer);
    let root = world.viewers[first].engine.catalog().object(OBJECT).unwrap().root;
    let ask = wire::encode(&Message::WantRows { object: OBJECT, root });
    world.input(first, Input::Message { peer, bytes: &ask });
    assert_eq!(world.viewers[first].rows_sent, sent_before);
    world.input(
        first,
        Input::Policy {
            sharing: Sharing::On,
            upload_bps: None,
            upload_bytes: None,
        },
    );
    world.input(first, Input::Message { peer, bytes: &ask });
    assert_eq!(
        world.viewers[first].rows_sent,
        sent_before + 1,
        "the question is a good one"
    );
}

#[test]
fn the_byte_budget_holds_over_changes_of_policy() {
    let (mut world, first, second) = pair(Behaviour::Honest);
    let budget = 200_000;
    for n in 0..10 {
        let policy = Input::Policy {
            sharing: Sharing::On,
            upload_bps: None,
            upload_bytes: Some(budget),
        };
        world.input(first, policy);
        world.demand(second, n, &format!("v/{n}.m4s"));
        world.run(2_000_000);
    }
    let sent = world.viewers[first].engine.stats().traffic.to_peers;
    assert!(sent > 0 && sent <= budget, "{sent} of {budget}");
    for n in 0..10 {
        assert_eq!(
            world.viewers[second].delivered[&DemandId(n)].1,
            segment(n),
            "and nobody waits for it"
        );
    }
}

#[test]
fn a_peer_that_floods_with_small_messages_is_cut_off() {
    let (mut world, first, second) = pair(Behaviour::Honest);
    let peer = PeerId(world.viewers[second].engine.stats().peers[0].peer);
    let unchoke = wire::encode(&Message::Unchoke);
    let mut taken = 0;
    while world.viewers[second].closes.is_empty() && taken < 100_000 {
        world.input(
            second,
            Input::Message {
                peer,
                bytes: &unchoke,
            },
        );
        taken += 1;
    }
    assert!(
        taken > 5_000,
        "what a sleeping page has piled up is taken: {taken}"
    );
    assert!(taken < 10_000, "{taken}");
    assert_eq!(world.viewers[second].closes, [(peer, "surplus")]);
    assert!(blamed(&world, second).is_empty(), "it may have been honest");
    // Not at once, but in the end they meet again.
    world.run(40_000_000);
    assert!(!world.viewers[first].engine.stats().peers.is_empty());
}

#[test]
fn a_request_that_becomes_more_urgent_is_answered_once_and_not_refused() {
    let (mut world, first, _) = pair(Behaviour::Honest);
    let object = ObjectId {
        track: TrackId(1),
        index: 1,
    };
    let root = world.viewers[first].engine.catalog().object(object).unwrap().root;
    let peer = PeerId(world.viewers[first].engine.stats().peers[0].peer);
    let ask = |id, urgency| {
        wire::encode(&Message::Request {
            id,
            object,
            root,
            first: 0,
            count: 1,
            nonce: [0; 16],
            urgency,
        })
    };
    // More than the channel takes at once: the rest waits in the queue, which is full then.
    let start = 1_000_000;
    let before = world.viewers[first].engine.stats().media.to_peers;
    let mut queued = 0;
    for id in start..start + 200 {
        world.input(
            first,
            Input::Message {
                peer,
                bytes: &ask(id, Urgency::Prefetch),
            },
        );
        queued = id;
    }
    let refused = world.viewers[first].rejects_sent;
    assert!(refused > 0, "the queue is full");
    for id in start..=queued {
        world.input(
            first,
            Input::Message {
                peer,
                bytes: &ask(id, Urgency::Urgent),
            },
        );
    }
    assert_eq!(
        world.viewers[first].rejects_sent, refused,
        "asked to hurry, it refuses nothing"
    );
    let sent = (world.viewers[first].engine.stats().media.to_peers - before) / 16_384;
    assert!(sent <= 200 - refused, "{sent} chunks sent, {refused} refused");
}
