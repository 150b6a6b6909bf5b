//! A signalling relay between two engines. It sees and alters every introduction and description; where a side was told
//! the relay's own certificate it also ends that side's DTLS connection, and then sees and alters every message.

use std::collections::VecDeque;
use std::sync::Arc;

use swarmseal::content::{PublicKey, SwarmId};
use swarmseal::identity::{Fingerprint, Handle, Hello, Role};
use swarmseal::signal::{ClientMessage, Description, IntroductionId, SdpType, ServerMessage};
use swarmseal::swarm::{Input, PeerId};

use crate::dice::Dice;
use crate::guest::{Guest, Invitation};
use crate::impostor::{Claim, Impostor, View, expected_certificates, local_sdp};
use crate::party::{Desk, Party, Wish};
use crate::published::Published;

/// A message for a side.
pub type Carried = (usize, Vec<u8>);

/// One way to attack. Sides are 0 and 1; which one offers follows from the handles.
pub struct Attack {
    pub name: &'static str,
    /// Whom the attack is meant to deceive.
    pub victims: &'static [usize],
    /// What a side is told about the introduction.
    pub introduce: fn(&mut Relay, usize, &mut Introduction),
    /// What a side is told about the other's certificate.
    pub describe: fn(&mut Relay, usize, &mut Description),
    /// What becomes of a message that a side sent to the relay: messages to sides.
    pub carry: fn(&mut Relay, usize, &[u8]) -> Vec<Carried>,
    /// What the relay says of its own accord as soon as a side is connected to it.
    pub greet: fn(&mut Relay, usize) -> Vec<Vec<u8>>,
}

pub struct Introduction {
    pub id: [u8; 16],
    pub peer: Handle,
    pub role: SdpType,
}

/// What the relay knows and has.
pub struct Relay {
    pub dice: Dice,
    pub desk: Desk,
    pub swarm: SwarmId,
    pub certificate: Fingerprint,
    /// A member of the swarm in its own right, with a ticket of its own.
    pub member: Impostor,
    seed: [u8; 32],
    pub certificates: [Fingerprint; 2],
    pub handles: [Handle; 2],
    pub keys: [PublicKey; 2],
    /// Tickets are shown to every neighbour, so they are no secret.
    pub tickets: [Vec<u8>; 2],
    pub introductions: [[u8; 16]; 2],
    pub roles: [Role; 2],
    /// What each side has sent to the relay.
    pub heard: [Vec<Vec<u8>>; 2],
    /// A HELLO and a PROOF of side 0, made in an earlier, honest connection with the relay as a member.
    pub recorded: Vec<Vec<u8>>,
    /// What was altered, made up or withheld.
    pub hostile: u64,
}

impl Relay {
    /// Side `to` is told that the relay's certificate is the other side's.
    pub fn swap(&mut self, description: &mut Description) {
        description.fingerprint = self.certificate;
        self.hostile += 1;
    }

    /// A HELLO that claims to come from the side opposite to `to`, with fingerprints that fit the connection between
    /// the relay and `to`.
    pub fn claim(&mut self, to: usize, ticket: Vec<u8>) -> Vec<u8> {
        self.hostile += 1;
        Claim {
            capabilities: 1,
            role: self.roles[to].other(),
            swarm: self.swarm,
            introduction: self.introductions[to],
            own: self.certificate,
            peer: self.certificates[to],
            roots_digest: swarmseal::content::Hash([0; 32]),
            nonce: self.dice.array(),
            ticket,
        }
        .hello()
    }

    /// What a signer opposite to `to` has to sign for `to` to be content, after `to` said `said_by` and heard `said_to`.
    pub fn view(&self, to: usize, said_by: &[u8], said_to: &[u8]) -> View {
        let offerer = self.roles[to] == Role::Offerer;
        let (mine, theirs) = (self.certificate, self.certificates[to]);
        View {
            signer: self.roles[to].other(),
            swarm: self.swarm,
            introduction: self.introductions[to],
            offerer: if offerer { theirs } else { mine },
            answerer: if offerer { mine } else { theirs },
            offerer_hello: if offerer { said_by } else { said_to }.to_vec(),
            answerer_hello: if offerer { said_to } else { said_by }.to_vec(),
        }
    }

    /// Rewrites a HELLO on its way from one side to the other.
    pub fn rewrite(&mut self, from: usize, bytes: &[u8], with: impl FnOnce(&mut Hello)) -> Vec<Carried> {
        let Ok(mut hello) = Hello::decode(bytes) else {
            return self.pass(from, bytes);
        };
        hello.own_fingerprint = self.certificate;
        hello.peer_fingerprint = self.certificates[1 - from];
        with(&mut hello);
        self.hostile += 1;
        vec![(1 - from, hello.encode())]
    }

    pub fn pass(&self, from: usize, bytes: &[u8]) -> Vec<Carried> {
        vec![(1 - from, bytes.to_vec())]
    }
}

/// How an introduction ended.
pub struct Ending {
    pub proved: [bool; 2],
    pub hostile: u64,
    /// The rules by which messages were refused.
    pub faults: Vec<String>,
}

struct Side {
    party: Party,
    peer: Option<PeerId>,
    certificate: Fingerprint,
    told: Vec<Fingerprint>,
    link: Link,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    None,
    Direct,
    Relayed,
}

/// Introduces two fresh engines to each other through the relay.
pub fn meet(published: &Arc<Published>, attack: &Attack, seed: u64) -> Ending {
    let mut dice = Dice::new(seed);
    let desk = Desk::new();
    let mut sides = [0, 1].map(|_| Side {
        party: Party::join(published, &desk, dice.array()),
        peer: None,
        certificate: Fingerprint(dice.array()),
        told: Vec::new(),
        link: Link::None,
    });
    let first_offers = sides[0].party.handle < sides[1].party.handle;
    let roles = if first_offers {
        [Role::Offerer, Role::Answerer]
    } else {
        [Role::Answerer, Role::Offerer]
    };
    let id = dice.array();
    let seed = dice.array();
    let mut relay = Relay {
        swarm: published.manifest.swarm_id(),
        certificate: Fingerprint(dice.array()),
        member: Impostor::new(seed),
        seed,
        certificates: [sides[0].certificate, sides[1].certificate],
        handles: [sides[0].party.handle, sides[1].party.handle],
        keys: [sides[0].party.key, sides[1].party.key],
        tickets: [sides[0].party.ticket.clone(), sides[1].party.ticket.clone()],
        introductions: [id, id],
        roles,
        heard: [Vec::new(), Vec::new()],
        recorded: Vec::new(),
        hostile: 0,
        dice,
        desk,
    };
    relay.recorded = record(&mut relay, &mut sides[0].party);
    let mut wishes = VecDeque::new();
    for side in 0..2 {
        let mut told = Introduction {
            id,
            peer: relay.handles[1 - side],
            role: if roles[side] == Role::Offerer {
                SdpType::Offer
            } else {
                SdpType::Answer
            },
        };
        (attack.introduce)(&mut relay, side, &mut told);
        relay.introductions[side] = told.id;
        relay.roles[side] = if told.role == SdpType::Offer {
            Role::Offerer
        } else {
            Role::Answerer
        };
        let message = ServerMessage::Introduction {
            introduction: IntroductionId(told.id),
            peer: told.peer,
            role: told.role,
        };
        wishes.extend(
            sides[side]
                .party
                .tracker(message)
                .into_iter()
                .map(|wish| (side, wish)),
        );
    }
    let proved_before = [0, 1].map(|side| sides[side].party.proved());
    let mut greeted = [false; 2];
    while let Some((from, wish)) = wishes.pop_front() {
        for (side, wish) in step(attack, &mut relay, &mut sides, from, wish) {
            wishes.push_back((side, wish));
        }
        for side in 0..2 {
            if sides[side].link == Link::Relayed && !greeted[side] {
                greeted[side] = true;
                for bytes in (attack.greet)(&mut relay, side) {
                    wishes.extend(deliver(&mut sides, side, &bytes));
                }
            }
        }
    }
    Ending {
        proved: [0, 1].map(|side| sides[side].party.proved() > proved_before[side]),
        hostile: relay.hostile,
        faults: sides
            .iter()
            .flat_map(|side| side.party.blamed())
            .map(str::to_owned)
            .collect(),
    }
}

fn step(
    attack: &Attack,
    relay: &mut Relay,
    sides: &mut [Side; 2],
    from: usize,
    wish: Wish,
) -> Vec<(usize, Wish)> {
    let other = 1 - from;
    match wish {
        Wish::Dial { peer, offer } => {
            sides[from].peer = Some(peer);
            if !offer {
                return Vec::new();
            }
            let sdp = local_sdp(sides[from].certificate, true);
            tagged(
                from,
                sides[from]
                    .party
                    .input(Input::LocalDescription { peer, sdp: &sdp }),
            )
        }
        Wish::ToTracker(ClientMessage::Description { mut description, .. }) => {
            (attack.describe)(relay, other, &mut description);
            let message = ServerMessage::Description {
                introduction: IntroductionId(relay.introductions[other]),
                description,
            };
            let text = serde_json::to_string(&message).unwrap();
            tagged(other, sides[other].party.tracker_text(&text).unwrap_or_default())
        }
        Wish::Remote { peer, sdp } => {
            sides[from].told = expected_certificates(&sdp);
            let mut out = Vec::new();
            if relay.roles[from] == Role::Answerer {
                let sdp = local_sdp(sides[from].certificate, false);
                out.extend(tagged(
                    from,
                    sides[from]
                        .party
                        .input(Input::LocalDescription { peer, sdp: &sdp }),
                ));
            }
            out.extend(open(relay, sides));
            out
        }
        Wish::Control { bytes, .. } => match sides[from].link {
            Link::None => Vec::new(),
            Link::Direct => deliver(sides, other, &bytes),
            Link::Relayed => {
                relay.heard[from].push(bytes.clone());
                let carried = (attack.carry)(relay, from, &bytes);
                carried
                    .into_iter()
                    .flat_map(|(to, bytes)| {
                        if sides[to].link == Link::Relayed {
                            deliver(sides, to, &bytes)
                        } else {
                            Vec::new()
                        }
                    })
                    .collect()
            }
        },
        Wish::Close { peer, .. } => {
            if sides[from].peer == Some(peer) {
                sides[from].peer = None;
                sides[from].link = Link::None;
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// DTLS: a connection comes about where each end shows the certificate that the other was told to expect.
fn open(relay: &Relay, sides: &mut [Side; 2]) -> Vec<(usize, Wish)> {
    let mut out = Vec::new();
    if sides.iter().any(|side| side.told.is_empty()) {
        return out;
    }
    let direct = (0..2).all(|side| sides[side].told.contains(&sides[1 - side].certificate));
    for (number, side) in sides.iter_mut().enumerate() {
        let link = if side.told.contains(&relay.certificate) {
            Link::Relayed
        } else if direct {
            Link::Direct
        } else {
            Link::None
        };
        if let (Some(peer), Link::None) = (side.peer, side.link) {
            side.link = link;
            if link != Link::None {
                out.extend(tagged(number, side.party.input(Input::PeerOpened { peer })));
            }
        }
    }
    out
}

fn deliver(sides: &mut [Side; 2], to: usize, bytes: &[u8]) -> Vec<(usize, Wish)> {
    match sides[to].peer {
        Some(peer) => tagged(to, sides[to].party.input(Input::Message { peer, bytes })),
        None => Vec::new(),
    }
}

fn tagged(side: usize, wishes: Vec<Wish>) -> Vec<(usize, Wish)> {
    wishes.into_iter().map(|wish| (side, wish)).collect()
}

/// An honest connection between `party` and the relay as the member that it is, in which `party` proves itself.
fn record(relay: &mut Relay, party: &mut Party) -> Vec<Vec<u8>> {
    let member = Impostor::new(relay.seed);
    let invitation = Invitation {
        desk: &relay.desk,
        swarm: relay.swarm,
        certificate: relay.certificate,
        roots: &[],
    };
    let guest = Guest::connect(&member, party, &invitation, &mut relay.dice, &mut Vec::new());
    party.input(Input::PeerClosed { peer: guest.peer });
    guest.heard
}
