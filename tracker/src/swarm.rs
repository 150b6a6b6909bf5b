//! The members of one swarm, and what is kept about each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use swarmseal::content::{PublicKey, SwarmId};
use swarmseal::identity::{Election, Handle};
use swarmseal::signal::{
    DIRECT_INTRODUCTIONS, DIRECT_REPLACEMENTS_PER_MINUTE, IntroductionId, MAX_LIST, TrackRanges,
};
use swarmseal::swarm::Timestamp;

use super::api::{ConnId, PrefixTag};
use super::challenging::Proof;
use super::config::TrackerConfig;
use super::drawing::{RandomSet, Sources};
use super::exposure::Account;
use super::ranking::Profile;
use super::rate::{Bucket, Rate};

/// One swarm with at least one member.
#[derive(Debug, Default)]
pub(super) struct Swarm {
    pub(super) members: BTreeMap<Handle, Member>,
    /// All members, for drawing one at random.
    pub(super) everybody: RandomSet<Handle>,
    /// Members with an announcement that is valid, and proven where it can be.
    pub(super) sources: Sources,
}

/// One peer in one swarm.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) conn: ConnId,
    pub(super) key: PublicKey,
    pub(super) prefix: PrefixTag,
    pub(super) election: Election,
    /// Of the last grant.
    pub(super) admission_tag: Vec<u8>,
    pub(super) announced: Option<Announced>,
    /// Whether it holds what it announced.
    pub(super) proof: Proof,
    /// Of the last announcement on this connection.
    pub(super) announce_seq: Option<u64>,
    /// Introductions by the other side; one at most for each pair.
    pub(super) introductions: BTreeMap<Handle, IntroductionId>,
    /// Peers of the last introductions that are over: a report about them is welcome.
    pub(super) met: VecDeque<Handle>,
    pub(super) budget: Budget,
    pub(super) lists: Bucket,
    pub(super) announces: Bucket,
    pub(super) reports: Bucket,
    pub(super) renewals: Bucket,
    /// Sources that this peer has not been told of yet.
    pub(super) fresh: BTreeSet<Handle>,
    pub(super) pushed_at: Option<Timestamp>,
}

/// A valid announcement.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) ranges: Vec<TrackRanges>,
    pub(super) until: Timestamp,
}

/// What a peer may still ask for in the exposure mode `direct`. Kept for a while when its connection ends.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    asked: u32,
    replacements: Bucket,
}

impl Budget {
    pub(super) fn new(now: Timestamp) -> Self {
        let rate = Rate {
            burst: DIRECT_REPLACEMENTS_PER_MINUTE,
            per_minute: DIRECT_REPLACEMENTS_PER_MINUTE,
        };
        Self {
            asked: 0,
            replacements: Bucket::full(rate, now),
        }
    }

    /// Pays for one introduction of a peer that has asked for `live` others that are not over.
    pub(super) fn pay(&mut self, live: u32, now: Timestamp) -> Result<(), u32> {
        if self.asked >= DIRECT_INTRODUCTIONS {
            if live >= DIRECT_INTRODUCTIONS {
                return Err(60 / DIRECT_REPLACEMENTS_PER_MINUTE);
            }
            self.replacements.take(now).map_err(|retry| retry.0)?;
        }
        self.asked = self.asked.saturating_add(1);
        Ok(())
    }
}

impl Member {
    pub(super) fn new(
        (conn, prefix): (ConnId, PrefixTag),
        key: PublicKey,
        election: Election,
        config: &TrackerConfig,
        now: Timestamp,
    ) -> Self {
        Self {
            conn,
            key,
            prefix,
            election,
            admission_tag: Vec::new(),
            announced: None,
            proof: Proof::default(),
            announce_seq: None,
            introductions: BTreeMap::new(),
            met: VecDeque::new(),
            budget: Budget::new(now),
            lists: Bucket::full(config.lists, now),
            announces: Bucket::full(config.announces, now),
            reports: Bucket::full(config.reports, now),
            renewals: Bucket::full(RENEWALS, now),
            fresh: BTreeSet::new(),
            pushed_at: None,
        }
    }

    /// Whose exposure this member's introductions count against, and as whom it is drawn for lists.
    pub(super) fn account(&self, swarm: SwarmId, handle: Handle) -> Account {
        if self.admission_tag.is_empty() {
            Account::Handle(swarm, handle)
        } else {
            Account::Tag(self.admission_tag.clone())
        }
    }

    pub(super) fn profile(&self, handle: Handle) -> Profile<'_> {
        Profile {
            handle,
            prefix: self.prefix,
            ranges: self.announced.as_ref().map_or(&[], |announced| &announced.ranges),
            introductions: self.introductions.len(),
            complaints: self.proof.complaints,
        }
    }

    /// Whether this peer should hear of `source` without asking.
    pub(super) fn wants_news_of(&self, source: &Handle, below: u16) -> bool {
        self.introductions.len() < usize::from(below)
            && self.fresh.len() < MAX_LIST
            && !self.introductions.contains_key(source)
    }

    /// Takes note that the introduction to `peer` is over.
    pub(super) fn forget_introduction(&mut self, peer: &Handle) {
        if self.introductions.remove(peer).is_some() {
            if self.met.len() >= MAX_MET {
                self.met.pop_front();
            }
            self.met.push_back(*peer);
        }
    }

    pub(super) fn has_met(&self, peer: &Handle) -> bool {
        self.introductions.contains_key(peer) || self.met.contains(peer)
    }
}

/// How long a report may come late, in introductions.
const MAX_MET: usize = 64;
/// A ticket is signed on each; peers need one in ten minutes.
const RENEWALS: Rate = Rate {
    burst: 4,
    per_minute: 4,
};
