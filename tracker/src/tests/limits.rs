//! How much one connection, one peer and one neighbourhood may do.

use swarmseal::signal::{ClientMessage, EndReason, ErrorCode, Join, ServerMessage};

use super::rig::{Rig, end, handle, joined, refusal};
use crate::{CloseReason, ConnId, Input, Rate, TrackerConfig};

fn config(change: impl FnOnce(&mut TrackerConfig)) -> TrackerConfig {
    let mut config = TrackerConfig::default();
    change(&mut config);
    config
}

fn ask(rig: &mut Rig, conn: ConnId, peer: u8) -> Option<ErrorCode> {
    let heard = rig.say(conn, ClientMessage::Introduce { peer: handle(peer) });
    match heard.as_slice() {
        [ServerMessage::Introduction { .. }] => None,
        other => Some(refusal(other)),
    }
}

#[test]
fn thirty_introductions_at_first() {
    let mut rig = Rig::new();
    for seed in 1..=40 {
        rig.source(seed);
    }
    let (conn, _) = rig.join(200);
    for seed in 1..=30 {
        assert_eq!(ask(&mut rig, conn, seed), None, "{seed}");
    }
    assert_eq!(ask(&mut rig, conn, 31), Some(ErrorCode::ExposureLimit));
    assert_eq!(
        rig.closed.get(&conn),
        None,
        "asking too often is not held against a peer"
    );
}

#[test]
fn then_three_a_minute_to_replace_peers_that_were_lost() {
    let mut rig = Rig::new();
    let mut sources = Vec::new();
    for seed in 1..=40 {
        sources.push(rig.source(seed));
    }
    let (conn, _) = rig.join(200);
    for seed in 1..=30 {
        ask(&mut rig, conn, seed);
    }
    for conn in sources.drain(..10) {
        rig.input(Input::Closed { conn });
    }
    for seed in 31..=33 {
        assert_eq!(ask(&mut rig, conn, seed), None, "{seed}");
    }
    assert_eq!(ask(&mut rig, conn, 34), Some(ErrorCode::ExposureLimit));
    rig.sleep_ms(20_000);
    assert_eq!(ask(&mut rig, conn, 34), None);
    assert_eq!(ask(&mut rig, conn, 35), Some(ErrorCode::ExposureLimit));
}

#[test]
fn a_budget_is_not_refilled_by_coming_back() {
    let mut rig = Rig::new();
    for seed in 1..=40 {
        rig.source(seed);
    }
    let (conn, _) = rig.join(200);
    for seed in 1..=30 {
        ask(&mut rig, conn, seed);
    }
    rig.input(Input::Closed { conn });
    let (conn, _) = rig.join(200);
    for seed in 31..=33 {
        assert_eq!(ask(&mut rig, conn, seed), None);
    }
    assert_eq!(ask(&mut rig, conn, 34), Some(ErrorCode::ExposureLimit));
    // Nor by taking one's own place.
    let (conn, _) = rig.join(200);
    assert_eq!(ask(&mut rig, conn, 34), Some(ErrorCode::ExposureLimit));
}

#[test]
fn being_asked_for_costs_nothing() {
    let mut rig = Rig::new();
    let popular = rig.source(200);
    for seed in 1..=40 {
        let (conn, _) = rig.join(seed);
        assert_eq!(ask(&mut rig, conn, 200), None);
        rig.input(Input::Closed { conn });
    }
    rig.source(100);
    assert_eq!(ask(&mut rig, popular, 100), None);
}

#[test]
fn introductions_of_one_member_are_bounded() {
    let mut rig = Rig::new();
    rig.source(200);
    for seed in 1..=64 {
        let (conn, _) = rig.join(seed);
        assert_eq!(ask(&mut rig, conn, 200), None, "{seed}");
    }
    let (conn, _) = rig.join(65);
    assert_eq!(ask(&mut rig, conn, 200), Some(ErrorCode::ExposureLimit));
}

#[test]
fn introductions_from_one_prefix_are_bounded() {
    let rate = Rate {
        burst: 5,
        per_minute: 1,
    };
    let mut rig = Rig::with(config(|config| config.introductions_per_prefix = rate));
    for seed in 1..=10 {
        rig.source(seed);
    }
    let conns = [201, 202].map(|seed| {
        let conn = rig.connect(999);
        let join = rig.join_message(conn, seed);
        joined(&rig.say(conn, ClientMessage::Join(join)));
        conn
    });
    for seed in 1..=5 {
        assert_eq!(ask(&mut rig, conns[usize::from(seed % 2)], seed), None);
    }
    assert_eq!(ask(&mut rig, conns[0], 7), Some(ErrorCode::RateLimited));
}

#[test]
fn messages_of_one_connection_are_bounded_and_floods_end_it() {
    let rate = Rate {
        burst: 5,
        per_minute: 60,
    };
    let mut rig = Rig::with(config(|config| config.messages = rate));
    let (conn, _) = rig.join(1);
    for _ in 0..4 {
        rig.list(conn, 1);
    }
    let heard = rig.say(conn, ClientMessage::List { want: 1 });
    assert!(
        matches!(
            heard[..],
            [ServerMessage::Error {
                code: ErrorCode::RateLimited,
                retry_after_s: Some(1),
                ..
            }]
        ),
        "{heard:?}"
    );
    rig.sleep_ms(1_000);
    rig.list(conn, 1);
    for _ in 0..30 {
        rig.input(Input::Message {
            conn,
            message: ClientMessage::List { want: 1 },
        });
    }
    assert_eq!(rig.closed[&conn], CloseReason::Misbehaviour);
}

#[test]
fn malformed_messages_are_forgiven_a_few_times() {
    let mut rig = Rig::new();
    let (conn, _) = rig.join(1);
    for _ in 0..20 {
        rig.inbox.clear();
        rig.input(Input::Malformed { conn });
        assert_eq!(refusal(&rig.heard(conn)), ErrorCode::Malformed);
        assert_eq!(rig.closed.get(&conn), None);
    }
    rig.input(Input::Malformed { conn });
    assert_eq!(rig.closed[&conn], CloseReason::Misbehaviour);
    rig.input(Input::Malformed { conn });
}

#[test]
fn joins_from_one_prefix_are_bounded() {
    let rate = Rate {
        burst: 3,
        per_minute: 6,
    };
    let mut rig = Rig::with(config(|config| config.joins_per_prefix = rate));
    let mut conns: Vec<_> = (0..5).map(|_| rig.connect(1)).collect();
    for conn in conns.drain(..3) {
        let forged = Join {
            proof: [0; 32],
            ..rig.join_message(conn, 1)
        };
        assert_eq!(
            refusal(&rig.say(conn, ClientMessage::Join(forged))),
            ErrorCode::NotAdmitted
        );
    }
    let join = rig.join_message(conns[0], 1);
    let heard = rig.say(conns[0], ClientMessage::Join(join.clone()));
    assert!(matches!(
        heard[..],
        [ServerMessage::Error {
            code: ErrorCode::RateLimited,
            retry_after_s: Some(10),
            ..
        }]
    ));
    let elsewhere = rig.connect(2);
    let other = rig.join_message(elsewhere, 2);
    joined(&rig.say(elsewhere, ClientMessage::Join(other)));
    rig.sleep_ms(9_000);
    let waited = rig.connect(1);
    rig.sleep_ms(1_000);
    let join = rig.join_message(waited, 1);
    joined(&rig.say(waited, ClientMessage::Join(join)));
}

#[test]
fn connections_are_bounded_in_all_and_per_prefix() {
    let mut rig = Rig::with(config(|config| {
        config.max_connections = 4;
        config.max_connections_per_prefix = 2;
    }));
    let first = rig.connect(1);
    rig.connect(1);
    let third = rig.connect(1);
    assert_eq!(refusal(&rig.heard(third)), ErrorCode::Overloaded);
    assert_eq!(rig.closed[&third], CloseReason::Overloaded);
    rig.connect(2);
    rig.connect(3);
    let fifth = rig.connect(4);
    assert_eq!(rig.closed[&fifth], CloseReason::Overloaded);
    rig.input(Input::Closed { conn: first });
    let again = rig.connect(1);
    assert_eq!(rig.closed.get(&again), None);
    // The end of a refused connection frees nothing that it did not have.
    rig.input(Input::Closed { conn: third });
    let sixth = rig.connect(1);
    assert_eq!(rig.closed[&sixth], CloseReason::Overloaded);
}

#[test]
fn a_swarm_has_a_largest_size() {
    let mut rig = Rig::with(config(|config| config.max_swarm_members = 2));
    rig.join(1);
    rig.join(2);
    let conn = rig.connect(3);
    let join = rig.join_message(conn, 3);
    assert_eq!(
        refusal(&rig.say(conn, ClientMessage::Join(join))),
        ErrorCode::Overloaded
    );
    let (again, _) = rig.join(2);
    assert_eq!(
        rig.closed.get(&again),
        None,
        "whoever is in may take its own place"
    );
}

#[test]
fn what_is_over_is_forgotten() {
    let mut rig = Rig::new();
    let (conn, _) = rig.join(1);
    let other = rig.source(2);
    let (id, _) = rig.introduce(conn, 2);
    rig.say(conn, end(id, EndReason::Failed));
    for conn in [conn, other] {
        rig.input(Input::Closed { conn });
    }
    assert_eq!(rig.tracker.introduction_count(), 0);
    assert_eq!(
        (rig.tracker.swarm_count(), rig.tracker.connection_count()),
        (0, 0)
    );
    rig.sleep_ms(620_000);
    assert_eq!((rig.tracker.prefixes.len(), rig.tracker.departed.len()), (0, 0));
    assert_eq!(rig.tracker.wake_at(), None);
}
