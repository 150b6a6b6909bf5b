//! Who is listed, and who hears of a new source.

use std::collections::BTreeSet;

use swarmseal::content::SwarmId;
use swarmseal::signal::{Announce, ClientMessage, ErrorCode, Join, ServerMessage};

use super::rig::{Rig, SWARM, handle, joined, keys, refusal, secret};
use crate::{CloseReason, Input, Profile, Ranking, Tracker, TrackerConfig, TrackerKeys};

#[test]
fn only_peers_that_announced_something_are_listed() {
    let mut rig = Rig::new();
    let source = rig.source(1);
    let (_, _) = rig.join(2);
    let (receiver, seen) = rig.join(3);
    assert_eq!(seen.peers, [handle(1)]);
    assert_eq!(rig.list(receiver, 30), [handle(1)]);
    assert_eq!(rig.list(source, 30), [], "nobody is listed to itself");
}

#[test]
fn joining_with_an_announcement_lists_at_once() {
    let mut rig = Rig::new();
    let conn = rig.connect(1);
    let announce = rig.announcement(conn, 1, 1, 5);
    let join = Join::sign(&keys(1), &secret(), SWARM, &rig.nonces[&conn], Some(announce));
    joined(&rig.say(conn, ClientMessage::Join(join)));
    assert_eq!(rig.join(2).1.peers, [handle(1)]);
}

#[test]
fn an_announcement_ends_unless_it_is_renewed() {
    let mut rig = Rig::new();
    let source = rig.source(1);
    let (other, _) = rig.join(2);
    let keep_alive = |rig: &mut Rig, ms| {
        for _ in 0..ms / 20_000 {
            rig.sleep_ms(20_000);
            rig.input(Input::Alive { conn: source });
            rig.input(Input::Alive { conn: other });
        }
    };
    keep_alive(&mut rig, 100_000);
    rig.announce(source, 1, 2);
    keep_alive(&mut rig, 100_000);
    assert_eq!(rig.list(other, 30), [handle(1)]);
    keep_alive(&mut rig, 40_000);
    assert_eq!(rig.list(other, 30), []);
}

#[test]
fn announcing_nothing_takes_a_source_off_the_lists() {
    let mut rig = Rig::new();
    let source = rig.source(1);
    let (other, _) = rig.join(2);
    let nothing = rig.announcement(source, 1, 2, 0);
    rig.say(source, ClientMessage::Announce(nothing));
    assert_eq!(rig.list(other, 30), []);
}

#[test]
fn an_announcement_is_signed_for_this_connection_and_swarm_and_counts_up() {
    let mut rig = Rig::new();
    let (conn, _) = rig.join(1);
    rig.announce(conn, 1, 5);
    let replayed = rig.announcement(conn, 1, 5, 10);
    assert_eq!(
        refusal(&rig.say(conn, ClientMessage::Announce(replayed))),
        ErrorCode::NotSolicited
    );
    let nonce = rig.nonces[&conn];
    let mine = rig.announcement(conn, 1, 6, 10);
    for forged in [
        rig.announcement(conn, 2, 6, 10),
        Announce::sign(&keys(1), SwarmId([1; 32]), &nonce, mine.ranges.clone(), 120, 6),
        Announce::sign(&keys(1), SWARM, &[0; 32], mine.ranges.clone(), 120, 6),
        Announce {
            expires_s: 600,
            ..mine.clone()
        },
    ] {
        let (conn, _) = rig.join(1);
        rig.nonces.insert(conn, nonce);
        assert_eq!(
            refusal(&rig.say(conn, ClientMessage::Announce(forged))),
            ErrorCode::BadSignature
        );
        assert_eq!(rig.closed[&conn], CloseReason::BadSignature);
    }
}

#[test]
fn lists_are_short_and_differ() {
    let mut rig = Rig::new();
    for seed in 1..=100 {
        rig.source(seed);
    }
    let (conn, first) = rig.join(200);
    assert_eq!(first.peers.len(), 30);
    assert_eq!(
        first.peers.iter().collect::<BTreeSet<_>>().len(),
        30,
        "no handle twice"
    );
    assert_eq!(rig.list(conn, 7).len(), 7);
    let mut seen = BTreeSet::new();
    for _ in 0..15 {
        seen.extend(rig.list(conn, 30));
    }
    assert!(
        seen.len() > 90,
        "only {} of 100 sources were ever listed",
        seen.len()
    );
}

#[test]
fn half_of_a_list_is_random_whatever_the_ranking() {
    /// Wants everybody to see the same few.
    struct Favourites(BTreeSet<swarmseal::identity::Handle>);
    impl Ranking for Favourites {
        fn score(&self, _: &Profile<'_>, source: &Profile<'_>) -> u64 {
            u64::from(self.0.contains(&source.handle))
        }
    }
    let mut rig = Rig::new();
    let favourites: BTreeSet<_> = (1..=30).map(handle).collect();
    rig.tracker = Tracker::new(
        TrackerConfig::default(),
        TrackerKeys::new(super::rig::tracker_key()),
        [3; 32],
    )
    .with_ranking(Box::new(Favourites(favourites.clone())));
    rig.tracker.set_contents(
        rig.now,
        [crate::Content {
            swarm: SWARM,
            secret: secret(),
            roots: Vec::new(),
            is_followed: false,
        }],
    );
    for seed in 1..=60 {
        rig.source(seed);
    }
    let (_, joined) = rig.join(200);
    let others = joined
        .peers
        .iter()
        .filter(|peer| !favourites.contains(peer))
        .count();
    assert!((3..=12).contains(&others), "{others} of 30 are no favourites");
}

#[test]
fn peers_that_are_introduced_already_come_last() {
    let mut rig = Rig::new();
    for seed in 1..=10 {
        rig.source(seed);
    }
    let (conn, _) = rig.join(20);
    for seed in 1..=5 {
        rig.introduce(conn, seed);
    }
    let fresh: BTreeSet<_> = (6..=10).map(handle).collect();
    assert_eq!(rig.list(conn, 5).into_iter().collect::<BTreeSet<_>>(), fresh);
    assert_eq!(rig.list(conn, 30).len(), 10);
}

#[test]
fn two_that_joined_together_hear_of_each_other_at_once() {
    let mut rig = Rig::new();
    let (first, seen) = rig.join(1);
    assert_eq!(seen.peers, []);
    let (second, seen) = rig.join(2);
    assert_eq!(seen.peers, []);
    rig.announce(first, 1, 1);
    assert_eq!(
        rig.heard(second),
        [ServerMessage::Peers {
            peers: vec![handle(1)]
        }]
    );
    assert_eq!(rig.heard(first), [], "nobody is told of itself");
    rig.announce(second, 2, 1);
    assert_eq!(
        rig.heard(first),
        [ServerMessage::Peers {
            peers: vec![handle(2)]
        }]
    );
    rig.announce(second, 2, 2);
    rig.sleep_ms(2_000);
    assert_eq!(
        rig.heard(first),
        [],
        "an announcement of the same source is no news"
    );
}

#[test]
fn news_is_gathered_and_bounded() {
    let mut rig = Rig::new();
    let (waiting, _) = rig.join(250);
    for seed in 1..=100 {
        rig.source(seed);
    }
    assert_eq!(rig.heard(waiting).len(), 1, "the first at once, the rest later");
    rig.sleep_ms(600);
    let heard = rig.heard(waiting);
    let [ServerMessage::Peers { peers }] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(peers.len(), 30);
}

#[test]
fn news_reaches_a_bounded_number_of_peers() {
    let mut rig = Rig::new();
    let waiting: Vec<_> = (1..=200).map(|seed| rig.join(seed).0).collect();
    rig.source(250);
    let told = waiting
        .iter()
        .filter(|conn| !rig.inbox.get(conn).is_none_or(Vec::is_empty))
        .count();
    assert_eq!(told, 30);
}

#[test]
fn peers_with_enough_introductions_are_left_alone() {
    let mut rig = Rig::new();
    for seed in 1..=8 {
        rig.source(seed);
    }
    let (busy, _) = rig.join(20);
    for seed in 1..=8 {
        rig.introduce(busy, seed);
    }
    rig.source(9);
    rig.sleep_ms(2_000);
    assert_eq!(
        rig.heard(busy)
            .iter()
            .filter(|message| matches!(message, ServerMessage::Peers { .. }))
            .count(),
        0
    );
}
