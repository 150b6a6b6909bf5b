//! Things that happen to a swarm, read from bytes: the model world asserts that nothing unverified is kept.

use swarmseal::swarm::{DemandId, Input, PeerId, Sharing};
use swarmseal::wire::DATA_HEAD;

use rig::{Behaviour, World};

#[allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::large_enum_variant,
    reason = "the model world of tests/swarm"
)]
#[path = "../../tests/swarm/rig/mod.rs"]
mod rig;

/// Happenings: a byte that says what, and what it takes.
pub fn engine(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut world = World::new(6, 40_000);
    world.join(Behaviour::Honest);
    world.demand(0, 0, "v/0.m4s");
    world.run(2_000_000);
    world.join(Behaviour::Honest);
    world.run(1_000_000);
    assert!(peer(&world, 1).is_some(), "they met");
    let mut next = 1;
    for _ in 0..MOST {
        let Some(what) = bytes.byte() else { break };
        let viewer = usize::from(what >> 4) % world.viewers.len();
        match what & 0x0f {
            0 if world.viewers.len() < 4 => {
                let behaviour = [Behaviour::Honest, Behaviour::Corrupts, Behaviour::Silent];
                world.join(behaviour[usize::from(bytes.byte().unwrap_or(0)) % 3]);
            }
            1 | 2 => {
                let segment = bytes.byte().unwrap_or(0) % 8;
                world.demand(viewer, next, &format!("v/{segment}.m4s"));
                next += 1;
            }
            3 => {
                let (first, count) = (u64::from(bytes.word()), u64::from(bytes.word()));
                world.demand_range(viewer, next, "v/1.m4s", Some((first, first + count)));
                next += 1;
            }
            4 => world.input(
                viewer,
                Input::CancelDemand {
                    id: DemandId(next.saturating_sub(1)),
                },
            ),
            5 => {
                let position_us = u64::from(bytes.word()) * 1_000;
                world.input(
                    viewer,
                    Input::Player {
                        position_us,
                        rate_milli: u32::from(bytes.word()),
                        buffered_end_us: position_us + u64::from(bytes.word()) * 1_000,
                        paused: what & 0x40 != 0,
                        seeking: what & 0x80 != 0,
                    },
                );
            }
            6 => {
                let sharing = [Sharing::Off, Sharing::Receive, Sharing::On];
                world.input(
                    viewer,
                    Input::Policy {
                        sharing: sharing[usize::from(bytes.byte().unwrap_or(2)) % 3],
                        upload_bps: None,
                        upload_bytes: None,
                    },
                );
            }
            // A neighbour's message, with any content.
            7..=10 => {
                let message = bytes.take();
                if let Some(peer) = peer(&world, viewer) {
                    world.input(viewer, Input::Message { peer, bytes: message });
                }
            }
            11 | 12 => {
                let message = bytes.take();
                let (head, payload) = message.split_at(DATA_HEAD.min(message.len()));
                if let Some(peer) = peer(&world, viewer) {
                    world.input(
                        viewer,
                        Input::Data {
                            peer,
                            head,
                            payload: &payload,
                        },
                    );
                }
            }
            13 => world.origin.down = !world.origin.down,
            14 => world.stop_tracker(what & 0x80 != 0),
            _ => world.run(u64::from(bytes.word()) * 100),
        }
    }
    world.origin.down = false;
    world.stop_tracker(false);
    world.run(20_000_000);
    for viewer in world.viewers.iter().filter(|viewer| !viewer.gone) {
        let held: usize = viewer.store.values().map(Vec::len).sum();
        assert_eq!(
            viewer.engine.stats().store_bytes,
            held as u64,
            "engine and owner agree"
        );
    }
}

fn peer(world: &World, viewer: usize) -> Option<PeerId> {
    let peers = world.viewers[viewer].engine.stats().peers;
    peers.first().map(|peer| PeerId(peer.peer))
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn word(&mut self) -> u16 {
        u16::from_be_bytes([self.byte().unwrap_or(0), self.byte().unwrap_or(0)])
    }

    /// As many bytes as the next byte says.
    fn take(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte().unwrap_or(0)).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }
}

/// Happenings in one run.
const MOST: usize = 40;
