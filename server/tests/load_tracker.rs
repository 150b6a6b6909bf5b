//! The load tester against our own tracker, in this process: everybody is introduced, and what it reads makes sense.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod peers;

use peers::{Client, folder, manifest};
use swarmseal_server::daemon::Running;
use swarmseal_server::load::{self, LoadError, Plan, Protocol};

fn plan(address: std::net::SocketAddr) -> Plan {
    Plan {
        address,
        path: "/tracker".to_owned(),
        protocol: Protocol::Swarmseal {
            swarm: Client::swarm(),
            secret: manifest(1).swarm_secret,
        },
        peers: 12,
        first: 4,
        introductions: 2,
        pid: std::process::id(),
    }
}

#[tokio::test]
async fn every_peer_that_knows_another_one_is_introduced() {
    let (_folder, config) = folder();
    let running = Running::start(&config, None).await.unwrap();
    let outcome = load::run(&plan(running.address())).await.unwrap();
    assert_eq!(outcome.peers, 12);
    // The first ones to join were told of nobody, or of one.
    assert!((12..=24).contains(&outcome.introductions), "{outcome:?}");
    assert!(outcome.resident_bytes > 0, "{outcome:?}");
    running.stop().await;
}

#[tokio::test]
async fn nobody_else_s_tracker_is_loaded() {
    let outcome = load::run(&plan("192.0.2.1:8400".parse().unwrap())).await;
    assert!(matches!(outcome, Err(LoadError::NotLoopback(_))), "{outcome:?}");
}
