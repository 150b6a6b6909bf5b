//! The owner of an engine: it feeds it what happens, one input at a time, and does what it says.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use swarmseal::content::{
    CHUNK, Catalog, Hash, Location, ObjectId, PublicKey, RollbackMemory, TrackId, Trust, TrustError,
    WallTime, tree,
};
use swarmseal::identity::Handle;
use swarmseal::signal::{Description, SdpType, ServerMessage};
use swarmseal::swarm::{
    ApiMisuse, DemandId, Engine, EngineConfig, Event, FetchId, FetchOutcome, Input, KeepFrom, Output, PeerId,
    RefuseCode, Sharing, Timestamp,
};
use swarmseal::wire::{self, Channel, DATA_HEAD, Message};
use tokio::sync::mpsc;
use tokio::time::timeout;
use url::Url;

use super::connection::{Connection, ConnectionEvent};
use super::http::{Downloads, Order};
use super::opening::{fetch_sealed, with_indexes};
use super::shelf::Shelf;
use super::tracker_socket::{TrackerEvent, TrackerSocket};
use crate::authorities::Authorities;
use crate::publisher::source::client_believing;

/// How a peer takes part.
#[derive(Clone, Debug)]
pub struct PeerOptions {
    /// Where the sealed manifest is.
    pub manifest: Url,
    /// The tracker's WebSocket.
    pub tracker: Url,
    /// Publishers whose manifests are taken.
    pub publishers: Vec<PublicKey>,
    /// Keys that may sign tickets, besides those of the manifest.
    pub tracker_keys: Vec<PublicKey>,
    /// The address that other peers reach this one at.
    pub address: IpAddr,
    /// Whether it serves others as well.
    pub sharing: Sharing,
    /// Upload cap in bits per second.
    pub upload_bps: Option<u64>,
    /// Bytes kept of what has been verified.
    pub store_bytes: u64,
    /// Connections at most.
    pub max_peers: usize,
    /// Whose certificates are believed, of the tracker and of whoever has the content.
    pub authorities: Authorities,
}

/// Why a peer cannot take part.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// `http:` or `ws:` to another machine.
    #[error("{0} is neither https: or wss: nor on this machine")]
    InsecureTransport(Url),
    /// The manifest cannot be read.
    #[error("the manifest cannot be read: {0}")]
    Unreadable(String),
    /// The manifest is not taken.
    #[error("the manifest is not taken: {0}")]
    Refused(#[from] TrustError),
    /// An index or a table of names is not what the manifest signs.
    #[error("an index file is not what the manifest signs")]
    Index,
    /// No randomness from the system.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// A fault of ours.
    #[error("the engine is misused: {0}")]
    Misuse(#[from] ApiMisuse),
}

impl PeerError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InsecureTransport(_) => "insecure_transport",
            Self::Unreadable(_) => "manifest_unreadable",
            Self::Refused(rule) => rule.code(),
            Self::Index => "index_altered",
            Self::Random(_) => "no_random_bytes",
            Self::Misuse(misuse) => misuse.code(),
        }
    }
}

/// What the owner of a peer may want to know.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A demand is met.
    Delivered(DemandId),
    /// A demand cannot be met.
    Refused(DemandId, RefuseCode),
    /// A peer has broken a rule, and what of it was received here.
    Blamed(Blamed),
    /// Something else.
    Event(Event),
}

/// A fault of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blamed {
    /// Whose.
    pub handle: Handle,
    /// The rule, as a stable code.
    pub code: String,
    /// Of bytes that are not what the publisher signed: which bytes, and what came instead of them.
    pub received: Option<Received>,
}

/// Bytes that are not what the publisher signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The object.
    pub object: ObjectId,
    /// Whether it was a row that came, and not a chunk.
    pub is_row: bool,
    /// The chunk; 0 where a row is meant.
    pub chunk: u32,
    /// The object's signed root, which the sender named as well.
    pub root: Hash,
    /// What was received, hashed: a chunk as a leaf of the tree, a row as it is.
    pub hash: Hash,
}

pub(super) enum Inbound {
    Connection(PeerId, ConnectionEvent),
    Tracker(u64, TrackerEvent),
    Piece {
        fetch: FetchId,
        piece: u32,
        bytes: Vec<u8>,
    },
    Sheet {
        fetch: FetchId,
        bytes: Vec<u8>,
    },
    FetchEnded {
        fetch: FetchId,
        outcome: FetchOutcome,
    },
}

/// One peer in one swarm, from [`Peer::enter`] until it is dropped. Nothing happens unless [`Peer::next`] is awaited.
pub struct Peer {
    engine: Engine,
    options: PeerOptions,
    shelf: Box<dyn Shelf>,
    started: Instant,
    wake_at: Option<Timestamp>,
    inbox: mpsc::Receiver<Inbound>,
    post: mpsc::Sender<Inbound>,
    http: Downloads,
    /// Pieces that came over HTTP and wait for the engine's verdict.
    held: BTreeMap<(FetchId, u32), Vec<u8>>,
    tracker: Option<TrackerSocket>,
    tracker_number: u64,
    connections: BTreeMap<PeerId, Connection>,
    happenings: VecDeque<Happening>,
}

impl Peer {
    /// Fetches and verifies the manifest, and starts an engine for it; `shelf` keeps what is verified.
    ///
    /// # Errors
    /// [`PeerError`]; nothing is left running.
    pub async fn enter(options: PeerOptions, shelf: Box<dyn Shelf>) -> Result<Self, PeerError> {
        for url in [&options.manifest, &options.tracker] {
            if !is_secure(url) {
                return Err(PeerError::InsecureTransport(url.clone()));
            }
        }
        let agent = client_believing(&options.authorities);
        let sealed = fetch_sealed(agent.clone(), options.manifest.clone()).await?;
        let unix_ms = unix_ms();
        let wall = WallTime {
            unix_s: unix_ms / 1_000,
            uncertainty_s: CLOCK_UNCERTAINTY_S,
        };
        let name = options.manifest.as_str();
        let mut trust = Trust::new(options.publishers.clone(), None, name, RollbackMemory::default());
        let verified = trust.verify_live(&sealed, wall)?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| PeerError::Random(error.to_string()))?;
        let mut config = EngineConfig::new(seed);
        config.tracker_keys = [
            options.tracker_keys.clone(),
            verified.manifest().tracker_keys.clone(),
        ]
        .concat();
        config.tracker = true;
        config.sharing = options.sharing;
        config.upload_bps = options.upload_bps;
        config.store_bytes = options.store_bytes;
        config.max_peers = options.max_peers;
        config.allow_loopback = options.address.is_loopback();
        let base = options
            .manifest
            .join(".")
            .map_err(|error| PeerError::Unreadable(error.to_string()))?;
        let (post, inbox) = mpsc::channel(WAITING);
        let catalog = with_indexes(agent.clone(), options.manifest.clone(), Catalog::new(verified)).await?;
        let mut peer = Self {
            engine: Engine::new(config, catalog, Timestamp(0)),
            options,
            shelf,
            started: Instant::now(),
            wake_at: None,
            inbox,
            http: Downloads::new(agent, base, post.clone()),
            post,
            held: BTreeMap::new(),
            tracker: None,
            tracker_number: 0,
            connections: BTreeMap::new(),
            happenings: VecDeque::new(),
        };
        peer.feed(Input::WallTime {
            unix_ms,
            uncertainty_ms: u64::from(CLOCK_UNCERTAINTY_S) * 1_000,
        })?;
        Ok(peer)
    }

    /// The engine, for what it knows.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Wants the bytes that lie in a place within `patience`.
    ///
    /// # Errors
    /// [`PeerError::Misuse`] for an id in use.
    pub fn demand(&mut self, id: DemandId, place: &Location, patience: Duration) -> Result<(), PeerError> {
        let patience = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
        let deadline = Some(self.now() + patience);
        self.feed(Input::Demand {
            id,
            path: &place.path,
            range: place
                .range
                .map(|(first, length)| (first, first.saturating_add(length).saturating_sub(1))),
            deadline,
            plays_at_us: None,
        })
    }

    /// Says goodbye to everybody.
    ///
    /// # Errors
    /// [`PeerError::Misuse`], never in practice.
    pub fn leave(&mut self) -> Result<(), PeerError> {
        self.feed(Input::Policy {
            sharing: Sharing::Off,
            upload_bps: None,
            upload_bytes: None,
        })
    }

    /// Takes part until something happens that its owner may want to know. May be dropped and called again.
    ///
    /// # Errors
    /// [`PeerError::Misuse`], never in practice.
    pub async fn next(&mut self) -> Result<Happening, PeerError> {
        loop {
            if let Some(happening) = self.happenings.pop_front() {
                return Ok(happening);
            }
            let due = self.wake_at.map_or(LONGEST_WAIT, |at| {
                Duration::from_micros(at.since(self.now())).min(LONGEST_WAIT)
            });
            match timeout(due, self.inbox.recv()).await {
                Ok(Some(inbound)) => self.take(inbound)?,
                Ok(None) | Err(_) => self.feed(Input::Tick)?,
            }
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn take(&mut self, inbound: Inbound) -> Result<(), PeerError> {
        match inbound {
            Inbound::Connection(peer, event) => self.connection_event(peer, event),
            Inbound::Tracker(number, event) => {
                if self
                    .tracker
                    .as_ref()
                    .is_none_or(|socket| socket.number() != number)
                {
                    return Ok(());
                }
                match event {
                    TrackerEvent::Opened => self.feed(Input::TrackerOpened),
                    TrackerEvent::Message(message) => self.feed(Input::Tracker(within_transport(*message))),
                    TrackerEvent::Closed => {
                        self.tracker = None;
                        self.feed(Input::TrackerClosed)
                    }
                }
            }
            Inbound::Piece { fetch, piece, bytes } => {
                let payload: &[u8] = &bytes;
                self.drained(
                    Input::FetchPiece {
                        fetch,
                        piece,
                        payload: &payload,
                    },
                    &[],
                    Some(((fetch, piece), &bytes)),
                )
            }
            Inbound::Sheet { fetch, bytes } => self.feed(Input::FetchSheet { fetch, bytes: &bytes }),
            Inbound::FetchEnded { fetch, outcome } => {
                self.http.ended(fetch);
                self.feed(Input::FetchEnded { fetch, outcome })
            }
        }
    }

    fn connection_event(&mut self, peer: PeerId, event: ConnectionEvent) -> Result<(), PeerError> {
        if !self.connections.contains_key(&peer) {
            // Closed already, which is no news to the engine.
            return Ok(());
        }
        match event {
            ConnectionEvent::Described(sdp) => self.feed(Input::LocalDescription { peer, sdp: &sdp }),
            ConnectionEvent::Candidate(line) => self.feed(Input::LocalCandidate { peer, line: &line }),
            ConnectionEvent::CandidatesEnd => self.feed(Input::LocalCandidatesEnd { peer }),
            ConnectionEvent::Opened => self.feed(Input::PeerOpened { peer }),
            ConnectionEvent::Buffered(buffered) => self.feed(Input::Writable { peer, buffered }),
            ConnectionEvent::Failed(reason) => self.feed(Input::PeerFailed { peer, reason }),
            ConnectionEvent::Closed => self.feed(Input::PeerClosed { peer }),
            ConnectionEvent::Message(Channel::Control, bytes) => {
                self.drained(Input::Message { peer, bytes: &bytes }, &bytes, None)
            }
            ConnectionEvent::Message(Channel::Data, bytes) => {
                let (head, payload) = bytes.split_at(bytes.len().min(DATA_HEAD));
                self.drained(
                    Input::Data {
                        peer,
                        head,
                        payload: &payload,
                    },
                    &bytes,
                    None,
                )
            }
        }
    }

    fn feed(&mut self, input: Input<'_>) -> Result<(), PeerError> {
        self.drained(input, &[], None)
    }

    /// One input and all that follows from it. `message` is what a peer has sent, and `piece` what came over HTTP, if that is what
    /// the input is about.
    fn drained(
        &mut self,
        input: Input<'_>,
        message: &[u8],
        piece: Option<((FetchId, u32), &[u8])>,
    ) -> Result<(), PeerError> {
        let now = self.now();
        self.engine.handle_input(now, input)?;
        if let Some((place, bytes)) = piece {
            self.held.insert(place, bytes.to_vec());
        }
        loop {
            match self.engine.poll_output() {
                Output::Idle { wake_at } => {
                    self.wake_at = wake_at;
                    return Ok(());
                }
                Output::Event(Event::PeerBlamed {
                    handle,
                    code,
                    track,
                    index,
                    chunk,
                    ..
                }) => {
                    let object = track
                        .zip(index)
                        .map(|(track, index)| ObjectId::new(TrackId(track), index));
                    let place = object.zip(chunk);
                    let received = place.and_then(|place| self.received(&code, place, message));
                    if let Ok(handle) = handle.parse() {
                        self.happenings.push_back(Happening::Blamed(Blamed {
                            handle,
                            code,
                            received,
                        }));
                    }
                }
                output => self.apply(output, message),
            }
        }
    }

    /// What `message` brought instead of what was signed, if the engine blames its sender for that.
    fn received(&self, code: &str, (object, chunk): (ObjectId, u32), message: &[u8]) -> Option<Received> {
        let root = self.engine.catalog().object(object)?.root;
        let hash = match code {
            CORRUPT_CHUNK => {
                let (Message::Data { first, .. }, head) = wire::decode_data_head(message).ok()? else {
                    return None;
                };
                let at = usize::try_from(chunk.checked_sub(first)?.checked_mul(CHUNK)?).ok()?;
                let payload = message.get(head..)?.get(at..)?;
                let chunk_len = usize::try_from(CHUNK).ok()?.min(payload.len());
                tree::leaf(payload.get(..chunk_len)?)
            }
            CORRUPT_ROWS => Hash::of(&[message]),
            _ => return None,
        };
        Some(Received {
            object,
            is_row: code == CORRUPT_ROWS,
            chunk,
            root,
            hash,
        })
    }

    fn apply(&mut self, output: Output, message: &[u8]) {
        match output {
            Output::Fetch {
                fetch,
                path,
                range,
                kind,
                reload,
            } => self.http.start(Order {
                fetch,
                path,
                range,
                kind,
                reload,
            }),
            Output::AbortFetch { fetch } => self.http.abort(fetch),
            Output::Keep { from, object, chunk } => self.keep(from, object, chunk, message),
            Output::Forget { fetch } => self.held.retain(|(held, _), _| *held != fetch),
            Output::Evict { object } => self.shelf.evict(object),
            Output::Deliver { demand, .. } | Output::DeliverDocument { demand, .. } => {
                self.happenings.push_back(Happening::Delivered(demand));
            }
            Output::Refuse { demand, code } => {
                self.happenings.push_back(Happening::Refused(demand, code));
            }
            Output::TrackerOpen => {
                self.tracker_number += 1;
                let (url, post) = (self.options.tracker.clone(), self.post.clone());
                let tls = self.options.authorities.for_websocket();
                self.tracker = Some(TrackerSocket::open(url, tls, self.tracker_number, post));
            }
            Output::TrackerClose => self.tracker = None,
            Output::TrackerSend(said) => {
                if self.tracker.as_ref().is_some_and(|socket| !socket.say(&said)) {
                    tracing::warn!("the tracker takes no more");
                }
            }
            Output::Dial { peer, offer, .. } => self.dial(peer, offer),
            Output::RemoteDescription { peer, sdp, .. } => {
                // It is written from the one template.
                if let (Ok(description), Some(connection)) =
                    (Description::from_sdp(&sdp), self.connections.get(&peer))
                {
                    connection.describe(description);
                }
            }
            Output::RemoteCandidate { peer, line } => {
                if let Some(connection) = self.connections.get(&peer) {
                    connection.add_candidate(line);
                }
            }
            Output::Close { peer, .. } => {
                self.connections.remove(&peer);
            }
            Output::Send { peer, bytes } => self.send(peer, Channel::Control, bytes),
            Output::SendData {
                peer,
                head,
                object,
                first,
                count,
            } => match self.shelf.message(peer, head, object, first, count) {
                Some(shown) if peer == PeerId::TRACKER => {
                    if self.tracker.as_ref().is_some_and(|socket| !socket.show(shown)) {
                        tracing::warn!("the tracker takes no more");
                    }
                }
                Some(data) => self.send(peer, Channel::Data, data),
                None => tracing::error!("chunks are to be sent and not held"),
            },
            Output::Event(event) => self.happenings.push_back(Happening::Event(event)),
            Output::Idle { .. } => {}
        }
    }

    fn keep(&mut self, from: KeepFrom, object: ObjectId, chunk: u32, message: &[u8]) {
        let bytes = match from {
            KeepFrom::Fetch { fetch, piece } => self.held.remove(&(fetch, piece)),
            KeepFrom::Message { offset, len } => message
                .get(DATA_HEAD..)
                .and_then(|payload| payload.get(offset as usize..)?.get(..len as usize))
                .map(<[u8]>::to_vec),
        };
        match bytes {
            Some(bytes) => self.shelf.put(object, chunk, bytes),
            None => tracing::error!("a chunk is to be kept and is not here"),
        }
    }

    fn dial(&mut self, peer: PeerId, offer: bool) {
        let kind = if offer { SdpType::Offer } else { SdpType::Answer };
        let post = self.post.clone();
        let tell = move |event| {
            let post = post.clone();
            async move { post.send(Inbound::Connection(peer, event)).await.is_ok() }
        };
        let connection = Connection::dial(self.options.address, kind, tell);
        self.connections.insert(peer, connection);
    }

    /// A connection that takes no more is closed a moment ago, and says so itself.
    fn send(&self, peer: PeerId, channel: Channel, message: Vec<u8>) {
        if let Some(connection) = self.connections.get(&peer)
            && !connection.send(channel, message)
        {
            tracing::debug!("a message to a connection that is over");
        }
    }
}

/// The transport here sends no message longer than what RFC 8841 §6 takes for granted.
fn within_transport(mut message: ServerMessage) -> ServerMessage {
    if let ServerMessage::Description { description, .. } = &mut message {
        description.max_message_size = description.max_message_size.min(MOST_SENT);
    }
    message
}

/// `https:` and `wss:`, and anything to this machine.
pub(crate) fn is_secure(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    matches!(url.scheme(), "https" | "wss") || is_here
}

pub(crate) fn unix_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// Rules of the engine that say: these bytes are not what the publisher signed.
const CORRUPT_CHUNK: &str = "corrupt_chunk";
const CORRUPT_ROWS: &str = "corrupt_rows";
/// Things that may wait for the engine; whoever brings more waits.
const WAITING: usize = 256;
/// Without anything to do the engine is asked now and then all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Without a tracker's word: as in a browser.
const CLOCK_UNCERTAINTY_S: u32 = 2 * 86_400;
/// Longest message that str0m sends when it is driven without SDP.
const MOST_SENT: u32 = 65_536;
