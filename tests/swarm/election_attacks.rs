//! Attacks on the election of who fetches for everybody, with an account of each: they have to take place, and to fail.

use swarmseal::content::{ObjectId, TrackId};
use swarmseal::swarm::{DemandId, Input};
use swarmseal::wire::Message;

use crate::report::{Outcome, conclude};
use crate::rig::{Behaviour, World};

/// 600 kbit/s.
const SEGMENT: usize = 150_000;
/// What a segment plays.
const SEGMENT_US: u64 = 2_000_000;
const VIEWERS: usize = 10;
const HOSTILE: usize = 4;
/// Segments that everybody has before it begins, so that everybody is a source.
const LEAST_HELD: u32 = 3;
const SEGMENTS: u32 = 63;

/// Who fetches this segment, as the attackers would have it: one of them, or whoever is elected.
type Claims = fn(u32) -> Option<usize>;

/// What happened to the honest.
#[derive(Default)]
struct Watched {
    claims: u64,
    stalls: u64,
    /// How long the slowest segment took.
    slowest_us: u64,
}

/// Viewers of whom the last `hostile` fetch nothing and answer nobody; the others play side by side.
/// Players have so many segments `ahead`.
fn watch(viewers: usize, hostile: usize, ahead: u32, claims: Claims) -> Watched {
    let mut world = World::new(SEGMENTS, SEGMENT);
    let honest = viewers - hostile;
    for viewer in 0..viewers {
        let silent = viewer >= honest;
        world.join(if silent {
            Behaviour::Silent
        } else {
            Behaviour::Honest
        });
        for n in 0..LEAST_HELD {
            world.demand(viewer, n, &format!("v/{n}.m4s"));
        }
        world.run(2_500_000);
    }
    for viewer in 0..honest {
        let met = world.viewers[viewer].engine.stats().peers.len();
        assert_eq!(met, viewers - 1, "everybody knows everybody");
    }
    let mut watched = Watched::default();
    let mut asked = Vec::new();
    for index in LEAST_HELD..SEGMENTS {
        let position_us = u64::from(index - ahead) * SEGMENT_US;
        for viewer in 0..honest {
            let player = Input::Player {
                position_us,
                rate_milli: 1_000,
                buffered_end_us: position_us + u64::from(ahead) * SEGMENT_US,
                paused: false,
                seeking: false,
            };
            world.input(viewer, player);
            world.demand(viewer, index, &format!("v/{index}.m4s"));
        }
        asked.push((index, world.now));
        if let Some(attacker) = claims(index) {
            let object = ObjectId {
                track: TrackId(1),
                index,
            };
            world.say(honest + attacker, &Message::Claim { object, rank: 0 });
            watched.claims += 1;
        }
        world.run(SEGMENT_US);
    }
    world.run(u64::from(ahead) * SEGMENT_US);
    for viewer in &world.viewers[..honest] {
        for &(index, at) in &asked {
            let came = viewer
                .delivered
                .get(&DemandId(index))
                .map(|(came, _)| came - at.0);
            let is_late = came.is_none_or(|us| us > u64::from(ahead) * SEGMENT_US);
            watched.stalls += u64::from(is_late);
            watched.slowest_us = watched.slowest_us.max(came.unwrap_or(u64::MAX));
        }
    }
    watched
}

#[test]
fn elected_fetchers_that_fetch_nothing_cost_no_play_time() {
    let attacks: [(&str, usize, usize, Claims); 3] = [
        (
            "four of ten viewers are silent: of five segments, two are claimed by one of them after the other, and never fetched",
            VIEWERS,
            HOSTILE,
            |index| (index % 5 < 2).then_some(index as usize % HOSTILE),
        ),
        (
            "four of ten viewers are silent, and claim every segment",
            VIEWERS,
            HOSTILE,
            |index| Some(index as usize % HOSTILE),
        ),
        (
            "all nine neighbours are silent, and claim every segment",
            VIEWERS,
            VIEWERS - 1,
            |index| Some(index as usize % (VIEWERS - 1)),
        ),
    ];
    for (attack, viewers, hostile, claims) in attacks {
        let mut took = 0;
        let mut figures = Vec::new();
        let mut lost = 0;
        for ahead in [1, 3] {
            let control = watch(viewers - hostile, 0, ahead, |_| None);
            let watched = watch(viewers, hostile, ahead, claims);
            assert_eq!(control.stalls, 0);
            took += watched.claims;
            lost += watched.stalls;
            figures.push(format!(
                "{} s of media ahead: {} stalls, the slowest segment came after {} ms ({} ms without them)",
                u64::from(ahead) * SEGMENT_US / 1_000_000,
                watched.stalls,
                watched.slowest_us / 1_000,
                control.slowest_us / 1_000,
            ));
        }
        conclude(&Outcome {
            threat: "27",
            attack,
            attempts: took,
            successes: lost,
            figure: &figures.join("; "),
            target: "over HTTP before it is played, also where one segment is ahead: 0 stalls",
        });
    }
}
