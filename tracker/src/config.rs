//! The tracker's rules that an operator may change.

use serde::{Deserialize, Serialize};
use swarmseal::content::PublicKey;
use swarmseal::identity::MAX_TICKET_LIFETIME_S;
use swarmseal::signal::{Exposure, IceServer, MAX_ICE_SERVERS, MAX_INTERVAL_S, MAX_LIST};
use thiserror::Error;

use super::challenging::ChallengeConfig;
use super::rate::Rate;

/// Limits and intervals of the state machine. Documented with their reasons in the default configuration file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrackerConfig {
    /// How freely peers are introduced to each other.
    pub exposure: Exposure,
    /// Validity of a ticket in seconds, at most 600.
    pub ticket_s: u32,
    /// A peer that says nothing for this long is dropped.
    pub keepalive_s: u32,
    /// A connection that has not joined by then is closed.
    pub join_timeout_s: u32,
    /// Pause between two lists that peers are asked to keep.
    pub list_interval_s: u32,
    /// Longest list of handles, at most 30.
    pub list_size: u8,
    /// Least share of a list that is drawn at random, in percent; at least 25.
    pub random_share_percent: u8,
    /// Peers with fewer introductions than this are told of a new source at once.
    pub push_below: u16,
    /// Least pause between two such messages to one peer.
    pub push_interval_ms: u32,
    /// Connections that a ticket allows a peer at a time.
    pub peer_connections: u16,
    /// Whether peers may offer each other loopback addresses: only when all of them are on one machine.
    pub loopback: bool,
    /// Connections in all.
    pub max_connections: u32,
    /// Connections per address prefix.
    pub max_connections_per_prefix: u32,
    /// Peers in one swarm.
    pub max_swarm_members: u32,
    /// Messages of one connection.
    pub messages: Rate,
    /// JOINs from one address prefix, successful or not.
    pub joins_per_prefix: Rate,
    /// Introductions asked for from one address prefix.
    pub introductions_per_prefix: Rate,
    /// Lists asked for by one peer.
    pub lists: Rate,
    /// Announcements of one peer.
    pub announces: Rate,
    /// Reports of one peer.
    pub reports: Rate,
    /// Whose findings put a peer out.
    pub auditors: Vec<PublicKey>,
    /// How long whom an auditor has caught stays out, in seconds.
    pub conviction_s: u32,
    /// How announcers are put to the proof.
    pub challenge: ChallengeConfig,
    /// STUN and TURN servers that peers are given.
    pub ice_servers: Vec<IceServer>,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self {
            exposure: Exposure::Direct,
            ticket_s: 600,
            keepalive_s: 45,
            join_timeout_s: 10,
            list_interval_s: 10,
            list_size: 30,
            random_share_percent: 50,
            push_below: 8,
            push_interval_ms: 500,
            peer_connections: 64,
            loopback: false,
            max_connections: 20_000,
            max_connections_per_prefix: 1_000,
            max_swarm_members: 20_000,
            messages: Rate {
                burst: 400,
                per_minute: 1_200,
            },
            joins_per_prefix: Rate {
                burst: 300,
                per_minute: 600,
            },
            introductions_per_prefix: Rate {
                burst: 3_000,
                per_minute: 3_000,
            },
            lists: Rate {
                burst: 20,
                per_minute: 60,
            },
            announces: Rate {
                burst: 20,
                per_minute: 60,
            },
            reports: Rate {
                burst: 10,
                per_minute: 10,
            },
            auditors: Vec::new(),
            conviction_s: 86_400,
            challenge: ChallengeConfig::default(),
            ice_servers: Vec::new(),
        }
    }
}

impl TrackerConfig {
    /// Checks every bound.
    ///
    /// # Errors
    /// [`InvalidTrackerConfig`] names the field.
    pub fn validate(&self) -> Result<(), InvalidTrackerConfig> {
        let within = |field, holds| {
            if holds {
                Ok(())
            } else {
                Err(InvalidTrackerConfig { field })
            }
        };
        let seconds = |value: u32| (1..=MAX_INTERVAL_S).contains(&value);
        within(
            "ticket_s",
            (60..=MAX_TICKET_LIFETIME_S).contains(&u64::from(self.ticket_s)),
        )?;
        within("keepalive_s", self.keepalive_s >= 3 && seconds(self.keepalive_s))?;
        within("join_timeout_s", seconds(self.join_timeout_s))?;
        within("list_interval_s", seconds(self.list_interval_s))?;
        within("list_size", (1..=MAX_LIST).contains(&usize::from(self.list_size)))?;
        within(
            "random_share_percent",
            (25..=100).contains(&self.random_share_percent),
        )?;
        within("push_interval_ms", self.push_interval_ms >= 100)?;
        within("peer_connections", self.peer_connections >= 1)?;
        within("max_connections", self.max_connections >= 1)?;
        within("max_connections_per_prefix", self.max_connections_per_prefix >= 1)?;
        within("max_swarm_members", self.max_swarm_members >= 1)?;
        for (field, rate) in [
            ("messages", self.messages),
            ("joins_per_prefix", self.joins_per_prefix),
            ("introductions_per_prefix", self.introductions_per_prefix),
            ("lists", self.lists),
            ("announces", self.announces),
            ("reports", self.reports),
        ] {
            within(field, rate.burst >= 1 && rate.per_minute >= 1)?;
        }
        within("auditors", self.auditors.len() <= MAX_AUDITORS)?;
        within(
            "conviction_s",
            (60..=MAX_CONVICTION_S).contains(&self.conviction_s),
        )?;
        if let Some(field) = self.challenge.out_of_bounds() {
            return Err(InvalidTrackerConfig { field });
        }
        within("ice_servers", self.ice_servers.len() <= MAX_ICE_SERVERS)
    }
}

/// A value out of its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{field} is out of bounds")]
pub struct InvalidTrackerConfig {
    /// Which.
    pub field: &'static str,
}

impl InvalidTrackerConfig {
    /// Stable code.
    pub fn code(self) -> &'static str {
        "config_out_of_bounds"
    }
}

/// More than an operator runs at a time, with room to replace each.
const MAX_AUDITORS: usize = 16;
/// Thirty days: a handle lives for one visit, and an admission tag is not given up for good.
const MAX_CONVICTION_S: u32 = 30 * 86_400;
