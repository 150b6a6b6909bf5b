//! Attacks on live heads and on the election ahead of them, with an account of each: they have to take place, and to fail.

use swarmseal::content::live::{LiveHead, LiveMemory, Session};
use swarmseal::content::{ObjectId, SecretKey, TrackId};
use swarmseal::swarm::{DemandId, Event};
use swarmseal::wire::Message;

use crate::report::{Outcome, conclude};
use crate::rig::{
    Behaviour, Broadcast, LATEST, SOON_US, TARGET_US, World, codes, play, running, start, watch,
    watch_until_next,
};

/// Whether this viewer has taken this head.
fn has_taken(world: &World, viewer: usize, sealed: &[u8]) -> bool {
    let wanted = swarmseal::content::Hash::of(&[sealed]).to_string();
    let is_it = |event: &Event| matches!(event, Event::HeadTaken { hash, .. } if *hash == wanted);
    world.viewers[viewer].events.iter().any(is_it)
}

/// Two viewers who have proven themselves to each other; the second one is the attacker's.
fn neighbours() -> (World, Broadcast, [usize; 2]) {
    let (mut world, broadcast) = running(5);
    let viewers = start(&mut world, 2);
    for &viewer in &viewers {
        world.demand(viewer, 1, "v/4.m4s");
    }
    world.run(3_000_000);
    assert_eq!(world.viewers[viewers[0]].engine.stats().connections_proved, 1);
    (world, broadcast, [viewers[0], viewers[1]])
}

/// The head after the newest one, with a segment that nobody has made.
fn next_head(world: &mut World, broadcast: &mut Broadcast) -> LiveHead {
    broadcast.segment(world);
    broadcast.sequence += 1;
    broadcast.head(world, false)
}

#[test]
fn no_forged_head_is_taken_from_a_neighbour() {
    let forgers: [fn(&Broadcast, &LiveHead) -> Vec<u8>; 4] = [
        |broadcast, head| {
            let mut sealed = broadcast.sign(head);
            *sealed.last_mut().unwrap() ^= 1;
            sealed
        },
        |broadcast, head| {
            let mut sealed = broadcast.sign(head);
            let at = sealed.len() - 64 - 100;
            sealed[at] ^= 1;
            sealed
        },
        |_, head| head.sign(&SecretKey::from_seed(&[66; 32]), &[]).unwrap(),
        |broadcast, head| {
            // One more segment under the signature of the head before.
            let honest = broadcast.sign(&LiveHead {
                target_ms: 1_999,
                ..head.clone()
            });
            let altered = broadcast.sign(head);
            let signature = honest.len() - 64;
            [&altered[..altered.len() - 64], &honest[signature..]].concat()
        },
    ];
    let mut taken = 0;
    for forge in forgers {
        let (mut world, mut broadcast, [victim, attacker]) = neighbours();
        let head = next_head(&mut world, &mut broadcast);
        let forged = forge(&broadcast, &head);
        world.say(attacker, &Message::Head(forged.clone()));
        world.run(100_000);
        taken += u64::from(has_taken(&world, victim, &forged));
        // What is really signed is taken all the same.
        broadcast.publish(&mut world, &head);
        world.run(3_000_000);
        let newest = world.published.files[LATEST].to_vec();
        taken += u64::from(!has_taken(&world, victim, &newest));
    }
    conclude(&Outcome {
        threat: "28",
        attack: "a neighbour forges live heads",
        attempts: forgers.len() as u64,
        successes: taken,
        figure: "each refused; the publisher's own head was taken afterwards",
        target: "0 taken",
    });
}

#[test]
fn no_session_of_somebody_else_is_taken() {
    let (mut world, mut broadcast, [victim, attacker]) = neighbours();
    let thief = SecretKey::from_seed(&[66; 32]);
    let session = Session {
        content_id: world.published.manifest.content_id,
        number: broadcast.log + 1,
        key: thief.public(),
        not_before: broadcast.log - 100,
        not_after: broadcast.log + 100,
        first_sequence: 1,
    };
    let head = LiveHead {
        session: broadcast.log + 1,
        ..next_head(&mut world, &mut broadcast)
    };
    let forged = head.sign(&thief, &[]).unwrap();
    world.say(attacker, &Message::Head(session.sign(&thief).unwrap()));
    world.say(attacker, &Message::Head(forged.clone()));
    world.run(200_000);
    conclude(&Outcome {
        threat: "28",
        attack: "a neighbour brings a session of its own and heads by its key",
        attempts: 2,
        successes: u64::from(has_taken(&world, victim, &forged)),
        figure: &codes(&world, victim).join(", "),
        target: "0 taken",
    });
}

#[test]
fn an_old_head_is_not_taken_by_who_has_seen_a_newer_one() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(500_000);
    let old = world.published.files[LATEST].clone();
    for _ in 0..3 {
        broadcast.go_on(&mut world);
        world.run(2_500_000);
    }
    let seen = world.viewers[viewer]
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::HeadTaken {
                session,
                log,
                sequence,
                issued_ms,
                hash,
                ..
            } => Some(LiveMemory {
                session: *session,
                log: *log,
                sequence: *sequence,
                issued_ms: *issued_ms,
                hash: Some(hash.parse().unwrap()),
            }),
            _ => None,
        });
    // The origin puts the old head back: for one who stays, and for one who comes again.
    world.published.files.insert(LATEST.into(), old.clone());
    world.viewers[viewer].events.clear();
    let again = world.join_with(Behaviour::Honest, |mut config| {
        config.live_memory = seen.unwrap();
        config
    });
    world.run(3_000_000);
    let taken = [viewer, again]
        .iter()
        .filter(|viewer| has_taken(&world, **viewer, &old))
        .count();
    conclude(&Outcome {
        threat: "28",
        attack: "an old head is put back, for who stays and for who comes again",
        attempts: 2,
        successes: taken as u64,
        figure: &[codes(&world, viewer), codes(&world, again)].concat().join(", "),
        target: "0 taken",
    });
}

#[test]
fn heads_that_are_withheld_do_not_go_unnoticed() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 3);
    let kept = world.published.files[LATEST].clone();
    broadcast.go_on(&mut world);
    world.published.files.insert(LATEST.into(), kept);
    // Three target durations, and the time of a poll.
    world.run(4 * TARGET_US);
    let unaware = viewers
        .iter()
        .filter(|viewer| !codes(&world, **viewer).contains(&"frozen".to_owned()))
        .count();
    conclude(&Outcome {
        threat: "28",
        attack: "the origin withholds new heads",
        attempts: viewers.len() as u64,
        successes: unaware as u64,
        figure: "each viewer named it within four target durations",
        target: "nobody unaware",
    });
}

#[test]
fn two_heads_with_one_sequence_are_kept_as_evidence() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(500_000);
    broadcast.go_on(&mut world);
    world.run(2_500_000);
    let mut fork = broadcast.head(&world, false);
    fork.target_ms = 2_001;
    let sealed = broadcast.sign(&fork);
    broadcast.publish(&mut world, &fork);
    world.run(2_000_000);
    let named = codes(&world, viewer).contains(&"contradicted:sequence".to_owned());
    conclude(&Outcome {
        threat: "28",
        attack: "who holds a session's key signs two heads with one sequence",
        attempts: 1,
        successes: u64::from(!named || has_taken(&world, viewer, &sealed)),
        figure: &codes(&world, viewer).join(", "),
        target: "0 taken, and both kept as evidence",
    });
}

#[test]
fn whoever_sees_a_fork_shows_it_to_everybody() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 6);
    watch(&mut world, &mut broadcast, &viewers, 6);
    let mut fork = broadcast.head(&world, false);
    fork.target_ms = 2_001;
    let sealed = broadcast.sign(&fork);
    // Who asks for the next head gets it, and is the only one to.
    let genuine = world.published.files[LATEST].clone();
    broadcast.publish(&mut world, &fork);
    let seen_at_origin = |world: &World| {
        let saw = |event: &Event| {
            matches!(
                event,
                Event::HeadRefused {
                    code: "forked",
                    peer: None
                }
            )
        };
        let saw_it = |viewer: &&usize| world.viewers[**viewer].events.iter().any(saw);
        viewers.iter().filter(saw_it).count()
    };
    assert!(world.run_until(world.now + 3_000_000, |world| seen_at_origin(world) > 0));
    world.published.files.insert(LATEST.into(), genuine);
    world.run(100_000);
    let by_origin = seen_at_origin(&world);
    assert!(
        by_origin < viewers.len(),
        "all {by_origin} were shown it by the origin"
    );
    // What is shown again is not told again.
    for _ in 0..3 {
        world.say(viewers[0], &Message::Head(sealed.clone()));
        world.run(1_000_000);
    }
    let told = |viewer: usize| {
        let codes = codes(&world, viewer);
        let blamed = codes.iter().any(|code| code.starts_with("blamed"));
        assert!(!blamed, "who shows a fork is not to blame: {codes:?}");
        codes
            .iter()
            .filter(|code| *code == "contradicted:sequence")
            .count()
    };
    let unaware = viewers.iter().filter(|viewer| told(**viewer) != 1).count();
    let taken = viewers
        .iter()
        .filter(|viewer| has_taken(&world, **viewer, &sealed))
        .count();
    conclude(&Outcome {
        threat: "28",
        attack: "the origin shows a forked head to few viewers",
        attempts: by_origin as u64,
        successes: (unaware + taken) as u64,
        figure: &format!(
            "{by_origin} of {} saw it at the origin, all were told of it once",
            viewers.len()
        ),
        target: "nobody unaware, 0 taken",
    });
}

#[test]
fn two_sessions_with_one_number_are_kept_as_evidence() {
    let (mut world, broadcast, [victim, attacker]) = neighbours();
    let other = SecretKey::from_seed(&[67; 32]);
    let session = Session {
        content_id: world.published.manifest.content_id,
        number: broadcast.log,
        key: other.public(),
        not_before: broadcast.log - 100,
        not_after: broadcast.log + 100,
        first_sequence: 1,
    };
    world.say(attacker, &Message::Head(broadcast.certify(&session)));
    world.run(200_000);
    let told = codes(&world, victim);
    conclude(&Outcome {
        threat: "28",
        attack: "who holds the publisher's key signs two sessions with one number",
        attempts: 1,
        successes: u64::from(told != ["contradicted:session"]),
        figure: &told.join(", "),
        target: "named, and the one who showed it not blamed",
    });
}

#[test]
fn claims_that_nobody_keeps_keep_nobody_from_playing() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 4);
    watch(&mut world, &mut broadcast, &viewers, 8);
    let (liar, honest) = (viewers[0], &viewers[1..]);
    let (mut claims, mut believed, mut late) = (0, 0, 0);
    for _ in 0..8 {
        let next = broadcast.records.len();
        let id = u32::try_from(next).unwrap();
        let object = ObjectId::new(TrackId(1), id);
        world.say(liar, &Message::Claim { object, rank: 0 });
        claims += 1;
        world.run(100_000);
        watch_until_next(&mut world, &mut broadcast, honest);
        let path = format!("v/{next}.m4s");
        believed += u64::from(!world.origin.requests.contains_key(&path));
        for &viewer in honest {
            world.demand(viewer, id, &path);
            play(&mut world, viewer, next);
        }
        world.run(TARGET_US - SOON_US - 100_000);
        late += honest
            .iter()
            .filter(|viewer| !world.viewers[**viewer].delivered.contains_key(&DemandId(id)))
            .count() as u64;
    }
    assert!(believed > 0, "the lies were believed at first");
    conclude(&Outcome {
        threat: "27",
        attack: "a neighbour claims every segment ahead and fetches none",
        attempts: claims,
        successes: late,
        figure: &format!(
            "{believed} of {claims} claims were believed for a while; no segment came later than the next one"
        ),
        target: "0 segments late",
    });
}
