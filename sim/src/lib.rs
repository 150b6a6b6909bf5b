//! The swarm simulator: the shipped engine for every peer and the shipped tracker, over emulated links, in simulated
//! time.
//!
//! A run is a function of its scenario and its seed. Nothing here reads a clock, asks the system for randomness, starts
//! a thread, computes in floating point what a decision hangs on, or iterates in hash order: the same scenario and seed
//! give the same log of events on every machine, wasm32 included.

pub mod outcome;
pub mod record;
pub mod report;
pub mod scenario;

pub use outcome::Outcome;
pub use record::Record;
pub use scenario::{Scenario, ScenarioError};
