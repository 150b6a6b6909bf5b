//! One engine on a bench: everything around it is played by hand, and after every step everything is checked.

use std::collections::{BTreeMap, BTreeSet};

use swarmseal::content::{CHUNK, ObjectId, Span, SwarmId, TrackId};
use swarmseal::identity::Handle;
use swarmseal::signal::{ClientMessage, Exposure, Joined, SIGNAL_VERSION, SdpType, ServerMessage};
use swarmseal::swarm::{
    DemandId, Engine, EngineConfig, Event, FetchId, FetchKind, FetchOutcome, Input, KeepFrom, Output, PeerId,
    Sharing, Timestamp,
};
use swarmseal::wire::{self, Message};

use super::puppet::{Puppet, ticket};
use crate::rig::{NOW_S, Published, local_sdp, tracker_key};

pub const SEGMENTS: u32 = 12;
const SEGMENT: usize = 70_000;
const STORE: u64 = 400_000;
/// Outputs of one input: far more would be an engine that talks to itself.
const MOST_OUTPUTS: usize = 5_000;

pub struct Bench {
    pub engine: Engine,
    pub now: Timestamp,
    pub puppets: Vec<Puppet>,
    pub demands: BTreeSet<DemandId>,
    pub next_demand: u32,
    pub fetches: BTreeMap<FetchId, Request>,
    /// The origin has sent bytes that were not published.
    pub origin_lied: bool,
    pub answered: u32,
    wake: Option<Timestamp>,
    published: Published,
    handle: Option<Handle>,
    next_puppet: u32,
    store: BTreeSet<(ObjectId, u32)>,
    held: BTreeMap<(FetchId, u32), Vec<u8>>,
    /// What is said to whom after the engine is drained.
    replies: Vec<(PeerId, Message)>,
    to_tracker: Vec<ClientMessage>,
    sent_to: BTreeSet<PeerId>,
}

/// An HTTP request under way.
#[derive(Clone, Debug)]
pub struct Request {
    path: String,
    range: Option<(u64, u64)>,
    kind: FetchKind,
    next: u32,
    pub aborted: bool,
}

impl Bench {
    pub fn new() -> Self {
        let published = Published::title(SEGMENTS, SEGMENT, tracker_key().public());
        let mut config = EngineConfig::new([1; 32]);
        config.tracker = true;
        config.tracker_keys = vec![tracker_key().public()];
        config.sharing = Sharing::On;
        config.store_bytes = STORE;
        config.max_peers = 6;
        let now = Timestamp(1_000);
        let mut bench = Self {
            engine: Engine::new(config, published.catalog(), now),
            now,
            puppets: Vec::new(),
            demands: BTreeSet::new(),
            next_demand: 0,
            fetches: BTreeMap::new(),
            origin_lied: false,
            answered: 0,
            wake: None,
            published,
            handle: None,
            next_puppet: 0,
            store: BTreeSet::new(),
            held: BTreeMap::new(),
            replies: Vec::new(),
            to_tracker: Vec::new(),
            sent_to: BTreeSet::new(),
        };
        bench.input(Input::WallTime {
            unix_ms: NOW_S * 1_000,
            uncertainty_ms: 1_000,
        });
        bench.input(Input::Tick);
        bench
    }

    pub fn swarm(&self) -> SwarmId {
        self.published.manifest.swarm_id()
    }

    /// One input; then what it brought about, down to the last report.
    pub fn input(&mut self, input: Input<'_>) {
        self.turn(input, None);
        self.settle();
    }

    pub fn data(&mut self, peer: PeerId, head: &[u8], bytes: &[u8]) {
        let input = Input::Data {
            peer,
            head,
            payload: &bytes,
        };
        self.turn(input, Some(bytes));
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            if let Some((peer, message)) = self.replies.pop() {
                let bytes = wire::encode(&message);
                self.turn(Input::Message { peer, bytes: &bytes }, None);
            } else if let Some(peer) = self.sent_to.pop_first() {
                self.turn(Input::Writable { peer, buffered: 0 }, None);
            } else if let Some(message) = self.to_tracker.pop() {
                self.tracker_answers(&message);
            } else {
                return;
            }
        }
    }

    fn turn(&mut self, input: Input<'_>, payload: Option<&[u8]>) {
        self.engine.handle_input(self.now, input).unwrap();
        for _ in 0..MOST_OUTPUTS {
            match self.engine.poll_output() {
                Output::Idle { wake_at } => {
                    self.wake = wake_at;
                    self.engine.audit().unwrap();
                    return;
                }
                output => self.apply(output, payload),
            }
        }
        panic!("more than {MOST_OUTPUTS} outputs of one input");
    }

    fn apply(&mut self, output: Output, payload: Option<&[u8]>) {
        match output {
            Output::Fetch {
                fetch,
                path,
                range,
                kind,
                ..
            } => {
                let request = Request {
                    path,
                    range,
                    kind,
                    next: 0,
                    aborted: false,
                };
                assert!(
                    self.fetches.insert(fetch, request).is_none(),
                    "a number used twice"
                );
            }
            Output::AbortFetch { fetch } => {
                if let Some(request) = self.fetches.get_mut(&fetch) {
                    request.aborted = true;
                }
            }
            Output::Keep { from, object, chunk } => {
                let bytes = match from {
                    KeepFrom::Fetch { fetch, piece } => self.held[&(fetch, piece)].clone(),
                    KeepFrom::Message { offset, len } => {
                        payload.unwrap()[offset as usize..(offset + len) as usize].to_vec()
                    }
                };
                let from = chunk as usize * CHUNK as usize;
                let file = self.file(object);
                let to = (from + CHUNK as usize).min(file.len());
                assert_eq!(bytes, file[from..to], "unverified bytes are kept");
                assert!(self.store.insert((object, chunk)), "a chunk is kept twice");
            }
            Output::Forget { fetch } => self.held.retain(|(held, _), _| *held != fetch),
            Output::Evict { object } => self.store.retain(|(held, _)| *held != object),
            Output::Deliver { demand, spans, .. } => {
                assert!(self.demands.remove(&demand), "an answer that nobody waits for");
                self.answered += 1;
                for span in spans {
                    self.assert_held(span);
                }
            }
            Output::DeliverDocument { demand, .. } => {
                assert!(self.demands.remove(&demand), "an answer that nobody waits for");
                self.answered += 1;
            }
            Output::Refuse { demand, .. } => {
                assert!(self.demands.remove(&demand), "a refusal that nobody waits for");
                self.answered += 1;
            }
            Output::TrackerSend(message) => self.to_tracker.insert(0, message),
            Output::RemoteDescription { .. }
            | Output::RemoteCandidate { .. }
            | Output::TrackerOpen
            | Output::TrackerClose
            | Output::Idle { .. } => {}
            Output::Dial { peer, offer, .. } => {
                assert!(!offer, "the tracker gave it the other part");
                let puppet = self.puppets.last_mut().unwrap();
                puppet.peer = peer;
            }
            Output::Close { peer, .. } => {
                if let Some(puppet) = self.puppet_of(peer) {
                    puppet.closed = true;
                }
                self.sent_to.remove(&peer);
            }
            Output::Send { peer, bytes } => {
                self.sent_to.insert(peer);
                if let Some(puppet) = self.puppet_of(peer).filter(|puppet| !puppet.closed)
                    && let Some(reply) = puppet.hear(&bytes)
                {
                    self.replies.insert(0, (peer, reply));
                }
            }
            Output::SendData {
                peer,
                head,
                object,
                first,
                count,
            } => {
                for chunk in first..first + u32::from(count) {
                    assert!(self.store.contains(&(object, chunk)), "sent without having it");
                }
                self.sent_to.insert(peer);
                if let Some(puppet) = self.puppet_of(peer).filter(|puppet| !puppet.closed) {
                    puppet.receive(&head);
                }
            }
            Output::Event(Event::PeerBlamed { peer, code, .. }) => {
                let puppet = self.puppet_of(PeerId(peer)).unwrap();
                assert!(puppet.guilty, "an honest peer is blamed for {code}");
            }
            Output::Event(_) => {}
        }
    }

    fn assert_held(&self, span: Span) {
        let chunk = u64::from(CHUNK);
        for number in span.first / chunk..(span.first + span.len).div_ceil(chunk) {
            let number = u32::try_from(number).unwrap();
            assert!(
                self.store.contains(&(span.object, number)),
                "delivered without having it"
            );
        }
    }

    pub fn puppet_of(&mut self, peer: PeerId) -> Option<&mut Puppet> {
        self.puppets.iter_mut().find(|puppet| puppet.peer == peer)
    }

    /// The published bytes of an object.
    pub fn file(&self, object: ObjectId) -> &[u8] {
        let path = if object.track == TrackId::ASSETS {
            "index.m3u8".to_owned()
        } else {
            format!("v/{}.m4s", object.index)
        };
        &self.published.files[&path]
    }

    fn tracker_answers(&mut self, message: &ClientMessage) {
        match message {
            ClientMessage::Join(join) => {
                let handle = Handle::of(&join.key);
                self.handle = Some(handle);
                let joined = Joined {
                    handle,
                    ticket: ticket(join.key, join.swarm, 99),
                    ticket_expires_in_s: 600,
                    peers: Vec::new(),
                    ice_servers: Vec::new(),
                    exposure: Exposure::Direct,
                    list_interval_s: 20,
                    time_unix_ms: NOW_S * 1_000,
                    epoch: 1,
                };
                self.turn(Input::Tracker(ServerMessage::Joined(joined)), None);
            }
            ClientMessage::Description {
                introduction,
                description,
            } => {
                let puppet = self
                    .puppets
                    .iter_mut()
                    .find(|puppet| puppet.introduction == *introduction);
                if let Some(puppet) = puppet {
                    puppet.engine_fingerprint = Some(description.fingerprint);
                }
            }
            _ => {}
        }
    }

    /// The tracker is there (again).
    pub fn join(&mut self) {
        self.input(Input::TrackerOpened);
        self.input(Input::Tracker(ServerMessage::Welcome {
            version: SIGNAL_VERSION,
            nonce: [7; 32],
            time_unix_ms: NOW_S * 1_000,
            keepalive_s: 45,
        }));
    }

    /// A new puppet is introduced and goes so many steps of four towards being ready.
    pub fn introduce(&mut self, steps: u8) {
        let Some(handle) = self.handle else { return };
        if self.engine.stats().tracker != "joined" {
            return;
        }
        let puppet = Puppet::new(self.next_puppet, PeerId(0));
        self.next_puppet += 1;
        let (introduction, peer_handle) = (puppet.introduction, puppet.handle());
        self.puppets.push(puppet);
        self.input(Input::Tracker(ServerMessage::Introduction {
            introduction,
            peer: peer_handle,
            role: SdpType::Answer,
        }));
        let Some(puppet) = self.puppets.last().filter(|puppet| puppet.peer != PeerId(0)) else {
            // It has peers enough.
            self.puppets.pop();
            return;
        };
        let (peer, description) = (puppet.peer, puppet.description());
        if steps > 0 {
            self.input(Input::Tracker(ServerMessage::Description {
                introduction,
                description,
            }));
            let sdp = local_sdp(0, peer, false);
            self.input(Input::LocalDescription { peer, sdp: &sdp });
        }
        if steps > 1 {
            self.input(Input::PeerOpened { peer });
        }
        if steps > 2 {
            let (swarm, roots) = (self.swarm(), self.engine.catalog().track_roots());
            let puppet = self.puppet_of(peer).unwrap();
            for message in puppet.begin(swarm, handle, &roots) {
                self.tell(peer, &message);
            }
            self.tell(peer, &Message::Tracks(roots));
        }
    }

    pub fn tell(&mut self, peer: PeerId, message: &Message) {
        let bytes = wire::encode(message);
        self.input(Input::Message { peer, bytes: &bytes });
    }

    pub fn demand(&mut self, path: &str, range: Option<(u64, u64)>) {
        let id = DemandId(self.next_demand);
        self.next_demand += 1;
        self.demands.insert(id);
        self.input(Input::Demand {
            id,
            path,
            range,
            deadline: None,
            plays_at_us: None,
        });
    }

    /// The origin sends so many pieces of the oldest request, the last of them altered or not.
    pub fn serve(&mut self, pieces: u32, altered: bool) {
        for step in 0..pieces {
            let Some((&fetch, request)) = self.fetches.iter().next() else {
                return;
            };
            let request = request.clone();
            if request.aborted {
                self.end(fetch, FetchOutcome::Aborted);
                continue;
            }
            let mut body = self.published.files[&request.path].to_vec();
            if let Some((first, last)) = request.range {
                body = body[usize::try_from(first).unwrap()..=usize::try_from(last).unwrap()].to_vec();
            }
            if let FetchKind::Sheet { .. } = request.kind {
                self.input(Input::FetchSheet { fetch, bytes: &body });
                self.end(fetch, FetchOutcome::Complete);
                continue;
            }
            let chunks: Vec<&[u8]> = body.chunks(CHUNK as usize).collect();
            let piece = request.next;
            let mut bytes = chunks[piece as usize].to_vec();
            if altered && step + 1 == pieces {
                bytes[0] ^= 1;
                self.origin_lied = true;
            }
            self.held.insert((fetch, piece), bytes.clone());
            self.fetches.get_mut(&fetch).unwrap().next += 1;
            self.input(Input::FetchPiece {
                fetch,
                piece,
                payload: &bytes.as_slice(),
            });
            if piece as usize + 1 == chunks.len() {
                self.end(fetch, FetchOutcome::Complete);
            }
        }
    }

    /// The oldest request ends like this.
    pub fn end_oldest(&mut self, outcome: FetchOutcome) {
        if let Some(&fetch) = self.fetches.keys().next() {
            self.end(fetch, outcome);
        }
    }

    fn end(&mut self, fetch: FetchId, outcome: FetchOutcome) {
        self.fetches.remove(&fetch);
        self.input(Input::FetchEnded { fetch, outcome });
        self.held.retain(|(held, _), _| *held != fetch);
    }

    /// Lets time pass; the alarm rings whenever it was set for.
    pub fn wait(&mut self, us: u64) -> u32 {
        let end = self.now + us;
        let mut ticks = 0;
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.input(Input::Tick);
            ticks += 1;
            assert!(ticks < 20_000, "a timer spins");
        }
        self.now = end;
        ticks
    }
}
