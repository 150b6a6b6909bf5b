//! Heads between neighbours: each is checked before it goes on, and goes to each neighbour once.

use alloc::vec::Vec;

use crate::content::Hash;
use crate::content::live::Chain;
use crate::identity::CAPABILITY_LIVE_HEADS;
use crate::swarm::engine::Engine;
use crate::swarm::peer::Peer;
use crate::swarm::rate::Allowance;
use crate::swarm::timer::Timer;
use crate::swarm::{CloseReason, PeerId, Timestamp};
use crate::wire::Message;

/// Heads that a neighbour may send at once, and every second after that: each costs a signature to check. A stream
/// brings one for each segment or part, and two viewers may cross.
const HEADS_BURST: u64 = 16;
const HEADS_PER_S: u64 = 8;
/// Neighbours that are shown a head at once. That is enough for it to go round, and most others get it meanwhile from
/// somebody else…
const AT_ONCE: usize = 4;
/// …so that after this time few have not got it, microseconds…
const PASS_US: u64 = 200_000;
/// …of whom as many are shown it as make sure of it, and no more: a head weighs as much as a tenth of a chunk.
const LATER: usize = 2;

/// What one neighbour and this viewer have told each other.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::swarm) struct HeadsShown {
    /// The last head that either showed the other, and the last that it showed us.
    pub(super) shown: Option<Hash>,
    theirs: Option<Hash>,
    /// The last session that we showed it.
    session: u64,
    allowance: Allowance,
}

impl HeadsShown {
    fn take(&mut self, now: Timestamp) -> bool {
        self.allowance.take(now, HEADS_BURST, HEADS_PER_S)
    }
}

impl Peer {
    /// Whether it follows live heads, as both have said in their proofs.
    pub(in crate::swarm) fn passes_heads(&self) -> bool {
        self.identity()
            .is_some_and(|identity| identity.capabilities & CAPABILITY_LIVE_HEADS != 0)
    }
}

impl Engine {
    /// Shows a head that was taken to some neighbours now, and soon to some who have not seen it.
    pub(super) fn pass_head_on(&mut self, hash: Hash) {
        if let Some(live) = &mut self.live {
            live.polling.newest = Some(hash);
        }
        let to = self.head_peers();
        for id in self.some_of(&to, AT_ONCE) {
            self.show_head(id);
        }
        if to.len() > AT_ONCE {
            let at = self.now + PASS_US;
            if let Some(live) = &mut self.live {
                live.pass_at = Some(at);
            }
            self.timers.set_earlier(Timer::Live, at);
        }
    }

    /// Neighbours that follow heads.
    pub(super) fn head_peers(&self) -> Vec<PeerId> {
        self.peers
            .values()
            .filter(|peer| peer.passes_heads())
            .map(|peer| peer.id)
            .collect()
    }

    /// Shows the newest head to some who have not got it from anybody.
    pub(super) fn pass_head_to_rest(&mut self) {
        let now = self.now;
        let Some(live) = &mut self.live else { return };
        match live.pass_at {
            Some(at) if at <= now => live.pass_at = None,
            Some(at) => {
                self.timers.set_earlier(Timer::Live, at);
                return;
            }
            None => return,
        }
        let newest = live.polling.newest;
        let mut to = self.head_peers();
        to.retain(|id| self.peers.get(id).is_some_and(|peer| peer.heads.shown != newest));
        for id in self.some_of(&to, LATER) {
            self.show_head(id);
        }
    }

    /// Shows the newest head, and before it the session that it is by, unless the neighbour has seen them.
    pub(in crate::swarm) fn show_head(&mut self, id: PeerId) {
        let Some(live) = &self.live else { return };
        let (Some(newest), Some((session, head))) = (live.polling.newest, live.chain.newest_sealed()) else {
            return;
        };
        let number = live.chain.memory().session;
        let Some(peer) = self.peers.get_mut(&id).filter(|peer| peer.passes_heads()) else {
            return;
        };
        if peer.heads.shown == Some(newest) {
            return;
        }
        peer.heads.shown = Some(newest);
        let session =
            (core::mem::replace(&mut peer.heads.session, number) != number).then(|| session.to_vec());
        let head = head.to_vec();
        for sealed in session.into_iter().chain([head]) {
            self.send(id, &Message::Head(sealed));
        }
    }

    /// A neighbour shows a session or a head.
    pub(in crate::swarm) fn peer_head(&mut self, id: PeerId, sealed: &[u8]) {
        let (now, wall) = (self.now, self.wall_now());
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let (true, Some(live)) = (peer.passes_heads(), &mut self.live) else {
            self.blame(id, "head_not_wanted", None);
            return;
        };
        if !peer.heads.take(now) {
            let handle = peer.handle;
            self.leave_alone(handle);
            self.close_peer(id, CloseReason::Surplus, "head_flood");
            return;
        }
        if Chain::is_session(sealed) {
            match live.chain.accept_session(sealed, wall) {
                Ok(number) => peer.heads.session = peer.heads.session.max(number),
                Err(error) => self.session_refused(error, Some(id)),
            }
            return;
        }
        let hash = Hash::of(&[sealed]);
        // An older one that crossed with the newest does not undo that it was shown.
        if peer.heads.shown != live.polling.newest {
            peer.heads.shown = Some(hash);
        }
        let repeated = peer.heads.theirs.replace(hash) == Some(hash);
        if live.chain.has_taken(&hash) {
            // It crossed with ours, or came by two ways. The same one twice from one neighbour is a waste of time.
            if repeated && live.polling.newest != Some(hash) {
                self.blame(id, "head_repeated", None);
            }
            return;
        }
        self.offer_head(sealed, Some(id));
    }
}
