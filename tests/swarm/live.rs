//! Live contents on simulated time: who follows, who asks the origin, and what is refused.

use swarmseal::content::live::{LiveHead, Session};
use swarmseal::content::{CHUNK, ObjectId, TrackId};
use swarmseal::swarm::{DemandId, Event, RefuseCode};
use swarmseal::wire::Message;

use crate::rig::{
    Behaviour, Broadcast, LATEST, LONG_SEGMENT, PLAYLIST, SEGMENT, SOON_US, TARGET_US, World, codes, play,
    running, start, watch, watch_until_next,
};

/// Types of messages.
const HEAD: u8 = 0x0f;
const CLAIM: u8 = 0x11;

fn delivered(world: &World, viewer: usize, id: u32) -> Option<&[u8]> {
    let answer = world.viewers[viewer].delivered.get(&DemandId(id));
    answer.map(|(_, body)| body.as_slice())
}

fn refused(world: &World, viewer: usize, id: u32) -> Option<RefuseCode> {
    world.viewers[viewer].refused.get(&DemandId(id)).copied()
}

fn asked(world: &World, path: &str) -> u32 {
    world.origin.requests.get(path).copied().unwrap_or_default()
}

#[test]
fn a_lone_viewer_follows_the_stream() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.demand(viewer, 900, PLAYLIST);
    world.demand(viewer, 901, "v/3.m4s");
    world.run(1_500_000);
    assert_eq!(
        delivered(&world, viewer, 900),
        Some(world.published.files[PLAYLIST].as_slice())
    );
    assert_eq!(
        delivered(&world, viewer, 901),
        Some(Broadcast::body(broadcast.log, 3).as_slice())
    );
    watch(&mut world, &mut broadcast, &[viewer], 20);
    for n in 5..25 {
        let body = Broadcast::body(broadcast.log, n);
        assert_eq!(
            delivered(&world, viewer, n as u32),
            Some(body.as_slice()),
            "segment {n}"
        );
        assert_eq!(asked(&world, &format!("v/{n}.m4s")), 1);
    }
    assert!(
        asked(&world, LATEST) <= 21 * 3 / 2,
        "{} polls",
        asked(&world, LATEST)
    );
    assert_eq!(codes(&world, viewer), Vec::<String>::new());
}

#[test]
fn at_the_edge_one_viewer_fetches_for_all_and_few_ask_for_heads() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 6);
    for &viewer in &viewers {
        world.demand(viewer, 4, "v/4.m4s");
    }
    world.run(2_000_000);
    let before = (asked(&world, LATEST), broadcast.records.len());
    watch(&mut world, &mut broadcast, &viewers, 30);
    let end = broadcast.records.len();
    let copies: u32 = (before.1..end)
        .map(|n| asked(&world, &format!("v/{n}.m4s")))
        .sum();
    assert!(copies <= 33, "{copies} copies of 30 segments");
    let polls = asked(&world, LATEST) - before.0;
    assert!(polls <= 45, "{polls} polls for 30 heads");
    for &viewer in &viewers {
        for n in before.1..end {
            assert!(
                delivered(&world, viewer, n as u32).is_some(),
                "viewer {viewer}, segment {n}"
            );
        }
        let live = world.viewers[viewer].engine.stats().live.unwrap();
        assert!(live.heads_from_peers >= 15, "{live:?}");
        assert_eq!(codes(&world, viewer), Vec::<String>::new());
    }
}

#[test]
fn whose_turn_it_is_to_fetch_is_settled_before_there_is_anything_to_fetch() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 6);
    watch(&mut world, &mut broadcast, &viewers, 12);
    let mut at_once = 0;
    for _ in 0..10 {
        let next = broadcast.records.len();
        watch_until_next(&mut world, &mut broadcast, &viewers);
        // A head goes round within this time, and a claim that is only made now would not have settled.
        at_once += asked(&world, &format!("v/{next}.m4s"));
        world.run(TARGET_US - SOON_US);
        assert_eq!(asked(&world, &format!("v/{next}.m4s")), 1, "segment {next}");
    }
    assert!(at_once >= 8, "{at_once} of 10 segments were fetched at once");
}

#[test]
fn who_claims_every_segment_ahead_and_fetches_none_keeps_nobody_from_playing() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 4);
    watch(&mut world, &mut broadcast, &viewers, 8);
    let (liar, honest) = (viewers[0], &viewers[1..]);
    let mut late = Vec::new();
    for _ in 0..8 {
        let next = broadcast.records.len();
        let object = ObjectId::new(TrackId(1), u32::try_from(next).unwrap());
        world.say(liar, &Message::Claim { object, rank: 0 });
        world.run(100_000);
        watch_until_next(&mut world, &mut broadcast, honest);
        late.push(asked(&world, &format!("v/{next}.m4s")) == 0);
        for &viewer in honest {
            world.demand(viewer, u32::try_from(next).unwrap(), &format!("v/{next}.m4s"));
        }
        world.run(TARGET_US - SOON_US - 100_000);
        for &viewer in honest {
            let body = Broadcast::body(broadcast.log, next);
            let came = delivered(&world, viewer, u32::try_from(next).unwrap());
            assert_eq!(came, Some(body.as_slice()), "segment {next} of viewer {viewer}");
        }
    }
    assert!(late[0], "the lie was believed at first");
    assert_eq!(codes(&world, honest[0]), Vec::<String>::new());
}

/// Ten viewers, enough for slices, of a stream whose segments are long enough, up to date.
fn long_segments() -> (World, Broadcast, Vec<usize>) {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 10);
    broadcast.segment_bytes = LONG_SEGMENT;
    watch(&mut world, &mut broadcast, &viewers, 12);
    (world, broadcast, viewers)
}

#[test]
fn a_long_segment_is_fetched_in_slices_by_several_viewers() {
    let (mut world, mut broadcast, viewers) = long_segments();
    let first = broadcast.records.len();
    let from_http = |world: &World, viewer: usize| world.viewers[viewer].engine.stats().media.from_http;
    let mut fetchers = 0;
    for _ in 0..10 {
        let before: Vec<u64> = viewers.iter().map(|viewer| from_http(&world, *viewer)).collect();
        watch(&mut world, &mut broadcast, &viewers, 1);
        fetchers += viewers
            .iter()
            .zip(before)
            .filter(|(viewer, before)| from_http(&world, **viewer) > *before)
            .count();
    }
    assert!(
        fetchers >= 20,
        "{fetchers} viewers fetched for all in 10 segments"
    );
    let bytes: u64 = (first..broadcast.records.len())
        .map(|n| world.origin.bytes[&format!("v/{n}.m4s")])
        .sum();
    assert!(
        bytes <= 10 * LONG_SEGMENT as u64 * 11 / 10,
        "{bytes} bytes of 10 segments"
    );
    for &viewer in &viewers {
        for n in first..broadcast.records.len() - 1 {
            let body = Broadcast::body_of(broadcast.log, n, LONG_SEGMENT);
            let came = delivered(&world, viewer, u32::try_from(n).unwrap());
            assert!(came == Some(body.as_slice()), "segment {n} of viewer {viewer}");
        }
        assert_eq!(codes(&world, viewer), Vec::<String>::new());
    }
}

#[test]
fn what_several_fetch_in_slices_is_soon_with_everybody() {
    let (mut world, mut broadcast, viewers) = long_segments();
    for _ in 0..6 {
        let next = u32::try_from(broadcast.records.len()).unwrap();
        broadcast.go_on(&mut world);
        for &viewer in &viewers {
            play(&mut world, viewer, next as usize);
        }
        let (object, from) = (ObjectId::new(TrackId(1), next), world.now);
        let chunks = world.published.object(object).len().div_ceil(CHUNK as usize) as u32;
        let everybody_has_it = |world: &World| {
            let has_all = |viewer: &usize| {
                let store = &world.viewers[*viewer].store;
                (0..chunks).all(|chunk| store.contains_key(&(object, chunk)))
            };
            viewers.iter().all(has_all)
        };
        // It takes 1.3 s if neighbours are told of different chunks at first.
        assert!(
            world.run_until(from + 1_150_000, everybody_has_it),
            "segment {next}"
        );
        world.run(TARGET_US - world.now.since(from));
    }
}

#[test]
fn claims_and_heads_leave_uplinks_to_what_they_are_for() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 20);
    broadcast.segment_bytes = LONG_SEGMENT;
    watch(&mut world, &mut broadcast, &viewers, 8);
    let sent = |world: &World, kind: u8| -> u64 {
        let of = |viewer: &usize| {
            world.viewers[*viewer]
                .sent
                .get(&kind)
                .copied()
                .unwrap_or_default()
        };
        viewers.iter().map(of).sum()
    };
    let before = [sent(&world, HEAD), sent(&world, CLAIM)];
    watch(&mut world, &mut broadcast, &viewers, 10);
    let [heads, claims] = [sent(&world, HEAD) - before[0], sent(&world, CLAIM) - before[1]];
    // A head goes to four at once and to two later, a claim to four: to everybody it would be 2,066 and 25,529 in all.
    let (each, segments) = (viewers.len() as u64, 10);
    assert!(heads <= 6 * each * segments, "{heads} heads sent");
    assert!(claims <= 60 * each * segments, "{claims} claims sent");
}

#[test]
fn who_owes_too_much_refuses_and_others_bring_it() {
    let (mut world, mut broadcast, viewers) = long_segments();
    // 1.25 times as fast as the stream goes: none can feed all who would ask it at once.
    world.link_bytes_per_s = LONG_SEGMENT as u64 * 5 / 8;
    watch(&mut world, &mut broadcast, &viewers, 5);
    let first = broadcast.records.len();
    watch(&mut world, &mut broadcast, &viewers, 12);
    let last = broadcast.records.len();
    let bytes: u64 = (first..last)
        .map(|n| world.origin.bytes[&format!("v/{n}.m4s")])
        .sum();
    // 1.34 copies if everybody waits in the queue that it chose.
    let most = 12 * LONG_SEGMENT as u64 * 6 / 5;
    assert!(bytes < most, "{bytes} bytes of 12 segments");
}

#[test]
fn who_claims_a_slice_and_does_not_fetch_it_makes_nothing_late() {
    let (mut world, mut broadcast, viewers) = long_segments();
    let (liar, honest) = (viewers[0], &viewers[1..]);
    let mut lacked = 0;
    for round in 0..8 {
        let next = broadcast.records.len();
        let object = ObjectId::new(TrackId(1), u32::try_from(next).unwrap());
        world.say(liar, &Message::Claim { object, rank: round });
        world.run(100_000);
        watch_until_next(&mut world, &mut broadcast, honest);
        // Others have fetched theirs, and nobody has lost patience.
        world.run(600_000);
        let fetched = world.origin.bytes.get(&format!("v/{next}.m4s"));
        lacked += u32::from(fetched.is_none_or(|bytes| *bytes < LONG_SEGMENT as u64));
        for &viewer in honest {
            world.demand(viewer, u32::try_from(next).unwrap(), &format!("v/{next}.m4s"));
        }
        // Half a second before the segment before this one is played.
        world.run(1_500_000 - SOON_US - 700_000);
        for &viewer in honest.iter().filter(|_| round > 0) {
            let body = Broadcast::body_of(broadcast.log, next - 1, LONG_SEGMENT);
            let came = delivered(&world, viewer, u32::try_from(next - 1).unwrap());
            assert!(
                came == Some(body.as_slice()),
                "segment {} of viewer {viewer}",
                next - 1
            );
        }
        world.run(500_000);
    }
    // None without the lie.
    assert!(lacked > 5, "the lie was believed {lacked} times of 8");
    assert_eq!(codes(&world, honest[0]), Vec::<String>::new());
}

#[test]
fn what_one_viewer_fetches_for_all_leaves_it_about_once() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 6);
    watch(&mut world, &mut broadcast, &viewers, 12);
    let media = |world: &World, viewer: usize| world.viewers[viewer].engine.stats().media;
    for _ in 0..6 {
        let before: Vec<_> = viewers.iter().map(|&viewer| media(&world, viewer)).collect();
        watch(&mut world, &mut broadcast, &viewers, 1);
        // Until everybody has it.
        world.run(TARGET_US / 2);
        let fetched = |at: usize| media(&world, viewers[at]).from_http - before[at].from_http;
        let fetcher = (0..viewers.len()).max_by_key(|at| fetched(*at)).unwrap();
        assert!(fetched(fetcher) >= SEGMENT as u64, "somebody fetched it");
        let received: u64 = (0..viewers.len())
            .map(|at| media(&world, viewers[at]).from_peers - before[at].from_peers)
            .sum();
        let sent = media(&world, viewers[fetcher]).to_peers - before[fetcher].to_peers;
        assert!(
            received >= 4 * SEGMENT as u64,
            "and others have it: {received} bytes"
        );
        assert!(
            sent <= 2 * SEGMENT as u64,
            "{sent} bytes left the one who fetched {SEGMENT}"
        );
    }
}

#[test]
fn a_late_joiner_seeks_back_through_the_pages_of_the_log() {
    let (mut world, broadcast) = running(600);
    let viewer = world.join(Behaviour::Honest);
    for (id, n) in [(1, 598), (2, 520), (3, 300), (4, 0)] {
        world.demand(viewer, id, &format!("v/{n}.m4s"));
        world.run(2_000_000);
        let body = Broadcast::body(broadcast.log, n);
        assert_eq!(
            delivered(&world, viewer, id),
            Some(body.as_slice()),
            "segment {n}"
        );
    }
    let log = format!("seal/live/{}", broadcast.log);
    assert_eq!(asked(&world, &format!("{log}/track-1.pages")), 1);
    assert_eq!(
        asked(&world, &format!("{log}/track-1.records")),
        3,
        "one request for each page"
    );
}

#[test]
fn who_slept_takes_up_the_stream_and_what_it_missed() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(1_000_000);
    world.origin.down = true;
    for _ in 0..300 {
        broadcast.segment(&mut world);
    }
    broadcast.state(&mut world, false);
    world.run(7_000_000);
    assert_eq!(codes(&world, viewer), ["frozen"]);
    world.origin.down = false;
    world.run(4_000_000);
    for (id, n) in [(1, 304), (2, 100)] {
        world.demand(viewer, id, &format!("v/{n}.m4s"));
        world.run(2_000_000);
        assert!(delivered(&world, viewer, id).is_some(), "segment {n}");
    }
    assert_eq!(codes(&world, viewer)[..2], ["frozen", "resumed"]);
}

#[test]
fn a_log_that_was_changed_while_somebody_slept_is_found_out() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(1_000_000);
    world.origin.down = true;
    broadcast.records[2].root = broadcast.records[3].root;
    for _ in 0..300 {
        broadcast.segment(&mut world);
    }
    broadcast.state(&mut world, false);
    world.origin.down = false;
    world.run(4_000_000);
    assert_eq!(codes(&world, viewer), ["contradicted:log", "inconsistent"]);
}

#[test]
fn what_is_not_stated_waits_for_its_head_and_not_longer_than_a_segment_lasts() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(500_000);
    world.demand(viewer, 1, "v/5.m4s");
    world.demand(viewer, 2, "v/900.m4s");
    world.demand(viewer, 3, "other/1.m4s");
    world.run(1_000_000);
    assert_eq!(refused(&world, viewer, 3), Some(RefuseCode::Unlisted));
    assert!(delivered(&world, viewer, 1).is_none() && refused(&world, viewer, 1).is_none());
    broadcast.go_on(&mut world);
    world.run(900_000);
    assert!(delivered(&world, viewer, 1).is_some());
    assert_eq!(refused(&world, viewer, 2), None);
    world.run(300_000);
    assert_eq!(refused(&world, viewer, 2), Some(RefuseCode::NotYetStated));
}

#[test]
fn a_playlist_waits_for_the_head_that_vouches_for_it_and_another_is_refused() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(500_000);
    broadcast.segment(&mut world);
    let text = broadcast.playlist(&mut world);
    world.demand(viewer, 1, PLAYLIST);
    world.run(400_000);
    assert!(delivered(&world, viewer, 1).is_none(), "no head vouches for it");
    broadcast.state(&mut world, false);
    world.run(1_000_000);
    assert_eq!(delivered(&world, viewer, 1), Some(text.as_slice()));
    world
        .published
        .files
        .insert(PLAYLIST.into(), b"#EXTM3U of somebody else".to_vec().into());
    world.demand(viewer, 2, PLAYLIST);
    world.run(3_000_000);
    assert_eq!(refused(&world, viewer, 2), Some(RefuseCode::NotYetStated));
    assert!(delivered(&world, viewer, 2).is_none());
}

#[test]
fn not_more_than_a_few_documents_are_waited_for_at_once() {
    let (mut world, _) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(500_000);
    let strange = b"#EXTM3U of somebody else".to_vec();
    world.published.files.insert(PLAYLIST.into(), strange.into());
    for id in 0..20 {
        world.demand(viewer, id, PLAYLIST);
    }
    let busy = (0..20).filter(|id| refused(&world, viewer, *id) == Some(RefuseCode::Busy));
    assert_eq!(busy.count(), 12);
}

#[test]
fn a_stream_that_stands_still_is_frozen_after_three_target_durations() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(5_500_000);
    assert_eq!(codes(&world, viewer), Vec::<String>::new());
    world.run(1_500_000);
    assert_eq!(codes(&world, viewer), ["frozen"]);
    world.demand(viewer, 1, "v/2.m4s");
    world.run(1_000_000);
    assert!(
        delivered(&world, viewer, 1).is_some(),
        "what was stated stays playable"
    );
    broadcast.go_on(&mut world);
    world.run(2_000_000);
    assert_eq!(codes(&world, viewer), ["frozen", "resumed"]);
}

#[test]
fn an_origin_that_goes_back_or_forks_is_named() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(500_000);
    let old = world.published.files[LATEST].clone();
    broadcast.go_on(&mut world);
    world.run(2_500_000);
    let newest = world.published.files.insert(LATEST.into(), old).unwrap();
    world.run(2_000_000);
    assert_eq!(
        codes(&world, viewer).first().map(String::as_str),
        Some("replayed")
    );
    world.published.files.insert(LATEST.into(), newest);
    world.viewers[viewer].events.clear();
    // Another head with the sequence of the newest.
    let mut fork: LiveHead = broadcast.head(&world, false);
    fork.target_ms = 2_001;
    broadcast.publish(&mut world, &fork);
    world.run(2_000_000);
    let seen = codes(&world, viewer);
    assert!(
        seen.contains(&"contradicted:sequence".to_owned()) && seen.contains(&"forked".to_owned()),
        "{seen:?}"
    );
    let proof = world.viewers[viewer].events.iter().find_map(|event| match event {
        Event::PublisherContradicted { first, second, .. } => Some((first.clone(), second.clone())),
        _ => None,
    });
    let (first, second) = proof.unwrap();
    assert!(!first.is_empty() && !second.is_empty() && first != second);
}

#[test]
fn heads_of_nobody_knows_whom_end_the_connection_and_honest_crossings_do_not() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 2);
    for &viewer in &viewers {
        world.demand(viewer, 1, "v/4.m4s");
    }
    world.run(3_000_000);
    assert_eq!(world.viewers[viewers[0]].engine.stats().connections_proved, 1);
    // The same head that both have, as if it had crossed.
    let head = world.published.files[LATEST].to_vec();
    world.say(viewers[1], &Message::Head(head.clone()));
    world.run(100_000);
    assert_eq!(codes(&world, viewers[0]), Vec::<String>::new());
    broadcast.go_on(&mut world);
    let mut forged = broadcast.sign(&broadcast.head(&world, false));
    *forged.last_mut().unwrap() ^= 1;
    world.say(viewers[1], &Message::Head(forged));
    world.run(100_000);
    assert_eq!(
        codes(&world, viewers[0]).first().map(String::as_str),
        Some("blamed:bad_signature")
    );
}

#[test]
fn a_session_by_somebody_else_is_misbehaviour() {
    let (mut world, broadcast) = running(5);
    let viewers = start(&mut world, 2);
    for &viewer in &viewers {
        world.demand(viewer, 1, "v/4.m4s");
    }
    world.run(3_000_000);
    let thief = swarmseal::content::SecretKey::from_seed(&[66; 32]);
    let session = Session {
        content_id: world.published.manifest.content_id,
        number: broadcast.log + 1,
        key: thief.public(),
        not_before: broadcast.log - 100,
        not_after: broadcast.log + 100,
        first_sequence: 1,
    };
    world.say(viewers[1], &Message::Head(session.sign(&thief).unwrap()));
    world.run(100_000);
    assert_eq!(codes(&world, viewers[0]), ["blamed:untrusted_key"]);
}

#[test]
fn after_the_signed_end_nobody_asks_and_everything_stays_playable() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    world.run(500_000);
    broadcast.segment(&mut world);
    broadcast.state(&mut world, true);
    world.run(4_000_000);
    assert_eq!(codes(&world, viewer), ["ended"]);
    let polls = asked(&world, LATEST);
    world.run(30_000_000);
    assert_eq!(asked(&world, LATEST), polls);
    world.demand(viewer, 1, "v/0.m4s");
    world.demand(viewer, 2, "v/6.m4s");
    world.run(1_000_000);
    assert!(delivered(&world, viewer, 1).is_some());
    assert_eq!(
        refused(&world, viewer, 2),
        Some(RefuseCode::Unlisted),
        "there never will be one"
    );
}

#[test]
fn other_logs_begin_anew_and_viewers_find_each_other_again() {
    let (mut world, mut broadcast) = running(5);
    let viewers = start(&mut world, 3);
    for &viewer in &viewers {
        world.demand(viewer, 900, "v/4.m4s");
    }
    watch(&mut world, &mut broadcast, &viewers, 4);
    broadcast.lose_state();
    for _ in 0..3 {
        broadcast.segment(&mut world);
    }
    broadcast.playlist(&mut world);
    broadcast.state(&mut world, false);
    world.run(3_000_000);
    for &viewer in &viewers {
        assert_eq!(codes(&world, viewer), ["restarted"]);
        world.viewers[viewer].delivered.clear();
        world.demand(viewer, 901, "v/2.m4s");
    }
    world.run(25_000_000);
    watch(&mut world, &mut broadcast, &viewers, 4);
    for &viewer in &viewers {
        let body = Broadcast::body(broadcast.log, 2);
        assert_eq!(
            delivered(&world, viewer, 901),
            Some(body.as_slice()),
            "of the new logs"
        );
        assert!(world.viewers[viewer].engine.stats().peers.len() == 2);
    }
}

#[test]
fn a_head_seen_on_an_earlier_visit_is_not_undone() {
    let (mut world, mut broadcast) = running(5);
    let viewer = world.join(Behaviour::Honest);
    let old = world.published.files[LATEST].clone();
    broadcast.go_on(&mut world);
    world.run(3_000_000);
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
            } => Some(swarmseal::content::live::LiveMemory {
                session: *session,
                log: *log,
                sequence: *sequence,
                issued_ms: *issued_ms,
                hash: Some(hash.parse().unwrap()),
            }),
            _ => None,
        });
    world.published.files.insert(LATEST.into(), old);
    let later = world.join_with(Behaviour::Honest, |mut config| {
        config.live_memory = seen.unwrap();
        config
    });
    world.demand(later, 1, "v/1.m4s");
    world.run(3_000_000);
    assert_eq!(codes(&world, later).first().map(String::as_str), Some("stale"));
    assert!(delivered(&world, later, 1).is_none());
}

#[test]
fn a_segment_comes_from_its_parts_and_is_not_fetched_again() {
    let (mut world, mut broadcast) = Broadcast::world();
    broadcast.split();
    for _ in 0..3 {
        broadcast.go_on(&mut world);
    }
    let viewer = start(&mut world, 1)[0];
    world.run(1_000_000);
    for part in 6..9 {
        world.demand(viewer, part, &format!("p/{part}.m4s"));
    }
    world.run(1_000_000);
    for id in 6..9 {
        assert!(delivered(&world, viewer, id).is_some_and(|part| !part.is_empty()));
    }
    // Whole, in part, and long after the head has ceased to say of what it consists.
    world.demand(viewer, 20, "v/2.m4s");
    world.demand_range(viewer, 21, "v/2.m4s", Some((49_990, 100_009)));
    world.run(100_000);
    let body = Broadcast::body(broadcast.log, 2);
    assert_eq!(delivered(&world, viewer, 20), Some(body.as_slice()));
    assert_eq!(delivered(&world, viewer, 21), Some(&body[49_990..=100_009]));
    for _ in 0..8 {
        broadcast.go_on(&mut world);
        world.run(TARGET_US);
    }
    world.demand(viewer, 22, "v/2.m4s");
    world.demand(viewer, 23, "v/3.m4s");
    world.run(2_000_000);
    assert_eq!(delivered(&world, viewer, 22), Some(body.as_slice()));
    assert_eq!(asked(&world, "v/2.m4s"), 0);
    // What is not held and not stated any more comes as it lies there.
    assert!(delivered(&world, viewer, 23).is_some());
    assert_eq!((asked(&world, "v/3.m4s"), asked(&world, "p/9.m4s")), (1, 0));
}

#[test]
fn a_head_that_a_neighbour_brought_ends_the_haste_for_it() {
    const ROUNDS: u32 = 10;
    let (mut world, mut broadcast) = running(3);
    let viewers = start(&mut world, 6);
    watch(&mut world, &mut broadcast, &viewers, 5);
    let before = asked(&world, LATEST);
    for round in 0..ROUNDS {
        broadcast.segment(&mut world);
        broadcast.playlist(&mut world);
        // The playlist is out, the head that vouches for it is not yet: both wait for it.
        for &viewer in &viewers {
            world.demand(viewer, 100 + round, PLAYLIST);
        }
        world.run(40_000);
        broadcast.state(&mut world, false);
        world.run(TARGET_US - 40_000);
        for &viewer in &viewers {
            assert!(delivered(&world, viewer, 100 + round).is_some(), "round {round}");
        }
    }
    let polls = asked(&world, LATEST) - before;
    assert!(polls < 2 * ROUNDS, "{polls} polls for {ROUNDS} heads");
}
