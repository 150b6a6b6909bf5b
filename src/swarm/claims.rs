//! Who fetches over HTTP what nobody near holds: one viewer for everybody.
//!
//! A viewer that means to fetch says so first (CLAIM, with its rank in the election), waits until the claim has
//! gone round, and yields to a lower rank. Claims are passed on from neighbour to neighbour, so viewers that
//! were never introduced to each other agree as well. A claim is a hope, never a promise: it is believed for
//! about as long as HTTP takes, and the deadline of the player ends every wait.
//!
//! A segment at the edge of a live stream has to go round in two seconds, and one uplink takes most of that for a single
//! copy. So in swarms that are not small it is claimed in slices: the lowest bits of a rank say which slice it is for,
//! each slice has an election of its own, and whoever wins fetches it and what follows that nobody claims. A claim
//! weakens on its way, so that in a large swarm somebody near fetches as well.

use alloc::vec::Vec;

use super::engine::Engine;
use super::fallback::Part;
use super::limits::{CLAIMS_BURST, CLAIMS_PER_S, ENOUGH_PEERS, MAX_CLAIMS};
use super::object::Object;
use super::rate::Allowance;
use super::{HttpReason, PeerId, Sharing, Timestamp};
use crate::content::{CHUNK, Hash, ObjectId};
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
/// Slices of which each has an election of its own. In ranks they are the lowest bits.
const SLICES: u32 = if cfg!(feature = "live") { 8 } else { 1 };
/// Live: neighbours to whom a claim of somebody else goes on. It gets about all the same, and there are so many claims that
/// uplinks would be full of them.
const PASS_TO: usize = 4;
/// Chunks of which it is not worth while to make slices.
const FEW_CHUNKS: u32 = 2 * SLICES;
/// A claim on a slice is as much weaker after each neighbour that passes it on: a quarter of the draws there are.
const HOP: u64 = 1 << (u64::BITS - 2 * CLASS_BITS);
/// A viewer that serves nobody leaves the others this long to fetch first, microseconds.
const COURTESY_US: u64 = 1_400_000;

/// What is known of who will fetch an object.
#[derive(Clone, Copy, Debug)]
struct Claim {
    rank: u64,
    by: Claimant,
    /// Some of it came.
    kept: bool,
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
    known: OrderedMap<(ObjectId, u32), Claim>,
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
        let claim = self.claim_of(id, own);
        let own = claim
            .filter(|claim| claim.by.is_self())
            .map_or(own, |claim| claim.rank);
        match claim.map(|claim| claim.by) {
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
                if let Some(peer) = self
                    .peers
                    .get_mut(&from)
                    .filter(|_| !claim.is_some_and(|claim| claim.kept))
                {
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
            let length = self.catalog.object(id).map_or(0, |info| info.length);
            for slice in 0..self.slices(length) {
                self.pass_claim(id, slice.into(), None);
            }
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
        let slices = self.slices(length);
        let slice = slice_of(rank) % slices;
        let object = self.objects.get(&id);
        if self.live.is_some() && object.is_some_and(Object::is_complete) {
            // Newcomers fetch what nearly everybody has. Neighbours have been told that it can be had here.
            return;
        }
        let arriving = object.is_some_and(|object| {
            let (first, count) = object.part(slice, 1, slices);
            !object.is_complete() && object.unasked(first, count).count() < count as usize
        });
        if arriving {
            // It is on its way here already: the claimant need not fetch it.
            if rank >= SLICES.into() {
                self.send(
                    from,
                    &Message::Claim {
                        object: id,
                        rank: slice.into(),
                    },
                );
            }
            return;
        }
        let lowest = self
            .claims
            .known
            .get(&(id, slice))
            .is_none_or(|claim| match claim.by {
                Claimant::Other(_, until) => rank < claim.rank || until <= now,
                Claimant::SelfLater(_) | Claimant::SelfFrom(_) => rank < claim.rank,
            });
        if !lowest {
            return;
        }
        let until = self.is_there_at(id).max(now)
            + (SETTLE_US + BELIEF_US + self.http.expect_us(length).saturating_mul(2));
        self.note_claim(
            id,
            rank - u64::from(slice_of(rank)) + u64::from(slice),
            Claimant::Other(from, until),
        );
        let weaker = if slices > 1 && rank >= SLICES.into() {
            HOP
        } else {
            0
        };
        self.pass_claim(id, rank.checked_add(weaker).unwrap_or(rank), Some(from));
        self.dirty |= self.objects.contains_key(&id);
    }

    /// A chunk of `id` came: whoever claimed it kept his word. What is fetched by one is no longer waited for as a claim; of
    /// slices the others still are.
    pub(super) fn claim_kept(&mut self, id: ObjectId, chunk: u32) {
        let Some(object) = self.objects.get(&id) else {
            return;
        };
        let by = if self.slices(object.info.length) == 1 {
            self.claims.known.remove(&(id, 0)).map(|claim| claim.by)
        } else {
            let slice = object.slice_with(chunk, SLICES);
            self.claims.known.get_mut(&(id, slice)).map(|claim| {
                claim.kept = true;
                claim.by
            })
        };
        if let Some(Claimant::Other(from, _)) = by
            && let Some(peer) = self.peers.get_mut(&from)
        {
            peer.claims.broken = 0;
        }
    }

    /// The slice of an object that this viewer claimed, and when it fetches that, if nobody has begun with it.
    pub(super) fn own_slice(&self, id: ObjectId) -> Option<(Timestamp, u32)> {
        let object = self.objects.get(&id)?;
        if self.slices(object.info.length) == 1 || self.catalog.row(id).is_none() {
            return None;
        }
        let (slice, at) = (0..SLICES).find_map(|slice| match self.claims.known.get(&(id, slice))?.by {
            Claimant::SelfFrom(at) => Some((slice, at)),
            _ => None,
        })?;
        let (first, count) = object.part(slice, 1, SLICES);
        let lacking = |chunk: &u32| !self.sources_of(id).any(|(_, held)| held.has(*chunk));
        let untouched = object.unasked(first, count).filter(lacking).count();
        (untouched == count as usize).then_some((at, slice))
    }

    /// Fetches a slice for all, and what follows that nobody claims. If the others do not fetch theirs, it will be the rest.
    pub(super) fn fetch_slice(&mut self, id: ObjectId, slice: u32) {
        if let Some(claim) = self.claims.known.get_mut(&(id, slice)) {
            claim.by = Claimant::SelfFrom(self.now + 2 * BELIEF_US);
        }
        let claimed = |next: &u32| {
            self.claims
                .known
                .contains_key(&(id, around(slice + next, SLICES)))
        };
        let free = (1..SLICES).take_while(|next| !claimed(next)).count() as u32;
        let count = 1 + free;
        let from = if count == SLICES { 0 } else { slice };
        let beyond = (from + count).saturating_sub(SLICES);
        self.fetch_part(id, from, count - beyond);
        self.fetch_part(id, 0, beyond);
    }

    fn fetch_part(&mut self, id: ObjectId, slice: u32, count: u32) {
        if let Some(object) = self.objects.get(&id) {
            let (first, count) = object.part(slice, count, SLICES);
            self.fetch_object(id, first, count, HttpReason::Elected, Part::Unasked);
        }
    }

    pub(super) fn note_claim(&mut self, id: ObjectId, rank: u64, by: Claimant) {
        let known = &mut self.claims.known;
        let key = (id, slice_of(rank));
        if known.len() >= MAX_CLAIMS && !known.contains_key(&key) {
            let oldest = known
                .iter()
                .min_by_key(|(_, claim)| claim.by.at())
                .map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                known.remove(&oldest);
            }
        }
        known.insert(
            key,
            Claim {
                rank,
                by,
                kept: false,
            },
        );
    }

    fn pass_claim(&mut self, object: ObjectId, rank: u64, but: Option<PeerId>) {
        let mut to: Vec<PeerId> = self
            .peers
            .values()
            .filter(|peer| peer.is_ready() && peer.shares(object.track) && Some(peer.id) != but)
            .map(|peer| peer.id)
            .collect();
        if self.live.is_some() && but.is_some() {
            to = self.some_of(&to, PASS_TO);
        }
        for id in to {
            self.send(id, &Message::Claim { object, rank });
        }
    }

    /// This viewer's claim on `id`, or else what is known of the slice that its rank is for.
    fn claim_of(&self, id: ObjectId, rank: u64) -> Option<Claim> {
        let own = (0..SLICES)
            .filter_map(|slice| self.claims.known.get(&(id, slice)))
            .find(|claim| claim.by.is_self());
        own.or_else(|| self.claims.known.get(&(id, slice_of(rank))))
            .copied()
    }

    /// Who fetches `id` or its slice that `rank` is for, as far as anybody has said.
    #[cfg(feature = "live")]
    pub(super) fn claimant(&self, id: ObjectId, rank: u64) -> Option<Claimant> {
        Some(self.claim_of(id, rank)?.by)
    }

    /// Whether this viewer's claim on `id` is the best that is known of; `None` if there is none.
    #[cfg(feature = "live")]
    pub(super) fn leads(&self, id: ObjectId) -> Option<bool> {
        let claims = (0..SLICES).filter_map(|slice| self.claims.known.get(&(id, slice)));
        Some(matches!(
            claims.min_by_key(|claim| claim.rank)?.by,
            Claimant::SelfFrom(_)
        ))
    }

    fn neighbours(&self) -> usize {
        self.peers.values().filter(|peer| peer.is_ready()).count()
    }

    /// In how many slices something of this length is claimed.
    fn slices(&self, length: u64) -> u32 {
        let few = length < u64::from(FEW_CHUNKS) * u64::from(CHUNK);
        if self.live.is_none() || few { 1 } else { SLICES }
    }

    /// This viewer's rank for `id`, and how long it waits for others to claim first; `None` before the tracker gave it an
    /// election value. Whoever can pass on what it fetches goes first.
    pub(super) fn standing(&self, id: ObjectId) -> Option<(u64, u64)> {
        let info = self.catalog.object(id)?;
        let drawn = rank(&self.session.election()?, &info.root, self.session.epoch());
        let better = self.better_ranked(&info.root, drawn).min(MAX_STEPS) as u64;
        let class = self.budget.uplink_class(info.length, info.duration_us);
        let rank = drawn >> CLASS_BITS | class << (u64::BITS - CLASS_BITS);
        // The lowest ones are no ranks: they stand for somebody who fetches that slice already.
        let rank = rank.max(SLICES.into());
        // A small swarm has one who fetches all, with one request.
        let slices = if self.neighbours() >= ENOUGH_PEERS {
            self.slices(info.length)
        } else {
            1
        };
        let slice = u64::from(slice_of(rank) % slices);
        Some((
            rank - u64::from(slice_of(rank)) + slice,
            better * STEP_US + class * CLASS_US,
        ))
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
    const fn is_self(self) -> bool {
        matches!(self, Self::SelfFrom(_) | Self::SelfLater(_))
    }

    const fn at(&self) -> Timestamp {
        match self {
            Self::SelfLater(at) | Self::SelfFrom(at) | Self::Other(_, at) => *at,
        }
    }
}

/// Slices lie in a circle.
const fn around(slice: u32, slices: u32) -> u32 {
    slice % slices
}

/// The slice that a rank is for.
const fn slice_of(rank: u64) -> u32 {
    (rank % SLICES as u64) as u32
}
