//! TR 33.844 §4.4, second bullet: the receiver peer verifies whether what another user shares was tampered with.
//!
//! Every byte that the defender keeps, hands to its player or sends on is compared with the published files.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use swarmseal::content::{CHUNK, Hash, ObjectId, RollbackMemory, SecretKey, TrackId, Trust, WallTime, tree};
use swarmseal::identity::Handle;
use swarmseal::signal::{IntroductionId, SdpType, ServerMessage};
use swarmseal::swarm::{CloseReason, DemandId, Event, PeerId, RefuseCode};
use swarmseal::wire::{self, Message, Urgency};

use crate::arena::{Alter, Arena, Part, Reply, honest, parts};
use crate::dice::Dice;
use crate::party::{Desk, Wish};
use crate::published::{NOW_S, Published, bytes};
use crate::report::{Outcome, conclude, runs};

/// Runs of each kind of tampering.
const RUNS: u64 = 30;
const SEGMENTS: u32 = 6;
const LEN: usize = 150_000;
/// The most that one DATA message carries.
const ONE_MESSAGE: u64 = 4 * CHUNK as u64;

/// What was published now, what was published before, and what else the same publisher has signed.
struct Shelf {
    now: Arc<Published>,
    before: Published,
    other: Published,
}

impl Shelf {
    fn new() -> Self {
        let made = |salt: u64| {
            let body = move |n: u32| Arc::new(bytes(salt + u64::from(n), LEN + n as usize));
            Published::of(SEGMENTS, body, Desk::new().key.public())
        };
        Self {
            now: Arc::new(made(1)),
            before: made(1_001),
            other: made(2_001),
        }
    }
}

type Forge = fn(&Shelf, Part, &mut Dice) -> Vec<Reply>;

/// What a polluter sends in place of the chunks that it was asked for, and the rule that it breaks.
const FORGERIES: [(&str, &str, Forge); 15] = [
    ("a bit flipped", "corrupt_chunk", |shelf, part, dice| {
        let mut chunks = part.chunks(&shelf.now);
        dice.flip(&mut chunks);
        data(part, chunks)
    }),
    ("bytes of its own", "corrupt_chunk", |shelf, part, dice| {
        data(part, bytes(dice.roll(), part.chunks(&shelf.now).len()))
    }),
    ("zeros", "corrupt_chunk", |shelf, part, _| {
        data(part, vec![0; part.chunks(&shelf.now).len()])
    }),
    ("cut short", "wrong_data_length", |shelf, part, dice| {
        let mut chunks = part.chunks(&shelf.now);
        chunks.truncate(dice.below(chunks.len()));
        data(part, chunks)
    }),
    ("extended", "wrong_data_length", |shelf, part, dice| {
        let mut chunks = part.chunks(&shelf.now);
        chunks.resize(chunks.len() + 1 + dice.below(5_000), 0);
        data(part, chunks)
    }),
    (
        "another segment's bytes",
        "corrupt_chunk",
        |shelf, mut part, _| {
            let asked = part;
            part.object.index = (part.object.index + 1) % SEGMENTS;
            let mut chunks = part.chunks(&shelf.now);
            chunks.resize(asked.chunks(&shelf.now).len(), 0);
            data(asked, chunks)
        },
    ),
    (
        "the segment's chunks in another order",
        "corrupt_chunk",
        |shelf, mut part, _| {
            let asked = part;
            part.first = if part.first == 0 { 1 } else { part.first - 1 };
            let mut chunks = part.chunks(&shelf.now);
            chunks.resize(asked.chunks(&shelf.now).len(), 0);
            data(asked, chunks)
        },
    ),
    ("the version before", "corrupt_chunk", |shelf, part, _| {
        data(part, part.chunks(&shelf.before))
    }),
    (
        "the version before, under its own root",
        "wrong_root",
        |shelf, mut part, _| {
            part.root = tree::root(&row(&shelf.before, part.object));
            data(part, part.chunks(&shelf.before))
        },
    ),
    (
        "another content of the publisher",
        "corrupt_chunk",
        |shelf, part, _| data(part, part.chunks(&shelf.other)),
    ),
    (
        "another object than was asked for",
        "data_outside_request",
        |shelf, mut part, _| {
            part.object.index = (part.object.index + 1) % SEGMENTS;
            data(part, part.chunks(&shelf.now))
        },
    ),
    (
        "chunks beyond the request",
        "data_outside_request",
        |shelf, mut part, _| {
            part.first += 16;
            data(part, part.chunks(&shelf.now))
        },
    ),
    (
        "an answer that nobody asked for",
        "unsolicited_data",
        |shelf, mut part, dice| {
            part.id += 1_000 + dice.below(1_000_000) as u32;
            data(part, part.chunks(&shelf.now))
        },
    ),
    (
        "rows that nobody asked for",
        "unsolicited_rows",
        |shelf, part, _| {
            let object = ObjectId {
                index: SEGMENTS - 1,
                ..part.object
            };
            let rows = Message::Rows {
                object,
                root: part.root,
                hashes: row(&shelf.before, object),
            };
            vec![Reply::Control(wire::encode(&rows))]
        },
    ),
    (
        "content on the control channel",
        "data_on_control",
        |shelf, part, _| {
            let [Reply::Data(bytes) | Reply::Control(bytes)] =
                <[_; 1]>::try_from(data(part, part.chunks(&shelf.now)))
                    .unwrap_or_else(|_| panic!("one message"));
            vec![Reply::Control(bytes)]
        },
    ),
];

fn data(part: Part, payload: Vec<u8>) -> Vec<Reply> {
    vec![Reply::Data(part.message(payload))]
}

fn row(published: &Published, object: ObjectId) -> Vec<Hash> {
    published
        .object(object)
        .chunks(CHUNK as usize)
        .map(tree::leaf)
        .collect()
}

#[test]
fn what_a_peer_altered_goes_nowhere() {
    let shelf = Rc::new(Shelf::new());
    let (mut polluters, mut after, mut missing, mut worst) = (0, Aftermath::default(), Vec::new(), 0);
    for (kind, (name, rule, forge)) in FORGERIES.into_iter().enumerate() {
        let (mut sent, mut unverified, mut most_hashed, mut sent_on) = (0, 0, 0, 0);
        for run in 0..runs(RUNS) {
            let mut arena = Arena::new(&shelf.now, (kind as u64) << 32 | run);
            arena.media_us = 1_500_000;
            let forged = Rc::new(RefCell::new(0_u64));
            let polluter = {
                let (shelf, forged) = (Rc::clone(&shelf), Rc::clone(&forged));
                arena.invite(Box::new(move |message, dice| match message {
                    // Ten more follow in the same breath.
                    Message::Request { .. } => {
                        let part = parts(message).next().unwrap();
                        let replies: Vec<Reply> = (0..11).flat_map(|_| forge(&shelf, part, dice)).collect();
                        *forged.borrow_mut() += replies.len() as u64;
                        replies
                    }
                    other => honest(&shelf.now, other),
                }))
            };
            reader(&mut arena);
            play(&mut arena);
            let forged = *forged.borrow();
            assert!(forged > 0, "{name}: the attack took place");
            sent += forged;
            unverified += arena.party.unverified;
            most_hashed = most_hashed.max(arena.party.hashed);
            sent_on += arena.party.engine.stats().traffic.to_peers;
            after += aftermath(&mut arena, polluter, rule);
            polluters += 1;
            for n in 0..SEGMENTS {
                let body = arena.party.delivered.get(&DemandId(n));
                if body.is_none_or(|body| body != shelf.now.object(segment(n))) {
                    missing.push((name, n));
                }
            }
        }
        worst = worst.max(most_hashed);
        conclude(&Outcome {
            threat: "1, 2",
            attack: &format!("a peer sends {name}"),
            attempts: sent,
            successes: unverified,
            figure: &format!("closed for {rule}; at most {most_hashed} bytes hashed of a connection"),
            target: "0 unverified bytes",
        });
        assert!(sent_on > 0, "{name}: something was sent on meanwhile");
    }
    conclude(&Outcome {
        threat: "2",
        attack: "a polluter goes on after its first bad message",
        attempts: polluters,
        successes: after.lingered + u64::from(worst > ONE_MESSAGE),
        figure: &format!(
            "closed and reported in the same drain; at most {worst} bytes hashed of a connection"
        ),
        target: "closed in the same drain; at most 65,536 bytes hashed",
    });
    conclude(&Outcome {
        threat: "2",
        attack: "a polluter comes back under its handle",
        attempts: polluters,
        successes: after.back,
        figure: "neither dialled nor let in",
        target: "0",
    });
    assert!(missing.is_empty(), "the player waits in vain: {missing:?}");
}

/// One that behaves for the most part is found at its first bad message all the same.
#[test]
fn a_sensible_polluter_gets_one_message() {
    let shelf = Rc::new(Shelf::new());
    let (mut sent, mut unverified, mut most_rejected, mut after) = (0, 0, 0, Aftermath::default());
    for run in 0..runs(RUNS) {
        let mut arena = Arena::new(&shelf.now, run);
        arena.media_us = 1_500_000;
        let forged = Rc::new(RefCell::new(0_u64));
        let polluter = {
            let (shelf, forged) = (Rc::clone(&shelf), Rc::clone(&forged));
            let mut answers = 0;
            arena.invite(Box::new(move |message, dice| {
                let mut replies = honest(&shelf.now, message);
                for reply in &mut replies {
                    if let Reply::Data(bytes) = reply {
                        answers += 1;
                        if answers % 10 == 0 || answers > 10 {
                            // Somewhere in the chunks, however few bytes they are.
                            let chunks = bytes.len() - wire::DATA_HEAD;
                            let head = bytes.len() - 1 - dice.below(chunks.min(10_000));
                            dice.flip(&mut bytes[head..]);
                            *forged.borrow_mut() += 1;
                        }
                    }
                }
                replies
            }))
        };
        reader(&mut arena);
        play(&mut arena);
        assert!(*forged.borrow() > 0, "the attack took place");
        sent += *forged.borrow();
        unverified += arena.party.unverified;
        most_rejected = most_rejected.max(arena.party.engine.stats().traffic.rejected);
        after += aftermath(&mut arena, polluter, "corrupt_chunk");
    }
    conclude(&Outcome {
        threat: "1, 2",
        attack: "a peer alters one message in ten",
        attempts: sent,
        successes: unverified,
        figure: &format!("at most {most_rejected} bytes rejected of a connection"),
        target: "0 unverified bytes; at most 65,536 bytes rejected",
    });
    assert!(most_rejected <= ONE_MESSAGE, "{most_rejected}");
    assert_eq!((after.lingered, after.back), (0, 0));
}

/// Rows decide what is right, so they are checked before anything is checked against them.
#[test]
fn rows_that_do_not_match_are_not_believed() {
    let shelf = Rc::new(Shelf::new());
    type Twist = fn(&Shelf, ObjectId, Vec<Hash>, &mut Dice) -> Vec<Hash>;
    let twists: [(&str, Twist); 5] = [
        ("a bit flipped", |_, _, mut row, dice| {
            let at = dice.below(row.len());
            dice.flip(&mut row[at].0);
            row
        }),
        ("one hash too few", |_, _, mut row, _| {
            row.pop();
            row
        }),
        ("one hash too many", |_, _, mut row, _| {
            row.push(row[0]);
            row
        }),
        ("of the version before", |shelf, object, _, _| {
            row(&shelf.before, object)
        }),
        ("the root in place of the leaves", |_, _, row, _| {
            vec![tree::root(&row)]
        }),
    ];
    let mut after = Aftermath::default();
    for (kind, (name, twist)) in twists.into_iter().enumerate() {
        let (mut sent, mut unverified) = (0, 0);
        for run in 0..runs(RUNS) {
            let mut arena = Arena::new(&shelf.now, (kind as u64) << 32 | run);
            arena.media_us = 1_500_000;
            // Rows over HTTP fail, so that they are asked of peers.
            arena.origin(Box::new(
                |path, body, _| if path.ends_with(".rows") { Vec::new() } else { body },
            ));
            let forged = Rc::new(RefCell::new(0_u64));
            let polluter = {
                let (shelf, forged) = (Rc::clone(&shelf), Rc::clone(&forged));
                arena.invite(Box::new(move |message, dice| match message {
                    Message::WantRows { object, root } => {
                        *forged.borrow_mut() += 1;
                        let hashes = twist(&shelf, *object, row(&shelf.now, *object), dice);
                        vec![Reply::Control(wire::encode(&Message::Rows {
                            object: *object,
                            root: *root,
                            hashes,
                        }))]
                    }
                    // Content that would fit the rows that it sent.
                    Message::Request { .. } => parts(message)
                        .flat_map(|part| data(part, part.chunks(&shelf.before)))
                        .collect(),
                    _ => Vec::new(),
                }))
            };
            play(&mut arena);
            let asked = *forged.borrow();
            if asked > 0 {
                after += aftermath(&mut arena, polluter, "corrupt_rows");
            }
            sent += asked;
            unverified += arena.party.unverified;
        }
        conclude(&Outcome {
            threat: "4",
            attack: &format!("a peer sends rows: {name}"),
            attempts: sent,
            successes: unverified,
            figure: "closed for corrupt_rows",
            target: "0 unverified bytes",
        });
    }
    assert_eq!((after.lingered, after.back), (0, 0));
}

#[test]
fn what_an_origin_altered_goes_nowhere() {
    let shelf = Rc::new(Shelf::new());
    let swapped = Rc::clone(&shelf);
    let before = Rc::clone(&shelf);
    let other = Rc::clone(&shelf);
    type Make = Box<dyn Fn() -> Alter>;
    let lies: [(&str, Make); 9] = [
        ("a bit flipped", on_media(|_, body, dice| dice.flip(body))),
        (
            "bodies cut short",
            on_media(|_, body, dice| body.truncate(dice.below(body.len()))),
        ),
        (
            "bodies extended",
            on_media(|_, body, dice| body.resize(body.len() + 1 + dice.below(9_000), 7)),
        ),
        ("empty bodies", on_media(|_, body, _| body.clear())),
        (
            "segments swapped",
            on_media(move |path, body, _| {
                let n: u32 = path[2..path.len() - 4].parse().unwrap();
                *body = swapped.now.object(segment((n + 1) % SEGMENTS)).to_vec();
            }),
        ),
        (
            "the version before",
            on_media(move |path, body, _| *body = before.before.files[path].to_vec()),
        ),
        (
            "another content",
            on_media(move |path, body, _| *body = other.other.files[path].to_vec()),
        ),
        ("altered rows", on_file(".rows", |_, body, dice| dice.flip(body))),
        (
            "altered index",
            on_file(".index", |_, body, dice| dice.flip(body)),
        ),
    ];
    for (kind, (name, lie)) in lies.into_iter().enumerate() {
        let (mut unverified, mut alarms, mut delivered, mut wrong) = (0, 0, 0, Vec::new());
        for run in 0..runs(RUNS) {
            let mut arena = Arena::new(&shelf.now, (kind as u64) << 32 | run);
            arena.origin(lie());
            reader(&mut arena);
            play(&mut arena);
            unverified += arena.party.unverified;
            let blames = arena.party.events.iter();
            alarms += u64::from(
                blames
                    .filter(|event| matches!(event, Event::SourceBlamed { .. }))
                    .count()
                    > 0,
            );
            for n in 0..SEGMENTS {
                match arena.party.delivered.get(&DemandId(n)) {
                    Some(body) => {
                        delivered += 1;
                        if body != shelf.now.object(segment(n)) {
                            wrong.push(n);
                        }
                    }
                    None => assert!(
                        matches!(
                            arena.party.refused.get(&DemandId(n)),
                            Some(RefuseCode::Corrupt | RefuseCode::Unavailable)
                        ),
                        "{name}: segment {n} has no answer"
                    ),
                }
            }
        }
        conclude(&Outcome {
            threat: "3, 4",
            attack: &format!("the origin serves {name}"),
            attempts: runs(RUNS) * u64::from(SEGMENTS),
            successes: unverified,
            figure: &format!(
                "{alarms} of {} runs with an alarm; {delivered} good segments delivered",
                runs(RUNS)
            ),
            target: "0 unverified bytes; an alarm where bytes of the right length were wrong",
        });
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        if !name.contains("cut short") && !name.contains("extended") && !name.contains("empty") {
            assert_eq!(alarms, runs(RUNS), "{name}: the alarm");
        }
    }
}

/// A manifest decides everything, so it is the best thing to forge.
#[test]
fn no_other_manifest_is_taken() {
    let shelf = Shelf::new();
    let publisher = SecretKey::from_seed(&[3; 32]);
    let mut attempts = 0;
    let mut accepted = 0;
    let mut try_on = |sealed: &[u8]| {
        let mut trust = Trust::new(
            vec![shelf.now.publisher],
            Some(shelf.now.manifest.content_id),
            "https://example.com/content.seal",
            RollbackMemory::default(),
        );
        let wall = WallTime {
            unix_s: NOW_S,
            uncertainty_s: 1,
        };
        trust.verify(&shelf.now.sealed, wall).unwrap();
        attempts += 1;
        accepted += u64::from(trust.verify(sealed, wall).is_ok());
    };
    let mut dice = Dice::new(9);
    for _ in 0..1_000 {
        let mut sealed = shelf.now.sealed.clone();
        dice.flip(&mut sealed);
        try_on(&sealed);
        let mut sealed = shelf.now.sealed.clone();
        sealed.truncate(dice.below(sealed.len()));
        try_on(&sealed);
        let mut sealed = shelf.now.sealed.clone();
        sealed.push(dice.roll() as u8);
        try_on(&sealed);
    }
    // Signed by the publisher, and still not this content, or not any more, or not yet.
    let mut manifest = shelf.other.manifest.clone();
    manifest.content_id.0 = [8; 16];
    manifest.version = 2;
    try_on(&manifest.sign(&publisher).unwrap());
    // The same version number with other bytes under it.
    try_on(&shelf.before.manifest.sign(&publisher).unwrap());
    let mut manifest = shelf.now.manifest.clone();
    manifest.version = 2 + (1 << 20);
    try_on(&manifest.sign(&publisher).unwrap());
    let mut manifest = shelf.now.manifest.clone();
    manifest.version = 2;
    manifest.expires = NOW_S - 1_000;
    manifest.issued = NOW_S - 2_000;
    try_on(&manifest.sign(&publisher).unwrap());
    let mut manifest = shelf.now.manifest.clone();
    manifest.version = 2;
    try_on(&manifest.sign(&SecretKey::from_seed(&dice.array())).unwrap());
    conclude(&Outcome {
        threat: "5",
        attack: "manifests altered, older, of another content, expired, by another key",
        attempts,
        successes: accepted,
        figure: "each refused",
        target: "0 accepted",
    });
}

/// A neighbour that asks for whatever it hears of: what is sent on to it is judged like everything else.
fn reader(arena: &mut Arena) {
    let mut next = 0;
    let published = Arc::clone(&arena.published);
    arena.invite(Box::new(move |message, _| match message {
        Message::Have(have) if have.track == TrackId(1) => {
            let whole = have
                .complete
                .iter()
                .flat_map(|range| range.first..range.first + range.count);
            let partial = have.partial.iter().map(|part| part.index);
            whole
                .chain(partial)
                .map(|index| {
                    next += 1;
                    let object = segment(index);
                    Reply::Control(wire::encode(&Message::Request {
                        id: next,
                        object,
                        root: tree::root(&row(&published, object)),
                        first: 0,
                        count: 4,
                        nonce: [0; 16],
                        urgency: Urgency::Urgent,
                    }))
                })
                .collect()
        }
        // It holds nothing after all.
        Message::Request { id, .. } => vec![Reply::Control(wire::encode(&Message::Reject {
            id: *id,
            reason: wire::RejectReason::NotHeld,
        }))],
        _ => Vec::new(),
    }));
}

fn play(arena: &mut Arena) {
    arena.at_leisure();
    for n in 0..SEGMENTS {
        arena.demand(n, &format!("v/{n}.m4s"));
    }
    // Wrong lengths are asked for five times, 12 s of waiting in all; each wrong body in between adds 5 s to that.
    arena.run(30_000_000);
}

/// What became of a polluter.
#[derive(Clone, Copy, Default)]
struct Aftermath {
    /// It was closed for another rule, later, or not at all, or the tracker did not hear of it.
    lingered: u64,
    /// It was dialled again, or let in again.
    back: u64,
}

impl core::ops::AddAssign for Aftermath {
    fn add_assign(&mut self, other: Self) {
        self.lingered += other.lingered;
        self.back += other.back;
    }
}

fn aftermath(arena: &mut Arena, (peer, handle): (PeerId, Handle), rule: &'static str) -> Aftermath {
    let closes: Vec<CloseReason> = arena
        .closed
        .iter()
        .filter(|(closed, _)| *closed == peer)
        .map(|(_, reason)| *reason)
        .collect();
    let at_once =
        closes == [CloseReason::Misbehaviour(rule)] && arena.closed_at_once > 0 && arena.reports > 0;
    arena.asked_for.clear();
    arena.party.tracker(ServerMessage::Peers { peers: vec![handle] });
    let introduced = arena.party.tracker(ServerMessage::Introduction {
        introduction: IntroductionId([0xee; 16]),
        peer: handle,
        role: SdpType::Answer,
    });
    let let_in = introduced.iter().any(|wish| matches!(wish, Wish::Dial { .. }));
    arena.run(10_000_000);
    Aftermath {
        lingered: u64::from(!at_once),
        back: u64::from(let_in || arena.asked_for.contains(&handle)),
    }
}

fn segment(index: u32) -> ObjectId {
    ObjectId {
        track: TrackId(1),
        index,
    }
}

fn on_media(alter: impl Fn(&str, &mut Vec<u8>, &mut Dice) + 'static) -> Box<dyn Fn() -> Alter> {
    on_file(".m4s", alter)
}

fn on_file(
    end: &'static str,
    alter: impl Fn(&str, &mut Vec<u8>, &mut Dice) + 'static,
) -> Box<dyn Fn() -> Alter> {
    let alter = Rc::new(alter);
    Box::new(move || {
        let alter = Rc::clone(&alter);
        Box::new(move |path, mut body, dice| {
            if path.ends_with(end) {
                alter(path, &mut body, dice);
            }
            body
        })
    })
}
