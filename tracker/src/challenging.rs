//! Challenges: an announcer shows chunks of what it announced before anybody is told of it as a source, and again at
//! times that it cannot foresee.
//!
//! The tracker holds the roots of a content ([`super::Roots`]) and none of its bytes. Of a live content they are those that
//! heads have stated so far: who announces segments that no head has stated yet is not listed for them. Where the tracker
//! has no roots, announcers are listed on their word.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use swarmseal::content::{Hash, SwarmId};
use swarmseal::identity::Handle;
use swarmseal::signal::{
    ErrorCode, IntroductionId, MAX_PICKS, NOT_HELD, Pick, ServerMessage, Shown, TrackRanges, verify_answer,
};
use swarmseal::swarm::Timestamp;

use super::api::ConnId;
use super::rate::Rate;
use super::roots::{Roots, covers};
use super::tracker::{Refusal, Stay, Timer, Tracker};

/// How announcers are put to the proof. Documented with its reasons in the default configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChallengeConfig {
    /// Whether an announcer has to prove itself before it is listed, where the tracker knows the content.
    pub required: bool,
    /// Chunks that it has to show, 10 to 16.
    pub picks: u8,
    /// Time for the answer beyond a slow round trip, in milliseconds.
    pub grace_ms: u32,
    /// The uplink with which an answer still comes in time, in kilobits per second.
    pub least_uplink_kbps: u32,
    /// How long a proof holds, in seconds.
    pub lease_s: u32,
    /// Mean time between two looks at somebody who is listed, in seconds.
    pub recheck_s: u32,
    /// Challenges to announcers that are not listed yet, over all swarms: bounds what the tracker takes in.
    pub admissions: Rate,
}

impl Default for ChallengeConfig {
    fn default() -> Self {
        Self {
            required: true,
            picks: 10,
            grace_ms: 500,
            least_uplink_kbps: 300,
            lease_s: 600,
            recheck_s: 60,
            admissions: Rate {
                burst: 200,
                per_minute: 6_000,
            },
        }
    }
}

impl ChallengeConfig {
    /// The first field that is out of bounds.
    pub(super) fn out_of_bounds(&self) -> Option<&'static str> {
        let picks = LEAST_PICKS..=MAX_PICKS;
        let seconds = 10..=3_600;
        [
            ("challenge.picks", picks.contains(&usize::from(self.picks))),
            ("challenge.grace_ms", (100..=10_000).contains(&self.grace_ms)),
            ("challenge.least_uplink_kbps", self.least_uplink_kbps >= 100),
            ("challenge.lease_s", seconds.contains(&self.lease_s)),
            ("challenge.recheck_s", seconds.contains(&self.recheck_s)),
            (
                "challenge.admissions",
                self.admissions.burst >= 1 && self.admissions.per_minute >= 1,
            ),
        ]
        .into_iter()
        .find_map(|(field, holds)| (!holds).then_some(field))
    }
}

/// How far an announcer is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It said what it holds, if anything, and was not asked yet.
    #[default]
    Announced,
    /// It was asked.
    Challenged,
    /// It has shown what it was asked for, and is listed.
    Verified,
    /// It has not, and is asked again later.
    Failed,
    /// It has once; that is too long ago.
    Expired,
}

/// What is known of one announcer's word.
#[derive(Clone, Debug, Default)]
pub(super) struct Proof {
    pub(super) standing: Standing,
    open: Option<Open>,
    /// The challenge before: what still comes for it is late and no fault.
    last: Option<IntroductionId>,
    /// Chunks of the announcement that was proven.
    proven: u64,
    lease_until: Timestamp,
    /// Failures in a row, kept when the peer comes back under its key.
    failures: u32,
    retry_at: Timestamp,
    /// Challenges in a row that proved nothing, because something was withdrawn meanwhile.
    voids: u32,
    /// Since it was last found to hold what it says.
    pub(super) complaints: u8,
    /// What may be asked of it in rechecks, in chunks times [`RECHECK_SHARE`].
    credit: u64,
    /// The time at which it is looked at next; timers set for others mean nothing any more.
    due: Option<Timestamp>,
}

/// A challenge that is not answered yet.
#[derive(Clone, Debug)]
struct Open {
    id: IntroductionId,
    picks: Vec<Pick>,
    /// What they were drawn from, and answers are checked against: those of live contents may be gone when one comes.
    editions: Vec<Arc<Roots>>,
    /// Leaf hashes of the chunks that were shown, each with a path to its segment's root.
    shown: Vec<Option<Hash>>,
    /// Chunks of the announcement out of which the picks were drawn.
    size: u64,
    deadline: Timestamp,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Admission,
    Recheck,
}

impl Proof {
    /// What is remembered of it while its peer is away.
    pub(super) fn departed(self) -> Self {
        Self {
            failures: self.failures,
            retry_at: self.retry_at,
            standing: if self.failures > 0 {
                Standing::Failed
            } else {
                Standing::Announced
            },
            ..Self::default()
        }
    }
}

impl Open {
    fn question(&self) -> Vec<u8> {
        self.picks.iter().flat_map(Pick::encode).collect()
    }
}

impl Tracker {
    /// How far a member is believed; `None` if there is no such member.
    pub fn standing(&self, swarm: SwarmId, handle: Handle) -> Option<Standing> {
        let member = self.swarms.get(&swarm)?.members.get(&handle)?;
        Some(member.proof.standing)
    }

    /// Lists a source if its word is proven, or nothing is known that it could be checked against; otherwise it has to
    /// prove it first. `before` is what it announced before.
    pub(super) fn weigh(&mut self, now: Timestamp, conn: ConnId, stay: Stay, before: &[TrackRanges]) {
        let Some(newest) = self.newest_roots(stay.swarm) else {
            self.add_source(now, stay);
            return;
        };
        let Ok(member) = self.member(stay) else {
            return;
        };
        let ranges = member
            .announced
            .as_ref()
            .map_or(&[][..], |announced| &announced.ranges);
        let size = newest.chunks(ranges);
        let news = newest.news(ranges, before);
        let proof = &mut member.proof;
        proof.credit = proof.credit.saturating_add(news).min(MAX_CREDIT);
        let is_proven = proof.standing == Standing::Verified
            && proof.lease_until > now
            && size > 0
            && size <= proof.proven.saturating_mul(GROWTH);
        if is_proven {
            self.add_source(now, stay);
            return;
        }
        if proof.standing == Standing::Verified {
            proof.standing = Standing::Announced;
        }
        let is_open = proof
            .open
            .as_ref()
            .is_some_and(|open| open.kind == Kind::Admission);
        let retry_at = proof.retry_at;
        self.remove_source(stay);
        if is_open || size == 0 {
            return;
        }
        if retry_at > now {
            self.look_again(conn, stay, retry_at);
        } else {
            self.challenge(now, conn, stay, Kind::Admission);
        }
    }

    /// A timer of this connection is due.
    pub(super) fn check_proof(&mut self, conn: ConnId, now: Timestamp) {
        let Some(stay) = self.connections.get(&conn).and_then(|connection| connection.stay) else {
            return;
        };
        let Ok(member) = self.member(stay) else {
            return;
        };
        if member.conn != conn || member.proof.due.is_none_or(|due| due > now) {
            return;
        }
        member.proof.due = None;
        let is_announced = member.announced.is_some();
        let proof = &mut member.proof;
        if proof.open.is_some() {
            self.late(now, conn, stay);
            return;
        }
        if proof.standing == Standing::Verified && proof.lease_until > now {
            if is_announced && proof.credit >= RECHECK_SHARE {
                self.challenge(now, conn, stay, Kind::Recheck);
            } else {
                self.recheck_later(now, conn, stay);
            }
            return;
        }
        if proof.standing == Standing::Verified {
            proof.standing = Standing::Expired;
        }
        let announced = member.announced.as_ref();
        let Some(ranges) = announced.map(|announced| announced.ranges.clone()) else {
            self.remove_source(stay);
            return;
        };
        if proof.standing == Standing::Failed {
            // Where nothing can be asked now, the next head that states something of it is as good a reason to ask.
            proof.standing = Standing::Announced;
        }
        self.weigh(now, conn, stay, &ranges);
    }

    /// A peer that met a source complains of it, which proves nothing: the source ranks lower, and is looked at soon, within
    /// what rechecks may ask of it at all.
    pub(super) fn complained_of(&mut self, now: Timestamp, swarm: SwarmId, handle: Handle) {
        self.suspicions.suspect(swarm, handle, now);
        let wait_ms = self.random.index(COMPLAINT_SPREAD_MS);
        let wait_ms = wait_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or_default();
        let stay = Stay { swarm, handle };
        let Ok(member) = self.member(stay) else {
            return;
        };
        let (conn, proof) = (member.conn, &mut member.proof);
        proof.complaints = proof.complaints.saturating_add(1).min(MOST_COMPLAINTS);
        let at = now.plus_ms(COMPLAINT_MS + wait_ms);
        let is_sooner = proof.due.is_some_and(|due| at < due);
        if proof.standing == Standing::Verified && proof.open.is_none() && is_sooner {
            self.look_again(conn, stay, at);
        }
    }

    fn challenge(&mut self, now: Timestamp, conn: ConnId, stay: Stay, kind: Kind) {
        if kind == Kind::Admission && self.admissions.take(now).is_err() {
            self.counts.challenges_put_off += 1;
            self.look_again(conn, stay, now.plus_ms(FULL_RETRY_MS));
            return;
        }
        let editions = self.editions(stay.swarm);
        let Some((picks, size)) = self.draw(stay, kind, &editions) else {
            return;
        };
        let id = IntroductionId(self.random.array());
        let bytes = (picks.len() as u64).saturating_mul(SHOWN_BYTES);
        let transfer_ms = bytes.saturating_mul(8) / u64::from(self.config.challenge.least_uplink_kbps.max(1));
        let allowed_ms = self
            .slow_round_trip_ms()
            .saturating_add(u64::from(self.config.challenge.grace_ms))
            .saturating_add(transfer_ms);
        let deadline = now.plus_ms(allowed_ms);
        let open = Open {
            id,
            shown: vec![None; picks.len()],
            picks,
            editions,
            size,
            deadline,
            kind,
        };
        let question = open.question();
        let Ok(member) = self.member(stay) else {
            return;
        };
        let asked = (open.picks.len() as u64).saturating_mul(RECHECK_SHARE);
        member.proof.open = Some(open);
        match kind {
            Kind::Admission => {
                member.proof.standing = Standing::Challenged;
                self.counts.challenges += 1;
            }
            Kind::Recheck => {
                member.proof.credit = member.proof.credit.saturating_sub(asked);
                self.counts.rechecks += 1;
            }
        }
        self.look_again(conn, stay, deadline);
        self.send(
            conn,
            ServerMessage::Challenge {
                challenge: id,
                question,
            },
        );
    }

    /// Chunks to ask for, no two alike and in no order that says anything, and how many there are to draw from.
    fn draw(&mut self, stay: Stay, kind: Kind, editions: &[Arc<Roots>]) -> Option<(Vec<Pick>, u64)> {
        let newest = editions.first()?;
        let member = self.member(stay).ok()?;
        let ranges = member.announced.as_ref()?.ranges.clone();
        let credit = member.proof.credit;
        let size = newest.chunks(&ranges);
        let most = u64::from(self.config.challenge.picks);
        let most = match kind {
            Kind::Admission => most,
            Kind::Recheck => most.min(credit / RECHECK_SHARE),
        };
        let mut picks = Vec::new();
        if size <= most {
            picks.extend((0..size).filter_map(|place| newest.pick(&ranges, place)));
        } else {
            let places = usize::try_from(size).ok()?;
            // As many tries as make a set that stays too small next to impossible, even of very few chunks.
            for _ in 0..most.saturating_mul(DRAWS_PER_PICK) {
                if picks.len() as u64 >= most {
                    break;
                }
                let place = self
                    .random
                    .index(places)
                    .and_then(|place| u64::try_from(place).ok())?;
                if let Some(pick) = newest.pick(&ranges, place)
                    && !picks.contains(&pick)
                {
                    picks.push(pick);
                }
            }
        }
        // A viewer of the version before may not have so long a segment, and cannot know of this one.
        picks.retain(|pick| {
            let lengths = editions.iter().filter_map(|roots| roots.chunks_of(pick.object));
            lengths.min().is_some_and(|least| pick.chunk < least)
        });
        (!picks.is_empty()).then_some((picks, size))
    }

    /// One chunk of an answer.
    pub(super) fn shown(
        &mut self,
        now: Timestamp,
        conn: ConnId,
        stay: Stay,
        shown: &Shown,
    ) -> Result<(), Refusal> {
        let open = self.open_challenge(stay, shown.challenge)?;
        let Some(open) = open else {
            return Ok(());
        };
        let number = usize::from(shown.number);
        let (Some(pick), Some(place)) = (open.picks.get(number), open.shown.get_mut(number)) else {
            return Err(unasked());
        };
        if place.is_some() {
            return Err(unasked());
        }
        *place = Some(shown.leaf);
        let has = |roots: &Arc<Roots>| roots.has(*pick, &shown.leaf, &shown.path);
        let holds = now <= open.deadline && open.editions.iter().any(has);
        self.counts.chunks_shown += 1;
        if !holds {
            self.fail(now, conn, stay);
        }
        Ok(())
    }

    /// The signed end of an answer.
    pub(super) fn challenge_answer(
        &mut self,
        now: Timestamp,
        conn: ConnId,
        stay: Stay,
        (challenge, answer): (IntroductionId, &[u8]),
    ) -> Result<(), Refusal> {
        let open = self.open_challenge(stay, challenge)?;
        let Some(open) = open.cloned() else {
            return Ok(());
        };
        let member = self.member(stay)?;
        let announced = member.announced.as_ref();
        let ranges = announced.map_or(&[][..], |announced| &announced.ranges);
        let leaves = verify_answer(answer, &member.key, challenge, &open.question());
        let leaves = leaves.filter(|_| now <= open.deadline).unwrap_or_default();
        let mut is_void = false;
        let mut holds = leaves.len() == open.picks.len();
        for ((pick, leaf), shown) in open.picks.iter().zip(leaves).zip(&open.shown) {
            if leaf == NOT_HELD {
                is_void = true;
                holds &= !covers(ranges, pick.object);
            } else {
                holds &= *shown == Some(leaf);
            }
        }
        if holds {
            self.conclude(now, conn, stay, is_void);
        } else {
            self.fail(now, conn, stay);
        }
        Ok(())
    }

    /// The challenge that is meant; `None` if it was closed before, so that what comes for it is late and no fault.
    fn open_challenge(&mut self, stay: Stay, id: IntroductionId) -> Result<Option<&mut Open>, Refusal> {
        let proof = &mut self.member(stay)?.proof;
        if proof.last == Some(id) {
            return Ok(None);
        }
        let open = proof.open.as_mut().filter(|open| open.id == id);
        open.map(Some).ok_or(unasked())
    }

    /// Everything that was asked for has been shown, or had been withdrawn.
    fn conclude(&mut self, now: Timestamp, conn: ConnId, stay: Stay, is_void: bool) {
        let lease_until = now.plus_ms(u64::from(self.config.challenge.lease_s) * 1_000);
        let Ok(member) = self.member(stay) else {
            return;
        };
        let proof = &mut member.proof;
        let Some(open) = proof.open.take() else {
            return;
        };
        proof.last = Some(open.id);
        if is_void {
            proof.voids += 1;
            if proof.voids >= MAX_VOIDS {
                self.fail(now, conn, stay);
                return;
            }
        } else {
            proof.voids = 0;
            proof.failures = 0;
            proof.complaints = 0;
            proof.lease_until = lease_until;
        }
        match open.kind {
            Kind::Recheck => {}
            Kind::Admission if is_void => proof.standing = Standing::Announced,
            Kind::Admission => {
                proof.standing = Standing::Verified;
                proof.proven = open.size;
            }
        }
        let ranges = member
            .announced
            .as_ref()
            .map(|announced| announced.ranges.clone());
        self.counts.challenges_passed += u64::from(!is_void);
        self.recheck_later(now, conn, stay);
        if let Some(ranges) = ranges {
            self.weigh(now, conn, stay, &ranges);
        }
    }

    /// No answer in time. The uplink of a source that others use may be full: it is asked again soon, and not for long.
    fn late(&mut self, now: Timestamp, conn: ConnId, stay: Stay) {
        let Ok(member) = self.member(stay) else {
            return;
        };
        let proof = &mut member.proof;
        match proof.open.take_if(|open| open.kind == Kind::Recheck) {
            Some(open) if proof.voids + 1 < MAX_VOIDS => {
                proof.voids += 1;
                proof.last = Some(open.id);
                let unused = (open.picks.len() as u64).saturating_mul(RECHECK_SHARE);
                proof.credit = proof.credit.saturating_add(unused).min(MAX_CREDIT);
                self.counts.challenges_late += 1;
                self.look_again(conn, stay, now.plus_ms(LATE_RETRY_MS));
            }
            _ => self.fail(now, conn, stay),
        }
    }

    fn fail(&mut self, now: Timestamp, conn: ConnId, stay: Stay) {
        let Ok(member) = self.member(stay) else {
            return;
        };
        let proof = &mut member.proof;
        if let Some(open) = proof.open.take() {
            proof.last = Some(open.id);
        }
        let wait_s = (FIRST_RETRY_S << proof.failures.min(8)).min(LAST_RETRY_S);
        let retry_at = now.plus_ms(wait_s * 1_000);
        proof.standing = Standing::Failed;
        proof.failures = proof.failures.saturating_add(1);
        proof.voids = 0;
        proof.proven = 0;
        proof.retry_at = retry_at;
        self.counts.challenges_failed += 1;
        self.remove_source(stay);
        self.look_again(conn, stay, retry_at);
    }

    /// At a time that the peer cannot foresee.
    fn recheck_later(&mut self, now: Timestamp, conn: ConnId, stay: Stay) {
        let mean_ms = u64::from(self.config.challenge.recheck_s) * 1_000;
        let spread = usize::try_from(mean_ms).unwrap_or(usize::MAX);
        let extra = self.random.index(spread).and_then(|ms| u64::try_from(ms).ok());
        let at = now.plus_ms(mean_ms / 2 + extra.unwrap_or_default());
        let lease_until = self.member(stay).map_or(at, |member| member.proof.lease_until);
        self.look_again(conn, stay, at.min(lease_until.max(now.plus_ms(1))));
    }

    fn look_again(&mut self, conn: ConnId, stay: Stay, at: Timestamp) {
        if let Ok(member) = self.member(stay) {
            member.proof.due = Some(at);
            self.set_timer(at, Timer::Proof(conn));
        }
    }

    fn newest_roots(&self, swarm: SwarmId) -> Option<Arc<Roots>> {
        let is_required = self.config.challenge.required;
        self.editions(swarm).into_iter().next().filter(|_| is_required)
    }

    /// The 99th of 100 round trips, of late: how long peers took from WELCOME to JOIN.
    fn slow_round_trip_ms(&self) -> u64 {
        let mut sorted: Vec<u32> = self.round_trips.iter().copied().collect();
        sorted.sort_unstable();
        let place = sorted.len().saturating_mul(99) / 100;
        let measured = sorted.get(place).copied();
        u64::from(
            measured
                .filter(|_| sorted.len() >= ENOUGH_ROUND_TRIPS)
                .unwrap_or(UNKNOWN_ROUND_TRIP_MS),
        )
    }

    /// A peer has answered WELCOME after so long.
    pub(super) fn measure_round_trip(&mut self, took_us: u64) {
        if self.round_trips.len() >= MAX_ROUND_TRIPS {
            self.round_trips.pop_front();
        }
        let took_ms = u32::try_from(took_us.div_ceil(1_000)).unwrap_or(u32::MAX);
        self.round_trips.push_back(took_ms.min(MOST_ROUND_TRIP_MS));
    }
}

/// What the two messages of an answer are refused with where nobody asked.
fn unasked() -> Refusal {
    Refusal::new(ErrorCode::NotSolicited, "no challenge is open")
}

/// Half a liar passes 10 picks in one of 1,024 trials.
const LEAST_PICKS: usize = 10;
/// A proof vouches for an announcement this many times as large: visits grow from one segment to hours, and each further
/// proof costs an uplink 160 KiB. With 4 a swarm that begins together gives its first uplinks to the tracker.
const GROWTH: u64 = 16;
/// Of what a peer announces anew, one chunk in so many may be asked for in rechecks: 0.5 percent.
const RECHECK_SHARE: u64 = 200;
/// Credit that is kept: two full rechecks.
const MAX_CREDIT: u64 = 2 * RECHECK_SHARE * MAX_PICKS as u64;
/// Longest message that shows a chunk.
const SHOWN_BYTES: u64 = 17 * 1_024;
/// Challenges in a row that prove nothing, or rechecks that are not answered in time, are a failure.
const MAX_VOIDS: u32 = 3;
/// Draws for each pick: of the fewest chunks there may be, 11, the last of 10 picks is found in two of 11 draws.
const DRAWS_PER_PICK: u64 = 64;
/// When to try again where too many are to be challenged.
const FULL_RETRY_MS: u64 = 500;
/// How long one that failed waits for another challenge; twice as long after each failure in a row…
const FIRST_RETRY_S: u64 = 5;
/// …and never longer than this.
const LAST_RETRY_S: u64 = 600;
/// When one that is listed and did not answer a recheck in time is asked again.
const LATE_RETRY_MS: u64 = 5_000;
/// Complaints that are remembered, so that slander has an end.
const MOST_COMPLAINTS: u8 = 8;
/// A source is looked at so long after a complaint, and up to [`COMPLAINT_SPREAD_MS`] later: it shall not know of it.
const COMPLAINT_MS: u64 = 1_000;
const COMPLAINT_SPREAD_MS: usize = 4_000;
/// Round trips that are remembered.
const MAX_ROUND_TRIPS: usize = 256;
/// Fewer say nothing of the slowest.
const ENOUGH_ROUND_TRIPS: usize = 32;
/// What is assumed until then, in milliseconds.
const UNKNOWN_ROUND_TRIP_MS: u32 = 1_000;
/// Longest round trip that counts, in milliseconds: who joins slowly on purpose wins no more time than this.
const MOST_ROUND_TRIP_MS: u32 = 2_000;
