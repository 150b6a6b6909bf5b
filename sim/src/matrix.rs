//! The grid of hard circumstances, and when a run in one of them fails.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::scenario::{Misbehaving, Scenario, ScenarioError, built_in};

/// Packets lost between two viewers, in percent.
pub const LOSS_PERCENT: [u32; 3] = [0, 2, 10];
/// One way between two viewers.
pub const LATENCY_MS: [u32; 2] = [20, 200];
/// Of the viewers present, how many leave in a minute.
pub const CHURN_PERCENT: [u32; 3] = [0, 10, 50];
/// Viewers that misbehave.
pub const MISBEHAVING_PERCENT: [u32; 3] = [0, 10, 40];
/// How they do.
pub const KINDS: [Misbehaving; 5] = [
    Misbehaving::Corrupts,
    Misbehaving::Silent,
    Misbehaving::Slow,
    Misbehaving::AnnouncesWhatItLacks,
    Misbehaving::FreeRider,
];

/// Rebuffering that counts as none, and by which it may be more than over HTTP alone.
const REBUFFERING: f64 = 0.001;
/// By how much a first frame may be later than over HTTP alone.
const LATER_MS: f64 = 200.0;

/// One combination of circumstances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cell {
    /// Percent of packets lost between two viewers.
    pub loss: u32,
    /// Milliseconds one way between two viewers.
    pub latency: u32,
    /// Percent of the viewers present that leave in a minute.
    pub churn: u32,
    /// Percent of viewers that misbehave.
    pub share: u32,
    /// How they do; none where nobody does.
    pub kind: Option<Misbehaving>,
}

/// What a run in a cell came to: what is judged, and what is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Share of the bytes that came from other viewers.
    pub offload: f64,
    /// The largest share that could have.
    pub offload_bound: f64,
    /// Origin bytes per unique byte.
    pub origin_bytes_per_unique_byte: f64,
    /// Time stalled by time that should have been played.
    pub rebuffer_ratio: f64,
    /// The same over HTTP alone.
    pub rebuffer_ratio_without_peers: f64,
    /// Viewers that waited for a first frame in vain.
    pub first_frame_missing: u32,
    /// The same over HTTP alone.
    pub first_frame_missing_without_peers: u32,
    /// By how much the viewer that lost most saw its first frame later than over HTTP alone.
    pub first_frame_later_ms: f64,
}

impl Cell {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let mut cells = Vec::new();
        for loss in LOSS_PERCENT {
            for latency in LATENCY_MS {
                for churn in CHURN_PERCENT {
                    for share in MISBEHAVING_PERCENT {
                        let cell = |kind| Self {
                            loss,
                            latency,
                            churn,
                            share,
                            kind,
                        };
                        if share == 0 {
                            cells.push(cell(None));
                        } else {
                            cells.extend(KINDS.map(|kind| cell(Some(kind))));
                        }
                    }
                }
            }
        }
        cells
    }

    /// What is changed in the scenario `cell`. Loss and latency of a pair are those of two access links.
    pub fn changes(&self) -> Vec<String> {
        let mut changes = vec![
            format!("links.loss_permille={}", self.loss * 10 / 2),
            format!("links.latency_ms={}", self.latency / 2),
            format!("churn.per_minute_percent={}", self.churn),
        ];
        if let Some(kind) = self.kind {
            changes.push(format!("misbehaviour.percent={}", self.share));
            changes.push(format!("misbehaviour.kinds=[\"{}\"]", word(kind)));
        }
        changes
    }

    /// The scenario of it.
    ///
    /// # Errors
    /// None in practice: the grid is within all bounds.
    pub fn scenario(&self, peers: u32, seconds: u32) -> Result<Scenario, ScenarioError> {
        let changes = self.changes();
        let sizes = [format!("peers={peers}"), format!("seconds={seconds}")];
        let changes = changes
            .iter()
            .chain(&sizes)
            .map(|text| crate::scenario::Change::read(text))
            .collect::<Result<Vec<_>, _>>()?;
        match built_in("cell") {
            Some(cell) => cell.read(&changes),
            None => Ok(Scenario::default()),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            loss,
            latency,
            churn,
            share,
            kind,
        } = self;
        write!(f, "loss={loss} latency={latency} churn={churn} share={share}")?;
        kind.map_or(Ok(()), |kind| write!(f, " kind={}", word(kind)))
    }
}

impl Figures {
    /// Of an outcome that was compared with HTTP alone.
    pub fn of(outcome: &Outcome) -> Self {
        let alone = outcome.without_peers.unwrap_or_default();
        Self {
            offload: outcome.offload,
            offload_bound: outcome.offload_bound,
            origin_bytes_per_unique_byte: outcome.origin_bytes_per_unique_byte,
            rebuffer_ratio: outcome.rebuffer_ratio,
            rebuffer_ratio_without_peers: alone.rebuffer_ratio,
            first_frame_missing: outcome.first_frame_ms.missing,
            first_frame_missing_without_peers: alone.first_frame_ms.missing,
            first_frame_later_ms: alone.first_frame_later_ms.max,
        }
    }

    /// In what viewers were worse off than over HTTP alone. Offload is not among it: it is a saving, and where it is low,
    /// the origin bears it.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let alone = self.rebuffer_ratio_without_peers;
        if self.rebuffer_ratio > alone + REBUFFERING {
            let (with, alone) = (self.rebuffer_ratio * 100.0, alone * 100.0);
            faults.push(format!("rebuffering {with:.2} %, over HTTP alone {alone:.2} %"));
        }
        let missing = self.first_frame_missing;
        if missing > self.first_frame_missing_without_peers {
            let alone = self.first_frame_missing_without_peers;
            faults.push(format!(
                "{missing} viewers without a first frame, over HTTP alone {alone}"
            ));
        }
        if self.first_frame_later_ms > LATER_MS {
            let later = self.first_frame_later_ms;
            faults.push(format!("a first frame {later:.0} ms later than over HTTP alone"));
        }
        faults
    }
}

/// As it is written in scenarios.
pub fn word(kind: Misbehaving) -> &'static str {
    match kind {
        Misbehaving::Corrupts => "corrupts",
        Misbehaving::Silent => "silent",
        Misbehaving::Slow => "slow",
        Misbehaving::AnnouncesWhatItLacks => "announces_what_it_lacks",
        Misbehaving::FreeRider => "free_rider",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_whole() {
        let cells = Cell::all();
        assert_eq!(cells.len(), 3 * 2 * 3 * (1 + 2 * 5));
        let mut names: Vec<String> = cells.iter().map(Cell::to_string).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), cells.len());
    }

    #[test]
    fn every_cell_is_a_scenario_and_half_of_the_way_is_each_link() {
        for cell in Cell::all() {
            let scenario = cell.scenario(60, 180).unwrap();
            assert_eq!(scenario.links.loss_permille, Some(cell.loss * 5));
            assert_eq!(scenario.links.latency_ms, Some(cell.latency / 2));
            assert_eq!(scenario.churn.per_minute_percent, cell.churn);
            assert_eq!(scenario.misbehaviour.percent, cell.share);
            if let Some(kind) = cell.kind {
                assert_eq!(scenario.misbehaviour.kinds, [kind]);
            }
        }
    }

    #[test]
    fn worse_than_alone_is_a_fault_and_as_bad_as_alone_is_none() {
        let fine = Figures {
            rebuffer_ratio: 0.011,
            rebuffer_ratio_without_peers: 0.0105,
            first_frame_missing: 2,
            first_frame_missing_without_peers: 2,
            first_frame_later_ms: 199.0,
            ..Figures::default()
        };
        assert_eq!(fine.faults(), Vec::<String>::new());
        let stalls = Figures {
            rebuffer_ratio: 0.012,
            ..fine.clone()
        };
        assert_eq!(stalls.faults(), ["rebuffering 1.20 %, over HTTP alone 1.05 %"]);
        let late = Figures {
            first_frame_later_ms: 201.0,
            ..fine.clone()
        };
        assert_eq!(late.faults().len(), 1);
        let missing = Figures {
            first_frame_missing: 3,
            ..fine
        };
        assert_eq!(missing.faults().len(), 1);
    }
}
