//! Why a run ended without a record.

use std::fmt;

use thiserror::Error;

use crate::scenario::ScenarioError;

/// Why there is no record of a run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The scenario makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Something that must always hold did not.
    #[error("{rule}: {what} (viewer {viewer}, at {second}.{rest:06} s)", second = at_us / 1_000_000, rest = at_us % 1_000_000)]
    Broken {
        /// The rule, as a stable code.
        rule: &'static str,
        /// What was found.
        what: String,
        /// Simulated time.
        at_us: u64,
        /// The viewer's number, in order of arrival.
        viewer: u32,
    },
    /// The model itself could not be set up.
    #[error("the model world cannot be made: {0}")]
    World(String),
}

impl Failure {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scenario(error) => error.code(),
            Self::Broken { rule, .. } => rule,
            Self::World(_) => "simulated_world",
        }
    }

    pub(crate) fn world(error: impl fmt::Display) -> Self {
        Self::World(error.to_string())
    }
}
