//! Viewers on simulated time: what the engine promises to a player.

use crate::rig::{Behaviour, Crowd, NOW_S, World, bytes};
use swarmseal::content::{ObjectId, TrackId};
use swarmseal::swarm::{DemandId, Event, Input, PeerId, RefuseCode, Sharing, Timestamp};

const SEGMENT: usize = 150_000;
/// How the messages of this kind begin.
const HAVE: u8 = 0x04;

fn got(world: &World, viewer: usize, id: u32) -> Option<&Vec<u8>> {
    world.viewers[viewer]
        .delivered
        .get(&DemandId(id))
        .map(|(_, body)| body)
}

fn segment(n: u32) -> Vec<u8> {
    bytes(u64::from(n) + 1, SEGMENT + n as usize % 3)
}

#[test]
fn a_lone_viewer_gets_verified_bytes_over_http_with_one_request_each() {
    let mut world = World::new(20, SEGMENT);
    let viewer = world.join(Behaviour::Honest);
    world.demand(viewer, 1, "index.m3u8");
    for n in 0..5 {
        world.demand(viewer, 10 + n, &format!("v/{n}.m4s"));
    }
    world.run(5_000_000);
    let playlist = world.published.files.get("index.m3u8").map(AsRef::as_ref);
    assert_eq!(got(&world, viewer, 1), playlist);
    for n in 0..5 {
        assert_eq!(got(&world, viewer, 10 + n), Some(&segment(n)), "segment {n}");
        assert_eq!(world.origin.requests[&format!("v/{n}.m4s")], 1);
    }
}

#[test]
fn the_index_is_asked_for_beside_the_playlist_that_names_its_segments() {
    let mut world = World::new(20, SEGMENT);
    let viewer = world.join(Behaviour::Honest);
    world.demand(viewer, 1, "index.m3u8");
    for path in ["index.m3u8", "seal/1.index"] {
        assert_eq!(world.origin.requests.get(path), Some(&1), "{path}");
    }
    world.run(1_000_000);
    world.demand(viewer, 2, "v/0.m4s");
    world.run(1_000_000);
    assert_eq!(got(&world, viewer, 2), Some(&segment(0)));
    assert_eq!(world.origin.requests["seal/1.index"], 1);
}

#[test]
fn a_second_viewer_is_fed_by_the_first() {
    let mut world = World::new(20, SEGMENT);
    let first = world.join(Behaviour::Honest);
    for n in 0..10 {
        world.demand(first, n, &format!("v/{n}.m4s"));
    }
    world.run(4_000_000);
    let second = world.join(Behaviour::Honest);
    world.run(1_000_000);
    world.input(second, playing(0, 0));
    for n in 0..10 {
        world.demand(second, n, &format!("v/{n}.m4s"));
    }
    world.run(6_000_000);
    for n in 0..10 {
        assert_eq!(got(&world, second, n), Some(&segment(n)), "segment {n}");
    }
    let stats = world.viewers[second].engine.stats();
    assert_eq!(stats.connections_proved, 1);
    // The first may come over HTTP: it is needed at once, and its row is not here yet.
    assert!(
        stats.media.from_http <= segment(0).len() as u64,
        "{:?}",
        world.origin.requests
    );
    let sent = world.viewers[first].engine.stats().media.to_peers;
    assert!(sent >= (1..10).map(|n| segment(n).len() as u64).sum::<u64>());
}

#[test]
fn who_dials_several_neighbours_at_once_does_not_give_them_up() {
    let mut world = World::new(20, SEGMENT);
    for _ in 0..4 {
        let holder = world.join(Behaviour::Honest);
        world.demand(holder, 0, "v/0.m4s");
        world.demand(holder, 2, "v/2.m4s");
        world.run(4_000_000);
    }
    let before = world.origin.requests.clone();
    let newcomer = world.join(Behaviour::Honest);
    let soon = world.now + 1_000_000;
    let dialling = |world: &World| world.viewers[newcomer].engine.stats().connections_made >= 3;
    assert!(world.run_until(soon, dialling), "it dials three");
    assert_eq!(world.viewers[newcomer].engine.stats().connections_proved, 0);
    world.input(newcomer, playing(0, 0));
    world.demand_later(newcomer, 2, "v/2.m4s", 4_000_000);
    world.run(4_000_000);
    assert_eq!(got(&world, newcomer, 2), Some(&segment(2)));
    assert_eq!(world.origin.requests["v/2.m4s"], before["v/2.m4s"]);
}

#[test]
fn who_could_reach_none_of_three_neighbours_waits_for_no_fourth() {
    let mut world = World::new(20, SEGMENT);
    for _ in 0..4 {
        let holder = world.join(Behaviour::Honest);
        world.demand(holder, 0, "v/0.m4s");
        world.demand(holder, 2, "v/2.m4s");
        world.run(4_000_000);
    }
    let newcomer = world.join(Behaviour::Honest);
    let soon = world.now + 1_000_000;
    let dialling = |world: &World| world.viewers[newcomer].engine.stats().connections_made >= 4;
    assert!(world.run_until(soon, dialling), "it dials four");
    let dialled = world.viewers[newcomer].engine.stats().peers;
    for peer in dialled.iter().take(3) {
        let peer = PeerId(peer.peer);
        world.input(newcomer, Input::PeerFailed { peer, reason: "ice" });
    }
    assert_eq!(
        world.viewers[newcomer].engine.stats().peers.len(),
        1,
        "one is left"
    );
    let before = world.origin.requests["v/2.m4s"];
    world.input(newcomer, playing(0, 0));
    world.demand_later(newcomer, 2, "v/2.m4s", 4_000_000);
    let at_once = world.now + 300_000;
    assert!(world.run_until(at_once, |world| world.origin.requests["v/2.m4s"] > before));
}

#[test]
fn three_staggered_players_share_nearly_everything() {
    let mut world = World::new(40, SEGMENT);
    let mut players = Vec::new();
    for _ in 0..3 {
        players.push(Player::start(&mut world));
        run_players(&mut world, &mut players, 3_000_000);
    }
    run_players(&mut world, &mut players, 70_000_000);
    let mut peers = 0;
    let mut http = 0;
    for player in &players {
        assert_eq!(player.stalled_us, 0, "viewer {}", player.viewer);
        let stats = world.viewers[player.viewer].engine.stats();
        peers += stats.media.from_peers;
        http += stats.media.from_http;
    }
    // Two of three copies could come from peers.
    assert!(peers * 100 >= (peers + http) * 62, "{peers} of {}", peers + http);
}

#[test]
fn an_uploader_that_vanishes_in_mid_segment_causes_no_stall() {
    let mut world = World::new(40, SEGMENT);
    let mut players = vec![Player::start(&mut world)];
    run_players(&mut world, &mut players, 10_000_000);
    players.push(Player::start(&mut world));
    run_players(&mut world, &mut players, 6_000_000);
    let before = world.viewers[1].engine.stats().media.from_peers;
    assert!(before > 0, "the second is fed by the first");
    world.leave(0);
    players.remove(0);
    run_players(&mut world, &mut players, 50_000_000);
    assert_eq!(players[0].stalled_us, 0);
}

#[test]
fn a_tracker_restart_goes_unnoticed() {
    let mut world = World::new(40, SEGMENT);
    let mut players = vec![Player::start(&mut world)];
    run_players(&mut world, &mut players, 4_000_000);
    players.push(Player::start(&mut world));
    run_players(&mut world, &mut players, 6_000_000);
    world.stop_tracker(true);
    run_players(&mut world, &mut players, 6_000_000);
    let lost = world.viewers[1]
        .events
        .iter()
        .any(|event| matches!(event, Event::TrackerLost { .. }));
    assert!(lost, "the outage took place");
    assert_eq!(
        world.viewers[1].engine.stats().peers.len(),
        1,
        "connections are kept"
    );
    world.stop_tracker(false);
    run_players(&mut world, &mut players, 35_000_000);
    assert!(players.iter().all(|player| player.stalled_us == 0));
    let newcomer = Player::start(&mut world);
    players.push(newcomer);
    run_players(&mut world, &mut players, 5_000_000);
    assert!(
        world.viewers[2].engine.stats().connections_proved > 0,
        "a newcomer finds peers"
    );
}

#[test]
fn an_origin_outage_leaves_what_peers_hold() {
    let mut world = World::new(20, SEGMENT);
    let first = world.join(Behaviour::Honest);
    for n in 0..8 {
        world.demand(first, n, &format!("v/{n}.m4s"));
    }
    world.run(4_000_000);
    let second = world.join(Behaviour::Honest);
    world.demand(second, 100, "v/0.m4s");
    world.run(2_000_000);
    world.origin.down = true;
    world.demand(second, 1, "v/5.m4s");
    world.run(4_000_000);
    assert_eq!(got(&world, second, 1), Some(&segment(5)));
}

#[test]
fn nothing_happens_without_sharing() {
    let mut world = World::new(20, SEGMENT);
    let viewer = world.join_with(Behaviour::Honest, |mut config| {
        config.sharing = Sharing::Off;
        config
    });
    world.demand(viewer, 1, "v/3.m4s");
    world.run(2_000_000);
    assert_eq!(got(&world, viewer, 1), Some(&segment(3)));
    assert_eq!(world.viewers[viewer].engine.stats().tracker, "off");
}

#[test]
fn switching_sharing_off_closes_every_connection_at_once() {
    let mut world = World::new(20, SEGMENT);
    let first = world.join(Behaviour::Honest);
    world.demand(first, 1, "v/1.m4s");
    world.run(2_000_000);
    let second = world.join(Behaviour::Honest);
    world.demand(second, 1, "v/0.m4s");
    world.run(3_000_000);
    assert_eq!(world.viewers[first].engine.stats().connections_proved, 1);
    world.input(
        first,
        Input::Policy {
            sharing: Sharing::Off,
            upload_bps: None,
            upload_bytes: None,
        },
    );
    assert!(world.viewers[first].engine.stats().peers.is_empty());
    world.run(1_000_000);
    assert!(world.viewers[second].engine.stats().peers.is_empty());
}

#[test]
fn the_upload_cap_holds() {
    let mut world = World::new(20, SEGMENT);
    let first = world.join_with(Behaviour::Honest, |mut config| {
        config.upload_bps = Some(400_000);
        config
    });
    for n in 0..8 {
        world.demand(first, n, &format!("v/{n}.m4s"));
    }
    world.run(4_000_000);
    let second = world.join(Behaviour::Honest);
    world.run(1_000_000);
    let before = world.viewers[first].engine.stats().traffic.to_peers;
    world.input(second, playing(0, 0));
    for n in 0..8 {
        world.demand(second, n, &format!("v/{n}.m4s"));
    }
    world.run(10_000_000);
    let sent = world.viewers[first].engine.stats().traffic.to_peers - before;
    assert!(sent > 0);
    assert!(sent <= 50_000 * 10 + 50_000, "{sent} bytes in 10 s at 50 kB/s");
}

#[test]
fn what_is_not_listed_is_refused() {
    let mut world = World::new(5, SEGMENT);
    let viewer = world.join(Behaviour::Honest);
    world.demand(viewer, 1, "v/99.m4s");
    world.demand(viewer, 2, "other.txt");
    world.run(1_000_000);
    assert_eq!(world.viewers[viewer].refused[&DemandId(1)], RefuseCode::Unlisted);
    assert_eq!(world.viewers[viewer].refused[&DemandId(2)], RefuseCode::Unlisted);
}

#[test]
fn a_part_of_a_segment_is_verified_through_the_chunks_that_cover_it() {
    let mut world = World::new(5, SEGMENT);
    let viewer = world.join(Behaviour::Honest);
    world.demand_range(viewer, 1, "v/2.m4s", Some((40_000, 60_000)));
    world.run(2_000_000);
    assert_eq!(got(&world, viewer, 1).unwrap()[..], segment(2)[40_000..=60_000]);
    assert!(
        world.origin.bytes["v/2.m4s"] < 60_000,
        "only the chunks that cover it"
    );
}

#[test]
fn the_store_keeps_its_limit() {
    let mut world = World::new(40, SEGMENT);
    let viewer = world.join_with(Behaviour::Honest, |mut config| {
        config.store_bytes = 600_000;
        config
    });
    for n in 0..20 {
        world.demand(viewer, n, &format!("v/{n}.m4s"));
        world.run(500_000);
    }
    assert!(world.viewers[viewer].engine.stats().store_bytes <= 600_000);
    let held: usize = world.viewers[viewer].store.values().map(Vec::len).sum();
    assert!(held <= 600_000);
    let catalog = world.viewers[viewer].engine.catalog();
    for n in 0..20 {
        let id = ObjectId::new(TrackId(1), n);
        let is_held = world.viewers[viewer].store.contains_key(&(id, 0));
        assert_eq!(catalog.row(id).is_some(), is_held, "row of segment {n}");
    }
    world.demand(viewer, 100, "v/0.m4s");
    world.run(1_000_000);
    assert_eq!(
        got(&world, viewer, 100),
        Some(&segment(0)),
        "evicted means missing again"
    );
    assert_eq!(world.origin.requests["v/0.m4s"], 2);
}

#[test]
fn an_idle_engine_sleeps() {
    let mut world = World::new(5, SEGMENT);
    let viewer = world.join_with(Behaviour::Honest, |mut config| {
        config.tracker = false;
        config
    });
    world.demand(viewer, 1, "v/0.m4s");
    world.run(5_000_000);
    world.viewers[viewer]
        .engine
        .handle_input(world.now, Input::Tick)
        .unwrap();
    loop {
        if let swarmseal::swarm::Output::Idle { wake_at } = world.viewers[viewer].engine.poll_output() {
            assert_eq!(wake_at, None);
            break;
        }
    }
}

#[test]
fn chunks_are_passed_on_while_the_segment_is_still_arriving() {
    let mut world = World::new(20, 1_500_000);
    let first = world.join(Behaviour::Honest);
    world.demand(first, 1, "v/0.m4s");
    world.run(3_000_000);
    let second = world.join(Behaviour::Honest);
    world.demand(second, 1, "v/0.m4s");
    world.run(4_000_000);
    // A slow origin: the segment takes six seconds to arrive at the first.
    world.origin.bytes_per_s = 250_000;
    world.demand(first, 2, "v/7.m4s");
    world.run(1_000_000);
    let told = |world: &World| world.viewers[second].sent[&HAVE];
    let before = told(&world);
    world.input(second, playing(0, 20_000_000));
    world.demand(second, 2, "v/7.m4s");
    world.run(2_000_000);
    assert_eq!(told(&world), before, "whoever sent a chunk is not told of it");
    let partial = world.viewers[second].store.keys().filter(|(id, _)| {
        *id == ObjectId {
            track: TrackId(1),
            index: 7,
        }
    });
    assert!(got(&world, first, 2).is_none(), "still arriving");
    assert!(partial.count() > 10, "and yet on its way to the second");
    world.run(6_000_000);
    assert!(got(&world, second, 2).is_some());
    assert_eq!(world.origin.requests["v/7.m4s"], 1);
    assert_eq!(told(&world), before + 1, "but that the segment is complete");
}

const fn playing(position_us: u64, buffered_end_us: u64) -> Input<'static> {
    Input::Player {
        position_us,
        rate_milli: 1_000,
        buffered_end_us,
        paused: false,
        seeking: false,
    }
}

/// A model player: keeps twelve seconds buffered, one request at a time, and counts stalls.
struct Player {
    viewer: usize,
    next: u32,
    waiting: Option<u32>,
    buffered_us: u64,
    position_us: u64,
    playing: bool,
    stalled_us: u64,
}

impl Player {
    fn start(world: &mut World) -> Self {
        let viewer = world.join(Behaviour::Honest);
        Self {
            viewer,
            next: 0,
            waiting: None,
            buffered_us: 0,
            position_us: 0,
            playing: false,
            stalled_us: 0,
        }
    }

    fn step(&mut self, world: &mut World, us: u64) {
        if let Some(id) = self.waiting
            && got(world, self.viewer, id).is_some()
        {
            self.waiting = None;
            self.buffered_us += 2_000_000;
            self.playing = true;
        }
        if self.waiting.is_none() && self.next < 40 && self.buffered_us < self.position_us + 12_000_000 {
            world.demand(self.viewer, self.next, &format!("v/{}.m4s", self.next));
            self.waiting = Some(self.next);
            self.next += 1;
        }
        if self.playing && self.position_us < 80_000_000 {
            let step = us.min(self.buffered_us - self.position_us);
            self.position_us += step;
            if step < us && self.buffered_us < 80_000_000 {
                self.stalled_us += us - step;
            }
        }
        let report = playing(self.position_us, self.buffered_us);
        world.input(self.viewer, report);
    }
}

fn run_players(world: &mut World, players: &mut [Player], us: u64) {
    let end = world.now + us;
    while world.now < end {
        world.run(20_000);
        for player in players.iter_mut() {
            player.step(world, 20_000);
        }
    }
    let _: Timestamp = world.now;
}

#[test]
fn fifty_neighbours_of_a_long_title_are_all_kept() {
    let mut crowd = Crowd::new(10_000, 50);
    assert_eq!(crowd.peers(), 50);
    for step in 0..60 {
        crowd.step(step);
    }
    assert_eq!(crowd.peers(), 50);
}

#[test]
fn a_hello_that_comes_before_the_news_that_both_channels_are_open_is_taken() {
    let mut world = World::new(20, SEGMENT);
    world.slow_open_us = 60_000;
    let first = world.join(Behaviour::Honest);
    world.demand(first, 1, "v/0.m4s");
    world.run(2_000_000);
    let second = world.join(Behaviour::Honest);
    world.run(2_000_000);
    assert!(world.early_messages > 0, "it took place");
    for viewer in [first, second] {
        assert_eq!(world.viewers[viewer].engine.stats().connections_proved, 1);
        assert_eq!(world.viewers[viewer].engine.stats().blamed, 0);
    }
}

#[test]
fn a_device_clock_that_is_wrong_is_told_once_and_fails_nothing() {
    let mut world = World::new(4, SEGMENT);
    let right_ms = NOW_S * 1_000;
    for (wrong_ms, expected) in [
        (right_ms + 600_000, vec![600]),
        (right_ms - 600_000, vec![-600]),
        (right_ms + 30_000, Vec::new()),
    ] {
        let viewer = world.join(Behaviour::Honest);
        world.input(
            viewer,
            Input::WallTime {
                unix_ms: wrong_ms + world.now.0 / 1_000,
                uncertainty_ms: 2 * 86_400_000,
            },
        );
        world.demand(viewer, 1, "v/1.m4s");
        world.run(5_000_000);
        assert_eq!(got(&world, viewer, 1), Some(&segment(1)));
        let told: Vec<i64> = world.viewers[viewer]
            .events
            .iter()
            .filter_map(|event| match event {
                Event::ClockOff { device_s, tracker_s } => {
                    Some(device_s.cast_signed() - tracker_s.cast_signed())
                }
                _ => None,
            })
            .collect();
        assert_eq!(told, expected);
        assert!(
            world.viewers[viewer]
                .events
                .iter()
                .any(|event| matches!(event, Event::TrackerJoined { .. }))
        );
    }
}
