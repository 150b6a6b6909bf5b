//! The tracker session: admission, candidates, introductions, announcements, and coming back after an outage.

use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::ordered::OrderedMap;

use super::engine::Engine;
use super::limits::{ENOUGH_PEERS, MAX_CANDIDATES, MAX_INTRODUCTIONS};
use super::peer::Peer;
use super::timer::Timer;
use super::{CloseReason, Event, Output, PeerId, Sharing, Timestamp};
use crate::content::{ObjectId, TrackId, WallTime};
use crate::identity::{Election, Handle, Revocation, Ticket};
use crate::signal::{
    Announce, ClientMessage, EndReason, ErrorCode, Exposure, IceServer, Join, Joined, MAX_ANNOUNCE_RANGES,
    MAX_ANNOUNCE_TRACKS, MAX_LIST, ReportCode, SdpType, ServerMessage, TrackRanges,
};
use crate::wire::Range;

/// First wait before connecting again, milliseconds; doubled up to [`BACKOFF_MAX_MS`].
const BACKOFF_MS: u64 = 500;
/// Longest wait, milliseconds.
const BACKOFF_MAX_MS: u64 = 30_000;
/// The tracker must welcome and admit us within this time, milliseconds.
const JOIN_MS: u64 = 10_000;
/// While connections are wanted the list is asked for at most this often, milliseconds.
const LIST_MS: u64 = 2_000;
/// …and later this often.
const LIST_LATER_MS: u64 = 20_000;
/// An announcement follows a change after this long, milliseconds, so that one message tells many changes.
const ANNOUNCE_MS: u64 = 1_500;
/// The first announcement goes at once: until then nobody is introduced to us as a source.
const FIRST_ANNOUNCE_MS: u64 = 20;
/// What a tracker says of the time is as good as this, seconds.
pub(super) const TRACKER_UNCERTAINTY_S: u32 = 2;
/// An announcement holds for this long, seconds.
const ANNOUNCE_TTL_S: u32 = 120;
/// An introduction that brought no connection data is forgotten after this long, milliseconds.
const INTRODUCE_MS: u64 = 10_000;
/// Candidates of a list are hope for this long after joining, microseconds.
const HOPE_AFTER_JOIN_US: u64 = 5_000_000;
/// A connection that brought nothing is not counted as a source after this long, microseconds.
const PROBATION_US: u64 = 10_000_000;
/// A connection may make room for another after it was of no use for this long, microseconds.
const SURPLUS_IDLE_US: u64 = 15_000_000;
/// After joining, peers are expected for this long, microseconds.
const HOPE_US: u64 = 1_500_000;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Off,
    Waiting,
    Opening,
    Welcoming,
    Joining,
    Joined,
}

/// State of the tracker session.
pub(super) struct Session {
    has_tracker: bool,
    state: State,
    since: Timestamp,
    failures: u32,
    nonce: [u8; 32],
    ticket: Option<Vec<u8>>,
    ticket_until: Timestamp,
    election: Option<Election>,
    epoch: u64,
    ice_servers: Vec<IceServer>,
    exposure: Exposure,
    candidates: VecDeque<Handle>,
    /// Handles we asked to be introduced to, and when.
    asked: OrderedMap<Handle, Timestamp>,
    /// The tracker told us to ask for no introduction before.
    introduce_after: Timestamp,
    /// Handles that could not be reached, and until when they are left alone.
    pub(super) unreachable: OrderedMap<Handle, Timestamp>,
    joined_at: Option<Timestamp>,
    listed_at: Timestamp,
    renewed_at: Timestamp,
    announced_at: Option<Timestamp>,
    pub(super) announce_due: Option<Timestamp>,
    sequence: u64,
}

impl Session {
    pub(super) fn new(has_tracker: bool) -> Self {
        Self {
            has_tracker,
            state: State::Off,
            since: Timestamp::default(),
            failures: 0,
            nonce: [0; 32],
            ticket: None,
            ticket_until: Timestamp::default(),
            election: None,
            epoch: 0,
            ice_servers: Vec::new(),
            exposure: Exposure::Direct,
            candidates: VecDeque::new(),
            asked: OrderedMap::new(),
            introduce_after: Timestamp::default(),
            unreachable: OrderedMap::new(),
            joined_at: None,
            listed_at: Timestamp::default(),
            renewed_at: Timestamp::default(),
            announced_at: None,
            announce_due: None,
            sequence: 0,
        }
    }

    pub(super) fn is_joined(&self) -> bool {
        self.state == State::Joined
    }

    pub(super) const fn state_name(&self) -> &'static str {
        match self.state {
            State::Off => "off",
            State::Joined => "joined",
            _ => "connecting",
        }
    }

    pub(super) fn ice_servers(&self) -> &[IceServer] {
        &self.ice_servers
    }

    pub(super) fn relay_only(&self) -> bool {
        self.exposure == Exposure::Relay
    }

    pub(super) fn ticket(&self) -> Option<&[u8]> {
        self.ticket.as_deref()
    }

    pub(super) const fn election(&self) -> Option<Election> {
        self.election
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the tracker may still bring a first peer soon.
    pub(super) fn may_bring_peers(&self, now: Timestamp) -> bool {
        match self.state {
            State::Off | State::Waiting => false,
            State::Opening | State::Welcoming | State::Joining => now.since(self.since) < HOPE_US,
            State::Joined => {
                let young = self
                    .joined_at
                    .is_some_and(|at| now.since(at) < HOPE_AFTER_JOIN_US);
                young && (!self.asked.is_empty() || !self.candidates.is_empty())
            }
        }
    }
}

impl Engine {
    pub(super) fn session_tick(&mut self) {
        let now = self.now;
        if !self.session.has_tracker || self.config.sharing == Sharing::Off || self.awaits_first_head() {
            return;
        }
        match self.session.state {
            State::Off | State::Waiting => {
                self.session.state = State::Opening;
                self.session.since = now;
                self.outputs.push_back(Output::TrackerOpen);
                self.timers.set(Timer::Session, now.plus_ms(JOIN_MS));
            }
            State::Opening | State::Welcoming | State::Joining => {
                if now.since(self.session.since) >= JOIN_MS * 1_000 {
                    self.outputs.push_back(Output::TrackerClose);
                    self.tracker_closed("join_timeout");
                } else {
                    self.timers
                        .set(Timer::Session, self.session.since.plus_ms(JOIN_MS));
                }
            }
            State::Joined => self.joined_tick(),
        }
    }

    pub(super) fn tracker_opened(&mut self) {
        if self.session.state == State::Opening {
            self.session.state = State::Welcoming;
        }
    }

    pub(super) fn tracker_closed(&mut self, code: &str) {
        let now = self.now;
        if self.session.state == State::Off || self.session.state == State::Waiting {
            return;
        }
        let was_joined = self.session.is_joined();
        self.session.state = State::Waiting;
        self.session.asked.clear();
        self.session.announced_at = None;
        self.session.failures = if was_joined {
            0
        } else {
            self.session.failures.saturating_add(1)
        };
        self.event(Event::TrackerLost {
            code: code.to_owned(),
        });
        // Up to half of the wait is random, or all peers would come back at once.
        let base = (BACKOFF_MS << self.session.failures.min(6)).min(BACKOFF_MAX_MS);
        let wait = base / 2 + self.rng.below(base);
        self.timers.set(Timer::Session, now.plus_ms(wait));
        self.dirty = true;
    }

    pub(super) fn tracker_message(&mut self, message: ServerMessage) {
        let now = self.now;
        if message.validate(self.loopback()).is_err() {
            self.outputs.push_back(Output::TrackerClose);
            self.tracker_closed("invalid_tracker_message");
            return;
        }
        match message {
            ServerMessage::Welcome {
                nonce, time_unix_ms, ..
            } => {
                if self.session.state != State::Welcoming {
                    return;
                }
                self.set_tracker_time(time_unix_ms);
                self.session.nonce = nonce;
                self.session.state = State::Joining;
                let manifest = self.catalog.manifest();
                let join = Join::sign(
                    &self.keys,
                    &manifest.swarm_secret,
                    manifest.swarm_id(),
                    &nonce,
                    None,
                );
                self.outputs
                    .push_back(Output::TrackerSend(ClientMessage::Join(join)));
            }
            ServerMessage::Joined(Joined {
                ticket,
                ticket_expires_in_s,
                peers,
                ice_servers,
                exposure,
                time_unix_ms,
                epoch,
                ..
            }) => {
                if self.session.state != State::Joining {
                    return;
                }
                self.set_tracker_time(time_unix_ms);
                if !self.take_ticket(ticket, ticket_expires_in_s) {
                    self.outputs.push_back(Output::TrackerClose);
                    self.tracker_closed("bad_ticket");
                    return;
                }
                self.session.state = State::Joined;
                self.session.failures = 0;
                self.session.epoch = epoch;
                self.session.ice_servers = ice_servers;
                self.session.exposure = exposure;
                self.session.joined_at = Some(now);
                self.session.listed_at = now;
                self.event(Event::TrackerJoined {
                    handle: self.keys.handle().to_string(),
                });
                self.add_candidates(&peers);
                self.session_holdings_changed();
                self.joined_tick();
            }
            ServerMessage::Ticket {
                ticket,
                ticket_expires_in_s,
                time_unix_ms,
                epoch,
                ice_servers,
            } => {
                self.set_tracker_time(time_unix_ms);
                if !ice_servers.is_empty() {
                    self.session.ice_servers = ice_servers;
                }
                // An unusable renewal leaves the old ticket in place until it expires.
                if self.take_ticket(ticket, ticket_expires_in_s) {
                    self.session.epoch = epoch;
                }
            }
            ServerMessage::Peers { peers } => {
                self.add_candidates(&peers);
                self.joined_tick();
            }
            ServerMessage::Introduction {
                introduction,
                peer,
                role,
            } => {
                self.session.asked.remove(&peer);
                let known = self.peers.values().any(|other| other.handle == peer);
                if !known && self.peers.len() >= self.config.max_peers {
                    self.drop_surplus_peer();
                }
                let full = self.peers.len() >= self.config.max_peers;
                if known || full || self.banned.contains(&peer) || self.config.sharing == Sharing::Off {
                    self.outputs
                        .push_back(Output::TrackerSend(ClientMessage::EndIntroduction {
                            introduction,
                            reason: if full { EndReason::Busy } else { EndReason::Refused },
                        }));
                    return;
                }
                self.dial(peer, introduction, role == SdpType::Offer);
            }
            ServerMessage::Description {
                introduction,
                description,
            } => {
                self.remote_description(introduction, &description);
            }
            ServerMessage::Candidate {
                introduction,
                candidate,
            } => {
                self.remote_candidate(introduction, &candidate);
            }
            ServerMessage::EndOfCandidates { .. } => {}
            ServerMessage::IntroductionEnded { introduction, reason } => {
                self.introduction_ended(introduction, reason)
            }
            ServerMessage::Error {
                code, retry_after_s, ..
            } => {
                // The tracker closes the connection itself after the codes that end it.
                if code == ErrorCode::ExposureLimit || code == ErrorCode::RateLimited {
                    let wait_s = u64::from(retry_after_s.unwrap_or(20).min(120));
                    self.session.introduce_after = now.plus_ms(wait_s * 1_000);
                }
                self.event(Event::TrackerRefused {
                    code: code.code().to_owned(),
                });
            }
            ServerMessage::Revocation { statement } => self.revoked(&statement),
            ServerMessage::Challenge { challenge, question } => self.challenged(challenge, &question),
        }
    }

    /// The tracker takes admissions back: whoever is out is cut off, and not dialled again in this visit.
    fn revoked(&mut self, statement: &[u8]) {
        // One that is forged, of elsewhere or over changes nothing, and is nobody's fault that could be named.
        let Some(revocation) = Revocation::verify(statement, &self.config.tracker_keys) else {
            return;
        };
        if revocation.swarm != self.catalog.manifest().swarm_id()
            || self.wall_now().is_after(revocation.until, 0)
        {
            return;
        }
        for handle in revocation.handles {
            self.ban(handle);
        }
        let is_out = |peer: &&Peer| self.banned.contains(&peer.handle);
        let out: Vec<PeerId> = self.peers.values().filter(is_out).map(|peer| peer.id).collect();
        for id in out {
            self.close_peer(id, CloseReason::Policy, "revoked");
        }
    }

    /// Makes room for a newcomer: the connection that was of no use for longest goes.
    fn drop_surplus_peer(&mut self) {
        let surplus = self
            .peers
            .values()
            .filter(|peer| peer.is_surplus(self.now, SURPLUS_IDLE_US))
            .min_by_key(|peer| (peer.useful_at, peer.id))
            .map(|peer| peer.id);
        if let Some(id) = surplus {
            self.close_peer(id, CloseReason::Surplus, "surplus");
        }
    }

    fn set_tracker_time(&mut self, unix_ms: u64) {
        let unix_s = unix_ms / 1_000;
        #[cfg(feature = "live")]
        self.judge_clock(unix_s);
        self.wall = WallTime {
            unix_s,
            uncertainty_s: TRACKER_UNCERTAINTY_S,
        };
        self.wall_at = self.now;
    }

    fn take_ticket(&mut self, ticket: Vec<u8>, expires_in_s: u32) -> bool {
        let wall = self.wall_now();
        let Ok(verified) = Ticket::verify(&ticket, &self.config.tracker_keys, wall) else {
            return false;
        };
        if verified.handle() != self.keys.handle() || verified.swarm != self.catalog.manifest().swarm_id() {
            return false;
        }
        self.session.election = Some(verified.election);
        self.session.ticket = Some(ticket);
        self.session.ticket_until = self.now.plus_ms(u64::from(expires_in_s) * 1_000);
        self.session.renewed_at = self.now;
        self.show_ticket();
        true
    }

    fn add_candidates(&mut self, peers: &[Handle]) {
        let own = self.keys.handle();
        for handle in peers {
            let known = *handle == own
                || self.session.candidates.contains(handle)
                || self.banned.contains(handle)
                || self.peers.values().any(|peer| peer.handle == *handle);
            if !known {
                if self.session.candidates.len() >= MAX_CANDIDATES {
                    self.session.candidates.pop_front();
                }
                self.session.candidates.push_back(*handle);
            }
        }
    }

    /// Asks for introductions, a new list, a new ticket, and announces, each when it is time.
    fn joined_tick(&mut self) {
        let now = self.now;
        self.session
            .asked
            .retain(|_, at| now.since(*at) < INTRODUCE_MS * 1_000);
        self.session.unreachable.retain(|_, until| *until > now);
        while self.session.introduce_after <= now
            && self.useful_peers() + self.session.asked.len() < ENOUGH_PEERS.min(self.config.max_peers)
            && self.peers.len() + self.session.asked.len() < self.config.max_peers
            && self.session.asked.len() < MAX_INTRODUCTIONS
        {
            let Some(handle) = self.session.candidates.pop_front() else {
                break;
            };
            let usable = !self.banned.contains(&handle)
                && !self.session.unreachable.contains_key(&handle)
                && !self.peers.values().any(|peer| peer.handle == handle);
            if usable {
                self.session.asked.insert(handle, now);
                self.outputs
                    .push_back(Output::TrackerSend(ClientMessage::Introduce { peer: handle }));
            }
        }
        let lonely = self.peers.values().filter(|peer| peer.is_ready()).count() < 3;
        let young = self
            .session
            .joined_at
            .is_some_and(|at| now.since(at) < 30_000_000);
        let list_ms = if lonely && young { LIST_MS } else { LIST_LATER_MS };
        let wants_peers = self.session.candidates.is_empty() && self.useful_peers() < ENOUGH_PEERS;
        if wants_peers && now.since(self.session.listed_at) >= list_ms * 1_000 {
            self.session.listed_at = now;
            self.outputs
                .push_back(Output::TrackerSend(ClientMessage::List { want: MAX_LIST as u8 }));
        }
        let half_life = self.session.ticket_until.since(self.session.renewed_at) / 2;
        if now.since(self.session.renewed_at) >= half_life.max(10_000_000) {
            self.session.renewed_at = now;
            self.outputs
                .push_back(Output::TrackerSend(ClientMessage::Renew {}));
        }
        let stale = self
            .session
            .announced_at
            .is_some_and(|at| now.since(at) >= u64::from(ANNOUNCE_TTL_S) * 500_000);
        if stale || self.session.announce_due.is_some_and(|due| due <= now) {
            self.announce_to_tracker();
        }
        let mut next = now.plus_ms(if wants_peers { list_ms } else { 5_000 });
        if let Some(due) = self.session.announce_due {
            next = next.min(due);
        }
        self.timers.set(Timer::Session, next.max(now.plus_ms(10)));
    }

    /// Connections that are sources, or may still turn out to be.
    fn useful_peers(&self) -> usize {
        let now = self.now;
        let young = |peer: &Peer| now.since(peer.created_at) < PROBATION_US;
        self.peers
            .values()
            .filter(|peer| young(peer) || (peer.is_source(now) && peer.holdings.segments() > 0))
            .count()
    }

    /// What is held changed: announce soon.
    pub(super) fn session_holdings_changed(&mut self) {
        if !self.session.is_joined()
            || self.config.sharing != Sharing::On
            || self.session.announce_due.is_some()
        {
            return;
        }
        let wait = if self.session.announced_at.is_none() {
            FIRST_ANNOUNCE_MS
        } else {
            ANNOUNCE_MS
        };
        let due = self.now.plus_ms(wait);
        self.session.announce_due = Some(due);
        self.timers.set_earlier(Timer::Session, due);
    }

    pub(super) fn announce_to_tracker(&mut self) {
        self.session.announce_due = None;
        if self.config.sharing != Sharing::On {
            return;
        }
        let mut ranges: Vec<TrackRanges> = Vec::new();
        for (track, set) in self.complete_ranges() {
            if track == TrackId::ASSETS || ranges.len() >= MAX_ANNOUNCE_TRACKS {
                continue;
            }
            let part: Vec<Range> = set
                .iter()
                .take(MAX_ANNOUNCE_RANGES)
                .map(|(first, count)| Range { first, count })
                .collect();
            ranges.push(TrackRanges { track, ranges: part });
        }
        if ranges.is_empty() && self.session.announced_at.is_none() {
            return;
        }
        self.session.announced_at = Some(self.now);
        self.session.sequence += 1;
        let swarm = self.catalog.manifest().swarm_id();
        let announce = Announce::sign(
            &self.keys,
            swarm,
            &self.session.nonce,
            ranges,
            ANNOUNCE_TTL_S,
            self.session.sequence,
        );
        self.outputs
            .push_back(Output::TrackerSend(ClientMessage::Announce(announce)));
    }

    pub(super) fn report(&mut self, peer: Handle, code: &'static str, object: Option<(ObjectId, u32)>) {
        if self.session.is_joined() {
            self.outputs.push_back(Output::TrackerSend(ClientMessage::Report {
                peer,
                code: match code {
                    "corrupt_chunk" => ReportCode::BadChunk,
                    "corrupt_rows" => ReportCode::BadRows,
                    _ => ReportCode::Misbehaviour,
                },
                object: object.map(|(object, _)| object),
            }));
        }
    }

    pub(super) fn session_leave(&mut self) {
        if self.session.state == State::Off {
            return;
        }
        if self.session.is_joined() {
            self.outputs
                .push_back(Output::TrackerSend(ClientMessage::Leave {}));
        }
        if self.session.state != State::Waiting {
            self.outputs.push_back(Output::TrackerClose);
        }
        let has_tracker = self.session.has_tracker;
        self.session = Session::new(has_tracker);
    }
}
