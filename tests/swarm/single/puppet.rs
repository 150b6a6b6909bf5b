//! A peer without an engine: it proves itself as any other, and then says whatever it is told to.

use swarmseal::content::{CHUNK, Hash, ObjectId, PublicKey, SwarmId, TrackId, WallTime};
use swarmseal::identity::{
    EphemeralKeys, Fingerprint, Handle, Handshake, HandshakeConfig, HandshakeStep, PeerClass, Role, Ticket,
    TicketLimits, roots_digest,
};
use swarmseal::signal::{Description, IntroductionId};
use swarmseal::swarm::PeerId;
use swarmseal::wire::{self, Message};

use crate::rig::{NOW_S, local_sdp, tracker_key};

/// Chunks that the engine asked the puppet for and that it has not sent.
#[derive(Clone, Debug)]
pub struct Asked {
    pub id: u32,
    pub object: ObjectId,
    pub root: Hash,
    pub next: u32,
    pub end: u32,
}

pub struct Puppet {
    pub peer: PeerId,
    pub number: u32,
    pub keys: EphemeralKeys,
    pub introduction: IntroductionId,
    /// What the engine said of its own certificate.
    pub engine_fingerprint: Option<Fingerprint>,
    handshake: Option<Handshake>,
    /// What came before its side was open.
    early: Vec<Vec<u8>>,
    pub ready: bool,
    pub closed: bool,
    /// It has broken a rule: it may be blamed.
    pub guilty: bool,
    pub asked: Vec<Asked>,
    /// The highest request number that the engine has used.
    last_asked: u32,
    /// Of those, what was cancelled: answers cross such messages.
    pub late: Vec<Asked>,
    pub rows_asked: Vec<(ObjectId, Hash)>,
    /// Chunks that it asked the engine for and that may come.
    pub wants: Vec<Asked>,
    pub next_request: u32,
}

/// A ticket as the tracker would issue it.
pub fn ticket(key: PublicKey, swarm: SwarmId, election: u8) -> Vec<u8> {
    let ticket = Ticket {
        key,
        swarm,
        class: PeerClass::User,
        issued: NOW_S,
        expires: NOW_S + 600,
        election: [election; 16],
        limits: TicketLimits {
            connections: 30,
            budget: 30,
        },
        admission_tag: Vec::new(),
    };
    ticket.issue(&tracker_key()).unwrap()
}

impl Puppet {
    pub fn new(number: u32, peer: PeerId) -> Self {
        let mut seed = [0x70; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let mut introduction = [0; 16];
        introduction[..4].copy_from_slice(&(number + 1).to_be_bytes());
        Self {
            peer,
            number,
            keys: EphemeralKeys::from_seed(seed),
            introduction: IntroductionId(introduction),
            engine_fingerprint: None,
            handshake: None,
            early: Vec::new(),
            ready: false,
            closed: false,
            guilty: false,
            asked: Vec::new(),
            last_asked: 0,
            late: Vec::new(),
            rows_asked: Vec::new(),
            wants: Vec::new(),
            next_request: 0,
        }
    }

    pub fn handle(&self) -> Handle {
        self.keys.handle()
    }

    /// What its browser would say.
    pub fn description(&self) -> Description {
        Description::from_sdp(&local_sdp(self.number as usize + 1, self.peer, true)).unwrap()
    }

    /// Its side is open too: what it says first, answers to what it has heard by then included.
    pub fn begin(&mut self, swarm: SwarmId, engine: Handle, roots: &[(TrackId, Hash)]) -> Vec<Message> {
        let handshake = Handshake::new(HandshakeConfig {
            keys: self.keys.clone(),
            ticket: ticket(self.keys.public(), swarm, self.number as u8),
            tracker_keys: vec![tracker_key().public()],
            swarm,
            introduction: self.introduction.0,
            role: Role::Offerer,
            local_fingerprint: self.description().fingerprint,
            remote_fingerprint: self.engine_fingerprint.unwrap(),
            expected_peer: engine,
            roots_digest: roots_digest(roots),
            capabilities: 0,
            nonce: [self.number as u8; 32],
            wall: WallTime {
                unix_s: NOW_S,
                uncertainty_s: 1,
            },
        });
        let mut said = vec![Message::Hello(handshake.hello())];
        self.handshake = Some(handshake);
        let early = core::mem::take(&mut self.early);
        said.extend(early.iter().filter_map(|bytes| self.hear(bytes)));
        said
    }

    /// Takes what the engine sends on the control channel. What to answer at once, if anything.
    pub fn hear(&mut self, bytes: &[u8]) -> Option<Message> {
        if !self.ready {
            let Some(handshake) = &mut self.handshake else {
                self.early.push(bytes.to_vec());
                return None;
            };
            return match handshake.handle_bytes(bytes).unwrap() {
                HandshakeStep::SendProof(proof) => Some(Message::Proof(proof)),
                HandshakeStep::Proven(_) => {
                    self.ready = true;
                    None
                }
            };
        }
        match wire::decode(bytes).unwrap() {
            // The same number again: more urgent now, which makes no difference here.
            Message::Request { id, .. } if id <= self.last_asked => {}
            Message::Request {
                id,
                object,
                root,
                first,
                count,
                ..
            } => {
                self.last_asked = id;
                self.asked.push(Asked {
                    id,
                    object,
                    root,
                    next: first,
                    end: first + u32::from(count),
                });
            }
            // What it has sent by then is on its way.
            Message::Cancel { id } => {
                let cancelled = |asked: &mut Asked| asked.id == id;
                self.late.extend(self.asked.extract_if(.., cancelled));
            }
            Message::WantRows { object, root } => self.rows_asked.push((object, root)),
            Message::Reject { id, .. } => self.wants.retain(|wanted| wanted.id != id),
            Message::Choke => self.wants.clear(),
            _ => {}
        }
        None
    }

    /// Takes the head of what the engine sends on the data channel: it must be what was asked for, in order.
    pub fn receive(&mut self, head: &[u8]) {
        let Ok((Message::Data { id, first, count, .. }, _)) = wire::decode_data_head(head) else {
            panic!("the engine sends something else than DATA");
        };
        let wanted = self.wants.iter_mut().find(|wanted| wanted.id == id);
        let Some(wanted) = wanted else {
            panic!("chunks that were not asked for, or not any more");
        };
        assert_eq!(wanted.next, first, "chunks in order");
        wanted.next += u32::from(count);
        assert!(wanted.next <= wanted.end, "no more than was asked for");
        if wanted.next == wanted.end {
            self.wants.retain(|wanted| wanted.id != id);
        }
    }

    /// The head and the bytes of an answer to the oldest request, or to the oldest that was cancelled, `count` chunks of it.
    pub fn answer(&mut self, late: bool, count: u32, file: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let requests = if late { &mut self.late } else { &mut self.asked };
        let asked = requests.first_mut()?;
        let count = count.clamp(1, 4).min(asked.end - asked.next);
        let head = Message::Data {
            id: asked.id,
            object: asked.object,
            root: asked.root,
            first: asked.next,
            count: u8::try_from(count).unwrap(),
        };
        let from = asked.next as usize * CHUNK as usize;
        let to = (from + count as usize * CHUNK as usize).min(file.len());
        asked.next += count;
        if asked.next == asked.end {
            requests.remove(0);
        }
        Some((wire::encode(&head), file[from..to].to_vec()))
    }
}
