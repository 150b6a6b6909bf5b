//! Several viewers fetch one large file of a viewer that has all of it.

use swarmseal::swarm::{DemandId, Timestamp};

use crate::rig::{Behaviour, Published, World};

const PIECES: u32 = 8;
const PIECE: usize = 2 << 20;
const RECEIVERS: usize = 3;

#[test]
fn three_who_begin_at_once_take_different_parts_and_hand_them_on() {
    let mut world = World::new(1, 1);
    let key = world.tracker_public();
    world = World::of(Published::uniform(PIECES, PIECE, key));
    let seed = world.join(Behaviour::Honest);
    for n in 0..PIECES {
        world.demand(seed, n, &format!("v/{n}.m4s"));
    }
    world.run(15_000_000);
    assert_eq!(world.viewers[seed].delivered.len(), PIECES as usize);
    for _ in 0..RECEIVERS {
        world.join(Behaviour::Honest);
    }
    world.run(2_000_000);
    for n in 0..PIECES {
        for receiver in 1..=RECEIVERS {
            world.demand_later(receiver, n, &format!("v/{n}.m4s"), 60_000_000);
        }
    }
    let everywhere = |world: &World| {
        world.viewers[1..]
            .iter()
            .all(|viewer| (0..PIECES).all(|n| viewer.delivered.contains_key(&DemandId(n))))
    };
    let end = Timestamp(world.now.0 + 60_000_000);
    assert!(world.run_until(end, everywhere), "not everybody has everything");
    for viewer in &world.viewers {
        viewer.engine.audit().unwrap();
    }
    let file = u64::from(PIECES) * PIECE as u64;
    let sent = world.viewers[seed].engine.stats().media.to_peers;
    let http: Vec<u64> = (1..=RECEIVERS)
        .map(|receiver| world.viewers[receiver].engine.stats().media.from_http)
        .collect();
    let share = sent as f64 / file as f64;
    assert!(share < 1.5, "the seed sent {share:.3} of the file");
    assert!(http.iter().all(|bytes| *bytes == 0), "{http:?}");
}
