//! Live publishing: beside a packager that is writing, states every finished segment in a new signed head.
//!
//! A segment counts as finished when a playlist or MPD names it. `observe` reads those through the same parsers as a
//! finished publication, `recording` turns what is new into records of append-only logs, `parents` says which of them are
//! parts of others, `state` puts them on disk before anybody may hear of them, and `files` lays out what viewers read. `opening` is how it begins, `publisher` the
//! order of these steps, [`Watch`] the loop around it, `finish` what becomes of the stream at its end, and `check` what
//! a reader makes of it all.

mod check;
mod files;
mod finish;
mod observe;
mod opening;
mod parents;
mod publisher;
mod recording;
mod sessions;
mod state;
mod watch;

pub(crate) use check::check;
pub use publisher::{LiveOptions, LivePublisher, Stated, Step};
pub use watch::{Watch, WatchEvent};

pub use crate::watching::Stop;
