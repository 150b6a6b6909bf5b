use super::*;
use crate::record::{Record, Second, Segment, Sources, Viewer};
use crate::scenario::{Class, Scenario};

fn outcome() -> Outcome {
    let mut viewer = Viewer::new(Class::Dsl, 1_000, 0);
    viewer.segments = vec![Sources {
        from_peers: 5,
        from_origin: 5,
    }];
    let record = Record {
        seconds: vec![Second::default(); 3],
        segments: vec![Segment::default()],
        viewers: vec![viewer],
        ..Record::default()
    };
    let scenario = Scenario {
        name: "</script><script>alert(1)</script>".to_owned(),
        about: "the figures /* style */ /* script */ \"the figures\"".to_owned(),
        seconds: 3,
        ..Scenario::default()
    };
    Outcome::new(&scenario, 3, &record, None)
}

fn figures(page: &str) -> serde_json::Value {
    let (_, after) = page
        .split_once("<script id=\"figures\" type=\"application/json\">")
        .unwrap();
    let (json, _) = after.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_page_holds_all_figures_and_the_command() {
    let outcome = outcome();
    let figures = figures(&html(&outcome, "swarmseal simulate vod --seed 3"));
    let held: Outcome = serde_json::from_value(figures["outcome"].clone()).unwrap();
    assert_eq!(held, outcome);
    assert_eq!(figures["command"], "swarmseal simulate vod --seed 3");
}

#[test]
fn what_a_scenario_is_called_ends_no_element() {
    let page = html(&outcome(), "a <b> & c");
    assert!(page.contains("<title>&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;, seed 3</title>"));
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("alert(1)</script>"));
}

#[test]
fn a_page_needs_nothing_else() {
    let page = html(&outcome(), "");
    assert!(page.contains("default-src 'none'"));
    for outside in ["<link", "src=", "href=", "@import", "url(", "fetch(", "import("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let addresses: Vec<&str> = page.split("://").skip(1).map(|after| &after[..10]).collect();
    assert_eq!(addresses, ["www.w3.org"], "the name of SVG is the only address");
}

#[test]
fn style_and_script_are_in_the_page_once() {
    let page = html(&outcome(), "");
    assert_eq!(page.matches("--peers: #00796a").count(), 1);
    assert_eq!(page.matches("function heatMap()").count(), 1);
}
