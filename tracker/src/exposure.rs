//! The exposure mode `guarded`: how many addresses one admission may learn, whoever asked for the introduction.
//!
//! A ledger is kept for each admission tag, and for each handle where there is no tag. One that nobody has drawn on for
//! long enough is full again and forgotten, so coming back under the same name brings nothing.

use std::collections::BTreeMap;

use swarmseal::content::SwarmId;
use swarmseal::identity::Handle;
use swarmseal::swarm::Timestamp;

use super::rate::{Bucket, RetryAfter};

/// Whose exposure it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Account {
    /// Everybody who was admitted under one tag, in all swarms.
    Tag(Vec<u8>),
    /// One key in one swarm.
    Handle(SwarmId, Handle),
}

/// What is left to all that have drawn on it of late.
#[derive(Debug)]
pub(super) struct Ledgers<A> {
    drawn: BTreeMap<A, Bucket>,
    most: usize,
    burst: u32,
    per_hour: u32,
}

/// Why two peers may not meet now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spent {
    /// The one who asks has seen enough, for this long.
    Asker(RetryAfter),
    /// The other one has.
    Other,
}

impl<A: Ord + Clone> Ledgers<A> {
    /// `burst` at once from each, `per_hour` in the long run. At most `most` are kept; whoever would need one more waits, so that flooding the table sets nothing back.
    pub(super) fn new(most: usize, burst: u32, per_hour: u32) -> Self {
        Self {
            drawn: BTreeMap::new(),
            most,
            burst,
            per_hour,
        }
    }

    /// Two peers are about to learn each other's addresses: both pay, or none.
    pub(super) fn meet(&mut self, asker: &A, other: &A, now: Timestamp) -> Result<(), Spent> {
        if !self.may_meet(other, now) {
            return Err(Spent::Other);
        }
        self.draw(asker, now).map_err(Spent::Asker)?;
        self.draw(other, now).map_err(|_| {
            self.give_back(asker);
            Spent::Other
        })
    }

    /// Whether this one may learn one more.
    pub(super) fn may_meet(&self, account: &A, now: Timestamp) -> bool {
        match self.drawn.get(account) {
            Some(bucket) => bucket.has_one(now),
            None => self.drawn.len() < self.most,
        }
    }

    /// An introduction ended before a candidate was passed on: nothing was learnt.
    pub(super) fn give_back(&mut self, account: &A) {
        if let Some(bucket) = self.drawn.get_mut(account) {
            bucket.give_back();
        }
    }

    /// Forgets such as are full again.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.drawn.retain(|_, bucket| !bucket.is_full(now));
    }

    /// Takes one, if it is there.
    pub(super) fn draw(&mut self, account: &A, now: Timestamp) -> Result<(), RetryAfter> {
        if let Some(bucket) = self.drawn.get_mut(account) {
            return bucket.take(now);
        }
        if self.drawn.len() >= self.most {
            return Err(RetryAfter(FULL_RETRY_S));
        }
        let mut bucket = Bucket::hourly(self.burst, self.per_hour, now);
        bucket.take(now)?;
        self.drawn.insert(account.clone(), bucket);
        Ok(())
    }
}

/// When to try again if no ledger can be opened.
const FULL_RETRY_S: u32 = 60;
