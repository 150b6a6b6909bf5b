//! TR 33.844 §4.3: the network verifies whether a user announces truthfully. An announcement binds the one who makes it,
//! to this swarm, connection and time, so that nobody is listed by somebody else's words or by old ones; and before it
//! lists anybody, the tracker asks to see chunks that it picks at random.

use swarmseal::content::{Hash, SwarmId, tree};
use swarmseal::identity::Drbg;
use swarmseal::signal::{Announce, ClientMessage, NOT_HELD, Shown, sign_answer};

use super::announcer::{Announcer, Asked, Film, films, films_with};
use super::report::{Outcome, conclude, runs};
use super::rig::{Rig, SWARM, handle, keys};
use crate::{ConnId, Rate, Standing, TrackerConfig};

/// Members of the swarm that look at lists.
const ROUNDS: u8 = 40;

#[test]
fn nobody_is_listed_by_words_that_are_not_its_own() {
    let (mut attempts, mut listed) = (0, 0);
    for round in 0..ROUNDS {
        let mut rig = Rig::new();
        let (victim, attacker, onlooker) = (1 + round, 101 + round, 201);
        let (conn, _) = rig.join(attacker);
        let (looker, _) = rig.join(onlooker);
        let nonce = rig.nonces[&conn];
        let ranges = rig.announcement(conn, attacker, 7, 10).ranges;
        // What the victim said on its own connection, for its own swarm, and what the attacker can make of it.
        let (theirs, _) = rig.join(victim);
        let overheard = rig.announcement(theirs, victim, 1, 10);
        let forgeries = [
            overheard.clone(),
            rig.announcement(conn, victim, 7, 10),
            Announce {
                seq: 8,
                ..overheard.clone()
            },
            Announce {
                expires_s: 600,
                ..overheard
            },
            Announce::sign(&keys(attacker), SwarmId([1; 32]), &nonce, ranges.clone(), 120, 9),
            Announce::sign(&keys(attacker), SWARM, &[0; 32], ranges.clone(), 120, 9),
            Announce {
                signature: [0; 64],
                ..Announce::sign(&keys(attacker), SWARM, &nonce, ranges, 120, 9)
            },
        ];
        for forged in forgeries {
            let (conn, _) = rig.join(attacker);
            rig.nonces.insert(conn, nonce);
            rig.say(conn, ClientMessage::Announce(forged));
            attempts += 1;
            let list = rig.list(looker, 30);
            listed += u64::from(list.contains(&handle(victim)) || list.contains(&handle(attacker)));
        }
    }
    conclude(&Outcome {
        threat: "11",
        attack: "announcements forged, overheard, replayed, of another swarm or another connection",
        attempts,
        successes: listed,
        figure: "nobody listed",
        target: "0 listed",
    });
}

#[test]
fn an_old_announcement_lists_nobody() {
    let (mut attempts, mut listed) = (0, 0);
    for round in 0..ROUNDS {
        let mut rig = Rig::new();
        let source = rig.source(1 + round);
        let (looker, _) = rig.join(201);
        assert_eq!(
            rig.list(looker, 30),
            [handle(1 + round)],
            "it is listed while it holds"
        );
        // The peer stays and says nothing more of what it holds.
        for _ in 0..13 {
            rig.sleep_ms(10_000);
            rig.input(crate::Input::Alive { conn: source });
            rig.input(crate::Input::Alive { conn: looker });
        }
        attempts += 1;
        listed += rig.list(looker, 30).len() as u64;
        let replayed = rig.announcement(source, 1 + round, 1, 10);
        rig.say(source, ClientMessage::Announce(replayed));
        attempts += 1;
        listed += rig.list(looker, 30).len() as u64;
    }
    conclude(&Outcome {
        threat: "11",
        attack: "announcements that ran out, and the same said again",
        attempts,
        successes: listed,
        figure: "off the lists after their time",
        target: "0 listed",
    });
}

/// No limit that a day of attackers from one tracker would meet.
pub(super) fn unlimited() -> TrackerConfig {
    let all = Rate {
        burst: 10_000_000,
        per_minute: 10_000_000,
    };
    let mut config = TrackerConfig {
        joins_per_prefix: all,
        lists: all,
        announces: all,
        messages: all,
        max_connections_per_prefix: 1_000_000,
        ..TrackerConfig::default()
    };
    config.challenge.least_uplink_kbps = 1_000;
    config.challenge.admissions = all;
    config
}

/// How one that holds nothing may answer.
pub(super) type Lie = fn(&mut Rig, &mut Announcer, &Asked, &Film);

pub(super) const LIES: [Lie; 7] = [
    says_nothing,
    admits_it,
    shows_junk,
    shows_nothing,
    signs_junk,
    shows_other_chunks,
    comes_too_late,
];

fn says_nothing(rig: &mut Rig, _: &mut Announcer, _: &Asked, _: &Film) {
    rig.sleep_ms(5_000);
}

fn admits_it(rig: &mut Rig, liar: &mut Announcer, asked: &Asked, _: &Film) {
    liar.sign(rig, asked);
}

/// And signs the right hashes.
fn shows_junk(rig: &mut Rig, liar: &mut Announcer, asked: &Asked, film: &Film) {
    for number in 0..asked.picks.len() {
        let mut shown = right(film, asked, number);
        shown.leaf = Hash([7; 32]);
        liar.say_shown(rig, shown);
    }
    signed(rig, liar, asked, film);
}

/// And signs the right hashes.
fn shows_nothing(rig: &mut Rig, liar: &mut Announcer, asked: &Asked, film: &Film) {
    signed(rig, liar, asked, film);
    rig.sleep_ms(5_000);
}

/// And shows what it signs.
fn signs_junk(rig: &mut Rig, liar: &mut Announcer, asked: &Asked, film: &Film) {
    for number in 0..asked.picks.len() {
        let mut shown = right(film, asked, number);
        shown.leaf = Hash([7; 32]);
        liar.say_shown(rig, shown);
    }
    sign(rig, liar, asked, |_| Hash([7; 32]));
}

/// Of the same segments, and signs for them.
fn shows_other_chunks(rig: &mut Rig, liar: &mut Announcer, asked: &Asked, film: &Film) {
    let other = |number: usize| {
        let pick = asked.picks[number];
        let row = film.row(pick.object);
        let chunk = (pick.chunk as usize + 1) % row.len();
        (row[chunk], tree::path(row, chunk).unwrap())
    };
    for number in 0..asked.picks.len() {
        let (leaf, path) = other(number);
        let shown = Shown {
            leaf,
            path,
            ..right(film, asked, number)
        };
        liar.say_shown(rig, shown);
    }
    sign(rig, liar, asked, |number| other(number).0);
}

fn comes_too_late(rig: &mut Rig, liar: &mut Announcer, asked: &Asked, film: &Film) {
    rig.sleep_ms(3_000);
    in_full(rig, liar, asked, film);
}

/// Signs for these leaf hashes.
fn sign(rig: &mut Rig, liar: &Announcer, asked: &Asked, leaf: impl Fn(usize) -> Hash) {
    let leaves = (0..asked.picks.len()).flat_map(|number| leaf(number).0).collect();
    let answer = sign_answer(&liar.keys(), asked.id, &asked.question, leaves);
    liar.say_answer(rig, asked.id, answer);
}

/// Answers as one that holds everything would.
pub(super) fn in_full(rig: &mut Rig, liar: &Announcer, asked: &Asked, film: &Film) {
    for number in 0..asked.picks.len() {
        liar.say_shown(rig, right(film, asked, number));
    }
    signed(rig, liar, asked, film);
}

/// Signs what one that holds everything would sign.
fn signed(rig: &mut Rig, liar: &Announcer, asked: &Asked, film: &Film) {
    sign(rig, liar, asked, |number| film.leaf(&asked.picks[number]));
}

/// What one that holds everything would show.
fn right(film: &Film, asked: &Asked, number: usize) -> Shown {
    let pick = asked.picks[number];
    Shown {
        challenge: asked.id,
        number: number as u8,
        path: tree::path(film.row(pick.object), pick.chunk as usize).unwrap(),
        leaf: film.leaf(&pick),
    }
}

#[test]
fn one_that_holds_nothing_is_never_listed() {
    let (mut attempts, mut listed) = (0, 0);
    for round in 0..runs(300) {
        for tell in LIES {
            let (mut rig, film) = films_with(unlimited(), 1);
            let mut liar = Announcer::holding(&mut rig, 1 + (round % 100) as u8, &film[0], 0..0);
            let (looker, _) = rig.join(201);
            liar.announce(&mut rig, 0..400);
            // It is asked again after each failure, and may try as often as it is.
            let mut asked = Some(liar.asked(&mut rig));
            for _ in 0..3 {
                let Some(open) = asked else {
                    assert!(listed > 0, "only one that is believed is not asked again");
                    break;
                };
                tell(&mut rig, &mut liar, &open, &film[0]);
                attempts += 1;
                listed += rig.list(looker, 30).len() as u64;
                asked = again(&mut rig, looker, &mut liar);
            }
        }
    }
    conclude(&Outcome {
        threat: "11",
        attack: "announcers that hold nothing, and answer challenges in seven ways",
        attempts,
        successes: listed,
        figure: "none ever listed",
        target: "0 listed",
    });
}

/// Whether one that holds each chunk with a probability of so many thousandths passes one challenge.
fn passes(
    rig: &mut Rig,
    film: &Film,
    (looker, seed): (ConnId, u64),
    dice: &mut Drbg,
    thousandths: u64,
) -> bool {
    let (conn, keys) = rig.join_as(seed);
    let mut liar = Announcer::on(conn, keys);
    liar.announce(rig, 0..400);
    let asked = liar.asked(rig);
    let held: Vec<bool> = asked
        .picks
        .iter()
        .map(|_| dice.below(1_000) < thousandths)
        .collect();
    // It shows what it has, and signs for all, as it knows the rows.
    for (number, held) in held.into_iter().enumerate() {
        if held {
            liar.say_shown(rig, right(film, &asked, number));
        }
    }
    signed(rig, &liar, &asked, film);
    let is_listed = rig.list(looker, 30).contains(&liar.handle());
    rig.input(crate::Input::Closed { conn });
    is_listed
}

#[test]
fn half_a_liar_passes_one_trial_in_a_thousand() {
    let (mut rig, film) = films_with(unlimited(), 1);
    rig.reads_back = false;
    let (looker, _) = rig.join(201);
    let mut dice = Drbg::new([5; 32]);
    let trials = runs(50_000);
    let passed = (0..trials)
        .filter(|seed| passes(&mut rig, &film[0], (looker, *seed), &mut dice, 500))
        .count() as u64;
    // 1 in 1,024 is expected. Beyond that is chance, of which six standard deviations are allowed.
    let expected = trials as f64 / 1_024.0;
    let most = expected + 6.0 * expected.sqrt();
    assert!((passed as f64) < most, "{passed} of {trials}");
    conclude(&Outcome {
        threat: "11",
        attack: "announcers that hold half of what they announce, at their first challenge",
        attempts: trials,
        successes: 0,
        figure: &format!("{passed} passed: {:.3} %", passed as f64 * 100.0 / trials as f64),
        target: "at most 0.1 % (1 in 1,024 expected)",
    });
}

#[test]
fn one_with_nine_tenths_is_found_within_66_samples() {
    let mut dice = Drbg::new([6; 32]);
    let trials = runs(20_000);
    let mut not_found = 0;
    let (mut rig, film) = films_with(unlimited(), 1);
    rig.reads_back = false;
    for trial in 0..trials {
        let (conn, keys) = rig.join_as(trial);
        let mut liar = Announcer::on(conn, keys);
        liar.announce(&mut rig, 0..400);
        let mut samples = 0;
        let mut is_found = false;
        while samples < 66 && !is_found {
            let Some(asked) = liar.open(&mut rig) else {
                // It announces the same as before as if it were new, which pays for the next look.
                rig.leap_ms(30_000);
                liar.stay(&mut rig);
                liar.announce(&mut rig, 0..1);
                liar.announce(&mut rig, 0..400);
                continue;
            };
            for number in 0..asked.picks.len() {
                if samples >= 66 || is_found {
                    break;
                }
                samples += 1;
                let mut shown = right(&film[0], &asked, number);
                if dice.below(10) == 0 {
                    shown.leaf = NOT_HELD;
                }
                liar.say_shown(&mut rig, shown);
                is_found = rig.tracker.standing(SWARM, liar.handle()) == Some(Standing::Failed);
            }
            signed(&mut rig, &liar, &asked, &film[0]);
        }
        not_found += u64::from(!is_found);
        rig.input(crate::Input::Closed { conn });
    }
    // 0.9^66 is 0.096 %; chance beyond that is allowed six standard deviations.
    let expected = trials as f64 * 0.000_955;
    let most = expected + 6.0 * expected.sqrt();
    assert!((not_found as f64) < most, "{not_found} of {trials}");
    conclude(&Outcome {
        threat: "11",
        attack: "announcers that hold nine tenths of what they announce, 66 samples each",
        attempts: trials,
        successes: 0,
        figure: &format!(
            "{not_found} not found: {:.3} %",
            not_found as f64 * 100.0 / trials as f64
        ),
        target: "found at 99.9 % (0.096 % missed expected)",
    });
}

#[test]
fn answers_that_were_made_for_something_else_fail() {
    let (attempts, listed) = made_for_something_else(|| films_with(unlimited(), 1));
    conclude(&Outcome {
        threat: "11",
        attack: "answers overheard, signed by another handle, made before the question, and replayed",
        attempts,
        successes: listed,
        figure: "none listed",
        target: "0 listed",
    });
}

/// How often it was tried on such trackers, and somebody was listed.
pub(super) fn made_for_something_else(set: impl Fn() -> (Rig, Vec<Film>)) -> (u64, u64) {
    let (mut attempts, mut listed) = (0, 0);
    for round in 0..runs(400) {
        let (mut rig, film) = set();
        let (looker, _) = rig.join(201);
        let (holder, liar) = (1 + (round % 50) as u8, 101 + (round % 50) as u8);
        let mut holder = Announcer::holding_all(&mut rig, holder, &film[0]);
        let mut liar = Announcer::holding(&mut rig, liar, &film[0], 0..0);
        holder.announce(&mut rig, 0..400);
        let theirs = holder.asked(&mut rig);
        liar.announce(&mut rig, 0..400);
        let first = liar.asked(&mut rig);
        // Overheard: what an honest peer answers to its own challenge, under the name of one's own.
        let overheard: Vec<u8> = theirs
            .picks
            .iter()
            .flat_map(|pick| film[0].leaf(pick).0)
            .collect();
        let answer = sign_answer(&holder.keys(), theirs.id, &theirs.question, overheard.clone());
        liar.say_answer(&mut rig, first.id, answer);
        attempts += 1;
        listed += rig.list(looker, 30).len() as u64;

        // Wrong handle: the right hashes to the right question, signed by somebody else who holds it all.
        let Some(asked) = again(&mut rig, looker, &mut liar) else {
            assert!(listed > 0, "only one that is believed is not asked again");
            continue;
        };
        for number in 0..asked.picks.len() {
            liar.say_shown(&mut rig, right(&film[0], &asked, number));
        }
        let leaves: Vec<u8> = asked.picks.iter().flat_map(|pick| film[0].leaf(pick).0).collect();
        let answer = sign_answer(&holder.keys(), asked.id, &asked.question, leaves);
        liar.say_answer(&mut rig, asked.id, answer);
        attempts += 1;
        listed += rig.list(looker, 30).len() as u64;

        // Precomputed: a question of one's own choice, answered before any was asked.
        let Some(asked) = again(&mut rig, looker, &mut liar) else {
            assert!(listed > 0, "only one that is believed is not asked again");
            continue;
        };
        let chosen = Asked {
            question: first.question.clone(),
            picks: first.picks.clone(),
            ..asked.clone()
        };
        in_full(&mut rig, &liar, &chosen, &film[0]);
        attempts += 1;
        listed += rig.list(looker, 30).len() as u64;

        // Replayed: one's own good answer to an earlier challenge.
        let Some(asked) = again(&mut rig, looker, &mut liar) else {
            assert!(listed > 0, "only one that is believed is not asked again");
            continue;
        };
        let answer = sign_answer(&liar.keys(), first.id, &first.question, overheard.clone());
        for number in 0..first.picks.len() {
            liar.say_shown(&mut rig, right(&film[0], &first, number));
        }
        liar.say_answer(&mut rig, asked.id, answer);
        attempts += 1;
        listed += rig.list(looker, 30).len() as u64;
    }
    (attempts, listed)
}

/// Waits until the liar is asked again; `None` if it is not, because it is believed.
pub(super) fn again(rig: &mut Rig, looker: ConnId, liar: &mut Announcer) -> Option<Asked> {
    (0..700).find_map(|_| {
        rig.leap_ms(1_000);
        liar.stay(rig);
        rig.input(crate::Input::Alive { conn: looker });
        liar.open(rig)
    })
}

#[test]
fn one_that_fetches_the_picks_elsewhere_in_time_counts_as_retrievable() {
    // Not defended (docs/THREATS.md): who has a fast way to the origin passes without holding anything. What it cannot do
    // is to come late; the time that it has is the figure.
    let (mut passed, mut longest_ms) = (0, 0);
    for fetch_ms in (0..4_000).step_by(100) {
        let (mut rig, film) = films(1);
        let mut fetcher = Announcer::holding(&mut rig, 1, &film[0], 0..0);
        fetcher.announce(&mut rig, 0..400);
        let asked = fetcher.asked(&mut rig);
        rig.sleep_ms(fetch_ms);
        in_full(&mut rig, &fetcher, &asked, &film[0]);
        if rig.tracker.standing(SWARM, handle(1)) == Some(Standing::Verified) {
            passed += 1;
            longest_ms = fetch_ms;
        }
    }
    assert!(passed > 0, "that it passes is what is said of it");
    // 1,000 ms for an unknown round trip, 500 ms of grace, 1,392 ms for ten chunks at 1 Mbit/s.
    assert_eq!(longest_ms, 2_800);
    conclude(&Outcome {
        threat: "11",
        attack: "announcers that hold nothing and fetch what is asked for elsewhere: not defended",
        attempts: 40,
        successes: 0,
        figure: &format!("listed where ten chunks are fetched and sent within {longest_ms} ms"),
        target: "stated as retrievable, with its figure",
    });
}
