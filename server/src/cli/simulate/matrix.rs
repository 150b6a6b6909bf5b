//! `swarmseal simulate matrix`: the whole grid, on all cores, and again from where it was left.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::{Deserialize, Serialize};
use swarmseal_sim::Failure as SimFailure;
use swarmseal_sim::matrix::{Cell, Figures, word};

use super::meter::Meter;
use super::{one, pool};
use crate::cli::terminal::count;
use crate::cli::{Exit, Failure, default_jobs, print};

/// Run the whole grid: loss, latency, churn, share and kind of misbehaving viewers, several seeds a cell
///
/// A cell fails when a run in it breaks an invariant, or when viewers were worse off than over HTTP alone: rebuffering
/// more than 0.1 % of play time above it, a first frame more than 200 ms later, or none. Failing cells are listed with
/// the command that runs the worst seed again. Exit status 3 if there are any.
#[derive(clap::Args)]
pub(super) struct Matrix {
    /// Keep each finished run in this file, and do not run again what is in it
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,

    /// Runs at the same time [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,

    /// Seeds of each cell, from 1 on
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,

    /// Viewers
    #[arg(long, value_name = "N", default_value_t = 60)]
    peers: u32,

    /// Simulated seconds
    #[arg(long, value_name = "S", default_value_t = 180)]
    seconds: u32,

    /// Only cells with this, such as churn=50 or kind=silent; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    only: Vec<String>,

    /// Write all figures to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

/// One line of the file that is kept: a run and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(flatten)]
    run: Run,
    #[serde(flatten)]
    ended: Ended,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    version: String,
    cell: Cell,
    seed: u64,
    peers: u32,
    seconds: u32,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Ended {
    Figures(Figures),
    Broken(String),
}

impl Matrix {
    pub(super) fn run(self) -> Result<(), Failure> {
        let runs = self.runs()?;
        self.json.as_deref().map_or(Ok(()), super::check)?;
        let (mut journal, known) = match &self.resume {
            Some(path) => Journal::open(path)?,
            None => (Journal { file: None }, HashMap::new()),
        };
        let meter = Meter::new(self.quiet, "matrix", runs.len() as u64 * 2, self.seconds);
        let lines = Mutex::new(Vec::new());
        let missing: Vec<&Run> = runs.iter().filter(|run| !known.contains_key(*run)).collect();
        for run in runs.iter() {
            if let Some(ended) = known.get(run) {
                meter.skip(2 * self.seconds);
                lock(&lines).push(Line {
                    run: run.clone(),
                    ended: ended.clone(),
                });
            }
        }
        let shared = Mutex::new(&mut journal);
        let jobs = self.jobs.map_or_else(|| default_jobs(false), usize::from);
        pool(jobs)?.install(|| {
            missing.par_iter().try_for_each(|run| {
                let line = Line {
                    run: (*run).clone(),
                    ended: run.end(&meter)?,
                };
                lock(&shared).append(&line)?;
                let mut lines = lock(&lines);
                lines.push(line);
                meter.say(format!("{} of {} runs", lines.len(), runs.len()));
                Ok::<(), Failure>(())
            })
        })?;
        meter.end();
        let mut lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        lines.sort_by_key(|line| runs.iter().position(|run| *run == line.run));
        self.tell(&lines)
    }

    fn runs(&self) -> Result<Vec<Run>, Failure> {
        let only: Vec<(&str, &str)> = self
            .only
            .iter()
            .map(|text| text.split_once('=').unwrap_or((text, "")))
            .collect();
        let chosen = |cell: &Cell| {
            only.iter().all(|(name, value)| {
                let kind = cell.kind.map_or("none", word);
                match *name {
                    "loss" => cell.loss.to_string() == *value,
                    "latency" => cell.latency.to_string() == *value,
                    "churn" => cell.churn.to_string() == *value,
                    "share" => cell.share.to_string() == *value,
                    "kind" => kind == *value,
                    _ => false,
                }
            })
        };
        let cells: Vec<Cell> = Cell::all().into_iter().filter(chosen).collect();
        if cells.is_empty() {
            return Err(Failure::new(
                "no_cell",
                format!("no cell of the grid has {}", self.only.join(" and ")),
                "there are loss=0|2|10 latency=20|200 churn=0|10|50 share=0|10|40 kind=none|corrupts|silent|slow|\
                 announces_what_it_lacks|free_rider",
            ));
        }
        let run = |cell: Cell, seed| Run {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cell,
            seed,
            peers: self.peers,
            seconds: self.seconds,
        };
        let all = cells
            .iter()
            .flat_map(|cell| (1..=self.seeds).map(|seed| run(*cell, seed)));
        let all: Vec<Run> = all.collect();
        for run in &all {
            run.cell
                .scenario(run.peers, run.seconds)
                .map_err(super::plan::refused)?;
        }
        Ok(all)
    }

    fn tell(&self, lines: &[Line]) -> Result<(), Failure> {
        let cells = judged(lines);
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(&serde_json::json!({
                "cells": cells,
                "runs": lines,
            }));
            let text = text.map_err(|error| Failure::new("output", error.to_string(), ""))?;
            super::write(path, &format!("{text}\n"))?;
        }
        let failing: Vec<&Judged> = cells.iter().filter(|cell| !cell.faults.is_empty()).collect();
        let mut text = format!(
            "{}, {} of {} viewers for {} s\n\n",
            count(cells.len() as u64, "cell"),
            count(lines.len() as u64, "run"),
            self.peers,
            self.seconds
        );
        text.push_str(&by_circumstance(&cells));
        for cell in &failing {
            text.push_str(&format!("\nFAILS {}: {}\n", cell.cell, cell.faults.join("; ")));
            text.push_str(&format!("      {}\n", cell.again));
        }
        text.push_str(&format!(
            "\n{} passed, {} failed\n",
            cells.len() - failing.len(),
            failing.len()
        ));
        print(&text)?;
        if failing.is_empty() {
            return Ok(());
        }
        let what = format!("{} of {} fail", failing.len(), count(cells.len() as u64, "cell"));
        let remedy = "each is listed with the command that runs its worst seed again";
        Err(Failure::new("matrix", what, remedy).with_exit(Exit::Mismatch))
    }
}

impl Run {
    fn end(&self, meter: &Meter) -> Result<Ended, Failure> {
        let scenario = self
            .cell
            .scenario(self.peers, self.seconds)
            .map_err(super::plan::refused)?;
        match one::outcome(&scenario, self.seed, true, false, meter) {
            Ok(outcome) => Ok(Ended::Figures(Figures::of(&outcome))),
            Err(SimFailure::Scenario(error)) => Err(super::plan::refused(error)),
            Err(broken) => Ok(Ended::Broken(broken.to_string())),
        }
    }

    fn command(&self) -> String {
        let mut command = format!("swarmseal simulate cell --seed {}", self.seed);
        command.push_str(&format!(" --peers {} --seconds {}", self.peers, self.seconds));
        for change in self.cell.changes() {
            let quotes = if change.contains('"') { "'" } else { "" };
            command.push_str(&format!(" --set {quotes}{change}{quotes}"));
        }
        command
    }
}

/// What the runs of a cell came to together.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Judged {
    #[serde(flatten)]
    cell: Cell,
    /// The worst seed's.
    worst_offload: f64,
    worst_rebuffer_ratio: f64,
    worst_first_frame_later_ms: f64,
    /// Of the worst run; empty if all are well.
    faults: Vec<String>,
    /// The command of that run.
    again: String,
}

fn judged(lines: &[Line]) -> Vec<Judged> {
    let mut cells: Vec<Judged> = Vec::new();
    for line in lines {
        let at = cells.iter().position(|judged| judged.cell == line.run.cell);
        let fresh = || Judged {
            cell: line.run.cell,
            worst_offload: 1.0,
            worst_rebuffer_ratio: 0.0,
            worst_first_frame_later_ms: 0.0,
            faults: Vec::new(),
            again: String::new(),
        };
        if at.is_none() {
            cells.push(fresh());
        }
        let last = cells.len() - 1;
        let Some(judged) = cells.get_mut(at.unwrap_or(last)) else {
            continue;
        };
        let faults = match &line.ended {
            Ended::Broken(what) => vec![what.clone()],
            Ended::Figures(figures) => {
                judged.worst_offload = judged.worst_offload.min(figures.offload);
                judged.worst_rebuffer_ratio = judged.worst_rebuffer_ratio.max(figures.rebuffer_ratio);
                judged.worst_first_frame_later_ms = judged
                    .worst_first_frame_later_ms
                    .max(figures.first_frame_later_ms);
                figures.faults()
            }
        };
        // Of several bad seeds the one with the most faults is shown.
        if faults.len() > judged.faults.len() {
            judged.faults = faults;
            judged.again = line.run.command();
        }
    }
    cells
}

/// Cells, failing ones, and the range of offload, by each value of each circumstance.
fn by_circumstance(cells: &[Judged]) -> String {
    let mut text = format!(
        "  {:<32}{:>6}{:>8}{:>18}\n",
        "", "cells", "failing", "least offload"
    );
    type Value = fn(&Cell) -> String;
    let circumstances: [Value; 5] = [
        |cell| format!("loss {} %", cell.loss),
        |cell| format!("latency {} ms", cell.latency),
        |cell| format!("churn {} % a minute", cell.churn),
        |cell| format!("{} % misbehave", cell.share),
        |cell| {
            cell.kind.map_or("nobody misbehaves".to_owned(), |kind| {
                word(kind).replace('_', " ")
            })
        },
    ];
    for value in circumstances {
        let mut names: Vec<String> = Vec::new();
        for cell in cells {
            let name = value(&cell.cell);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for name in names {
            let these: Vec<&Judged> = cells.iter().filter(|cell| value(&cell.cell) == name).collect();
            let failing = these.iter().filter(|cell| !cell.faults.is_empty()).count();
            let least = these.iter().map(|cell| cell.worst_offload).fold(1.0, f64::min);
            let least = super::summary::percent(least);
            text.push_str(&format!(
                "  {name:<32}{:>6}{failing:>8}{least:>18}\n",
                these.len()
            ));
        }
    }
    text
}

/// Finished runs, one line each; only ever appended to.
struct Journal {
    file: Option<File>,
}

impl Journal {
    /// What is known already. A last line that was not finished is taken off.
    fn open(path: &Path) -> Result<(Self, HashMap<Run, Ended>), Failure> {
        let failed = |error: std::io::Error| {
            let what = format!("{} cannot be used: {error}", path.display());
            Failure::new("resume", what, "check the path")
        };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut known = HashMap::new();
        for (number, line) in text.get(..whole).unwrap_or_default().lines().enumerate() {
            let line: Line = serde_json::from_str(line).map_err(|error| {
                let what = format!("{}, line {}: {error}", path.display(), number + 1);
                Failure::new(
                    "resume",
                    what,
                    "name a file that swarmseal simulate matrix wrote, or a new one",
                )
            })?;
            known.insert(line.run, line.ended);
        }
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok((Self { file: Some(file) }, known))
    }

    fn append(&mut self, line: &Line) -> Result<(), Failure> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let failed = |what: String| Failure::new("resume", what, "check the disk");
        let mut text = serde_json::to_string(line).map_err(|error| failed(error.to_string()))?;
        text.push('\n');
        file.write_all(text.as_bytes())
            .map_err(|error| failed(error.to_string()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seed: u64, figures: Figures) -> Line {
        let run = Run {
            version: "1".to_owned(),
            cell: Cell::all()[1],
            seed,
            peers: 5,
            seconds: 6,
        };
        Line {
            run,
            ended: Ended::Figures(figures),
        }
    }

    #[test]
    fn a_journal_is_read_up_to_where_it_was_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs.jsonl");
        let (mut journal, known) = Journal::open(&path).unwrap();
        assert!(known.is_empty());
        let (first, second) = (line(1, Figures::default()), line(2, Figures::default()));
        journal.append(&first).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"version\":\"1\",\"ce"].concat()).unwrap();
        let (mut journal, known) = Journal::open(&path).unwrap();
        assert_eq!(known, HashMap::from([(first.run.clone(), first.ended.clone())]));
        journal.append(&second).unwrap();
        let (_, known) = Journal::open(&path).unwrap();
        assert_eq!(known.len(), 2);
        assert_eq!(known[&second.run], second.ended);
    }

    #[test]
    fn another_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "my notes\nmore").unwrap();
        let Err(failure) = Journal::open(&path) else {
            panic!("taken for a journal");
        };
        assert_eq!(failure.code(), "resume");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes\nmore");
    }

    #[test]
    fn the_worst_seed_of_a_cell_counts() {
        let late = Figures {
            offload: 0.9,
            first_frame_later_ms: 900.0,
            ..Figures::default()
        };
        let poor = Figures {
            offload: 0.4,
            ..Figures::default()
        };
        let cells = judged(&[
            line(1, poor),
            line(2, late),
            line(
                3,
                Figures {
                    offload: 0.8,
                    ..Figures::default()
                },
            ),
        ]);
        assert_eq!(cells.len(), 1);
        let cell = &cells[0];
        assert_eq!(
            (cell.worst_offload, cell.worst_first_frame_later_ms),
            (0.4, 900.0)
        );
        assert_eq!(cell.faults.len(), 1);
        assert!(
            cell.again.contains("--seed 2 --peers 5 --seconds 6"),
            "{}",
            cell.again
        );
    }

    #[test]
    fn a_broken_invariant_is_told_as_it_is() {
        let mut broken = line(4, Figures::default());
        broken.ended = Ended::Broken("two_states: chunk 5".to_owned());
        let cells = judged(&[broken]);
        assert_eq!(cells[0].faults, ["two_states: chunk 5"]);
    }
}
