//! A defender: the shipped engine with the bytes that it owns, and a judge that knows the published files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use swarmseal::content::{CHUNK, ObjectId, PublicKey, SecretKey, SwarmId, tree};
use swarmseal::identity::{Handle, PeerClass, Ticket, TicketLimits};
use swarmseal::signal::{ClientMessage, Exposure, Joined, SIGNAL_VERSION, ServerMessage};
use swarmseal::swarm::{
    CloseReason, DemandId, Engine, EngineConfig, Event, FetchId, FetchKind, FetchOutcome, Input, KeepFrom,
    Output, Payload, PeerId, RefuseCode, Sharing, Timestamp,
};

use crate::published::{NOW_S, Published};

/// The honest tracker: who has this key may admit.
pub struct Desk {
    pub key: SecretKey,
    pub now_s: u64,
}

impl Desk {
    pub fn new() -> Self {
        Self {
            key: SecretKey::from_seed(&[5; 32]),
            now_s: NOW_S,
        }
    }

    /// What the desk states about a peer whose key is `key`.
    pub fn claims(&self, key: PublicKey, swarm: SwarmId) -> Ticket {
        Ticket {
            key,
            swarm,
            class: PeerClass::User,
            issued: self.now_s,
            expires: self.now_s + 600,
            election: [key.0[0]; 16],
            limits: TicketLimits {
                connections: 30,
                budget: 30,
            },
            admission_tag: Vec::new(),
        }
    }

    pub fn admit(&self, key: PublicKey, swarm: SwarmId) -> Vec<u8> {
        self.claims(key, swarm).issue(&self.key).unwrap()
    }
}

/// What an engine wants from the outside world.
#[derive(Debug)]
pub enum Wish {
    ToTracker(ClientMessage),
    Dial {
        peer: PeerId,
        offer: bool,
    },
    Remote {
        peer: PeerId,
        sdp: String,
    },
    Control {
        peer: PeerId,
        bytes: Vec<u8>,
    },
    Close {
        peer: PeerId,
        reason: CloseReason,
    },
    Fetch {
        fetch: FetchId,
        path: String,
        range: Option<(u64, u64)>,
        kind: FetchKind,
    },
}

pub struct Party {
    pub engine: Engine,
    pub now: Timestamp,
    pub handle: Handle,
    pub key: PublicKey,
    pub ticket: Vec<u8>,
    published: Arc<Published>,
    store: BTreeMap<(ObjectId, u32), Vec<u8>>,
    held: BTreeMap<(FetchId, u32), Vec<u8>>,
    pub open_fetches: BTreeSet<FetchId>,
    pub delivered: BTreeMap<DemandId, Vec<u8>>,
    pub refused: BTreeMap<DemandId, RefuseCode>,
    pub events: Vec<Event>,
    /// Bytes that were kept, delivered or sent on although nobody published them.
    pub unverified: u64,
    /// Bytes of the data channel that were hashed.
    pub hashed: u64,
    pub wake_at: Option<Timestamp>,
}

impl Party {
    /// An engine that has joined through `desk`.
    pub fn join(published: &Arc<Published>, desk: &Desk, seed: [u8; 32]) -> Self {
        Self::join_trusting(published, desk, seed, vec![desk.key.public()])
    }

    pub fn join_trusting(
        published: &Arc<Published>,
        desk: &Desk,
        seed: [u8; 32],
        tracker_keys: Vec<PublicKey>,
    ) -> Self {
        let mut config = EngineConfig::new(seed);
        config.tracker = true;
        config.tracker_keys = tracker_keys;
        config.sharing = Sharing::On;
        let now = Timestamp(1_000);
        let mut party = Self {
            engine: Engine::new(config, published.catalog(), now),
            now,
            handle: Handle([0; 16]),
            key: PublicKey([0; 32]),
            ticket: Vec::new(),
            published: Arc::clone(published),
            store: BTreeMap::new(),
            held: BTreeMap::new(),
            open_fetches: BTreeSet::new(),
            delivered: BTreeMap::new(),
            refused: BTreeMap::new(),
            events: Vec::new(),
            unverified: 0,
            hashed: 0,
            wake_at: None,
        };
        party.input(Input::WallTime {
            unix_ms: desk.now_s * 1_000,
            uncertainty_ms: 1_000,
        });
        party.input(Input::Tick);
        party.input(Input::TrackerOpened);
        let welcome = ServerMessage::Welcome {
            version: SIGNAL_VERSION,
            nonce: [1; 32],
            time_unix_ms: desk.now_s * 1_000,
            keepalive_s: 30,
        };
        let wishes = party.tracker(welcome);
        let join = wishes.into_iter().find_map(|wish| match wish {
            Wish::ToTracker(ClientMessage::Join(join)) => Some(join),
            _ => None,
        });
        let join = join.unwrap();
        party.key = join.key;
        party.handle = Handle::of(&join.key);
        party.ticket = desk.admit(join.key, join.swarm);
        let joined = Joined {
            handle: party.handle,
            ticket: party.ticket.clone(),
            ticket_expires_in_s: 600,
            peers: Vec::new(),
            ice_servers: Vec::new(),
            exposure: Exposure::Direct,
            list_interval_s: 20,
            time_unix_ms: desk.now_s * 1_000,
            epoch: 1,
        };
        party.tracker(ServerMessage::Joined(joined));
        assert_eq!(party.engine.stats().tracker, "joined");
        party
    }

    pub fn tracker(&mut self, message: ServerMessage) -> Vec<Wish> {
        self.input(Input::Tracker(message))
    }

    /// A tracker message as it comes off the wire; one that cannot be read is dropped, as the worker does.
    pub fn tracker_text(&mut self, text: &str) -> Result<Vec<Wish>, String> {
        let message: ServerMessage = serde_json::from_str(text).map_err(|error| error.to_string())?;
        message
            .validate(swarmseal::signal::Loopback::Refuse)
            .map_err(|error| error.code().to_owned())?;
        Ok(self.tracker(message))
    }

    pub fn demand(&mut self, id: u32, path: &str) -> Vec<Wish> {
        self.input(Input::Demand {
            id: DemandId(id),
            path,
            range: None,
            deadline: None,
            plays_at_us: None,
        })
    }

    pub fn input(&mut self, input: Input<'_>) -> Vec<Wish> {
        self.engine.handle_input(self.now, input).unwrap();
        self.drain(None)
    }

    /// A message on the data channel.
    pub fn data(&mut self, peer: PeerId, bytes: &[u8]) -> Vec<Wish> {
        let (head, payload) = bytes.split_at(swarmseal::wire::DATA_HEAD.min(bytes.len()));
        let counted = Counted {
            bytes: payload,
            hashed: std::cell::Cell::new(0),
        };
        let input = Input::Data {
            peer,
            head,
            payload: &counted,
        };
        self.engine.handle_input(self.now, input).unwrap();
        self.hashed += counted.hashed.get();
        self.drain(Some(payload))
    }

    /// A whole HTTP body, in pieces where it is an object.
    pub fn http(&mut self, fetch: FetchId, kind: FetchKind, body: &[u8]) -> Vec<Wish> {
        let mut wishes = Vec::new();
        if !self.open_fetches.contains(&fetch) {
            return wishes;
        }
        let expected = match kind {
            FetchKind::Object { len, .. } | FetchKind::Sheet { len } => len,
            FetchKind::Whole { most } => most.min(body.len() as u64),
        };
        // The worker counts: a body of another length never becomes more than a failure.
        let complete = body.len() as u64 == expected;
        let usable = &body[..body.len().min(usize::try_from(expected).unwrap())];
        match kind {
            FetchKind::Sheet { .. } | FetchKind::Whole { .. } if complete => {
                wishes.extend(self.input(Input::FetchSheet { fetch, bytes: usable }));
            }
            FetchKind::Sheet { .. } | FetchKind::Whole { .. } => {}
            FetchKind::Object { .. } => {
                for (piece, bytes) in (0_u32..).zip(usable.chunks(CHUNK as usize)) {
                    if !complete && bytes.len() < CHUNK as usize {
                        break;
                    }
                    self.held.insert((fetch, piece), bytes.to_vec());
                    wishes.extend(self.input(Input::FetchPiece {
                        fetch,
                        piece,
                        payload: &bytes,
                    }));
                }
            }
        }
        if self.open_fetches.remove(&fetch) {
            let outcome = if complete {
                FetchOutcome::Complete
            } else {
                FetchOutcome::WrongLength
            };
            wishes.extend(self.input(Input::FetchEnded { fetch, outcome }));
        }
        wishes
    }

    /// Lets `us` microseconds pass.
    pub fn wait(&mut self, us: u64) -> Vec<Wish> {
        let end = self.now + us;
        let mut wishes = Vec::new();
        while let Some(at) = self.wake_at.filter(|at| *at <= end) {
            self.now = self.now.max(at);
            wishes.extend(self.input(Input::Tick));
            if self.wake_at.is_some_and(|next| next <= self.now) {
                break;
            }
        }
        self.now = end;
        wishes
    }

    /// Codes of the rules that peers were blamed for.
    pub fn blamed(&self) -> Vec<&str> {
        let codes = self.events.iter().filter_map(|event| match event {
            Event::PeerBlamed { code, .. } => Some(code.as_str()),
            _ => None,
        });
        codes.collect()
    }

    pub fn proved(&self) -> u32 {
        self.engine.stats().connections_proved
    }

    fn drain(&mut self, payload: Option<&[u8]>) -> Vec<Wish> {
        let mut wishes = Vec::new();
        loop {
            match self.engine.poll_output() {
                Output::Idle { wake_at } => {
                    self.wake_at = wake_at;
                    return wishes;
                }
                Output::Fetch {
                    fetch,
                    path,
                    range,
                    kind,
                    ..
                } => {
                    self.open_fetches.insert(fetch);
                    wishes.push(Wish::Fetch {
                        fetch,
                        path,
                        range,
                        kind,
                    });
                }
                Output::AbortFetch { fetch } => {
                    self.open_fetches.remove(&fetch);
                }
                Output::Keep { from, object, chunk } => {
                    let bytes = match from {
                        KeepFrom::Fetch { fetch, piece } => self.held[&(fetch, piece)].clone(),
                        KeepFrom::Message { offset, len } => {
                            payload.unwrap()[offset as usize..(offset + len) as usize].to_vec()
                        }
                    };
                    self.judge(object, chunk, &bytes);
                    self.store.insert((object, chunk), bytes);
                }
                Output::Forget { fetch } => self.held.retain(|(of, _), _| *of != fetch),
                Output::Evict { object } => self.store.retain(|(of, _), _| *of != object),
                Output::Deliver { demand, spans, .. } => {
                    let mut body = Vec::new();
                    for span in spans {
                        let end = span.first + span.len;
                        for chunk in span.first / u64::from(CHUNK)..end.div_ceil(u64::from(CHUNK)) {
                            let chunk = u32::try_from(chunk).unwrap();
                            let bytes = self.store[&(span.object, chunk)].clone();
                            self.judge(span.object, chunk, &bytes);
                            body.extend_from_slice(&bytes);
                        }
                    }
                    self.delivered.insert(demand, body);
                }
                Output::DeliverDocument { demand, bytes, .. } => {
                    self.delivered.insert(demand, bytes);
                }
                Output::Refuse { demand, code } => {
                    self.refused.insert(demand, code);
                }
                Output::TrackerOpen | Output::TrackerClose | Output::RemoteCandidate { .. } => {}
                Output::TrackerSend(message) => wishes.push(Wish::ToTracker(message)),
                Output::Dial { peer, offer, .. } => wishes.push(Wish::Dial { peer, offer }),
                Output::RemoteDescription { peer, sdp, .. } => wishes.push(Wish::Remote { peer, sdp }),
                Output::Close { peer, reason } => wishes.push(Wish::Close { peer, reason }),
                Output::Send { peer, bytes } => wishes.push(Wish::Control { peer, bytes }),
                Output::SendData {
                    object, first, count, ..
                } => {
                    for chunk in first..first + u32::from(count) {
                        let kept = self.store[&(object, chunk)].clone();
                        self.judge(object, chunk, &kept);
                    }
                }
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// Compares with the published file, not with anything that the engine knows.
    fn judge(&mut self, object: ObjectId, chunk: u32, bytes: &[u8]) {
        let file = self.published.object(object);
        let from = chunk as usize * CHUNK as usize;
        let expected = file.get(from..(from + CHUNK as usize).min(file.len()));
        if expected != Some(bytes) {
            self.unverified += bytes.len() as u64;
        }
    }
}

/// A payload that counts how much of it was hashed.
struct Counted<'a> {
    bytes: &'a [u8],
    hashed: std::cell::Cell<u64>,
}

impl Payload for Counted<'_> {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn leaf(&self, offset: usize, len: usize) -> Option<swarmseal::content::Hash> {
        let piece = self.bytes.get(offset..offset.checked_add(len)?)?;
        self.hashed.set(self.hashed.get() + len as u64);
        Some(tree::leaf(piece))
    }
}
