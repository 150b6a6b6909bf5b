//! A peer outside of a browser: the shipped engine over WebRTC of its own.
//!
//! To the other peers and to the tracker it is one like any other: it joins with a key of its own, is introduced, proves
//! itself, and asks, checks, keeps and serves as the engine says. What is here moves bytes for the engine, as
//! `www/src/worker` does in a page, and must never decide what the engine decides.

mod connection;
mod http;
mod opening;
mod peer;
mod shelf;
mod tracker_socket;

pub use connection::{Connection, ConnectionEvent};
pub use peer::{Blamed, Happening, Peer, PeerError, PeerOptions, Received};
pub(crate) use peer::{is_secure, unix_ms};
pub use shelf::{Memory, Shelf};
