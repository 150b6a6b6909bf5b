//! The swarm simulator: the shipped engine for every peer and the shipped tracker, over emulated links, in simulated
//! time.
//!
//! A run is a function of its scenario and its seed. Nothing here reads a clock, asks the system for randomness, starts
//! a thread, computes in floating point what a decision hangs on, or iterates in hash order: the same scenario and seed
//! give the same log of events on every machine, wasm32 included.

mod event_log;
mod failure;
mod invariants;
pub mod matrix;
mod net;
pub mod outcome;
mod random;
pub mod record;
pub mod report;
pub mod scenario;
mod world;

pub use failure::Failure;
pub use outcome::Outcome;
pub use record::Record;
pub use scenario::{Scenario, ScenarioError};

use world::World;

/// Hears how far a run is.
pub trait Progress {
    /// This much of the simulated time is over, in microseconds, out of so much.
    fn reached(&mut self, simulated_us: u64, total_us: u64);
}

/// Runs a scenario.
///
/// # Errors
/// [`Failure`]: the scenario makes no sense, or something did not hold that must.
pub fn run(scenario: &Scenario, seed: u64, progress: &mut dyn Progress) -> Result<Record, Failure> {
    World::new(scenario, seed, true)?.run(progress)
}

/// Runs a scenario with the same viewers, links and times over HTTP alone.
///
/// # Errors
/// As of [`run`].
pub fn run_without_peers(
    scenario: &Scenario,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<Record, Failure> {
    World::new(scenario, seed, false)?.run(progress)
}

impl Progress for () {
    fn reached(&mut self, _: u64, _: u64) {}
}
