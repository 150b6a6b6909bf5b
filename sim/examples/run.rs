//! Runs one scenario and prints its figures, without lists: `cargo run --profile sim -p swarmseal-sim --example run -- vod
//! --seed 1 links.loss_permille=20`.

use std::error::Error;

use swarmseal_sim::scenario::{Change, Scenario, built_in};
use swarmseal_sim::{Outcome, run, run_without_peers};

/// Lists, of which the terminal would show nothing else.
const LISTS: [&str; 5] = ["scenarioFile", "series", "segments", "perViewer", "setup"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_else(|| "vod".into());
    let (mut seed, mut changes, mut with_control) = (1, Vec::new(), false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seed" => seed = words.next().unwrap_or_default().parse()?,
            "--control" => with_control = true,
            change => changes.push(Change::read(change)?),
        }
    }
    let text = match built_in(&name) {
        Some(scenario) => scenario.text.to_owned(),
        None => std::fs::read_to_string(&name)?,
    };
    let scenario = Scenario::read(&name, &text, &changes)?;
    let record = run(&scenario, seed, &mut ())?;
    let control = match with_control {
        true => Some(run_without_peers(&scenario, seed, &mut ())?),
        false => None,
    };
    let outcome = Outcome::new(&scenario, seed, &record, control.as_ref());
    let mut json = serde_json::to_value(&outcome)?;
    if let Some(figures) = json.as_object_mut() {
        figures.retain(|key, _| !LISTS.contains(&key.as_str()));
    }
    println!("{}", serde_json::to_string_pretty(&json)?);
    Ok(())
}
