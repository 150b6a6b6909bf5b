//! TR 33.844 §4.4: a sender that signs what it alters hands over the proof of it; one that says something else, or nothing,
//! cannot make its receiver accuse anybody.
//!
//! Statements are signed, and proofs are judged, by what docs/PROTOCOL.md §14 says; only the engine's own code is the defender's.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};
use swarmseal::content::{CHUNK, Hash, TrackId, tree};
use swarmseal::wire::{self, Message, Urgency};

use crate::arena::{Arena, Part, Reply, honest, parts};
use crate::dice::Dice;
use crate::impostor::Impostor;
use crate::party::Desk;
use crate::published::{Published, bytes};
use crate::report::{Outcome, conclude, runs};

const RUNS: u64 = 300;
const SEGMENTS: u32 = 6;
const LEN: usize = 150_000;

/// A statement before it is signed, field by field.
#[derive(Clone)]
struct Stated {
    swarm: [u8; 32],
    track: u16,
    index: u32,
    root: [u8; 32],
    chunks: u32,
    first: u32,
    nonce: [u8; 16],
    unix_s: u64,
    leaves: Vec<[u8; 32]>,
}

impl Stated {
    fn fields(&self) -> Vec<u8> {
        let mut out = [
            &self.swarm[..],
            &self.track.to_be_bytes(),
            &self.index.to_be_bytes(),
            &self.root,
            &self.chunks.to_be_bytes(),
            &self.first.to_be_bytes(),
            &self.nonce,
            &self.unix_s.to_be_bytes(),
        ]
        .concat();
        out.extend(self.leaves.iter().flatten());
        out
    }

    /// The STATEMENT message.
    fn message(&self, by: &Impostor) -> Vec<u8> {
        let fields = self.fields();
        let signature = by.sign(&[b"swarmseal/statement/1", &fields[..]].concat());
        [&[0x0c], &signature[..], &fields[..]].concat()
    }
}

fn hash_of_chunk(chunk: &[u8]) -> [u8; 32] {
    Sha256::digest([&[0], chunk].concat()).into()
}

/// A statement, and the DATA messages that go with it.
type Answer = (Stated, Vec<(Part, Vec<u8>)>);

/// Junk as long as what was asked for, and the statement that says that this is it.
fn junk(shelf: &Published, request: &Message, dice: &mut Dice) -> Option<Answer> {
    let Message::Request {
        object,
        root,
        first,
        nonce,
        ..
    } = request
    else {
        return None;
    };
    let sent: Vec<(Part, Vec<u8>)> = parts(request)
        .map(|part| (part, bytes(dice.roll(), part.chunks(shelf).len())))
        .collect();
    let leaves = sent
        .iter()
        .flat_map(|(_, body)| body.chunks(CHUNK as usize).map(hash_of_chunk))
        .collect();
    let stated = Stated {
        swarm: shelf.manifest.swarm_id().0,
        track: object.track.0,
        index: object.index,
        root: root.0,
        chunks: shelf.object(*object).chunks(CHUNK as usize).count() as u32,
        first: *first,
        nonce: *nonce,
        unix_s: crate::published::NOW_S,
        leaves,
    };
    Some((stated, sent))
}

/// Whether this is a proof against `by`, judged by the published files and nothing that the defender says.
fn convicts(proof: &[u8], by: &Impostor, shelf: &Published) -> bool {
    let (key, rest) = proof.split_at(32);
    let (place, siblings) = (usize::from(rest[0]), usize::from(rest[1]));
    let (leaf, rest) = rest[2..].split_at(32);
    let (path, statement) = rest.split_at(siblings * 32);
    let (signature, fields) = statement.split_at(64);
    let object = swarmseal::content::ObjectId::new(
        TrackId(u16::from_be_bytes(fields[32..34].try_into().unwrap())),
        u32::from_be_bytes(fields[34..38].try_into().unwrap()),
    );
    let [count, first] =
        [70, 74].map(|at| u32::from_be_bytes(fields[at..at + 4].try_into().unwrap()) as usize);
    let stated = &fields[102 + place * 32..][..32];
    let file = shelf.object(object);
    let chunks: Vec<[u8; 32]> = file.chunks(CHUNK as usize).map(hash_of_chunk).collect();
    let row: Vec<Hash> = chunks.iter().map(|chunk| Hash(*chunk)).collect();
    let siblings: Vec<u8> = tree::path(&row, first + place)
        .unwrap()
        .iter()
        .flat_map(|sibling| sibling.0)
        .collect();
    let signed = [b"swarmseal/statement/1", fields].concat();
    let signature = Signature::from_slice(signature).unwrap();
    key == by.public.0
        && fields[..32] == shelf.manifest.swarm_id().0
        && fields[38..70] == tree::root(&row).0
        && count == row.len()
        && leaf == chunks[first + place]
        && stated != leaf
        && path == siblings
        && VerifyingKey::from_bytes(&by.public.0)
            .unwrap()
            .verify_strict(&signed, &signature)
            .is_ok()
}

fn shelf() -> Arc<Published> {
    let body = |n: u32| Arc::new(bytes(1 + u64::from(n), LEN + n as usize));
    Arc::new(Published::of(SEGMENTS, body, Desk::new().key.public()))
}

/// An arena with one guest, which answers requests like this.
fn attack(
    published: &Arc<Published>,
    run: u64,
    mut answer: impl FnMut(&Impostor, &Message, &mut Dice) -> Vec<Reply> + 'static,
) -> (Arena, Rc<Impostor>) {
    let mut arena = Arena::new(published, run);
    let member = Rc::new(Impostor::new(arena.dice.array()));
    let (shelf, by) = (Arc::clone(published), Rc::clone(&member));
    arena.invite_as(
        &member,
        Box::new(move |message, dice| match message {
            Message::Request { .. } => answer(&by, message, dice),
            _ => honest(&shelf, message),
        }),
    );
    arena.at_leisure();
    arena.demand(1, "v/0.m4s");
    arena.run(2_000_000);
    (arena, member)
}

#[test]
fn whoever_signs_its_junk_hands_over_a_proof() {
    let published = shelf();
    let sent = Rc::new(RefCell::new(0_u64));
    let (mut escaped, mut longest) = (0, 0);
    for run in 0..runs(RUNS) {
        let (shelf, counted) = (Arc::clone(&published), Rc::clone(&sent));
        let (arena, member) = attack(&published, run, move |by, request, dice| {
            let (stated, body) = junk(&shelf, request, dice).unwrap();
            *counted.borrow_mut() += 1;
            let mut replies = vec![Reply::Control(stated.message(by))];
            replies.extend(
                body.into_iter()
                    .map(|(part, chunks)| Reply::Data(part.message(chunks))),
            );
            replies
        });
        let is_proven = matches!(&arena.proofs[..], [proof] if convicts(proof, &member, &published));
        longest = longest.max(arena.proofs.iter().map(Vec::len).max().unwrap_or_default());
        let is_blamed = arena.party.blamed() == ["statement_contradicts"];
        escaped +=
            u64::from(!is_proven || !is_blamed || arena.party.hashed > 0 || arena.party.unverified > 0);
    }
    let attempts = *sent.borrow();
    conclude(&Outcome {
        threat: "7",
        attack: "a polluter signs the leaf hashes of its junk, and sends it",
        attempts,
        successes: escaped,
        figure: &format!("a proof of {longest} bytes each time, before a byte of junk is hashed"),
        target: "a proof of at most 2,048 bytes",
    });
    assert!(longest <= 2_048 && attempts >= runs(RUNS));
}

type Evasion = fn(&mut Stated, &mut Dice);

/// What else may be stated, over junk, and what the receiver makes of it.
const EVASIONS: [(&str, &str, Evasion); 9] = [
    ("another nonce", "corrupt_chunk", |stated, dice| {
        stated.nonce = dice.array()
    }),
    ("another swarm", "statement_of_another", |stated, dice| {
        stated.swarm = dice.array()
    }),
    ("another root", "statement_of_another", |stated, dice| {
        stated.root = dice.array()
    }),
    ("another number of chunks", "statement_of_another", |stated, _| {
        stated.chunks += 1
    }),
    ("another object", "statement_of_another", |stated, _| {
        stated.index = (stated.index + 1) % SEGMENTS
    }),
    ("another range", "statement_of_another", |stated, _| {
        stated.first ^= 1
    }),
    ("one hash too few", "statement_of_another", |stated, _| {
        stated.leaves.pop();
        stated.leaves.push([1; 32]);
        stated.leaves.push([1; 32]);
    }),
    ("no hash", "statement_malformed", |stated, _| {
        stated.leaves.clear()
    }),
    ("seventeen hashes", "statement_malformed", |stated, _| {
        stated.leaves = vec![[1; 32]; 17]
    }),
];

#[test]
fn a_statement_of_anything_else_accuses_nobody() {
    let published = shelf();
    let (mut attempts, mut accused) = (0, 0);
    let mut unexpected = Vec::new();
    for (name, code, evade) in EVASIONS {
        for run in 0..runs(RUNS / 10) {
            let shelf = Arc::clone(&published);
            let (arena, _) = attack(&published, run, move |by, request, dice| {
                let (mut stated, body) = junk(&shelf, request, dice).unwrap();
                evade(&mut stated, dice);
                let data = body
                    .into_iter()
                    .map(|(part, chunks)| Reply::Data(part.message(chunks)));
                [Reply::Control(stated.message(by))]
                    .into_iter()
                    .chain(data)
                    .collect()
            });
            if arena.party.blamed() != [code] {
                unexpected.push(format!("{name}: {:?}", arena.party.blamed()));
            }
            attempts += 1;
            accused += arena.proofs.len() as u64 + arena.party.unverified;
        }
    }
    for run in 0..runs(RUNS / 10) {
        // Right hashes over junk, nothing at all, another one's signature, none.
        for how in 0..4 {
            let shelf = Arc::clone(&published);
            let (arena, _) = attack(&published, run, move |by, request, dice| {
                let (mut stated, body) = junk(&shelf, request, dice).unwrap();
                let said = match how {
                    0 => {
                        let right = parts(request).flat_map(|part| {
                            let chunks = part.chunks(&shelf);
                            chunks
                                .chunks(CHUNK as usize)
                                .map(hash_of_chunk)
                                .collect::<Vec<_>>()
                        });
                        stated.leaves = right.collect();
                        Some(stated.message(by))
                    }
                    1 => None,
                    2 => Some(stated.message(&Impostor::new(dice.array()))),
                    _ => {
                        let mut message = stated.message(by);
                        message[1..65].fill(0);
                        Some(message)
                    }
                };
                let data = body
                    .into_iter()
                    .map(|(part, chunks)| Reply::Data(part.message(chunks)));
                said.map(Reply::Control).into_iter().chain(data).collect()
            });
            let code = if how < 2 {
                "corrupt_chunk"
            } else {
                "statement_unsigned"
            };
            if arena.party.blamed() != [code] {
                unexpected.push(format!("{how}: {:?}", arena.party.blamed()));
            }
            attempts += 1;
            accused += arena.proofs.len() as u64 + arena.party.unverified;
        }
    }
    // From one that has said that it takes none, and so sends none.
    let mut arena = Arena::new(&published, 1);
    let mut member = Impostor::new(arena.dice.array());
    member.capabilities = 0;
    let (peer, _) = arena.invite_as(&member, Box::new(|_, _| Vec::new()));
    arena.send(peer, &Reply::Control(vec![0x0c, 1]));
    if arena.party.blamed() != ["statement_not_wanted"] {
        unexpected.push(format!("{:?}", arena.party.blamed()));
    }
    conclude(&Outcome {
        threat: "7",
        attack: "junk under a statement that is foreign, malformed, unsigned, right, or missing",
        attempts,
        successes: accused,
        figure: "its sender is closed all the same, and nobody is accused",
        target: "0 proofs that are none, 0 unverified bytes",
    });
    assert_eq!(unexpected, [""; 0]);
}

#[test]
fn an_honest_sender_states_once_for_each_request_what_the_publisher_signed() {
    let published = shelf();
    for run in 0..runs(RUNS / 10) {
        let mut arena = Arena::new(&published, run);
        arena.demand(1, "v/0.m4s");
        arena.run(1_000_000);
        let member = Rc::new(Impostor::new(arena.dice.array()));
        let heard = Rc::new(RefCell::new(Vec::new()));
        let ears = Rc::clone(&heard);
        let (peer, _) = arena.invite_as(
            &member,
            Box::new(move |message, _| {
                if let Message::Statement(statement) = message {
                    ears.borrow_mut().push(statement.clone());
                }
                Vec::new()
            }),
        );
        let object = swarmseal::content::ObjectId::new(TrackId(1), 0);
        let row: Vec<Hash> = published
            .object(object)
            .chunks(CHUNK as usize)
            .map(tree::leaf)
            .collect();
        for (id, first, count) in [(1, 0, 4), (2, 4, 6)] {
            let request = wire::encode(&Message::Request {
                id,
                object,
                root: tree::root(&row),
                first,
                count,
                nonce: [id as u8; 16],
                urgency: Urgency::Soon,
            });
            arena.send(peer, &Reply::Control(request));
            for _ in 0..4 {
                arena.run(100_000);
                arena.drained(peer);
            }
            arena.run(0);
        }
        let wanted: Vec<Vec<u8>> = [(1_u8, 0_usize, 4_usize), (2, 4, 6)]
            .iter()
            .map(|(nonce, first, count)| {
                Stated {
                    swarm: published.manifest.swarm_id().0,
                    track: 1,
                    index: 0,
                    root: tree::root(&row).0,
                    chunks: row.len() as u32,
                    first: *first as u32,
                    nonce: [*nonce; 16],
                    unix_s: 0,
                    leaves: row[*first..first + count].iter().map(|leaf| leaf.0).collect(),
                }
                .fields()
            })
            .collect();
        let heard = heard.borrow();
        assert_eq!(heard.len(), 2);
        for (statement, wanted) in heard.iter().zip(wanted) {
            let (signature, fields) = statement.split_at(64);
            // But for the time.
            assert_eq!((&fields[..94], &fields[102..]), (&wanted[..94], &wanted[102..]));
            let unix_s = u64::from_be_bytes(fields[94..102].try_into().unwrap());
            assert!(unix_s.abs_diff(crate::published::NOW_S) <= 60, "{unix_s}");
            let signed = [b"swarmseal/statement/1", fields].concat();
            let signature = Signature::from_slice(signature).unwrap();
            let key = VerifyingKey::from_bytes(&arena.party.key.0).unwrap();
            assert!(key.verify_strict(&signed, &signature).is_ok());
        }
        assert_eq!(arena.party.blamed(), [""; 0]);
    }
}
