use super::*;

fn read(text: &str, changes: &[&str]) -> Result<Scenario, ScenarioError> {
    let changes: Vec<Change> = changes
        .iter()
        .map(|text| Change::read(text))
        .collect::<Result<_, _>>()?;
    Scenario::read("a-file", text, &changes)
}

#[test]
fn the_documented_file_is_the_default() {
    let documented = Scenario::read("", DEFAULT_TOML, &[]).unwrap();
    assert_eq!(documented, Scenario::default());
}

#[test]
fn every_field_is_documented() {
    let full = Scenario {
        outages: vec![Outage {
            what: Failing::Tracker,
            from_second: 1,
            seconds: 1,
        }],
        ..Scenario::default()
    };
    let documented = |name: &str| {
        DEFAULT_TOML.lines().any(|line| {
            let key = line.trim_start_matches("# ").split('=').next();
            key.is_some_and(|key| key.trim() == name)
        })
    };
    let table: toml::Table = toml::from_str(&full.to_toml()).unwrap();
    let mut open = vec![(String::new(), table)];
    while let Some((path, table)) = open.pop() {
        for (name, value) in table {
            let path = format!("{path}{name}");
            match value {
                toml::Value::Table(inner) => {
                    assert!(DEFAULT_TOML.contains(&format!("\n[{path}]\n")), "[{path}]");
                    open.push((format!("{path}."), inner));
                }
                toml::Value::Array(items) if items.iter().all(toml::Value::is_table) => {
                    assert!(DEFAULT_TOML.contains(&format!("[[{path}]]\n")), "[[{path}]]");
                    for item in items {
                        open.push((format!("{path}."), item.as_table().unwrap().clone()));
                    }
                }
                _ => assert!(documented(&name), "{path}"),
            }
        }
    }
}

#[test]
fn the_built_in_scenarios_are_good_and_say_what_they_show() {
    assert!(BUILT_IN.len() >= 18);
    for scenario in BUILT_IN {
        let read = scenario
            .read(&[])
            .unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
        assert!(
            scenario.text.starts_with("# "),
            "{} has no comment",
            scenario.name
        );
        assert!(!read.about.is_empty(), "{} is not about anything", scenario.name);
        assert_eq!(read.name, scenario.name);
        let written = Scenario::read(scenario.name, &read.to_toml(), &[]).unwrap();
        assert_eq!(written, read, "{} changes when it is written", scenario.name);
    }
    assert!(built_in("vod").is_some() && built_in("no-such").is_none());
}

#[test]
fn every_scenario_file_is_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name
            .strip_suffix(".toml")
            .unwrap_or_else(|| panic!("{name} is no scenario"));
        assert!(built_in(name).is_some(), "{name} is not built in");
        files += 1;
    }
    assert_eq!(files, BUILT_IN.len());
}

#[test]
fn a_file_names_only_what_it_wants_otherwise() {
    let scenario = read(
        "peers = 7\n[links.dsl]\nuplink_kbps = 900\n[links.mix]\ndsl = 100\n",
        &[],
    )
    .unwrap();
    assert_eq!((scenario.peers, scenario.seconds), (7, 180));
    let dsl = scenario.links.link(Class::Dsl, 1_500);
    assert_eq!(
        (dsl.uplink_kbps, dsl.downlink_kbps, dsl.latency_ms),
        (900, 40_000, 8)
    );
    assert_eq!(
        scenario.links.mix.percent(Class::Fibre),
        0,
        "a mix is named whole"
    );
}

#[test]
fn a_mistake_names_its_field_and_says_what_holds() {
    for (text, code, words) in [
        (
            "peer = 5",
            "scenario_malformed",
            &["line 1", "`peer`", "`peers`"][..],
        ),
        (
            "[links]\nlatency = 5",
            "scenario_malformed",
            &["line 2", "`latency`", "`latency_ms`"],
        ),
        (
            "[links.dsl]\nuplink = 5",
            "scenario_malformed",
            &["`uplink`", "`uplink_kbps`"],
        ),
        (
            "[links]\nlatency_ms = \"far\"",
            "scenario_malformed",
            &["far", "\"class\""],
        ),
        ("peers = -1", "scenario_malformed", &["-1", "line 1"]),
        ("peers = ", "scenario_malformed", &["line 1"]),
        (
            "exposure = \"none\"",
            "scenario_malformed",
            &["none", "direct", "guarded", "relay"],
        ),
        (
            "[misbehaviour]\nkinds = [\"rude\"]",
            "scenario_malformed",
            &["rude", "free_rider"],
        ),
        (
            "peers = 0",
            "scenario_out_of_bounds",
            &["peers must be between 1 and 100000; it is 0"],
        ),
        (
            "[links.mix]\ndsl = 99",
            "scenario_out_of_bounds",
            &["links.mix", "100", "99"],
        ),
        (
            "[links.office]\nqueue_ms = 0",
            "scenario_out_of_bounds",
            &["links.office.queue_ms"],
        ),
        (
            "[misbehaviour]\npercent = 5\nkinds = []",
            "scenario_out_of_bounds",
            &["misbehaviour.kinds"],
        ),
        (
            "[content]\nkind = \"live\"\n[arrivals]\nstart = \"spread\"",
            "scenario_out_of_bounds",
            &["arrivals.start"],
        ),
        (
            "[player]\nswitches_per_minute_percent = 5",
            "scenario_out_of_bounds",
            &["content.renditions"],
        ),
        (
            "[[outage]]\nwhat = \"origin\"\nfrom_second = 500\nseconds = 5",
            "scenario_out_of_bounds",
            &["outage.from_second"],
        ),
    ] {
        let error = read(text, &[]).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
        for word in words {
            assert!(
                error.to_string().contains(word),
                "{text}: {error} says nothing of {word}"
            );
        }
    }
}

#[test]
fn a_change_is_like_another_line_of_the_file() {
    let scenario = read(
        "[links]\nloss_permille = 5\n",
        &[
            "links.loss_permille=20",
            "links.latency_ms=class",
            "content.kind=live",
            "churn.replace=false",
            "misbehaviour.kinds=[\"silent\", \"slow\"]",
            "links.mix={ dsl = 100 }",
        ],
    )
    .unwrap();
    assert_eq!(scenario.links.loss_permille, Some(20));
    assert_eq!(scenario.links.latency_ms, None);
    assert_eq!(scenario.content.kind, ContentKind::Live);
    assert!(!scenario.churn.replace);
    assert_eq!(
        scenario.misbehaviour.kinds,
        [Misbehaving::Silent, Misbehaving::Slow]
    );
    assert_eq!(scenario.links.mix.dsl, 100);
}

#[test]
fn a_wrong_change_is_shown_as_it_was_given() {
    for (change, word) in [
        ("peers", "FIELD=VALUE"),
        (".peers=5", "FIELD=VALUE"),
        ("peers=five five", "TOML"),
        ("peer=5", "`peer`"),
        ("links.dsl.uplink=5", "`uplink`"),
        ("peers.more=5", "invalid type"),
        ("content.kind=radio", "radio"),
    ] {
        let error = read("", &[change]).unwrap_err();
        assert_eq!(error.code(), "scenario_change", "{change}");
        let text = error.to_string();
        assert!(
            text.starts_with(change) && text.contains(word),
            "{change}: {text}"
        );
    }
}

#[test]
fn uplinks_are_scaled_to_the_mean_that_is_wanted() {
    let mut links = Links {
        mean_uplink_percent: Some(120),
        ..Links::default()
    };
    let mean: u64 = Class::ALL
        .iter()
        .map(|class| u64::from(links.mix.percent(*class)) * u64::from(links.link(*class, 1_500).uplink_kbps))
        .sum::<u64>()
        / 100;
    assert!((1_797..=1_800).contains(&mean), "{mean}");
    assert_eq!(links.link(Class::Dsl, 1_500).downlink_kbps, 40_000);
    links.mean_uplink_percent = None;
    assert_eq!(links.link(Class::Fibre, 1_500).uplink_kbps, 30_000);
}

#[test]
fn what_holds_for_all_classes_replaces_each_class() {
    let links = Links {
        loss_permille: Some(7),
        latency_ms: Some(8),
        jitter_ms: Some(9),
        ..Links::default()
    };
    for class in Class::ALL {
        let link = links.link(class, 1_500);
        assert_eq!((link.loss_permille, link.latency_ms, link.jitter_ms), (7, 8, 9));
    }
}

#[test]
fn offices_reach_others_but_not_their_like() {
    assert!(Class::Office.reaches(Class::Dsl) && Class::Dsl.reaches(Class::Office));
    assert!(!Class::Office.reaches(Class::Office));
    for class in Class::ALL {
        assert!(!class.reaches(Class::RelayOnly) && !Class::RelayOnly.reaches(class));
    }
}
