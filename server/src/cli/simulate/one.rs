//! One run, with a summary for the terminal.

use std::time::Instant;

use swarmseal_sim::{Failure as SimFailure, Outcome, Scenario, report};

use super::meter::Meter;
use super::plan::Plan;
use super::{Output, summary};
use crate::cli::{Failure, print};

pub(super) fn run(plan: &Plan, scenario: &Scenario, seed: u64, output: &Output) -> Result<(), Failure> {
    let runs = if output.compare { 2 } else { 1 };
    let meter = Meter::new(output.quiet, &scenario.name, runs, scenario.seconds);
    let outcome = outcome(scenario, seed, output.compare, output.jobs > 1, &meter);
    meter.end();
    let outcome = outcome.map_err(|failure| plan.failed(seed, &failure))?;
    output.write_json(&outcome)?;
    output.write_html(|| report::html(&outcome, &plan.command(seed)))?;
    if output.quiet || output.json.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        return Ok(());
    }
    print(&summary::text(&outcome, &plan.command(seed)))
}

/// The figures of one run, with its comparison beside it or before it.
pub(super) fn outcome(
    scenario: &Scenario,
    seed: u64,
    compare: bool,
    beside: bool,
    meter: &Meter,
) -> Result<Outcome, SimFailure> {
    let with = || {
        let began = Instant::now();
        let record = swarmseal_sim::run(scenario, seed, &mut meter.hand());
        (record, began.elapsed())
    };
    let without = || {
        let run = || swarmseal_sim::run_without_peers(scenario, seed, &mut meter.hand());
        compare.then(run).transpose()
    };
    let ((record, took), other) = if beside && compare {
        rayon::join(with, without)
    } else {
        (with(), without())
    };
    let mut outcome = Outcome::new(scenario, seed, &record?, other?.as_ref());
    outcome.cost.wall_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    Ok(outcome)
}
