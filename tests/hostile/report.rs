//! One line for each threat: what was tried, how often it succeeded, what was to be reached.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

/// Where `npm run test:hostile` wants the lines; nothing is written without it.
const FILE: &str = "SWARMSEAL_HOSTILE_REPORT";

/// Asks for all runs; without it a tenth has to do, so that every test run can afford it.
const FULL: &str = "SWARMSEAL_HOSTILE_FULL";

/// How often to repeat what is to be repeated `full` times.
pub fn runs(full: u64) -> u64 {
    if std::env::var_os(FULL).is_some() {
        full
    } else {
        full.div_ceil(10)
    }
}

/// What came of one kind of attack.
pub struct Outcome<'a> {
    /// Row of docs/THREATS.md.
    pub threat: &'a str,
    /// What was tried, in words.
    pub attack: &'a str,
    /// How often it took place.
    pub attempts: u64,
    /// How often the attacker got what it wanted.
    pub successes: u64,
    /// What was measured beside that.
    pub figure: &'a str,
    /// What was to be reached.
    pub target: &'a str,
}

/// Writes the line down, then fails the test if the attack did not take place or had success.
pub fn conclude(outcome: &Outcome<'_>) {
    let line = serde_json::json!({
        "threat": outcome.threat,
        "attack": outcome.attack,
        "attempts": outcome.attempts,
        "successes": outcome.successes,
        "figure": outcome.figure,
        "target": outcome.target,
    });
    if let Some(path) = std::env::var_os(FILE) {
        let mut text = line.to_string();
        writeln!(text).unwrap();
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
    assert!(
        outcome.attempts > 0,
        "the attack did not take place: {}",
        outcome.attack
    );
    assert_eq!(outcome.successes, 0, "the attack succeeded: {}", outcome.attack);
}
