//! One introduction: two members, what each has sent so far, and when it is over.

use swarmseal::content::SwarmId;
use swarmseal::identity::Handle;
use swarmseal::signal::{ErrorCode, INTRODUCTION_TIMEOUT_S, MAX_CANDIDATES, SdpType, Setup};
use swarmseal::swarm::Timestamp;

use super::exposure::Account;

/// An introduction that is not over.
#[derive(Debug)]
pub(super) struct Introduction {
    pub(super) swarm: SwarmId,
    pub(super) offerer: Side,
    pub(super) answerer: Side,
    pub(super) deadline: Timestamp,
    /// Who paid for it in the exposure mode `guarded`.
    pub(super) paid: Option<[Account; 2]>,
    phase: Phase,
}

/// One of the two.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) handle: Handle,
    /// Whether the introduction was its wish: it is the one whose exposure it counts against.
    pub(super) asked: bool,
    /// It has said that the channel is open and proven.
    pub(super) connected: bool,
    described: bool,
    candidates: usize,
    candidates_ended: bool,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waits for both descriptions.
    Unanswered,
    /// Candidates may still come.
    Trickling,
    /// Nothing is passed on any more. Remembered so that the pair counts as introduced.
    Settled,
}

/// What the end of a deadline means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lapse {
    /// Not yet: look again then.
    Later(Timestamp),
    /// Nobody answered.
    Unanswered,
    /// Long settled: forget it.
    Old,
}

impl Introduction {
    /// Brings `asker` and `peer` together; the smaller handle offers.
    pub(super) fn new(swarm: SwarmId, asker: Handle, peer: Handle, now: Timestamp) -> Self {
        let (first, second) = (asker.min(peer), asker.max(peer));
        Self {
            swarm,
            offerer: Side::new(first, first == asker),
            answerer: Side::new(second, second == asker),
            deadline: now.plus_ms(u64::from(INTRODUCTION_TIMEOUT_S) * 1_000),
            paid: None,
            phase: Phase::Unanswered,
        }
    }

    /// Whether neither side has been told an address: with one, a check of connectivity brings the other's.
    pub(super) fn told_no_address(&self) -> bool {
        self.offerer.candidates == 0 && self.answerer.candidates == 0
    }

    /// The side of `handle` and the other one.
    pub(super) fn sides(&mut self, handle: Handle) -> Option<(SdpType, &mut Side, &mut Side)> {
        if self.offerer.handle == handle {
            Some((SdpType::Offer, &mut self.offerer, &mut self.answerer))
        } else if self.answerer.handle == handle {
            Some((SdpType::Answer, &mut self.answerer, &mut self.offerer))
        } else {
            None
        }
    }

    /// Whether nothing is passed on for this pair any more, so that a new introduction may begin.
    pub(super) fn is_settled(&self) -> bool {
        self.phase == Phase::Settled
    }

    /// `handle` sends its description. Says whether both are there now.
    pub(super) fn describe(
        &mut self,
        handle: Handle,
        setup: Setup,
        now: Timestamp,
    ) -> Result<bool, ErrorCode> {
        let phase = self.phase;
        let (role, own, other) = self.sides(handle).ok_or(ErrorCode::UnknownIntroduction)?;
        let is_turn = match role {
            SdpType::Offer => true,
            SdpType::Answer => other.described,
        };
        if own.described || !is_turn || phase != Phase::Unanswered {
            return Err(ErrorCode::NotSolicited);
        }
        if (role == SdpType::Offer) != (setup == Setup::Actpass) {
            return Err(ErrorCode::Malformed);
        }
        own.described = true;
        let answered = role == SdpType::Answer;
        if answered {
            self.phase = Phase::Trickling;
            self.deadline = now.plus_ms(TRICKLE_MS);
        }
        Ok(answered)
    }

    /// `handle` sends a candidate.
    pub(super) fn add_candidate(&mut self, handle: Handle) -> Result<(), ErrorCode> {
        let phase = self.phase;
        let (_, own, _) = self.sides(handle).ok_or(ErrorCode::UnknownIntroduction)?;
        if phase == Phase::Settled {
            return Err(ErrorCode::UnknownIntroduction);
        }
        if !own.described || own.candidates_ended {
            return Err(ErrorCode::NotSolicited);
        }
        if own.candidates >= MAX_CANDIDATES {
            return Err(ErrorCode::StateLimit);
        }
        own.candidates += 1;
        Ok(())
    }

    /// `handle` has no more candidates.
    pub(super) fn end_candidates(&mut self, handle: Handle) -> Result<(), ErrorCode> {
        let phase = self.phase;
        let (_, own, _) = self.sides(handle).ok_or(ErrorCode::UnknownIntroduction)?;
        if phase == Phase::Settled {
            return Err(ErrorCode::UnknownIntroduction);
        }
        if !own.described || own.candidates_ended {
            return Err(ErrorCode::NotSolicited);
        }
        own.candidates_ended = true;
        Ok(())
    }

    /// What is to be done when time has come to `now`.
    pub(super) fn lapse(&mut self, now: Timestamp) -> Lapse {
        if now < self.deadline {
            return Lapse::Later(self.deadline);
        }
        match self.phase {
            Phase::Unanswered => Lapse::Unanswered,
            Phase::Trickling => {
                self.phase = Phase::Settled;
                self.deadline = now.plus_ms(SETTLED_MS);
                Lapse::Later(self.deadline)
            }
            Phase::Settled => Lapse::Old,
        }
    }
}

impl Side {
    fn new(handle: Handle, asked: bool) -> Self {
        Self {
            handle,
            asked,
            connected: false,
            described: false,
            candidates: 0,
            candidates_ended: false,
        }
    }
}

/// How long candidates are passed on after the answer: browsers give up checking after about this time.
const TRICKLE_MS: u64 = 30_000;
/// How long a pair counts as introduced if neither side says that it lost the other: as long as a ticket.
const SETTLED_MS: u64 = 600_000;
