//! Whatever happens: nothing unverified is kept, nobody honest is blamed, every demand is answered in the end.

use proptest::prelude::*;
use swarmseal::swarm::{DemandId, Event, Input, PeerId, Sharing};

use crate::rig::{Behaviour, World};

/// One thing that happens to a swarm.
#[derive(Clone, Debug)]
enum Happening {
    Join(Behaviour),
    Leave(usize),
    Demand {
        viewer: usize,
        segment: u32,
    },
    DemandPart {
        viewer: usize,
        segment: u32,
        first: u64,
        len: u64,
    },
    Cancel {
        viewer: usize,
        back: u32,
    },
    Seek {
        viewer: usize,
        second: u64,
        paused: bool,
    },
    Share {
        viewer: usize,
        sharing: u8,
        cap: Option<u64>,
    },
    Junk {
        viewer: usize,
        bytes: Vec<u8>,
        data: bool,
    },
    Origin(bool),
    Tracker(bool),
    Wait(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let behaviour = prop_oneof![
        6 => Just(Behaviour::Honest),
        1 => Just(Behaviour::Corrupts),
        1 => Just(Behaviour::Silent),
    ];
    prop_oneof![
        2 => behaviour.prop_map(Happening::Join),
        1 => (0..8_usize).prop_map(Happening::Leave),
        8 => (0..8_usize, 0..14_u32).prop_map(|(viewer, segment)| Happening::Demand { viewer, segment }),
        2 => (0..8_usize, 0..14_u32, 0..60_000_u64, 1..40_000_u64)
            .prop_map(|(viewer, segment, first, len)| Happening::DemandPart { viewer, segment, first, len }),
        2 => (0..8_usize, 0..6_u32).prop_map(|(viewer, back)| Happening::Cancel { viewer, back }),
        3 => (0..8_usize, 0..24_u64, any::<bool>())
            .prop_map(|(viewer, second, paused)| Happening::Seek { viewer, second, paused }),
        1 => (0..8_usize, 0..3_u8, prop::option::of(1_000..4_000_000_u64))
            .prop_map(|(viewer, sharing, cap)| Happening::Share { viewer, sharing, cap }),
        1 => (0..8_usize, prop::collection::vec(any::<u8>(), 0..80), any::<bool>())
            .prop_map(|(viewer, bytes, data)| Happening::Junk { viewer, bytes, data }),
        1 => any::<bool>().prop_map(Happening::Origin),
        1 => any::<bool>().prop_map(Happening::Tracker),
        8 => (1..1_500_u64).prop_map(Happening::Wait),
    ]
}

fn run(happenings: Vec<Happening>) -> Result<(), TestCaseError> {
    let mut world = World::new(12, 70_000);
    world.join(Behaviour::Honest);
    let mut asked: Vec<(usize, u32)> = Vec::new();
    let mut cancelled: Vec<(usize, u32)> = Vec::new();
    let mut junked = false;
    for happening in happenings {
        let at = |viewer: usize| viewer % world.viewers.len();
        match happening {
            Happening::Join(behaviour) if world.viewers.len() < 6 => {
                world.join_with(behaviour, |mut config| {
                    config.store_bytes = 400_000;
                    config
                });
            }
            Happening::Join(_) => {}
            Happening::Leave(viewer) => world.leave(at(viewer)),
            Happening::Demand { viewer, segment } => {
                let id = asked.len() as u32;
                asked.push((at(viewer), id));
                world.demand(at(viewer), id, &format!("v/{segment}.m4s"));
            }
            Happening::DemandPart {
                viewer,
                segment,
                first,
                len,
            } => {
                let id = asked.len() as u32;
                asked.push((at(viewer), id));
                world.demand_range(
                    at(viewer),
                    id,
                    &format!("v/{segment}.m4s"),
                    Some((first, first + len - 1)),
                );
            }
            Happening::Cancel { viewer, back } => {
                let id = (asked.len() as u32).saturating_sub(back);
                let viewer = at(viewer);
                world.input(viewer, Input::CancelDemand { id: DemandId(id) });
                cancelled.push((viewer, id));
            }
            Happening::Seek {
                viewer,
                second,
                paused,
            } => {
                let position_us = second * 1_000_000;
                let input = Input::Player {
                    position_us,
                    rate_milli: 1_000,
                    buffered_end_us: position_us,
                    paused,
                    seeking: false,
                };
                world.input(at(viewer), input);
            }
            Happening::Share { viewer, sharing, cap } => {
                let sharing = [Sharing::Off, Sharing::Receive, Sharing::On][usize::from(sharing)];
                world.input(
                    at(viewer),
                    Input::Policy {
                        sharing,
                        upload_bps: cap,
                        upload_bytes: None,
                    },
                );
            }
            Happening::Junk { viewer, bytes, data } => {
                let viewer = at(viewer);
                let peers = world.viewers[viewer].engine.stats().peers;
                if let Some(peer) = peers.first().map(|peer| PeerId(peer.peer)) {
                    junked = true;
                    if data {
                        world.input(
                            viewer,
                            Input::Data {
                                peer,
                                head: &bytes,
                                payload: &[0_u8; 100].as_slice(),
                            },
                        );
                    } else {
                        world.input(viewer, Input::Message { peer, bytes: &bytes });
                    }
                }
            }
            Happening::Origin(down) => world.origin.down = down,
            Happening::Tracker(down) => world.stop_tracker(down),
            Happening::Wait(ms) => world.run(ms * 1_000),
        }
        check(&world, junked)?;
    }
    world.origin.down = false;
    world.stop_tracker(false);
    world.run(60_000_000);
    check(&world, junked)?;
    for (viewer, id) in asked {
        let state = &world.viewers[viewer];
        let id_ = DemandId(id);
        let answered = state.delivered.contains_key(&id_) || state.refused.contains_key(&id_);
        prop_assert!(
            answered || state.gone || cancelled.contains(&(viewer, id)),
            "viewer {viewer}, demand {id}"
        );
    }
    Ok(())
}

fn check(world: &World, junked: bool) -> Result<(), TestCaseError> {
    for viewer in world.viewers.iter().filter(|viewer| !viewer.gone) {
        let stats = viewer.engine.stats();
        let held: usize = viewer.store.values().map(Vec::len).sum();
        prop_assert_eq!(
            stats.store_bytes,
            held as u64,
            "engine and owner agree on the store"
        );
        prop_assert!(stats.peers.len() <= 24);
        let hostile = world
            .viewers
            .iter()
            .any(|other| other.behaviour != Behaviour::Honest);
        let blamed = viewer
            .events
            .iter()
            .any(|event| matches!(event, Event::PeerBlamed { .. }));
        prop_assert!(
            !blamed || hostile || junked,
            "an honest peer was blamed: {:?}",
            viewer.events
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_swarm_survives_anything(happenings in prop::collection::vec(happening(), 1..60)) {
        run(happenings)?;
    }
}
