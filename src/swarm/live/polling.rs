//! When the origin is asked for the newest head, and by whom.
//!
//! Heads come at the pace of segments, so the next one is expected when the segment that is being made is as long as
//! the last one. The neighbour with the lowest rank asks for it then; the others wait for it a little longer each.

use alloc::string::String;

use super::growth;
use crate::content::live::{Chain, LiveHead, MAX_HEAD};
use crate::content::{Hash, TrackId};
use crate::identity::rank;
use crate::ordered::OrderedMap;
use crate::swarm::demands::Demand;
use crate::swarm::engine::Engine;
use crate::swarm::fetch::{Fetch, What};
use crate::swarm::peer::Peer;
use crate::swarm::timer::Timer;
use crate::swarm::{FetchId, FetchKind, FetchOutcome, Output, Timestamp};

/// Each better-ranked neighbour is given this long to bring a head, microseconds…
const STEP_US: u64 = 250_000;
/// …but not more than so many of them.
const MAX_STEPS: u64 = 6;
/// A poll that came too early is repeated after this long, microseconds; doubled up to [`SLOW_US`].
const RETRY_US: u64 = 100_000;
/// Longest time between two polls of one who has nobody to wait for, microseconds.
const SLOW_US: u64 = 800_000;
/// Somebody waits for a head that seems to be out: asked for after this long, microseconds.
const HASTE_US: u64 = 60_000;
/// A poll that found its head at once was perhaps late: the next one goes this much earlier, microseconds.
const EARLIER_US: i64 = 5_000;
/// Tracks that close their segments within this time of each other are waited for together, microseconds.
const TOGETHER_US: u64 = 300_000;

/// The polls of one viewer.
#[derive(Default)]
pub(super) struct Polling {
    fetch: Option<FetchId>,
    /// When the newest head came.
    taken_at: Timestamp,
    /// Polls since then that brought nothing, and when the last one did.
    misses: u32,
    missed_at: Timestamp,
    /// Somebody waits: not later than this.
    hasty_at: Option<Timestamp>,
    /// From a head's issue, on its publisher's clock, to its coming here on ours, microseconds.
    lag_us: Option<i64>,
    /// By track: where its log ended last, when that was stated (Unix, milliseconds), and how long the segment was.
    grown: OrderedMap<TrackId, (u64, u64, u64)>,
    /// What decides who asks for the next one.
    pub(super) newest: Option<Hash>,
    ended: bool,
}

impl Polling {
    /// A head was taken.
    pub(super) fn taken(&mut self, head: &LiveHead, by_poll: bool, now: Timestamp) {
        let sample = i64::try_from(now.0).unwrap_or(i64::MAX)
            - i64::try_from(head.issued_ms.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let early = self.lag_us.map_or(sample, |lag| lag.min(sample));
        self.lag_us = Some(match (by_poll, self.misses) {
            (true, 0) => early - EARLIER_US,
            (true, _) => sample,
            (false, _) => early,
        });
        self.grown.retain(|id, _| head.track(*id).is_some());
        for (track, end, duration_ms) in growth(head) {
            if self.grown.get(&track).is_none_or(|(known, ..)| *known < end) {
                self.grown.insert(track, (end, head.issued_ms, duration_ms));
            }
        }
        self.misses = 0;
        // Whoever waits on asks again.
        self.hasty_at = None;
        self.taken_at = now;
        self.ended = head.end;
    }

    /// A poll brought nothing new.
    pub(super) fn missed(&mut self, now: Timestamp) {
        self.misses = self.misses.saturating_add(1);
        self.missed_at = now;
    }

    /// When to ask next, `better` neighbours being there to ask first.
    fn next(&self, better: u64) -> Timestamp {
        let planned = match (self.newest, self.misses) {
            (None, 0) => self.taken_at,
            (_, 0) => self.expected().unwrap_or(self.taken_at + SLOW_US) + better * STEP_US,
            (..) => self.missed_at + self.patience() + better * STEP_US,
        };
        self.hasty_at.map_or(planned, |at| at.min(planned))
    }

    /// How long to wait after as many misses.
    fn patience(&self) -> u64 {
        (RETRY_US << self.misses.saturating_sub(1).min(8)).min(SLOW_US)
    }

    /// When the next head should be out, on our clock.
    pub(super) fn expected(&self) -> Option<Timestamp> {
        let lag = self.lag_us?;
        let due = |(_, issued_ms, duration_ms): &(u64, u64, u64)| {
            let issued = i64::try_from((issued_ms + duration_ms).saturating_mul(1_000)).ok()?;
            u64::try_from(issued.saturating_add(lag)).ok()
        };
        let first = self.grown.values().filter_map(due).min()?;
        let together = self
            .grown
            .values()
            .filter_map(due)
            .filter(|at| *at < first + TOGETHER_US);
        together.max().map(Timestamp)
    }
}

impl Engine {
    /// Somebody waits for a head that may be out already.
    pub(in crate::swarm) fn hasten_head(&mut self) {
        let better = self.pollers_before().min(MAX_STEPS);
        let Some(live) = &mut self.live else { return };
        let wait = HASTE_US * (1 + better);
        let wait = if live.polling.misses == 0 {
            wait
        } else {
            wait.max(live.polling.patience())
        };
        if live.polling.fetch.is_none() && live.polling.hasty_at.is_none() {
            live.polling.hasty_at = Some(self.now + wait);
        }
        self.plan_poll();
    }

    /// Sets the time of the next poll.
    pub(super) fn plan_poll(&mut self) {
        let better = self.pollers_before().min(MAX_STEPS);
        let Some(live) = &mut self.live else { return };
        let at = live.polling.next(better);
        if live.polling.fetch.is_none() && live.session_fetch.is_none() && !live.polling.ended {
            self.timers.set_earlier(Timer::Live, at);
        }
    }

    pub(super) fn poll_if_due(&mut self) {
        let now = self.now;
        let better = self.pollers_before().min(MAX_STEPS);
        let Some(live) = &mut self.live else { return };
        if live.polling.ended || live.polling.fetch.is_some() || live.session_fetch.is_some() {
            return;
        }
        if live.polling.next(better) > now {
            return;
        }
        let Some(path) = self.catalog.live_slot().map(|slot| slot.newest()) else {
            return;
        };
        let fetch = self.fetch_whole(What::Head, path, MAX_HEAD as u64, true);
        if let Some(live) = &mut self.live {
            live.polling.fetch = Some(fetch);
            live.polling.hasty_at = None;
            live.counts.polls += 1;
        }
    }

    /// The origin's newest head came.
    pub(in crate::swarm) fn head_came(&mut self, sealed: &[u8]) {
        let hash = Hash::of(&[sealed]);
        let Some(live) = &mut self.live else { return };
        if live.polling.newest == Some(hash) {
            live.polling.missed(self.now);
            return;
        }
        self.offer_head(sealed, None);
    }

    /// A poll is over, whatever it brought.
    pub(in crate::swarm) fn poll_ended(&mut self, outcome: FetchOutcome) {
        let Some(live) = &mut self.live else { return };
        live.polling.fetch = None;
        if outcome != FetchOutcome::Complete {
            live.polling.missed(self.now);
        }
        if self.demands.values().any(Demand::waits_for_head) {
            self.hasten_head();
        }
        self.plan_poll();
    }

    /// Fetches the session that a head of the origin says it is by.
    pub(super) fn fetch_session(&mut self, sealed: &[u8]) {
        let Some(number) = Chain::session_wanted(sealed) else {
            return;
        };
        let Some(path) = self.catalog.live_slot().map(|slot| slot.session(number)) else {
            return;
        };
        let now = self.now;
        let Some(live) = &mut self.live else { return };
        live.polling.missed(now);
        if live.session_fetch.is_some() {
            return;
        }
        live.orphan = Some(sealed.to_vec());
        let fetch = self.fetch_whole(What::Session, path, MAX_SESSION, false);
        if let Some(live) = &mut self.live {
            live.session_fetch = Some(fetch);
        }
    }

    pub(in crate::swarm) fn session_came(&mut self, sealed: &[u8]) {
        let wall = self.wall_now();
        let Some(live) = &mut self.live else { return };
        match live.chain.accept_session(sealed, wall) {
            Ok(_) => {
                if let Some(head) = live.orphan.take() {
                    self.offer_head(&head, None);
                }
            }
            Err(error) => self.session_refused(error, None),
        }
    }

    pub(in crate::swarm) fn session_fetch_ended(&mut self) {
        if let Some(live) = &mut self.live {
            live.session_fetch = None;
            live.orphan = None;
        }
        self.plan_poll();
    }

    /// One plain GET of a small file whose length nobody has signed.
    pub(super) fn fetch_whole(&mut self, what: What, path: String, most: u64, reload: bool) -> FetchId {
        let (now, fetch) = (self.now, self.fresh_fetch_id());
        self.outputs.push_back(Output::Fetch {
            fetch,
            path: path.clone(),
            range: None,
            kind: FetchKind::Whole { most },
            reload,
        });
        let entry = Fetch {
            what,
            path,
            started_at: now,
            first_byte_at: None,
            bytes: 0,
            progress_at: now,
            len: MAX_HEAD as u64,
        };
        self.timers
            .set_earlier(Timer::Schedule, entry.stalls_at(&self.http));
        self.fetches.insert(fetch, entry);
        fetch
    }

    /// Neighbours that are to ask for the next head before this viewer does.
    fn pollers_before(&self) -> u64 {
        // Whoever fetches what the next head states asks for the head as well.
        let own_turn = self.is_own_turn();
        if own_turn == Some(true) {
            return 0;
        }
        let newest = self.live.as_ref().and_then(|live| live.polling.newest);
        let (Some(root), Some(election)) = (newest, self.session.election()) else {
            return 0;
        };
        let epoch = self.session.epoch();
        let own = rank(&election, &root, epoch);
        self.peers
            .values()
            .filter(|peer| peer.passes_heads())
            .filter_map(Peer::identity)
            .filter(|identity| rank(&identity.election, &root, epoch) < own)
            .count() as u64
            + u64::from(own_turn.is_some())
    }
}

/// A sealed session is a handful of numbers and a key.
const MAX_SESSION: u64 = 1_024;
