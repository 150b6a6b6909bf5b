//! One connection: its proof, what the other side holds, what it was asked for and how well it does.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::ordered::{OrderedMap, OrderedSet};

use super::claims::ClaimRecord;
use super::limits::{
    FIRST_WINDOW, LATE_MS, MAX_HELD_RANGES, MAX_PARTIALS, MAX_TRACKS, MAX_UPLOAD_QUEUE, MAX_WINDOW,
    MIN_UNSENT, UNPROVEN_WINDOW, UNSENT_MS,
};
use super::live::HeadsShown;
use super::ranges::RangeSet;
use super::rate::{Allowance, RateMeter, transfer_us};
use super::{PeerId, Timestamp};
use crate::content::{CHUNK, Hash, ObjectId, TrackId};
use crate::identity::{Fingerprint, Handle, Handshake, PeerIdentity};
use crate::signal::{Candidate, IntroductionId};
use crate::wire::{Have, Partial, Urgency};

/// Before the first measurement a peer is taken for one that fills 4 Mbit/s.
const ASSUMED_RATE: u64 = 500_000;
/// A request is given up after this long without a message, at the least.
const MIN_REQUEST_TIMEOUT_US: u64 = 2_000_000;
/// A channel that holds bytes and does not say for this long that it got rid of any is stuck, microseconds.
const STUCK_CHANNEL_US: u64 = 1_000_000;
/// So much is asked of a peer that requests are answered after about this time, microseconds: longer, and each hop of a
/// live segment takes too long; shorter, and uplinks run dry.
const QUEUE_US: u64 = 450_000;
/// Windows are counted in parts of a chunk.
const WINDOW_PARTS: u32 = 16;
/// Refusals in a row after which one who says that it is busy is not counted on any more.
const MAX_BUSY: u32 = 4;
/// The longest rest between two requests to a peer that answers late, microseconds.
const MAX_REST_US: u64 = 6_000_000;
/// A peer that timed out three times in a row is left alone for this long.
const SNUB_US: u64 = 5_000_000;

/// How far a connection has come.
pub(super) enum Stage {
    /// Introduced, not open yet.
    Dialling,
    /// Open; the proof is under way.
    Proving(Box<Handshake>),
    /// Proved.
    Ready(Box<PeerIdentity>),
}

/// What both sides of a connection have.
pub(super) enum Shared {
    /// These tracks.
    Tracks(OrderedSet<TrackId>),
    /// The logs of a live content: every track, now and later.
    Logs,
}

/// A request under way.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) object: ObjectId,
    pub(super) first: u32,
    pub(super) count: u8,
    /// What a statement of this request has in it, once it was sent.
    pub(super) nonce: Option<[u8; 16]>,
    /// Bit per chunk that came.
    pub(super) got: u16,
    pub(super) issued_at: Timestamp,
    pub(super) progress_at: Timestamp,
    pub(super) urgency: Urgency,
}

impl Request {
    pub(super) fn is_complete(&self) -> bool {
        self.got.count_ones() >= u32::from(self.count)
    }

    /// Chunks that have not come.
    pub(super) fn open(&self) -> impl Iterator<Item = u32> + '_ {
        (0..u32::from(self.count))
            .filter(|bit| self.got & (1 << bit) == 0)
            .map(|bit| self.first + bit)
    }
}

/// A request that was given up; its data may still be on the way.
#[derive(Clone, Debug)]
struct Late {
    id: u32,
    request: Request,
    until: Timestamp,
}

/// A row that the peer was asked for, once.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowAsked {
    pub(super) at: Timestamp,
    pub(super) answered: bool,
}

/// A chunk range that the peer asked us for.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) id: u32,
    pub(super) object: ObjectId,
    pub(super) root: Hash,
    pub(super) next: u32,
    pub(super) end: u32,
    pub(super) urgency: Urgency,
    /// The request's nonce, until there is a statement with it.
    pub(super) nonce: Option<[u8; 16]>,
}

/// What the other side holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Holdings {
    complete: OrderedMap<TrackId, RangeSet>,
    partial: OrderedMap<ObjectId, RangeSet>,
}

impl Holdings {
    pub(super) fn add(&mut self, have: &Have) {
        if self.complete.len() >= MAX_TRACKS && !self.complete.contains_key(&have.track) {
            return;
        }
        let complete = self.complete.entry(have.track).or_default();
        for range in &have.complete {
            if complete.pieces() < MAX_HELD_RANGES {
                complete.insert(range.first, range.count);
            }
        }
        self.partial
            .retain(|id, _| id.track != have.track || !complete.contains(id.index));
        for part in &have.partial {
            let id = ObjectId {
                track: have.track,
                index: part.index,
            };
            if complete.contains(part.index)
                || (self.partial.len() >= MAX_PARTIALS && !self.partial.contains_key(&id))
            {
                continue;
            }
            let chunks = self.partial.entry(id).or_default();
            for range in part
                .chunks
                .iter()
                .filter(|_| chunks.pieces() < MAX_HELD_RANGES)
                .collect::<Vec<_>>()
            {
                chunks.insert(range.first, range.count);
            }
        }
    }

    pub(super) fn remove(&mut self, track: TrackId, first: u32, count: u32) {
        if let Some(complete) = self.complete.get_mut(&track) {
            complete.remove(first, count);
            complete.truncate(MAX_HELD_RANGES);
        }
        let end = first.saturating_add(count);
        self.partial
            .retain(|id, _| id.track != track || id.index < first || id.index >= end);
    }

    /// What of an object it holds, if any.
    pub(super) fn of(&self, id: ObjectId) -> Option<Held<'_>> {
        if self.has_all(id) {
            return Some(Held::All);
        }
        self.partial.get(&id).map(Held::Part)
    }

    /// Whether a part that somebody else holds has chunks that this one does not.
    pub(super) fn lack(&self, track: TrackId, part: &Partial) -> bool {
        let held = self.of(ObjectId::new(track, part.index));
        part.chunks.iter().any(|range| match &held {
            Some(Held::All) => false,
            Some(Held::Part(held)) => !held.covers(range.first, range.count),
            None => true,
        })
    }

    fn has_all(&self, id: ObjectId) -> bool {
        self.complete
            .get(&id.track)
            .is_some_and(|set| set.contains(id.index))
    }

    pub(super) fn has_some(&self, id: ObjectId) -> bool {
        self.has_all(id) || self.partial.contains_key(&id)
    }

    pub(super) fn segments(&self) -> u64 {
        self.complete.values().map(RangeSet::count).sum()
    }
}

/// What somebody holds of one object.
pub(super) enum Held<'a> {
    All,
    Part(&'a RangeSet),
}

impl Held<'_> {
    pub(super) fn has(&self, chunk: u32) -> bool {
        match self {
            Self::All => true,
            Self::Part(set) => set.contains(chunk),
        }
    }
}

/// One connection.
pub(super) struct Peer {
    pub(super) id: PeerId,
    pub(super) handle: Handle,
    pub(super) introduction: IntroductionId,
    pub(super) offer: bool,
    pub(super) stage: Stage,
    /// When the present stage must be over.
    pub(super) deadline: Timestamp,
    pub(super) local_fp: Option<Fingerprint>,
    /// Candidates found before our own description was ready; the tracker takes them after it only.
    pub(super) early_candidates: Vec<Candidate>,
    pub(super) candidates_sent: usize,
    pub(super) remote_fp: Option<Fingerprint>,
    /// The largest message that the other side takes.
    pub(super) max_message: u64,
    pub(super) bytes_before_proof: usize,
    /// When it showed a ticket last.
    pub(super) ticket_at: Timestamp,
    /// Tracks that both have, with equal roots. `None` until the other side said.
    pub(super) shared: Option<Shared>,
    /// Live heads that it was shown, or showed.
    pub(super) heads: HeadsShown,
    pub(super) holdings: Holdings,
    /// Objects that it asked us the row of, or we it.
    pub(super) rows_asked: OrderedMap<ObjectId, RowAsked>,
    // what we fetch from it
    pub(super) requests: OrderedMap<u32, Request>,
    late: VecDeque<Late>,
    pub(super) choked: bool,
    pub(super) proven: bool,
    pub(super) download: RateMeter,
    pub(super) rtt_us: u64,
    /// Chunks that it may be asked for at once, in parts.
    window: u32,
    /// It answers late, or said that it is busy: it is asked for nothing before, and is a holder all the same.
    pub(super) rests_until: Option<Timestamp>,
    timeouts: u32,
    pub(super) snubbed_until: Option<Timestamp>,
    pub(super) claims: ClaimRecord,
    /// Control messages that it may still send.
    pub(super) messages: Allowance,
    /// It refused a request for another reason: it counts for nothing before.
    pub(super) held_until: Option<Timestamp>,
    rejects: u32,
    /// The highest request number that it was given.
    pub(super) last_request: u32,
    pub(super) created_at: Timestamp,
    // what it fetches from us
    pub(super) uploads: VecDeque<Upload>,
    pub(super) choking: bool,
    /// Unsent bytes as last reported, and what was sent since.
    pub(super) buffered: u64,
    /// When that was.
    pub(super) buffered_at: Timestamp,
    /// When it was sent data last.
    pub(super) served_at: Timestamp,
    /// The highest request number that it gave us.
    pub(super) last_upload: u32,
    pub(super) upload: RateMeter,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) useful_at: Timestamp,
}

impl Peer {
    pub(super) fn new(
        id: PeerId,
        handle: Handle,
        introduction: IntroductionId,
        offer: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            handle,
            introduction,
            offer,
            stage: Stage::Dialling,
            deadline: now.plus_ms(super::limits::DIAL_MS),
            local_fp: None,
            early_candidates: Vec::new(),
            candidates_sent: 0,
            remote_fp: None,
            max_message: 65_536,
            bytes_before_proof: 0,
            shared: None,
            heads: HeadsShown::default(),
            holdings: Holdings::default(),
            rows_asked: OrderedMap::new(),
            requests: OrderedMap::new(),
            late: VecDeque::new(),
            choked: false,
            proven: false,
            download: RateMeter::default(),
            rtt_us: 0,
            window: FIRST_WINDOW * WINDOW_PARTS,
            rests_until: None,
            timeouts: 0,
            snubbed_until: None,
            claims: ClaimRecord::default(),
            messages: Allowance::default(),
            ticket_at: now,
            held_until: None,
            rejects: 0,
            last_request: 0,
            created_at: now,
            uploads: VecDeque::new(),
            choking: false,
            buffered: 0,
            buffered_at: now,
            served_at: now,
            last_upload: 0,
            upload: RateMeter::default(),
            received: 0,
            sent: 0,
            useful_at: now,
        }
    }

    pub(super) const fn is_ready(&self) -> bool {
        matches!(self.stage, Stage::Ready(_))
    }

    pub(super) fn identity(&self) -> Option<&PeerIdentity> {
        match &self.stage {
            Stage::Ready(identity) => Some(identity),
            _ => None,
        }
    }

    pub(super) fn shares(&self, track: TrackId) -> bool {
        match &self.shared {
            Some(Shared::Tracks(tracks)) => tracks.contains(&track),
            Some(Shared::Logs) => track != TrackId::ASSETS,
            None => false,
        }
    }

    /// Whether it may be asked for anything now.
    pub(super) fn is_source(&self, now: Timestamp) -> bool {
        let waits = |until: Option<Timestamp>| until.is_some_and(|until| until > now);
        self.is_ready() && !self.choked && !waits(self.snubbed_until) && !waits(self.held_until)
    }

    /// Bytes per second to reckon with.
    pub(super) const fn expected_rate(&self) -> u64 {
        match self.download.rate() {
            0 => ASSUMED_RATE,
            rate => rate,
        }
    }

    pub(super) fn outstanding(&self) -> u32 {
        self.requests
            .values()
            .map(|request| u32::from(request.count) - request.got.count_ones())
            .sum()
    }

    fn outstanding_prefetch(&self) -> u32 {
        self.requests
            .values()
            .filter(|request| request.urgency == Urgency::Prefetch)
            .map(|request| u32::from(request.count) - request.got.count_ones())
            .sum()
    }

    /// Chunks that it may be asked for on top of what is under way. What is fetched ahead takes half of the
    /// window at most, and never from what the player waits for: the other side serves that first.
    pub(super) fn window_free(&self, urgency: Urgency, now: Timestamp) -> u32 {
        if self.requests.len() >= MAX_UPLOAD_QUEUE {
            // The other side would refuse more.
            return 0;
        }
        if self.rests_until.is_some_and(|until| until > now) {
            return 0;
        }
        if !self.proven {
            return if self.requests.is_empty() {
                UNPROVEN_WINDOW
            } else {
                0
            };
        }
        let window = (self.window / WINDOW_PARTS).max(1);
        match urgency {
            Urgency::Prefetch => (window / 2).max(1).saturating_sub(self.outstanding()),
            Urgency::Soon | Urgency::Urgent => {
                window.saturating_sub(self.outstanding() - self.outstanding_prefetch())
            }
        }
    }

    /// The first data of a request for `chunks` came after `us`, with `outstanding` chunks under way. The window follows
    /// what that says of the queue there: it is everybody's, so each who finds it long asks for less. A rate would not
    /// do: of who is asked for little, little comes.
    pub(super) fn pace(&mut self, us: u64, chunks: u32, outstanding: u32) {
        let is_full = outstanding * 2 * WINDOW_PARTS >= self.window;
        let window = match us {
            _ if us > 2 * QUEUE_US => self.window - self.window / 4,
            _ if us > QUEUE_US => self.window - self.window / 8,
            _ if !is_full => self.window,
            _ if us > QUEUE_US / 2 => self.window + chunks * WINDOW_PARTS / 8,
            _ => self.window + chunks * WINDOW_PARTS,
        };
        self.window = window.clamp(1, MAX_WINDOW * WINDOW_PARTS);
    }

    /// Below one chunk, a window is one chunk every now and then.
    pub(super) fn rest(&mut self, now: Timestamp, us: u64) {
        let lacking = u64::from(WINDOW_PARTS.saturating_sub(self.window));
        let rest = us.saturating_mul(lacking) / u64::from(self.window.max(1));
        self.rests_until = (rest > 0).then(|| now + rest.min(MAX_REST_US));
    }

    /// When everything outstanding plus `chunks` more will have come, microseconds from now.
    pub(super) fn eta_us(&self, chunks: u32) -> u64 {
        let bytes = u64::from(self.outstanding().saturating_add(chunks)) * u64::from(CHUNK);
        self.rtt_us
            .saturating_add(transfer_us(bytes, self.expected_rate()))
    }

    /// What has to be added to that: how long it has been silent, and how long it rests.
    pub(super) fn held_up_us(&self, now: Timestamp) -> u64 {
        let silent = self
            .requests
            .values()
            .map(|request| now.since(request.progress_at));
        silent.max().unwrap_or(0) + self.rests_until.map_or(0, |until| until.since(now))
    }

    /// When a request is given up for lack of progress.
    pub(super) fn request_timeout(&self, request: &Request) -> Timestamp {
        let patience = self
            .eta_us(0)
            .saturating_mul(2)
            .saturating_add(self.rtt_us * 2)
            .max(MIN_REQUEST_TIMEOUT_US);
        request.progress_at + patience.min(5 * MIN_REQUEST_TIMEOUT_US)
    }

    /// The request that data answers, even if it was given up a while ago.
    pub(super) fn answered(&mut self, id: u32, now: Timestamp) -> Option<&mut Request> {
        if let Some(request) = self.requests.get_mut(&id) {
            return Some(request);
        }
        self.late.retain(|late| late.until > now);
        self.late
            .iter_mut()
            .find(|late| late.id == id)
            .map(|late| &mut late.request)
    }

    /// Takes a request off the list; its data stays legal for a while.
    pub(super) fn give_up(&mut self, id: u32, now: Timestamp) -> Option<Request> {
        let request = self.requests.remove(&id)?;
        self.late.push_back(Late {
            id,
            request: request.clone(),
            until: now.plus_ms(LATE_MS),
        });
        if self.late.len() > MAX_WINDOW as usize {
            self.late.pop_front();
        }
        if self.requests.is_empty() {
            self.download.stop(now);
        }
        Some(request)
    }

    /// It refused a request. Nothing of it will come, and the next waits a little longer each time.
    pub(super) fn refused(&mut self, id: u32, is_busy: bool, now: Timestamp) -> Option<Request> {
        let request = self.requests.remove(&id)?;
        let waits = self.held_until.max(self.rests_until);
        // Several that were asked for at once are refused at once, and that is one refusal.
        if waits.is_none_or(|until| until <= now) {
            let until = Some(now.plus_ms(100 << self.rejects.min(5)));
            if is_busy && self.rejects < MAX_BUSY {
                self.rests_until = until;
            } else {
                self.held_until = until;
            }
            self.rejects += 1;
        }
        if self.requests.is_empty() {
            self.download.stop(now);
        }
        Some(request)
    }

    /// A request made no progress in time.
    pub(super) fn timed_out(&mut self, now: Timestamp) {
        self.download.halve();
        self.timeouts += 1;
        if self.timeouts >= 3 {
            self.timeouts = 0;
            self.snubbed_until = Some(now + SNUB_US);
        }
    }

    /// Whether it does nothing for us nor we for it, and has not for `idle_us`.
    pub(super) fn is_surplus(&self, now: Timestamp, idle_us: u64) -> bool {
        self.is_ready()
            && self.requests.is_empty()
            && self.uploads.is_empty()
            && now.since(self.useful_at) > idle_us
    }

    /// A chunk from it verified.
    pub(super) fn delivered(&mut self, now: Timestamp, bytes: u64) {
        self.proven = true;
        self.timeouts = 0;
        self.rejects = 0;
        self.received = self.received.saturating_add(bytes);
        self.useful_at = now;
    }

    /// Bytes that its channels may still take.
    pub(super) fn sendable(&self) -> u64 {
        let bound = MIN_UNSENT.max(self.upload.rate().saturating_mul(UNSENT_MS) / 1_000);
        bound.saturating_sub(self.buffered)
    }

    /// Bytes that its channels hold and that stand in the way of others. Of one that is stuck nothing does.
    pub(super) fn unsent(&self, now: Timestamp) -> u64 {
        if now.since(self.buffered_at) < STUCK_CHANNEL_US {
            self.buffered
        } else {
            0
        }
    }

    /// Bytes that it was promised and that are not on their way.
    pub(super) fn owed(&self, now: Timestamp) -> u64 {
        let mut chunks = 0;
        for upload in &self.uploads {
            chunks += u64::from(upload.end - upload.next);
        }
        self.unsent(now) + chunks * u64::from(CHUNK)
    }

    /// Puts a request of its behind those that are as urgent.
    pub(super) fn queue(&mut self, upload: Upload) {
        let at = self
            .uploads
            .iter()
            .position(|other| other.urgency < upload.urgency)
            .unwrap_or(self.uploads.len());
        self.uploads.insert(at, upload);
    }

    /// Its most urgent request of us.
    pub(super) fn wants(&self) -> Option<Urgency> {
        self.uploads.front().map(|upload| upload.urgency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        let mut peer = Peer::new(
            PeerId(1),
            Handle([1; 16]),
            IntroductionId([1; 16]),
            true,
            Timestamp(0),
        );
        peer.proven = true;
        peer
    }

    fn window(peer: &Peer, now: u64) -> u32 {
        peer.window_free(Urgency::Urgent, Timestamp(now))
    }

    #[test]
    fn a_window_grows_while_answers_come_soon_and_only_if_it_is_used() {
        let mut peer = peer();
        for _ in 0..6 {
            let all = window(&peer, 0);
            peer.pace(50_000, all, all);
        }
        assert_eq!(window(&peer, 0), MAX_WINDOW);
        peer.pace(3 * QUEUE_US, 1, 1);
        let after = window(&peer, 0);
        assert_eq!(after, MAX_WINDOW * 3 / 4);
        peer.pace(50_000, 8, 8);
        assert_eq!(window(&peer, 0), after, "most of it was not in use");
    }

    #[test]
    fn who_answers_late_is_asked_for_one_chunk_every_now_and_then() {
        let mut peer = peer();
        for _ in 0..20 {
            peer.pace(2_000_000, 1, 1);
        }
        peer.rest(Timestamp(0), 2_000_000);
        assert_eq!(window(&peer, MAX_REST_US - 1), 0);
        assert_eq!(window(&peer, MAX_REST_US), 1);
        for _ in 0..4 {
            peer.pace(50_000, 1, 1);
        }
        peer.rest(Timestamp(0), 50_000);
        assert!(window(&peer, 0) > 1);
    }
}
