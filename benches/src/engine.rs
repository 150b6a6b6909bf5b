//! The engine, with a long title and many neighbours.

use crate::Case;

#[allow(
    unused_imports,
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::large_enum_variant,
    reason = "the model world is shared with the tests, which use more of it"
)]
#[path = "../../tests/swarm/rig/mod.rs"]
mod rig;

pub use rig::Crowd;

struct Tick {
    crowd: Crowd,
    step: u32,
}

impl Case for Tick {
    fn pass(&mut self) {
        self.crowd.step(self.step);
        self.step += 1;
    }
}

/// One pass of the engine with 10,000 segments and 50 neighbours that hold everything.
pub(crate) fn tick() -> Box<dyn Case> {
    tick_with(10_000)
}

/// The same with a tenth of the segments: it should cost the same.
pub(crate) fn tick_short() -> Box<dyn Case> {
    tick_with(1_000)
}

fn tick_with(segments: u32) -> Box<dyn Case> {
    Box::new(Tick {
        crowd: Crowd::new(segments, 50),
        step: 0,
    })
}

struct Haves(Crowd);

impl Case for Haves {
    fn pass(&mut self) {
        self.0.hear();
    }
}

/// One of these neighbours says again what it holds.
pub(crate) fn have() -> Box<dyn Case> {
    Box::new(Haves(Crowd::new(10_000, 50)))
}
