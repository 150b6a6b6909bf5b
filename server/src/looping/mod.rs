//! A packager without an encoder: plays a packaged stream again and again as a live one.
//!
//! `source` reads a finished HLS stream of fragmented MP4, `fmp4` moves its media in time, so that media time goes on
//! over every repetition, and [`Loop`] writes segments and playlists into a folder when their time has come, as a
//! packager would. What publishes the folder cannot tell the difference.

mod source;
mod writer;

pub use writer::{Loop, LoopOptions, now_us};

#[cfg(test)]
mod tests;
