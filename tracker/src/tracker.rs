//! The tracker itself: connections, timers, and the way of each message to its rule.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use swarmseal::content::{SwarmId, SwarmSecret};
use swarmseal::identity::{Drbg, Handle};
use swarmseal::signal::{
    ClientMessage, EndReason, ErrorCode, GUARDED_INTRODUCTIONS, GUARDED_REPLACEMENTS_PER_HOUR,
    IntroductionId, InvalidSignal, Loopback, SIGNAL_VERSION, ServerMessage, Shown,
};
use swarmseal::swarm::Timestamp;

use super::admission::{Admission, OpenAdmission};
use super::api::{CloseReason, ConnId, Content, Input, Now, Output, PrefixTag, TrackerKeys};
use super::challenging::Proof;
use super::config::TrackerConfig;
use super::counts::Counts;
use super::exposure::{Account, Ledgers};
use super::introduction::{Introduction, Lapse};
use super::prefix::Prefixes;
use super::ranking::{LeastIntroduced, Ranking};
use super::rate::{Bucket, Rate, RetryAfter};
use super::revoking::Revocations;
use super::roots::Roots;
use super::swarm::{Budget, Member, Swarm};
use super::turn::TurnServer;
use super::visiting::Suspicions;

/// Introduces peers. One value serves any number of swarms.
pub struct Tracker {
    pub(super) config: TrackerConfig,
    pub(super) keys: TrackerKeys,
    pub(super) admission: Box<dyn Admission>,
    pub(super) ranking: Box<dyn Ranking>,
    pub(super) random: Drbg,
    pub(super) contents: BTreeMap<SwarmId, Content>,
    /// Of followed contents what their heads have stated, if that can be told.
    pub(super) live: BTreeMap<SwarmId, Option<Arc<Roots>>>,
    /// Stands in for the secret of a swarm that does not exist, so that asking for it takes as long.
    pub(super) nobodys_secret: SwarmSecret,
    pub(super) connections: BTreeMap<ConnId, Connection>,
    pub(super) swarms: BTreeMap<SwarmId, Swarm>,
    pub(super) introductions: BTreeMap<IntroductionId, Introduction>,
    pub(super) prefixes: Prefixes,
    pub(super) departed: BTreeMap<(SwarmId, Handle), Departed>,
    pub(super) ledgers: Ledgers<Account>,
    /// How often others hear unasked of a new source of one account.
    pub(super) news: Ledgers<(SwarmId, Account)>,
    pub(super) revocations: Revocations,
    pub(super) suspicions: Suspicions,
    pub(super) turn: Option<TurnServer>,
    pub(super) counts: Counts,
    /// Challenges that may be made now.
    pub(super) admissions: Bucket,
    /// How long peers took to answer WELCOME, of late.
    pub(super) round_trips: VecDeque<u32>,
    timers: BTreeSet<(Timestamp, Timer)>,
    swept_at: Timestamp,
    outputs: VecDeque<Output>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) prefix: PrefixTag,
    /// What JOIN and ANNOUNCE on it sign.
    pub(super) nonce: [u8; 32],
    pub(super) stay: Option<Stay>,
    pub(super) opened_at: Timestamp,
    heard_at: Timestamp,
    messages: Bucket,
    patience: Bucket,
}

/// Which member of which swarm a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) swarm: SwarmId,
    pub(super) handle: Handle,
}

/// What is remembered of a member that is gone, in case its key comes back.
#[derive(Debug)]
pub(super) struct Departed {
    pub(super) admission_tag: Vec<u8>,
    pub(super) budget: Budget,
    pub(super) proof: Proof,
    pub(super) until: Timestamp,
}

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) detail: &'static str,
    pub(super) retry_after_s: Option<u32>,
}

/// What a peer may send.
enum Heard {
    Message(ClientMessage),
    Shown(Shown),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Has the connection joined, has it been heard?
    Connection(ConnId),
    /// Is the announcement still valid?
    Announcement(ConnId),
    /// Tell the peer of new sources.
    Push(ConnId),
    /// Is the introduction answered?
    Introduction(IntroductionId),
    /// Is the challenge answered, or another one due?
    Proof(ConnId),
}

impl Tracker {
    /// A tracker without contents. `seed` must be fresh and random wherever peers are real.
    pub fn new(config: TrackerConfig, keys: TrackerKeys, seed: [u8; 32]) -> Self {
        let mut random = Drbg::new(seed);
        let admission = OpenAdmission {
            connections: config.peer_connections,
        };
        let most = usize::try_from(config.max_connections).unwrap_or(usize::MAX);
        let most = most.saturating_mul(LEDGERS_PER_CONNECTION);
        let ledgers = Ledgers::new(most, GUARDED_INTRODUCTIONS, GUARDED_REPLACEMENTS_PER_HOUR);
        Self {
            admissions: Bucket::full(config.challenge.admissions, Timestamp(0)),
            round_trips: VecDeque::new(),
            config,
            keys,
            admission: Box::new(admission),
            ranking: Box::new(LeastIntroduced),
            nobodys_secret: SwarmSecret(random.array()),
            random,
            contents: BTreeMap::new(),
            live: BTreeMap::new(),
            connections: BTreeMap::new(),
            swarms: BTreeMap::new(),
            introductions: BTreeMap::new(),
            prefixes: Prefixes::default(),
            departed: BTreeMap::new(),
            ledgers,
            news: Ledgers::new(most, NEWS, NEWS_PER_HOUR),
            revocations: Revocations::default(),
            suspicions: Suspicions::default(),
            turn: None,
            counts: Counts::default(),
            timers: BTreeSet::new(),
            swept_at: Timestamp(0),
            outputs: VecDeque::new(),
        }
    }

    /// Replaces open admission.
    #[must_use]
    pub fn with_admission(mut self, admission: Box<dyn Admission>) -> Self {
        self.admission = admission;
        self
    }

    /// Gives peers credentials for a TURN server, fresh ones with every ticket.
    #[must_use]
    pub fn with_turn(mut self, turn: TurnServer) -> Self {
        self.turn = Some(turn);
        self
    }

    /// Replaces the order of sources by load.
    #[must_use]
    pub fn with_ranking(mut self, ranking: Box<dyn Ranking>) -> Self {
        self.ranking = ranking;
        self
    }

    /// Serves exactly these contents from now on. Peers of others are told to leave.
    pub fn set_contents(&mut self, now: Now, contents: impl IntoIterator<Item = Content>) {
        self.contents = contents
            .into_iter()
            .map(|content| (content.swarm, content))
            .collect();
        self.match_live_to_contents();
        let is_gone = |connection: &Connection| {
            connection
                .stay
                .is_some_and(|stay| !self.contents.contains_key(&stay.swarm))
        };
        let gone: Vec<ConnId> = self
            .connections
            .iter()
            .filter(|(_, connection)| is_gone(connection))
            .map(|(conn, _)| *conn)
            .collect();
        for conn in gone {
            self.close(conn, CloseReason::ContentGone, now.monotonic);
        }
    }

    /// Says goodbye to everybody.
    pub fn shut_down(&mut self, now: Now) {
        let all: Vec<ConnId> = self.connections.keys().copied().collect();
        for conn in all {
            self.refuse(conn, Refusal::new(ErrorCode::ShuttingDown, "the tracker ends"));
            self.close(conn, CloseReason::ShuttingDown, now.monotonic);
        }
    }

    /// Takes one input. Drain [`Self::poll`] before the next one.
    pub fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Connected { conn, prefix } => self.connected(now, conn, prefix),
            Input::Message { conn, message } => self.message(now, conn, Some(Heard::Message(message))),
            Input::Shown { conn, shown } => self.message(now, conn, Some(Heard::Shown(shown))),
            Input::Malformed { conn } => self.message(now, conn, None),
            Input::Alive { conn } => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    connection.heard_at = now.monotonic;
                }
            }
            Input::Closed { conn } => self.drop_connection(conn, now.monotonic),
            Input::Tick => {}
        }
        self.run_timers(now.monotonic);
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due, if nothing else happens.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// What has been done so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Connections now.
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// Peers admitted now, in all swarms.
    pub fn member_count(&self) -> usize {
        self.swarms.values().map(|swarm| swarm.members.len()).sum()
    }

    /// Peers listed as sources now, in all swarms.
    pub fn source_count(&self) -> usize {
        self.swarms.values().map(|swarm| swarm.sources.len()).sum()
    }

    /// Swarms with members now.
    pub fn swarm_count(&self) -> usize {
        self.swarms.len()
    }

    /// Introductions that are not over.
    pub fn introduction_count(&self) -> usize {
        self.introductions.len()
    }

    fn connected(&mut self, now: Now, conn: ConnId, prefix: PrefixTag) {
        let at = now.monotonic;
        self.counts.connections_opened += 1;
        let full =
            u32::try_from(self.connections.len()).map_or(true, |open| open >= self.config.max_connections);
        if full || self.connections.contains_key(&conn) || !self.prefixes.connect(prefix, &self.config, at) {
            self.refuse(
                conn,
                Refusal::new(ErrorCode::Overloaded, "no room").after(OVERLOADED_RETRY_S),
            );
            self.counts.close(CloseReason::Overloaded);
            self.outputs.push_back(Output::Close {
                conn,
                reason: CloseReason::Overloaded,
            });
            return;
        }
        let nonce = self.random.array();
        let connection = Connection {
            prefix,
            nonce,
            stay: None,
            opened_at: at,
            heard_at: at,
            messages: Bucket::full(self.config.messages, at),
            patience: Bucket::full(PATIENCE, at),
        };
        self.connections.insert(conn, connection);
        self.set_timer(
            at.plus_ms(u64::from(self.config.join_timeout_s) * 1_000),
            Timer::Connection(conn),
        );
        let welcome = ServerMessage::Welcome {
            version: SIGNAL_VERSION,
            nonce,
            time_unix_ms: now.unix_ms,
            keepalive_s: self.config.keepalive_s,
        };
        self.send(conn, welcome);
    }

    /// One message, `None` for a malformed one.
    fn message(&mut self, now: Now, conn: ConnId, message: Option<Heard>) {
        let Some(connection) = self.connections.get_mut(&conn) else {
            // It crossed our closing of the connection.
            return;
        };
        self.counts.messages += 1;
        connection.heard_at = now.monotonic;
        let outcome = match connection.messages.take(now.monotonic) {
            Err(retry) => Err(Refusal::rate_limited(retry)),
            Ok(()) => message
                .ok_or(Refusal::new(ErrorCode::Malformed, "not a message of the schema"))
                .and_then(|message| match message {
                    Heard::Message(message) => self.checked(now, conn, message),
                    Heard::Shown(shown) => self.checked_chunk(now.monotonic, conn, &shown),
                }),
        };
        let Err(refusal) = outcome else {
            return;
        };
        self.refuse(conn, refusal);
        if let Some(reason) = refusal.closes() {
            self.close(conn, reason, now.monotonic);
        } else if refusal.is_fault()
            && let Some(connection) = self.connections.get_mut(&conn)
            && connection.patience.take(now.monotonic).is_err()
        {
            self.close(conn, CloseReason::Misbehaviour, now.monotonic);
        }
    }

    fn checked(&mut self, now: Now, conn: ConnId, message: ClientMessage) -> Result<(), Refusal> {
        let loopback = if self.config.loopback {
            Loopback::Allow
        } else {
            Loopback::Refuse
        };
        message.validate(loopback).map_err(Refusal::from)?;
        let at = now.monotonic;
        let stay = self.connections.get(&conn).and_then(|connection| connection.stay);
        let (message, stay) = match (message, stay) {
            (ClientMessage::Join(join), None) => return self.join(now, conn, join),
            (ClientMessage::Join(_), Some(_)) => {
                return Err(Refusal::new(ErrorCode::AlreadyJoined, "joined already"));
            }
            (ClientMessage::Leave {}, _) => {
                self.close(conn, CloseReason::Left, at);
                return Ok(());
            }
            (_, None) => return Err(Refusal::new(ErrorCode::NotJoined, "JOIN comes first")),
            (message, Some(stay)) => (message, stay),
        };
        match message {
            ClientMessage::Announce(announce) => self.announce(at, conn, stay, announce),
            ClientMessage::Renew {} => self.renew(now, conn, stay),
            ClientMessage::List { want } => self.list(at, conn, stay, want),
            ClientMessage::Introduce { peer } => self.introduce(at, stay, peer),
            ClientMessage::Description {
                introduction,
                description,
            } => self.relay_description(at, stay, introduction, description),
            ClientMessage::Candidate {
                introduction,
                candidate,
            } => self.relay_candidate(stay, introduction, candidate),
            ClientMessage::EndOfCandidates { introduction } => {
                self.relay_end_of_candidates(stay, introduction)
            }
            ClientMessage::EndIntroduction { introduction, reason } => {
                self.end_introduction(stay, introduction, reason)
            }
            ClientMessage::Report { peer, code, .. } => self.report(at, stay, peer, code),
            ClientMessage::Tampering { proof } => self.tampering(now, stay, &proof),
            ClientMessage::ChallengeAnswer { challenge, answer } => {
                self.challenge_answer(at, conn, stay, (challenge, &answer))
            }
            // Handled above.
            ClientMessage::Join(_) | ClientMessage::Leave {} => Ok(()),
        }
    }

    fn checked_chunk(&mut self, now: Timestamp, conn: ConnId, shown: &Shown) -> Result<(), Refusal> {
        let stay = self.connections.get(&conn).and_then(|connection| connection.stay);
        let stay = stay.ok_or(Refusal::new(ErrorCode::NotJoined, "JOIN comes first"))?;
        self.shown(now, conn, stay, shown)
    }

    pub(super) fn member(&mut self, stay: Stay) -> Result<&mut Member, Refusal> {
        self.swarms
            .get_mut(&stay.swarm)
            .and_then(|swarm| swarm.members.get_mut(&stay.handle))
            .ok_or(Refusal::new(ErrorCode::NotJoined, "JOIN comes first"))
    }

    pub(super) fn send(&mut self, conn: ConnId, message: ServerMessage) {
        self.outputs.push_back(Output::Send { conn, message });
    }

    /// Sends to a member, wherever it is connected.
    pub(super) fn send_to(&mut self, swarm: SwarmId, handle: Handle, message: ServerMessage) {
        let member = self
            .swarms
            .get(&swarm)
            .and_then(|swarm| swarm.members.get(&handle));
        if let Some(conn) = member.map(|member| member.conn) {
            self.send(conn, message);
        }
    }

    fn refuse(&mut self, conn: ConnId, refusal: Refusal) {
        self.counts.refuse(refusal.code);
        let message = ServerMessage::Error {
            code: refusal.code,
            message: refusal.detail.to_owned(),
            retry_after_s: refusal.retry_after_s,
        };
        self.send(conn, message);
    }

    pub(super) fn close(&mut self, conn: ConnId, reason: CloseReason, now: Timestamp) {
        if self.connections.contains_key(&conn) {
            self.counts.close(reason);
            self.outputs.push_back(Output::Close { conn, reason });
            self.drop_connection(conn, now);
        }
    }

    fn drop_connection(&mut self, conn: ConnId, now: Timestamp) {
        let Some(connection) = self.connections.remove(&conn) else {
            return;
        };
        self.prefixes.disconnect(connection.prefix);
        if let Some(stay) = connection.stay {
            self.remove_member(stay, now);
        }
    }

    /// Takes a member out of its swarm; peers that wait for it are told.
    fn remove_member(&mut self, stay: Stay, now: Timestamp) {
        let Some(swarm) = self.swarms.get_mut(&stay.swarm) else {
            return;
        };
        let Some(member) = swarm.members.remove(&stay.handle) else {
            return;
        };
        swarm.everybody.remove(&stay.handle);
        swarm.sources.remove(&stay.handle);
        if swarm.members.is_empty() {
            self.swarms.remove(&stay.swarm);
        }
        for introduction in member.introductions.values() {
            self.finish(*introduction, Some(stay.handle), EndReason::PeerGone);
        }
        if u32::try_from(self.departed.len()).is_ok_and(|known| known < self.config.max_connections) {
            let until = now.plus_ms(DEPARTED_MS);
            self.departed.insert(
                (stay.swarm, stay.handle),
                Departed {
                    admission_tag: member.admission_tag,
                    budget: member.budget,
                    proof: member.proof.departed(),
                    until,
                },
            );
        }
    }

    pub(super) fn set_timer(&mut self, at: Timestamp, timer: Timer) {
        self.timers.insert((at, timer));
    }

    fn run_timers(&mut self, now: Timestamp) {
        while let Some((at, timer)) = self.timers.first().copied()
            && at <= now
        {
            self.timers.remove(&(at, timer));
            match timer {
                Timer::Connection(conn) => self.check_connection(conn, now),
                Timer::Announcement(conn) => self.check_announcement(conn, now),
                Timer::Push(conn) => self.push(conn, now),
                Timer::Introduction(id) => self.check_introduction(id, now),
                Timer::Proof(conn) => self.check_proof(conn, now),
            }
        }
        if now.since(self.swept_at) >= SWEEP_US {
            self.swept_at = now;
            self.prefixes.sweep(now);
            self.ledgers.sweep(now);
            self.news.sweep(now);
            self.suspicions.sweep(now);
            self.departed.retain(|_, departed| departed.until > now);
        }
    }

    fn check_connection(&mut self, conn: ConnId, now: Timestamp) {
        let Some(connection) = self.connections.get(&conn) else {
            return;
        };
        let (deadline, reason) = match connection.stay {
            Some(_) => (
                connection
                    .heard_at
                    .plus_ms(u64::from(self.config.keepalive_s) * 1_000),
                CloseReason::Silent,
            ),
            None => {
                let allowed_ms = u64::from(self.config.join_timeout_s) * 1_000;
                (connection.opened_at.plus_ms(allowed_ms), CloseReason::JoinTimeout)
            }
        };
        if now >= deadline {
            self.close(conn, reason, now);
        } else {
            self.set_timer(deadline, Timer::Connection(conn));
        }
    }

    fn check_introduction(&mut self, id: IntroductionId, now: Timestamp) {
        let Some(introduction) = self.introductions.get_mut(&id) else {
            return;
        };
        match introduction.lapse(now) {
            Lapse::Later(at) => self.set_timer(at, Timer::Introduction(id)),
            Lapse::Unanswered => {
                self.counts.introductions_timed_out += 1;
                self.finish(id, None, EndReason::TimedOut);
            }
            Lapse::Old => self.finish(id, None, EndReason::Connected),
        }
    }
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, detail: &'static str) -> Self {
        Self {
            code,
            detail,
            retry_after_s: None,
        }
    }

    pub(super) fn after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds.clamp(1, swarmseal::signal::MAX_INTERVAL_S));
        self
    }

    pub(super) fn rate_limited(retry: RetryAfter) -> Self {
        Self::new(ErrorCode::RateLimited, "too many messages").after(retry.0)
    }

    /// The one answer to a swarm that does not exist and to a proof that fails.
    pub(super) fn not_admitted() -> Self {
        Self::new(ErrorCode::NotAdmitted, "not admitted")
    }

    /// Whether there is nothing left to say after it.
    fn closes(self) -> Option<CloseReason> {
        match self.code {
            ErrorCode::NotAdmitted => Some(CloseReason::NotAdmitted),
            ErrorCode::UnsupportedVersion => Some(CloseReason::UnsupportedVersion),
            ErrorCode::BadSignature => Some(CloseReason::BadSignature),
            ErrorCode::Overloaded => Some(CloseReason::Overloaded),
            _ => None,
        }
    }

    /// Whether a well-behaved peer would never cause it, not even by bad luck with timing.
    fn is_fault(self) -> bool {
        match self.code {
            ErrorCode::UnknownPeer
            | ErrorCode::UnknownIntroduction
            | ErrorCode::ExposureLimit
            | ErrorCode::StateLimit
            | ErrorCode::ShuttingDown => false,
            ErrorCode::Malformed
            | ErrorCode::UnsupportedVersion
            | ErrorCode::NotAdmitted
            | ErrorCode::BadSignature
            | ErrorCode::HandleInUse
            | ErrorCode::NotJoined
            | ErrorCode::AlreadyJoined
            | ErrorCode::NotSolicited
            | ErrorCode::RateLimited
            | ErrorCode::Overloaded
            | ErrorCode::Unknown => true,
        }
    }
}

impl From<InvalidSignal> for Refusal {
    fn from(rule: InvalidSignal) -> Self {
        match rule {
            InvalidSignal::UnsupportedVersion => Self::new(ErrorCode::UnsupportedVersion, rule.code()),
            _ => Self::new(ErrorCode::Malformed, rule.code()),
        }
    }
}

/// Faults that a connection is forgiven.
const PATIENCE: Rate = Rate {
    burst: 20,
    per_minute: 6,
};
/// When to try again where there is no room.
const OVERLOADED_RETRY_S: u32 = 30;
/// How long an exposure budget is kept for a key that may come back: as long as its ticket may be valid.
const DEPARTED_MS: u64 = 600_000;
/// An account is news to its swarm once…
const NEWS: u32 = 1;
/// …and again about as often as viewers come and go: who announces and withdraws in turns, or under one handle after the other, is
/// heard of no more than others are.
const NEWS_PER_HOUR: u32 = 2;
/// Ledgers of each kind that are kept for each connection that there may be.
const LEDGERS_PER_CONNECTION: usize = 4;
/// How often what has run out is thrown away.
const SWEEP_US: u64 = 10_000_000;
