//! One defender among attackers: an origin that may lie, and guests that may send anything.

use std::collections::VecDeque;
use std::sync::Arc;

use swarmseal::content::{CHUNK, Hash, ObjectId, TrackId};
use swarmseal::identity::{Fingerprint, Handle};
use swarmseal::signal::{ClientMessage, Description, IntroductionId, SdpType, ServerMessage};
use swarmseal::swarm::{CloseReason, FetchId, FetchKind, Input, PeerId, Timestamp};
use swarmseal::wire::{self, Message};

use crate::dice::Dice;
use crate::guest::{Guest, Invitation};
use crate::impostor::{Impostor, local_sdp};
use crate::party::{Desk, Party, Wish};
use crate::published::Published;

/// A message of a guest.
pub enum Reply {
    Control(Vec<u8>),
    Data(Vec<u8>),
}

/// How a guest answers what the defender says to it.
pub type Answer = Box<dyn FnMut(&Message, &mut Dice) -> Vec<Reply>>;

/// What the origin makes of a body.
pub type Alter = Box<dyn FnMut(&str, Vec<u8>, &mut Dice) -> Vec<u8>>;

pub struct Arena {
    pub party: Party,
    pub published: Arc<Published>,
    pub dice: Dice,
    pub desk: Desk,
    guests: Vec<(PeerId, Answer)>,
    alter: Alter,
    /// How long the origin takes for media.
    pub media_us: u64,
    bodies: Vec<(Timestamp, FetchId, FetchKind, Vec<u8>)>,
    wishes: VecDeque<Wish>,
    pub closed: Vec<(PeerId, CloseReason)>,
    /// Handles that the defender asked the tracker for.
    pub asked_for: Vec<Handle>,
    /// Bytes of guests that came after the defender had closed their connection.
    pub late_bytes: u64,
    /// Messages of guests that led to the end of their connection before the defender did anything else.
    pub closed_at_once: u64,
    pub reports: u64,
    /// Proofs of tampering that the defender brought to the tracker.
    pub proofs: Vec<Vec<u8>>,
    /// All that left the defender, as it would be on the wire.
    pub said_to_tracker: Vec<u8>,
    pub said_to_peers: Vec<u8>,
    pub asked_of_origin: Vec<u8>,
    pub told_browsers: Vec<u8>,
}

impl Arena {
    pub fn new(published: &Arc<Published>, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let desk = Desk::new();
        let party = Party::join(published, &desk, dice.array());
        Self {
            party,
            published: Arc::clone(published),
            dice,
            desk,
            guests: Vec::new(),
            alter: Box::new(|_, body, _| body),
            media_us: 20_000,
            bodies: Vec::new(),
            wishes: VecDeque::new(),
            closed: Vec::new(),
            asked_for: Vec::new(),
            late_bytes: 0,
            closed_at_once: 0,
            reports: 0,
            proofs: Vec::new(),
            said_to_tracker: Vec::new(),
            said_to_peers: Vec::new(),
            asked_of_origin: Vec::new(),
            told_browsers: Vec::new(),
        }
    }

    pub fn origin(&mut self, alter: Alter) {
        self.alter = alter;
    }

    /// A guest that says it holds everything and answers like this.
    pub fn invite(&mut self, answer: Answer) -> (PeerId, Handle) {
        let member = Impostor::new(self.dice.array());
        self.invite_as(&member, answer)
    }

    /// The same, with this key.
    pub fn invite_as(&mut self, member: &Impostor, answer: Answer) -> (PeerId, Handle) {
        let handle = member.handle;
        let roots = self.roots();
        let invitation = Invitation {
            desk: &self.desk,
            swarm: self.published.manifest.swarm_id(),
            certificate: Fingerprint(self.dice.array()),
            roots: &roots,
        };
        let mut wishes = Vec::new();
        let guest = Guest::connect(member, &mut self.party, &invitation, &mut self.dice, &mut wishes);
        wishes.extend(guest.boast(&mut self.party, &self.published, &roots));
        self.guests.push((guest.peer, answer));
        self.wishes.extend(wishes);
        (guest.peer, handle)
    }

    fn roots(&self) -> Vec<(TrackId, Hash)> {
        self.party.engine.catalog().track_roots()
    }

    pub fn demand(&mut self, id: u32, path: &str) {
        let wishes = self.party.demand(id, path);
        self.wishes.extend(wishes);
    }

    /// A tracker message.
    pub fn hear(&mut self, message: ServerMessage) {
        let wishes = self.party.tracker(message);
        self.wishes.extend(wishes);
    }

    /// An introduction in which the browser says this of itself, and gets an ordinary answer.
    pub fn introduce_with(&mut self, sdp: &str) {
        let introduction = IntroductionId(self.dice.array());
        let peer = Handle(self.dice.array());
        let role = SdpType::Offer;
        let dialled = self.party.tracker(ServerMessage::Introduction {
            introduction,
            peer,
            role,
        });
        let id = dialled.iter().find_map(|wish| match wish {
            Wish::Dial { peer, .. } => Some(*peer),
            _ => None,
        });
        let peer = id.unwrap();
        let wishes = self.party.input(Input::LocalDescription { peer, sdp });
        self.wishes.extend(wishes);
        let answer = local_sdp(Fingerprint(self.dice.array()), false);
        self.hear(ServerMessage::Description {
            introduction,
            description: Description::from_sdp(&answer).unwrap(),
        });
    }

    /// The player is far from needing anything, so that peers are asked first.
    pub fn at_leisure(&mut self) {
        self.play_at(0, 0);
    }

    /// The player is here and has buffered up to there.
    pub fn play_at(&mut self, position_us: u64, buffered_end_us: u64) {
        let wishes = self.party.input(Input::Player {
            position_us,
            rate_milli: 1_000,
            buffered_end_us,
            paused: false,
            seeking: false,
        });
        self.wishes.extend(wishes);
    }

    /// What the defender had sent to a guest has left its channels.
    pub fn drained(&mut self, peer: PeerId) {
        let wishes = self.party.input(Input::Writable { peer, buffered: 0 });
        self.wishes.extend(wishes);
    }

    pub fn run(&mut self, us: u64) {
        let end = self.party.now + us;
        loop {
            self.settle();
            if self.party.now >= end {
                return;
            }
            let wishes = self.party.wait(20_000);
            self.wishes.extend(wishes);
            let now = self.party.now;
            while let Some(at) = self.bodies.iter().position(|(due, ..)| *due <= now) {
                let (_, fetch, kind, body) = self.bodies.swap_remove(at);
                let wishes = self.party.http(fetch, kind, &body);
                self.wishes.extend(wishes);
            }
        }
    }

    /// A message of a guest; whether it still reached a connection.
    pub fn send(&mut self, peer: PeerId, reply: &Reply) {
        let open = self.closed.iter().all(|(closed, _)| *closed != peer);
        let wishes = match reply {
            Reply::Control(bytes) => self.party.input(Input::Message { peer, bytes }),
            Reply::Data(bytes) => self.party.data(peer, bytes),
        };
        let closes = wishes
            .iter()
            .any(|wish| matches!(wish, Wish::Close { peer: closed, .. } if *closed == peer));
        if !open {
            assert!(wishes.is_empty(), "a closed connection is nobody's");
            self.late_bytes += match reply {
                Reply::Control(bytes) | Reply::Data(bytes) => bytes.len() as u64,
            };
        }
        self.closed_at_once += u64::from(open && closes);
        // Closing comes before anything that was going to be sent after it.
        self.note_closes(&wishes);
        self.wishes.extend(wishes);
    }

    fn note_closes(&mut self, wishes: &[Wish]) {
        for wish in wishes {
            if let Wish::Close { peer, reason } = wish {
                self.closed.push((*peer, *reason));
            }
        }
    }

    fn settle(&mut self) {
        let mut steps = 0;
        while let Some(wish) = self.wishes.pop_front() {
            steps += 1;
            assert!(steps < 100_000, "the arena spins");
            self.note(&wish);
            match wish {
                Wish::Fetch {
                    fetch,
                    path,
                    range,
                    kind,
                } => self.fetch(fetch, &path, range, kind),
                Wish::Control { peer, bytes } => {
                    let Ok(message) = wire::decode(&bytes) else {
                        continue;
                    };
                    let Some(at) = self.guests.iter().position(|(guest, _)| *guest == peer) else {
                        continue;
                    };
                    let replies = (self.guests[at].1)(&message, &mut self.dice);
                    for reply in replies {
                        self.send(peer, &reply);
                    }
                }
                Wish::Close { peer, reason } => {
                    if self.closed.iter().all(|(closed, _)| *closed != peer) {
                        self.closed.push((peer, reason));
                    }
                }
                Wish::ToTracker(ClientMessage::Introduce { peer }) => self.asked_for.push(peer),
                Wish::ToTracker(ClientMessage::Report { .. }) => self.reports += 1,
                Wish::ToTracker(ClientMessage::Tampering { proof }) => self.proofs.push(proof),
                Wish::ToTracker(_) | Wish::Dial { .. } | Wish::Remote { .. } => {}
            }
        }
    }

    fn note(&mut self, wish: &Wish) {
        match wish {
            Wish::ToTracker(message) => {
                self.said_to_tracker.extend(serde_json::to_vec(message).unwrap());
            }
            Wish::Control { bytes, .. } => self.said_to_peers.extend(bytes),
            Wish::Fetch { path, .. } => self.asked_of_origin.extend(format!("{path}\n").bytes()),
            Wish::Remote { sdp, .. } => self.told_browsers.extend(sdp.bytes()),
            Wish::Dial { .. } | Wish::Close { .. } => {}
        }
    }

    fn fetch(&mut self, fetch: FetchId, path: &str, range: Option<(u64, u64)>, kind: FetchKind) {
        let file = (self.alter)(path, self.published.files[path].to_vec(), &mut self.dice);
        let body = match range {
            Some((first, last)) => {
                let end = file.len().min(last as usize + 1);
                file[end.min(first as usize)..end].to_vec()
            }
            None => file,
        };
        let delay = if path.starts_with("v/") {
            self.media_us
        } else {
            1_000
        };
        self.bodies.push((self.party.now + delay, fetch, kind, body));
    }
}

/// What an honest peer would answer.
pub fn honest(published: &Published, message: &Message) -> Vec<Reply> {
    match message {
        Message::WantRows { object, root } => {
            let hashes = published.object(*object).chunks(CHUNK as usize);
            let rows = Message::Rows {
                object: *object,
                root: *root,
                hashes: hashes.map(swarmseal::content::tree::leaf).collect(),
            };
            vec![Reply::Control(wire::encode(&rows))]
        }
        Message::Request { .. } => parts(message)
            .map(|part| Reply::Data(part.message(part.chunks(published))))
            .collect(),
        _ => Vec::new(),
    }
}

/// A DATA message that a request asks for.
#[derive(Clone, Copy)]
pub struct Part {
    pub id: u32,
    pub object: ObjectId,
    pub root: Hash,
    pub first: u32,
    pub count: u8,
}

/// The DATA messages that answer a request, four chunks at a time.
pub fn parts(request: &Message) -> impl Iterator<Item = Part> {
    let (id, object, root, first, count) = match request {
        Message::Request {
            id,
            object,
            root,
            first,
            count,
            ..
        } => (*id, *object, *root, *first, *count),
        _ => (
            0,
            ObjectId {
                track: TrackId(0),
                index: 0,
            },
            Hash([0; 32]),
            0,
            0,
        ),
    };
    (0..u32::from(count)).step_by(4).map(move |at| Part {
        id,
        object,
        root,
        first: first + at,
        count: (count - at as u8).min(4),
    })
}

impl Part {
    /// The published bytes.
    pub fn chunks(&self, published: &Published) -> Vec<u8> {
        let file = published.object(self.object);
        let from = self.first as usize * CHUNK as usize;
        let to = from + usize::from(self.count) * CHUNK as usize;
        file[from.min(file.len())..to.min(file.len())].to_vec()
    }

    pub fn message(&self, payload: Vec<u8>) -> Vec<u8> {
        let mut bytes = wire::encode(&Message::Data {
            id: self.id,
            object: self.object,
            root: self.root,
            first: self.first,
            count: self.count,
        });
        bytes.extend(payload);
        bytes
    }
}
