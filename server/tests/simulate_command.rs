//! `swarmseal simulate`: the whole program, run as a user runs it, with small swarms.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use swarmseal_sim::scenario::BUILT_IN;
use tempfile::TempDir;

struct Ran {
    status: i32,
    out: String,
    error: String,
}

fn simulate(folder: &Path, arguments: &[&str]) -> Ran {
    let ran = Command::new(env!("CARGO_BIN_EXE_swarmseal"))
        .arg("simulate")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    Ran {
        status: ran.status.code().unwrap(),
        out: String::from_utf8(ran.stdout).unwrap(),
        error: String::from_utf8(ran.stderr).unwrap(),
    }
}

/// Four viewers for twenty seconds.
const SMALL: [&str; 4] = ["--peers", "4", "--seconds", "20"];

fn with_small<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &SMALL[..]].concat()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn one_run_gives_a_summary_json_and_a_page() {
    let folder = TempDir::new().unwrap();
    let ran = simulate(
        folder.path(),
        &with_small(&["vod", "--seed", "5", "--json", "run.json", "--html", "run.html"]),
    );
    assert_eq!((ran.status, ran.error.as_str()), (0, ""));
    assert!(ran.out.starts_with("vod, seed 5: "), "{}", ran.out);
    for line in [
        "offload",
        "origin",
        "rebuffering",
        "first frame",
        "HTTP alone",
        "uplinks",
    ] {
        assert!(ran.out.contains(line), "{line} in {}", ran.out);
    }
    let command = "swarmseal simulate vod --seed 5 --peers 4 --seconds 20";
    assert!(ran.out.contains(command), "{}", ran.out);
    assert!(!ran.out.contains('\x1b'), "colours where there is no terminal");
    let figures = json(&folder.path().join("run.json"));
    for key in [
        "offload",
        "originBytesPerUniqueByte",
        "startup",
        "elected",
        "rescue",
        "rebufferRatio",
        "firstFrameMs",
        "eventLogHash",
        "withoutPeers",
        "perViewer",
    ] {
        assert!(!figures[key].is_null(), "{key}");
    }
    assert_eq!(
        (&figures["seed"], &figures["peers"]),
        (&Value::from(5), &Value::from(4))
    );
    assert_eq!(figures["series"]["viewers"].as_array().unwrap().len(), 20);
    let page = std::fs::read_to_string(folder.path().join("run.html")).unwrap();
    assert!(page.contains("<title>vod, seed 5</title>") && page.contains(command));
    assert!(page.contains(figures["eventLogHash"].as_str().unwrap()));
}

#[test]
fn the_same_seed_is_the_same_run_and_another_is_another() {
    let folder = TempDir::new().unwrap();
    let hash = |seed: &str| {
        let ran = simulate(
            folder.path(),
            &with_small(&["vod", "--seed", seed, "--no-comparison", "--json", "-"]),
        );
        let figures: Value = serde_json::from_str(&ran.out).unwrap();
        assert!(figures["withoutPeers"].is_null());
        figures["eventLogHash"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("3"), hash("3"));
    assert_ne!(hash("3"), hash("4"));
}

#[test]
fn a_kept_outcome_holds_the_scenario_that_makes_it_again() {
    let folder = TempDir::new().unwrap();
    let first = [
        "live",
        "--set",
        "links.loss_permille=20",
        "--no-comparison",
        "--quiet",
        "--json",
        "a.json",
    ];
    assert_eq!(simulate(folder.path(), &with_small(&first)).status, 0);
    let figures = json(&folder.path().join("a.json"));
    std::fs::write(
        folder.path().join("again.toml"),
        figures["scenarioFile"].as_str().unwrap(),
    )
    .unwrap();
    let again = simulate(
        folder.path(),
        &["./again.toml", "--no-comparison", "--quiet", "--json", "b.json"],
    );
    assert_eq!((again.status, again.out.as_str()), (0, ""));
    assert_eq!(
        json(&folder.path().join("b.json"))["eventLogHash"],
        figures["eventLogHash"]
    );
}

#[test]
fn several_seeds_show_the_worst() {
    let folder = TempDir::new().unwrap();
    let ran = simulate(
        folder.path(),
        &with_small(&[
            "vod",
            "--seeds",
            "1..3",
            "--json",
            "all.json",
            "--html",
            "worst.html",
        ]),
    );
    assert_eq!((ran.status, ran.error.as_str()), (0, ""));
    assert!(
        ran.out.contains("worst") && ran.out.contains("3 seeds"),
        "{}",
        ran.out
    );
    let all = json(&folder.path().join("all.json"));
    assert_eq!(all["runs"].as_array().unwrap().len(), 3);
    let offloads = all["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["offload"].as_f64().unwrap());
    let least = offloads.fold(1.0, f64::min);
    assert_eq!(all["figures"]["offload"]["worst"].as_f64().unwrap(), least);
    let seed = all["figures"]["offload"]["worstSeed"].as_u64().unwrap();
    let page = std::fs::read_to_string(folder.path().join("worst.html")).unwrap();
    assert!(page.contains(&format!("<title>vod, seed {seed}</title>")));
}

#[test]
fn mistakes_are_named_and_have_their_status() {
    let folder = TempDir::new().unwrap();
    std::fs::write(
        folder.path().join("mine.toml"),
        "peers = 3\n[links]\nlatency = 5\n",
    )
    .unwrap();
    for (arguments, status, words) in [
        (
            &["nowhere"][..],
            1,
            &["error[unknown_scenario]", "nowhere", "--list"][..],
        ),
        (
            &["./mine.toml"],
            1,
            &["error[scenario_malformed]", "line 3", "`latency`", "`latency_ms`"],
        ),
        (
            &["vod", "--set", "peers=none of it"],
            1,
            &["error[scenario_change]", "peers=none of it"],
        ),
        (
            &["vod", "--set", "link.loss_permille=5"],
            1,
            &["error[scenario_change]", "`link`", "`links`"],
        ),
        (
            &["vod", "--peers", "0"],
            1,
            &["error[scenario_out_of_bounds]", "peers must be between"],
        ),
        (&["vod", "--seeds", "5..2"], 2, &["1..20"]),
        (&["vod", "--seed", "1", "--seeds", "1..2"], 2, &["--seed"]),
        (&[], 2, &["<SCENARIO>"]),
        (
            &[
                "vod",
                "--peers",
                "2",
                "--seconds",
                "2",
                "--json",
                "no/such/folder.json",
            ],
            1,
            &["error[output]"],
        ),
        (
            &["matrix", "--only", "loss=5"],
            1,
            &["error[no_cell]", "loss=5", "loss=0|2|10"],
        ),
        (
            &["matrix", "--only", "kind=silent", "--peers", "0"],
            1,
            &["error[scenario_out_of_bounds]", "peers"],
        ),
    ] {
        let ran = simulate(folder.path(), arguments);
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.error);
        for word in words {
            assert!(
                ran.error.contains(word),
                "{arguments:?}: {} says nothing of {word}",
                ran.error
            );
        }
    }
}

#[test]
fn what_cannot_be_written_is_said_before_the_run() {
    let folder = TempDir::new().unwrap();
    for arguments in [
        &["vod-1000", "--html", "no/page.html"][..],
        &["vod-1000", "--seeds", "1..3", "--json", "no/all.json"],
        &["matrix", "--json", "no/grid.json"],
    ] {
        let ran = simulate(folder.path(), arguments);
        let said = format!(
            "error[output]: {} cannot be written: no such file or directory; check the path\n",
            arguments.last().unwrap()
        );
        // Hours of simulated time would come first, and show a meter.
        assert_eq!((ran.status, ran.error), (1, said));
    }
}

#[test]
fn scenarios_can_be_listed_and_printed() {
    let folder = TempDir::new().unwrap();
    let list = simulate(folder.path(), &["--list"]);
    assert_eq!(list.status, 0);
    assert_eq!(list.out.lines().count(), BUILT_IN.len());
    let printed = simulate(folder.path(), &["churn", "--print"]);
    assert!(printed.out.contains("per_minute_percent = 50"), "{}", printed.out);
    let defaults = simulate(folder.path(), &["--print"]);
    assert_eq!(defaults.out, swarmseal_sim::scenario::DEFAULT_TOML);
}

#[test]
fn every_scenario_runs_small() {
    let folder = TempDir::new().unwrap();
    for scenario in BUILT_IN {
        let seconds = if scenario.text.contains("[[outage]]") {
            "130"
        } else {
            "20"
        };
        let arguments = [
            scenario.name,
            "--peers",
            "5",
            "--seconds",
            seconds,
            "--quiet",
            "--json",
            "run.json",
        ];
        let ran = simulate(folder.path(), &arguments);
        assert_eq!((ran.status, ran.error.as_str()), (0, ""), "{}", scenario.name);
        let figures = json(&folder.path().join("run.json"));
        assert!(
            figures["bytes"]["unique"].as_u64().unwrap() > 0,
            "{}: nobody watched",
            scenario.name
        );
        assert_eq!(figures["misbehaviour"]["punishedHonest"], 0, "{}", scenario.name);
    }
}

#[test]
fn the_matrix_goes_on_where_it_was_left() {
    let folder = TempDir::new().unwrap();
    let base = [
        "matrix",
        "--only",
        "latency=20",
        "--only",
        "share=0",
        "--only",
        "loss=0",
        "--resume",
        "runs.jsonl",
    ];
    let run = |seeds: &str| {
        let sizes = [
            "--seeds",
            seeds,
            "--peers",
            "3",
            "--seconds",
            "12",
            "--json",
            "matrix.json",
        ];
        let ran = simulate(folder.path(), &[&base[..], &sizes[..]].concat());
        assert!(ran.out.contains("3 cells"), "{} {}", ran.out, ran.error);
        // A cell that fails has its line and makes the status 3.
        assert_eq!(ran.status == 3, ran.out.contains("FAILS"), "{}", ran.out);
        std::fs::read_to_string(folder.path().join("runs.jsonl")).unwrap()
    };
    let first = run("1");
    assert_eq!(first.lines().count(), 3);
    let second = run("2");
    assert!(second.starts_with(&first), "what was finished is kept as it was");
    assert_eq!(second.lines().count(), 6);
    assert_eq!(run("2"), second, "nothing is run again");
    let figures = json(&folder.path().join("matrix.json"));
    assert_eq!(figures["cells"].as_array().unwrap().len(), 3);
    assert_eq!(figures["runs"].as_array().unwrap().len(), 6);
}
