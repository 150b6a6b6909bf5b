//! What the tracker says to a peer.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::binary::{self, IntroductionId};
use super::candidate::{Candidate, Loopback};
use super::description::{Description, SdpType};
use super::error::InvalidSignal;
use super::limits::{
    MAX_ERROR_TEXT, MAX_ICE_SERVERS, MAX_ICE_TEXT, MAX_ICE_URLS, MAX_INTERVAL_S, MAX_LIST, MAX_OPAQUE,
    SIGNAL_VERSION,
};
use crate::identity::{Handle, MAX_TICKET, MAX_TICKET_LIFETIME_S};

/// A message from tracker to peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerMessage {
    /// The first message of a connection.
    Welcome {
        /// The version of the tracker protocol.
        version: u8,
        /// Fresh random bytes that JOIN and every ANNOUNCE sign.
        #[serde(with = "binary::array")]
        nonce: [u8; 32],
        /// The tracker's clock.
        time_unix_ms: u64,
        /// A peer that says nothing for this long, in seconds, is dropped.
        keepalive_s: u32,
    },
    /// The peer is admitted.
    Joined(Joined),
    /// A new ticket, in answer to RENEW.
    Ticket {
        /// The ticket.
        #[serde(with = "binary::bytes")]
        ticket: Vec<u8>,
        /// Seconds until it ends.
        ticket_expires_in_s: u32,
        /// The tracker's clock.
        time_unix_ms: u64,
        /// The epoch of elections.
        epoch: u64,
        /// Instead of those before, where their credentials end.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ice_servers: Vec<IceServer>,
    },
    /// Handles of others, in answer to LIST.
    Peers {
        /// At most 30.
        peers: Vec<Handle>,
    },
    /// The peer is introduced to another one, because it asked or because the other did.
    Introduction {
        /// Names this introduction from now on.
        introduction: IntroductionId,
        /// The other peer.
        peer: Handle,
        /// What this peer has to do.
        role: SdpType,
    },
    /// The other side's description.
    Description {
        /// The introduction.
        introduction: IntroductionId,
        /// The description.
        description: Description,
    },
    /// A candidate of the other side.
    Candidate {
        /// The introduction.
        introduction: IntroductionId,
        /// The candidate.
        candidate: Candidate,
    },
    /// The other side has no more candidates.
    EndOfCandidates {
        /// The introduction.
        introduction: IntroductionId,
    },
    /// The introduction is over.
    IntroductionEnded {
        /// The introduction.
        introduction: IntroductionId,
        /// Why.
        reason: EndReason,
    },
    /// A request is refused, or the connection is about to be closed.
    Error {
        /// Why.
        code: ErrorCode,
        /// For people; names no address and no identity.
        message: String,
        /// Seconds to wait before trying again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u32>,
    },
    /// Asks the peer to prove that it holds what it announced.
    Challenge {
        /// Names the challenge; random, so that no answer can be made before it.
        challenge: IntroductionId,
        /// At most [`super::MAX_PICKS`] picks ([`super::Pick`]).
        #[serde(with = "binary::bytes")]
        question: Vec<u8>,
    },
    /// A signed statement that some handles are void ([`crate::identity::Revocation`]).
    Revocation {
        /// The statement.
        #[serde(with = "binary::bytes")]
        statement: Vec<u8>,
    },
}

/// The answer to JOIN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// The peer's own handle, as the tracker computes it.
    pub handle: Handle,
    /// The ticket.
    #[serde(with = "binary::bytes")]
    pub ticket: Vec<u8>,
    /// Seconds until it ends.
    pub ticket_expires_in_s: u32,
    /// At most 30 others.
    pub peers: Vec<Handle>,
    /// STUN and TURN servers, for the browser.
    pub ice_servers: Vec<IceServer>,
    /// How freely this swarm introduces peers.
    pub exposure: Exposure,
    /// Least seconds between two LIST requests.
    pub list_interval_s: u32,
    /// The tracker's clock.
    pub time_unix_ms: u64,
    /// The epoch of elections.
    pub epoch: u64,
}

/// An `RTCIceServer`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServer {
    /// `stun:`, `stuns:`, `turn:` or `turns:` URLs.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN; short-lived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}

/// How freely peers of a swarm are introduced to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exposure {
    /// 30 introductions at first, then 3 a minute.
    Direct,
    /// 8 at first, then 5 new addresses an hour.
    Guarded,
    /// Relayed candidates only.
    Relay,
}

/// Why an introduction is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The channel is open and proven.
    Connected,
    /// No path was found, or the channel broke.
    Failed,
    /// The channel opened, but the handshake failed.
    Handshake,
    /// A side has no place left.
    Busy,
    /// A side does not share.
    Refused,
    /// No answer in time.
    TimedOut,
    /// A side left.
    PeerGone,
}

impl EndReason {
    /// The stable name of the reason, as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Failed => "failed",
            Self::Handshake => "handshake",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::PeerGone => "peer_gone",
        }
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a message of the schema, or out of bounds.
    Malformed,
    /// Another version is spoken here.
    UnsupportedVersion,
    /// No such swarm, or no proof of its secret: not told apart.
    NotAdmitted,
    /// A signature does not fit.
    BadSignature,
    /// Another connection has this handle.
    HandleInUse,
    /// JOIN has to come first.
    NotJoined,
    /// JOIN came twice.
    AlreadyJoined,
    /// No such peer in this swarm.
    UnknownPeer,
    /// No such introduction, or it is over.
    UnknownIntroduction,
    /// The message does not fit the state of the introduction.
    NotSolicited,
    /// The exposure mode allows no more introductions for now.
    ExposureLimit,
    /// Too many messages.
    RateLimited,
    /// Too much of something is kept for this peer already.
    StateLimit,
    /// The tracker is full.
    Overloaded,
    /// The tracker ends; try again.
    ShuttingDown,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// The stable name of the reason, as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnsupportedVersion => "unsupported_version",
            Self::NotAdmitted => "not_admitted",
            Self::BadSignature => "bad_signature",
            Self::HandleInUse => "handle_in_use",
            Self::NotJoined => "not_joined",
            Self::AlreadyJoined => "already_joined",
            Self::UnknownPeer => "unknown_peer",
            Self::UnknownIntroduction => "unknown_introduction",
            Self::NotSolicited => "not_solicited",
            Self::ExposureLimit => "exposure_limit",
            Self::RateLimited => "rate_limited",
            Self::StateLimit => "state_limit",
            Self::Overloaded => "overloaded",
            Self::ShuttingDown => "shutting_down",
            Self::Unknown => "unknown",
        }
    }
}

impl ServerMessage {
    /// Checks every bound that the types do not. A tracker is trusted to introduce, not to be free of faults.
    ///
    /// # Errors
    /// [`InvalidSignal`] names the rule.
    pub fn validate(&self, loopback: Loopback) -> Result<(), InvalidSignal> {
        match self {
            Self::Welcome {
                version, keepalive_s, ..
            } => {
                if *version != SIGNAL_VERSION {
                    return Err(InvalidSignal::UnsupportedVersion);
                }
                interval(*keepalive_s)
            }
            Self::Joined(joined) => joined.validate(),
            Self::Ticket {
                ticket,
                ticket_expires_in_s,
                ice_servers,
                ..
            } => {
                check_ticket(ticket, *ticket_expires_in_s)?;
                check_ice_servers(ice_servers)
            }
            Self::Peers { peers } => check_peers(peers),
            Self::Description { description, .. } => Ok(description.validate()?),
            Self::Candidate { candidate, .. } => Ok(candidate.validate(loopback)?),
            Self::Error {
                message,
                retry_after_s,
                ..
            } => {
                if message.len() > MAX_ERROR_TEXT {
                    return Err(InvalidSignal::TextTooLong);
                }
                retry_after_s.map_or(Ok(()), interval)
            }
            Self::Challenge { question: opaque, .. } | Self::Revocation { statement: opaque } => {
                if opaque.len() > MAX_OPAQUE {
                    Err(InvalidSignal::OpaqueTooLong)
                } else {
                    Ok(())
                }
            }
            Self::Introduction { .. } | Self::EndOfCandidates { .. } | Self::IntroductionEnded { .. } => {
                Ok(())
            }
        }
    }
}

impl Joined {
    fn validate(&self) -> Result<(), InvalidSignal> {
        check_ticket(&self.ticket, self.ticket_expires_in_s)?;
        check_peers(&self.peers)?;
        interval(self.list_interval_s)?;
        check_ice_servers(&self.ice_servers)
    }
}

impl IceServer {
    fn validate(&self) -> Result<(), InvalidSignal> {
        let known = |url: &String| {
            ["stun:", "stuns:", "turn:", "turns:"]
                .iter()
                .any(|scheme| url.starts_with(scheme))
        };
        let texts = self.urls.iter().chain(&self.username).chain(&self.credential);
        if self.urls.is_empty()
            || self.urls.len() > MAX_ICE_URLS
            || !self.urls.iter().all(known)
            || texts.into_iter().any(|text| text.len() > MAX_ICE_TEXT)
        {
            return Err(InvalidSignal::BadIceServer);
        }
        Ok(())
    }
}

fn check_ice_servers(servers: &[IceServer]) -> Result<(), InvalidSignal> {
    if servers.len() > MAX_ICE_SERVERS {
        return Err(InvalidSignal::TooManyIceServers);
    }
    servers.iter().try_for_each(IceServer::validate)
}

fn check_ticket(ticket: &[u8], expires_in_s: u32) -> Result<(), InvalidSignal> {
    if ticket.is_empty() || ticket.len() > MAX_TICKET {
        return Err(InvalidSignal::BadTicketLength);
    }
    if u64::from(expires_in_s) > MAX_TICKET_LIFETIME_S {
        Err(InvalidSignal::BadExpiry)
    } else {
        Ok(())
    }
}

fn check_peers(peers: &[Handle]) -> Result<(), InvalidSignal> {
    if peers.len() > MAX_LIST {
        Err(InvalidSignal::BadListLength)
    } else {
        Ok(())
    }
}

fn interval(seconds: u32) -> Result<(), InvalidSignal> {
    if (1..=MAX_INTERVAL_S).contains(&seconds) {
        Ok(())
    } else {
        Err(InvalidSignal::BadInterval)
    }
}
