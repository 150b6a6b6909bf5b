//! The same scenario and seed give the same events: twice in a row, in debug and release, natively and in a browser.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use swarmseal_sim::scenario::Scenario;
use swarmseal_sim::{Record, run};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// A little of everything: churn, seeks, renditions, misbehaviour, loss, an outage of each kind.
const SMALL: &str = include_str!("pinned/small.toml");
/// What a run of it gives with seed 1.
const PINNED: &str = include_str!("pinned/small.hash");

fn small(seed: u64) -> Record {
    let scenario = Scenario::read("small", SMALL, &[]).unwrap();
    run(&scenario, seed, &mut ()).unwrap()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_build_gives_the_pinned_events() {
    let hash = small(1).event_log_hash;
    #[cfg(not(target_arch = "wasm32"))]
    if std::env::var_os("PIN").is_some() {
        std::fs::write(
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pinned/small.hash"),
            format!("{hash}\n"),
        )
        .unwrap();
        return;
    }
    assert_eq!(
        hash,
        PINNED.trim(),
        "what happens has changed. If engine, tracker or model were changed, that is right: \
         PIN=1 cargo test -p swarmseal-sim --test determinism"
    );
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn two_runs_are_alike_and_another_seed_is_not() {
    let (first, second) = (small(2), small(2));
    assert_eq!(first, second);
    assert_ne!(first.event_log_hash, small(3).event_log_hash);
}

/// Whatever the small scenario claims to hold must have happened in it, or the pin would hold less than it seems to.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn the_small_scenario_holds_a_little_of_everything() {
    let record = small(1);
    let some = |found: bool, what| assert!(found, "no {what}");
    some(
        record.viewers.iter().any(|viewer| viewer.left_us.is_some()),
        "viewer left",
    );
    some(
        record.viewers.iter().any(|viewer| viewer.misbehaving.is_some()),
        "viewer misbehaved",
    );
    some(
        record.viewers.iter().any(|viewer| viewer.blamed_by > 0),
        "viewer was blamed",
    );
    some(
        record.viewers.iter().any(|viewer| viewer.from_peers > 0),
        "bytes came from peers",
    );
    some(
        record
            .segments
            .iter()
            .any(|segment| segment.from_origin.elected > 0),
        "segment was fetched for all",
    );
    some(
        record.pairs_proved > 4 && record.invariant_checks > 10_000,
        "pairs or checks",
    );
}
