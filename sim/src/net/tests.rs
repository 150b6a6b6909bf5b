//! The parts together: one data channel over one link, against what was measured between browsers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde_json::Value;

use super::{Calibration, Flow, Lane, LossModel, Micros, Pipe, on_the_link};
use crate::random::Random;

const SECONDS: u64 = 20;
/// A queue of this length was before the measured links.
const QUEUE_US: Micros = 200_000;
/// A link without a limit of rate; there is none that fast.
const UNLIMITED_KBPS: u64 = 1_000_000;

/// What one channel that is always full carries, in kbit/s.
fn goodput(loss_permille: u32, burst: u32, rtt_us: Micros, limit_kbps: Option<u64>) -> u64 {
    let loss_ppm = loss_permille * 1_000;
    let calibration = Calibration::measured().unwrap();
    let window = calibration.window(loss_ppm, burst, rtt_us);
    let mut flow: Flow<()> = Flow::new(LossModel::new(loss_ppm, burst), window);
    let mut pipe = Pipe::new(limit_kbps.unwrap_or(UNLIMITED_KBPS), QUEUE_US);
    let mut random = Random::new(1, "goodput", 0);
    let mut acknowledged = BinaryHeap::new();
    let (mut now, mut bytes) = (0, 0);
    while now < SECONDS * 1_000_000 {
        while flow.buffered().iter().sum::<u64>() < 1 << 20 {
            flow.push(Lane::Data, 16 << 10, ());
        }
        while let Some(burst) = flow.next_burst() {
            let passage = pipe.push(now, on_the_link(burst.len));
            if passage.overflowed {
                flow.window.queue_was_full(now, rtt_us);
            }
            flow.loss.lost(&mut flow.loss_state, burst.packets, &mut random);
            acknowledged.push(Reverse((passage.out_at + rtt_us, burst.len)));
        }
        let Some(Reverse((at, len))) = acknowledged.pop() else {
            break;
        };
        now = at;
        bytes += len;
        flow.window.acknowledged(len);
    }
    bytes * 8 / (SECONDS * 1_000)
}

/// Above this the model is too fast where nothing but a full queue loses packets: a Chromium recovers badly from it.
const LOSSLESS_KBPS: u64 = 5_000;

/// The rows with a limit of rate are not part of the model: they show whether its window, pipe and queue work together.
#[test]
fn a_channel_over_a_slow_link_carries_what_was_measured() {
    let table: Value = serde_json::from_str(include_str!("../../calibration/data-channel.json")).unwrap();
    let number = |row: &Value, key: &str| row[key].as_u64();
    let mut compared = 0;
    for row in table["rows"].as_array().unwrap() {
        let Some(limit) = number(row, "limitKbps") else {
            continue;
        };
        let [loss, burst, rtt_ms, measured] =
            ["lossPermille", "burstPackets", "roundTripMs", "kbps"].map(|key| number(row, key).unwrap());
        let model = goodput(loss as u32, burst as u32, rtt_ms * 1_000, Some(limit));
        if loss == 0 && limit > LOSSLESS_KBPS {
            continue;
        }
        let percent = model * 100 / measured;
        assert!(
            (75..=133).contains(&percent),
            "{row}: the model carries {model} kbit/s"
        );
        compared += 1;
    }
    assert!(compared >= 5, "only {compared} rows were compared");
}

#[test]
fn a_channel_without_a_limit_carries_its_window_in_each_round_trip() {
    for (loss, burst, rtt_us) in [(20, 1, 40_000), (50, 4, 100_000)] {
        let window = Calibration::measured()
            .unwrap()
            .window(loss * 1_000, burst, rtt_us);
        let expected = window * 8_000 / rtt_us;
        let percent = goodput(loss, burst, rtt_us, None) * 100 / expected;
        assert!((80..=105).contains(&percent), "{percent} % of {expected} kbit/s");
    }
}
