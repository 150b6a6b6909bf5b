//! Which scenario, changed how, with which seeds: what the command line asks for, and the command that asks for it again.

use std::path::Path;
use std::str::FromStr;

use swarmseal_sim::Failure as SimFailure;
use swarmseal_sim::scenario::{Change, Scenario, ScenarioError, built_in};

use crate::cli::{Exit, Failure};

/// A scenario and what is changed in it.
pub(super) struct Plan {
    name: String,
    /// Its file.
    pub(super) text: String,
    peers: Option<u32>,
    seconds: Option<u32>,
    set: Vec<String>,
}

impl Plan {
    /// Finds the file of a scenario.
    pub(super) fn new(
        name: String,
        peers: Option<u32>,
        seconds: Option<u32>,
        set: Vec<String>,
    ) -> Result<Self, Failure> {
        let text = match built_in(&name) {
            Some(scenario) => scenario.text.to_owned(),
            None => std::fs::read_to_string(&name).map_err(|error| unknown(&name, &error))?,
        };
        Ok(Self {
            name,
            text,
            peers,
            seconds,
            set,
        })
    }

    /// Reads and checks it.
    pub(super) fn scenario(&self) -> Result<Scenario, Failure> {
        let numbers = [("peers", self.peers), ("seconds", self.seconds)];
        let numbers = numbers
            .iter()
            .filter_map(|(field, value)| value.map(|value| format!("{field}={value}")));
        let changes: Vec<Change> = self
            .set
            .iter()
            .cloned()
            .chain(numbers)
            .map(|text| Change::read(&text))
            .collect::<Result<_, _>>()
            .map_err(refused)?;
        Scenario::read(&self.name, &self.text, &changes).map_err(refused)
    }

    /// The command that makes a run again.
    pub(super) fn command(&self, seed: u64) -> String {
        let mut command = format!("swarmseal simulate {} --seed {seed}", quoted(&self.name));
        for (flag, value) in [("peers", self.peers), ("seconds", self.seconds)] {
            if let Some(value) = value {
                command.push_str(&format!(" --{flag} {value}"));
            }
        }
        for change in &self.set {
            command.push_str(&format!(" --set {}", quoted(change)));
        }
        command
    }

    /// What a user reads when a run ends without figures.
    pub(super) fn failed(&self, seed: u64, failure: &SimFailure) -> Failure {
        match failure {
            SimFailure::Scenario(error) => refused(error.clone()),
            other => {
                let again = format!("this command makes it happen again: {}", self.command(seed));
                Failure::new(failure.code(), other.to_string(), again).with_exit(Exit::Mismatch)
            }
        }
    }
}

pub(super) fn refused(error: ScenarioError) -> Failure {
    Failure::new(
        error.code(),
        error.to_string(),
        "swarmseal simulate --print shows every field with its unit and default",
    )
}

fn unknown(name: &str, error: &std::io::Error) -> Failure {
    let what = if Path::new(name).exists() {
        format!("{name} cannot be read: {error}")
    } else {
        format!("there is no scenario and no file called {name}")
    };
    Failure::new(
        "unknown_scenario",
        what,
        "swarmseal simulate --list shows those that come with the program; a file is named by its path",
    )
}

/// For a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./=:,+-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// `A..B`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seeds {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Seeds {
    pub(super) fn all(self) -> Vec<u64> {
        (self.first..=self.last).collect()
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once("..").and_then(|(first, last)| {
            Some(Self {
                first: first.parse().ok()?,
                last: last.parse().ok()?,
            })
        });
        parsed
            .filter(|seeds| {
                seeds
                    .last
                    .checked_sub(seeds.first)
                    .is_some_and(|more| more < MAX_SEEDS)
            })
            .ok_or_else(|| format!("write A..B, both included, such as 1..20; at most {MAX_SEEDS}"))
    }
}

/// More are not looked at together by anybody.
const MAX_SEEDS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_makes_the_same_plan_again() {
        let set = vec![
            "links.loss_permille=20".to_owned(),
            "misbehaviour.kinds=[\"silent\"]".to_owned(),
        ];
        let plan = Plan::new("vod".to_owned(), Some(7), None, set).unwrap();
        assert_eq!(
            plan.command(3),
            "swarmseal simulate vod --seed 3 --peers 7 --set links.loss_permille=20 --set 'misbehaviour.kinds=[\"silent\"]'"
        );
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(plan.scenario().unwrap().peers, 7);
    }

    #[test]
    fn seeds_include_both_ends() {
        assert_eq!("3..5".parse::<Seeds>().unwrap().all(), [3, 4, 5]);
        for wrong in ["5..3", "3", "a..b", "3..", "1..10001"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }
}
