//! Who takes part: ephemeral keys, tickets, the handshake bound to both DTLS fingerprints.
//!
//! A peer is known by a key that it made up a moment ago. The tracker's ticket admits that key to one
//! swarm; the handshake proves, over the open channel, that the peer at the other end of *this* DTLS
//! connection holds it. Nothing here may name a permanent identity, an address or an account, and no
//! secret of this room may be printed.

mod cursor;
mod drbg;
mod fingerprint;
mod handshake;
mod hello;
mod keys;
mod rank;
mod revocation;
mod statement;
mod tampering;
mod ticket;

pub use drbg::Drbg;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use handshake::{
    HANDSHAKE_TIMEOUT_US, Handshake, HandshakeConfig, HandshakeFault, HandshakeStep, MAX_HANDSHAKE,
    PeerIdentity,
};
pub use hello::{
    CAPABILITY_LIVE_HEADS, CAPABILITY_STATEMENTS, Hello, InvalidHello, MAX_HELLO, MAX_VERSIONS,
    PROTOCOL_VERSION, Proof, Role,
};
pub use keys::{EphemeralKeys, Handle, SIGNATURE};
pub use rank::{Election, rank, roots_digest};
pub use revocation::{MAX_REVOKED, Revocation};
pub use statement::{MAX_STATED, Statement};
pub use tampering::{MAX_TAMPERING, NoTampering, Tampering};
pub use ticket::{
    CLOCK_TOLERANCE_S, MAX_ADMISSION_TAG, MAX_TICKET, MAX_TICKET_LIFETIME_S, PeerClass, Ticket, TicketError,
    TicketLimits,
};

pub(crate) use cursor::{Reader, Short};

#[cfg(test)]
mod tests;
