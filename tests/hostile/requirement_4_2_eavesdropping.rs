//! Threat 3.2 on the signalling path: a relay without the tracker's key tries to get into the middle of a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use swarmseal::content::SecretKey;
use swarmseal::identity::{Hello, Proof};
use swarmseal::signal::{Description, SdpType, Setup};

use crate::arena::{Arena, honest};
use crate::canary::forms;
use crate::dice::Dice;
use crate::party::{Desk, Party};
use crate::published::Published;
use crate::relay::{Attack, Carried, Relay, meet};
use crate::report::{Outcome, conclude, runs};

/// Runs of each strategy.
const RUNS: u64 = 100;
/// Connections that nobody interferes with.
const HONEST: u64 = 3_000;

const BOTH: &[usize] = &[0, 1];

/// Nobody interferes.
const NOBODY: Attack = Attack {
    name: "nobody interferes",
    victims: BOTH,
    introduce: |_, _, _| {},
    describe: |_, _, _| {},
    carry: |relay, from, bytes| relay.pass(from, bytes),
    greet: |_, _| Vec::new(),
};

/// The relay ends both sides' DTLS; what it does then is up to the attack.
const MIDDLE: Attack = Attack {
    describe: |relay, _, description| relay.swap(description),
    ..NOBODY
};

/// The relay ends side 1's DTLS and plays side 0 to it.
const ALONE: Attack = Attack {
    victims: &[1],
    describe: |relay, to, description| {
        if to == 1 {
            relay.swap(description);
        }
    },
    carry: |_, _, _| Vec::new(),
    ..NOBODY
};

const ATTACKS: [Attack; 34] = [
    Attack {
        name: "one fingerprint swapped, a HELLO with the other's ticket, a proof by the relay's key",
        carry: |relay, from, bytes| answer_with(relay, from, bytes, |relay, _| relay.tickets[0].clone()),
        ..ALONE
    },
    Attack {
        name: "the other fingerprint swapped, likewise",
        victims: &[0],
        describe: |relay, to, description| {
            if to == 0 {
                relay.swap(description);
            }
        },
        carry: |relay, from, bytes| answer_with(relay, from, bytes, |relay, _| relay.tickets[1].clone()),
        ..ALONE
    },
    Attack {
        name: "both fingerprints swapped, everything passed on",
        ..MIDDLE
    },
    Attack {
        name: "both swapped, HELLO rewritten to what each side sees",
        carry: |relay, from, bytes| relay.rewrite(from, bytes, |_| {}),
        ..MIDDLE
    },
    Attack {
        name: "both swapped, HELLO rewritten in the sender's fingerprint only",
        carry: |relay, from, bytes| {
            let told = relay.certificate;
            relay.rewrite(from, bytes, |hello| hello.peer_fingerprint = told)
        },
        ..MIDDLE
    },
    Attack {
        name: "both swapped, HELLO rewritten, proofs by the relay's key",
        carry: |relay, from, bytes| match Proof::decode(bytes) {
            Ok(_) => {
                let (said_by, said_to) = last_hellos(relay, from);
                let view = relay.view(1 - from, &said_by, &said_to);
                vec![(1 - from, relay.member.proof(&view))]
            }
            Err(_) => relay.rewrite(from, bytes, |_| {}),
        },
        ..MIDDLE
    },
    Attack {
        name: "both swapped, the relay's own good ticket in place of the peer's",
        carry: |relay, from, bytes| answer_with(relay, from, bytes, own_ticket),
        ..MIDDLE
    },
    Attack {
        name: "a ticket for the relay's key, issued by a key of its own",
        carry: |relay, from, bytes| {
            answer_with(relay, from, bytes, |relay, _| {
                let desk = Desk {
                    key: SecretKey::from_seed(&relay.dice.array()),
                    ..Desk::new()
                };
                desk.admit(relay.member.public, relay.swarm)
            })
        },
        ..MIDDLE
    },
    Attack {
        name: "the peer's ticket with the relay's key written over the peer's",
        carry: |relay, from, bytes| {
            answer_with(relay, from, bytes, |relay, to| {
                let (mut ticket, key) = (relay.tickets[1 - to].clone(), relay.keys[1 - to].0);
                let at = ticket.windows(32).position(|window| window == key).unwrap();
                ticket[at..at + 32].copy_from_slice(&relay.member.public.0);
                ticket
            })
        },
        ..MIDDLE
    },
    Attack {
        name: "a ticket with one bit flipped",
        carry: |relay, from, bytes| {
            relay_with_ticket(relay, from, bytes, |relay, ticket| relay.dice.flip(ticket))
        },
        ..MIDDLE
    },
    Attack {
        name: "a stale ticket of the relay, introduced as itself",
        introduce: |relay, _, told| told.peer = relay.member.handle,
        carry: |relay, from, bytes| {
            answer_with(relay, from, bytes, |relay, _| {
                let mut desk = Desk::new();
                desk.now_s -= 700 + relay.dice.below(100_000) as u64;
                desk.admit(relay.member.public, relay.swarm)
            })
        },
        ..MIDDLE
    },
    Attack {
        name: "a stale ticket with its times moved on, introduced as itself",
        introduce: |relay, _, told| told.peer = relay.member.handle,
        carry: |relay, from, bytes| {
            answer_with(relay, from, bytes, |relay, _| {
                let mut desk = Desk::new();
                desk.now_s -= 100_000;
                let stale = desk.admit(relay.member.public, relay.swarm);
                let fresh = relay.desk.admit(relay.member.public, relay.swarm);
                // The fresh ticket's claims under the stale one's signature.
                let signature = stale.len() - 64;
                [&fresh[..fresh.len() - 64], &stale[signature..]].concat()
            })
        },
        ..MIDDLE
    },
    Attack {
        name: "a ticket of a time to come, introduced as itself",
        introduce: |relay, _, told| told.peer = relay.member.handle,
        carry: |relay, from, bytes| {
            answer_with(relay, from, bytes, |relay, _| {
                let mut desk = Desk::new();
                desk.now_s += 200 + relay.dice.below(100_000) as u64;
                desk.admit(relay.member.public, relay.swarm)
            })
        },
        ..MIDDLE
    },
    Attack {
        name: "a ticket of another swarm, introduced as itself",
        introduce: |relay, _, told| told.peer = relay.member.handle,
        carry: |relay, from, bytes| {
            answer_with(relay, from, bytes, |relay, _| {
                relay.desk.admit(
                    relay.member.public,
                    swarmseal::content::SwarmId(relay.dice.array()),
                )
            })
        },
        ..MIDDLE
    },
    Attack {
        name: "no ticket, introduced as itself",
        introduce: |relay, _, told| told.peer = relay.member.handle,
        carry: |relay, from, bytes| answer_with(relay, from, bytes, |_, _| Vec::new()),
        ..MIDDLE
    },
    Attack {
        name: "HELLO carried to another swarm",
        carry: |relay, from, bytes| {
            let swarm = swarmseal::content::SwarmId(relay.dice.array());
            relay.rewrite(from, bytes, |hello| hello.swarm = swarm)
        },
        ..MIDDLE
    },
    Attack {
        name: "an earlier HELLO and PROOF of the peer replayed",
        greet: |relay, _| replay(relay),
        ..ALONE
    },
    Attack {
        name: "the same, with the introduction of then",
        introduce: |relay, side, told| {
            if side == 1 {
                told.id = Hello::decode(&relay.recorded[0]).unwrap().introduction;
            }
        },
        greet: |relay, _| replay(relay),
        ..ALONE
    },
    Attack {
        name: "the same, with HELLO rewritten to what the victim sees",
        greet: |relay, side| {
            let mut hello = Hello::decode(&relay.recorded[0]).unwrap();
            hello.introduction = relay.introductions[side];
            hello.role = relay.roles[side].other();
            hello.own_fingerprint = relay.certificate;
            hello.peer_fingerprint = relay.certificates[side];
            relay.hostile += 1;
            vec![hello.encode(), relay.recorded[1].clone()]
        },
        ..ALONE
    },
    Attack {
        name: "a side's own messages reflected",
        carry: |relay, from, bytes| reflect(relay, from, bytes, |_| {}),
        ..MIDDLE
    },
    Attack {
        name: "reflected with the role flipped",
        carry: |relay, from, bytes| reflect(relay, from, bytes, |hello| hello.role = hello.role.other()),
        ..MIDDLE
    },
    Attack {
        name: "reflected with role, nonce and fingerprints made to fit",
        carry: |relay, from, bytes| {
            let (nonce, own, peer) = (relay.dice.array(), relay.certificate, relay.certificates[from]);
            reflect(relay, from, bytes, |hello| {
                hello.role = hello.role.other();
                hello.nonce = nonce;
                hello.own_fingerprint = own;
                hello.peer_fingerprint = peer;
            })
        },
        ..MIDDLE
    },
    Attack {
        name: "both sides told to offer",
        introduce: |_, _, told| told.role = SdpType::Offer,
        describe: |relay, _, description| {
            relay.hostile += 1;
            description.setup = Setup::Active;
        },
        ..NOBODY
    },
    Attack {
        name: "roles flipped on the way",
        carry: |relay, from, bytes| relay.rewrite(from, bytes, |hello| hello.role = hello.role.other()),
        ..MIDDLE
    },
    Attack {
        name: "both told the other's role, and it written into HELLO",
        introduce: |_, _, told| {
            told.role = if told.role == SdpType::Offer {
                SdpType::Answer
            } else {
                SdpType::Offer
            };
        },
        carry: |relay, from, bytes| {
            let role = relay.roles[1 - from].other();
            relay.rewrite(from, bytes, |hello| hello.role = role)
        },
        ..MIDDLE
    },
    Attack {
        name: "versions replaced by one that nobody speaks",
        carry: |relay, from, bytes| {
            let version = if relay.dice.below(2) == 0 {
                0
            } else {
                2 + relay.dice.below(250) as u8
            };
            relay.rewrite(from, bytes, |hello| hello.versions = vec![version])
        },
        ..MIDDLE
    },
    Attack {
        name: "versions added",
        carry: |relay, from, bytes| {
            let versions = if relay.dice.below(2) == 0 {
                vec![0, 1]
            } else {
                vec![1, 2, 3]
            };
            relay.rewrite(from, bytes, |hello| hello.versions = versions)
        },
        ..MIDDLE
    },
    Attack {
        name: "capabilities altered",
        carry: |relay, from, bytes| {
            let capabilities = relay.dice.roll() as u32 | 1;
            relay.rewrite(from, bytes, |hello| hello.capabilities ^= capabilities)
        },
        ..MIDDLE
    },
    Attack {
        name: "the digest of the tracks altered",
        carry: |relay, from, bytes| {
            let digest = relay.dice.array();
            relay.rewrite(from, bytes, |hello| hello.roots_digest.0 = digest)
        },
        ..MIDDLE
    },
    Attack {
        name: "HELLO cut short",
        carry: |relay, from, bytes| {
            let keep = relay.dice.below(bytes.len());
            resized(relay, from, bytes, |bytes| bytes.truncate(keep))
        },
        ..MIDDLE
    },
    Attack {
        name: "HELLO with bytes after its end",
        carry: |relay, from, bytes| {
            let more = 1 + relay.dice.below(300);
            resized(relay, from, bytes, |bytes| bytes.resize(bytes.len() + more, 0))
        },
        ..MIDDLE
    },
    Attack {
        name: "two introductions made one",
        introduce: |relay, side, told| {
            if side == 1 {
                relay.hostile += 1;
                told.id = relay.dice.array();
            }
        },
        ..NOBODY
    },
    Attack {
        name: "a peer presented under the relay's name",
        victims: &[1],
        introduce: |relay, side, told| {
            if side == 1 {
                relay.hostile += 1;
                told.peer = relay.member.handle;
            }
        },
        ..NOBODY
    },
    Attack {
        name: "one side believes that it talks to the relay, the other is to believe that it talks to that side",
        victims: &[1],
        introduce: |relay, side, told| {
            if side == 0 {
                told.peer = relay.member.handle;
            }
        },
        carry: |relay, from, bytes| {
            let ticket = relay.desk.admit(relay.member.public, relay.swarm);
            relay.rewrite(from, bytes, |hello| {
                if from == 1 {
                    hello.ticket = ticket;
                }
            })
        },
        ..MIDDLE
    },
];

/// A HELLO of the relay's own with this ticket, and a proof by its own key, to whoever says HELLO to it.
fn answer_with(
    relay: &mut Relay,
    from: usize,
    bytes: &[u8],
    ticket: fn(&mut Relay, usize) -> Vec<u8>,
) -> Vec<Carried> {
    if Hello::decode(bytes).is_err() {
        return Vec::new();
    }
    let ticket = ticket(relay, from);
    let hello = relay.claim(from, ticket);
    let proof = relay.member.proof(&relay.view(from, bytes, &hello));
    vec![(from, hello), (from, proof)]
}

fn own_ticket(relay: &mut Relay, _: usize) -> Vec<u8> {
    relay.desk.admit(relay.member.public, relay.swarm)
}

fn relay_with_ticket(
    relay: &mut Relay,
    from: usize,
    bytes: &[u8],
    alter: fn(&mut Relay, &mut [u8]),
) -> Vec<Carried> {
    let mut ticket = relay.tickets[from].clone();
    alter(relay, &mut ticket);
    relay.rewrite(from, bytes, |hello| hello.ticket = ticket)
}

/// What the side opposite to `from` has said, and what it was told in place of `from`'s HELLO.
fn last_hellos(relay: &Relay, from: usize) -> (Vec<u8>, Vec<u8>) {
    let mut told = Hello::decode(&relay.heard[from][0]).unwrap();
    told.own_fingerprint = relay.certificate;
    told.peer_fingerprint = relay.certificates[1 - from];
    (relay.heard[1 - from][0].clone(), told.encode())
}

fn replay(relay: &mut Relay) -> Vec<Vec<u8>> {
    relay.hostile += 1;
    relay.recorded.clone()
}

fn reflect(relay: &mut Relay, from: usize, bytes: &[u8], alter: impl FnOnce(&mut Hello)) -> Vec<Carried> {
    relay.hostile += 1;
    match Hello::decode(bytes) {
        Ok(mut hello) => {
            alter(&mut hello);
            vec![(from, hello.encode())]
        }
        Err(_) => vec![(from, bytes.to_vec())],
    }
}

fn resized(relay: &mut Relay, from: usize, bytes: &[u8], resize: impl FnOnce(&mut Vec<u8>)) -> Vec<Carried> {
    let rewritten = relay.rewrite(from, bytes, |_| {});
    let [(to, mut bytes)] = <[_; 1]>::try_from(rewritten).unwrap();
    resize(&mut bytes);
    vec![(to, bytes)]
}

fn content() -> Arc<Published> {
    Arc::new(Published::title(2, 20_000, Desk::new().key.public()))
}

#[test]
fn honest_introductions_succeed() {
    let content = content();
    let honest = runs(HONEST);
    for seed in 0..honest {
        let ending = meet(&content, &NOBODY, seed);
        assert_eq!(ending.proved, [true; 2], "run {seed}: {:?}", ending.faults);
        assert_eq!(ending.hostile, 0);
    }
    conclude(&Outcome {
        threat: "19",
        attack: "none: honest introductions that fail",
        attempts: honest,
        successes: 0,
        figure: &format!("{honest} of {honest} connected"),
        target: "all of 3,000",
    });
}

#[test]
fn no_strategy_of_a_relay_is_accepted() {
    let content = content();
    for (n, attack) in ATTACKS.iter().enumerate() {
        let (mut took_place, mut accepted) = (0, 0);
        let mut faults: BTreeMap<String, u64> = BTreeMap::new();
        for run in 0..runs(RUNS) {
            let ending = meet(&content, attack, (n as u64) << 32 | run);
            took_place += u64::from(ending.hostile > 0);
            accepted += u64::from(attack.victims.iter().any(|victim| ending.proved[*victim]));
            for fault in ending.faults {
                *faults.entry(fault).or_default() += 1;
            }
        }
        assert_eq!(
            took_place,
            runs(RUNS),
            "{}: the relay interfered every time",
            attack.name
        );
        let heard = !faults.is_empty();
        let faults: Vec<String> = faults
            .iter()
            .map(|(code, count)| format!("{code} {count}"))
            .collect();
        conclude(&Outcome {
            threat: "19",
            attack: attack.name,
            attempts: took_place,
            successes: accepted,
            figure: &faults.join(", "),
            target: "0 accepted",
        });
        assert!(heard, "{}: nobody noticed", attack.name);
    }
}

/// A description with a second fingerprint is no description: there is no field for it, and no field can end a line.
#[test]
fn a_second_fingerprint_finds_no_room() {
    let content = content();
    let mut dice = Dice::new(77);
    let (mut attempts, mut heard) = (0, 0);
    for run in 0..runs(RUNS) {
        let mut party = Party::join(&content, &Desk::new(), dice.array());
        let introduction = swarmseal::signal::IntroductionId(dice.array());
        let peer = swarmseal::identity::Handle(dice.array());
        let message = swarmseal::signal::ServerMessage::Introduction {
            introduction,
            peer,
            role: SdpType::Answer,
        };
        party.tracker(message);
        let honest = Description::from_sdp(&crate::impostor::local_sdp(
            swarmseal::identity::Fingerprint(dice.array()),
            true,
        ));
        let message = swarmseal::signal::ServerMessage::Description {
            introduction,
            description: honest.unwrap(),
        };
        let text = serde_json::to_string(&message).unwrap();
        let second = swarmseal::identity::Fingerprint(dice.array()).to_string();
        let first = message_fingerprint(&text);
        let texts = [
            text.replace(
                "\"fingerprint\":",
                &format!("\"fingerprint\":\"{second}\",\"fingerprint\":"),
            ),
            text.replace("\"setup\"", &format!("\"fingerprint\":\"{second}\",\"setup\"")),
            text.replace("\"setup\"", &format!("\"fingerprint2\":\"{second}\",\"setup\"")),
            text.replace(&format!("\"{first}\""), &format!("[\"{first}\",\"{second}\"]")),
            text.replace(&first, &format!("{first}\\r\\na=fingerprint:sha-256 {second}")),
            text.replace(
                "abcdefgh\"",
                &format!("abcdefgh\\r\\na=fingerprint:sha-256 {second}\""),
            ),
            text.replace(
                "qrstuvwx\"",
                &format!("qrstuvwx\\na=fingerprint:sha-256 {second}\""),
            ),
        ];
        for altered in texts {
            assert_ne!(altered, text, "run {run}: the attack took place");
            attempts += 1;
            heard += u64::from(party.tracker_text(&altered).is_ok());
        }
        assert!(
            party.tracker_text(&text).is_ok_and(|wishes| !wishes.is_empty()),
            "the plain one is taken"
        );
    }
    conclude(&Outcome {
        threat: "19",
        attack: "a second fingerprint in a description, seven ways",
        attempts,
        successes: heard,
        figure: "refused before the engine sees it",
        target: "0 accepted",
    });
}

/// Who listens between a viewer and the tracker learns the swarm's pseudonym and handles: not what is watched.
#[test]
fn signalling_does_not_say_what_is_watched() {
    let content = Arc::new(Published::title(6, 60_000, Desk::new().key.public()));
    let mut arena = Arena::new(&content, 42);
    let neighbour = Arc::clone(&content);
    arena.invite(Box::new(move |message, _| honest(&neighbour, message)));
    arena.at_leisure();
    for n in 0..6 {
        arena.demand(n, &format!("v/{n}.m4s"));
    }
    arena.run(8_000_000);
    let mut secrets: Vec<Vec<u8>> = vec![
        content.manifest.content_id.0.to_vec(),
        content.manifest.swarm_secret.0.to_vec(),
        content.publisher.0.to_vec(),
        content.manifest.tracks[0].index.root.0.to_vec(),
    ];
    secrets.extend(content.files.keys().map(|path| path.clone().into_bytes()));
    secrets.extend(content.files.values().map(|file| file[..32].to_vec()));
    let said = arena.said_to_tracker.clone();
    let (mut attempts, mut hits) = (0, 0);
    for secret in &secrets {
        for (form, needle) in forms(secret) {
            let leak = [&said[..100], needle.as_slice(), &said[100..]].concat();
            let is_in = |text: &[u8]| text.windows(needle.len()).any(|window| window == needle);
            assert!(is_in(&leak), "a leak in {form} would be found");
            attempts += 1;
            hits += u64::from(is_in(&said));
        }
    }
    conclude(&Outcome {
        threat: "20",
        attack: "a listener on the signalling path looks for content ids, paths, keys, roots and content",
        attempts,
        successes: hits,
        figure: &format!(
            "{} bytes of signalling searched for {} things in nine forms",
            said.len(),
            secrets.len()
        ),
        target: "0 found",
    });
}

fn message_fingerprint(text: &str) -> String {
    let (_, rest) = text.split_once("\"fingerprint\":\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}
