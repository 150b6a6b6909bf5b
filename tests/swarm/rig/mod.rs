//! Engines, a model tracker, a model origin and model links on simulated time.

mod content;
mod tracker;
mod world;

pub use content::bytes;
pub use world::{Behaviour, World};
