//! One viewer with many neighbours that hold everything: the worst case for a pass of the engine.

use swarmseal::content::TrackId;
use swarmseal::swarm::{DemandId, Input, PeerId};
use swarmseal::wire::{self, Have, Message, Range};

use super::content::Published;
use super::tracker;
use super::viewer::Behaviour;
use super::world::World;

pub struct Crowd {
    world: World,
    viewer: usize,
    segments: u32,
    neighbours: Vec<PeerId>,
    have: Vec<u8>,
}

impl Crowd {
    pub fn new(segments: u32, neighbours: usize) -> Self {
        let mut world = World::of(Published::uniform(segments, 400_000, tracker::key().public()));
        let viewer = world.join_with(Behaviour::Honest, |mut config| {
            config.max_peers = neighbours + 8;
            config
        });
        world.demand(viewer, 1, "v/0.m4s");
        world.run(2_000_000);
        for _ in 0..neighbours {
            world.join(Behaviour::Silent);
            world.run(500_000);
        }
        let have = wire::encode(&Message::Have(Have {
            track: TrackId(1),
            complete: vec![Range {
                first: 0,
                count: segments,
            }],
            partial: Vec::new(),
        }));
        let stats = world.viewers[viewer].engine.stats();
        let neighbours = stats.peers.iter().map(|peer| PeerId(peer.peer)).collect();
        let mut crowd = Self {
            world,
            viewer,
            segments,
            neighbours,
            have,
        };
        for _ in 0..crowd.neighbours.len() {
            crowd.hear();
        }
        crowd
    }

    /// The next neighbour says that it holds everything.
    pub fn hear(&mut self) {
        self.neighbours.rotate_left(1);
        let bytes = &self.have;
        let peer = self.neighbours[0];
        self.world.input(self.viewer, Input::Message { peer, bytes });
    }

    pub fn peers(&self) -> usize {
        self.world.viewers[self.viewer].engine.stats().peers.len()
    }

    /// One pass: the play head moves on, and every now and then a segment is asked for.
    pub fn step(&mut self, step: u32) {
        let index = (step / 20 * 7) % self.segments;
        if step.is_multiple_of(20) {
            self.world.input(
                self.viewer,
                Input::CancelDemand {
                    id: DemandId(1_000 + step.saturating_sub(20)),
                },
            );
            self.world
                .demand(self.viewer, 1_000 + step, &format!("v/{index}.m4s"));
        }
        let position_us = u64::from(index) * 2_000_000;
        self.world.input(
            self.viewer,
            Input::Player {
                position_us,
                rate_milli: 1_000,
                buffered_end_us: position_us + 2_000_000,
                paused: false,
                seeking: false,
            },
        );
    }
}
