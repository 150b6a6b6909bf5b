//! The engine: peers, chunk states, scheduler, credit, blame.
//!
//! One [`Engine`] serves one content. It is sans-IO: every input carries the time, every effect is an
//! output, and it never holds payload: it names chunks, and the owner of the bytes (the worker in a
//! browser, a simulator, a cache) keeps them.
//!
//! **The drain contract.** After every [`Engine::handle_input`] the caller drains
//! [`Engine::poll_output`] until it says [`Output::Idle`]. Mutating with undrained output is
//! [`ApiMisuse::UndrainedOutput`]. The same seed and the same inputs give the same outputs.
//!
//! What it must never do: name a clock, a socket or a browser object; hand out a byte that was not
//! verified; let a peer's number size anything; panic because of what a peer sent.

mod api;
mod asking;
mod audit;
mod claims;
mod config;
mod connections;
mod dealing;
mod demands;
mod engine;
mod event;
mod fallback;
mod fetch;
mod limits;
#[cfg(feature = "live")]
mod live;
#[cfg(not(feature = "live"))]
#[path = "no_live.rs"]
mod live;
mod messages;
mod object;
mod payload;
mod peer;
mod ranges;
mod rate;
mod schedule;
mod serve;
mod session;
mod sheets;
mod showing;
mod sources;
mod stating;
mod stats;
mod time;
mod timer;

pub use api::{
    ApiMisuse, CloseReason, DeliverTiming, DemandId, FetchId, FetchKind, FetchOutcome, Input, KeepFrom,
    Output, PeerId, RefuseCode, Sharing,
};
pub use audit::Breach;
pub use config::EngineConfig;
pub use engine::Engine;
pub use event::{Event, HttpReason};
pub use payload::Payload;
#[cfg(feature = "live")]
pub use stats::LiveStats;
pub use stats::{PeerStats, SegmentStats, Stats, TrackStats, Traffic};
pub use time::Timestamp;
