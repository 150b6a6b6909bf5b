//! Engines, a model tracker, a model origin and model links on simulated time.

mod broadcast;
mod content;
mod crowd;
mod links;
mod origin;
mod outputs;
mod tracker;
mod viewer;
mod watching;
mod world;

pub use broadcast::{Broadcast, LONG_SEGMENT, PLAYLIST, SEGMENT, TARGET_US};
pub use content::{NOW_S, Published, bytes};
pub use crowd::Crowd;
pub use tracker::{key as tracker_key, local_sdp};
pub use viewer::{Behaviour, Said};
pub use watching::{LATEST, SOON_US, codes, play, running, start, watch, watch_until_next};
pub use world::World;
