//! HELLO and PROOF: the only messages that may pass before a channel has proven itself.

use alloc::vec::Vec;

use thiserror::Error;

use super::cursor::{Reader, Short};
use super::fingerprint::Fingerprint;
use super::keys::SIGNATURE;
use super::ticket::MAX_TICKET;
use crate::content::{Hash, SwarmId};

/// The version of the peer protocol that this crate speaks.
pub const PROTOCOL_VERSION: u8 = 1;

/// Versions that one HELLO may offer. A peer speaks two or three at a time; eight leaves room for a slow roll-out.
pub const MAX_VERSIONS: usize = 8;

/// Longest HELLO, in bytes; with PROOF it stays below what a channel may receive before it is proven.
pub const MAX_HELLO: usize = 2 + MAX_VERSIONS + 4 + 1 + 32 + 16 + 32 + 32 + 32 + 32 + 2 + MAX_TICKET;

/// Length of a PROOF, in bytes.
pub(super) const PROOF_LEN: usize = 1 + SIGNATURE;

/// Capability bit: the sender takes STATEMENT messages, and signs for what it sends (docs/PROTOCOL.md §14.1).
pub const CAPABILITY_STATEMENTS: u32 = 1;

/// Capability bit: the sender takes HEAD messages, as peers of live contents do (docs/PROTOCOL.md §15.6).
pub const CAPABILITY_LIVE_HEADS: u32 = 2;

/// Which end of an introduction a peer is. The smaller handle offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Made the offer.
    Offerer,
    /// Answered it.
    Answerer,
}

impl Role {
    /// The role at the other end.
    pub fn other(self) -> Self {
        match self {
            Self::Offerer => Self::Answerer,
            Self::Answerer => Self::Offerer,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Offerer => 0,
            Self::Answerer => 1,
        }
    }
}

/// What a peer states about itself and about the connection, as it sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Every version that the sender speaks, ascending.
    pub versions: Vec<u8>,
    /// Bits of what the sender can do beyond the version; unknown bits are kept and ignored.
    pub capabilities: u32,
    /// The sender's end of the introduction.
    pub role: Role,
    /// The swarm that the sender is in.
    pub swarm: SwarmId,
    /// The introduction that made this connection.
    pub introduction: [u8; 16],
    /// Fingerprint of the sender's own DTLS certificate.
    pub own_fingerprint: Fingerprint,
    /// Fingerprint of the receiver's DTLS certificate, as the sender was told.
    pub peer_fingerprint: Fingerprint,
    /// Digest over the index roots that the sender uses (see `roots_digest`).
    pub roots_digest: Hash,
    /// Fresh random bytes.
    pub nonce: [u8; 32],
    /// The sender's complete ticket.
    pub ticket: Vec<u8>,
}

impl Hello {
    /// First byte of the message.
    pub const TYPE: u8 = 0x01;

    /// The message as it is sent and as it is signed.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAX_HELLO);
        out.push(Self::TYPE);
        out.push(u8::try_from(self.versions.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(&self.versions);
        out.extend_from_slice(&self.capabilities.to_be_bytes());
        out.push(self.role.code());
        out.extend_from_slice(&self.swarm.0);
        out.extend_from_slice(&self.introduction);
        out.extend_from_slice(&self.own_fingerprint.0);
        out.extend_from_slice(&self.peer_fingerprint.0);
        out.extend_from_slice(&self.roots_digest.0);
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&u16::try_from(self.ticket.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(&self.ticket);
        out
    }

    /// Reads one whole HELLO, its type byte included.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidHello> {
        if bytes.len() > MAX_HELLO {
            return Err(InvalidHello::TooLarge);
        }
        let mut reader = Reader::new(bytes);
        if reader.u8()? != Self::TYPE {
            return Err(InvalidHello::WrongType);
        }
        let count = usize::from(reader.u8()?);
        if count == 0 {
            return Err(InvalidHello::NoVersion);
        }
        if count > MAX_VERSIONS {
            return Err(InvalidHello::TooManyVersions);
        }
        let versions = reader.bytes(count)?;
        if !versions.is_sorted_by(|earlier, later| earlier < later) {
            return Err(InvalidHello::VersionsOutOfOrder);
        }
        let capabilities = reader.u32()?;
        let role = match reader.u8()? {
            0 => Role::Offerer,
            1 => Role::Answerer,
            _ => return Err(InvalidHello::UnknownRole),
        };
        let swarm = SwarmId(reader.array()?);
        let introduction = reader.array()?;
        let own_fingerprint = Fingerprint(reader.array()?);
        let peer_fingerprint = Fingerprint(reader.array()?);
        let roots_digest = Hash(reader.array()?);
        let nonce = reader.array()?;
        let length = usize::from(reader.u16()?);
        if length > MAX_TICKET {
            return Err(InvalidHello::TicketTooLong);
        }
        let ticket = reader.bytes(length)?.to_vec();
        if !reader.is_empty() {
            return Err(InvalidHello::TrailingBytes);
        }
        Ok(Self {
            versions: versions.to_vec(),
            capabilities,
            role,
            swarm,
            introduction,
            own_fingerprint,
            peer_fingerprint,
            roots_digest,
            nonce,
            ticket,
        })
    }
}

/// The sender's signature over the whole transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Ed25519, by the key that the sender's ticket confirms.
    pub signature: [u8; SIGNATURE],
}

impl Proof {
    /// First byte of the message.
    pub const TYPE: u8 = 0x02;

    /// The message as it is sent.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PROOF_LEN);
        out.push(Self::TYPE);
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads one whole PROOF, its type byte included.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidHello> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != Self::TYPE {
            return Err(InvalidHello::WrongType);
        }
        let signature = reader.array()?;
        if !reader.is_empty() {
            return Err(InvalidHello::TrailingBytes);
        }
        Ok(Self { signature })
    }
}

/// The rule of form that a HELLO or PROOF breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidHello {
    /// The message ends inside a field.
    #[error("the message ends inside a field")]
    Truncated,
    /// Bytes follow the last field.
    #[error("bytes follow the last field")]
    TrailingBytes,
    /// The message is longer than any HELLO.
    #[error("the message is longer than any HELLO")]
    TooLarge,
    /// The first byte names another message.
    #[error("the first byte names another message")]
    WrongType,
    /// No version is offered.
    #[error("no version is offered")]
    NoVersion,
    /// More versions are offered than the limit.
    #[error("too many versions are offered")]
    TooManyVersions,
    /// The versions do not ascend.
    #[error("the versions do not ascend")]
    VersionsOutOfOrder,
    /// The role is neither offerer nor answerer.
    #[error("the role is neither offerer nor answerer")]
    UnknownRole,
    /// The ticket is longer than the limit.
    #[error("the ticket is longer than the limit")]
    TicketTooLong,
}

impl InvalidHello {
    /// The stable name of the rule.
    pub fn code(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::TrailingBytes => "trailing_bytes",
            Self::TooLarge => "too_large",
            Self::WrongType => "wrong_type",
            Self::NoVersion => "no_version",
            Self::TooManyVersions => "too_many_versions",
            Self::VersionsOutOfOrder => "versions_out_of_order",
            Self::UnknownRole => "unknown_role",
            Self::TicketTooLong => "ticket_too_long",
        }
    }
}

impl From<Short> for InvalidHello {
    fn from(_: Short) -> Self {
        Self::Truncated
    }
}
