//! Who is drawn for a list. Whoever has many handles under one admission is drawn as one, so that its share of lists is at
//! most twice its share of the admissions that have sources, whatever the ranking prefers.

use std::collections::{BTreeMap, BTreeSet};

use swarmseal::identity::{Drbg, Handle};
use swarmseal::signal::MAX_LIST;

use super::exposure::Account;

/// Members that are listed, by the account that they are drawn as.
#[derive(Debug, Default)]
pub(super) struct Sources {
    accounts: RandomSet<Account>,
    /// The handles of each account that may have several.
    tagged: BTreeMap<Account, RandomSet<Handle>>,
    listed_as: BTreeMap<Handle, Account>,
}

impl Sources {
    /// Whether that is new.
    pub(super) fn insert(&mut self, handle: Handle, account: Account) -> bool {
        if self.listed_as.contains_key(&handle) {
            return false;
        }
        if matches!(account, Account::Tag(_)) {
            self.tagged.entry(account.clone()).or_default().insert(handle);
        }
        self.accounts.insert(account.clone());
        self.listed_as.insert(handle, account);
        true
    }

    pub(super) fn remove(&mut self, handle: &Handle) -> bool {
        let Some(account) = self.listed_as.remove(handle) else {
            return false;
        };
        if let Some(handles) = self.tagged.get_mut(&account) {
            handles.remove(handle);
            if !handles.is_empty() {
                return true;
            }
            self.tagged.remove(&account);
        }
        self.accounts.remove(&account);
        true
    }

    pub(super) fn contains(&self, handle: &Handle) -> bool {
        self.listed_as.contains_key(handle)
    }

    pub(super) fn len(&self) -> usize {
        self.listed_as.len()
    }

    /// Handles that a list of `want` may be made of, without `asker` and such accounts as may not be named now: one of
    /// each of at most twice as many accounts; or, where there are not so many accounts, up to `want`, and so few of each
    /// that none has more than twice its share of them.
    pub(super) fn sample(
        &self,
        want: usize,
        asker: Handle,
        may_be_named: impl Fn(&Account) -> bool,
        random: &mut Drbg,
    ) -> Vec<Handle> {
        let mut accounts = self.accounts.sample(SAMPLE, random);
        let drawn = accounts.len();
        accounts.retain(may_be_named);
        accounts.truncate(want.saturating_mul(MOST_SHARES));
        let mut handles: Vec<Vec<Handle>> = accounts
            .iter()
            .map(|account| self.of(account, asker, want, random))
            .filter(|handles| !handles.is_empty())
            .collect();
        let mut sample: Vec<Handle> = handles.iter_mut().filter_map(Vec::pop).collect();
        let mut of_each = 1_usize;
        while sample.len() < want {
            let more: Vec<Handle> = handles.iter_mut().filter_map(Vec::pop).collect();
            of_each = of_each.saturating_add(1);
            let total = sample.len().saturating_add(more.len()).min(want);
            let is_too_much = of_each.saturating_mul(drawn) > total.saturating_mul(MOST_SHARES);
            if more.is_empty() || is_too_much {
                break;
            }
            sample.extend(more);
            sample.truncate(want);
        }
        sample
    }

    /// Some handles of an account, in random order.
    fn of(&self, account: &Account, asker: Handle, count: usize, random: &mut Drbg) -> Vec<Handle> {
        let mut handles = match account {
            Account::Handle(_, handle) => vec![*handle],
            Account::Tag(_) => self
                .tagged
                .get(account)
                .map(|handles| handles.sample(count, random))
                .unwrap_or_default(),
        };
        handles.retain(|handle| *handle != asker);
        handles
    }
}

/// What a random one can be drawn from at once.
#[derive(Debug)]
pub(super) struct RandomSet<T> {
    items: Vec<T>,
    places: BTreeMap<T, usize>,
}

impl<T> Default for RandomSet<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl<T: Ord + Clone> RandomSet<T> {
    pub(super) fn insert(&mut self, item: T) -> bool {
        if self.places.contains_key(&item) {
            return false;
        }
        self.places.insert(item.clone(), self.items.len());
        self.items.push(item);
        true
    }

    pub(super) fn remove(&mut self, item: &T) -> bool {
        let Some(place) = self.places.remove(item) else {
            return false;
        };
        self.items.swap_remove(place);
        if let Some(moved) = self.items.get(place) {
            self.places.insert(moved.clone(), place);
        }
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// At most `count` different ones in random order.
    pub(super) fn sample(&self, count: usize, random: &mut Drbg) -> Vec<T> {
        if self.items.len() <= count.saturating_mul(2) {
            let mut all = self.items.clone();
            random.shuffle(&mut all);
            all.truncate(count);
            return all;
        }
        let mut drawn = BTreeSet::new();
        let mut sample = Vec::with_capacity(count);
        // More than half are left at every draw, so this ends soon; the bound is for the reader.
        for _ in 0..count.saturating_mul(16) {
            if sample.len() >= count {
                break;
            }
            let place = random
                .index(self.items.len())
                .and_then(|place| self.items.get(place));
            if let Some(item) = place
                && drawn.insert(item)
            {
                sample.push(item.clone());
            }
        }
        sample
    }
}

/// Accounts looked at for one list: enough for a choice by rank, few enough for the largest swarm.
const SAMPLE: usize = 4 * MAX_LIST;
/// An account's share of lists is at most so many times its share of accounts: a ranking chooses among no more than so
/// many times what is listed.
const MOST_SHARES: usize = 2;
