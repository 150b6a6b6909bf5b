//! `swarmseal loop`: a live stream without an encoder, for trying and measuring.

use std::path::PathBuf;
use std::sync::mpsc;

use crate::cli::live::stop_on_signal;
use crate::cli::{Failure, print};
use crate::looping::{self, LoopOptions};

/// Play packaged HLS again and again as a live stream, written into DIR as a packager would
///
/// SOURCE is a folder with a finished HLS stream of fragmented MP4, or one of its playlists. Media time goes on over every
/// repetition, and each segment appears when it would have been finished. SIGTERM ends the playlists. Publish it with:
/// swarmseal publish DIR --watch
#[derive(clap::Args)]
pub(super) struct Loop {
    /// Folder or playlist; only read
    source: PathBuf,

    /// Where to write; must not hold the stream's playlists yet
    dir: PathBuf,

    /// Seconds of media that playlists list; what has left them is deleted after as long again
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    window: u32,

    /// List and keep everything from the beginning, so that a whole recording is left
    #[arg(long, conflicts_with = "window")]
    keep: bool,

    /// Seconds of media that are there at once, so that players can begin
    #[arg(long, value_name = "SECONDS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    ahead: u32,

    /// Say nothing
    #[arg(long, short)]
    quiet: bool,
}

impl Loop {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (stop, stopped) = mpsc::channel();
        // The loop that has ended wants no signal.
        stop_on_signal(move || _ = stop.send(()))?;
        let options = LoopOptions {
            source: self.source,
            folder: self.dir.clone(),
            window_s: (!self.keep).then_some(self.window),
            ahead_s: self.ahead,
        };
        let looped = looping::Loop::open(options, looping::now_us())?;
        if !self.quiet {
            print(&format!(
                "live in {}; SIGTERM ends the stream\n",
                self.dir.display()
            ))?;
        }
        Ok(looped.run(&stopped)?)
    }
}
