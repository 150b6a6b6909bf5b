//! Proofs of tampering: whoever signs something else than what is under the root that it names is put out by its own signature,
//! and nobody else is.

use std::collections::BTreeSet;

use swarmseal::content::{Hash, ObjectId, SwarmId, TrackId, tree};
use swarmseal::identity::{Drbg, EphemeralKeys, Handle, MAX_STATED, MAX_TAMPERING, Statement, Tampering};
use swarmseal::signal::{ClientMessage, ServerMessage};

use super::announcer::{Announcer, Film, films_with};
use super::report::{Outcome, conclude, runs};
use super::rig::{Rig, SWARM, handle, keys, named, secret};
use crate::{CloseReason, ConnId, Content, Rate, TrackerConfig};

/// The tracker looks at every proof, so that what is refused is refused for what it is.
fn config() -> TrackerConfig {
    let any = Rate {
        burst: 1_000_000,
        per_minute: 1_000_000,
    };
    TrackerConfig {
        messages: any,
        reports: any,
        ..TrackerConfig::default()
    }
}

const OBJECT: ObjectId = ObjectId::new(TrackId(1), 3);

/// What an honest sender states of chunks 1 and 2 of the object.
fn statement(rig: &Rig, film: &Film) -> Statement {
    let row = film.row(OBJECT);
    Statement {
        swarm: SWARM,
        object: OBJECT,
        root: tree::root(row),
        chunks: u32::try_from(row.len()).unwrap(),
        first: 1,
        nonce: [9; 16],
        unix_s: rig.now.unix_ms / 1_000,
        leaves: row[1..3].to_vec(),
    }
}

/// The same, but for the second hash.
fn tampered(rig: &Rig, film: &Film) -> Statement {
    let mut statement = statement(rig, film);
    statement.leaves[1] = Hash([0x66; 32]);
    statement
}

fn proof(sender: &EphemeralKeys, statement: &Statement, film: &Film) -> Tampering {
    let row = film.row(OBJECT);
    Tampering {
        key: sender.public(),
        place: 1,
        leaf: row[2],
        path: tree::path(row, 2).unwrap(),
        statement: statement.sign(sender),
    }
}

fn bring(rig: &mut Rig, by: ConnId, proof: Vec<u8>) -> Vec<ServerMessage> {
    rig.say(by, ClientMessage::Tampering { proof })
}

/// Sources with the keys 1 and 2, listed after they have shown what they announced, and a viewer who knows both.
fn stage(films: u8) -> (Rig, Vec<Film>, [Announcer; 2], ConnId) {
    let (mut rig, films) = films_with(config(), films);
    let sources = [1, 2].map(|seed| {
        let mut source = Announcer::holding_all(&mut rig, seed, &films[0]);
        source.announce(&mut rig, 0..10);
        source.comply(&mut rig);
        source
    });
    let (viewer, _) = rig.join(200);
    let listed: BTreeSet<Handle> = rig.list(viewer, 30).into_iter().collect();
    assert_eq!(listed, BTreeSet::from([handle(1), handle(2)]));
    (rig, films, sources, viewer)
}

/// The reason for which the last proof was refused.
fn refused(rig: &mut Rig, by: ConnId, proof: Vec<u8>) -> String {
    let before = rig.tracker.counts().proofs_refused.clone();
    let heard = bring(rig, by, proof);
    let after = &rig.tracker.counts().proofs_refused;
    let grown = after
        .iter()
        .find(|(code, count)| before.get(*code).is_none_or(|before| before < count));
    let Some((code, _)) = grown else {
        return "taken".to_owned();
    };
    assert_eq!(heard, [], "who brings a proof in vain is not told");
    (*code).to_owned()
}

#[test]
fn whoever_has_signed_its_junk_is_out_at_once_by_proof_alone() {
    let attempts = runs(100);
    let (mut stayed, mut longest) = (0, 0);
    for _ in 0..attempts {
        let (mut rig, films, [polluter, honest], viewer) = stage(1);
        let bytes = proof(&keys(1), &tampered(&rig, &films[0]), &films[0]).encode();
        longest = longest.max(bytes.len());
        let heard = bring(&mut rig, viewer, bytes);
        // No time has passed, and nobody has complained.
        let is_out = rig.closed.get(&polluter.conn) == Some(&CloseReason::Revoked)
            && named(&heard) == BTreeSet::from([handle(1)])
            && rig.list(viewer, 30) == [handle(2)]
            && rig.tracker.take_news_of_revocations()
            && rig
                .tracker
                .revocations()
                .any(|revoked| revoked.handle == handle(1));
        let conn = rig.connect(1);
        let join = rig.join_message(conn, 1);
        let is_back = matches!(
            rig.say(conn, ClientMessage::Join(join)).as_slice(),
            [ServerMessage::Joined(_), ..]
        );
        assert!(!rig.closed.contains_key(&honest.conn));
        stayed += u64::from(!is_out || is_back);
    }
    conclude(&Outcome {
        threat: "7",
        attack: "a listed source stays, although it has signed other leaf hashes than the publisher",
        attempts,
        successes: stayed,
        figure: &format!("out, unlisted and named in the same turn, by {longest} bytes"),
        target: "out within 2,000 ms by proof alone",
    });
}

#[test]
fn a_proof_fits_into_two_kibibytes_for_a_segment_of_four_gibibytes() {
    let leaves: Vec<Hash> = (0..1_u32 << 18).map(|n| Hash::of(&[&n.to_be_bytes()])).collect();
    let sender = keys(1);
    let first = (1 << 18) - MAX_STATED;
    let mut stated = Statement {
        swarm: SWARM,
        object: OBJECT,
        root: tree::root(&leaves),
        chunks: 1 << 18,
        first: u32::try_from(first).unwrap(),
        nonce: [9; 16],
        unix_s: 1_800_000_000,
        leaves: leaves[first..].to_vec(),
    };
    stated.leaves[15] = Hash([0x66; 32]);
    let proof = Tampering {
        key: sender.public(),
        place: 15,
        leaf: leaves[first + 15],
        path: tree::path(&leaves, first + 15).unwrap(),
        statement: stated.sign(&sender),
    };
    assert_eq!(proof.path.len(), 18);
    let bytes = proof.encode();
    let read = Tampering::read(&bytes).unwrap();
    assert_eq!(read.check(&read.stated().unwrap()), Ok(()));
    let text = serde_json::to_string(&ClientMessage::Tampering { proof: bytes.clone() }).unwrap();
    assert_eq!((bytes.len(), text.len()), (1_320, 1_791));
    assert!(bytes.len() <= MAX_TAMPERING && text.len() <= 2_048);
}

#[test]
fn what_proves_nothing_puts_nobody_out_and_says_why() {
    let (mut rig, films, [_, honest], viewer) = stage(1);
    let film = &films[0];
    let good = proof(&keys(2), &tampered(&rig, film), film);
    let signed = |change: &dyn Fn(&mut Statement)| {
        let mut statement = tampered(&rig, film);
        change(&mut statement);
        Tampering {
            statement: statement.sign(&keys(2)),
            ..good.clone()
        }
    };
    let unix_s = rig.now.unix_ms / 1_000;
    let altered = |at: usize| {
        let mut proof = good.clone();
        proof.statement[at] ^= 1;
        proof
    };
    let honest_one = proof(&keys(2), &statement(&rig, film), film);
    let cases: Vec<(&str, &str, Tampering)> = vec![
        ("a statement cut short", "malformed", {
            let mut proof = good.clone();
            proof.statement.pop();
            proof
        }),
        (
            "of another swarm",
            "wrong_swarm",
            signed(&|stated| stated.swarm = SwarmId([8; 32])),
        ),
        (
            "of a minute ago",
            "not_of_now",
            signed(&|stated| stated.unix_s = unix_s - 61),
        ),
        (
            "of a minute to come",
            "not_of_now",
            signed(&|stated| stated.unix_s = unix_s + 61),
        ),
        (
            "of a key that nobody has joined with",
            "unknown_peer",
            proof(&keys(99), &tampered(&rig, film), film),
        ),
        (
            "under another root",
            "wrong_path",
            signed(&|stated| stated.root = Hash([5; 32])),
        ),
        ("of no chunks", "wrong_path", signed(&|stated| stated.chunks = 0)),
        (
            "of twice as many chunks",
            "wrong_path",
            signed(&|stated| stated.chunks *= 2),
        ),
        ("what is under its root", "no_contradiction", honest_one.clone()),
        (
            "about a chunk that is not stated",
            "no_contradiction",
            Tampering {
                place: 2,
                ..honest_one.clone()
            },
        ),
        (
            "with another leaf",
            "wrong_path",
            Tampering {
                leaf: Hash([7; 32]),
                ..honest_one.clone()
            },
        ),
        (
            "with the leaf of another chunk",
            "wrong_path",
            Tampering {
                place: 0,
                ..honest_one.clone()
            },
        ),
        (
            "with another path",
            "wrong_path",
            Tampering {
                path: tree::path(film.row(OBJECT), 1).unwrap(),
                ..good.clone()
            },
        ),
        (
            "with no path",
            "wrong_path",
            Tampering {
                path: Vec::new(),
                ..good.clone()
            },
        ),
        (
            "of another first chunk",
            "wrong_path",
            signed(&|stated| stated.first = 0),
        ),
        (
            "signed by another",
            "bad_signature",
            Tampering {
                key: keys(2).public(),
                ..proof(&keys(3), &tampered(&rig, film), film)
            },
        ),
        (
            "with another nonce",
            "bad_signature",
            altered(64 + 32 + 2 + 4 + 32 + 4 + 4),
        ),
        (
            "with another time",
            "bad_signature",
            altered(64 + 32 + 2 + 4 + 32 + 4 + 4 + 16 + 7),
        ),
        (
            "with another hash",
            "bad_signature",
            altered(good.statement.len() - 1),
        ),
    ];
    let judged: Vec<(&str, String)> = cases
        .iter()
        .map(|(name, _, proof)| (*name, refused(&mut rig, viewer, proof.encode())))
        .collect();
    let nonsense =
        [Vec::new(), vec![0; 66], vec![0xff; MAX_TAMPERING]].map(|bytes| refused(&mut rig, viewer, bytes));
    let taken = judged.iter().filter(|(_, code)| code == "taken").count();
    let is_there = !rig.closed.contains_key(&honest.conn) && rig.list(viewer, 30).contains(&handle(2));
    conclude(&Outcome {
        threat: "7",
        attack: "proofs that are forged, foreign, stale, of another nonce, key, root or place, or that contradict nothing",
        attempts: (judged.len() + nonsense.len()) as u64,
        successes: taken as u64 + u64::from(!is_there),
        figure: "each is refused for its own reason",
        target: "0 honest peers removed",
    });
    let expected: Vec<(&str, String)> = cases
        .iter()
        .map(|(name, code, _)| (*name, (*code).to_owned()))
        .collect();
    assert_eq!(judged, expected);
    assert_eq!(nonsense, ["malformed"; 3]);
    assert_eq!(
        refused(&mut rig, viewer, good.encode()),
        "taken",
        "it can be said"
    );
    assert_eq!(refused(&mut rig, viewer, good.encode()), "already_out");
}

/// All nodes of the tree over `row`, each with the siblings above it and how many levels it is above the leaves.
fn nodes(row: &[Hash]) -> Vec<(usize, Hash, Vec<Hash>)> {
    let mut levels = vec![row.to_vec()];
    while let Some(below) = levels.last().filter(|below| below.len() > 1) {
        let above = below.chunks(2).map(|pair| match pair {
            [left, right] => tree::node(left, right),
            // The last one stands on the next level as it is.
            alone => alone[0],
        });
        levels.push(above.collect());
    }
    let mut nodes = Vec::new();
    for (height, level) in levels.iter().enumerate() {
        for (at, hash) in level.iter().enumerate() {
            let siblings = levels[height..]
                .iter()
                .enumerate()
                .filter_map(|(up, level)| level.get((at >> up) ^ 1).copied());
            nodes.push((height, *hash, siblings.collect()));
        }
    }
    nodes
}

#[test]
fn no_hash_of_the_tree_can_be_shown_against_an_honest_statement() {
    let (mut rig, _, [_, honest], viewer) = stage(1);
    rig.reads_back = false;
    let most = 17.max(runs(40)) as usize;
    let (mut attempts, mut inner, mut taken) = (0, 0, 0);
    for chunks in 1..=most {
        let row: Vec<Hash> = (0..chunks as u32).map(|n| tree::leaf(&n.to_be_bytes())).collect();
        let nodes = nodes(&row);
        for first in (0..chunks).step_by(MAX_STATED) {
            let leaves = &row[first..chunks.min(first + MAX_STATED)];
            let stated = Statement {
                swarm: SWARM,
                object: OBJECT,
                root: tree::root(&row),
                chunks: chunks as u32,
                first: first as u32,
                nonce: [9; 16],
                unix_s: rig.now.unix_ms / 1_000,
                leaves: leaves.to_vec(),
            };
            let statement = stated.sign(&keys(2));
            for place in 0..leaves.len() {
                for (height, hash, path) in &nodes {
                    let forged = Tampering {
                        key: keys(2).public(),
                        place: place as u8,
                        leaf: *hash,
                        path: path.clone(),
                        statement: statement.clone(),
                    };
                    attempts += 1;
                    inner += u64::from(*height > 0);
                    taken += u64::from(refused(&mut rig, viewer, forged.encode()) == "taken");
                }
            }
        }
    }
    conclude(&Outcome {
        threat: "7",
        attack: "what is signed honestly is accused with each node of its own tree, shown as a leaf with the siblings above it",
        attempts,
        successes: taken + u64::from(rig.closed.contains_key(&honest.conn)),
        figure: &format!(
            "{inner} of them are above the leaves; the sender's number of chunks says which are leaves"
        ),
        target: "0 honest peers removed",
    });
    assert!(inner > 0);
}

#[test]
fn a_polluter_of_a_content_without_known_roots_is_out_by_its_own_statement() {
    let attempts = runs(100);
    let (mut stayed, mut accused) = (0, 0);
    for _ in 0..attempts {
        let (mut rig, films, [polluter, honest], viewer) = stage(1);
        let film = &films[0];
        // As it is of every live content, and of titles whose index cannot be read.
        rig.tracker.set_contents(
            rig.now,
            [Content {
                swarm: SWARM,
                secret: secret(),
                roots: Vec::new(),
                is_followed: false,
            }],
        );
        let said = statement(&rig, film);
        for leaf in [Hash([0x66; 32]), film.row(OBJECT)[1]] {
            let forged = Tampering {
                leaf,
                ..proof(&keys(2), &said, film)
            };
            accused += u64::from(refused(&mut rig, viewer, forged.encode()) != "wrong_path");
        }
        let bytes = proof(&keys(1), &tampered(&rig, film), film).encode();
        let heard = bring(&mut rig, viewer, bytes);
        let is_out = rig.closed.get(&polluter.conn) == Some(&CloseReason::Revoked)
            && named(&heard) == BTreeSet::from([handle(1)]);
        stayed += u64::from(!is_out);
        accused += u64::from(rig.closed.contains_key(&honest.conn));
    }
    conclude(&Outcome {
        threat: "7",
        attack: "a source has signed other leaf hashes, of a content of which the tracker knows no root",
        attempts,
        successes: stayed + accused,
        figure: "out and named in the same turn; forged proofs against an honest source are refused",
        target: "out within 2,000 ms by proof alone, 0 honest peers removed",
    });
}

#[test]
fn ten_thousand_mutations_of_proofs_convict_nobody() {
    let (mut rig, films, _, viewer) = stage(1);
    rig.reads_back = false;
    let film = &films[0];
    let mut dice = Drbg::new([17; 32]);
    let below = |dice: &mut Drbg, most: usize| u32::from_be_bytes(dice.array()) as usize % most;
    // What an attacker has: honest statements of the victim, and real proofs against a key of its own, which has not joined.
    let honest = proof(&keys(2), &statement(&rig, film), film);
    let real = proof(&keys(99), &tampered(&rig, film), film);
    let stolen = Tampering {
        key: keys(2).public(),
        ..real.clone()
    };
    let spliced = Tampering {
        statement: [&honest.statement[..64], &real.statement[64..]].concat(),
        ..honest.clone()
    };
    let bases = [honest, real, stolen, spliced].map(|base| base.encode());
    let attempts = 10_000_u64.max(runs(100_000));
    for n in 0..attempts {
        let mut bytes = bases[n as usize % bases.len()].clone();
        for _ in 0..1 + below(&mut dice, 4) {
            let at = below(&mut dice, bytes.len());
            match below(&mut dice, 6) {
                0 | 1 => bytes[at] ^= 1 << below(&mut dice, 8),
                2 => bytes[at] = dice.array::<1>()[0],
                3 => bytes.truncate(at.max(1)),
                4 => bytes.insert(at, 0),
                _ => {
                    let other = &bases[below(&mut dice, bases.len())];
                    let end = bytes.len().min(other.len()).min(at + 32);
                    bytes[at.min(end)..end].copy_from_slice(&other[at.min(end)..end]);
                }
            }
        }
        // A mutation that undoes another leaves what was refused before.
        bring(&mut rig, viewer, bytes);
    }
    let counts = rig.tracker.counts();
    let refused = counts.proofs_refused.values().sum::<u64>();
    let reasons: Vec<&str> = counts.proofs_refused.keys().copied().collect();
    conclude(&Outcome {
        threat: "7",
        attack: "random mutations of honest statements and of real proofs against somebody else",
        attempts,
        successes: counts.proofs + rig.closed.len() as u64,
        figure: &format!("refused as {}", reasons.join(", ")),
        target: "0 peers removed",
    });
    assert_eq!(refused, attempts);
}

#[test]
fn a_proof_is_good_once() {
    let mut attempts = 0;
    let mut prolonged = 0;
    let (mut rig, films) = films_with(
        TrackerConfig {
            conviction_s: 60,
            ..config()
        },
        1,
    );
    rig.join(1);
    let (viewer, _) = rig.join(200);
    // Dated as far ahead as its signer can.
    let mut stated = tampered(&rig, &films[0]);
    stated.unix_s += 60;
    let bytes = proof(&keys(1), &stated, &films[0]).encode();
    assert_eq!(refused(&mut rig, viewer, bytes.clone()), "taken");
    let until = rig.tracker.revocations().next().unwrap().until;
    for _ in 0..140 {
        rig.leap_ms(1_000);
        rig.input(crate::Input::Alive { conn: viewer });
        let code = refused(&mut rig, viewer, bytes.clone());
        attempts += 1;
        prolonged += u64::from(!["already_out", "not_of_now"].contains(&code.as_str()));
        prolonged += u64::from(rig.tracker.revocations().any(|revoked| revoked.until != until));
    }
    // Its time is over, and the statement is no news any more.
    let back = rig.connect(1);
    let join = rig.join_message(back, 1);
    rig.say(back, ClientMessage::Join(join));
    prolonged += u64::from(refused(&mut rig, viewer, bytes) != "not_of_now");
    prolonged += u64::from(rig.closed.contains_key(&back));
    conclude(&Outcome {
        threat: "7",
        attack: "a proof that was good is brought again, to keep its subject out for longer",
        attempts: attempts + 1,
        successes: prolonged,
        figure: "refused while its subject is out, and stale afterwards",
        target: "0 convictions prolonged",
    });
}

#[test]
fn a_publisher_that_signs_two_roots_convicts_nobody() {
    // Two versions that the tracker knows, and one that only some viewers have.
    let (mut rig, films, [one, other], viewer) = stage(2);
    let hidden = films_with(config(), 3).1.pop().unwrap();
    let (mut attempts, mut taken) = (0, 0);
    for stated in [&films[0], &films[1], &hidden] {
        for shown in [&films[0], &films[1], &hidden] {
            for place in 0..2_u8 {
                for sender in [1, 2] {
                    let row = shown.row(OBJECT);
                    let chunk = usize::from(place) + 1;
                    let forged = Tampering {
                        key: keys(sender).public(),
                        place,
                        leaf: row[chunk],
                        path: tree::path(row, chunk).unwrap(),
                        // Honest: what the publisher of this version says.
                        statement: statement(&rig, stated).sign(&keys(sender)),
                    };
                    taken += u64::from(refused(&mut rig, viewer, forged.encode()) == "taken");
                    attempts += 1;
                }
            }
        }
    }
    let removed = [&one, &other].map(|source| u64::from(rig.closed.contains_key(&source.conn)));
    conclude(&Outcome {
        threat: "7",
        attack: "honest senders of one version are accused under another one of the same publisher",
        attempts,
        successes: taken + removed.iter().sum::<u64>(),
        figure: "a statement is judged by the root that it names itself",
        target: "0 honest peers removed",
    });
}

#[test]
fn proofs_leave_room_for_auditors_and_operators() {
    let (mut rig, films, _, viewer) = stage(1);
    rig.reads_back = false;
    let until = rig.now.unix_ms / 1_000 + 3_600;
    for n in 0..5_000_u32 {
        let mut out = [0xee; 16];
        out[..4].copy_from_slice(&n.to_be_bytes());
        assert!(rig.tracker.revoke(rig.now, Handle(out), until));
    }
    let bytes = proof(&keys(1), &tampered(&rig, &films[0]), &films[0]).encode();
    let code = refused(&mut rig, viewer, bytes);
    conclude(&Outcome {
        threat: "7",
        attack: "somebody makes thousands of keys and proves things against them, so that nobody else can be put out",
        attempts: 5_000,
        successes: u64::from(code != "no_room"),
        figure: "half of the room is for auditors and operators",
        target: "auditors and operators always can",
    });
    assert!(rig.tracker.revoke(rig.now, handle(1), until), "an operator can");
}
