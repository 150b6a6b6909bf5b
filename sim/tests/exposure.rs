//! What the exposure mode of the tracker does to a swarm.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use swarmseal_sim::scenario::{Change, built_in};
use swarmseal_sim::{Outcome, run};

/// A small swarm of viewers that nothing but a relay gets through to.
fn behind_relays(exposure: &str) -> Outcome {
    let changes = [
        "peers=6",
        "seconds=40",
        "arrivals.within_seconds=10",
        "links.mix={ relay_only = 100 }",
        &format!("exposure={exposure}"),
    ]
    .map(|change| Change::read(change).unwrap());
    let scenario = built_in("vod").unwrap().read(&changes).unwrap();
    Outcome::new(&scenario, 1, &run(&scenario, 1, &mut ()).unwrap(), None)
}

#[test]
fn relays_connect_those_whom_nothing_else_does_and_show_no_address() {
    let direct = behind_relays("direct");
    assert!(direct.connections.created > 0 && direct.connections.kept == 0);
    assert!(direct.addresses_per_viewer_hour > 0.0 && direct.bytes.peers == 0);

    let relay = behind_relays("relay");
    assert!(relay.connections.kept > 0 && relay.bytes.peers > 0);
    assert!(relay.addresses_per_viewer_hour.abs() < f64::EPSILON);
    assert_eq!((direct.connected_components, relay.connected_components), (6, 1));
}
