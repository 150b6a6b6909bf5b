//! What one pass of the engine costs at 10,000 segments and 50 peers: `cargo bench --bench engine_tick`.
//!
//! The median over many passes, natively. `tests/bench/engine_cost.rs` prints the mean in a browser.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a benchmark fails by panicking"
)]
#![allow(
    unreachable_pub,
    dead_code,
    reason = "the model world is shared with the tests, which use more of it"
)]
#![allow(clippy::large_enum_variant, reason = "one queue in a test")]

use std::time::Instant;

#[allow(
    unused_imports,
    reason = "the model world is shared with the tests, which use more of it"
)]
#[path = "../tests/swarm/rig/mod.rs"]
mod rig;

fn main() {
    let mut crowd = rig::Crowd::new(10_000, 50);
    let mut micros: Vec<f64> = Vec::new();
    for step in 0..2_000 {
        let start = Instant::now();
        crowd.step(step);
        micros.push(start.elapsed().as_secs_f64() * 1e6);
    }
    micros.sort_by(f64::total_cmp);
    let (median, worst) = (micros[micros.len() / 2], micros[micros.len() * 99 / 100]);
    println!(
        "engine pass, 10,000 segments, {} peers: median {median:.0} µs, 99 % {worst:.0} µs",
        crowd.peers()
    );
}
