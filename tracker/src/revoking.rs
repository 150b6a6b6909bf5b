//! Revocation: who is out before its ticket ends, told to its swarm at once, and remembered over a restart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use swarmseal::content::SwarmId;
use swarmseal::identity::{CLOCK_TOLERANCE_S, Handle, MAX_REVOKED, MAX_TICKET_LIFETIME_S, Revocation};
use swarmseal::signal::ServerMessage;

use super::api::{CloseReason, Now};
use super::tracker::{Stay, Tracker};

/// One that is out. All of them together are what has to be kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Who.
    pub handle: Handle,
    /// Where it was, if it was anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swarm: Option<SwarmId>,
    /// What its admission was named: with it, another key changes nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag: Vec<u8>,
    /// Since when, in unix seconds.
    pub since: u64,
    /// Until when, in unix seconds.
    pub until: u64,
}

/// All that are out now.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    known: BTreeMap<Handle, Revoked>,
    /// Ends by tag.
    tags: BTreeMap<Vec<u8>, u64>,
    /// Whether somebody is out who was not when this was asked last.
    has_news: bool,
}

impl Revocations {
    pub(super) fn is_out(&self, handle: &Handle, tag: &[u8], unix_s: u64) -> bool {
        let is_after = |until: &u64| *until > unix_s;
        self.known
            .get(handle)
            .is_some_and(|revoked| is_after(&revoked.until))
            || self.tags.get(tag).is_some_and(is_after)
    }

    pub(super) fn sweep(&mut self, unix_s: u64) {
        self.known.retain(|_, revoked| revoked.until > unix_s);
        self.tags.retain(|_, until| *until > unix_s);
    }

    fn insert(&mut self, revoked: Revoked) {
        if !revoked.tag.is_empty() {
            let until = self.tags.entry(revoked.tag.clone()).or_default();
            *until = (*until).max(revoked.until);
        }
        self.known.insert(revoked.handle, revoked);
    }
}

impl Tracker {
    /// Puts `handle` out until `until` (unix seconds), and everybody who was admitted under the same tag: they are
    /// disconnected, not admitted again, and their swarms are told. Says whether there is room to remember it.
    pub fn revoke(&mut self, now: Now, handle: Handle, until: u64) -> bool {
        self.put_out(now, None, handle, until)
    }

    /// As [`Self::revoke`]. The swarm in which it has done wrong hears of it even if it has left.
    pub(super) fn put_out(&mut self, now: Now, swarm: Option<SwarmId>, handle: Handle, until: u64) -> bool {
        let unix_s = now.unix_ms / 1_000;
        self.revocations.sweep(unix_s);
        if self.revocations.known.len() >= MAX_REVOCATIONS {
            return false;
        }
        let tag = self.tag_of(swarm, handle);
        let concerned: Vec<Stay> = self
            .swarms
            .iter()
            .flat_map(|(swarm, state)| state.members.iter().map(move |member| (*swarm, member)))
            .filter(|(_, (other, member))| {
                **other == handle || !tag.is_empty() && member.admission_tag == tag
            })
            .map(|(swarm, (other, _))| Stay {
                swarm,
                handle: *other,
            })
            .collect();
        let revoked = |swarm, handle| Revoked {
            handle,
            swarm,
            tag: tag.clone(),
            since: unix_s,
            until,
        };
        if concerned.iter().all(|stay| stay.handle != handle) {
            self.revocations.insert(revoked(swarm, handle));
            if let Some(swarm) = swarm {
                self.tell_swarm(Stay { swarm, handle }, until);
            }
        }
        for stay in concerned {
            self.revocations.insert(revoked(Some(stay.swarm), stay.handle));
            if let Ok(member) = self.member(stay) {
                let conn = member.conn;
                self.close(conn, CloseReason::Revoked, now.monotonic);
            }
            self.tell_swarm(stay, until);
        }
        self.counts.revoked += 1;
        self.revocations.has_news = true;
        true
    }

    /// What the admission of a peer is named, or was named if it has left `swarm`; empty for none.
    fn tag_of(&self, swarm: Option<SwarmId>, handle: Handle) -> Vec<u8> {
        let here = self.swarms.values().find_map(|swarm| swarm.members.get(&handle));
        let tag = match here {
            Some(member) => Some(&member.admission_tag),
            None => swarm
                .and_then(|swarm| self.departed.get(&(swarm, handle)))
                .map(|departed| &departed.admission_tag),
        };
        tag.cloned().unwrap_or_default()
    }

    /// All that are out, to be kept over a restart.
    pub fn revocations(&self) -> impl Iterator<Item = &Revoked> {
        self.revocations.known.values()
    }

    /// Whether somebody was put out since this was asked last: then [`Self::revocations`] have to be kept anew.
    pub fn take_news_of_revocations(&mut self) -> bool {
        core::mem::take(&mut self.revocations.has_news)
    }

    /// Takes up what [`Self::revocations`] gave before a restart.
    pub fn restore_revocations(&mut self, revoked: impl IntoIterator<Item = Revoked>) {
        for revoked in revoked.into_iter().take(MAX_REVOCATIONS) {
            self.revocations.insert(revoked);
        }
    }

    /// What a newcomer has to know: those whose tickets may still be good.
    pub(super) fn recent_revocations(&self, swarm: SwarmId, now: Now) -> Option<ServerMessage> {
        let unix_s = now.unix_ms / 1_000;
        let is_recent = |revoked: &&Revoked| {
            revoked.swarm == Some(swarm)
                && revoked.until > unix_s
                && revoked.since.saturating_add(SHOWN_S) > unix_s
        };
        let mut recent: Vec<&Revoked> = self.revocations.known.values().filter(is_recent).collect();
        recent.sort_by_key(|revoked| core::cmp::Reverse(revoked.since));
        recent.truncate(MAX_REVOKED);
        // The latest end serves all: a newcomer is here for one visit.
        let until = recent.iter().map(|revoked| revoked.until).max()?;
        let handles = recent.into_iter().map(|revoked| revoked.handle).collect();
        Some(self.statement(swarm, until, handles))
    }

    fn tell_swarm(&mut self, out: Stay, until: u64) {
        let message = self.statement(out.swarm, until, vec![out.handle]);
        let members = self.swarms.get(&out.swarm).into_iter();
        let conns: Vec<_> = members
            .flat_map(|swarm| swarm.members.values().map(|member| member.conn))
            .collect();
        for conn in conns {
            self.send(conn, message.clone());
        }
    }

    fn statement(&self, swarm: SwarmId, until: u64, handles: Vec<Handle>) -> ServerMessage {
        let revocation = Revocation {
            swarm,
            until,
            handles,
        };
        ServerMessage::Revocation {
            statement: revocation.issue(&self.keys.signing),
        }
    }
}

/// Kept at a time.
pub(super) const MAX_REVOCATIONS: usize = 10_000;
/// How long after its revocation a peer may still show a ticket that seems good.
const SHOWN_S: u64 = MAX_TICKET_LIFETIME_S + 2 * CLOCK_TOLERANCE_S;
