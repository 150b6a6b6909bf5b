//! The engine in a model world on simulated time: several viewers, a tracker, an origin, links.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(unreachable_pub, reason = "a test crate has no outside")]
#![allow(clippy::large_enum_variant, reason = "one queue in a test")]

mod challenge;
mod chaos;
mod download;
mod election;
mod election_attacks;
mod hostile;
mod live;
mod live_attacks;
mod play;
#[allow(dead_code, reason = "attacks here are few, and repeated nowhere")]
#[path = "../hostile/report.rs"]
mod report;
mod rig;
mod single;
