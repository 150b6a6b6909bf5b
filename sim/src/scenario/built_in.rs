//! The scenarios that come with the simulator.

use super::{Change, Scenario, ScenarioError};

/// A scenario that comes with the simulator.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// What it is called.
    pub name: &'static str,
    /// Its file, with a comment on what it shows.
    pub text: &'static str,
}

impl BuiltIn {
    /// Reads it, with changes.
    ///
    /// # Errors
    /// [`ScenarioError`], if a change is wrong.
    pub fn read(&self, changes: &[Change]) -> Result<Scenario, ScenarioError> {
        Scenario::read(self.name, self.text, changes)
    }
}

/// The one with this name.
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|scenario| scenario.name == name)
}

macro_rules! built_in_scenarios {
    ($($name:literal),* $(,)?) => {
        &[$(BuiltIn {
            name: $name,
            text: include_str!(concat!("../../scenarios/", $name, ".toml")),
        }),*]
    };
}

/// All of them, the plain ones first.
pub const BUILT_IN: &[BuiltIn] = built_in_scenarios![
    "vod",
    "vod-1000",
    "live",
    "live-1000",
    "half-uplink",
    "flash-crowd",
    "churn",
    "renditions",
    "seeks",
    "slow-and-silent",
    "corrupting",
    "liars",
    "free-riders",
    "tracker-outage",
    "origin-outage",
    "partition",
    "mixed-networks",
    "equal-uplinks",
    "three-viewers",
    "cell",
];
