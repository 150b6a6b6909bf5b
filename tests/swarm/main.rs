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
mod hostile;
mod live;
mod play;
mod rig;
mod single;
