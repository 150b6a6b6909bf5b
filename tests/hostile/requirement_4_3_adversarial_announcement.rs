//! TR 33.844 §4.3, as far as the viewer can help itself: a neighbour that announces what it does not hold costs it no
//! play time and no byte. What the tracker verifies is tested in the tracker.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use swarmseal::swarm::DemandId;
use swarmseal::wire::{self, Message, RejectReason};

use crate::arena::{Answer, Arena, Reply, honest, parts};
use crate::party::Desk;
use crate::published::Published;
use crate::report::{Outcome, conclude, runs};

const RUNS: u64 = 30;
const SEGMENTS: u32 = 6;
/// Liars at a time: as many as a viewer keeps neighbours.
const LIARS: usize = 8;
/// One segment of two seconds.
const SEGMENT_US: u64 = 2_000_000;

type Lie = fn(&Published, &Message) -> Vec<Reply>;

const LIES: [(&str, Lie); 5] = [
    ("says nothing when it is asked", |_, _| Vec::new()),
    ("does not hold it when it is asked", |_, message| {
        reject(message, RejectReason::NotHeld)
    }),
    ("is always busy", |_, message| reject(message, RejectReason::Busy)),
    ("chokes whoever asks", |_, message| match message {
        Message::Request { .. } => vec![Reply::Control(wire::encode(&Message::Choke))],
        _ => Vec::new(),
    }),
    (
        "has the first chunks and no more",
        |published, message| match message {
            Message::Request { .. } => parts(message)
                .filter(|part| part.first == 0)
                .map(|part| Reply::Data(part.message(part.chunks(published))))
                .collect(),
            other => honest(published, other),
        },
    ),
];

fn reject(message: &Message, reason: RejectReason) -> Vec<Reply> {
    match message {
        Message::Request { id, .. } => {
            vec![Reply::Control(wire::encode(&Message::Reject { id: *id, reason }))]
        }
        _ => Vec::new(),
    }
}

#[test]
fn an_announcement_that_is_not_true_costs_no_play_time() {
    let published = Arc::new(Published::title(SEGMENTS, 150_000, Desk::new().key.public()));
    for (kind, (name, lie)) in LIES.into_iter().enumerate() {
        let (mut lies, mut late, mut most, mut worst) = (0, 0, 0, Waited::default());
        for run in 0..runs(RUNS) {
            let seed = (kind as u64) << 32 | run;
            let alone = play(&mut Arena::new(&published, seed));
            let mut arena = Arena::new(&published, seed);
            let asked = Rc::new(RefCell::new(0_u64));
            for _ in 0..LIARS {
                let (published, asked) = (Arc::clone(&published), Rc::clone(&asked));
                let answer: Answer = Box::new(move |message, _| {
                    *asked.borrow_mut() += u64::from(matches!(message, Message::Request { .. }));
                    lie(&published, message)
                });
                arena.invite(answer);
            }
            let waited = play(&mut arena);
            worst.first_us = worst.first_us.max(waited.first_us.saturating_sub(alone.first_us));
            worst.stalled_us = worst
                .stalled_us
                .max(waited.stalled_us.saturating_sub(alone.stalled_us));
            late += u64::from(waited.first_us > alone.first_us + SEGMENT_US);
            late += u64::from(waited.stalled_us > alone.stalled_us);
            lies += *asked.borrow();
            most = most.max(*asked.borrow());
            assert_eq!(arena.party.unverified, 0);
            assert!(
                arena.party.blamed().is_empty(),
                "{name}: a lie of this kind is no proof"
            );
        }
        conclude(&Outcome {
            threat: "10",
            attack: &format!("{LIARS} neighbours announce everything; each {name}"),
            attempts: lies,
            successes: late,
            figure: &format!(
                "first segment at most {} ms later than without neighbours, stalls at most {} ms longer; at most {most} requests in a run",
                worst.first_us / 1_000,
                worst.stalled_us / 1_000
            ),
            target: "start at most a segment later, no stall; nobody blamed without proof",
        });
    }
}

/// What a player had to wait.
#[derive(Clone, Copy, Default)]
struct Waited {
    first_us: u64,
    stalled_us: u64,
}

/// A player that asks for one segment after the other and plays as soon as it has the first.
fn play(arena: &mut Arena) -> Waited {
    arena.media_us = 300_000;
    let mut waited = Waited::default();
    let (mut got, mut position_us, mut asked) = (0, 0, 0);
    while position_us < u64::from(SEGMENTS) * SEGMENT_US {
        if asked == got && asked < SEGMENTS {
            arena.demand(asked, &format!("v/{asked}.m4s"));
            asked += 1;
        }
        arena.play_at(position_us, u64::from(got) * SEGMENT_US);
        arena.run(STEP_US);
        got += u32::from(got < asked && arena.party.delivered.contains_key(&DemandId(got)));
        if got == 0 {
            waited.first_us += STEP_US;
        } else if position_us < u64::from(got) * SEGMENT_US {
            position_us += STEP_US;
        } else {
            waited.stalled_us += STEP_US;
        }
        assert!(
            waited.first_us + waited.stalled_us < 120_000_000,
            "it never comes"
        );
    }
    waited
}

/// How often the player looks.
const STEP_US: u64 = 20_000;
