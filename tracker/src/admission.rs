//! Who may join, beyond knowing the swarm secret: the seam for tokens and for the identity of an IMS network.

use swarmseal::content::{PublicKey, SwarmId};
use swarmseal::identity::{PeerClass, TicketLimits};
use swarmseal::signal::DIRECT_INTRODUCTIONS;

use super::api::{Now, PrefixTag};

/// Decides about stays in a swarm. Asked only about peers that have proven the swarm secret and their key.
pub trait Admission: Send {
    /// A peer wants to join.
    ///
    /// # Errors
    /// [`Refused`]; the peer hears the same as one that does not know the secret.
    fn admit(&mut self, now: Now, request: &AdmissionRequest) -> Result<Grant, Refused>;

    /// A peer wants its ticket renewed; `tag` is that of its last grant.
    ///
    /// # Errors
    /// [`Refused`]; the peer keeps its ticket until it ends.
    fn renew(&mut self, now: Now, request: &AdmissionRequest, tag: &[u8]) -> Result<Grant, Refused>;
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionRequest {
    /// The swarm.
    pub swarm: SwarmId,
    /// The ephemeral key.
    pub key: PublicKey,
    /// Where the connection comes from.
    pub prefix: PrefixTag,
}

/// What goes into the ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Viewer or operator's cache.
    pub class: PeerClass,
    /// What the peer may do.
    pub limits: TicketLimits,
    /// Opaque to everybody but whoever issued the admission; at most 64 bytes.
    pub tag: Vec<u8>,
}

/// No.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// Admits every viewer that knows the swarm secret.
#[derive(Clone, Copy, Debug)]
pub struct OpenAdmission {
    /// Connections that each ticket allows at a time.
    pub connections: u16,
}

impl Admission for OpenAdmission {
    fn admit(&mut self, _: Now, _: &AdmissionRequest) -> Result<Grant, Refused> {
        let limits = TicketLimits {
            connections: self.connections,
            budget: DIRECT_INTRODUCTIONS,
        };
        Ok(Grant {
            class: PeerClass::User,
            limits,
            tag: Vec::new(),
        })
    }

    fn renew(&mut self, now: Now, request: &AdmissionRequest, _: &[u8]) -> Result<Grant, Refused> {
        self.admit(now, request)
    }
}
