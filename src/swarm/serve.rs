//! The uplink: what is served to whom, within the page's cap, and what peers are told we hold.

use alloc::vec;
use alloc::vec::Vec;

use super::engine::Engine;
use super::limits::{LOW_UNSENT, MIN_UNSENT, MIN_UNSENT_ALL, UNSENT_ALL_MS};
use super::object::Object;
use super::rate::{RateMeter, transfer_us};
use super::timer::Timer;
use super::{Output, PeerId, Sharing, Timestamp};
use crate::content::{CHUNK, ObjectId, TrackId};
use crate::wire::{
    self, DATA_HEAD, Have, MAX_DATA_CHUNKS, MAX_PARTIAL_RANGES, MAX_PARTIALS, MAX_RANGES, Message, Partial,
    Range, Ranges, RejectReason,
};

/// The bucket holds this much time of the cap, so that a chunk can go in one piece at any cap.
const BUCKET_US: u64 = 250_000;

/// A request is refused rather than answered after so long, microseconds: another holder may well be sooner, and if there
/// is none, who asks comes back.
const BUSY_US: u64 = 450_000;

/// With the channels full, looks again after so long at the most, microseconds.
const MAX_WAIT_US: u64 = 500_000;

/// The page's upload cap as a token bucket, and the uplink as it turns out to be.
#[derive(Clone, Debug)]
pub(super) struct UploadBudget {
    cap_bps: Option<u64>,
    /// What may go in the whole visit, whatever changes in between.
    bytes_total: Option<u64>,
    spent: u64,
    /// Below 0 is owed.
    tokens: i64,
    filled_at: Timestamp,
    uplink: RateMeter,
}

impl UploadBudget {
    pub(super) fn new(cap_bps: Option<u64>, bytes_total: Option<u64>, now: Timestamp) -> Self {
        Self {
            cap_bps,
            bytes_total,
            spent: 0,
            tokens: 0,
            filled_at: now,
            uplink: RateMeter::default(),
        }
    }

    pub(super) fn set_cap(&mut self, cap_bps: Option<u64>, bytes_total: Option<u64>, now: Timestamp) {
        self.fill(now);
        self.cap_bps = cap_bps;
        self.bytes_total = bytes_total;
        self.tokens = self.tokens.min(self.bucket());
    }

    fn bucket(&self) -> i64 {
        let rate = self.cap_bps.unwrap_or_default() / 8;
        let bytes = (rate.saturating_mul(BUCKET_US) / 1_000_000).max(u64::from(CHUNK) + DATA_HEAD as u64);
        bytes.cast_signed()
    }

    fn fill(&mut self, now: Timestamp) {
        let Some(bps) = self.cap_bps else { return };
        let gained = now.since(self.filled_at).saturating_mul(bps / 8) / 1_000_000;
        if gained > 0 {
            self.tokens = self.tokens.saturating_add_unsigned(gained).min(self.bucket());
            self.filled_at = now;
        }
    }

    /// Bytes that may go now.
    fn allowed(&mut self, now: Timestamp) -> u64 {
        self.fill(now);
        let rate = if self.cap_bps.is_some() {
            self.tokens.max(0).cast_unsigned()
        } else {
            u64::MAX
        };
        rate.min(self.bytes_left().unwrap_or(u64::MAX))
    }

    /// What goes beyond what may go now is owed, and paid back before anything else goes.
    pub(super) fn spend(&mut self, bytes: u64) {
        if self.cap_bps.is_some() {
            self.tokens = self.tokens.saturating_sub_unsigned(bytes);
        }
        self.spent = self.spent.saturating_add(bytes);
    }

    /// When `bytes` may go; `None` if never.
    fn when(&self, bytes: u64, now: Timestamp) -> Option<Timestamp> {
        if self.bytes_left().is_some_and(|left| left < bytes) {
            return None;
        }
        match self.cap_bps {
            None => Some(now),
            Some(bps) if bps >= 8 => Some(now + transfer_us(self.missing(bytes), bps / 8).max(1_000)),
            Some(_) => None,
        }
    }

    /// Tokens that have to be earned before `bytes` may go.
    fn missing(&self, bytes: u64) -> u64 {
        bytes
            .cast_signed()
            .saturating_sub(self.tokens)
            .max(0)
            .cast_unsigned()
    }

    pub(super) fn bytes_left(&self) -> Option<u64> {
        self.bytes_total.map(|total| total.saturating_sub(self.spent))
    }

    /// How well what plays at this rate can be passed on: 0 for several copies of it at once, up to 3.
    pub(super) fn uplink_class(&self, bytes: u64, duration_us: u64) -> u64 {
        let rate = match (self.uplink.rate(), self.cap_bps) {
            (0, None) => return 2,
            (0, Some(bps)) => bps / 8,
            (rate, None) => rate,
            (rate, Some(bps)) => rate.min(bps / 8),
        };
        let sent = rate.saturating_mul(duration_us) / 1_000_000;
        match sent.saturating_mul(4) / bytes.max(1) {
            0..4 => 3,
            4..6 => 2,
            6..12 => 1,
            _ => 0,
        }
    }

    /// Whether not even one message can go in this visit.
    pub(super) fn is_exhausted(&self, now: Timestamp) -> bool {
        self.when(u64::from(CHUNK) + DATA_HEAD as u64, now).is_none()
    }

    /// Takes `bytes` if they may go now.
    pub(super) fn take(&mut self, bytes: u64, now: Timestamp) -> bool {
        let allowed = self.allowed(now) >= bytes;
        if allowed {
            self.spend(bytes);
        }
        allowed
    }
}

impl Engine {
    /// Whether the uplink already owes more than it sends soon.
    pub(super) fn is_busy(&self) -> bool {
        let mut owed = 0;
        for peer in self.peers.values() {
            owed += peer.owed(self.now);
        }
        match self.budget.uplink.rate() {
            // Not known yet: the queues' bounds must do.
            0 => false,
            rate => transfer_us(owed, rate) > BUSY_US,
        }
    }

    pub(super) fn peer_writable(&mut self, id: PeerId, buffered: u64) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let gone = peer.buffered.saturating_sub(buffered);
        peer.buffered = buffered;
        peer.buffered_at = now;
        if gone > 0 {
            peer.upload.add(now, gone);
            self.budget.uplink.add(now, gone);
        }
        if buffered == 0 && peer.uploads.is_empty() {
            peer.upload.stop(now);
        }
        if self.peers.values().all(|peer| peer.buffered == 0) {
            self.budget.uplink.stop(now);
        }
        self.pump_uploads();
    }

    /// Sends as much as the channels, the uplink and the cap allow: the most urgent first, whoever asks for it, and
    /// of equals the one that was served least recently. What waits inside the channels can no longer be overtaken,
    /// so little is put there.
    pub(super) fn pump_uploads(&mut self) {
        let now = self.now;
        if self.config.sharing != Sharing::On {
            return;
        }
        let bound = match self.budget.uplink.rate() {
            0 => MIN_UNSENT_ALL,
            rate => (rate.saturating_mul(UNSENT_ALL_MS) / 1_000).max(MIN_UNSENT / 2),
        };
        loop {
            let unsent: u64 = self.peers.values().map(|peer| peer.unsent(now)).sum();
            let allowed = self.budget.allowed(now);
            let next = self
                .peers
                .values()
                .filter(|peer| peer.buffered <= LOW_UNSENT || peer.sendable() > 0)
                .filter_map(|peer| Some((peer.wants()?, peer.served_at, peer.id)))
                .min_by_key(|(urgency, served_at, id)| (core::cmp::Reverse(*urgency), *served_at, *id));
            let Some((_, _, id)) = next else {
                return;
            };
            if unsent >= bound {
                // A channel says when it runs low; should none do so, they are stuck.
                self.timers.set_earlier(Timer::Upload, now + MAX_WAIT_US);
                return;
            }
            self.state_upload(id);
            let Some(peer) = self.peers.get_mut(&id) else {
                return;
            };
            let Some(upload) = peer.uploads.front() else {
                return;
            };
            let (object_id, first) = (upload.object, upload.next);
            let Some(object) = self.objects.get(&object_id).filter(|object| object.has(first)) else {
                // Evicted since it was asked for.
                let gone = upload.id;
                peer.uploads.pop_front();
                self.send(
                    id,
                    &Message::Reject {
                        id: gone,
                        reason: RejectReason::NotHeld,
                    },
                );
                continue;
            };
            let mut count: u8 = 0;
            let mut bytes = DATA_HEAD as u64;
            while count < MAX_DATA_CHUNKS
                && first + u32::from(count) < upload.end
                && object.has(first + u32::from(count))
            {
                let more = bytes + u64::from(object.chunk_len(first + u32::from(count)));
                if more > peer.max_message || (count > 0 && (more > allowed || more > bound / 2)) {
                    break;
                }
                bytes = more;
                count += 1;
            }
            if count == 0 {
                peer.uploads.pop_front();
                continue;
            }
            if bytes > allowed {
                match self.budget.when(bytes, now) {
                    Some(at) => self.timers.set_earlier(Timer::Upload, at),
                    // Nothing more in this visit: nobody must wait for us.
                    None => self.set_choking(true),
                }
                return;
            }
            let head = Message::Data {
                id: upload.id,
                object: object_id,
                root: upload.root,
                first,
                count,
            };
            let done = first + u32::from(count) >= upload.end;
            if done {
                peer.uploads.pop_front();
            } else if let Some(upload) = peer.uploads.front_mut() {
                upload.next = first + u32::from(count);
            }
            peer.upload.start(now);
            self.budget.uplink.start(now);
            self.budget.spend(bytes);
            peer.buffered = peer.buffered.saturating_add(bytes);
            peer.buffered_at = now;
            peer.served_at = now;
            let payload = bytes - DATA_HEAD as u64;
            peer.sent = peer.sent.saturating_add(payload);
            self.count_traffic(object_id, |traffic| traffic.to_peers += payload);
            self.note_dealt(object_id, first, count);
            self.outputs.push_back(Output::SendData {
                peer: id,
                head: wire::encode(&head),
                object: object_id,
                first,
                count,
            });
        }
    }

    /// Chokes or unchokes everybody, after a change of policy.
    pub(super) fn set_choking(&mut self, choking: bool) {
        let ids: Vec<PeerId> = self
            .peers
            .values()
            .filter(|peer| peer.is_ready() && peer.choking != choking)
            .map(|peer| peer.id)
            .collect();
        for id in ids {
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.choking = choking;
                if choking {
                    peer.uploads.clear();
                }
            }
            self.send(id, &if choking { Message::Choke } else { Message::Unchoke });
        }
    }

    /// Sharing was switched: tell peers what is held now, and the tracker.
    pub(super) fn sharing_changed(&mut self) {
        let ids: Vec<PeerId> = self
            .peers
            .values()
            .filter(|peer| peer.is_ready())
            .map(|peer| peer.id)
            .collect();
        for id in ids {
            self.send_all_holdings(id);
        }
        self.session_holdings_changed();
    }

    /// Timer: tells peers what has arrived since the last time.
    pub(super) fn announce_to_peers(&mut self) {
        let changed = core::mem::take(&mut self.changed);
        if self.config.sharing != Sharing::On {
            for id in changed {
                if let Some(object) = self.objects.get_mut(&id) {
                    object.news = super::ranges::RangeSet::default();
                }
            }
            return;
        }
        let now = self.now;
        let mut haves: Vec<Have> = Vec::new();
        for id in changed {
            let Some(object) = self.objects.get_mut(&id) else {
                continue;
            };
            let mut news = core::mem::take(&mut object.news);
            if let Some(until) = object.deal_until.take() {
                let to = self.deal_peers(id.track);
                if until > now && !to.is_empty() {
                    self.deal(id, &news, &to);
                    self.changed.insert(id);
                    self.timers.set_earlier(Timer::Announce, until);
                    if let Some(object) = self.objects.get_mut(&id) {
                        object.deal_until = Some(until);
                    }
                    continue;
                }
                news = self.objects.get(&id).map(Object::held_chunks).unwrap_or_default();
            }
            let Some(object) = self.objects.get(&id) else {
                continue;
            };
            let (complete, partial) = if object.is_complete() {
                (
                    vec![Range {
                        first: id.index,
                        count: 1,
                    }],
                    Vec::new(),
                )
            } else if news.is_empty() {
                continue;
            } else {
                let chunks = news
                    .iter()
                    .map(|(first, count)| Range { first, count })
                    .take(MAX_PARTIAL_RANGES);
                (
                    Vec::new(),
                    vec![Partial {
                        index: id.index,
                        chunks: chunks.collect(),
                    }],
                )
            };
            match haves.last_mut() {
                Some(last)
                    if last.track == id.track
                        && last.complete.len() < MAX_RANGES
                        && last.partial.len() < MAX_PARTIALS =>
                {
                    last.complete.extend(complete);
                    last.partial.extend(partial);
                }
                _ => haves.push(Have {
                    track: id.track,
                    complete,
                    partial,
                }),
            }
        }
        let ids: Vec<PeerId> = self
            .peers
            .values()
            .filter(|peer| peer.is_ready())
            .map(|peer| peer.id)
            .collect();
        for id in ids {
            for have in &haves {
                let Some(peer) = self.peers.get(&id) else { continue };
                if peer.shared.is_some() && !peer.shares(have.track) {
                    continue;
                }
                let mut have = have.clone();
                // What it holds itself it will not ask for; it is told when the segment is complete.
                have.partial.retain(|part| peer.holdings.lack(have.track, part));
                if !(have.complete.is_empty() && have.partial.is_empty()) {
                    self.send(id, &Message::Have(have));
                }
            }
        }
        if !haves.is_empty() {
            self.session_holdings_changed();
        }
    }

    /// Tells a new peer everything that is held.
    pub(super) fn send_all_holdings(&mut self, id: PeerId) {
        if self.config.sharing != Sharing::On {
            return;
        }
        for (track, set) in self.complete_ranges() {
            let ranges: Vec<Range> = set.iter().map(|(first, count)| Range { first, count }).collect();
            for part in ranges.chunks(MAX_RANGES) {
                self.send(
                    id,
                    &Message::Have(Have {
                        track,
                        complete: part.to_vec(),
                        partial: Vec::new(),
                    }),
                );
            }
        }
        let partial: Vec<(ObjectId, Vec<Range>)> = self
            .objects
            .iter()
            .filter(|(_, object)| !object.is_complete() && object.verified_chunks() > 0)
            .map(|(id, object)| {
                let held = object.held_chunks();
                let ranges = held.iter().map(|(first, count)| Range { first, count });
                (*id, ranges.take(MAX_PARTIAL_RANGES).collect())
            })
            .collect();
        for (object, chunks) in partial {
            let have = Have {
                track: object.track,
                complete: Vec::new(),
                partial: vec![Partial {
                    index: object.index,
                    chunks,
                }],
            };
            self.send(id, &Message::Have(have));
        }
    }

    /// Complete objects by track.
    pub(super) fn complete_ranges(&self) -> Vec<(TrackId, super::ranges::RangeSet)> {
        let mut all: Vec<(TrackId, super::ranges::RangeSet)> = Vec::new();
        for (id, _) in self.objects.iter().filter(|(_, object)| object.is_complete()) {
            match all.last_mut() {
                Some((track, set)) if *track == id.track => set.insert(id.index, 1),
                _ => {
                    let mut set = super::ranges::RangeSet::default();
                    set.insert(id.index, 1);
                    all.push((id.track, set));
                }
            }
        }
        all
    }

    pub(super) fn tell_evicted(&mut self, object: ObjectId) {
        let ids: Vec<PeerId> = self
            .peers
            .values()
            .filter(|peer| peer.is_ready() && peer.shares(object.track))
            .map(|peer| peer.id)
            .collect();
        for id in ids {
            let segments = vec![Range {
                first: object.index,
                count: 1,
            }];
            self.send(
                id,
                &Message::Unhave(Ranges {
                    track: object.track,
                    segments,
                }),
            );
        }
        self.session_holdings_changed();
    }
}
