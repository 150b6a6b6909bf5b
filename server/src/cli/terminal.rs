//! What the terminal shows while work goes on, and how numbers are written for people.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::publisher::progress::Progress;

/// A bar on standard error, if that is a terminal.
pub(super) struct Bar {
    shown: bool,
    bar: Mutex<ProgressBar>,
    done: AtomicU64,
    objects: AtomicU64,
}

impl Bar {
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            shown: !quiet && std::io::stderr().is_terminal(),
            bar: Mutex::new(ProgressBar::hidden()),
            done: AtomicU64::new(0),
            objects: AtomicU64::new(0),
        }
    }

    fn bar(&self) -> ProgressBar {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Progress for Bar {
    fn begin(&self, stage: &str, bytes: u64, objects: u64) {
        if !self.shown {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template(
            "{prefix:>9} [{wide_bar}] {percent:>3}%  {binary_bytes} of {binary_total_bytes}  \
             {binary_bytes_per_sec}  {eta} left  {msg}",
        );
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(stage.to_owned());
        self.done.store(0, Ordering::Relaxed);
        self.objects.store(objects, Ordering::Relaxed);
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    fn bytes(&self, count: u64) {
        if self.shown {
            let bar = self.bar();
            bar.inc(count);
            // Lengths at a URL show only while they are read.
            if bar.length().is_some_and(|length| bar.position() > length) {
                bar.set_length(bar.position());
            }
        }
    }

    fn object(&self, _reused: bool) {
        if self.shown {
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            self.bar()
                .set_message(format!("{done}/{}", self.objects.load(Ordering::Relaxed)));
        }
    }

    fn end(&self) {
        if self.shown {
            self.bar().finish_and_clear();
        }
    }
}

/// `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 {
        format!("{bytes} {name}")
    } else {
        format!("{value:.1} {name}")
    }
}

/// `1 segment`, `2 segments`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let plural = if number == 1 { "" } else { "s" };
    format!("{grouped} {noun}{plural}")
}

/// `2026-10-03 12:34:56 UTC`, by the civil calendar (days to date after Howard Hinnant).
pub(super) fn date(unix_s: u64) -> String {
    let (days, seconds) = (unix_s / 86_400, unix_s % 86_400);
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// `in 3 days`, `4 hours ago`.
pub(super) fn distance(unix_s: u64, now_unix_s: u64) -> String {
    let seconds = unix_s.abs_diff(now_unix_s);
    let text = match seconds {
        0..120 => count(seconds, "second"),
        120..7200 => count((seconds + 30) / 60, "minute"),
        7200..172_800 => count((seconds + 1800) / 3600, "hour"),
        _ => count((seconds + 43_200) / 86_400, "day"),
    };
    if unix_s >= now_unix_s {
        format!("in {text}")
    } else {
        format!("{text} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(4 << 30), "4.0 GiB");
        assert_eq!(count(1, "segment"), "1 segment");
        assert_eq!(count(1_234_567, "segment"), "1,234,567 segments");
        assert_eq!(count(123, "track"), "123 tracks");
    }

    #[test]
    fn dates_for_people() {
        assert_eq!(date(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(date(1_790_000_000), "2026-09-21 14:13:20 UTC");
        assert_eq!(distance(1000, 1090), "90 seconds ago");
        assert_eq!(distance(864_000, 0), "in 10 days");
    }
}
