//! The model world: viewers with real engines, a real tracker, an origin and a network between them, driven by one queue of
//! events in simulated time.

mod broadcast;
mod cause;
mod channels;
mod checks;
mod coming;
mod counting;
mod origin;
mod player;
mod queue;
mod table;
mod title;
mod tracking;
mod viewer;
mod watching;

use std::collections::VecDeque;
use std::sync::Arc;

use swarmseal::signal::ServerMessage;
use swarmseal::swarm::{
    Event as EngineEvent, FetchId, FetchOutcome, Input, KeepFrom, Output, PeerId, Timestamp,
};

use self::channels::{Chunks, InFlight, Link, Message};
use self::coming::SECOND_US;
use self::counting::Counts;
use self::queue::Queue;
use self::table::{Slab, Table};
use self::title::Title;
use self::tracking::{ToTracker, Tracking};
use self::viewer::{Viewer, ViewerId};
use crate::Progress;
use crate::event_log::{EventLog, Kind};
use crate::failure::Failure;
use crate::net::{Calibration, Micros};
use crate::record::Record;
use crate::scenario::{Exposure, Misbehaving, Scenario};

/// Everything that is simulated.
pub(crate) struct World {
    scenario: Scenario,
    seed: u64,
    with_peers: bool,
    now: Micros,
    queue: Queue<Event>,
    title: Arc<Title>,
    viewers: Table<Viewer>,
    links: Table<Link>,
    flights: Slab<InFlight>,
    tracking: Tracking,
    calibration: Calibration,
    origin_down_until: Micros,
    parted_until: Micros,
    log: EventLog,
    counts: Counts,
    failure: Option<Failure>,
    /// Peers that were sent something in this turn: what their channels hold is reported afterwards.
    sent_to: VecDeque<PeerId>,
    /// Ends of links whose browsers were given something.
    to_pump: Vec<(u32, u8)>,
}

/// What is to come.
#[derive(Debug)]
enum Event {
    Arrive {
        instead_of: Option<ViewerId>,
    },
    Begin {
        viewer: ViewerId,
    },
    Leave {
        viewer: ViewerId,
        silently: bool,
    },
    Second,
    Outage {
        number: u32,
    },
    Alarm {
        viewer: ViewerId,
    },
    Player {
        viewer: ViewerId,
    },
    Met {
        viewer: ViewerId,
        demand: u32,
    },
    AtOrigin {
        viewer: ViewerId,
        fetch: FetchId,
    },
    OriginFree {
        viewer: ViewerId,
    },
    PieceAtDownlink {
        viewer: ViewerId,
        fetch: FetchId,
        len: u64,
    },
    Piece {
        viewer: ViewerId,
        fetch: FetchId,
    },
    FetchFailed {
        viewer: ViewerId,
        fetch: FetchId,
    },
    FetchAborted {
        viewer: ViewerId,
        fetch: FetchId,
    },
    TrackerReached {
        viewer: ViewerId,
        conn: u64,
    },
    ToTracker {
        conn: u64,
        message: Box<ToTracker>,
    },
    FromTracker {
        viewer: ViewerId,
        conn: u64,
        message: Box<ServerMessage>,
    },
    TrackerClosed {
        viewer: ViewerId,
        conn: u64,
    },
    HungUp {
        conn: u64,
    },
    Pong {
        viewer: ViewerId,
        conn: u64,
    },
    TickTracker,
    Described {
        viewer: ViewerId,
        peer: PeerId,
        offer: bool,
    },
    Connected(Box<[(ViewerId, PeerId); 2]>),
    Unreachable {
        viewer: ViewerId,
        peer: PeerId,
    },
    Opened {
        link: u32,
        end: u8,
    },
    AtDownlink {
        flight: u32,
    },
    Came {
        flight: u32,
    },
    Acknowledged {
        link: u32,
        end: u8,
        len: u64,
    },
    Low {
        link: u32,
        end: u8,
    },
    Gone {
        link: u32,
        end: u8,
        lost: bool,
    },
}

impl World {
    pub(crate) fn new(scenario: &Scenario, seed: u64, with_peers: bool) -> Result<Self, Failure> {
        scenario.check()?;
        let title = Title::publish(scenario, tracking::key().public())?;
        Ok(Self {
            scenario: scenario.clone(),
            seed,
            with_peers,
            now: 0,
            queue: Queue::new(),
            viewers: Table::new(),
            links: Table::new(),
            flights: Slab::new(),
            tracking: Tracking::new(seed, &title, scenario)?,
            title: Arc::new(title),
            calibration: Calibration::measured()?,
            origin_down_until: 0,
            parted_until: 0,
            log: EventLog::new(),
            counts: Counts::default(),
            failure: None,
            sent_to: VecDeque::new(),
            to_pump: Vec::new(),
        })
    }

    /// Runs to the end of the scenario.
    pub(crate) fn run(mut self, progress: &mut dyn Progress) -> Result<Record, Failure> {
        self.plan();
        let end = u64::from(self.scenario.seconds) * SECOND_US;
        let mut told = 0;
        while let Some((at, event)) = self.queue.pop(end) {
            self.now = at;
            self.step(event);
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if at >= told + SECOND_US {
                told = at;
                progress.reached(at, end);
            }
        }
        self.now = end;
        Ok(self.into_record())
    }

    fn after(&mut self, us: Micros, event: Event) {
        self.queue.push(self.now + us, event);
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Arrive { instead_of } => self.arrive(instead_of),
            Event::Begin { viewer } => self.begin(viewer),
            Event::Leave { viewer, silently } => self.leave(viewer, silently),
            Event::Second => self.second(),
            Event::Outage { number } => self.outage(number),
            Event::Alarm { viewer } => self.alarm(viewer),
            Event::Player { viewer } => self.player_tick(viewer),
            Event::Met { viewer, demand } => self.met(viewer, demand),
            Event::AtOrigin { viewer, fetch } => self.at_origin(viewer, fetch),
            Event::OriginFree { viewer } => self.send_piece(viewer),
            Event::PieceAtDownlink { viewer, fetch, len } => self.piece_at_downlink(viewer, fetch, len),
            Event::Piece { viewer, fetch } => self.piece(viewer, fetch),
            Event::FetchFailed { viewer, fetch } => self.end_fetch(viewer, fetch, FetchOutcome::Network),
            Event::FetchAborted { viewer, fetch } => self.end_fetch(viewer, fetch, FetchOutcome::Aborted),
            Event::TrackerReached { viewer, conn } => self.tracker_reached(viewer, conn),
            Event::ToTracker { conn, message } => self.tracker_hears(conn, *message),
            Event::FromTracker {
                viewer,
                conn,
                message,
            } => self.hears_tracker(viewer, conn, *message),
            Event::TrackerClosed { viewer, conn } => self.tracker_closed(viewer, conn),
            Event::HungUp { conn } => self.hung_up(conn),
            Event::Pong { viewer, conn } => self.pong(viewer, conn),
            Event::TickTracker => self.tick_tracker(),
            Event::Described { viewer, peer, offer } => self.described(viewer, peer, offer),
            Event::Connected(ends) => self.connected(*ends),
            Event::Unreachable { viewer, peer } => self.unreachable(viewer, peer),
            Event::Opened { link, end } => self.opened(link, end),
            Event::AtDownlink { flight } => self.at_downlink(flight),
            Event::Came { flight } => self.came(flight),
            Event::Acknowledged { link, end, len } => self.acknowledged(link, end, len),
            Event::Low { link, end } => self.low(link, end),
            Event::Gone { link, end, lost } => self.gone(link, end, lost),
        }
    }

    /// Gives an engine one input and does what it wants done; then, as the worker does, reports what the channels hold that
    /// it has sent on, which may bring more.
    fn feed(&mut self, viewer: ViewerId, input: Input<'_>, came: Option<Chunks>) {
        self.turn(viewer, input, came);
        while let Some(peer) = self.sent_to.pop_front() {
            if let Some(buffered) = self.buffered(viewer, peer) {
                self.turn(viewer, Input::Writable { peer, buffered }, None);
            }
        }
        while let Some((link, end)) = self.to_pump.pop() {
            self.pump(link, end);
        }
    }

    fn turn(&mut self, viewer: ViewerId, input: Input<'_>, came: Option<Chunks>) {
        let now = Timestamp(self.now);
        let Some(engine) = self.engine(viewer) else {
            return;
        };
        let is_tick = matches!(input, Input::Tick);
        let mut outputs = 0;
        let taken = engine.handle_input(now, input);
        self.counts.engine_calls += 1;
        if let Err(misuse) = taken {
            self.broken(misuse.code(), viewer, misuse.to_string());
            return;
        }
        while let Some(output) = self.engine(viewer).map(|engine| engine.poll_output()) {
            self.counts.engine_calls += 1;
            if let Output::Idle { wake_at } = output {
                self.set_alarm(viewer, wake_at.map(|at| at.0));
                if is_tick {
                    self.check_tick(viewer, outputs > 0);
                }
                self.check_turn(viewer);
                return;
            }
            outputs += 1;
            self.apply(viewer, output, came);
        }
    }

    fn engine(&mut self, viewer: ViewerId) -> Option<&mut swarmseal::swarm::Engine> {
        self.viewers.get_mut(viewer)?.engine.as_deref_mut()
    }

    fn apply(&mut self, viewer: ViewerId, output: Output, came: Option<Chunks>) {
        match output {
            Output::Idle { .. } | Output::RemoteCandidate { .. } => {}
            Output::Fetch {
                fetch,
                path,
                range,
                kind,
                ..
            } => self.fetch(viewer, fetch, path, range, kind),
            Output::AbortFetch { fetch } => {
                self.log
                    .note(self.now, viewer, Kind::FetchAborted, u64::from(fetch.0), 0);
                self.after(channels::TURN_US, Event::FetchAborted { viewer, fetch });
            }
            Output::Keep { from, object, chunk } => match from {
                KeepFrom::Fetch { fetch, piece } => self.keep_fetched(viewer, fetch, piece, object, chunk),
                KeepFrom::Message { offset, len } => {
                    self.keep_received(viewer, came, (offset, len), object, chunk)
                }
            },
            // Pieces are names: there is nothing to free.
            Output::Forget { .. } => {}
            Output::Evict { object } => self.evict(viewer, object),
            Output::Deliver { demand, spans, .. } => {
                self.check_delivered(viewer, &spans);
                self.delivered(viewer, demand.0);
            }
            Output::DeliverDocument { demand, .. } => self.delivered(viewer, demand.0),
            Output::Refuse { demand, .. } => self.refused(viewer, demand.0),
            Output::TrackerOpen => self.open_tracker(viewer),
            Output::TrackerClose => self.hang_up(viewer),
            Output::TrackerSend(message) => self.tell_tracker(viewer, message),
            Output::Dial { peer, offer, .. } => {
                self.counts.pairs_introduced += u64::from(offer);
                self.dial(viewer, peer, offer);
            }
            Output::RemoteDescription { peer, sdp, offer } => {
                if self.scenario.exposure != Exposure::Relay
                    && let Some(owner) = self.viewers.get_mut(viewer)
                {
                    owner.record.addresses_learnt += 1;
                }
                self.remote_description(viewer, peer, &sdp, offer);
            }
            Output::Close { peer, .. } => self.close(viewer, peer),
            Output::Send { peer, bytes } => self.send_control(viewer, peer, bytes),
            Output::SendData {
                peer,
                head,
                object,
                first,
                count,
            } => {
                // Who corrupts what peers ask for shows its tracker what is right.
                let is_shown = peer == PeerId::TRACKER;
                let honest = is_shown || !self.misbehaves(viewer, Misbehaving::Corrupts);
                let chunks = Chunks {
                    object,
                    first,
                    count: count.into(),
                    honest,
                };
                if is_shown {
                    self.show_tracker(viewer, &head, &chunks);
                } else {
                    self.send_data(viewer, peer, head, chunks);
                }
            }
            Output::Event(event) => self.heard(viewer, &event),
        }
    }

    fn misbehaves(&self, viewer: ViewerId, how: Misbehaving) -> bool {
        self.viewers
            .get(viewer)
            .is_some_and(|owner| owner.behaves_as(how))
    }

    fn send_control(&mut self, viewer: ViewerId, peer: PeerId, bytes: Vec<u8>) {
        let kind = bytes.first().copied().unwrap_or_default();
        self.log.note(
            self.now,
            viewer,
            Kind::SentControl,
            u64::from(peer.0) << 8 | u64::from(kind),
            bytes.len() as u64,
        );
        let is_rows = kind == ROWS;
        if is_rows && self.misbehaves(viewer, Misbehaving::Silent) {
            return;
        }
        if is_rows {
            self.check_upload(viewer, bytes.len() as u64);
        }
        self.send(viewer, peer, Message::Control(bytes));
    }

    fn send_data(&mut self, viewer: ViewerId, peer: PeerId, head: Vec<u8>, chunks: Chunks) {
        let Chunks {
            object, first, count, ..
        } = chunks;
        let what = u64::from(object.index) << 32 | u64::from(first) << 8 | u64::from(count);
        self.log
            .note(self.now, viewer, Kind::SentData, u64::from(peer.0), what);
        self.check_held(viewer, object, first, count);
        if self.misbehaves(viewer, Misbehaving::Silent) {
            return;
        }
        self.count_sent(viewer, object, first, count);
        self.check_upload(
            viewer,
            head.len() as u64 + self.title.bytes_of(object, first, count),
        );
        self.send(viewer, peer, Message::Data { head, chunks });
    }

    /// What an engine tells its page.
    fn heard(&mut self, viewer: ViewerId, event: &EngineEvent) {
        match event {
            EngineEvent::PeerConnected { peer, .. } => self.proved(viewer, PeerId(*peer)),
            EngineEvent::PeerBlamed { peer, code, .. } => self.blamed(viewer, PeerId(*peer), code),
            EngineEvent::TrackerJoined { .. }
            | EngineEvent::TrackerLost { .. }
            | EngineEvent::TrackerRefused { .. }
            | EngineEvent::PeerLost { .. }
            | EngineEvent::SourceBlamed { .. }
            | EngineEvent::ObjectDone { .. }
            | EngineEvent::HeadTaken { .. }
            | EngineEvent::HeadRefused { .. }
            | EngineEvent::PublisherContradicted { .. }
            | EngineEvent::LiveFrozen
            | EngineEvent::LiveResumed
            | EngineEvent::LiveRestarted
            | EngineEvent::LiveEnded
            | EngineEvent::ClockOff { .. }
            | EngineEvent::ObjectEvicted { .. } => {}
        }
    }

    /// Sets the one timer of an engine's owner. Timers of browsers have whole milliseconds, rounded up.
    fn set_alarm(&mut self, viewer: ViewerId, wake_at: Option<Micros>) {
        let now = self.now;
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        owner.wake_at = wake_at.map(|at| now + at.saturating_sub(now).div_ceil(1_000) * 1_000);
        // An alarm that is set for earlier is not put off: it looks again when it rings.
        if let Some(at) = owner.wake_at
            && owner.alarm_at.is_none_or(|alarm| at < alarm)
        {
            owner.alarm_at = Some(at);
            self.queue.push(at, Event::Alarm { viewer });
        }
    }

    fn alarm(&mut self, viewer: ViewerId) {
        let now = self.now;
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        if owner.alarm_at != Some(now) {
            return;
        }
        owner.alarm_at = None;
        match owner.wake_at {
            Some(at) if at <= now => {
                owner.wake_at = None;
                self.feed(viewer, Input::Tick, None);
            }
            Some(at) => {
                owner.alarm_at = Some(at);
                self.queue.push(at, Event::Alarm { viewer });
            }
            None => {}
        }
    }

    fn broken(&mut self, rule: &'static str, viewer: ViewerId, what: String) {
        self.failure.get_or_insert(Failure::Broken {
            rule,
            what,
            at_us: self.now,
            viewer,
        });
    }
}

/// Type of a ROWS message.
const ROWS: u8 = 0x07;
