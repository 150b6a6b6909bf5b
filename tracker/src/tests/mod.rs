//! One file per behaviour; the rig is a handful of peers on simulated time.

mod admission;
mod introductions;
mod limits;
mod lists;
mod rig;
mod silence;
