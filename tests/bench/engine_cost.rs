//! What one pass of the engine costs in a browser, at 10,000 segments and 50 peers. It prints the figure and asserts that
//! the passes took place, in optimised builds only: `npm run bench:engine`.

#![cfg(all(target_arch = "wasm32", not(debug_assertions)))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![allow(
    unreachable_pub,
    dead_code,
    unused_imports,
    reason = "the model world is shared with the swarm tests, which use more of it"
)]
#![allow(clippy::large_enum_variant, reason = "one queue in a test")]

use core::arch::wasm32::memory_size;

use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

#[allow(
    unused_imports,
    reason = "the model world is shared with the swarm tests, which use more of it"
)]
#[path = "../swarm/rig/mod.rs"]
mod rig;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// The one that ships.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

const PASSES: u32 = 4_000;
const PAGE: usize = 65_536;

#[wasm_bindgen_test]
fn a_pass_at_ten_thousand_segments_and_fifty_peers() {
    let before = memory_size(0);
    let mut crowd = rig::Crowd::new(10_000, 50);
    let start = js_sys::Date::now();
    for step in 0..PASSES {
        crowd.step(step);
    }
    let micros = (js_sys::Date::now() - start) * 1_000.0 / f64::from(PASSES);
    assert_eq!(crowd.peers(), 50);
    let kib = |pages| pages * PAGE / 1024;
    console_log!("memory: {} KiB, before {} KiB", kib(memory_size(0)), kib(before));
    console_log!("engine pass in this browser, 10,000 segments, 50 peers: mean {micros:.0} µs");
}
