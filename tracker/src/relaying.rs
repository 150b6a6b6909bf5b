//! Introductions: begun when one side asks, merged when both do, and what is passed on between the two.

use swarmseal::identity::Handle;
use swarmseal::signal::{
    Candidate, CandidateKind, Description, EndReason, ErrorCode, Exposure, IntroductionId, ReportCode,
    SdpType, ServerMessage,
};
use swarmseal::swarm::Timestamp;

use super::exposure::{Account, Spent};
use super::introduction::Introduction;
use super::tracker::{Refusal, Stay, Timer, Tracker};

impl Tracker {
    pub(super) fn introduce(&mut self, now: Timestamp, stay: Stay, peer: Handle) -> Result<(), Refusal> {
        let unknown = Refusal::new(ErrorCode::UnknownPeer, "no such peer");
        if peer == stay.handle {
            return Err(unknown);
        }
        let prefix = {
            let swarm = self.swarms.get(&stay.swarm).ok_or(unknown)?;
            let asker = swarm.members.get(&stay.handle).ok_or(unknown)?;
            let other = swarm.members.get(&peer).ok_or(unknown)?;
            let existing = asker.introductions.get(&peer).copied();
            if let Some(id) = existing {
                if self
                    .introductions
                    .get(&id)
                    .is_some_and(|known| !known.is_settled())
                {
                    // Both asked for each other: one introduction serves both.
                    self.counts.introductions_merged += 1;
                    return Ok(());
                }
            } else if other.introductions.len() >= MAX_INTRODUCTIONS
                || asker.introductions.len() >= MAX_INTRODUCTIONS
            {
                return Err(
                    Refusal::new(ErrorCode::ExposureLimit, "one side has enough introductions").after(10),
                );
            }
            asker.prefix
        };
        // Asking again for a peer that was introduced long ago says that it was lost.
        if let Some(id) = self.member(stay)?.introductions.get(&peer).copied() {
            self.finish(id, Some(stay.handle), EndReason::Connected);
        }
        self.prefixes
            .take_introduction(prefix, now)
            .map_err(Refusal::rate_limited)?;
        let paid = self.expose(now, stay, peer)?;

        let id = IntroductionId(self.random.array());
        let mut introduction = Introduction::new(stay.swarm, stay.handle, peer, now);
        introduction.paid = paid;
        let (offerer, answerer) = (introduction.offerer.handle, introduction.answerer.handle);
        self.set_timer(introduction.deadline, Timer::Introduction(id));
        self.introductions.insert(id, introduction);
        self.counts.introductions += 1;
        for (handle, other, role) in [
            (offerer, answerer, SdpType::Offer),
            (answerer, offerer, SdpType::Answer),
        ] {
            self.member(Stay { handle, ..stay })?
                .introductions
                .insert(other, id);
            let message = ServerMessage::Introduction {
                introduction: id,
                peer: other,
                role,
            };
            self.send_to(stay.swarm, handle, message);
        }
        Ok(())
    }

    /// Takes the introduction out of what the exposure mode allows.
    fn expose(&mut self, now: Timestamp, stay: Stay, peer: Handle) -> Result<Option<[Account; 2]>, Refusal> {
        let spent = Refusal::new(ErrorCode::ExposureLimit, "no more introductions for now");
        match self.config.exposure {
            // A relayed address is nobody's, so only the load counts, as in `direct`.
            Exposure::Direct | Exposure::Relay => {
                let live = self.live_introductions(stay);
                let budget = &mut self.member(stay)?.budget;
                budget.pay(live, now).map_err(|retry_s| spent.after(retry_s))?;
                Ok(None)
            }
            Exposure::Guarded => {
                let asker = self.member(stay)?.account(stay.swarm, stay.handle);
                let with_peer = Stay { handle: peer, ..stay };
                let other = self.member(with_peer)?.account(stay.swarm, peer);
                match self.ledgers.meet(&asker, &other, now) {
                    Ok(()) => Ok(Some([asker, other])),
                    Err(Spent::Asker(retry)) => Err(spent.after(retry.0)),
                    Err(Spent::Other) => Err(spent.after(OTHER_SPENT_RETRY_S)),
                }
            }
        }
    }

    pub(super) fn relay_description(
        &mut self,
        now: Timestamp,
        stay: Stay,
        id: IntroductionId,
        description: Description,
    ) -> Result<(), Refusal> {
        let introduction = self.introduction(stay, id)?;
        let answered = introduction
            .describe(stay.handle, description.setup, now)
            .map_err(not_now)?;
        let other = self.other_side(stay, id)?;
        if answered {
            self.counts.introductions_answered += 1;
        }
        self.counts.relayed_descriptions += 1;
        self.send_to(
            stay.swarm,
            other,
            ServerMessage::Description {
                introduction: id,
                description,
            },
        );
        Ok(())
    }

    pub(super) fn relay_candidate(
        &mut self,
        stay: Stay,
        id: IntroductionId,
        candidate: Candidate,
    ) -> Result<(), Refusal> {
        // In `relay` no address of a peer's own goes to another peer, not even one that it would give away itself.
        if self.config.exposure == Exposure::Relay && candidate.kind != CandidateKind::Relay {
            return Err(Refusal::new(ErrorCode::Malformed, "candidate_not_relayed"));
        }
        self.introduction(stay, id)?
            .add_candidate(stay.handle)
            .map_err(not_now)?;
        let other = self.other_side(stay, id)?;
        self.counts.relayed_candidates += 1;
        self.send_to(
            stay.swarm,
            other,
            ServerMessage::Candidate {
                introduction: id,
                candidate,
            },
        );
        Ok(())
    }

    pub(super) fn relay_end_of_candidates(&mut self, stay: Stay, id: IntroductionId) -> Result<(), Refusal> {
        self.introduction(stay, id)?
            .end_candidates(stay.handle)
            .map_err(not_now)?;
        let other = self.other_side(stay, id)?;
        self.send_to(
            stay.swarm,
            other,
            ServerMessage::EndOfCandidates { introduction: id },
        );
        Ok(())
    }

    pub(super) fn end_introduction(
        &mut self,
        stay: Stay,
        id: IntroductionId,
        reason: EndReason,
    ) -> Result<(), Refusal> {
        let (_, own, _) = self
            .introduction(stay, id)?
            .sides(stay.handle)
            .ok_or(Refusal::new(ErrorCode::UnknownIntroduction, UNKNOWN))?;
        if reason == EndReason::Connected {
            // The other side may still be on its way, and the pair counts as introduced from now on.
            own.connected = true;
        } else {
            self.finish(id, Some(stay.handle), reason);
        }
        Ok(())
    }

    pub(super) fn report(
        &mut self,
        now: Timestamp,
        stay: Stay,
        peer: Handle,
        code: ReportCode,
    ) -> Result<(), Refusal> {
        let member = self.member(stay)?;
        member.reports.take(now).map_err(Refusal::rate_limited)?;
        if member.has_met(&peer) {
            self.counts.report(code);
            // A handshake may have been broken by whoever carried the signalling.
            if code != ReportCode::Handshake {
                self.complained_of(now, stay.swarm, peer);
            }
        } else {
            self.counts.reports_ignored += 1;
        }
        Ok(())
    }

    /// Forgets an introduction. Both sides are told, except `by` and a side that has its connection.
    pub(super) fn finish(&mut self, id: IntroductionId, by: Option<Handle>, reason: EndReason) {
        let Some(introduction) = self.introductions.remove(&id) else {
            return;
        };
        if introduction.told_no_address() {
            for account in introduction.paid.iter().flatten() {
                self.ledgers.give_back(account);
            }
        }
        let is_news = reason != EndReason::Connected && !introduction.is_settled();
        let (offerer, answerer) = (introduction.offerer, introduction.answerer);
        for (own, other) in [(&offerer, &answerer), (&answerer, &offerer)] {
            let stay = Stay {
                swarm: introduction.swarm,
                handle: own.handle,
            };
            if let Ok(member) = self.member(stay) {
                member.forget_introduction(&other.handle);
                if is_news && by != Some(own.handle) && !own.connected {
                    let conn = member.conn;
                    self.send(
                        conn,
                        ServerMessage::IntroductionEnded {
                            introduction: id,
                            reason,
                        },
                    );
                }
            }
        }
    }

    /// The introduction, if `stay` is one of its two sides. Others cannot tell it from one that never was.
    fn introduction(&mut self, stay: Stay, id: IntroductionId) -> Result<&mut Introduction, Refusal> {
        let known = self.introductions.get_mut(&id).filter(|known| {
            known.swarm == stay.swarm
                && (known.offerer.handle == stay.handle || known.answerer.handle == stay.handle)
        });
        known.ok_or(Refusal::new(ErrorCode::UnknownIntroduction, UNKNOWN))
    }

    fn other_side(&mut self, stay: Stay, id: IntroductionId) -> Result<Handle, Refusal> {
        let sides = self
            .introduction(stay, id)?
            .sides(stay.handle)
            .map(|(_, _, other)| other.handle);
        sides.ok_or(Refusal::new(ErrorCode::UnknownIntroduction, UNKNOWN))
    }

    /// Introductions that this member asked for and that are not over.
    fn live_introductions(&self, stay: Stay) -> u32 {
        let member = self
            .swarms
            .get(&stay.swarm)
            .and_then(|swarm| swarm.members.get(&stay.handle));
        let asked = |id: &&IntroductionId| {
            self.introductions.get(id).is_some_and(|known| {
                [&known.offerer, &known.answerer]
                    .iter()
                    .any(|side| side.asked && side.handle == stay.handle)
            })
        };
        let live = member.map_or(0, |member| member.introductions.values().filter(asked).count());
        u32::try_from(live).unwrap_or(u32::MAX)
    }
}

fn not_now(code: ErrorCode) -> Refusal {
    let detail = match code {
        ErrorCode::UnknownIntroduction => UNKNOWN,
        ErrorCode::StateLimit => "too many candidates",
        ErrorCode::Malformed => "description_setup",
        _ => "not its turn",
    };
    Refusal::new(code, detail)
}

const UNKNOWN: &str = "no such introduction";
/// When to ask for somebody else, where the other side has seen enough.
const OTHER_SPENT_RETRY_S: u32 = 1;
/// Introductions of one member at a time, whoever asked: what it asks for and as much again from others.
const MAX_INTRODUCTIONS: usize = 64;
