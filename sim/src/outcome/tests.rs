use super::*;
use crate::record::{Second, Segment};

const SECOND_US: u64 = 1_000_000;

/// Two viewers of ten seconds: the first gives 900 kB to the second.
fn two_viewers() -> (Scenario, Record) {
    let scenario = Scenario {
        name: "two".to_owned(),
        seconds: 10,
        peers: 2,
        ..Scenario::default()
    };
    let mut first = Viewer::new(Class::Fibre, 8_000, 0);
    first.first_frame_us = Some(300_000);
    first.played_us = 9_000_000;
    first.stalled_us = 500_000;
    first.stalls = 1;
    first.sent = 900_000;
    first.from_origin = FromOrigin {
        startup: 200_000,
        elected: 800_000,
        rescue: 0,
    };
    first.startup_segments = 2;
    first.addresses_learnt = 1;
    first.segments = vec![origin(500_000), origin(500_000), Sources::default()];
    let mut second = Viewer::new(Class::Dsl, 800, 5 * SECOND_US);
    second.left_us = Some(9 * SECOND_US + SECOND_US / 2);
    second.first_frame_us = Some(5 * SECOND_US + 400_000);
    second.played_us = 4_000_000;
    second.from_peers = 900_000;
    second.from_origin.rescue = 100_000;
    second.addresses_learnt = 1;
    second.segments = vec![
        Sources::default(),
        Sources {
            from_peers: 400_000,
            from_origin: 100_000,
        },
        Sources {
            from_peers: 500_000,
            from_origin: 0,
        },
    ];
    let mut seconds = vec![Second::default(); 10];
    seconds[2] = Second {
        viewers: 1,
        stalled: 1,
        from_origin: first.from_origin,
        first_segments: 150_000,
        ..Second::default()
    };
    seconds[6].from_peers = 900_000;
    seconds[6].sent = 900_000;
    let segment = Segment {
        unique: 500_000,
        from_origin: FromOrigin {
            startup: 100_000,
            elected: 400_000,
            rescue: 50_000,
        },
    };
    let record = Record {
        seconds,
        segments: vec![segment; 2],
        viewers: vec![first, second],
        connected_components: 1,
        event_log_hash: "ab".to_owned(),
        ..Record::default()
    };
    (scenario, record)
}

fn origin(from_origin: u32) -> Sources {
    Sources {
        from_peers: 0,
        from_origin,
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn figures_come_from_counts() {
    let (scenario, record) = two_viewers();
    let outcome = Outcome::new(&scenario, 7, &record, None);
    assert!(near(outcome.offload, 0.45), "{}", outcome.offload);
    assert!(near(outcome.origin_bytes_per_unique_byte, 1.1));
    assert!(near(outcome.startup, 0.2) && near(outcome.elected, 0.8) && near(outcome.rescue, 0.1));
    assert!(near(outcome.rescue_share, 0.05));
    assert!(near(outcome.rebuffer_ratio, 0.5 / 13.5));
    assert_eq!(outcome.first_frame_ms.median, 300.0);
    assert_eq!(outcome.first_frame_ms.max, 400.0);
    assert_eq!(outcome.startup_segments_most, 2);
    assert_eq!(outcome.origin_worst_second_bytes, 850_000);
    // Three addresses an hour would be one in twenty minutes; two viewers learnt one each in 14.5 s.
    assert!(near(outcome.addresses_per_viewer_hour, 2.0 * 3_600.0 / 14.5));
    assert!(outcome.without_peers.is_none());
}

#[test]
fn the_bound_counts_uplinks_while_they_are_there_and_first_copies() {
    let (scenario, mut record) = two_viewers();
    let outcome = Outcome::new(&scenario, 7, &record, None);
    // 8 Mbit/s for ten seconds, 0.8 Mbit/s for four and a half.
    assert_eq!(outcome.series.uplink_bytes[4], 1_000_000);
    assert_eq!(outcome.series.uplink_bytes[5], 1_100_000);
    assert_eq!(outcome.series.uplink_bytes[9], 1_050_000);
    assert!(near(outcome.uplink_use, 900_000.0 / 10_450_000.0));
    assert!(
        near(outcome.offload_bound, 0.5),
        "a first copy of each byte is from the origin"
    );
    record.viewers[0].upload_cap_kbps = Some(80);
    record.viewers[1].misbehaving = Some(Misbehaving::FreeRider);
    let capped = Outcome::new(&scenario, 7, &record, None);
    assert!(near(capped.offload_bound, 0.05), "{}", capped.offload_bound);
}

#[test]
fn a_viewer_that_waits_in_vain_is_counted_and_one_that_has_just_come_is_not() {
    let (scenario, mut record) = two_viewers();
    record.viewers[0].first_frame_us = None;
    record.viewers[1].first_frame_us = None;
    let outcome = Outcome::new(&scenario, 7, &record, None);
    assert_eq!(outcome.first_frame_ms.missing, 1);
    assert_eq!(outcome.first_frame_ms.max, 0.0);
}

#[test]
fn the_run_without_peers_is_compared_viewer_by_viewer() {
    let (scenario, record) = two_viewers();
    let mut without = record.clone();
    without.viewers[0].first_frame_us = Some(250_000);
    without.viewers[1].first_frame_us = Some(5 * SECOND_US + 900_000);
    without.viewers[0].stalled_us = 0;
    let compared = Outcome::new(&scenario, 7, &record, Some(&without))
        .without_peers
        .unwrap();
    assert_eq!(compared.rebuffer_ratio, 0.0);
    assert_eq!(compared.first_frame_ms.max, 900.0);
    assert_eq!(
        compared.first_frame_later_ms.max, 50.0,
        "what is earlier does not count against what is later"
    );
}

#[test]
fn sources_are_ninths_and_end_with_the_last_segment() {
    let (scenario, record) = two_viewers();
    let outcome = Outcome::new(&scenario, 7, &record, None);
    assert_eq!(outcome.per_viewer[0].sources, "99");
    assert_eq!(outcome.per_viewer[1].sources, ".20");
}

#[test]
fn the_busiest_tenth_is_at_least_one() {
    let (scenario, record) = two_viewers();
    let outcome = Outcome::new(&scenario, 7, &record, None);
    assert!(near(outcome.fairness.top_tenth_share, 1.0));
    assert!(near(outcome.fairness.most_of_allowed, 0.09));
}

#[test]
fn the_honest_that_are_punished_are_counted_apart() {
    let (scenario, mut record) = two_viewers();
    record.viewers[0].blamed_by = 1;
    record.viewers[1].misbehaving = Some(Misbehaving::Corrupts);
    let punished = Outcome::new(&scenario, 7, &record, None).misbehaviour;
    let Punished {
        misbehaving,
        punished_misbehaving,
        punished_honest,
    } = punished;
    assert_eq!((misbehaving, punished_misbehaving, punished_honest), (1, 0, 1));
}

#[test]
fn json_has_the_keys_that_others_read() {
    let (scenario, record) = two_viewers();
    let outcome = Outcome::new(&scenario, 7, &record, Some(&record));
    let json = serde_json::to_value(&outcome).unwrap();
    for key in [
        "offload",
        "originBytesPerUniqueByte",
        "startup",
        "elected",
        "rescue",
        "rebufferRatio",
        "firstFrameMs",
        "eventLogHash",
    ] {
        assert!(!json[key].is_null(), "{key}");
    }
    assert_eq!(json["perViewer"][1]["class"], "dsl");
    assert_eq!(json["withoutPeers"]["firstFrameLaterMs"]["max"], 0.0);
    assert_eq!(json["perViewer"][1]["firstFrameWithoutPeersMs"], 400.0);
    let file = json["scenarioFile"].as_str().unwrap();
    assert_eq!(
        Scenario::read("two", file, &[]).unwrap(),
        scenario,
        "the outcome can be made again"
    );
    let again: Outcome = serde_json::from_value(json).unwrap();
    assert_eq!(again, outcome);
}

#[test]
fn a_run_in_which_nothing_happens_has_no_strange_numbers() {
    let outcome = Outcome::new(&Scenario::default(), 0, &Record::default(), None);
    assert_eq!(
        (outcome.offload, outcome.rebuffer_ratio, outcome.offload_bound),
        (0.0, 0.0, 0.0)
    );
    assert_eq!(outcome.first_frame_ms, Spread::default());
}
