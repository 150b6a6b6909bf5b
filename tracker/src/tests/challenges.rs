//! Challenges as one announcer sees them: asked, shown, listed, asked again.

use swarmseal::content::TrackId;
use swarmseal::signal::{ClientMessage, ErrorCode, IntroductionId, ServerMessage};

use super::announcer::{Announcer, Asked, KIND_ASKS, films};
use super::rig::{Rig, SWARM, handle, refusal};
use crate::{Content, Standing, TrackerConfig};

#[test]
fn an_announcer_is_listed_once_it_has_shown_what_it_announced() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    let (looker, _) = rig.join(201);
    announcer.announce(&mut rig, 0..40);
    let asked = announcer.asked(&mut rig);
    assert_eq!(asked.picks.len(), 10);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Challenged));
    assert_eq!(rig.list(looker, 30), [], "not before its proof");
    announcer.answer(&mut rig, &asked);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Verified));
    assert_eq!(rig.list(looker, 30), [handle(1)]);
    assert_eq!(rig.tracker.counts().challenges_passed, 1);
    assert_eq!(rig.tracker.counts().chunks_shown, 10);
}

#[test]
fn a_newcomer_is_told_of_sources_before_it_has_proven_anything() {
    let (mut rig, film) = films(1);
    let mut first = Announcer::holding_all(&mut rig, 1, &film[0]);
    first.announce(&mut rig, 0..40);
    first.comply(&mut rig);
    let (_, joined) = rig.join(2);
    assert_eq!(joined.peers, [handle(1)]);
}

#[test]
fn few_chunks_are_all_asked_for() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    announcer.announce(&mut rig, 0..1);
    let mut picks = announcer.asked(&mut rig).picks;
    picks.sort();
    let chunks: Vec<u32> = picks.iter().map(|pick| pick.chunk).collect();
    assert_eq!(chunks, [0, 1, 2, 3]);
}

#[test]
fn picks_are_distinct_inside_what_is_announced_and_everywhere_in_it() {
    let (mut rig, film) = films(1);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 1..=100 {
        let mut announcer = Announcer::holding_all(&mut rig, seed, &film[0]);
        announcer.announce(&mut rig, 10..20);
        let mut picks = announcer.asked(&mut rig).picks;
        picks.sort();
        picks.dedup();
        assert_eq!(picks.len(), 10);
        for pick in picks {
            assert_eq!(pick.object.track, TrackId(1));
            assert!((10..20).contains(&pick.object.index));
            seen.insert(pick);
        }
    }
    assert_eq!(
        seen.len() as u64,
        film[0].chunks(10..20),
        "each chunk is asked for sometimes"
    );
}

#[test]
fn an_answer_may_not_come_late() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    let (looker, _) = rig.join(201);
    announcer.announce(&mut rig, 0..40);
    let asked = announcer.asked(&mut rig);
    rig.sleep_ms(3_000);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Failed));
    let heard = announcer.answer(&mut rig, &asked);
    assert_eq!(heard, [], "what comes late is no fault");
    assert_eq!(rig.list(looker, 30), []);
    // It is asked again, and heard.
    rig.sleep_ms(5_100);
    announcer.comply(&mut rig);
    assert_eq!(rig.list(looker, 30), [handle(1)]);
}

#[test]
fn what_nobody_asked_for_is_refused() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    announcer.announce(&mut rig, 0..40);
    let asked = announcer.asked(&mut rig);
    assert_eq!(announcer.show(&mut rig, &asked, 0), []);
    // The same again, one too many, and what belongs to no challenge.
    assert_eq!(
        refusal(&announcer.show(&mut rig, &asked, 0)),
        ErrorCode::NotSolicited
    );
    assert_eq!(
        refusal(&announcer.show(&mut rig, &asked, 11)),
        ErrorCode::NotSolicited
    );
    let other = Asked {
        id: IntroductionId([0; 16]),
        ..asked
    };
    assert_eq!(
        refusal(&announcer.sign(&mut rig, &other)),
        ErrorCode::NotSolicited
    );
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Challenged));
}

#[test]
fn what_was_withdrawn_before_the_answer_is_no_lie_and_no_proof() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding(&mut rig, 1, &film[0], 0..20);
    let (looker, _) = rig.join(201);
    announcer.announce(&mut rig, 0..40);
    let asked = announcer.asked(&mut rig);
    assert!(
        asked.picks.iter().any(|pick| pick.object.index >= 20),
        "it is asked for what is gone"
    );
    announcer.announce(&mut rig, 0..20);
    announcer.answer(&mut rig, &asked);
    assert_eq!(rig.list(looker, 30), [], "nothing is proven yet");
    // Asked again, it has what it now says that it has.
    announcer.comply(&mut rig);
    assert_eq!(rig.list(looker, 30), [handle(1)]);
}

#[test]
fn withdrawing_each_time_one_is_asked_does_not_help() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding(&mut rig, 1, &film[0], 0..0);
    let (looker, _) = rig.join(201);
    announcer.announce(&mut rig, 0..200);
    for others in [200..400, 0..200, 200..400] {
        let asked = announcer.asked(&mut rig);
        announcer.announce(&mut rig, others);
        announcer.answer(&mut rig, &asked);
        assert_eq!(rig.list(looker, 30), []);
    }
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Failed));
}

#[test]
fn proving_a_part_does_not_vouch_for_what_is_announced_meanwhile() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding(&mut rig, 1, &film[0], 0..20);
    let (looker, _) = rig.join(201);
    announcer.announce(&mut rig, 0..20);
    for _ in 0..5 {
        let asked = announcer.asked(&mut rig);
        announcer.announce(&mut rig, 0..400);
        announcer.answer(&mut rig, &asked);
        assert_eq!(
            rig.list(looker, 30),
            [],
            "it announces twenty times what it proved"
        );
        announcer.announce(&mut rig, 0..20);
        if rig.tracker.standing(SWARM, handle(1)) == Some(Standing::Failed) {
            return;
        }
    }
    panic!("nothing that it announced was ever asked for");
}

#[test]
fn a_proof_holds_for_sixteen_times_as_much_and_no_more() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    let (looker, _) = rig.join(201);
    announcer.announce(&mut rig, 0..10);
    announcer.comply(&mut rig);
    let chunks = film[0].chunks(0..10);
    let grown = (11..400)
        .find(|end| film[0].chunks(0..*end) > 16 * chunks)
        .unwrap();
    announcer.announce(&mut rig, 0..grown - 1);
    assert_eq!(rig.list(looker, 30), [handle(1)]);
    assert_eq!(announcer.open(&mut rig), None);
    announcer.announce(&mut rig, 0..grown);
    assert_eq!(rig.list(looker, 30), [], "until it is proven anew");
    announcer.comply(&mut rig);
    assert_eq!(rig.list(looker, 30), [handle(1)]);
}

#[test]
fn a_source_is_looked_at_again_as_far_as_it_announces_more() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    let mut announced = 200;
    announcer.announce(&mut rig, 0..announced);
    announcer.comply(&mut rig);
    let mut asked_for = 0;
    let before = film[0].chunks(0..200);
    for _ in 0..600 {
        rig.sleep_ms(1_000);
        announcer.stay(&mut rig);
        if let Some(asked) = announcer.open(&mut rig) {
            asked_for += asked.picks.len() as u64;
            announcer.answer(&mut rig, &asked);
            assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Verified));
        }
        if announced < 400 {
            announced += 1;
            announcer.announce(&mut rig, 0..announced);
        }
    }
    let news = film[0].chunks(0..400) - before;
    assert!(rig.tracker.counts().rechecks >= 4, "{:?}", rig.tracker.counts());
    assert!(
        asked_for * 200 <= before + news,
        "{asked_for} of {before} and {news} chunks: more than half a percent"
    );
}

#[test]
fn one_that_loses_what_it_proved_is_off_the_lists() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    let (looker, _) = rig.join(201);
    announcer.announce(&mut rig, 0..400);
    announcer.comply(&mut rig);
    announcer.forget_all();
    for listed_s in 0.. {
        if rig.tracker.source_count() == 0 {
            break;
        }
        rig.sleep_ms(1_000);
        announcer.stay(&mut rig);
        rig.input(crate::Input::Alive { conn: looker });
        assert!(listed_s < 100, "a recheck finds it");
        if let Some(asked) = announcer.open(&mut rig) {
            announcer.answer(&mut rig, &asked);
        }
    }
    assert_eq!(rig.list(looker, 30), []);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Failed));
}

#[test]
fn one_that_falls_silent_is_off_the_lists_after_three_rechecks() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    announcer.announce(&mut rig, 0..400);
    announcer.comply(&mut rig);
    let mut asked = 0;
    for second in 0.. {
        rig.sleep_ms(1_000);
        announcer.stay(&mut rig);
        asked += u32::from(announcer.open(&mut rig).is_some());
        if rig.tracker.source_count() == 0 {
            break;
        }
        assert!(
            second < 120,
            "90 s to the first recheck, and three times its deadline"
        );
    }
    assert_eq!(asked, 3);
    assert_eq!(rig.tracker.counts().challenges_late, 2);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Failed));
}

#[test]
fn a_recheck_that_is_missed_once_is_forgiven() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    announcer.announce(&mut rig, 0..400);
    announcer.comply(&mut rig);
    let mut asked = 0;
    for _ in 0..200 {
        rig.sleep_ms(1_000);
        announcer.stay(&mut rig);
        if let Some(challenge) = announcer.open(&mut rig) {
            asked += 1;
            if asked > 1 {
                announcer.answer(&mut rig, &challenge);
            }
        }
    }
    assert!(asked > 1);
    assert_eq!(rig.tracker.counts().challenges_failed, 0);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Verified));
}

#[test]
fn coming_back_does_not_undo_a_failure() {
    let (mut rig, film) = films(1);
    let mut liar = Announcer::holding(&mut rig, 1, &film[0], 0..0);
    liar.announce(&mut rig, 0..40);
    liar.comply(&mut rig);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Failed));
    let mut again = Announcer::holding_all(&mut rig, 1, &film[0]);
    again.announce(&mut rig, 0..40);
    assert_eq!(again.open(&mut rig), None, "not before its time");
    rig.sleep_ms(5_100);
    again.comply(&mut rig);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Verified));
}

#[test]
fn viewers_of_the_version_before_are_still_sources() {
    let (mut rig, film) = films(2);
    let mut old = Announcer::holding_all(&mut rig, 1, &film[1]);
    let mut new = Announcer::holding_all(&mut rig, 2, &film[0]);
    let (looker, _) = rig.join(201);
    old.announce(&mut rig, 0..40);
    new.announce(&mut rig, 0..40);
    old.comply(&mut rig);
    new.comply(&mut rig);
    let mut listed = rig.list(looker, 30);
    listed.sort();
    let mut both = [handle(1), handle(2)];
    both.sort();
    assert_eq!(listed, both);
}

#[test]
fn what_no_version_knows_lists_nobody() {
    let (mut rig, film) = films(1);
    let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
    let (looker, _) = rig.join(201);
    announcer.announce(&mut rig, 5_000..5_010);
    assert_eq!(announcer.open(&mut rig), None);
    assert_eq!(rig.list(looker, 30), []);
}

#[test]
fn without_roots_or_where_it_is_switched_off_the_word_counts() {
    for is_known in [false, true] {
        let mut config = TrackerConfig::default();
        config.challenge.required = !is_known;
        let mut rig = Rig::with(config);
        let roots = if is_known {
            films(1).1[0].roots()
        } else {
            Vec::new()
        };
        let content = Content {
            swarm: SWARM,
            secret: super::rig::secret(),
            roots,
            is_followed: false,
        };
        rig.tracker.set_contents(rig.now, [content]);
        let conn = rig.source(1);
        let (looker, _) = rig.join(201);
        assert_eq!(rig.list(looker, 30), [handle(1)]);
        assert!(!rig.heard(conn).iter().any(KIND_ASKS));
    }
}

#[test]
fn a_rush_of_announcers_is_put_off_and_not_forgotten() {
    let mut config = TrackerConfig::default();
    config.challenge.admissions = crate::Rate {
        burst: 5,
        per_minute: 60,
    };
    let (mut rig, film) = super::announcer::films_with(config, 1);
    let mut all: Vec<Announcer> = (1..=20)
        .map(|seed| Announcer::holding_all(&mut rig, seed, &film[0]))
        .collect();
    for announcer in &mut all {
        announcer.announce(&mut rig, 0..40);
    }
    assert_eq!(rig.tracker.counts().challenges, 5);
    for _ in 0..40 {
        rig.sleep_ms(500);
        for announcer in &mut all {
            if let Some(asked) = announcer.open(&mut rig) {
                announcer.answer(&mut rig, &asked);
            }
        }
    }
    assert_eq!(rig.tracker.source_count(), 20);
}

#[test]
fn an_answer_out_of_form_is_a_wrong_answer() {
    for answer in [
        Vec::new(),
        vec![0; 64],
        vec![0; 64 + 32 * 9],
        vec![1; 64 + 32 * 10],
    ] {
        let (mut rig, film) = films(1);
        let mut announcer = Announcer::holding_all(&mut rig, 1, &film[0]);
        announcer.announce(&mut rig, 0..40);
        let open = announcer.asked(&mut rig);
        let message = ClientMessage::ChallengeAnswer {
            challenge: open.id,
            answer,
        };
        assert_eq!(rig.say(announcer.conn, message), Vec::<ServerMessage>::new());
        assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Failed));
    }
}
