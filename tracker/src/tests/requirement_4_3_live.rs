//! TR 33.844 §4.3 for live contents: whoever announces segments is asked to show some of those that heads have stated, and
//! nobody is listed for segments that none has.

use super::announcer::{Announcer, KIND_ASKS, broadcast};
use super::report::{Outcome, conclude, runs};
use super::requirement_4_3_adversarial_announcement::{
    LIES, again, in_full, made_for_something_else, unlimited,
};
use super::rig::{SWARM, handle};
use crate::{Content, Standing, TrackerConfig};

#[test]
fn one_that_holds_no_live_segment_is_never_listed() {
    let (mut attempts, mut listed) = (0, 0);
    for round in 0..runs(300) {
        for tell in LIES {
            let (mut rig, film) = broadcast(unlimited());
            let mut liar = Announcer::holding(&mut rig, 1 + (round % 100) as u8, &film, 0..0);
            let (looker, _) = rig.join(201);
            // Before the first head, after it, and for segments that are still to come.
            liar.announce(&mut rig, 0..400);
            attempts += 1;
            listed += rig.list(looker, 30).len() as u64;
            rig.state(Some(film.stated(0..200)));
            let mut asked = liar.open(&mut rig);
            for size in [202, 240, 320] {
                let Some(open) = asked else {
                    assert!(listed > 0, "only one that is believed is not asked");
                    break;
                };
                assert!(open.picks.iter().all(|pick| pick.object.index < size));
                rig.state(Some(film.stated(size - 200..size)));
                tell(&mut rig, &mut liar, &open, &film);
                attempts += 1;
                listed += rig.list(looker, 30).len() as u64;
                liar.announce(&mut rig, size..400);
                attempts += 1;
                listed += rig.list(looker, 30).len() as u64;
                liar.announce(&mut rig, 0..400);
                asked = again(&mut rig, looker, &mut liar);
            }
        }
    }
    conclude(&Outcome {
        threat: "11",
        attack: "announcers that hold nothing of a live content, before, at and after its edge, and answer in seven ways",
        attempts,
        successes: listed,
        figure: "none ever listed",
        target: "0 listed",
    });
}

#[test]
fn answers_about_live_segments_that_were_made_for_something_else_fail() {
    let (attempts, listed) = made_for_something_else(|| {
        let (mut rig, film) = broadcast(unlimited());
        rig.state(Some(film.stated(0..400)));
        (rig, vec![film])
    });
    conclude(&Outcome {
        threat: "11",
        attack: "answers about live segments overheard, signed by another handle, made before the question, and replayed",
        attempts,
        successes: listed,
        figure: "none listed",
        target: "0 listed",
    });
}

#[test]
fn one_that_shows_live_segments_is_listed_wherever_the_edge_is() {
    let (mut rig, film) = broadcast(unlimited());
    let (looker, _) = rig.join(201);
    for (seed, edge) in (1..=20).zip((110..).step_by(3)) {
        // The tracker knows a hundred segments; the viewer has some that are older, and one that no head has stated yet.
        rig.state(Some(film.stated(edge - 100..edge)));
        let mut viewer = Announcer::holding(&mut rig, seed, &film, edge - 105..edge + 1);
        viewer.announce(&mut rig, edge - 105..edge + 1);
        let asked = viewer.asked(&mut rig);
        assert_eq!(asked.picks.len(), 10);
        assert!(
            asked
                .picks
                .iter()
                .all(|pick| (edge - 100..edge).contains(&pick.object.index))
        );
        // The stream goes on, and what was asked for may be older than what is known.
        rig.state(Some(film.stated(edge - 10..edge + 90)));
        viewer.answer(&mut rig, &asked);
        assert!(rig.list(looker, 30).contains(&handle(seed)));
    }
}

#[test]
fn what_no_head_has_stated_is_asked_for_once_one_has() {
    let (mut rig, film) = broadcast(TrackerConfig::default());
    let (looker, _) = rig.join(201);
    let mut viewer = Announcer::holding(&mut rig, 1, &film, 50..60);
    for size in [0, 10, 50] {
        rig.state(Some(film.stated(0..size)));
        viewer.announce(&mut rig, 50..60);
        assert_eq!(viewer.open(&mut rig), None);
        assert_eq!(rig.list(looker, 30), []);
    }
    rig.state(Some(film.stated(0..51)));
    viewer.comply(&mut rig);
    assert_eq!(rig.list(looker, 30), [handle(1)]);
    rig.state(Some(film.stated(0..60)));
    assert_eq!(viewer.open(&mut rig), None, "it is proven");
}

#[test]
fn one_that_failed_is_asked_again_once_there_is_something_to_ask_for() {
    let (mut rig, film) = broadcast(TrackerConfig::default());
    let (looker, _) = rig.join(201);
    let mut viewer = Announcer::holding(&mut rig, 1, &film, 50..60);
    // It claims what it has dropped.
    rig.state(Some(film.stated(0..10)));
    viewer.announce(&mut rig, 0..60);
    let asked = viewer.asked(&mut rig);
    viewer.answer(&mut rig, &asked);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Failed));
    // Its wait ends while the tracker knows of nothing that it has.
    viewer.announce(&mut rig, 50..60);
    rig.state(Some(film.stated(20..30)));
    rig.sleep_ms(6_000);
    assert_eq!(viewer.open(&mut rig), None);
    rig.state(Some(film.stated(20..55)));
    viewer.comply(&mut rig);
    assert_eq!(rig.list(looker, 30), [handle(1)]);
}

#[test]
fn without_heads_the_word_counts_and_with_them_it_does_not() {
    let (mut rig, film) = broadcast(TrackerConfig::default());
    let (looker, _) = rig.join(201);
    let mut viewer = Announcer::holding(&mut rig, 1, &film, 0..10);
    let mut liar = Announcer::holding(&mut rig, 2, &film, 0..0);
    let mut both = [handle(1), handle(2)];
    both.sort();
    rig.state(None);
    viewer.announce(&mut rig, 0..10);
    liar.announce(&mut rig, 0..10);
    let mut seen = rig.list(looker, 30);
    seen.sort();
    assert_eq!(seen, both, "on their word");
    rig.state(Some(film.stated(0..10)));
    assert_eq!(rig.list(looker, 30), [], "nobody has proven anything");
    viewer.comply(&mut rig);
    rig.sleep_ms(7_000);
    assert_eq!(rig.list(looker, 30), [handle(1)]);
    assert_eq!(rig.tracker.standing(SWARM, handle(2)), Some(Standing::Failed));
    rig.state(None);
    let mut seen = rig.list(looker, 30);
    seen.sort();
    assert_eq!(seen, both, "on their word again");
}

#[test]
fn a_question_outlives_what_is_known() {
    let (mut rig, film) = broadcast(TrackerConfig::default());
    let mut viewer = Announcer::holding(&mut rig, 1, &film, 0..10);
    rig.state(Some(film.stated(0..10)));
    viewer.announce(&mut rig, 0..10);
    let asked = viewer.asked(&mut rig);
    rig.state(None);
    viewer.answer(&mut rig, &asked);
    assert_eq!(rig.tracker.standing(SWARM, handle(1)), Some(Standing::Verified));
}

#[test]
fn looking_at_the_contents_again_forgets_nothing_and_a_recording_is_checked_as_a_whole() {
    let (mut rig, film) = broadcast(TrackerConfig::default());
    let (looker, _) = rig.join(201);
    let content = |is_followed| Content {
        swarm: SWARM,
        secret: super::rig::secret(),
        roots: if is_followed { Vec::new() } else { film.roots() },
        is_followed,
    };
    rig.state(Some(film.stated(0..10)));
    rig.tracker.set_contents(rig.now, [content(true)]);
    let mut viewer = Announcer::holding(&mut rig, 1, &film, 0..10);
    viewer.announce(&mut rig, 0..10);
    viewer.comply(&mut rig);
    assert_eq!(rig.list(looker, 30), [handle(1)]);

    rig.tracker.set_contents(rig.now, [content(false)]);
    // Somebody still follows, and is told nothing by it.
    rig.state(None);
    let mut liar = Announcer::holding(&mut rig, 2, &film, 0..0);
    liar.announce(&mut rig, 300..400);
    let asked = liar.asked(&mut rig);
    in_full(&mut rig, &liar, &asked, &film);
    assert_eq!(
        rig.tracker.standing(SWARM, handle(2)),
        Some(Standing::Verified),
        "picks beyond what was live are checked as well"
    );
    let mut other = Announcer::holding(&mut rig, 3, &film, 0..0);
    other.announce(&mut rig, 300..400);
    let asked = other.asked(&mut rig);
    other.answer(&mut rig, &asked);
    assert_eq!(rig.tracker.standing(SWARM, handle(3)), Some(Standing::Failed));
}

#[test]
fn where_no_proof_is_required_live_sources_are_listed_at_once() {
    let mut config = TrackerConfig::default();
    config.challenge.required = false;
    let (mut rig, film) = broadcast(config);
    let (looker, _) = rig.join(201);
    let mut viewer = Announcer::holding(&mut rig, 1, &film, 0..0);
    viewer.announce(&mut rig, 0..10);
    rig.state(Some(film.stated(0..10)));
    assert_eq!(rig.list(looker, 30), [handle(1)]);
    assert!(!rig.heard(viewer.conn).iter().any(KIND_ASKS));
}
