//! The proof that the other end of a DTLS connection is the peer that the tracker introduced.
//!
//! Browsers give a page no way to export a TLS secret, so the binding is a signature: each side signs,
//! under a context string of its own role, everything that both sides said and both certificate
//! fingerprints as its own browser reports them. Whoever swaps a fingerprint, replays a message, reflects
//! it, or carries it to another swarm or introduction changes what is signed.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use thiserror::Error;

use super::fingerprint::Fingerprint;
use super::hello::{Hello, InvalidHello, MAX_HELLO, PROOF_LEN, PROTOCOL_VERSION, Proof, Role};
use super::keys::{EphemeralKeys, Handle};
use super::rank::Election;
use super::ticket::{PeerClass, Ticket, TicketError, TicketLimits};
use crate::content::{Hash, PublicKey, SwarmId, WallTime};

/// Bytes that a channel may receive before it has proven itself: one HELLO and one PROOF fit, nothing else does.
pub const MAX_HANDSHAKE: usize = 1024;

/// How long a channel may stay unproven, in microseconds: two round trips of a bad mobile link and a busy worker.
pub const HANDSHAKE_TIMEOUT_US: u64 = 3_000_000;

/// What one side knows when the channel opens.
#[derive(Clone, Debug)]
pub struct HandshakeConfig {
    /// This peer's keys.
    pub keys: EphemeralKeys,
    /// This peer's own ticket.
    pub ticket: Vec<u8>,
    /// Keys whose tickets are believed.
    pub tracker_keys: Vec<PublicKey>,
    /// The swarm that both are in.
    pub swarm: SwarmId,
    /// The introduction that made this connection.
    pub introduction: [u8; 16],
    /// This peer's end of it.
    pub role: Role,
    /// Fingerprint of this peer's own certificate, from its own local description.
    pub local_fingerprint: Fingerprint,
    /// Fingerprint that this peer's browser was told to expect of the other side.
    pub remote_fingerprint: Fingerprint,
    /// The peer that the tracker introduced.
    pub expected_peer: Handle,
    /// Digest over the index roots in use here.
    pub roots_digest: Hash,
    /// Bits of what this peer can do beyond the version.
    pub capabilities: u32,
    /// Fresh random bytes.
    pub nonce: [u8; 32],
    /// The time now, for the tickets' validity.
    pub wall: WallTime,
}

/// Who the other side has proven to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    /// Its pseudonym.
    pub handle: Handle,
    /// Its key.
    pub key: PublicKey,
    /// Whether a viewer or an operator's cache.
    pub class: PeerClass,
    /// Its value in elections.
    pub election: Election,
    /// What its ticket allows it.
    pub limits: TicketLimits,
    /// When its ticket ends, in unix seconds.
    pub ticket_expires: u64,
    /// The digest that its TRACKS message must match.
    pub roots_digest: Hash,
    /// The version that both will speak.
    pub version: u8,
    /// Capabilities that both have.
    pub capabilities: u32,
}

/// What to do after a message of the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeStep {
    /// Send this proof, then wait for the other side's.
    SendProof(Proof),
    /// The other side has proven itself.
    Proven(Box<PeerIdentity>),
}

/// One side of one handshake. It sends HELLO at once, PROOF after the other side's HELLO, and is done with the
/// other side's PROOF. After a fault it accepts nothing more.
#[derive(Debug)]
pub struct Handshake {
    config: HandshakeConfig,
    versions: Vec<u8>,
    received: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitHello,
    AwaitProof {
        peer: Box<PeerIdentity>,
        transcript: Vec<u8>,
    },
    Ended,
}

impl Handshake {
    /// A handshake that has not sent or received anything.
    pub fn new(config: HandshakeConfig) -> Self {
        Self {
            config,
            versions: vec![PROTOCOL_VERSION],
            received: 0,
            state: State::AwaitHello,
        }
    }

    /// The first message to send. The same every time it is asked for.
    pub fn hello(&self) -> Hello {
        let config = &self.config;
        Hello {
            versions: self.versions.clone(),
            capabilities: config.capabilities,
            role: config.role,
            swarm: config.swarm,
            introduction: config.introduction,
            own_fingerprint: config.local_fingerprint,
            peer_fingerprint: config.remote_fingerprint,
            roots_digest: config.roots_digest,
            nonce: config.nonce,
            ticket: config.ticket.clone(),
        }
    }

    /// Takes one message as it came from the unproven channel.
    pub fn handle_bytes(&mut self, bytes: &[u8]) -> Result<HandshakeStep, HandshakeFault> {
        if bytes.len() > MAX_HANDSHAKE {
            return self.end(HandshakeFault::TooLarge);
        }
        match bytes.first() {
            Some(&Hello::TYPE) => match Hello::decode(bytes) {
                Ok(hello) => self.handle_hello(&hello).map(HandshakeStep::SendProof),
                Err(fault) => self.end(fault.into()),
            },
            Some(&Proof::TYPE) => match Proof::decode(bytes) {
                Ok(proof) => self
                    .handle_proof(&proof)
                    .map(|peer| HandshakeStep::Proven(Box::new(peer))),
                Err(fault) => self.end(fault.into()),
            },
            _ => self.end(HandshakeFault::NotProven),
        }
    }

    /// Checks the other side's HELLO and answers it with this side's proof.
    pub fn handle_hello(&mut self, hello: &Hello) -> Result<Proof, HandshakeFault> {
        match self.check_hello(hello) {
            Ok(proof) => Ok(proof),
            Err(fault) => self.end(fault),
        }
    }

    /// Checks the other side's PROOF. The channel is proven when this returns who is there.
    pub fn handle_proof(&mut self, proof: &Proof) -> Result<PeerIdentity, HandshakeFault> {
        if let Err(fault) = self.count(proof.encode().len()) {
            return self.end(fault);
        }
        let state = core::mem::replace(&mut self.state, State::Ended);
        let State::AwaitProof { peer, transcript } = state else {
            return Err(match state {
                State::AwaitHello => HandshakeFault::ProofBeforeHello,
                _ => HandshakeFault::Ended,
            });
        };
        let signed = under_context(self.config.role.other(), &transcript);
        if !peer.key.verify(&signed, &proof.signature) {
            return Err(HandshakeFault::BadSignature);
        }
        Ok(*peer)
    }

    fn check_hello(&mut self, hello: &Hello) -> Result<Proof, HandshakeFault> {
        let theirs = hello.encode();
        self.count(theirs.len())?;
        match self.state {
            State::AwaitHello => {}
            State::AwaitProof { .. } => return Err(HandshakeFault::HelloRepeated),
            State::Ended => return Err(HandshakeFault::Ended),
        }
        let config = &self.config;
        let version = self
            .versions
            .iter()
            .copied()
            .filter(|version| hello.versions.contains(version))
            .max()
            .ok_or(HandshakeFault::UnsupportedVersion)?;
        if hello.swarm != config.swarm {
            return Err(HandshakeFault::WrongSwarm);
        }
        if hello.introduction != config.introduction {
            return Err(HandshakeFault::WrongIntroduction);
        }
        if hello.role == config.role {
            return Err(HandshakeFault::WrongRole);
        }
        if hello.nonce == config.nonce {
            return Err(HandshakeFault::EqualNonces);
        }
        if hello.own_fingerprint != config.remote_fingerprint {
            return Err(HandshakeFault::WrongRemoteFingerprint);
        }
        if hello.peer_fingerprint != config.local_fingerprint {
            return Err(HandshakeFault::WrongLocalFingerprint);
        }
        if config.expected_peer == config.keys.handle() {
            return Err(HandshakeFault::OwnHandle);
        }
        let ticket = Ticket::verify(&hello.ticket, &config.tracker_keys, config.wall)?;
        if ticket.swarm != config.swarm {
            return Err(HandshakeFault::Ticket(TicketError::WrongSwarm));
        }
        if ticket.key == config.keys.public() {
            return Err(HandshakeFault::EqualKeys);
        }
        if ticket.handle() != config.expected_peer {
            return Err(HandshakeFault::WrongHandle);
        }

        let ours = self.hello().encode();
        let transcript = match config.role {
            Role::Offerer => transcript(version, config, &ours, &theirs),
            Role::Answerer => transcript(version, config, &theirs, &ours),
        };
        let proof = Proof {
            signature: config.keys.sign(&under_context(config.role, &transcript)),
        };
        let peer = Box::new(PeerIdentity {
            handle: ticket.handle(),
            key: ticket.key,
            class: ticket.class,
            election: ticket.election,
            limits: ticket.limits,
            ticket_expires: ticket.expires,
            roots_digest: hello.roots_digest,
            version,
            capabilities: hello.capabilities & config.capabilities,
        });
        self.state = State::AwaitProof { peer, transcript };
        Ok(proof)
    }

    fn count(&mut self, bytes: usize) -> Result<(), HandshakeFault> {
        self.received = self.received.saturating_add(bytes);
        if self.received > MAX_HANDSHAKE {
            Err(HandshakeFault::TooLarge)
        } else {
            Ok(())
        }
    }

    fn end<T>(&mut self, fault: HandshakeFault) -> Result<T, HandshakeFault> {
        self.state = State::Ended;
        Err(fault)
    }

    /// A handshake that offers other versions than this crate speaks, to test how versions are agreed.
    #[cfg(test)]
    pub(super) fn with_versions(mut self, versions: &[u8]) -> Self {
        self.versions = versions.to_vec();
        self
    }
}

/// Why the other side is not who it should be. Each ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HandshakeFault {
    /// More bytes came than a handshake needs.
    #[error("more than 1 KiB came before the proof")]
    TooLarge,
    /// A message other than HELLO and PROOF came first.
    #[error("a message came before the proof")]
    NotProven,
    /// HELLO or PROOF is malformed.
    #[error("malformed: {0}")]
    Malformed(#[from] InvalidHello),
    /// A second HELLO came.
    #[error("a second HELLO came")]
    HelloRepeated,
    /// PROOF came before HELLO.
    #[error("PROOF came before HELLO")]
    ProofBeforeHello,
    /// The handshake is over.
    #[error("the handshake is over")]
    Ended,
    /// No version in common.
    #[error("no protocol version in common")]
    UnsupportedVersion,
    /// The other side names another swarm.
    #[error("the other side names another swarm")]
    WrongSwarm,
    /// The other side names another introduction.
    #[error("the other side names another introduction")]
    WrongIntroduction,
    /// Both sides claim one role.
    #[error("both sides claim one role")]
    WrongRole,
    /// Both sides use one nonce: a reflected message.
    #[error("both sides use one nonce")]
    EqualNonces,
    /// Both sides use one key.
    #[error("both sides use one key")]
    EqualKeys,
    /// The tracker introduced this peer to itself.
    #[error("introduced to oneself")]
    OwnHandle,
    /// The ticket is another peer's than the introduced one's.
    #[error("the ticket is not the introduced peer's")]
    WrongHandle,
    /// The other side's certificate is not the one it says it has.
    #[error("the other side states another certificate than it uses")]
    WrongRemoteFingerprint,
    /// The other side was told of another certificate than this peer's.
    #[error("the other side was told of another certificate than ours")]
    WrongLocalFingerprint,
    /// The ticket does not admit the other side.
    #[error("ticket: {0}")]
    Ticket(#[from] TicketError),
    /// The signature is not over this transcript by the ticket's key.
    #[error("the signature does not fit")]
    BadSignature,
}

impl HandshakeFault {
    /// The stable name of the reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "handshake_too_large",
            Self::NotProven => "not_proven",
            Self::Malformed(_) => "handshake_malformed",
            Self::HelloRepeated => "hello_repeated",
            Self::ProofBeforeHello => "proof_before_hello",
            Self::Ended => "handshake_ended",
            Self::UnsupportedVersion => "unsupported_version",
            Self::WrongSwarm => "wrong_swarm",
            Self::WrongIntroduction => "wrong_introduction",
            Self::WrongRole => "wrong_role",
            Self::EqualNonces => "equal_nonces",
            Self::EqualKeys => "equal_keys",
            Self::OwnHandle => "own_handle",
            Self::WrongHandle => "wrong_handle",
            Self::WrongRemoteFingerprint => "wrong_remote_fingerprint",
            Self::WrongLocalFingerprint => "wrong_local_fingerprint",
            Self::Ticket(fault) => fault.code(),
            Self::BadSignature => "bad_proof",
        }
    }
}

/// What both sides sign, without the context string that keeps their signatures apart.
fn transcript(version: u8, config: &HandshakeConfig, offerer: &[u8], answerer: &[u8]) -> Vec<u8> {
    let (offerer_fingerprint, answerer_fingerprint) = match config.role {
        Role::Offerer => (config.local_fingerprint, config.remote_fingerprint),
        Role::Answerer => (config.remote_fingerprint, config.local_fingerprint),
    };
    let mut out = Vec::with_capacity(2 * MAX_HANDSHAKE);
    out.push(version);
    out.extend_from_slice(&config.swarm.0);
    out.extend_from_slice(&config.introduction);
    out.extend_from_slice(&offerer_fingerprint.0);
    out.extend_from_slice(&answerer_fingerprint.0);
    for hello in [offerer, answerer] {
        out.extend_from_slice(&u16::try_from(hello.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(hello);
    }
    out
}

fn under_context(signer: Role, transcript: &[u8]) -> Vec<u8> {
    let context = match signer {
        Role::Offerer => OFFERER_CONTEXT,
        Role::Answerer => ANSWERER_CONTEXT,
    };
    [context, transcript].concat()
}

const _: () = assert!(
    MAX_HELLO + PROOF_LEN <= MAX_HANDSHAKE,
    "the longest HELLO and a PROOF fit"
);

const OFFERER_CONTEXT: &[u8] = b"swarmseal/proof/offerer/1";
const ANSWERER_CONTEXT: &[u8] = b"swarmseal/proof/answerer/1";
