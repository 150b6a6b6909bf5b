//! Peers that say nothing.

use swarmseal::signal::ClientMessage;

use super::rig::Rig;
use crate::{CloseReason, Input};

#[test]
fn a_connection_that_does_not_join_is_closed() {
    let mut rig = Rig::new();
    let conn = rig.connect(1);
    rig.sleep_ms(9_900);
    // Being alive is not enough.
    rig.input(Input::Alive { conn });
    assert_eq!(rig.closed.get(&conn), None);
    rig.sleep_ms(100);
    assert_eq!(rig.closed[&conn], CloseReason::JoinTimeout);
}

#[test]
fn a_silent_peer_is_dropped_and_off_the_lists() {
    let mut rig = Rig::new();
    let silent = rig.source(1);
    let (other, joined) = rig.join(2);
    assert_eq!(joined.peers.len(), 1);
    rig.sleep_ms(30_000);
    assert_eq!(rig.list(other, 30).len(), 1);
    rig.sleep_ms(15_100);
    assert_eq!(rig.closed[&silent], CloseReason::Silent);
    assert_eq!(rig.list(other, 30), []);
    assert_eq!(rig.closed.get(&other), None);
}

#[test]
fn a_sign_of_life_is_enough_for_a_member() {
    let mut rig = Rig::new();
    let (conn, _) = rig.join(1);
    for _ in 0..10 {
        rig.sleep_ms(40_000);
        rig.input(Input::Alive { conn });
    }
    assert_eq!(rig.closed.get(&conn), None);
    for _ in 0..3 {
        rig.sleep_ms(40_000);
        rig.say(conn, ClientMessage::Renew {});
    }
    assert_eq!(rig.closed.get(&conn), None);
    rig.sleep_ms(45_000);
    assert_eq!(rig.closed[&conn], CloseReason::Silent);
}

#[test]
fn wake_at_is_when_something_is_due() {
    let mut rig = Rig::new();
    assert_eq!(rig.tracker.wake_at(), None);
    rig.connect(1);
    assert_eq!(rig.tracker.wake_at(), Some(rig.now.monotonic.plus_ms(10_000)));
}
