//! The tracker's state machine: every rule of the Tracker AS, and no socket, no clock, no generator.
//!
//! [`Tracker::handle`] takes an input and the time at which it happened; [`Tracker::poll`] is then drained until it
//! says `None`. Time and randomness come from outside, so the same seed and the same inputs give the same outputs.
//! Whatever a peer does wrong is answered with an error message or a closed connection, never with a panic, and all
//! that is kept on behalf of a peer has a bound.

mod admission;
mod api;
mod challenging;
mod config;
mod counts;
mod drawing;
mod exposure;
mod finding;
mod following;
mod introduction;
mod joining;
mod listing;
mod prefix;
mod ranking;
mod rate;
mod relaying;
mod revoking;
mod roots;
mod swarm;
mod tampering;
mod tracker;
mod turn;
mod visiting;

pub use admission::{Admission, AdmissionRequest, Grant, OpenAdmission, Refused};
pub use api::{CloseReason, ConnId, Content, Input, Now, Output, PrefixTag, TrackerKeys};
pub use challenging::{ChallengeConfig, Standing};
pub use config::{InvalidTrackerConfig, TrackerConfig};
pub use counts::Counts;
pub use finding::{AuditRefused, Fault, Finding, SignedFinding};
pub use ranking::{LeastIntroduced, Profile, Ranking};
pub use rate::Rate;
pub use revoking::Revoked;
pub use roots::Roots;
pub use tracker::Tracker;
pub use turn::TurnServer;
pub use visiting::{Company, SignedVisit, Visit};

#[cfg(test)]
mod tests;
