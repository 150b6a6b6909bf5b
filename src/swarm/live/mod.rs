//! Live contents: where heads come from and to whom they go on, and what waits for the next one.
//!
//! A head is judged by the [`Chain`] whoever brings it: the origin, which one viewer of a neighbourhood asks when a
//! head is due, or a neighbour. Whatever is taken goes on to every neighbour once.

mod documents;
mod parts;
mod passing;
mod polling;
mod turns;

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::engine::Engine;
use super::peer::Peer;
use super::session::TRACKER_UNCERTAINTY_S;
use super::timer::Timer;
use super::{CloseReason, Event, FetchId, LiveStats, Output, PeerId, RefuseCode, Timestamp};
use crate::content::live::{Chain, Fault, HeadError, LiveHead, LiveMemory, Pulse, SessionError};
use crate::content::{Catalog, Hash, Span, to_base64url};
use crate::wire::{ByeReason, Message};

pub(super) use self::documents::Document;
pub(super) use self::passing::HeadsShown;
use self::polling::Polling;

/// A demand that waits for the first head of all is given up after this long, microseconds.
const FIRST_HEAD_US: u64 = 10_000_000;

/// What is known of a live content beside its catalog.
pub(super) struct Live {
    chain: Chain,
    polling: Polling,
    /// A head from the origin whose session is on its way.
    orphan: Option<Vec<u8>>,
    session_fetch: Option<FetchId>,
    frozen: bool,
    /// Pieces of evidence that were told.
    told: usize,
    /// When the newest head goes to those who were not shown it at once.
    pass_at: Option<Timestamp>,
    counts: Counts,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    polls: u32,
    from_peers: u32,
    from_http: u32,
    refused: u32,
}

impl Live {
    /// `None` if the content is not live.
    pub(super) fn of(catalog: &Catalog, memory: LiveMemory) -> Option<Self> {
        catalog.live_slot()?;
        let manifest = catalog.manifest();
        Some(Self {
            chain: Chain::new(
                manifest.content_id,
                vec![catalog.signer()],
                manifest.significant_query.clone(),
                memory,
            ),
            polling: Polling::default(),
            orphan: None,
            session_fetch: None,
            frozen: false,
            told: 0,
            pass_at: None,
            counts: Counts::default(),
        })
    }

    /// How long a viewer waits for what no head states yet, microseconds.
    fn patience_us(&self) -> u64 {
        self.chain
            .newest()
            .map_or(FIRST_HEAD_US, |head| u64::from(head.target_ms) * 1_000)
    }
}

/// A device's clock may differ from the tracker's by so many seconds before it is worth a word.
const CLOCK_TOLERANCE_S: u64 = 60;

impl Engine {
    /// A tracker has said what time it is: says so if the device's clock is wrong.
    pub(super) fn judge_clock(&mut self, tracker_s: u64) {
        let device = self.wall_now();
        // What a tracker has said before is no device's clock.
        let is_device = device.uncertainty_s > TRACKER_UNCERTAINTY_S;
        if is_device && device.unix_s.abs_diff(tracker_s) > CLOCK_TOLERANCE_S {
            self.event(Event::ClockOff {
                device_s: device.unix_s,
                tracker_s,
            });
        }
    }

    /// The player says where on its own timeline a segment plays: so its play head is known in media time.
    pub(super) fn align_timelines(&mut self, spans: &[Span], plays_at_us: Option<u64>) {
        let first = spans.first().filter(|span| self.is_media(span.object.track));
        let start = first.and_then(|span| self.catalog.object(span.object));
        if let (Some(info), Some(plays_at)) = (start, plays_at_us) {
            self.timeline_offset_us = i64::try_from(info.start_us).unwrap_or_default()
                - i64::try_from(plays_at).unwrap_or_default();
        }
    }

    /// Whether peers would be of no use yet: without a head there is nothing to exchange.
    pub(super) fn awaits_first_head(&self) -> bool {
        self.live
            .as_ref()
            .is_some_and(|live| live.chain.newest().is_none())
    }

    /// Takes a head, or says why not. `from`: the neighbour that brought it, or else the origin.
    pub(super) fn offer_head(&mut self, sealed: &[u8], from: Option<PeerId>) {
        let (now, wall) = (self.now, self.wall_now());
        let Some(live) = &mut self.live else { return };
        match live.chain.accept(sealed, now.0, wall) {
            Ok(accepted) => {
                let first = self.live.as_ref().is_some_and(|live| live.counts.taken() == 0);
                self.head_taken(Hash::of(&[sealed]), from, accepted.began && !first);
            }
            Err(HeadError::UnknownSession) if from.is_none() => self.fetch_session(sealed),
            Err(error) => self.head_refused(error, from),
        }
    }

    fn head_refused(&mut self, error: HeadError, from: Option<PeerId>) {
        self.tell_contradictions(from);
        if let (Some(peer), Fault::Sender) = (from, error.fault()) {
            self.blame(peer, error.code(), None);
        } else if from.is_some() && error.fault() == Fault::Nobody {
            return;
        }
        if let Some(live) = &mut self.live {
            live.polling.missed(self.now);
        }
        self.note_refused(error.code(), from);
    }

    fn note_refused(&mut self, code: &'static str, from: Option<PeerId>) {
        if let Some(live) = &mut self.live {
            live.counts.refused += 1;
        }
        self.event(Event::HeadRefused {
            code,
            peer: from.map(|peer| peer.0),
        });
    }

    fn session_refused(&mut self, error: SessionError, from: Option<PeerId>) {
        self.tell_contradictions(from);
        if let Some(peer) = from {
            if error.is_senders_fault() {
                self.blame(peer, error.code(), None);
            }
            return;
        }
        self.note_refused(error.code(), None);
    }

    /// Tells the page of new evidence against the publisher, and shows neighbours what came second: they know the first,
    /// and find the same. There are four pieces at most, so that it ends.
    fn tell_contradictions(&mut self, from: Option<PeerId>) {
        let Some(live) = &mut self.live else { return };
        let mut second = Vec::new();
        for found in live.chain.evidence().iter().skip(live.told) {
            live.told += 1;
            second.clone_from(&found.second);
            self.outputs
                .push_back(Output::Event(Event::PublisherContradicted {
                    kind: found.kind.code(),
                    first: to_base64url(&found.first),
                    second: to_base64url(&found.second),
                }));
        }
        if second.is_empty() {
            return;
        }
        let hash = Hash::of(&[&second]);
        let message = Message::Head(second);
        for id in self.head_peers() {
            // The same twice would be an offence.
            let has_seen = |peer: &Peer| peer.heads.shown == Some(hash);
            if Some(id) != from && !self.peers.get(&id).is_some_and(has_seen) {
                self.send(id, &message);
            }
        }
    }

    fn head_taken(&mut self, hash: Hash, from: Option<PeerId>, restarted: bool) {
        let now = self.now;
        if restarted {
            self.forget_logs();
        }
        let Some(live) = &mut self.live else { return };
        if from.is_some() {
            live.counts.from_peers += 1;
        } else {
            live.counts.from_http += 1;
        }
        let Some(head) = live.chain.newest() else { return };
        self.catalog.accept_head(head);
        live.polling.taken(head, from.is_none(), now);
        let event = Event::HeadTaken {
            session: head.session,
            log: head.log,
            sequence: head.sequence,
            issued_ms: head.issued_ms,
            hash: hash.to_string(),
            from_peer: from.is_some(),
        };
        let end = head.end;
        self.event(event);
        if end {
            self.event(Event::LiveEnded);
        }
        if let Some(peer) = from.and_then(|from| self.peers.get_mut(&from)) {
            peer.heads.shown = Some(hash);
        }
        self.pass_head_on(hash);
        if !self.session.is_joined() && self.config.tracker && self.config.sharing != super::Sharing::Off {
            self.timers.set_earlier(Timer::Session, now);
        }
        self.feel_pulse();
        self.want_links();
        self.documents_after_head();
        self.resolve_demands();
        self.stand_for_next();
        self.plan_poll();
        self.dirty = true;
    }

    /// The publisher has begun other logs: nothing that was known of the old ones holds for them.
    fn forget_logs(&mut self) {
        self.event(Event::LiveRestarted);
        let peers: Vec<PeerId> = self.peers.keys().copied().collect();
        for id in peers {
            if self.peers.get(&id).is_some_and(Peer::is_ready) {
                let reason = ByeReason::Replaced;
                self.send(id, &Message::Bye { reason });
            }
            self.close_peer(id, CloseReason::Surplus, "logs_replaced");
        }
        self.forget_objects();
        self.postpone_demands();
    }

    /// Shows from the pages of a log that it continues what was taken before a gap.
    fn want_links(&mut self) {
        let Some(live) = &self.live else { return };
        let unlinked: Vec<_> = live
            .chain
            .unlinked()
            .iter()
            .map(|unlinked| (unlinked.track, unlinked.old.0))
            .collect();
        for (track, size) in unlinked {
            if let Some(root) = self.catalog.log_root_at(track, size) {
                let linked = self
                    .live
                    .as_mut()
                    .map(|live| live.chain.link_by_pages(track, &root));
                if let Some(Err(error)) = linked {
                    self.head_refused(error, None);
                }
            } else {
                for sheet in self.catalog.sheets_for_link(track, size) {
                    self.want_sheet(&sheet);
                }
            }
        }
    }

    /// A page of a log came: it may show what was not shown yet.
    pub(super) fn live_sheet_arrived(&mut self) {
        if self.live.is_some() {
            self.want_links();
        }
    }

    /// Timer: the next poll, the end of somebody's patience, the stream that stands still.
    pub(super) fn live_tick(&mut self) {
        self.pass_head_to_rest();
        self.poll_if_due();
        self.stand_for_next();
        self.refuse_overdue();
        self.feel_pulse();
        self.plan_poll();
    }

    /// Whether the stream goes on.
    fn feel_pulse(&mut self) {
        let now = self.now;
        let Some(live) = &mut self.live else { return };
        let pulse = live.chain.pulse(now.0);
        let frozen = matches!(pulse, Pulse::Frozen { .. });
        let changed = core::mem::replace(&mut live.frozen, frozen) != frozen;
        if let Pulse::Live { until_us } = pulse {
            self.timers.set_earlier(Timer::Live, Timestamp(until_us));
        }
        if changed {
            self.event(if frozen {
                Event::LiveFrozen
            } else {
                Event::LiveResumed
            });
        }
    }

    pub(super) fn live_stats(&self) -> Option<LiveStats> {
        let live = self.live.as_ref()?;
        let newest = live.chain.newest();
        let edge_us = self
            .catalog
            .tracks()
            .filter_map(|track| self.catalog.edge_us(track.id))
            .max();
        Some(LiveStats {
            state: match live.chain.pulse(self.now.0) {
                Pulse::Waiting => "waiting",
                Pulse::Live { .. } => "live",
                Pulse::Frozen { .. } => "frozen",
                Pulse::Ended => "ended",
            },
            session: newest.map_or(0, |head| head.session),
            sequence: newest.map_or(0, |head| head.sequence),
            edge_us,
            latency_us: edge_us
                .zip(self.player.map(|_| self.position_us()))
                .map(|(edge, position)| edge.saturating_sub(position)),
            polls: live.counts.polls,
            heads_from_peers: live.counts.from_peers,
            heads_from_http: live.counts.from_http,
            heads_refused: live.counts.refused,
        })
    }

    /// Demands for what no head states, and nobody will state in time.
    fn refuse_overdue(&mut self) {
        let now = self.now;
        let Some(live) = &self.live else { return };
        let patience = live.patience_us();
        let code = if live.chain.newest().is_some() {
            RefuseCode::NotYetStated
        } else {
            RefuseCode::Unavailable
        };
        let (overdue, waiting): (Vec<_>, Vec<_>) = self
            .demands
            .iter()
            .filter(|(_, demand)| demand.waits_for_head())
            .map(|(id, demand)| (*id, demand.asked_at + patience))
            .partition(|(_, until)| *until <= now);
        for (id, _) in overdue {
            self.refuse(id, code);
        }
        if let Some(until) = waiting.into_iter().map(|(_, until)| until).min() {
            self.timers.set_earlier(Timer::Live, until);
        }
    }
}

impl Counts {
    const fn taken(self) -> u32 {
        self.from_peers + self.from_http
    }
}

/// When each track's newest segment ended and was stated, for the next one to be expected.
fn growth(head: &LiveHead) -> impl Iterator<Item = (crate::content::TrackId, u64, u64)> + '_ {
    head.tracks
        .iter()
        .filter(|track| !track.closed)
        .filter_map(|track| {
            let last = track.records.last()?;
            let duration_ms = u64::from(last.duration) * 1_000 / u64::from(track.timescale.max(1));
            Some((track.id, track.media_end()?, duration_ms))
        })
}
