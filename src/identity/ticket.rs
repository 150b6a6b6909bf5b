//! The tracker's admission of one key to one swarm: a CBOR Web Token (RFC 8392) in a COSE_Sign1, bound to the
//! key by a `cnf` claim (RFC 8747 §3.2).

use alloc::vec::Vec;

use thiserror::Error;

use super::keys::Handle;
use super::rank::Election;
use crate::content::cbor::{CborError, Reader, Writer};
use crate::content::cose::{self, CoseError, Role};
use crate::content::{PublicKey, SecretKey, SwarmId, WallTime};

/// Longest ticket in bytes, sealed. HELLO carries it whole, and HELLO and PROOF must fit into 1 KiB.
pub const MAX_TICKET: usize = 512;

/// Longest validity in seconds. A peer that is banned is out after this time at the latest.
pub const MAX_TICKET_LIFETIME_S: u64 = 600;

/// Longest admission tag in bytes: a token that only its issuer can read.
pub const MAX_ADMISSION_TAG: usize = 64;

/// How far two honest clocks may be apart, in seconds.
pub const CLOCK_TOLERANCE_S: u64 = 60;

/// What a tracker states about a peer. Handles, not addresses; nothing here outlives the stay in the swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The key that is admitted; whoever shows the ticket must prove to hold it.
    pub key: PublicKey,
    /// The swarm.
    pub swarm: SwarmId,
    /// Whether a viewer or an operator's cache.
    pub class: PeerClass,
    /// From when on, in unix seconds.
    pub issued: u64,
    /// Until when, in unix seconds; at most 10 minutes after `issued`.
    pub expires: u64,
    /// Drawn by the tracker for this peer after it had named its key.
    pub election: Election,
    /// What the peer may do.
    pub limits: TicketLimits,
    /// Opaque to peers: what the admission named this stay; at most 64 bytes.
    pub admission_tag: Vec<u8>,
}

/// What a ticket allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketLimits {
    /// Connections at a time.
    pub connections: u16,
    /// Introductions that the admission still pays for.
    pub budget: u32,
}

/// The kinds of peer of 3GPP TR 22.906: a viewer's device or an operator's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerClass {
    /// A viewer.
    User = 0,
    /// An operator's cache.
    Network = 1,
}

impl Ticket {
    /// Signs this ticket with the tracker's `key`.
    ///
    /// # Errors
    /// [`TicketError`] for a ticket that no peer would accept.
    pub fn issue(&self, key: &SecretKey) -> Result<Vec<u8>, TicketError> {
        self.check_lifetime()?;
        if self.admission_tag.len() > MAX_ADMISSION_TAG {
            return Err(TicketError::Malformed);
        }
        let sealed = cose::sign1(Role::Tracker, key, &self.encode())?;
        if sealed.len() > MAX_TICKET {
            Err(TicketError::TooLarge)
        } else {
            Ok(sealed)
        }
    }

    /// Reads a sealed ticket if one of `tracker_keys` signed it and it is valid at `wall`, give or take
    /// [`CLOCK_TOLERANCE_S`] and what the clock is off. Whose ticket for which swarm is the caller's check.
    ///
    /// # Errors
    /// [`TicketError`] says which rule it breaks.
    pub fn verify(sealed: &[u8], tracker_keys: &[PublicKey], wall: WallTime) -> Result<Self, TicketError> {
        if sealed.len() > MAX_TICKET {
            return Err(TicketError::TooLarge);
        }
        let verified = cose::verify(Role::Tracker, sealed, tracker_keys)?;
        let ticket = Self::decode(verified.payload)?;
        ticket.check_lifetime()?;
        let slack = CLOCK_TOLERANCE_S.saturating_add(u64::from(wall.uncertainty_s));
        if ticket.issued > wall.unix_s.saturating_add(slack) {
            return Err(TicketError::NotYetValid);
        }
        if ticket.expires.saturating_add(slack) <= wall.unix_s {
            return Err(TicketError::Expired);
        }
        Ok(ticket)
    }

    /// The pseudonym of the admitted key.
    pub fn handle(&self) -> Handle {
        Handle::of(&self.key)
    }

    fn check_lifetime(&self) -> Result<(), TicketError> {
        match self.expires.checked_sub(self.issued) {
            Some(lifetime) if lifetime <= MAX_TICKET_LIFETIME_S => Ok(()),
            Some(_) => Err(TicketError::LifetimeTooLong),
            None => Err(TicketError::Malformed),
        }
    }

    /// The claims, keys in the order of RFC 8949 §4.2.1.
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.map(9);
        out.unsigned(CLAIM_EXPIRES).unsigned(self.expires);
        out.unsigned(CLAIM_ISSUED).unsigned(self.issued);
        out.unsigned(CLAIM_CONFIRMATION).map(1).unsigned(CONFIRMATION_KEY);
        out.map(3).unsigned(KEY_TYPE).unsigned(KEY_TYPE_OKP);
        out.integer(KEY_CURVE)
            .unsigned(CURVE_ED25519)
            .integer(KEY_X)
            .bytes(&self.key.0);
        out.integer(CLAIM_SWARM).bytes(&self.swarm.0);
        out.integer(CLAIM_CLASS).unsigned(self.class as u64);
        out.integer(CLAIM_ELECTION).bytes(&self.election);
        out.integer(CLAIM_CONNECTIONS)
            .unsigned(u64::from(self.limits.connections));
        out.integer(CLAIM_BUDGET).unsigned(u64::from(self.limits.budget));
        out.integer(CLAIM_ADMISSION_TAG).bytes(&self.admission_tag);
        out.into_bytes()
    }

    /// Exactly what `encode` writes; the envelope has checked that the encoding is deterministic.
    fn decode(payload: &[u8]) -> Result<Self, TicketError> {
        let mut reader = Reader::new(payload);
        expect(reader.map()? == 9)?;
        expect(reader.unsigned()? == CLAIM_EXPIRES)?;
        let expires = reader.unsigned()?;
        expect(reader.unsigned()? == CLAIM_ISSUED)?;
        let issued = reader.unsigned()?;
        expect(reader.unsigned()? == CLAIM_CONFIRMATION && reader.map()? == 1)?;
        expect(reader.unsigned()? == CONFIRMATION_KEY && reader.map()? == 3)?;
        expect(reader.unsigned()? == KEY_TYPE && reader.unsigned()? == KEY_TYPE_OKP)?;
        expect(reader.integer()? == KEY_CURVE && reader.unsigned()? == CURVE_ED25519)?;
        expect(reader.integer()? == KEY_X)?;
        let key = PublicKey(reader.fixed()?);
        expect(reader.integer()? == CLAIM_SWARM)?;
        let swarm = SwarmId(reader.fixed()?);
        expect(reader.integer()? == CLAIM_CLASS)?;
        let class = match reader.unsigned()? {
            0 => PeerClass::User,
            1 => PeerClass::Network,
            _ => return Err(TicketError::UnknownClass),
        };
        expect(reader.integer()? == CLAIM_ELECTION)?;
        let election = reader.fixed()?;
        expect(reader.integer()? == CLAIM_CONNECTIONS)?;
        let connections = u16::try_from(reader.unsigned()?).map_err(|_| TicketError::Malformed)?;
        expect(reader.integer()? == CLAIM_BUDGET)?;
        let budget = u32::try_from(reader.unsigned()?).map_err(|_| TicketError::Malformed)?;
        expect(reader.integer()? == CLAIM_ADMISSION_TAG)?;
        let admission_tag = reader.bytes()?;
        expect(admission_tag.len() <= MAX_ADMISSION_TAG)?;
        reader.end()?;
        Ok(Self {
            key,
            swarm,
            class,
            issued,
            expires,
            election,
            limits: TicketLimits { connections, budget },
            admission_tag: admission_tag.to_vec(),
        })
    }
}

/// Why a ticket admits nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TicketError {
    /// Longer than 512 bytes.
    #[error("longer than a ticket may be")]
    TooLarge,
    /// Not the claims of a ticket.
    #[error("not the claims of a ticket")]
    Malformed,
    /// The signed envelope is malformed.
    #[error("{0}")]
    Envelope(CoseError),
    /// No tracker that is trusted here has signed it.
    #[error("signed by no trusted tracker")]
    UntrustedTracker,
    /// The tracker's signature does not fit.
    #[error("the tracker's signature does not fit")]
    BadSignature,
    /// A class of peer that this version does not know.
    #[error("unknown class of peer")]
    UnknownClass,
    /// Valid for more than 10 minutes.
    #[error("valid for longer than a ticket may be")]
    LifetimeTooLong,
    /// Issued in the future.
    #[error("issued in the future")]
    NotYetValid,
    /// Over.
    #[error("expired")]
    Expired,
    /// For another swarm.
    #[error("for another swarm")]
    WrongSwarm,
}

impl TicketError {
    /// The stable name of the reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "ticket_too_large",
            Self::Malformed | Self::Envelope(_) => "ticket_malformed",
            Self::UntrustedTracker => "ticket_untrusted_tracker",
            Self::BadSignature => "ticket_bad_signature",
            Self::UnknownClass => "ticket_unknown_class",
            Self::LifetimeTooLong => "ticket_lifetime_too_long",
            Self::NotYetValid => "ticket_not_yet_valid",
            Self::Expired => "ticket_expired",
            Self::WrongSwarm => "ticket_wrong_swarm",
        }
    }
}

impl From<CoseError> for TicketError {
    fn from(error: CoseError) -> Self {
        match error {
            CoseError::UntrustedKey => Self::UntrustedTracker,
            CoseError::BadSignature => Self::BadSignature,
            other => Self::Envelope(other),
        }
    }
}

impl From<CborError> for TicketError {
    fn from(_: CborError) -> Self {
        Self::Malformed
    }
}

fn expect(holds: bool) -> Result<(), TicketError> {
    if holds {
        Ok(())
    } else {
        Err(TicketError::Malformed)
    }
}

// Registered claims (RFC 8392 §3.1, RFC 8747 §3.1) and COSE key parameters (RFC 9053 §7.2).
const CLAIM_EXPIRES: u64 = 4;
const CLAIM_ISSUED: u64 = 6;
const CLAIM_CONFIRMATION: u64 = 8;
const CONFIRMATION_KEY: u64 = 1;
const KEY_TYPE: u64 = 1;
const KEY_TYPE_OKP: u64 = 1;
const KEY_CURVE: i64 = -1;
const CURVE_ED25519: u64 = 6;
const KEY_X: i64 = -2;

// Claims of our own, in the range for private use (RFC 8392 §9.1).
const CLAIM_SWARM: i64 = -65_537;
const CLAIM_CLASS: i64 = -65_538;
const CLAIM_ELECTION: i64 = -65_539;
const CLAIM_CONNECTIONS: i64 = -65_540;
const CLAIM_BUDGET: i64 = -65_541;
const CLAIM_ADMISSION_TAG: i64 = -65_542;
