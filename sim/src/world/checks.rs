//! Checks that go over everything: of one viewer after each of its turns in small worlds, of all viewers each second.

use swarmseal::swarm::PeerId;

use super::World;
use super::channels::Link;
use super::viewer::{Pairing, ViewerId};

/// Below so many viewers everything is checked after every turn.
const SMALL_WORLD: u32 = 50;
/// Connections that an engine keeps at most, as shipped.
const MAX_PEERS: usize = 24;
/// A store may hold what is wanted now beyond its limit: half of it again at most, and what the player waits for.
const STORE_SLACK: u64 = 16 << 20;
/// What a browser may hold unsent for one peer: its bound by rate, at most so much time of the whole uplink…
const UNSENT_US: u64 = 1_000_000;
/// …or the bounds for uplinks that are not known yet, with the message that may follow in any case.
const UNSENT_BYTES: u64 = 512 << 10;

impl World {
    pub(super) fn check_turn(&mut self, viewer: ViewerId) {
        if self.viewers.len() < SMALL_WORLD {
            self.check_books(viewer);
        }
    }

    pub(super) fn check_tick(&mut self, viewer: ViewerId, had_effect: bool) {
        self.counts.checks += 1;
        let now = self.now;
        let allowed = self
            .viewers
            .get_mut(viewer)
            .is_none_or(|owner| owner.spins.allows(now, had_effect));
        if !allowed {
            self.broken("timer_spins", viewer, "ticks without any effect".into());
        }
    }

    /// What goes up must keep to the cap.
    pub(super) fn check_upload(&mut self, viewer: ViewerId, bytes: u64) {
        self.counts.checks += 1;
        let now = self.now;
        let meter = self
            .viewers
            .get_mut(viewer)
            .and_then(|owner| owner.upload.as_mut());
        if meter.is_some_and(|meter| !meter.allows(now, bytes)) {
            self.broken(
                "upload_over_cap",
                viewer,
                format!("with a message of {bytes} bytes"),
            );
        }
    }

    /// All viewers, one after the other.
    pub(super) fn scan(&mut self) {
        for viewer in 0..self.viewers.len() {
            let is_running = self
                .viewers
                .get(viewer)
                .is_some_and(|owner| owner.is_here() && owner.engine.is_some());
            if is_running {
                self.check_books(viewer);
                self.check_store(viewer);
                self.check_links(viewer);
            }
        }
    }

    fn check_books(&mut self, viewer: ViewerId) {
        self.counts.checks += 1;
        let audited = self
            .viewers
            .get(viewer)
            .and_then(|owner| owner.engine.as_ref())
            .map(|engine| engine.audit());
        if let Some(Err(breach)) = audited {
            let what = format!("object {:?}, peer {:?}", breach.object, breach.peer);
            self.broken(breach.rule, viewer, what);
        }
    }

    fn check_store(&mut self, viewer: ViewerId) {
        self.counts.checks += 1;
        let Some(owner) = self.viewers.get(viewer) else {
            return;
        };
        let Some(engine) = owner.engine.as_ref() else {
            return;
        };
        let (said, held) = (engine.stats().store_bytes, owner.held_bytes);
        let limit = u64::from(self.scenario.policy.store_mib) << 20;
        if said != held {
            let what = format!("the engine says {said} bytes, the store has {held}");
            self.broken("store_differs", viewer, what);
        } else if held > limit + limit / 2 + STORE_SLACK {
            self.broken("store_too_large", viewer, format!("{held} bytes of {limit}"));
        }
    }

    fn check_links(&mut self, viewer: ViewerId) {
        self.counts.checks += 1;
        let Some(owner) = self.viewers.get(viewer) else {
            return;
        };
        let open = |pairing: &&Pairing| matches!(pairing, Pairing::Dialling | Pairing::Linked { .. });
        let count = owner.peers.iter().filter(open).count();
        let unsent_bound = UNSENT_BYTES.max(owner.up.kbps() * UNSENT_US / 8_000);
        let unsent = |number: &u32| {
            let (link, end) = owner.link(PeerId(*number))?;
            self.links.get(link)?.buffered(end)
        };
        let peers = u32::try_from(owner.peers.len()).unwrap_or(u32::MAX);
        let worst = (0..peers).filter_map(|number| unsent(&number)).max();
        if count > MAX_PEERS {
            self.broken("too_many_connections", viewer, format!("{count} are open"));
        }
        if let Some(bytes) = worst.filter(|bytes| *bytes > unsent_bound) {
            self.broken("too_much_unsent", viewer, format!("{bytes} bytes for one peer"));
        }
    }
}

impl Link {
    /// What the browser at an end holds unsent, both channels together.
    pub(super) fn buffered(&self, end: u8) -> Option<u64> {
        self.flow(end).map(|flow| flow.buffered().iter().sum())
    }
}
