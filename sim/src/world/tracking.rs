//! The shipped tracker without its sockets: connections with a latency, and nothing lost on them.

use std::sync::Arc;

use swarmseal::content::SecretKey;
use swarmseal::signal::{self, ClientMessage, ServerMessage, Shown};
use swarmseal::swarm::{Input, Payload as _, Timestamp};
use swarmseal_tracker::{
    ChallengeConfig, ConnId, Content, Input as TrackerInput, Now, Output as TrackerOutput, PrefixTag,
    Tracker, TrackerConfig, TrackerKeys,
};

use super::channels::Chunks;
use super::title::{BEGIN_UNIX_S, Title};
use super::viewer::ViewerId;
use super::{Event, World};
use crate::event_log::Kind;
use crate::failure::Failure;
use crate::net::Micros;
use crate::random::Random;
use crate::scenario::{Class, ContentKind, Exposure, Scenario};

/// TCP, TLS and the WebSocket upgrade take this many round trips together.
const OPEN_ROUND_TRIPS: u64 = 3;
/// Viewers of one office share an address.
const OFFICE_VIEWERS: u32 = 20;
/// How often the tracker looks for a head: four times in the time of a segment of 2 s.
const LOOK_US: Micros = 500_000;
/// A tracker whose process is gone resets connections at once.
const RESET_US: Micros = 1_000;

/// The tracker, and who is behind its connections.
pub(super) struct Tracking {
    machine: Tracker,
    config: TrackerConfig,
    /// By connection number.
    connections: Vec<Connection>,
    /// When the machine is ticked next.
    tick_at: Option<Micros>,
    pub(super) down_until: Micros,
    restarts: u64,
    /// Live: segments that it knows to be stated.
    stated: u32,
    content: Content,
}

/// What is on its way to the tracker.
#[derive(Debug)]
pub(super) enum ToTracker {
    Message(ClientMessage),
    Shown(Shown),
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    viewer: ViewerId,
    open: bool,
}

/// The key that signs tickets.
pub(super) fn key() -> SecretKey {
    SecretKey::from_seed(&[5; 32])
}

impl Tracking {
    pub(super) fn new(seed: u64, title: &Title, scenario: &Scenario) -> Result<Self, Failure> {
        let is_live = scenario.content.kind == ContentKind::Live;
        let is_followed = is_live && scenario.live_challenges;
        let content = Content {
            roots: title.roots()?.map(Arc::new).into_iter().collect(),
            is_followed,
            ..Content::of(title.manifest())
        };
        let config = TrackerConfig {
            challenge: ChallengeConfig {
                required: scenario.challenges && !is_live || is_followed,
                ..ChallengeConfig::default()
            },
            exposure: match scenario.exposure {
                Exposure::Direct => signal::Exposure::Direct,
                Exposure::Guarded => signal::Exposure::Guarded,
                Exposure::Relay => signal::Exposure::Relay,
            },
            ..TrackerConfig::default()
        };
        Ok(Self {
            machine: start(&config, seed, 0, &content),
            content,
            config,
            connections: Vec::new(),
            tick_at: None,
            down_until: 0,
            restarts: 0,
            stated: 0,
        })
    }
}

fn start(config: &TrackerConfig, seed: u64, restarts: u64, content: &Content) -> Tracker {
    let random = Random::new(seed, "tracker", restarts).bytes();
    let mut machine = Tracker::new(config.clone(), TrackerKeys::new(key()), random);
    let now = Now {
        monotonic: Timestamp(0),
        unix_ms: BEGIN_UNIX_S * 1_000,
    };
    machine.set_contents(now, [content.clone()]);
    machine
}

impl World {
    fn tracker_now(&self) -> Now {
        Now {
            monotonic: Timestamp(self.now),
            unix_ms: BEGIN_UNIX_S * 1_000 + self.now / 1_000,
        }
    }

    fn tracker_latency_us(&self, viewer: ViewerId) -> Micros {
        let Some(owner) = self.viewers.get(viewer) else {
            return 0;
        };
        owner.latency_us + u64::from(self.scenario.origin.latency_ms) * 1_000
    }

    /// The engine wants a connection to the tracker.
    pub(super) fn open_tracker(&mut self, viewer: ViewerId) {
        let conn = self.tracking.connections.len() as u64;
        self.tracking.connections.push(Connection { viewer, open: false });
        if let Some(owner) = self.viewers.get_mut(viewer) {
            owner.tracker = Some(conn);
        }
        let latency_us = self.tracker_latency_us(viewer);
        self.after(
            2 * OPEN_ROUND_TRIPS * latency_us,
            Event::TrackerReached { viewer, conn },
        );
    }

    pub(super) fn tracker_reached(&mut self, viewer: ViewerId, conn: u64) {
        if self.tracking.down_until > self.now {
            self.after(RESET_US, Event::TrackerClosed { viewer, conn });
            return;
        }
        if !self.uses(viewer, conn) {
            return;
        }
        if let Some(connection) = self.connection(conn) {
            connection.open = true;
        }
        let prefix = self.prefix(viewer);
        // Its own side is open before the tracker's first word arrives.
        self.feed(viewer, Input::TrackerOpened, None);
        self.track(TrackerInput::Connected {
            conn: ConnId(conn),
            prefix,
        });
        self.after(self.pong_us(), Event::Pong { viewer, conn });
    }

    fn pong_us(&self) -> Micros {
        u64::from(self.tracking.config.keepalive_s) * 1_000_000 / 3
    }

    fn connection(&mut self, conn: u64) -> Option<&mut Connection> {
        self.tracking.connections.get_mut(usize::try_from(conn).ok()?)
    }

    /// Marks a connection as closed on the tracker's side; whose it was, if it was open.
    fn shut(&mut self, conn: u64) -> Option<ViewerId> {
        let connection = self.connection(conn)?;
        std::mem::take(&mut connection.open).then_some(connection.viewer)
    }

    /// Whether a viewer is here and still uses this connection.
    fn uses(&self, viewer: ViewerId, conn: u64) -> bool {
        self.viewers
            .get(viewer)
            .is_some_and(|owner| owner.is_here() && owner.tracker == Some(conn))
    }

    fn prefix(&self, viewer: ViewerId) -> PrefixTag {
        let is_office = self
            .viewers
            .get(viewer)
            .is_some_and(|owner| owner.profile.class == Class::Office);
        PrefixTag(if is_office {
            1 << 40 | u64::from(viewer / OFFICE_VIEWERS)
        } else {
            u64::from(viewer)
        })
    }

    /// The engine shows a chunk that the tracker has asked to see. It goes up the same link as everything else.
    pub(super) fn show_tracker(&mut self, viewer: ViewerId, head: &[u8], chunks: &Chunks) {
        let Chunks {
            object, first, count, ..
        } = *chunks;
        self.check_held(viewer, object, first, count);
        let named = self.title.named(object, first, count, true);
        let leaf = named.and_then(|named| named.leaf(0, named.len()));
        let (Some((mut shown, _)), Some(leaf)) = (Shown::split(head), leaf) else {
            return;
        };
        shown.leaf = leaf;
        let bytes = head.len() as u64 + self.title.bytes_of(object, first, count);
        let now = self.now;
        let passed_us = self
            .viewers
            .get_mut(viewer)
            .map_or(0, |owner| owner.up.push(now, bytes).out_at.saturating_sub(now));
        self.hand_to_tracker(viewer, passed_us, ToTracker::Shown(shown));
    }

    /// The engine says something to the tracker.
    pub(super) fn tell_tracker(&mut self, viewer: ViewerId, message: ClientMessage) {
        let passed_us = self
            .viewers
            .get(viewer)
            .map_or(0, |owner| owner.up.request_us(self.now));
        self.hand_to_tracker(viewer, passed_us, ToTracker::Message(message));
    }

    fn hand_to_tracker(&mut self, viewer: ViewerId, passed_us: Micros, message: ToTracker) {
        let latency_us = self.tracker_latency_us(viewer);
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        if let Some(conn) = owner.tracker {
            // A connection keeps its order.
            let at = self.now + passed_us + latency_us;
            owner.told_tracker_at = owner.told_tracker_at.max(at);
            let message = Box::new(message);
            self.queue
                .push(owner.told_tracker_at, Event::ToTracker { conn, message });
        }
    }

    pub(super) fn tracker_hears(&mut self, conn: u64, message: ToTracker) {
        let viewer = match self.connection(conn) {
            Some(connection) if connection.open => connection.viewer,
            Some(_) | None => return,
        };
        self.log
            .note(self.now, viewer, Kind::ToTracker, client_kind(&message), conn);
        let conn = ConnId(conn);
        self.track(match message {
            ToTracker::Message(message) => TrackerInput::Message { conn, message },
            ToTracker::Shown(shown) => TrackerInput::Shown { conn, shown },
        });
    }

    pub(super) fn pong(&mut self, viewer: ViewerId, conn: u64) {
        let is_open = self.connection(conn).is_some_and(|connection| connection.open);
        if is_open && self.uses(viewer, conn) {
            self.track(TrackerInput::Alive { conn: ConnId(conn) });
            self.after(self.pong_us(), Event::Pong { viewer, conn });
        }
    }

    pub(super) fn hears_tracker(&mut self, viewer: ViewerId, conn: u64, message: ServerMessage) {
        if self.uses(viewer, conn) {
            self.log
                .note(self.now, viewer, Kind::FromTracker, server_kind(&message), conn);
            self.feed(viewer, Input::Tracker(message), None);
        }
    }

    pub(super) fn tracker_closed(&mut self, viewer: ViewerId, conn: u64) {
        if self.uses(viewer, conn) {
            if let Some(owner) = self.viewers.get_mut(viewer) {
                owner.tracker = None;
            }
            self.feed(viewer, Input::TrackerClosed, None);
        }
    }

    /// The engine closes the connection, or its page is gone; the tracker hears of it.
    pub(super) fn hang_up(&mut self, viewer: ViewerId) {
        if let Some(conn) = self
            .viewers
            .get_mut(viewer)
            .and_then(|owner| owner.tracker.take())
        {
            let latency_us = self.tracker_latency_us(viewer);
            self.after(latency_us, Event::HungUp { conn });
        }
    }

    pub(super) fn hung_up(&mut self, conn: u64) {
        if self.shut(conn).is_some() {
            self.track(TrackerInput::Closed { conn: ConnId(conn) });
        }
    }

    pub(super) fn tick_tracker(&mut self) {
        if self.tracking.tick_at.is_some_and(|at| at <= self.now) {
            self.tracking.tick_at = None;
            self.track(TrackerInput::Tick);
        }
    }

    /// The tracker's process is gone until `until`; then a new one begins with the same keys and no memory.
    pub(super) fn fail_tracker(&mut self, until: Micros) {
        self.tracking.down_until = until;
        for conn in 0..self.tracking.connections.len() as u64 {
            if let Some(viewer) = self.shut(conn) {
                let latency_us = self.tracker_latency_us(viewer);
                self.after(latency_us, Event::TrackerClosed { viewer, conn });
            }
        }
        self.tracking.restarts += 1;
        self.tracking.machine = start(
            &self.tracking.config,
            self.seed,
            self.tracking.restarts,
            &self.tracking.content,
        );
        self.tracking.tick_at = None;
        self.tracking.stated = 0;
    }

    /// Live: what heads have stated when the tracker last looked.
    fn follow_live(&mut self) {
        if !self.tracking.content.is_followed {
            return;
        }
        let looked_at = self.now - self.now % LOOK_US;
        let size = self.newest_at(looked_at) + 1;
        if size != self.tracking.stated {
            self.tracking.stated = size;
            let roots = Arc::new(self.title.stated(size));
            let (now, swarm) = (self.tracker_now(), self.tracking.content.swarm);
            self.tracking.machine.set_live_roots(now, swarm, Some(roots));
        }
    }

    fn track(&mut self, input: TrackerInput) {
        self.follow_live();
        let now = self.tracker_now();
        self.tracking.machine.handle(now, input);
        while let Some(output) = self.tracking.machine.poll() {
            match output {
                TrackerOutput::Send { conn, message } => {
                    let Some(viewer) = self.connection(conn.0).map(|connection| connection.viewer) else {
                        continue;
                    };
                    let latency_us = self.tracker_latency_us(viewer);
                    let message = Box::new(message);
                    self.after(
                        latency_us,
                        Event::FromTracker {
                            viewer,
                            conn: conn.0,
                            message,
                        },
                    );
                }
                TrackerOutput::Close { conn, .. } => {
                    if let Some(viewer) = self.shut(conn.0) {
                        let latency_us = self.tracker_latency_us(viewer);
                        self.after(latency_us, Event::TrackerClosed { viewer, conn: conn.0 });
                    }
                }
            }
        }
        if let Some(at) = self.tracking.machine.wake_at().map(|at| at.0.max(self.now))
            && self.tracking.tick_at.is_none_or(|due| at < due)
        {
            self.tracking.tick_at = Some(at);
            self.queue.push(at, Event::TickTracker);
        }
    }
}

const fn client_kind(message: &ToTracker) -> u64 {
    let message = match message {
        ToTracker::Message(message) => message,
        ToTracker::Shown(_) => return 13,
    };
    match message {
        ClientMessage::Join(_) => 1,
        ClientMessage::Announce(_) => 2,
        ClientMessage::Renew {} => 3,
        ClientMessage::List { .. } => 4,
        ClientMessage::Introduce { .. } => 5,
        ClientMessage::Description { .. } => 6,
        ClientMessage::Candidate { .. } => 7,
        ClientMessage::EndOfCandidates { .. } => 8,
        ClientMessage::EndIntroduction { .. } => 9,
        ClientMessage::Report { .. } => 10,
        ClientMessage::ChallengeAnswer { .. } => 11,
        ClientMessage::Leave {} => 12,
        ClientMessage::Tampering { .. } => 14,
    }
}

const fn server_kind(message: &ServerMessage) -> u64 {
    match message {
        ServerMessage::Welcome { .. } => 1,
        ServerMessage::Joined(_) => 2,
        ServerMessage::Ticket { .. } => 3,
        ServerMessage::Peers { .. } => 4,
        ServerMessage::Introduction { .. } => 5,
        ServerMessage::Description { .. } => 6,
        ServerMessage::Candidate { .. } => 7,
        ServerMessage::EndOfCandidates { .. } => 8,
        ServerMessage::IntroductionEnded { .. } => 9,
        ServerMessage::Error { .. } => 10,
        ServerMessage::Challenge { .. } => 11,
        ServerMessage::Revocation { .. } => 12,
    }
}
