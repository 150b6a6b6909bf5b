//! Who fetches over HTTP what nobody near holds: one viewer for everybody.
//!
//! A viewer that means to fetch says so first (CLAIM, with its rank in the election), waits until the claim has
//! gone round, and yields to a lower rank. Claims are passed on from neighbour to neighbour, so viewers that
//! were never introduced to each other agree as well. A claim is a hope, never a promise: it is believed for
//! about as long as HTTP takes, and the deadline of the player ends every wait.

use alloc::vec::Vec;

use super::engine::Engine;
use super::limits::{CLAIMS_BURST, CLAIMS_PER_S, MAX_CLAIMS};
use super::object::Object;
use super::rate::Allowance;
use super::{PeerId, Sharing, Timestamp};
use crate::content::{Hash, ObjectId};
use crate::identity::rank;
use crate::ordered::OrderedMap;
use crate::wire::Message;

/// A claim has gone round after this long: some hops of a swarm, microseconds.
const SETTLE_US: u64 = 200_000;
/// For each better-ranked neighbour a claim is made this much later, microseconds: most are never made…
const STEP_US: u64 = 50_000;
/// …but not later than for so many of them.
const MAX_STEPS: usize = 8;
/// Bits of a rank that say how well its viewer can pass on what it fetches.
const CLASS_BITS: u32 = 2;
/// Viewers of each class claim this much later than those of the one before, microseconds.
const CLASS_US: u64 = 100_000;
/// Beyond what HTTP takes, a claim is believed for this long, microseconds.
const BELIEF_US: u64 = 1_000_000;
/// Claims in a row that came from one neighbour and came to nothing: no more of its claims are believed.
const MAX_BROKEN: u32 = 3;
/// A viewer that serves nobody leaves the others this long to fetch first, microseconds.
const COURTESY_US: u64 = 1_400_000;

/// What is known of who will fetch an object.
#[derive(Clone, Copy, Debug)]
struct Claim {
    rank: u64,
    by: Claimant,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Claimant {
    /// This viewer will claim it then.
    SelfLater(Timestamp),
    /// This viewer claimed it and fetches then, unless a lower rank is heard of.
    SelfFrom(Timestamp),
    /// Somebody, as this neighbour said; not believed any more after that time.
    Other(PeerId, Timestamp),
}

/// All claims that are known, and how far neighbours' claims are believed.
#[derive(Debug, Default)]
pub(super) struct Claims {
    known: OrderedMap<ObjectId, Claim>,
}

/// What the election says about an object.
pub(super) enum Elected {
    /// This viewer, now.
    Yes,
    /// Somebody else, or not yet: look again then.
    NotBefore(Timestamp),
    /// There is nobody to elect.
    Nobody,
}

/// How a neighbour does with claims.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClaimRecord {
    broken: u32,
    allowance: Allowance,
}

impl ClaimRecord {
    /// Whether one more claim of it is looked at.
    fn take(&mut self, now: Timestamp) -> bool {
        self.broken < MAX_BROKEN && self.allowance.take(now, CLAIMS_BURST, CLAIMS_PER_S)
    }
}

impl Engine {
    /// Whether this viewer is to fetch `id`, which no neighbour holds.
    pub(super) fn elect(&mut self, id: ObjectId, asked_at: Timestamp) -> Elected {
        let now = self.now;
        let neighbours = self
            .peers
            .values()
            .any(|peer| peer.is_source(now) && peer.shares(id.track));
        let Some((own, wait)) = self.standing(id).filter(|_| neighbours) else {
            return Elected::Nobody;
        };
        let serves = self.serves();
        let by = self.claims.known.get(&id).map(|claim| claim.by);
        match by {
            Some(Claimant::Other(_, until)) if until > now => Elected::NotBefore(until),
            _ if !serves => {
                let until = asked_at + COURTESY_US;
                if until > now {
                    Elected::NotBefore(until)
                } else {
                    Elected::Yes
                }
            }
            Some(Claimant::Other(from, _)) => {
                if let Some(peer) = self.peers.get_mut(&from) {
                    peer.claims.broken += 1;
                }
                self.claim(id, own)
            }
            Some(Claimant::SelfFrom(at)) if at <= now => Elected::Yes,
            Some(Claimant::SelfLater(at)) if at <= now => self.claim(id, own),
            Some(Claimant::SelfFrom(at) | Claimant::SelfLater(at)) => Elected::NotBefore(at),
            None => {
                if wait == 0 {
                    return self.claim(id, own);
                }
                let at = now + wait;
                self.note_claim(id, own, Claimant::SelfLater(at));
                Elected::NotBefore(at)
            }
        }
    }

    /// Whether others would get what this viewer fetches.
    pub(super) fn serves(&self) -> bool {
        self.config.sharing == Sharing::On && !self.budget.is_exhausted(self.now)
    }

    /// Says that this viewer means to fetch `id`.
    pub(super) fn claim(&mut self, id: ObjectId, own: u64) -> Elected {
        let at = self.now + SETTLE_US;
        self.note_claim(id, own, Claimant::SelfFrom(at));
        self.pass_claim(id, own, None);
        Elected::NotBefore(at)
    }

    /// This viewer fetches `id` without having been elected: those who wait or claim need not fetch it too.
    pub(super) fn claim_fetched(&mut self, id: ObjectId) {
        if self.serves() && id.track.0 != 0 {
            self.pass_claim(id, FETCHING, None);
        }
    }

    /// A neighbour says that somebody means to fetch `id`.
    pub(super) fn peer_claims(&mut self, from: PeerId, id: ObjectId, rank: u64) {
        let now = self.now;
        let listed = self.catalog.object(id).map(|info| info.length);
        let known = listed.or_else(|| self.length_of_next(id));
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        let (Some(length), true) = (known, peer.shares(id.track) && peer.claims.take(now)) else {
            return;
        };
        let arriving = self.objects.get(&id).is_some_and(Object::is_arriving);
        if arriving || self.http_under_way(id) {
            // It is on its way here already: the claimant need not fetch it.
            if rank != FETCHING {
                self.send(
                    from,
                    &Message::Claim {
                        object: id,
                        rank: FETCHING,
                    },
                );
            }
            return;
        }
        let lowest = self.claims.known.get(&id).is_none_or(|claim| match claim.by {
            Claimant::Other(_, until) => rank < claim.rank || until <= now,
            Claimant::SelfLater(_) | Claimant::SelfFrom(_) => rank < claim.rank,
        });
        if !lowest {
            return;
        }
        let until = self.is_there_at(id).max(now)
            + (SETTLE_US + BELIEF_US + self.http.expect_us(length).saturating_mul(2));
        self.note_claim(id, rank, Claimant::Other(from, until));
        self.pass_claim(id, rank, Some(from));
        self.dirty |= self.objects.contains_key(&id);
    }

    /// Something of `id` came: whoever claimed it kept his word.
    pub(super) fn claim_kept(&mut self, id: ObjectId) {
        if let Some(Claim {
            by: Claimant::Other(from, _),
            ..
        }) = self.claims.known.remove(&id)
            && let Some(peer) = self.peers.get_mut(&from)
        {
            peer.claims.broken = 0;
        }
    }

    pub(super) fn note_claim(&mut self, id: ObjectId, rank: u64, by: Claimant) {
        let known = &mut self.claims.known;
        if known.len() >= MAX_CLAIMS && !known.contains_key(&id) {
            let oldest = known
                .iter()
                .min_by_key(|(_, claim)| claim.by.at())
                .map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                known.remove(&oldest);
            }
        }
        known.insert(id, Claim { rank, by });
    }

    fn pass_claim(&mut self, object: ObjectId, rank: u64, but: Option<PeerId>) {
        let to: Vec<PeerId> = self
            .peers
            .values()
            .filter(|peer| peer.is_ready() && peer.shares(object.track) && Some(peer.id) != but)
            .map(|peer| peer.id)
            .collect();
        for id in to {
            self.send(id, &Message::Claim { object, rank });
        }
    }

    /// Who is to fetch `id`, as far as anybody has said.
    pub(super) fn claimant(&self, id: ObjectId) -> Option<Claimant> {
        Some(self.claims.known.get(&id)?.by)
    }

    /// This viewer's rank for `id`, and how long it waits for others to claim first; `None` before the tracker gave it an
    /// election value. Whoever can pass on what it fetches goes first.
    pub(super) fn standing(&self, id: ObjectId) -> Option<(u64, u64)> {
        let info = self.catalog.object(id)?;
        let drawn = rank(&self.session.election()?, &info.root, self.session.epoch());
        let better = self.better_ranked(&info.root, drawn).min(MAX_STEPS) as u64;
        let class = self.budget.uplink_class(info.length, info.duration_us);
        // 0 is not a rank: it stands for somebody who fetches already.
        let rank = (drawn >> CLASS_BITS | class << (u64::BITS - CLASS_BITS)).max(1);
        Some((rank, better * STEP_US + class * CLASS_US))
    }

    /// Neighbours whose rank is lower than `own`.
    fn better_ranked(&self, root: &Hash, own: u64) -> usize {
        let epoch = self.session.epoch();
        self.peers
            .values()
            .filter(|peer| peer.is_source(self.now))
            .filter_map(|peer| peer.identity())
            .filter(|identity| rank(&identity.election, root, epoch) < own)
            .count()
    }
}

impl Claimant {
    const fn at(&self) -> Timestamp {
        match self {
            Self::SelfLater(at) | Self::SelfFrom(at) | Self::Other(_, at) => *at,
        }
    }
}

/// The rank of one who fetches already.
const FETCHING: u64 = 0;
