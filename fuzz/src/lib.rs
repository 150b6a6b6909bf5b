//! What must hold for whatever bytes come, one function for each decoder, and one for the engine.
//!
//! A function fails by panicking. `cargo test` runs them over seeds made of the protocol's vectors and over what is
//! stored under `corpus/`, `npm run fuzz` lets libFuzzer look for more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target fails by panicking"
)]

mod content;
mod peers;
mod publisher;
mod seeds;
mod signalling;
mod swarm;

pub use content::{manifest, names, paths, rows_and_index, ticket};
pub use peers::{peer_message, proof_of_identity, tampering};
pub use publisher::{hls, mpd};
pub use seeds::seeds;
pub use signalling::{candidate, client_message, description, server_message, shown};
pub use swarm::engine;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 16] = [
    ("candidate", candidate),
    ("client_message", client_message),
    ("description", description),
    ("engine", engine),
    ("hls", hls),
    ("manifest", manifest),
    ("mpd", mpd),
    ("names", names),
    ("paths", paths),
    ("peer_message", peer_message),
    ("proof_of_identity", proof_of_identity),
    ("rows_and_index", rows_and_index),
    ("server_message", server_message),
    ("shown", shown),
    ("tampering", tampering),
    ("ticket", ticket),
];
