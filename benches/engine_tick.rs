//! What one pass of the engine costs at 10,000 segments and 50 peers: `npm run bench:engine`.
//!
//! The median over many passes, natively. `tests/bench/engine_cost.rs` prints the mean in a browser.

#![allow(clippy::indexing_slicing, reason = "a benchmark fails by panicking")]

use std::time::Instant;

use swarmseal_bench::engine::Crowd;

fn main() {
    let mut crowd = Crowd::new(10_000, 50);
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
