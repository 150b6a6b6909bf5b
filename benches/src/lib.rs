//! The hot paths that are measured: in time by `cargo bench --package swarmseal-bench`, in instructions by
//! `npm run bench:instructions`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a benchmark fails by panicking"
)]

mod content;
pub mod engine;
mod statement;
mod tracker;

/// Something whose cost is known: many passes that are alike.
pub trait Case {
    /// What the next pass needs, at nobody's cost.
    fn prepare(&mut self) {}
    /// One pass.
    fn pass(&mut self);
}

/// What a case is called, and what makes it.
pub type Named = (&'static str, fn() -> Box<dyn Case>);

/// All cases.
pub const CASES: [Named; 12] = [
    ("hash-chunk", content::hash_chunk),
    ("tree-root", content::tree_root),
    ("tree-path", content::tree_path),
    ("codec-request", content::codec_request),
    ("statement-sign", statement::sign),
    ("statement-compare", statement::compare),
    ("statement-judge", statement::judge),
    ("engine-tick", engine::tick),
    ("engine-tick-short", engine::tick_short),
    ("engine-have", engine::have),
    ("tracker-announce", tracker::announce),
    ("tracker-introduction", tracker::introduction),
];
