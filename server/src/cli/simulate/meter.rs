//! How far several runs are, on one bar.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use swarmseal_sim::Progress;

/// A bar on standard error, if that is a terminal. Its unit is the simulated millisecond of one run.
pub(super) struct Meter {
    bar: ProgressBar,
}

/// What one run reports to.
pub(super) struct Hand {
    bar: ProgressBar,
    reached_ms: u64,
}

impl Meter {
    /// For `runs` of `seconds` each.
    pub(super) fn new(quiet: bool, prefix: &str, runs: u64, seconds: u32) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self {
                bar: ProgressBar::hidden(),
            };
        }
        let total = runs * u64::from(seconds) * 1_000;
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{prefix} [{wide_bar}] {percent:>3}%  {eta} left  {msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(prefix.to_owned());
        Self { bar }
    }

    /// For one of the runs.
    pub(super) fn hand(&self) -> Hand {
        Hand {
            bar: self.bar.clone(),
            reached_ms: 0,
        }
    }

    /// A run that needs not be made.
    pub(super) fn skip(&self, seconds: u32) {
        self.bar.inc(u64::from(seconds) * 1_000);
    }

    pub(super) fn say(&self, message: String) {
        self.bar.set_message(message);
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Hand {
    fn reached(&mut self, simulated_us: u64, _total_us: u64) {
        let now_ms = simulated_us / 1_000;
        self.bar.inc(now_ms.saturating_sub(self.reached_ms));
        self.reached_ms = now_ms.max(self.reached_ms);
    }
}
