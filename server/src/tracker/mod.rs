//! The Tracker AS: introduces peers of one swarm to each other under pseudonyms.
//!
//! [`machine`] holds every rule and knows no socket, no clock and no generator: it can run inside a simulator. The
//! other files carry it: a WebSocket endpoint, its key file, the contents it serves, its figures. A list, a log line, a
//! metric and an error text of this room never name an address, an account, a header, a handle or a swarm.

pub mod machine;

pub use machine::{Tracker, TrackerConfig};
