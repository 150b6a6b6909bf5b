//! What to fetch next, from whom, and when HTTP has to step in.
//!
//! One pass looks at every wanted object: what the player asked for, and what it will ask for within the
//! prefetch window. Objects are taken by deadline; beyond the urgent window the rarest come first. Peers
//! are asked for runs of chunks within their credit. HTTP is used when nobody has an object and this
//! viewer is elected to fetch it, or in time for the deadline: see `fallback`.

use alloc::vec::Vec;

use crate::ordered::{OrderedSet, sort_by_key};

use super::demands::{Target, chunks_of};
use super::engine::Engine;
use super::limits::{PREFETCH_SEGMENTS, PREFETCH_US, TRACK_IDLE_US};
use super::peer::{Peer, Request};
use super::timer::Timer;
use super::{PeerId, Sharing, Timestamp};
use crate::content::{ObjectId, TrackId, TrackKind};
use crate::wire::{Message, Urgency};

/// Objects needed within this time are taken strictly by deadline, microseconds.
pub(super) const URGENT_US: u64 = 10_000_000;
/// Times that differ below this bit of microseconds are the same: an eighth of a second.
const SAME_TIME_BITS: u32 = 17;
/// Segments at the end of a live stream that count as new.
const FRESH_SEGMENTS: u32 = 3;
/// A peer that has brought nothing for this long holds a chunk up, microseconds.
const STUCK_US: u64 = 3_000_000;
/// With nothing buffered, peers get this long without progress before HTTP is asked too, microseconds.
pub(super) const IMPATIENCE_US: u64 = 250_000;
/// Bytes asked for without a play head (a download) wait this long for peers, microseconds.
const DOWNLOAD_PATIENCE_US: u64 = 1_500_000;

/// An object that should be here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) id: ObjectId,
    pub(super) need_at: Timestamp,
    pub(super) asked_at: Timestamp,
    /// Whether the player asked for it, or will at once (else it is prefetched, from peers only).
    pub(super) demanded: bool,
    /// Whether it is new at the edge of a live stream and the player has not asked for it: HTTP brings it if this viewer
    /// is elected to fetch it for the others.
    pub(super) fresh: bool,
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) holders: usize,
}

impl Engine {
    /// Objects that a demand needs.
    pub(super) fn demanded_objects(&self) -> OrderedSet<ObjectId> {
        self.demands
            .values()
            .filter_map(|demand| match &demand.target {
                Target::Spans(spans) => Some(spans.iter().map(|span| span.object)),
                _ => None,
            })
            .flatten()
            .collect()
    }

    pub(super) fn schedule(&mut self) {
        let now = self.now;
        self.time_out_requests();
        self.time_out_fetches();
        self.start_sheets();
        let wants = self.list_wants();
        let mut wake: Option<Timestamp> = None;
        for want in &wants {
            if self
                .objects
                .get(&want.id)
                .is_none_or(|object| object.gap(want.first, want.count).is_none())
            {
                continue;
            }
            let row = self.row_if_useful(want);
            if row {
                self.ask_peers(want, None);
            }
            if let Some(at) = self.consider_http(want, row) {
                wake = Some(wake.map_or(at, |w: Timestamp| w.min(at)));
            }
        }
        self.wants = wants;
        let timeouts = self
            .peers
            .values()
            .flat_map(|peer| peer.requests.values().map(|r| peer.request_timeout(r)));
        let snubs = self
            .peers
            .values()
            .flat_map(|peer| [peer.snubbed_until, peer.held_until, peer.rests_until])
            .flatten()
            .filter(|until| *until > now);
        let stalls = self.fetches.values().map(|fetch| fetch.stalls_at(&self.http));
        if let Some(at) = timeouts.chain(snubs).chain(stalls).chain(wake).min() {
            self.timers.set_earlier(Timer::Schedule, at.max(now + 1_000));
        }
    }

    /// Everything wanted, most needed first.
    fn list_wants(&mut self) -> Vec<Want> {
        let now = self.now;
        let mut wants: Vec<Want> = Vec::new();
        for demand in self.demands.values() {
            let Target::Spans(spans) = &demand.target else {
                continue;
            };
            for span in spans {
                let (first, count) = chunks_of(span);
                let need_at = self.need_at(span.object, demand.asked_at, demand.deadline);
                let need_at = demand
                    .needed_by
                    .map_or(need_at, |needed_by| need_at.min(needed_by));
                match wants.iter_mut().find(|want| want.id == span.object) {
                    Some(want) => {
                        let end = (want.first + want.count).max(first + count);
                        want.first = want.first.min(first);
                        want.count = end - want.first;
                        want.need_at = want.need_at.min(need_at);
                        want.asked_at = want.asked_at.min(demand.asked_at);
                    }
                    None => wants.push(Want {
                        id: span.object,
                        need_at,
                        asked_at: demand.asked_at,
                        demanded: true,
                        fresh: false,
                        first,
                        count,
                        holders: self.sources_of(span.object).count(),
                    }),
                }
            }
        }
        if self.config.sharing != Sharing::Off && self.peers.values().any(|peer| peer.is_source(now)) {
            self.prefetch_wants(&mut wants);
        }
        let draw = self.draw | 1;
        sort_by_key(&mut wants, |want| {
            let urgent = want.demanded || want.need_at.since(now) < URGENT_US;
            // What is needed at the same time, such as the parts of a file, every viewer takes in an order of its own.
            let (key, order) = if urgent {
                (want.need_at.0 >> SAME_TIME_BITS, want.id.index.wrapping_mul(draw))
            } else {
                (want.holders as u64, 0)
            };
            (!urgent, key, order, want.id)
        });
        wants
    }

    /// Adds what the player will ask for next on the tracks that it reads, as far as peers hold it.
    fn prefetch_wants(&mut self, wants: &mut Vec<Want>) {
        let now = self.now;
        let position = self.position_us();
        let current = self.current_tracks();
        let room = (self.config.store_bytes / 2).min(32 << 20);
        let mut bytes: u64 = 0;
        for (track, last_index) in current {
            for index in (last_index + 1)..=last_index.saturating_add(PREFETCH_SEGMENTS) {
                let id = ObjectId { track, index };
                if wants.iter().any(|want| want.id == id) {
                    continue;
                }
                let Some(info) = self.catalog.object(id) else {
                    if let Some(sheet) = self.catalog.sheet_for(id) {
                        self.want_sheet(&sheet);
                    }
                    break;
                };
                let (start, chunks, length) = (info.start_us, info.chunks, info.length);
                if start > position.saturating_add(PREFETCH_US) {
                    break;
                }
                bytes = bytes.saturating_add(length);
                if bytes > room {
                    return;
                }
                let held = self
                    .objects
                    .get(&id)
                    .is_some_and(super::object::Object::is_complete);
                let fresh = self.is_fresh(id);
                if held {
                    continue;
                }
                let holders = self.sources_of(id).count();
                if !(holders > 0 || fresh || self.somebody_has(id)) || !self.ensure_object(id) {
                    continue;
                }
                let need_at = self.need_at(id, now, None);
                let wanted_at = self.objects.get(&id).map_or(now, |object| object.wanted_at);
                wants.push(Want {
                    id,
                    need_at,
                    asked_at: if fresh { wanted_at } else { now },
                    demanded: fresh,
                    fresh,
                    first: 0,
                    count: chunks,
                    holders,
                });
            }
        }
    }

    /// Whether the player will ask for this segment as soon as its playlist names it.
    fn is_fresh(&self, id: ObjectId) -> bool {
        let plays = self.player.is_some_and(|player| !player.paused);
        plays
            && self.live.is_some()
            && self
                .catalog
                .edge(id.track)
                .is_some_and(|edge| edge - id.index <= FRESH_SEGMENTS)
    }

    /// The media tracks that the player reads now: the latest of each kind.
    pub(super) fn current_tracks(&self) -> Vec<(TrackId, u32)> {
        let mut current: Vec<(TrackKind, TrackId, u32, Timestamp)> = Vec::new();
        for track in self.catalog.tracks() {
            let Some(active) = self.active.get(&track.id) else {
                continue;
            };
            let idle =
                self.now.since(active.last_at) > TRACK_IDLE_US && self.player.is_none_or(|p| !p.paused);
            if idle || track.kind == TrackKind::Files {
                continue;
            }
            match current.iter_mut().find(|(kind, ..)| *kind == track.kind) {
                Some(slot) if slot.3 < active.last_at => {
                    *slot = (track.kind, track.id, active.last_index, active.last_at)
                }
                Some(_) => {}
                None => current.push((track.kind, track.id, active.last_index, active.last_at)),
            }
        }
        current
            .into_iter()
            .map(|(_, track, index, _)| (track, index))
            .collect()
    }

    /// Where the play head is now.
    pub(super) fn position_us(&self) -> u64 {
        self.player.map_or(0, |player| {
            let moving = !player.paused && !player.seeking;
            let moved = if moving {
                self.now
                    .since(player.at)
                    .saturating_mul(u64::from(player.rate_milli))
                    / 1_000
            } else {
                0
            };
            let ahead = player.buffered_end_us.saturating_sub(player.position_us);
            let position = player.position_us.saturating_add(moved.min(ahead));
            #[cfg(feature = "live")]
            let position = position.saturating_add_signed(self.timeline_offset_us);
            position
        })
    }

    /// When an object must be complete.
    pub(super) fn need_at(
        &self,
        id: ObjectId,
        asked_at: Timestamp,
        deadline: Option<Timestamp>,
    ) -> Timestamp {
        let by_player = self
            .player
            .filter(|_| self.is_media(id.track))
            .and_then(|player| {
                let ahead = self
                    .catalog
                    .object(id)?
                    .start_us
                    .saturating_sub(self.position_us());
                let rate = u64::from(player.rate_milli.clamp(250, 16_000));
                // A paused play head must not put the need off for ever.
                let from = if player.paused || player.seeking {
                    asked_at
                } else {
                    self.now
                };
                Some(from + ahead.saturating_mul(1_000) / rate)
            });
        match (deadline, by_player) {
            (Some(deadline), Some(by_player)) => deadline.min(by_player),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) if id.track == TrackId::ASSETS || self.is_media(id.track) => asked_at,
            (None, None) => asked_at + DOWNLOAD_PATIENCE_US,
        }
    }

    pub(super) fn is_media(&self, track: TrackId) -> bool {
        self.catalog
            .track(track)
            .is_some_and(|track| track.kind != TrackKind::Files)
    }

    /// Whether the row is known; asks for it if it is of use: to check a part, or what peers send or are sent.
    fn row_if_useful(&mut self, want: &Want) -> bool {
        let whole = self
            .objects
            .get(&want.id)
            .is_none_or(|object| want.count >= object.info.chunks);
        let shared =
            self.config.sharing != Sharing::Off && (want.id.track != TrackId::ASSETS || want.holders > 0);
        if whole && !shared {
            return self.catalog.row(want.id).is_some();
        }
        self.need_row(want.id)
    }

    /// Takes back requests that made no progress, so that somebody else can be asked.
    fn time_out_requests(&mut self) {
        let now = self.now;
        let late: Vec<(PeerId, u32, bool)> = self
            .peers
            .values()
            .flat_map(|peer| {
                peer.requests.iter().filter_map(|(id, request)| {
                    let timed_out = peer.request_timeout(request) <= now;
                    (timed_out || self.is_held_up(peer, request)).then_some((peer.id, *id, timed_out))
                })
            })
            .collect();
        for (peer_id, request_id, timed_out) in late {
            self.drop_request(peer_id, request_id);
            if let Some(peer) = self.peers.get_mut(&peer_id).filter(|_| timed_out) {
                peer.timed_out(now);
            }
            self.send(peer_id, &Message::Cancel { id: request_id });
        }
    }

    /// Whether the player needs now what a slow peer holds up and an idle one holds as well.
    fn is_held_up(&self, peer: &Peer, request: &Request) -> bool {
        let now = self.now;
        request.urgency == Urgency::Urgent
            && now.since(request.progress_at) > (peer.rtt_us * 2).max(STUCK_US)
            && self
                .sources_of(request.object)
                .any(|(other, held)| other.requests.is_empty() && request.open().any(|chunk| held.has(chunk)))
    }
}
