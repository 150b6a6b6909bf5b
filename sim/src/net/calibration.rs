//! How much one data channel has under way by loss and round-trip time, as it was measured between real browsers.

use serde::Deserialize;

use super::{Micros, PACKET_BYTES};
use crate::failure::Failure;

/// Made by `npm run calibrate:links`.
const MEASURED: &str = include_str!("../../calibration/data-channel.json");
/// Without loss: a Chromium had 46 to 108 KB under way at round-trip times of 10 to 100 ms. More comes to grief in the bursts
/// of losses with which slow start ends.
const LOSSLESS_WINDOW: u64 = 64 << 10;

/// Windows as they follow from a table of measurements, for bursts of loss of each length that was measured.
#[derive(Clone, Debug)]
pub(crate) struct Calibration {
    by_burst: Vec<(u32, Grid)>,
}

/// Bytes under way over loss and round-trip time, with straight lines between the points.
#[derive(Clone, Debug)]
struct Grid {
    loss_ppm: Vec<u64>,
    rtt_us: Vec<u64>,
    /// By loss, then by round-trip time.
    windows: Vec<Vec<u64>>,
}

#[derive(Deserialize)]
struct Table {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    loss_permille: u64,
    burst_packets: u32,
    round_trip_ms: u64,
    limit_kbps: Option<u64>,
    kbps: u64,
}

impl Calibration {
    /// From the table that is part of the simulator.
    pub(crate) fn measured() -> Result<Self, Failure> {
        Self::read(MEASURED)
    }

    fn read(text: &str) -> Result<Self, Failure> {
        let table: Table = serde_json::from_str(text).map_err(Failure::world)?;
        let rows: Vec<Row> = table
            .rows
            .into_iter()
            .filter(|row| row.limit_kbps.is_none())
            .collect();
        let by_burst = values(&rows, |row| row.burst_packets)
            .into_iter()
            .map(|burst| Ok((burst, Grid::of(&rows, burst)?)))
            .collect::<Result<_, Failure>>()?;
        Ok(Self { by_burst })
    }

    /// Bytes under way at most, on a path with this loss of packets in bursts of this mean length.
    pub(crate) fn window(&self, loss_ppm: u32, burst: u32, rtt_us: Micros) -> u64 {
        let nearest = self
            .by_burst
            .iter()
            .min_by_key(|(measured, _)| measured.abs_diff(burst));
        let Some((_, grid)) = nearest.filter(|_| loss_ppm > 0) else {
            return LOSSLESS_WINDOW;
        };
        grid.window(loss_ppm.into(), rtt_us)
            .clamp(PACKET_BYTES, LOSSLESS_WINDOW)
    }
}

impl Grid {
    fn of(rows: &[Row], burst: u32) -> Result<Self, Failure> {
        let losses = values(rows, |row| row.loss_permille);
        let times = values(rows, |row| row.round_trip_ms);
        let window = |loss: u64, time: u64| {
            rows.iter()
                .find(|row| {
                    row.burst_packets == burst && row.loss_permille == loss && row.round_trip_ms == time
                })
                // Kilobits a second times milliseconds are bits.
                .map(|row| row.kbps * time / 8)
                .ok_or_else(|| Failure::world(format!("nothing was measured at {loss} ‰ and {time} ms")))
        };
        let windows = losses
            .iter()
            .map(|loss| times.iter().map(|time| window(*loss, *time)).collect())
            .collect::<Result<_, Failure>>()?;
        Ok(Self {
            loss_ppm: losses.iter().map(|permille| permille * 1_000).collect(),
            rtt_us: times.iter().map(|ms| ms * 1_000).collect(),
            windows,
        })
    }

    /// Beyond the table its edge holds, but for less loss than was measured: there the window goes with the inverse of its
    /// square root, as Reno's does.
    fn window(&self, loss_ppm: u64, rtt_us: u64) -> u64 {
        let least = self.loss_ppm.first().copied().unwrap_or(1);
        let (row, down) = place(&self.loss_ppm, loss_ppm.max(least));
        let (column, right) = place(&self.rtt_us, rtt_us);
        let at = |row: usize, column: usize| {
            let windows = self.windows.get(row).or(self.windows.last());
            windows
                .and_then(|windows| windows.get(column).or(windows.last()))
                .copied()
                .unwrap_or(PACKET_BYTES)
        };
        let above = between(at(row, column), at(row, column + 1), right);
        let below = between(at(row + 1, column), at(row + 1, column + 1), right);
        let window = between(above, below, down);
        let times_less = least * 10_000 / loss_ppm.clamp(1, least);
        window * times_less.isqrt() / 100
    }
}

fn values<T: Ord>(rows: &[Row], of: fn(&Row) -> T) -> Vec<T> {
    let mut values: Vec<T> = rows.iter().map(of).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// A share in 2¹⁶.
const WHOLE: u64 = 1 << 16;

/// Behind which point of an axis a value is, and how far on the way to the next.
fn place(axis: &[u64], value: u64) -> (usize, u64) {
    let behind = axis.partition_point(|point| *point <= value).saturating_sub(1);
    let (Some(from), Some(to)) = (axis.get(behind), axis.get(behind + 1)) else {
        return (behind, 0);
    };
    (behind, value.saturating_sub(*from) * WHOLE / (to - from))
}

const fn between(from: u64, to: u64, share: u64) -> u64 {
    (from * (WHOLE - share) + to * share) / WHOLE
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{ "rows": [
        { "lossPermille": 10, "burstPackets": 1, "roundTripMs": 10, "limitKbps": null, "kbps": 8000 },
        { "lossPermille": 10, "burstPackets": 1, "roundTripMs": 100, "limitKbps": null, "kbps": 1600 },
        { "lossPermille": 40, "burstPackets": 1, "roundTripMs": 10, "limitKbps": null, "kbps": 4000 },
        { "lossPermille": 40, "burstPackets": 1, "roundTripMs": 100, "limitKbps": null, "kbps": 800 },
        { "lossPermille": 10, "burstPackets": 4, "roundTripMs": 10, "limitKbps": null, "kbps": 16000 },
        { "lossPermille": 10, "burstPackets": 4, "roundTripMs": 100, "limitKbps": null, "kbps": 3200 },
        { "lossPermille": 40, "burstPackets": 4, "roundTripMs": 10, "limitKbps": null, "kbps": 8000 },
        { "lossPermille": 40, "burstPackets": 4, "roundTripMs": 100, "limitKbps": null, "kbps": 1600 },
        { "lossPermille": 40, "burstPackets": 4, "roundTripMs": 100, "limitKbps": 7, "kbps": 7 }
    ] }"#;

    #[test]
    fn the_table_is_read_off_at_its_points_and_on_straight_lines_between() {
        let table = Calibration::read(SMALL).unwrap();
        assert_eq!(table.window(10_000, 1, 10_000), 10_000);
        assert_eq!(table.window(10_000, 1, 100_000), 20_000);
        assert_eq!(table.window(40_000, 1, 100_000), 10_000);
        assert_eq!(table.window(10_000, 6, 100_000), 40_000);
        assert_eq!(table.window(10_000, 1, 55_000), 15_000);
        assert_eq!(table.window(25_000, 1, 100_000), 15_000);
    }

    #[test]
    fn beyond_the_table_its_edge_holds_and_less_loss_means_more() {
        let table = Calibration::read(SMALL).unwrap();
        assert_eq!(table.window(500_000, 1, 900_000), 10_000);
        assert_eq!(table.window(10_000, 1, 1_000), 10_000);
        // A quarter of the loss, twice the window.
        assert_eq!(table.window(2_500, 1, 100_000), 40_000);
        assert_eq!(table.window(1, 1, 100_000), LOSSLESS_WINDOW);
        assert_eq!(table.window(0, 1, 100_000), LOSSLESS_WINDOW);
    }

    #[test]
    fn more_loss_was_measured_to_mean_less() {
        let table = Calibration::measured().unwrap();
        for burst in [1, 4] {
            let windows = [5_000, 10_000, 20_000, 100_000].map(|loss| table.window(loss, burst, 100_000));
            assert!(windows.is_sorted_by(|more, less| more > less), "{windows:?}");
        }
    }

    #[test]
    fn a_hole_in_the_table_is_an_error() {
        assert!(
            Calibration::read(&SMALL.replacen("\"roundTripMs\": 10,", "\"roundTripMs\": 20,", 1)).is_err()
        );
    }
}
