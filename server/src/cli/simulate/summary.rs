//! One run in a few lines of text.

use std::io::IsTerminal as _;

use swarmseal_sim::Outcome;
use swarmseal_sim::outcome::Spread;

use crate::cli::terminal::count;

/// Columns of a bar and of a line of small bars.
const WIDTH: usize = 60;
/// Heights of small bars, from nothing to all.
const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The summary, and the command that makes the run again.
pub(super) fn text(outcome: &Outcome, command: &str) -> String {
    let paint = Paint::for_terminal();
    let mut text = format!(
        "{}, seed {}: {}\n\n",
        paint.bold(&outcome.scenario),
        outcome.seed,
        outcome.about
    );
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<12}{value}\n"));
    line(
        "offload",
        format!(
            "{}   {}",
            paint.bold(&percent(outcome.offload)),
            paint.dim(&format!("the uplinks allow {}", percent(outcome.offload_bound)))
        ),
    );
    line("", by_source(outcome, &paint));
    line(
        "",
        format!(
            "{} viewers  {} to start with  {} for all others  {} to be in time",
            paint.peers(FULL),
            paint.startup(START),
            paint.elected(ELECTED),
            paint.rescue(RESCUE)
        ),
    );
    line(
        "origin",
        format!(
            "{:.2} bytes per unique byte: {:.2} to start with, {:.2} for all others, {:.2} to be in time",
            outcome.origin_bytes_per_unique_byte, outcome.startup, outcome.elected, outcome.rescue
        ),
    );
    let alone = outcome.without_peers.as_ref();
    let than = |value: Option<String>| match value {
        Some(value) => paint.dim(&format!("   HTTP alone {value}")),
        None => String::new(),
    };
    line(
        "rebuffering",
        format!(
            "{:.2} %{}",
            outcome.rebuffer_ratio * 100.0,
            than(alone.map(|alone| format!("{:.2} %", alone.rebuffer_ratio * 100.0)))
        ),
    );
    line(
        "first frame",
        format!(
            "{}{}",
            spread(&outcome.first_frame_ms),
            than(alone.map(|alone| spread(&alone.first_frame_ms)))
        ),
    );
    if let Some(alone) = alone {
        let later = &alone.first_frame_later_ms;
        line("", format!("later than over HTTP alone: {}", spread(later)));
    }
    line(
        "uplinks",
        format!(
            "{} used, {} of it in vain; the busiest tenth of viewers sent {}",
            percent(outcome.uplink_use),
            percent(in_vain(outcome)),
            percent(outcome.fairness.top_tenth_share)
        ),
    );
    let pairs = &outcome.connections;
    line(
        "connected",
        format!("{} of {} introduced", count(pairs.kept, "pair"), pairs.created),
    );
    let bad = &outcome.misbehaviour;
    if bad.misbehaving > 0 {
        line(
            "misbehaving",
            format!(
                "{}, {} of them found out, {} honest ones punished",
                count(u64::from(bad.misbehaving), "viewer"),
                bad.punished_misbehaving,
                bad.punished_honest
            ),
        );
    }
    text.push_str(&over_time(outcome, &paint));
    text.push_str(&foot(outcome, command, &paint));
    text
}

const FULL: &str = "█";
const START: &str = "▒";
const ELECTED: &str = "░";
const RESCUE: &str = "▓";

fn by_source(outcome: &Outcome, paint: &Paint) -> String {
    let bytes = &outcome.bytes;
    let parts = [bytes.peers, bytes.startup, bytes.elected, bytes.rescue];
    let [peers, startup, elected, rescue] = columns(parts);
    format!(
        "{}{}{}{}",
        paint.peers(&FULL.repeat(peers)),
        paint.startup(&START.repeat(startup)),
        paint.elected(&ELECTED.repeat(elected)),
        paint.rescue(&RESCUE.repeat(rescue))
    )
}

/// Columns of a bar by part: what is not nothing has one at least.
fn columns(parts: [u64; 4]) -> [usize; 4] {
    let total: u64 = parts.iter().sum();
    if total == 0 {
        return [0; 4];
    }
    let mut columns = parts.map(|part| {
        let share = part.saturating_mul(WIDTH as u64) / total;
        usize::try_from(share).unwrap_or(0).max(usize::from(part > 0))
    });
    // The largest part makes up for what others were given or lost by rounding.
    let sum: usize = columns.iter().sum();
    if let Some(largest) = columns.iter_mut().max() {
        *largest = (*largest + WIDTH).saturating_sub(sum);
    }
    columns
}

/// Offload and stalls as lines of small bars.
fn over_time(outcome: &Outcome, paint: &Paint) -> String {
    let series = &outcome.series;
    let seconds = series.viewers.len();
    if seconds == 0 {
        return String::new();
    }
    let sum =
        |list: &[u64], from: usize, to: usize| list.get(from..to).map_or(0, |part| part.iter().sum::<u64>());
    let mut offload = String::new();
    let mut stalls = String::new();
    for column in 0..WIDTH.min(seconds) {
        let from = column * seconds / WIDTH.min(seconds);
        let to = ((column + 1) * seconds / WIDTH.min(seconds)).max(from + 1);
        let peers = sum(&series.peer_bytes, from, to);
        let origin = sum(&series.startup_bytes, from, to)
            + sum(&series.elected_bytes, from, to)
            + sum(&series.rescue_bytes, from, to);
        offload.push(height(peers, peers + origin));
        let stalled = series
            .stalled
            .get(from..to)
            .and_then(|part| part.iter().max())
            .copied();
        let viewers = series
            .viewers
            .get(from..to)
            .and_then(|part| part.iter().max())
            .copied();
        stalls.push(height(
            u64::from(stalled.unwrap_or(0)),
            u64::from(viewers.unwrap_or(0)),
        ));
    }
    let end = format!("{}:{:02}", seconds / 60, seconds % 60);
    let mut text = format!("\n  offload     {}  0:00 to {end}\n", paint.peers(&offload));
    if series.stalled.iter().any(|stalled| *stalled > 0) {
        text.push_str(&format!(
            "  stalled     {}  of all viewers\n",
            paint.rescue(&stalls)
        ));
    }
    text
}

/// Nothing is a blank, something is never one.
fn height(part: u64, whole: u64) -> char {
    let step = if part == 0 || whole == 0 {
        0
    } else {
        usize::try_from((part * 8).div_ceil(whole)).unwrap_or(8).min(8)
    };
    HEIGHTS.get(step).copied().unwrap_or(' ')
}

fn foot(outcome: &Outcome, command: &str, paint: &Paint) -> String {
    let took = outcome.cost.wall_ms.max(1);
    let speed = u64::from(outcome.seconds) * 1_000 / took;
    let checks = count(outcome.invariant_checks, "check");
    let hash = outcome
        .event_log_hash
        .get(..16)
        .unwrap_or(&outcome.event_log_hash);
    let took = format!("{:.1} s, {speed} times as fast as life", took as f64 / 1_000.0);
    paint.dim(&format!(
        "\n  {checks} held; events {hash}…; {took}\n  {command}\n"
    ))
}

/// Share of the bytes sent that nobody had a use for: they came twice or too late, or never.
fn in_vain(outcome: &Outcome) -> f64 {
    let sent = outcome.bytes.sent;
    let used = sent.min(outcome.bytes.peers);
    if sent == 0 {
        0.0
    } else {
        (sent - used) as f64 / sent as f64
    }
}

fn spread(spread: &Spread) -> String {
    let missing = match spread.missing {
        0 => String::new(),
        missing => format!(", {missing} never"),
    };
    format!(
        "{:.0} ms, 95 % within {:.0} ms, all within {:.0} ms{missing}",
        spread.median, spread.p95, spread.max
    )
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Colours, where there is a terminal that wants them.
struct Paint {
    on: bool,
}

impl Paint {
    fn for_terminal() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            on: wanted && std::io::stdout().is_terminal(),
        }
    }

    fn with(&self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.with("2", text)
    }

    fn peers(&self, text: &str) -> String {
        self.with("36", text)
    }

    fn startup(&self, text: &str) -> String {
        self.with("33", text)
    }

    fn elected(&self, text: &str) -> String {
        self.with("93", text)
    }

    fn rescue(&self, text: &str) -> String {
        self.with("31", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_width_and_hides_no_part() {
        for parts in [[1_000_000, 1, 1, 1], [1, 0, 0, 0], [5, 5, 5, 5], [0, 0, 3, 999]] {
            let columns = columns(parts);
            assert_eq!(columns.iter().sum::<usize>(), WIDTH, "{parts:?}");
            for (part, columns) in parts.iter().zip(columns) {
                assert_eq!(*part > 0, columns > 0, "{parts:?}");
            }
        }
        assert_eq!(columns([0; 4]), [0; 4]);
    }

    #[test]
    fn something_is_never_blank() {
        assert_eq!(
            (height(0, 9), height(1, 1_000), height(9, 9), height(5, 0)),
            (' ', '▁', '█', ' ')
        );
    }
}
