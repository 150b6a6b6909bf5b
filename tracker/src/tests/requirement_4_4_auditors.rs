//! What auditors find: it puts out whom it names, and nobody can say it in an auditor's stead.

use std::collections::BTreeSet;

use swarmseal::content::{Hash, ObjectId, SecretKey, SwarmId, TrackId, tree};
use swarmseal::identity::{Drbg, Handle};
use swarmseal::signal::{ClientMessage, ReportCode, ServerMessage};

use super::announcer::{Announcer, films_with};
use super::report::{Outcome, conclude, runs};
use super::rig::{Rig, SWARM, handle, named, tracker_key};
use crate::{AuditRefused, CloseReason, Company, Fault, Finding, Input, SignedFinding, TrackerConfig, Visit};

fn auditor() -> SecretKey {
    SecretKey::from_seed(&[61; 32])
}

fn config() -> TrackerConfig {
    TrackerConfig {
        auditors: vec![auditor().public()],
        ..TrackerConfig::default()
    }
}

fn finding(rig: &Rig, about: Handle) -> Finding {
    Finding {
        swarm: SWARM,
        handle: about,
        fault: Fault::Chunk,
        object: ObjectId::new(TrackId(1), 3),
        chunk: 2,
        root: Hash([5; 32]),
        received: Hash([6; 32]),
        found_unix_s: rig.now.unix_ms / 1_000,
    }
}

fn take(rig: &mut Rig, signed: &SignedFinding) -> Result<(), AuditRefused> {
    // As it goes over the operator's channel.
    let text = serde_json::to_string(signed).unwrap();
    let taken = rig
        .tracker
        .take_finding(rig.now, &serde_json::from_str(&text).unwrap());
    rig.drain();
    taken
}

/// Whether a peer with this key is admitted now.
fn is_admitted(rig: &mut Rig, seed: u8) -> bool {
    let conn = rig.connect(u64::from(seed));
    let join = rig.join_message(conn, seed);
    matches!(
        rig.say(conn, ClientMessage::Join(join)).as_slice(),
        [ServerMessage::Joined(_), ..]
    )
}

#[test]
fn whom_an_auditor_has_caught_is_out_at_once_and_its_swarm_is_told() {
    let (mut attempts, mut stayed) = (0, 0);
    for seed in 1..=runs(100) as u8 {
        let mut rig = Rig::with(config());
        let polluter = rig.source(seed);
        let (viewer, _) = rig.join(200);
        let found = finding(&rig, handle(seed)).sign(&auditor());
        let taken = take(&mut rig, &found);
        // No time has passed.
        let is_out = rig.closed.get(&polluter) == Some(&CloseReason::Revoked)
            && named(&rig.heard(viewer)) == BTreeSet::from([handle(seed)])
            && rig.list(viewer, 30).is_empty()
            && !is_admitted(&mut rig, seed);
        attempts += 1;
        stayed += u64::from(taken != Ok(()) || !is_out);
    }
    conclude(&Outcome {
        threat: "7",
        attack: "a peer stays, is listed, or comes back, after an auditor has received junk from it",
        attempts,
        successes: stayed,
        figure: "out, unlisted and named to its swarm in the same turn",
        target: "0 stay",
    });
}

#[test]
fn a_polluter_that_has_left_is_named_to_its_swarm_and_does_not_come_back() {
    let (mut attempts, mut forgotten) = (0, 0);
    for seed in 1..=runs(100) as u8 {
        let mut rig = Rig::with(config());
        let polluter = rig.source(seed);
        let (viewer, _) = rig.join(200);
        rig.input(Input::Closed { conn: polluter });
        rig.sleep_ms(1_000);
        let found = finding(&rig, handle(seed)).sign(&auditor());
        let taken = take(&mut rig, &found);
        let only = BTreeSet::from([handle(seed)]);
        let is_told = named(&rig.heard(viewer)) == only;
        let conn = rig.connect(3);
        let join = rig.join_message(conn, 201);
        let newcomer_is_told = named(&rig.say(conn, ClientMessage::Join(join))) == only;
        attempts += 1;
        forgotten +=
            u64::from(taken != Ok(()) || !is_told || !newcomer_is_told || is_admitted(&mut rig, seed));
    }
    conclude(&Outcome {
        threat: "7",
        attack: "a polluter leaves the tracker before it is reported, and stays connected to its neighbours",
        attempts,
        successes: forgotten,
        figure: "named to its swarm and to newcomers all the same",
        target: "0 forgotten",
    });
}

#[test]
fn a_root_of_another_version_convicts_nobody() {
    let (mut rig, film) = films_with(config(), 1);
    let mut source = Announcer::holding_all(&mut rig, 1, &film[0]);
    source.announce(&mut rig, 0..10);
    source.comply(&mut rig);
    let mut found = finding(&rig, handle(1));
    let attempts = runs(1_000);
    let mut convicted = 0;
    for n in 0..attempts {
        found.object = ObjectId::new(TrackId(1), n as u32 % 10);
        found.root = Hash::of(&[&n.to_be_bytes()]);
        convicted += u64::from(take(&mut rig, &found.sign(&auditor())) != Err(AuditRefused::UnknownRoot));
    }
    convicted += u64::from(rig.closed.contains_key(&source.conn));
    conclude(&Outcome {
        threat: "7",
        attack: "an honest peer of another version of the content is reported by an auditor",
        attempts,
        successes: convicted,
        figure: "the tracker knows the roots of its versions",
        target: "0 honest peers removed",
    });
    found.root = tree::root(film[0].row(found.object));
    let signed = found.sign(&auditor());
    assert_eq!(take(&mut rig, &signed), Ok(()));
    assert_eq!(rig.closed.get(&source.conn), Some(&CloseReason::Revoked));
}

#[test]
fn nobody_speaks_in_an_auditors_stead() {
    let mut rig = Rig::with(config());
    rig.reads_back = false;
    let honest = rig.source(1);
    let stranger = SecretKey::from_seed(&[62; 32]);
    // What an operator's channel carried before: about somebody else, and long ago.
    let old = finding(&rig, handle(1)).sign(&auditor());
    let other = finding(&rig, handle(9)).sign(&auditor());
    rig.leap_ms(30_000);
    rig.input(Input::Alive { conn: honest });
    rig.leap_ms(31_000);
    rig.input(Input::Alive { conn: honest });
    let fresh = finding(&rig, handle(1));
    let altered = |change: &dyn Fn(&mut serde_json::Value)| -> SignedFinding {
        let mut value = serde_json::to_value(other).unwrap();
        value["finding"]["handle"] = handle(1).to_string().into();
        change(&mut value);
        serde_json::from_value(value).unwrap()
    };
    let elsewhere = Finding {
        swarm: SwarmId([8; 32]),
        ..fresh
    };
    let forgeries: [(SignedFinding, AuditRefused); 6] = [
        (fresh.sign(&stranger), AuditRefused::UnknownAuditor),
        (fresh.sign(&tracker_key()), AuditRefused::UnknownAuditor),
        (altered(&|_| {}), AuditRefused::BadSignature),
        (
            altered(&|value| value["finding"]["found_unix_s"] = fresh.found_unix_s.into()),
            AuditRefused::BadSignature,
        ),
        (old, AuditRefused::NotOfNow),
        (elsewhere.sign(&auditor()), AuditRefused::UnknownSwarm),
    ];
    let attempts = runs(60_000);
    let mut believed = 0;
    for n in 0..attempts {
        let (forged, _) = &forgeries[n as usize % forgeries.len()];
        believed += u64::from(rig.tracker.take_finding(rig.now, forged).is_ok());
    }
    rig.drain();
    let (looker, _) = rig.join(2);
    let is_there = !rig.closed.contains_key(&honest) && rig.list(looker, 30).contains(&handle(1));
    conclude(&Outcome {
        threat: "7",
        attack: "findings that no auditor of now has made: another key, altered, replayed, of elsewhere",
        attempts,
        successes: believed + u64::from(!is_there),
        figure: "the peer is connected and listed",
        target: "0 honest peers removed",
    });
    for (forged, reason) in &forgeries {
        assert_eq!(take(&mut rig, forged), Err(*reason));
    }
    assert_eq!(take(&mut rig, &fresh.sign(&auditor())), Ok(()), "it can be said");
}

fn visit(rig: &Rig, seed: u8) -> Visit {
    Visit {
        swarm: SWARM,
        handle: handle(seed),
        begins_unix_s: rig.now.unix_ms / 1_000,
    }
}

/// A swarm of a hundred sources of which one was complained of, once.
fn with_a_suspect() -> Rig {
    let mut rig = Rig::with(config());
    for seed in 1..=100 {
        rig.source(seed);
    }
    let (viewer, _) = rig.join(150);
    rig.say(viewer, ClientMessage::Introduce { peer: handle(42) });
    let report = ClientMessage::Report {
        peer: handle(42),
        code: ReportCode::BadChunk,
        object: None,
    };
    assert_eq!(rig.say(viewer, report), []);
    rig
}

#[test]
fn a_complaint_leads_auditors_and_nobody_else_to_whom_it_is_about() {
    let mut rig = with_a_suspect();
    let signed = visit(&rig, 200).sign(&auditor());
    assert!(rig.tracker.take_visit(rig.now, &signed).is_ok());
    let (visitor, joined) = rig.join(200);
    assert_eq!(joined.peers.len(), 30, "a list like any other");
    assert_eq!(joined.peers.first(), Some(&handle(42)));
    assert_eq!(rig.list(visitor, 1), [handle(42)]);
    // Met is met.
    rig.say(visitor, ClientMessage::Introduce { peer: handle(42) });
    assert!(!rig.list(visitor, 1).contains(&handle(42)));
    let first = (201..=240)
        .filter(|seed| rig.join(*seed).1.peers.first() == Some(&handle(42)))
        .count();
    assert!(first < 10, "{first} of 40 others were led to it");
    // It stays where it was.
    assert!(rig.tracker.standing(SWARM, handle(42)).is_some());
}

#[test]
fn a_complaint_leads_auditors_for_an_hour() {
    let mut rig = with_a_suspect();
    rig.leap_ms(3_600_001);
    // The others have been silent for too long by now; whoever is complained of comes back.
    for seed in 1..=100 {
        rig.source(seed);
    }
    let first: BTreeSet<Option<Handle>> = (200..=220)
        .map(|seed| {
            let signed = visit(&rig, seed).sign(&auditor());
            assert!(rig.tracker.take_visit(rig.now, &signed).is_ok());
            rig.join(seed).1.peers.first().copied()
        })
        .collect();
    assert!(first.len() > 5 && !first.contains(&None), "{first:?}");
}

#[test]
fn nobody_is_led_who_is_no_auditor() {
    let stranger = SecretKey::from_seed(&[62; 32]);
    let attempts = runs(100);
    let mut led = 0;
    let mut rig = with_a_suspect();
    rig.reads_back = false;
    for n in 0..attempts {
        let seed = 101 + (n % 40) as u8;
        let planned = visit(&rig, seed);
        let old = Visit {
            begins_unix_s: planned.begins_unix_s - 61,
            ..planned
        };
        let mut other = serde_json::to_value(visit(&rig, 250).sign(&auditor())).unwrap();
        other["visit"]["handle"] = handle(seed).to_string().into();
        let forged = match n % 3 {
            0 => planned.sign(&stranger),
            1 => old.sign(&auditor()),
            _ => serde_json::from_value(other).unwrap(),
        };
        led += u64::from(rig.tracker.take_visit(rig.now, &forged).is_ok());
        rig.leap_ms(1_000);
    }
    conclude(&Outcome {
        threat: "7",
        attack: "a peer passes for an auditor, to hear whom others complained of",
        attempts,
        successes: led,
        figure: "its lists are like any other's",
        target: "0 believed",
    });
}

/// A viewer gets 3 Mbit/s.
const VIEWER_BYTES_PER_S: u64 = 375_000;
/// What the engine asks of a peer that it does not know yet, and of any when time is short: four chunks.
const REQUEST_BYTES: u64 = 65_536;
/// Peers that are listed; the auditors' requests go to any of them alike.
const LISTED: u64 = 200;
/// Whoever is not found by then was not found.
const LIMIT_MS: u64 = 24 * 3_600_000;

/// Milliseconds until an auditor has received junk from one of the listed, who sends it in one request of `one_in`; auditors
/// fetch `per_100_000` parts of all bytes that viewers get.
fn detection_ms(random: &mut Drbg, one_in: u64, per_100_000: u64) -> u64 {
    let audited_per_s = LISTED * VIEWER_BYTES_PER_S * per_100_000 / 100_000;
    let mut requests: u64 = 1;
    while random.below(LISTED) != 0 || random.below(one_in) != 0 {
        requests += 1;
    }
    requests * REQUEST_BYTES * 1_000 / audited_per_s
}

#[test]
fn how_soon_a_polluter_is_found() {
    let mut random = Drbg::new([17; 32]);
    for (kind, one_in) in [
        (
            "junk in every request, whatever it signs or announces about it",
            1,
        ),
        ("junk in one request of twenty", 20),
    ] {
        for (share, per_100_000) in [("0.05", 50), ("0.1", 100), ("0.5", 500)] {
            let attempts = runs(2_000);
            let mut times: Vec<u64> = (0..attempts)
                .map(|_| detection_ms(&mut random, one_in, per_100_000))
                .collect();
            times.sort_unstable();
            let minutes = |ms: u64| format!("{}.{}", ms / 60_000, ms % 60_000 / 6_000);
            let mean = times.iter().sum::<u64>() / attempts;
            let p99 = times[(attempts * 99 / 100) as usize];
            let late = times.iter().filter(|ms| **ms > LIMIT_MS).count() as u64;
            // The one that took longest, through the tracker: nothing happens before, and all at once then.
            let mut rig = Rig::with(config());
            rig.reads_back = false;
            let polluter = rig.source(1);
            let longest = times[times.len() - 1];
            for _ in 0..longest / 30_000 {
                rig.leap_ms(30_000);
                rig.input(Input::Alive { conn: polluter });
            }
            assert!(!rig.closed.contains_key(&polluter));
            let found = finding(&rig, handle(1)).sign(&auditor());
            assert_eq!(take(&mut rig, &found), Ok(()));
            assert!(rig.closed.contains_key(&polluter));
            conclude(&Outcome {
                threat: "7",
                attack: &format!("{kind}, while auditors fetch {share} % of all bytes"),
                attempts,
                successes: late,
                figure: &format!(
                    "found after {} minutes in the mean, {} at p99",
                    minutes(mean),
                    minutes(p99)
                ),
                target: "all found within a day",
            });
        }
    }
}

#[test]
fn an_auditor_is_told_how_many_viewers_and_other_visits_there_are() {
    let mut rig = Rig::with(config());
    for seed in 1..=20 {
        rig.join(seed);
    }
    for (before, seed) in (100..103).enumerate() {
        let signed = visit(&rig, seed).sign(&auditor());
        let visits = before as u32 + 1;
        let company = Company { viewers: 20, visits };
        assert_eq!(rig.tracker.take_visit(rig.now, &signed), Ok(company));
        rig.join(seed);
        // Said twice, it is one visit.
        assert_eq!(rig.tracker.take_visit(rig.now, &signed), Ok(company));
    }
}
