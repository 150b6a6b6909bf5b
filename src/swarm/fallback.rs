//! When HTTP steps in: at once where there is nobody to wait for, when this viewer is elected to fetch for
//! the others, and otherwise so that it is in time for the deadline, never later.

use super::claims::Elected;
use super::engine::Engine;
use super::limits::MAX_FETCHES;
use super::peer::Peer;
use super::schedule::{IMPATIENCE_US, Want};
use super::{HttpReason, Sharing, Timestamp};
use crate::content::ObjectId;

/// HTTP is started this much earlier than it would just be in time, microseconds…
const MARGIN_US: u64 = 800_000;
/// …or by this part of the time that there was, if that is more…
const MARGIN_SHARE: u64 = 5;
/// …up to this much with a long buffer, microseconds.
const MAX_MARGIN_US: u64 = 4_000_000;
/// Peers who hold all of it have until so much earlier if they bring nothing meanwhile, microseconds…
const FINAL_US: u64 = 500_000;
/// …and until so much earlier while they go on bringing some, microseconds: HTTP takes about as long as was reckoned, and this is
/// what is left for it to be late.
const LAST_US: u64 = 300_000;
/// A connection that is being made counts as hope for this long, microseconds…
const DIAL_PATIENCE_US: u64 = 3_000_000;
/// …and not at all after this many, none of which came about.
const HOPELESS_DIALS: u32 = 3;
/// While peers may still be in time this is looked at again after, microseconds.
const LOOK_AGAIN_US: u64 = 250_000;
/// A part that no source holds is fetched elsewhere after this long without progress, microseconds.
const PARTIAL_PATIENCE_US: u64 = 1_000_000;
/// Live: peers get this long, and not [`IMPATIENCE_US`], without progress before HTTP is asked too, microseconds: what is
/// new is on its way to everybody.
const LIVE_PATIENCE_US: u64 = 350_000;

/// Which of an object's chunks HTTP is to bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All that is not here.
    Missing,
    /// What is not here and was asked of nobody.
    Unasked,
}

impl Engine {
    /// Starts HTTP if it is time, or says when to look again.
    pub(super) fn consider_http(&mut self, want: &Want, row: bool) -> Option<Timestamp> {
        let now = self.now;
        if self.http_under_way(want.id) {
            return None;
        }
        let object = self.objects.get(&want.id)?;
        if let Some(retry_at) = object.retry_at.filter(|retry_at| *retry_at > now) {
            return Some(retry_at);
        }
        if !want.demanded {
            return None;
        }
        if !row
            && (want.first > 0 || want.count < object.info.chunks)
            && want.id.track.0 != 0
            && !self.rows_hopeless(want.id)
        {
            // A part can only be checked with its row, which is on its way.
            return None;
        }
        let own_slice = self.own_slice(want.id);
        if let Some((_, slice)) = own_slice.filter(|(at, _)| *at <= now && self.fetches.len() < MAX_FETCHES) {
            self.fetch_slice(want.id, slice);
            return None;
        }
        match self.http_time(want) {
            Ok((reason, _))
                if want.fresh && !matches!(reason, HttpReason::Elected | HttpReason::Deadline) =>
            {
                None
            }
            Ok((reason, part)) => {
                if self.fetches.len() >= MAX_FETCHES {
                    return None;
                }
                if matches!(reason, HttpReason::Startup | HttpReason::NobodyHas) {
                    self.claim_fetched(want.id);
                }
                self.fetch_object(want.id, want.first, want.count, reason, part);
                None
            }
            Err(at) => Some(own_slice.map_or(at, |(own_at, _)| own_at.min(at))),
        }
    }

    fn rows_hopeless(&self, id: ObjectId) -> bool {
        self.catalog.rows_sheet(id, 1).is_none() || self.rows_fail_over_http(id)
    }

    /// Whether source peers hold, together, every chunk that is missing and was not asked for elsewhere.
    fn peers_cover(&self, want: &Want) -> bool {
        let Some(object) = self.objects.get(&want.id) else {
            return false;
        };
        object
            .unasked(want.first, want.count)
            .all(|chunk| self.sources_of(want.id).any(|(_, held)| held.has(chunk)))
    }

    /// Now, with the reason why, or when at the latest.
    fn http_time(&mut self, want: &Want) -> Result<(HttpReason, Part), Timestamp> {
        let now = self.now;
        let Some(object) = self.objects.get(&want.id) else {
            return Ok((HttpReason::Startup, Part::Missing));
        };
        if self.config.sharing == Sharing::Off || !self.config.tracker {
            return Ok((HttpReason::PeersOff, Part::Missing));
        }
        if want.id.track.0 == 0 {
            return Ok((HttpReason::Asset, Part::Missing));
        }
        let expect = self.http.expect_us(object.missing_bytes());
        // The more time there was when it was asked for, the more of it is kept as the player's buffer.
        let margin = (want.need_at.since(want.asked_at) / MARGIN_SHARE).clamp(MARGIN_US, MAX_MARGIN_US);
        let before = |us: u64| Timestamp(want.need_at.0.saturating_sub(us));
        let last_call = before(expect + expect / 2 + margin);
        let in_time = last_call > now;
        let progress = object.progress_at.max(object.asked_peers_at);
        // A holder of a part, or one that does not answer, must not keep the rest from being fetched.
        let stuck_at = progress.unwrap_or(want.asked_at).max(want.asked_at) + PARTIAL_PATIENCE_US;
        let covered = want.holders > 0 && (stuck_at > now || self.peers_cover(want));
        if covered {
            let unasked = object.unasked_bytes(want.first, want.count);
            if in_time {
                return Err(if stuck_at > now {
                    last_call.min(stuck_at)
                } else {
                    last_call
                });
            }
            let Some(progress) = progress else {
                // Nobody could be asked yet: the row is missing, or no credit is left.
                return Ok((HttpReason::Startup, Part::Missing));
            };
            // However steadily a slow peer drips: from here on HTTP would just be in time.
            let final_call = before(expect + expect / 2 + FINAL_US);
            let last_chance = final_call.max(object.asked_peers_at.unwrap_or(now)) + (FINAL_US - LAST_US);
            let patience = if self.live.is_some() {
                LIVE_PATIENCE_US
            } else {
                IMPATIENCE_US
            };
            let impatient_at = (progress + patience).max(final_call).min(last_chance);
            if impatient_at <= now {
                return Ok((HttpReason::Deadline, Part::Missing));
            }
            // What nobody was asked for will hardly come from peers in time: HTTP takes that part.
            if unasked > 0 && self.peers_eta_us(want) > want.need_at.since(now).saturating_sub(margin / 2) {
                return Ok((HttpReason::Deadline, Part::Unasked));
            }
            return Err(impatient_at.min(now + LOOK_AGAIN_US));
        }
        if !in_time {
            let waited = now.since(want.asked_at) > 0;
            let reason = if waited {
                HttpReason::NobodyHas
            } else {
                HttpReason::Startup
            };
            return Ok((reason, Part::Missing));
        }
        match self.elect(want.id, want.asked_at) {
            Elected::Yes => Ok((HttpReason::Elected, Part::Missing)),
            Elected::NotBefore(at) => Err(at.min(last_call)),
            Elected::Nobody if self.peers_expected() => Err(last_call),
            Elected::Nobody => Ok((HttpReason::NobodyHas, Part::Missing)),
        }
    }

    /// Whether a first peer may be ready soon.
    fn peers_expected(&self) -> bool {
        let given_up = self.connections_made.saturating_sub(self.peers.len() as u32);
        let hopeless = given_up >= HOPELESS_DIALS && self.connections_proved == 0;
        let coming = |peer: &Peer| {
            (!peer.is_ready() || peer.shared.is_none()) && self.now.since(peer.created_at) < DIAL_PATIENCE_US
        };
        !hopeless && (self.peers.values().any(coming) || self.session.may_bring_peers(self.now))
    }

    /// When peers will have brought what is missing, reckoned from their rates.
    fn peers_eta_us(&self, want: &Want) -> u64 {
        let Some(object) = self.objects.get(&want.id) else {
            return u64::MAX;
        };
        let rate: u64 = self
            .sources_of(want.id)
            .map(|(peer, _)| peer.expected_rate())
            .sum();
        super::rate::transfer_us(object.missing_bytes(), rate.max(1))
    }
}
