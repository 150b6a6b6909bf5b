//! Engines, a model tracker, a model origin and model links on simulated time.

mod content;
mod crowd;
mod tracker;
mod world;

pub use content::bytes;
pub use crowd::Crowd;
pub use world::{Behaviour, World};
