//! TR 33.844 §4.4, first bullet: the network verifies whether what a user shares was tampered with. Built so far is the
//! half that protects the honest: a complaint that proves nothing makes the tracker look, and has no other consequence,
//! however often it comes. Not built: a complaint that proves something (docs/THREATS.md, row 7).

use swarmseal::content::{ObjectId, TrackId};
use swarmseal::signal::{ClientMessage, ReportCode};

use super::announcer::{Announcer, films_with};
use super::report::{Outcome, conclude, runs};
use super::rig::{Rig, SWARM, handle};
use crate::{ConnId, Rate, Standing, TrackerConfig};

/// Complaints of each of the framers.
const COMPLAINTS: u64 = 2_000;
const FRAMERS: u8 = 10;

#[test]
fn no_number_of_complaints_removes_an_honest_peer() {
    let mut rig = Rig::new();
    let honest = 1;
    let source = rig.source(honest);
    let (looker, _) = rig.join(200);
    let mut attempts = 0;
    let mut framers = Vec::new();
    for framer in 0..FRAMERS {
        let (conn, _) = rig.join(20 + framer);
        // Half of them have met it.
        if framer % 2 == 0 {
            rig.say(conn, ClientMessage::Introduce { peer: handle(honest) });
        }
        framers.push(conn);
    }
    for n in 0..COMPLAINTS {
        for conn in &framers {
            let code = [
                ReportCode::BadChunk,
                ReportCode::BadRows,
                ReportCode::Handshake,
                ReportCode::Misbehaviour,
            ];
            rig.say(
                *conn,
                ClientMessage::Report {
                    peer: handle(honest),
                    code: code[n as usize % 4],
                    object: Some(ObjectId {
                        track: TrackId(1),
                        index: n as u32 % 10,
                    }),
                },
            );
            attempts += 1;
        }
        if n % 100 == 0 {
            rig.sleep_ms(1_000);
            rig.input(crate::Input::Alive { conn: source });
            rig.input(crate::Input::Alive { conn: looker });
        }
    }
    let counted: u64 = rig.tracker.counts().reports.values().sum();
    assert!(counted > 0, "complaints arrived");
    let removed = rig.closed.contains_key(&source) || !rig.list(looker, 30).contains(&handle(honest));
    conclude(&Outcome {
        threat: "7",
        attack: "complaints about an honest peer, by strangers and by peers that met it",
        attempts,
        successes: u64::from(removed),
        figure: &format!("{counted} of them counted; the peer is connected and listed"),
        target: "0 honest peers removed",
    });
}

/// A tracker that knows a film, and a source of it that is listed; peers that met the source and may complain without end.
fn slandered(seed: u8) -> (Rig, Announcer, Vec<ConnId>) {
    let all = Rate {
        burst: 10_000_000,
        per_minute: 10_000_000,
    };
    let config = TrackerConfig {
        reports: all,
        messages: all,
        ..TrackerConfig::default()
    };
    let (mut rig, film) = films_with(config, 1);
    rig.reads_back = false;
    let mut source = Announcer::holding_all(&mut rig, seed, &film[0]);
    source.announce(&mut rig, 0..400);
    source.comply(&mut rig);
    let framers = (0..FRAMERS).map(|framer| {
        let (conn, _) = rig.join(100 + framer);
        rig.say(conn, ClientMessage::Introduce { peer: handle(seed) });
        conn
    });
    let framers = framers.collect();
    (rig, source, framers)
}

fn complain(rig: &mut Rig, framers: &[ConnId], about: u8, n: u64) {
    let conn = framers[n as usize % framers.len()];
    let report = ClientMessage::Report {
        peer: handle(about),
        code: ReportCode::BadChunk,
        object: None,
    };
    rig.say(conn, report);
}

#[test]
fn a_million_complaints_cost_an_honest_source_nothing_but_a_look() {
    let (mut rig, mut source, framers) = slandered(1);
    let (looker, _) = rig.join(200);
    let attempts = runs(1_000_000);
    let (mut removed, mut shown) = (0, 0);
    for n in 0..attempts {
        complain(&mut rig, &framers, 1, n);
        if n % 1_000 == 0 {
            rig.leap_ms(100);
            for conn in framers.iter().chain([&looker, &source.conn]) {
                rig.input(crate::Input::Alive { conn: *conn });
            }
        }
        if n % 1_000 == 0
            && let Some(asked) = source.open(&mut rig)
        {
            shown += asked.picks.len();
            source.answer(&mut rig, &asked);
        }
        if n % 10_000 == 0 {
            // What it announces ends after ten minutes.
            source.announce(&mut rig, 0..400);
            removed += u64::from(!rig.list(looker, 30).contains(&handle(1)));
        }
    }
    removed += u64::from(rig.closed.contains_key(&source.conn));
    conclude(&Outcome {
        threat: "7",
        attack: "complaints about an honest source, by peers that met it, where the tracker can look",
        attempts,
        successes: removed,
        figure: &format!("it showed {shown} chunks more, and stayed listed"),
        target: "0 honest peers removed",
    });
    assert!(shown > 0, "they make the tracker look");
    // 2,395 chunks were announced; rechecks may ask for one in 200 of them.
    assert!(shown <= 12, "{shown} chunks: no more than rechecks may ask for");
}

#[test]
fn one_complaint_about_a_source_that_has_lost_everything_is_enough() {
    for round in 0..20 {
        let seed = 1 + round;
        let (mut rig, mut source, framers) = slandered(seed);
        source.forget_all();
        complain(&mut rig, &framers, seed, 0);
        assert_eq!(
            rig.tracker.standing(SWARM, handle(seed)),
            Some(Standing::Verified),
            "it proves nothing by itself"
        );
        let asked = (0..51).find_map(|_| {
            rig.sleep_ms(100);
            source.open(&mut rig)
        });
        source.answer(&mut rig, &asked.expect("it is asked within five seconds"));
        assert_eq!(rig.tracker.standing(SWARM, handle(seed)), Some(Standing::Failed));
    }
}

#[test]
fn who_is_complained_of_comes_later_in_lists_and_is_not_left_out() {
    let config = TrackerConfig {
        random_share_percent: 25,
        ..TrackerConfig::default()
    };
    let mut rig = Rig::with(config);
    for seed in 1..=60 {
        rig.source(seed);
    }
    let (framer, _) = rig.join(100);
    rig.say(framer, ClientMessage::Introduce { peer: handle(1) });
    for _ in 0..8 {
        let report = ClientMessage::Report {
            peer: handle(1),
            code: ReportCode::Misbehaviour,
            object: None,
        };
        rig.say(framer, report);
    }
    let listed = (0..200)
        .filter(|n| {
            rig.leap_ms(1_000);
            let (conn, joined) = rig.join(101 + (n % 100) as u8);
            rig.input(crate::Input::Closed { conn });
            joined.peers.contains(&handle(1))
        })
        .count();
    // Of thirty places eight are drawn out of sixty: about 27 of 200 lists. Ranked like the others it would be 100.
    assert!((5..60).contains(&listed), "{listed} of 200 lists");
}
