//! `swarmseal simulate`: thousands of viewers in simulated time.

mod many;
mod matrix;
mod meter;
mod one;
mod plan;
mod summary;

use std::fs::File;
use std::path::{Path, PathBuf};

use swarmseal_sim::scenario::{BUILT_IN, DEFAULT_TOML};

use crate::cli::{Failure, print};
use crate::publisher::in_words;
use plan::{Plan, Seeds};

/// Run a swarm of simulated viewers: the same engine, every run repeatable
///
/// SCENARIO is the name of one that comes with the program (--list) or a file. Every viewer runs the engine that
/// browsers run, over emulated links, with a model origin, a model player and the tracker's own rules. The same scenario
/// and seed give the same run everywhere.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Simulate {
    #[command(subcommand)]
    grid: Option<Grid>,

    /// Name or file
    #[arg(required_unless_present_any = ["list", "print"])]
    scenario: Option<String>,

    /// Seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Several seeds, A to B: shows the worst and the median of each figure
    #[arg(long, value_name = "A..B", conflicts_with = "seed")]
    seeds: Option<Seeds>,

    /// Viewers, instead of what the scenario says
    #[arg(long, value_name = "N")]
    peers: Option<u32>,

    /// Simulated seconds, instead of what the scenario says
    #[arg(long, value_name = "S")]
    seconds: Option<u32>,

    /// One field of the scenario otherwise, such as links.loss_permille=20; may be repeated
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,

    /// Write the figures to this file as JSON; - for the terminal
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write a page with plots to this file, which needs nothing else; with --seeds of the seed with the least offload
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Do not run the same viewers over HTTP alone to compare
    #[arg(long)]
    no_comparison: bool,

    /// Runs at the same time [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,

    /// No progress bar and no summary
    #[arg(long, short)]
    quiet: bool,

    /// List the scenarios that come with the program, with viewers and simulated time, and end
    #[arg(long)]
    list: bool,

    /// Print the file of a scenario and end; without SCENARIO the documented defaults of every field
    #[arg(long)]
    print: bool,
}

#[derive(clap::Subcommand)]
enum Grid {
    Matrix(matrix::Matrix),
}

impl Simulate {
    pub(super) fn run(self) -> Result<(), Failure> {
        if let Some(Grid::Matrix(matrix)) = self.grid {
            return matrix.run();
        }
        if self.list {
            return print(&list()?);
        }
        let plan = match self.scenario {
            Some(name) => Plan::new(name, self.peers, self.seconds, self.set)?,
            None => return print(DEFAULT_TOML),
        };
        if self.print {
            return print(&plan.text);
        }
        let scenario = plan.scenario()?;
        let output = Output {
            json: self.json,
            html: self.html,
            quiet: self.quiet,
            compare: !self.no_comparison,
            jobs: self
                .jobs
                .map_or_else(|| crate::cli::default_jobs(false), usize::from),
        };
        output.check()?;
        match self.seeds {
            Some(seeds) => many::run(&plan, &scenario, seeds, &output),
            None => one::run(&plan, &scenario, self.seed, &output),
        }
    }
}

/// What to do with figures, and how.
struct Output {
    json: Option<PathBuf>,
    html: Option<PathBuf>,
    quiet: bool,
    compare: bool,
    jobs: usize,
}

impl Output {
    fn check(&self) -> Result<(), Failure> {
        let json = self.json.as_ref().filter(|path| path.as_os_str() != "-");
        json.into_iter()
            .chain(&self.html)
            .try_for_each(|path| check(path))
    }

    fn write_json(&self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let Some(path) = &self.json else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::new("output", error.to_string(), ""))?;
        if path.as_os_str() == "-" {
            print(&format!("{text}\n"))
        } else {
            write(path, &format!("{text}\n"))
        }
    }

    fn write_html(&self, page: impl FnOnce() -> String) -> Result<(), Failure> {
        self.html.as_ref().map_or(Ok(()), |path| write(path, &page()))
    }
}

/// A run may take minutes: whether its figures can be written is known before it begins.
fn check(path: &Path) -> Result<(), Failure> {
    let opened = File::options().append(true).create(true).open(path);
    opened.map(drop).map_err(|error| unwritable(path, &error))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        "output",
        format!("{} cannot be written: {}", path.display(), in_words(error)),
        "check the path",
    )
}

/// Threads for runs: each run has one for itself.
fn pool(jobs: usize) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .map_err(|error| Failure::new("threads", error.to_string(), ""))
}

fn list() -> Result<String, Failure> {
    let width = BUILT_IN
        .iter()
        .map(|scenario| scenario.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for scenario in BUILT_IN {
        let read = scenario.read(&[]).map_err(plan::refused)?;
        let (peers, minutes, seconds) = (read.peers, read.seconds / 60, read.seconds % 60);
        text.push_str(&format!(
            "{:<width$}  {peers:>5}  {minutes:>2}:{seconds:02}  {}\n",
            scenario.name, read.about
        ));
    }
    Ok(text)
}
