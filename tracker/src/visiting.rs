//! Auditors' visits: where a complaint leads. It proves nothing, and it makes auditors look.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use swarmseal::content::{PublicKey, SecretKey, SwarmId};
use swarmseal::identity::{Drbg, Handle};
use swarmseal::swarm::Timestamp;

use super::api::Now;
use super::finding::{AuditRefused, read_signature, write_signature};
use super::tracker::Tracker;

/// A visit that an auditor is about to begin. The tracker tells nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// Where.
    pub swarm: SwarmId,
    /// As whom.
    pub handle: Handle,
    /// When, Unix seconds.
    pub begins_unix_s: u64,
}

/// A visit, and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedVisit {
    /// What is planned.
    pub visit: Visit,
    /// By whom.
    pub auditor: PublicKey,
    #[serde(serialize_with = "write_signature", deserialize_with = "read_signature")]
    signature: [u8; 64],
}

impl Visit {
    /// This visit, signed with an auditor's `key`.
    pub fn sign(self, key: &SecretKey) -> SignedVisit {
        SignedVisit {
            visit: self,
            auditor: key.public(),
            signature: key.sign(&self.signed()),
        }
    }

    fn signed(&self) -> Vec<u8> {
        [
            CONTEXT,
            &self.swarm.0,
            &self.handle.0,
            &self.begins_unix_s.to_be_bytes(),
        ]
        .concat()
    }
}

/// Who is in a swarm that an auditor visits: what it may fetch follows from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// Members that are no auditors'.
    pub viewers: u32,
    /// Visits under way, this one included.
    pub visits: u32,
}

/// Peers that others complained of, and the auditors that are there to meet them.
#[derive(Debug, Default)]
pub(super) struct Suspicions {
    /// Whom to look at, and until when.
    suspects: BTreeMap<(SwarmId, Handle), Timestamp>,
    /// Who looks, and until when.
    visits: BTreeMap<(SwarmId, Handle), Timestamp>,
}

impl Suspicions {
    /// Whoever is there already when there are too many stays: who comes later cannot crowd it out.
    pub(super) fn suspect(&mut self, swarm: SwarmId, handle: Handle, now: Timestamp) {
        if self.suspects.len() < MAX_SUSPECTS || self.suspects.contains_key(&(swarm, handle)) {
            self.suspects.insert((swarm, handle), now.plus_ms(SUSPECT_MS));
        }
    }

    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.suspects.retain(|_, until| *until > now);
        self.visits.retain(|_, until| *until > now);
    }

    /// For an auditor: whom it should meet first, in random order. Nobody for anybody else.
    pub(super) fn for_auditor(
        &self,
        swarm: SwarmId,
        visitor: Handle,
        now: Timestamp,
        random: &mut Drbg,
    ) -> Vec<Handle> {
        if self
            .visits
            .get(&(swarm, visitor))
            .is_none_or(|until| *until <= now)
        {
            return Vec::new();
        }
        let here = (swarm, Handle([0; 16]))..=(swarm, Handle([0xff; 16]));
        let mut suspects: Vec<Handle> = self
            .suspects
            .range(here)
            .filter(|(_, until)| **until > now)
            .map(|((_, handle), _)| *handle)
            .collect();
        random.shuffle(&mut suspects);
        suspects
    }
}

impl Tracker {
    /// An auditor is about to join: those who were complained of come first in its lists. Says who is there.
    ///
    /// # Errors
    /// [`AuditRefused`]; nothing has changed then.
    pub fn take_visit(&mut self, now: Now, signed: &SignedVisit) -> Result<Company, AuditRefused> {
        let SignedVisit {
            visit,
            auditor,
            signature,
        } = signed;
        self.judge_auditor(now, auditor, &visit.signed(), signature, visit.begins_unix_s)?;
        if !self.contents.contains_key(&visit.swarm) {
            return Err(AuditRefused::UnknownSwarm);
        }
        let at = now.monotonic;
        self.suspicions.sweep(at);
        if self.suspicions.visits.len() >= MAX_VISITS {
            return Err(AuditRefused::NoRoom);
        }
        self.suspicions
            .visits
            .insert((visit.swarm, visit.handle), at.plus_ms(VISIT_MS));
        Ok(self.company(visit.swarm, visit.handle))
    }

    /// Without `newcomer`, which counts as a visit whether it is there already or not.
    fn company(&self, swarm: SwarmId, newcomer: Handle) -> Company {
        let members = self.swarms.get(&swarm).map(|swarm| &swarm.members);
        let others = members.into_iter().flat_map(|members| members.keys());
        let (visits, viewers): (Vec<&Handle>, Vec<&Handle>) = others
            .filter(|handle| **handle != newcomer)
            .partition(|handle| self.suspicions.visits.contains_key(&(swarm, **handle)));
        Company {
            viewers: u32::try_from(viewers.len()).unwrap_or(u32::MAX),
            visits: u32::try_from(visits.len()).map_or(u32::MAX, |others| others.saturating_add(1)),
        }
    }
}

const CONTEXT: &[u8] = b"swarmseal/visit/1";
/// A complaint leads auditors for an hour.
const SUSPECT_MS: u64 = 3_600_000;
/// Peers that auditors may be led to at a time.
const MAX_SUSPECTS: usize = 1_024;
/// The longest visit.
const VISIT_MS: u64 = 24 * 3_600_000;
/// Visits under way, of all auditors.
const MAX_VISITS: usize = 4_096;
