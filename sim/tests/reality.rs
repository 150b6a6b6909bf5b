//! The model against what was measured in real browsers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use swarmseal_sim::scenario::{DEFAULT_TOML, built_in};
use swarmseal_sim::{Outcome, run};

/// The result of `npm start -- --viewers 3 --seconds 60` that is kept.
const BROWSERS: &str = include_str!("../../docs/results/vod-3-viewers.json");
/// Points of offload by which they may differ.
const APART: f64 = 0.05;

#[test]
fn three_simulated_viewers_share_as_three_browsers_do() {
    let browsers: serde_json::Value = serde_json::from_str(BROWSERS).unwrap();
    let scenario = built_in("three-viewers").unwrap().read(&[]).unwrap();
    assert_eq!(browsers["plan"]["viewers"], scenario.peers);
    assert_eq!(
        browsers["plan"]["stagger"],
        scenario.arrivals.within_seconds / (scenario.peers - 1)
    );
    let offload = browsers["offload"].as_f64().unwrap();
    for seed in 1..=20 {
        let outcome = Outcome::new(&scenario, seed, &run(&scenario, seed, &mut ()).unwrap(), None);
        let simulated = outcome.offload;
        assert!(
            (simulated - offload).abs() <= APART,
            "seed {seed}: {simulated:.3} simulated, {offload:.3} in browsers"
        );
        assert_eq!(outcome.rebuffer_ratio, 0.0, "browsers did not stall either");
    }
}

#[test]
fn the_manual_shows_the_documented_defaults() {
    let manual = include_str!("../../docs/SIMULATOR.md");
    assert!(
        manual.contains(DEFAULT_TOML),
        "docs/SIMULATOR.md shows other defaults"
    );
}
