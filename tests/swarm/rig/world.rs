//! The model world: everything that is not the engine, driven by one sorted queue of things to come.

use std::collections::BTreeMap;

use swarmseal::content::PublicKey;
use swarmseal::signal::{ClientMessage, ServerMessage};
use swarmseal::swarm::{
    DemandId, Engine, EngineConfig, FetchId, FetchOutcome, Input, PeerId, Sharing, Timestamp,
};
use swarmseal::wire::{self, DATA_HEAD, Message};

use super::content::{NOW_S, Published};
use super::origin::Origin;
use super::tracker::{self, Tracker};
use super::viewer::{Behaviour, Viewer};

/// A browser's low-water mark, bytes.
const LOW_WATER: u64 = 8 * 1024;

pub(super) enum Item {
    Wake(usize),
    Piece {
        viewer: usize,
        fetch: FetchId,
        piece: u32,
        bytes: Vec<u8>,
    },
    Sheet {
        viewer: usize,
        fetch: FetchId,
        bytes: Vec<u8>,
    },
    End {
        viewer: usize,
        fetch: FetchId,
        outcome: FetchOutcome,
    },
    ToTracker {
        viewer: usize,
        conn: u64,
        message: ClientMessage,
    },
    FromTracker {
        viewer: usize,
        conn: u64,
        message: Box<ServerMessage>,
    },
    TrackerOpened {
        viewer: usize,
        conn: u64,
    },
    TrackerClosed {
        viewer: usize,
        conn: u64,
    },
    LocalDescription {
        viewer: usize,
        peer: PeerId,
        offer: bool,
    },
    LinkUp {
        a: (usize, PeerId),
        b: (usize, PeerId),
    },
    Control {
        viewer: usize,
        peer: PeerId,
        bytes: Vec<u8>,
    },
    Data {
        viewer: usize,
        peer: PeerId,
        bytes: Vec<u8>,
    },
    Sent {
        viewer: usize,
        peer: PeerId,
        bytes: u64,
    },
    Opened {
        viewer: usize,
        peer: PeerId,
    },
    LinkDown {
        viewer: usize,
        peer: PeerId,
    },
}

pub struct World {
    pub now: Timestamp,
    pub published: Published,
    pub origin: Origin,
    pub viewers: Vec<Viewer>,
    pub link_latency_us: u64,
    pub link_bytes_per_s: u64,
    /// How much later the second side of a connection hears that it is open.
    pub slow_open_us: u64,
    /// Messages that came before that.
    pub early_messages: u64,
    pub(super) tracker: Tracker,
    queue: BTreeMap<(Timestamp, u64), Item>,
    order: u64,
    pub(super) uplink_free: BTreeMap<usize, Timestamp>,
    pub(super) origin_free: BTreeMap<usize, Timestamp>,
}

impl World {
    pub fn new(segments: u32, segment_len: usize) -> Self {
        Self::of(Published::title(segments, segment_len, tracker::key().public()))
    }

    /// A world around another content.
    pub fn of(published: Published) -> Self {
        Self {
            now: Timestamp(1_000),
            published,
            origin: Origin {
                latency_us: 20_000,
                bytes_per_s: 2_000_000,
                down: false,
                altered: None,
                stalls: None,
                requests: BTreeMap::new(),
                bytes: BTreeMap::new(),
            },
            viewers: Vec::new(),
            link_latency_us: 10_000,
            link_bytes_per_s: 2_500_000,
            slow_open_us: 0,
            early_messages: 0,
            tracker: Tracker::default(),
            queue: BTreeMap::new(),
            order: 0,
            uplink_free: BTreeMap::new(),
            origin_free: BTreeMap::new(),
        }
    }

    pub fn tracker_public(&self) -> PublicKey {
        tracker::key().public()
    }

    /// Adds a viewer that shares, and starts it.
    pub fn join(&mut self, behaviour: Behaviour) -> usize {
        self.join_with(behaviour, |config| config)
    }

    pub fn join_with(
        &mut self,
        behaviour: Behaviour,
        adjust: impl FnOnce(EngineConfig) -> EngineConfig,
    ) -> usize {
        let at = self.viewers.len();
        let mut config = EngineConfig::new([u8::try_from(at + 1).unwrap(); 32]);
        config.tracker = true;
        config.tracker_keys = vec![self.tracker_public()];
        config.sharing = Sharing::On;
        let engine = Engine::new(adjust(config), self.published.catalog(), self.now);
        self.viewers.push(Viewer::new(engine, behaviour));
        let wall = Input::WallTime {
            unix_ms: NOW_S * 1_000 + self.now.0 / 1_000,
            uncertainty_ms: 1_000,
        };
        self.input(at, wall);
        self.input(at, Input::Tick);
        at
    }

    /// The viewer vanishes without a word.
    pub fn leave(&mut self, viewer: usize) {
        self.viewers[viewer].gone = true;
        self.tracker.forget(viewer);
        let links: Vec<(usize, PeerId)> = self.viewers[viewer].links.values().copied().collect();
        for (other, peer) in links {
            self.at(200_000, Item::LinkDown { viewer: other, peer });
        }
    }

    /// From now on viewers are introduced to those before and after them only.
    pub fn in_line(&mut self) {
        self.tracker.in_line = true;
    }

    /// The key with which it joined.
    pub fn key_of(&self, viewer: usize) -> PublicKey {
        self.tracker.key_of(viewer)
    }

    /// A ticket that the tracker issued to this viewer.
    pub fn ticket_of(&mut self, viewer: usize) -> Vec<u8> {
        let renewed = self
            .tracker
            .take(&self.published, viewer, ClientMessage::Renew {});
        match renewed.into_iter().next() {
            Some((_, ServerMessage::Ticket { ticket, .. })) => ticket,
            other => panic!("no ticket: {other:?}"),
        }
    }

    /// A viewer says something that its engine did not, to everybody that it is connected to.
    pub fn say(&mut self, viewer: usize, message: &Message) {
        let peers: Vec<PeerId> = self.viewers[viewer].links.keys().copied().collect();
        for peer in peers {
            self.transmit(viewer, peer, wire::encode(message), false);
        }
    }

    pub fn stop_tracker(&mut self, down: bool) {
        self.tracker.down = down;
        if down {
            self.tracker.forget_everybody();
            for viewer in 0..self.viewers.len() {
                let conn = self.viewers[viewer].conn;
                self.at(1_000, Item::TrackerClosed { viewer, conn });
            }
        }
    }

    pub fn demand(&mut self, viewer: usize, id: u32, path: &str) {
        self.demand_range(viewer, id, path, None);
    }

    pub fn demand_range(&mut self, viewer: usize, id: u32, path: &str, range: Option<(u64, u64)>) {
        self.input(
            viewer,
            Input::Demand {
                id: DemandId(id),
                path,
                range,
                deadline: None,
                plays_at_us: None,
            },
        );
    }

    /// Asks for what is needed in `us` microseconds.
    pub fn demand_later(&mut self, viewer: usize, id: u32, path: &str, us: u64) {
        let deadline = Some(self.now + us);
        self.input(
            viewer,
            Input::Demand {
                id: DemandId(id),
                path,
                range: None,
                deadline,
                plays_at_us: None,
            },
        );
    }

    pub fn input(&mut self, viewer: usize, input: Input<'_>) {
        if self.viewers[viewer].gone {
            return;
        }
        self.viewers[viewer].engine.handle_input(self.now, input).unwrap();
        self.drain(viewer, None);
    }

    pub(super) fn at(&mut self, delay_us: u64, item: Item) {
        self.order += 1;
        self.queue.insert((self.now + delay_us, self.order), item);
    }

    /// Runs the world for `us` microseconds.
    pub fn run(&mut self, us: u64) {
        let end = self.now + us;
        self.run_until(end, |_| false);
        self.now = end;
    }

    /// Runs until `done` or `end`; true if done.
    pub fn run_until(&mut self, end: Timestamp, done: impl Fn(&Self) -> bool) -> bool {
        let mut steps = 0_u64;
        while let Some((&key, _)) = self.queue.first_key_value() {
            if done(self) {
                return true;
            }
            if key.0 > end {
                break;
            }
            let item = self.queue.remove(&key).unwrap();
            self.now = self.now.max(key.0);
            self.step(item);
            steps += 1;
            assert!(steps < 5_000_000, "the world spins");
        }
        done(self)
    }

    fn step(&mut self, item: Item) {
        match item {
            Item::Wake(viewer) => {
                if self.viewers[viewer].wake.is_some_and(|at| at <= self.now) {
                    self.viewers[viewer].wake = None;
                    self.input(viewer, Input::Tick);
                }
            }
            Item::Piece {
                viewer,
                fetch,
                piece,
                bytes,
            } => {
                if self.viewers[viewer].open_fetches.contains(&fetch) {
                    self.viewers[viewer].held.insert((fetch, piece), bytes.clone());
                    self.input(
                        viewer,
                        Input::FetchPiece {
                            fetch,
                            piece,
                            payload: &bytes.as_slice(),
                        },
                    );
                }
            }
            Item::Sheet { viewer, fetch, bytes } => {
                if self.viewers[viewer].open_fetches.contains(&fetch) {
                    self.input(viewer, Input::FetchSheet { fetch, bytes: &bytes });
                }
            }
            Item::End {
                viewer,
                fetch,
                outcome,
            } => {
                if self.viewers[viewer].open_fetches.remove(&fetch) {
                    self.input(viewer, Input::FetchEnded { fetch, outcome });
                }
            }
            Item::ToTracker {
                viewer,
                conn,
                message,
            } => self.tracker_takes(viewer, conn, message),
            Item::FromTracker {
                viewer,
                conn,
                message,
            } => {
                if self.viewers[viewer].conn == conn && !self.tracker.down {
                    self.input(viewer, Input::Tracker(*message));
                }
            }
            Item::TrackerOpened { viewer, conn } => {
                if self.viewers[viewer].conn == conn {
                    self.input(viewer, Input::TrackerOpened);
                    let welcome = tracker::welcome(viewer, self.now.0);
                    self.at(
                        5_000,
                        Item::FromTracker {
                            viewer,
                            conn,
                            message: Box::new(welcome),
                        },
                    );
                }
            }
            Item::TrackerClosed { viewer, conn } => {
                if self.viewers[viewer].conn == conn {
                    self.input(viewer, Input::TrackerClosed);
                }
            }
            Item::LocalDescription { viewer, peer, offer } => {
                let sdp = tracker::local_sdp(viewer, peer, offer);
                self.input(viewer, Input::LocalDescription { peer, sdp: &sdp });
            }
            Item::LinkUp { a, b } => {
                if !self.viewers[a.0].gone && !self.viewers[b.0].gone {
                    self.viewers[a.0].links.insert(a.1, b);
                    self.viewers[b.0].links.insert(b.1, a);
                    self.viewers[a.0].told_open.insert(a.1);
                    self.input(a.0, Input::PeerOpened { peer: a.1 });
                    let delay = self.slow_open_us;
                    self.at(
                        delay,
                        Item::Opened {
                            viewer: b.0,
                            peer: b.1,
                        },
                    );
                }
            }
            Item::Control { viewer, peer, bytes } => {
                if self.viewers[viewer].links.contains_key(&peer) {
                    if !self.viewers[viewer].told_open.contains(&peer) {
                        self.early_messages += 1;
                    }
                    self.input(viewer, Input::Message { peer, bytes: &bytes });
                }
            }
            Item::Data { viewer, peer, bytes } => {
                if self.viewers[viewer].links.contains_key(&peer) && !self.viewers[viewer].gone {
                    let (head, payload) = bytes.split_at(DATA_HEAD.min(bytes.len()));
                    let input = Input::Data {
                        peer,
                        head,
                        payload: &payload,
                    };
                    self.viewers[viewer].engine.handle_input(self.now, input).unwrap();
                    self.drain(viewer, Some(payload));
                }
            }
            Item::Sent { viewer, peer, bytes } => {
                let left = self.viewers[viewer].buffered.entry(peer).or_default();
                let before = *left;
                *left = left.saturating_sub(bytes);
                let buffered = *left;
                // A browser says so only when the low-water mark is passed from above.
                let low = before > LOW_WATER && buffered <= LOW_WATER;
                if low && self.viewers[viewer].links.contains_key(&peer) {
                    self.input(viewer, Input::Writable { peer, buffered });
                }
            }
            Item::Opened { viewer, peer } => {
                self.viewers[viewer].told_open.insert(peer);
                self.input(viewer, Input::PeerOpened { peer });
            }
            Item::LinkDown { viewer, peer } => {
                if self.viewers[viewer].links.remove(&peer).is_some() {
                    self.input(viewer, Input::PeerClosed { peer });
                }
            }
        }
    }

    fn tracker_takes(&mut self, viewer: usize, conn: u64, message: ClientMessage) {
        if self.tracker.down || self.viewers[viewer].conn != conn || self.viewers[viewer].gone {
            return;
        }
        self.tracker.now_us = self.now.0;
        let replies = self.tracker.take(&self.published, viewer, message);
        for (to, reply) in replies {
            let conn = self.viewers[to].conn;
            self.at(
                10_000,
                Item::FromTracker {
                    viewer: to,
                    conn,
                    message: Box::new(reply),
                },
            );
        }
    }
}
