//! A viewer of the model world: an engine with what belongs to it.

use std::collections::{BTreeMap, BTreeSet};

use swarmseal::content::ObjectId;
use swarmseal::signal::ClientMessage;
use swarmseal::swarm::{DemandId, Engine, Event, FetchId, PeerId, RefuseCode, Timestamp};

/// One viewer: an engine, the bytes that it owns, and what its player got.
pub struct Viewer {
    pub engine: Engine,
    pub behaviour: Behaviour,
    pub gone: bool,
    pub sent_corrupt: u64,
    pub refusals: u64,
    pub rows_sent: u64,
    pub rejects_sent: u64,
    /// Control messages that it sent, by their type.
    pub sent: BTreeMap<u8, u64>,
    pub store: BTreeMap<(ObjectId, u32), Vec<u8>>,
    /// What it said to the tracker, in its order.
    pub to_tracker: Vec<Said>,
    pub(super) held: BTreeMap<(FetchId, u32), Vec<u8>>,
    pub(super) open_fetches: BTreeSet<FetchId>,
    pub(super) links: BTreeMap<PeerId, (usize, PeerId)>,
    pub(super) conn: u64,
    pub delivered: BTreeMap<DemandId, (u64, Vec<u8>)>,
    pub refused: BTreeMap<DemandId, RefuseCode>,
    pub events: Vec<Event>,
    pub closes: Vec<(PeerId, &'static str)>,
    pub buffered: BTreeMap<PeerId, u64>,
    pub(super) sent_to: BTreeSet<PeerId>,
    pub(super) told_open: BTreeSet<PeerId>,
    pub(super) wake: Option<Timestamp>,
}

impl Viewer {
    pub(super) fn new(engine: Engine, behaviour: Behaviour) -> Self {
        Self {
            engine,
            behaviour,
            gone: false,
            sent_corrupt: 0,
            refusals: 0,
            rows_sent: 0,
            rejects_sent: 0,
            sent: BTreeMap::new(),
            store: BTreeMap::new(),
            to_tracker: Vec::new(),
            held: BTreeMap::new(),
            open_fetches: BTreeSet::new(),
            links: BTreeMap::new(),
            conn: 0,
            delivered: BTreeMap::new(),
            refused: BTreeMap::new(),
            events: Vec::new(),
            closes: Vec::new(),
            buffered: BTreeMap::new(),
            sent_to: BTreeSet::new(),
            told_open: BTreeSet::new(),
            wake: None,
        }
    }
}

/// What a viewer does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
    Honest,
    /// Flips a bit in everything that it sends.
    Corrupts,
    /// Takes requests and never answers.
    Silent,
    /// Refuses every request as if it were busy.
    Refuses,
    /// Sends one message a second.
    Drips,
}

/// What goes to the tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Message(ClientMessage),
    /// A binary message.
    Chunk(Vec<u8>),
}
