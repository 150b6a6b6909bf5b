//! Proofs of tampering: what a peer signed against the root that it names itself. Anybody may bring one, and nobody has to be
//! trusted. Nothing of the content has to be known here either, so that live contents are no exception.

use swarmseal::identity::{Handle, NoTampering, Tampering};

use super::api::Now;
use super::revoking::MAX_REVOCATIONS;
use super::tracker::{Refusal, Stay, Tracker};

/// Why a proof puts nobody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unproven {
    /// It is none.
    Malformed,
    /// The statement is of another swarm than the one that brings it.
    WrongSwarm,
    /// The statement is not of this minute: it may have been acted upon before.
    NotOfNow,
    /// Nobody with this key has been here of late.
    UnknownPeer,
    /// Somebody else has proven it already.
    AlreadyOut,
    /// Statement, right leaf and signature do not make a proof.
    No(NoTampering),
    /// Too many are out by proofs.
    NoRoom,
}

impl Unproven {
    /// Stable code.
    const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongSwarm => "wrong_swarm",
            Self::NotOfNow => "not_of_now",
            Self::UnknownPeer => "unknown_peer",
            Self::AlreadyOut => "already_out",
            Self::No(why) => why.code(),
            Self::NoRoom => "no_room",
        }
    }
}

impl Tracker {
    /// A peer brings a proof. It is not told what becomes of it: whoever is out is named to the whole swarm, and a proof that
    /// proves nothing may have been pushed on an honest receiver.
    pub(super) fn tampering(&mut self, now: Now, stay: Stay, proof: &[u8]) -> Result<(), Refusal> {
        let member = self.member(stay)?;
        member
            .reports
            .take(now.monotonic)
            .map_err(Refusal::rate_limited)?;
        let judged = self.judge_tampering(now, stay, proof);
        self.counts.proof(judged.map_err(Unproven::code));
        Ok(())
    }

    fn judge_tampering(&mut self, now: Now, stay: Stay, proof: &[u8]) -> Result<(), Unproven> {
        let proof = Tampering::read(proof).ok_or(Unproven::Malformed)?;
        let stated = proof.stated().ok_or(Unproven::Malformed)?;
        let sender = Handle::of(&proof.key);
        let unix_s = now.unix_ms / 1_000;
        if stated.swarm != stay.swarm {
            return Err(Unproven::WrongSwarm);
        }
        if stated.unix_s.abs_diff(unix_s) > FRESH_S {
            return Err(Unproven::NotOfNow);
        }
        if self.revocations.is_out(&sender, &[], unix_s) {
            return Err(Unproven::AlreadyOut);
        }
        let is_here = self
            .swarms
            .get(&stay.swarm)
            .is_some_and(|swarm| swarm.members.contains_key(&sender));
        if !is_here && !self.departed.contains_key(&(stay.swarm, sender)) {
            return Err(Unproven::UnknownPeer);
        }
        proof.check(&stated).map_err(Unproven::No)?;
        // Whoever makes keys and proves things against them leaves room for what auditors find and operators decide.
        if self.revocations().count() >= MAX_REVOCATIONS / 2 {
            return Err(Unproven::NoRoom);
        }
        let until = unix_s.saturating_add(u64::from(self.config.conviction_s).max(AGAIN_S));
        if self.put_out(now, Some(stay.swarm), sender, until) {
            Ok(())
        } else {
            Err(Unproven::NoRoom)
        }
    }
}

/// How old a statement may be, and how far its signer's clock may be off, which it has from the tracker.
const FRESH_S: u64 = 60;
/// Whoever is out is out for longer than the statement is fresh, however it is dated: it puts nobody out twice.
const AGAIN_S: u64 = 2 * FRESH_S + 1;
