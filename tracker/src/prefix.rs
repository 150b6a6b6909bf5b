//! What connections from one address prefix may do together.

use std::collections::BTreeMap;

use swarmseal::swarm::Timestamp;

use super::api::PrefixTag;
use super::config::TrackerConfig;
use super::rate::{Bucket, RetryAfter};

/// All prefixes with a connection, or with one not long ago.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    known: BTreeMap<PrefixTag, Shared>,
}

#[derive(Debug)]
struct Shared {
    connections: u32,
    joins: Bucket,
    introductions: Bucket,
}

impl Prefixes {
    /// Counts a new connection, if there may be one more.
    pub(super) fn connect(&mut self, prefix: PrefixTag, config: &TrackerConfig, now: Timestamp) -> bool {
        // Prefixes without connections are forgotten by `sweep`; until then they may at most double the table.
        let room = u64::from(config.max_connections).saturating_mul(2);
        let has_room = u64::try_from(self.known.len()).is_ok_and(|known| known < room);
        if !has_room && !self.known.contains_key(&prefix) {
            return false;
        }
        let shared = self.known.entry(prefix).or_insert_with(|| Shared {
            connections: 0,
            joins: Bucket::full(config.joins_per_prefix, now),
            introductions: Bucket::full(config.introductions_per_prefix, now),
        });
        if shared.connections >= config.max_connections_per_prefix {
            return false;
        }
        shared.connections += 1;
        true
    }

    pub(super) fn disconnect(&mut self, prefix: PrefixTag) {
        if let Some(shared) = self.known.get_mut(&prefix) {
            shared.connections = shared.connections.saturating_sub(1);
        }
    }

    pub(super) fn take_join(&mut self, prefix: PrefixTag, now: Timestamp) -> Result<(), RetryAfter> {
        self.known
            .get_mut(&prefix)
            .map_or(Ok(()), |shared| shared.joins.take(now))
    }

    pub(super) fn take_introduction(&mut self, prefix: PrefixTag, now: Timestamp) -> Result<(), RetryAfter> {
        self.known
            .get_mut(&prefix)
            .map_or(Ok(()), |shared| shared.introductions.take(now))
    }

    /// Forgets prefixes about which there is nothing to remember.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.known.retain(|_, shared| {
            shared.connections > 0 || !shared.joins.is_full(now) || !shared.introductions.is_full(now)
        });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}
