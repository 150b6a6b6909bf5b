//! Viewers of a live content: how they come, play and go on.

use swarmseal::swarm::{Event, Input};

use super::broadcast::{Broadcast, TARGET_US};
use super::viewer::Behaviour;
use super::world::World;

pub const LATEST: &str = "seal/live/latest";

/// A world whose stream is `segments` long.
pub fn running(segments: usize) -> (World, Broadcast) {
    let (mut world, mut broadcast) = Broadcast::world();
    for _ in 0..segments {
        broadcast.segment(&mut world);
    }
    broadcast.playlist(&mut world);
    broadcast.state(&mut world, false);
    (world, broadcast)
}

/// A viewer plays two segments behind the end of segment `newest`, with all before it buffered.
pub fn play(world: &mut World, viewer: usize, newest: usize) {
    let position_us = newest as u64 * TARGET_US - 2 * TARGET_US;
    world.input(
        viewer,
        Input::Player {
            position_us,
            rate_milli: 1_000,
            buffered_end_us: position_us + 2 * TARGET_US,
            paused: false,
            seeking: false,
        },
    );
}

/// The stream goes on for `segments`; every viewer plays three segments behind, each at a phase of its own.
pub fn watch(world: &mut World, broadcast: &mut Broadcast, viewers: &[usize], segments: usize) {
    for _ in 0..segments {
        broadcast.go_on(world);
        let newest = broadcast.records.len() - 1;
        for &viewer in viewers {
            world.run(TARGET_US / (viewers.len() as u64 + 1));
            let id = u32::try_from(newest).unwrap();
            world.demand(viewer, id, &format!("v/{newest}.m4s"));
            play(world, viewer, newest);
        }
        world.run(TARGET_US / (viewers.len() as u64 + 1));
    }
}

/// Time in which a head goes round, microseconds.
pub const SOON_US: u64 = 200_000;

/// One more segment, of which players have not heard yet: a while after its head was published.
pub fn watch_until_next(world: &mut World, broadcast: &mut Broadcast, viewers: &[usize]) {
    broadcast.go_on(world);
    for &viewer in viewers {
        play(world, viewer, broadcast.records.len() - 1);
    }
    world.run(SOON_US);
}

pub fn start(world: &mut World, viewers: usize) -> Vec<usize> {
    (0..viewers)
        .map(|_| {
            let viewer = world.join(Behaviour::Honest);
            world.run(300_000);
            viewer
        })
        .collect()
}

/// What viewers say of heads and of each other, in its order.
pub fn codes(world: &World, viewer: usize) -> Vec<String> {
    let code = |event: &Event| match event {
        Event::HeadRefused { code, .. } => Some((*code).to_owned()),
        Event::PublisherContradicted { kind, .. } => Some(format!("contradicted:{kind}")),
        Event::LiveFrozen => Some("frozen".into()),
        Event::LiveResumed => Some("resumed".into()),
        Event::LiveRestarted => Some("restarted".into()),
        Event::LiveEnded => Some("ended".into()),
        Event::PeerBlamed { code, .. } => Some(format!("blamed:{code}")),
        _ => None,
    };
    world.viewers[viewer].events.iter().filter_map(code).collect()
}
