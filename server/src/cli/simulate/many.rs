//! Several seeds of one scenario: the worst counts.

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde_json::{Map, Value, json};
use swarmseal_sim::{Outcome, Scenario, report};

use super::meter::Meter;
use super::one::outcome;
use super::plan::{Plan, Seeds};
use super::{Output, pool, summary};
use crate::cli::terminal::count;
use crate::cli::{Failure, print};

/// What is compared between seeds.
struct Figure {
    /// Its key in the JSON.
    key: &'static str,
    /// For people.
    name: &'static str,
    value: fn(&Outcome) -> Option<f64>,
    worse: Worse,
    shown: fn(f64) -> String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Worse {
    Lower,
    Higher,
}

pub(super) fn run(plan: &Plan, scenario: &Scenario, seeds: Seeds, output: &Output) -> Result<(), Failure> {
    let seeds = seeds.all();
    let runs = seeds.len() as u64 * if output.compare { 2 } else { 1 };
    let meter = Meter::new(output.quiet, &scenario.name, runs, scenario.seconds);
    let outcomes: Result<Vec<Outcome>, Failure> = pool(output.jobs)?.install(|| {
        seeds
            .par_iter()
            .map(|seed| {
                outcome(scenario, *seed, output.compare, false, &meter)
                    .map_err(|failure| plan.failed(*seed, &failure))
            })
            .collect()
    });
    meter.end();
    let outcomes = outcomes?;
    output.write_json(&together(scenario, &outcomes))?;
    if let Some(least) = outcomes.iter().min_by(|a, b| a.offload.total_cmp(&b.offload)) {
        output.write_html(|| report::html(least, &plan.command(least.seed)))?;
    }
    if output.quiet || output.json.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        return Ok(());
    }
    print(&table(scenario, &outcomes))
}

/// A figure over all seeds.
struct Compared {
    worst: f64,
    worst_seed: u64,
    median: f64,
    best: f64,
}

impl Figure {
    fn over(&self, outcomes: &[Outcome]) -> Option<Compared> {
        let mut values: Vec<(f64, u64)> = outcomes
            .iter()
            .filter_map(|outcome| Some(((self.value)(outcome)?, outcome.seed)))
            .collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        if self.worse == Worse::Higher {
            values.reverse();
        }
        let (worst, worst_seed) = *values.first()?;
        Some(Compared {
            worst,
            worst_seed,
            median: values.get(values.len() / 2)?.0,
            best: values.last()?.0,
        })
    }
}

fn table(scenario: &Scenario, outcomes: &[Outcome]) -> String {
    let seeds = count(outcomes.len() as u64, "seed");
    let mut text = format!("{}, {seeds}: {}\n\n", scenario.name, scenario.about);
    text.push_str(&format!(
        "  {:<34}{:>12}  {:<12}{:>12}{:>12}\n",
        "", "worst", "", "median", "best"
    ));
    for figure in FIGURES {
        if let Some(compared) = figure.over(outcomes) {
            text.push_str(&format!(
                "  {:<34}{:>12}  {:<12}{:>12}{:>12}\n",
                figure.name,
                (figure.shown)(compared.worst),
                format!("seed {}", compared.worst_seed),
                (figure.shown)(compared.median),
                (figure.shown)(compared.best)
            ));
        }
    }
    let checks: u64 = outcomes.iter().map(|outcome| outcome.invariant_checks).sum();
    text.push_str(&format!("\n  {} held\n", count(checks, "check")));
    text
}

/// Figures by name, and each run without what is long.
fn together(scenario: &Scenario, outcomes: &[Outcome]) -> Value {
    let mut figures = Map::new();
    for figure in FIGURES {
        if let Some(compared) = figure.over(outcomes) {
            figures.insert(
                figure.key.to_owned(),
                json!({
                    "worst": compared.worst,
                    "worstSeed": compared.worst_seed,
                    "median": compared.median,
                    "best": compared.best,
                }),
            );
        }
    }
    let runs: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let mut run = serde_json::to_value(outcome).unwrap_or_default();
            if let Some(fields) = run.as_object_mut() {
                for long in ["series", "segments", "perViewer", "scenarioFile"] {
                    fields.remove(long);
                }
            }
            run
        })
        .collect();
    json!({
        "scenario": scenario.name,
        "scenarioFile": scenario.to_toml(),
        "figures": figures,
        "runs": runs,
    })
}

fn milliseconds(value: f64) -> String {
    format!("{value:.0} ms")
}

fn small_percent(share: f64) -> String {
    format!("{:.3} %", share * 100.0)
}

fn plain(value: f64) -> String {
    format!("{value:.3}")
}

fn mebibits(bytes: f64) -> String {
    format!("{:.1} Mbit/s", bytes * 8.0 / 1e6)
}

const FIGURES: &[Figure] = &[
    Figure {
        key: "offload",
        name: "offload",
        value: |outcome| Some(outcome.offload),
        worse: Worse::Lower,
        shown: summary::percent,
    },
    Figure {
        key: "offloadOfBound",
        name: "offload by what uplinks allow",
        value: |outcome| (outcome.offload_bound > 0.0).then(|| outcome.offload / outcome.offload_bound),
        worse: Worse::Lower,
        shown: summary::percent,
    },
    Figure {
        key: "originBytesPerUniqueByte",
        name: "origin bytes per unique byte",
        value: |outcome| Some(outcome.origin_bytes_per_unique_byte),
        worse: Worse::Higher,
        shown: plain,
    },
    Figure {
        key: "startup",
        name: "  to start with",
        value: |outcome| Some(outcome.startup),
        worse: Worse::Higher,
        shown: plain,
    },
    Figure {
        key: "elected",
        name: "  for all others",
        value: |outcome| Some(outcome.elected),
        worse: Worse::Higher,
        shown: plain,
    },
    Figure {
        key: "rescue",
        name: "  to be in time",
        value: |outcome| Some(outcome.rescue),
        worse: Worse::Higher,
        shown: plain,
    },
    Figure {
        key: "rescueShare",
        name: "rescues, of all bytes",
        value: |outcome| Some(outcome.rescue_share),
        worse: Worse::Higher,
        shown: small_percent,
    },
    Figure {
        key: "startupSegmentsMost",
        name: "segments to start with, at most",
        value: |outcome| Some(f64::from(outcome.startup_segments_most)),
        worse: Worse::Higher,
        shown: |value| format!("{value:.0}"),
    },
    Figure {
        key: "rebufferRatio",
        name: "rebuffering",
        value: |outcome| Some(outcome.rebuffer_ratio),
        worse: Worse::Higher,
        shown: small_percent,
    },
    Figure {
        key: "rebufferRatioWithoutPeers",
        name: "  over HTTP alone",
        value: |outcome| Some(outcome.without_peers.as_ref()?.rebuffer_ratio),
        worse: Worse::Higher,
        shown: small_percent,
    },
    Figure {
        key: "firstFrameMedianMs",
        name: "first frame, median viewer",
        value: |outcome| Some(outcome.first_frame_ms.median),
        worse: Worse::Higher,
        shown: milliseconds,
    },
    Figure {
        key: "firstFrameMaxMs",
        name: "first frame, last viewer",
        value: |outcome| Some(outcome.first_frame_ms.max),
        worse: Worse::Higher,
        shown: milliseconds,
    },
    Figure {
        key: "firstFrameMissing",
        name: "viewers without a first frame",
        value: |outcome| Some(f64::from(outcome.first_frame_ms.missing)),
        worse: Worse::Higher,
        shown: |value| format!("{value:.0}"),
    },
    Figure {
        key: "firstFrameLaterP95Ms",
        name: "later than over HTTP alone, 95 %",
        value: |outcome| Some(outcome.without_peers.as_ref()?.first_frame_later_ms.p95),
        worse: Worse::Higher,
        shown: milliseconds,
    },
    Figure {
        key: "firstFrameLaterMaxMs",
        name: "later than over HTTP alone, all",
        value: |outcome| Some(outcome.without_peers.as_ref()?.first_frame_later_ms.max),
        worse: Worse::Higher,
        shown: milliseconds,
    },
    Figure {
        key: "originWorstSecondBytes",
        name: "origin in its worst second",
        value: |outcome| Some(outcome.origin_worst_second_bytes as f64),
        worse: Worse::Higher,
        shown: mebibits,
    },
    Figure {
        key: "topTenthShare",
        name: "sent by the busiest tenth",
        value: |outcome| Some(outcome.fairness.top_tenth_share),
        worse: Worse::Higher,
        shown: summary::percent,
    },
    Figure {
        key: "mostOfAllowed",
        name: "most sent of what was allowed",
        value: |outcome| Some(outcome.fairness.most_of_allowed),
        worse: Worse::Higher,
        shown: summary::percent,
    },
    Figure {
        key: "addressesPerViewerHour",
        name: "addresses learnt in an hour",
        value: |outcome| Some(outcome.addresses_per_viewer_hour),
        worse: Worse::Higher,
        shown: |value| format!("{value:.0}"),
    },
    Figure {
        key: "wallMs",
        name: "time that a run took",
        value: |outcome| Some(outcome.cost.wall_ms as f64),
        worse: Worse::Higher,
        shown: |value| format!("{:.1} s", value / 1_000.0),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> Vec<Outcome> {
        let outcome = |seed: u64, offload: f64, rebuffer_ratio: f64| Outcome {
            seed,
            offload,
            rebuffer_ratio,
            ..Outcome::default()
        };
        vec![
            outcome(1, 0.9, 0.0),
            outcome(2, 0.7, 0.01),
            outcome(3, 0.8, 0.002),
        ]
    }

    fn figure(key: &str) -> &'static Figure {
        FIGURES.iter().find(|figure| figure.key == key).unwrap()
    }

    #[test]
    fn the_worst_is_the_lowest_or_the_highest() {
        let offload = figure("offload").over(&outcomes()).unwrap();
        assert_eq!(
            (offload.worst, offload.worst_seed, offload.median, offload.best),
            (0.7, 2, 0.8, 0.9)
        );
        let stalls = figure("rebufferRatio").over(&outcomes()).unwrap();
        assert_eq!((stalls.worst, stalls.worst_seed, stalls.best), (0.01, 2, 0.0));
    }

    #[test]
    fn what_was_not_compared_is_left_out() {
        assert!(figure("firstFrameLaterMaxMs").over(&outcomes()).is_none());
        let json = together(&Scenario::default(), &outcomes());
        assert!(json["figures"]["firstFrameLaterMaxMs"].is_null());
        assert_eq!(json["figures"]["offload"]["worstSeed"], 2);
        assert!(json["runs"][0]["series"].is_null() && json["runs"][0]["seed"] == 1);
    }
}
