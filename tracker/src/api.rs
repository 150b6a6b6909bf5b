//! What goes into the tracker and what comes out.

use core::fmt;
use std::sync::Arc;

use swarmseal::content::{Hash, Manifest, SecretKey, SwarmId, SwarmSecret};
use swarmseal::identity::{Election, Handle};
use swarmseal::signal::{ClientMessage, ServerMessage, Shown};
use swarmseal::swarm::Timestamp;

use super::roots::Roots;

/// One connection. The caller never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// An address prefix under a key that only the caller has: equal for neighbours, meaningless to everybody else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrefixTag(pub u64);

impl fmt::Debug for PrefixTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrefixTag(..)")
    }
}

/// The time of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Never goes back. All deadlines are kept in it.
    pub monotonic: Timestamp,
    /// Wall time in milliseconds since 1970: for tickets and what peers are told.
    pub unix_ms: u64,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// A connection was opened.
    Connected {
        /// The connection.
        conn: ConnId,
        /// Where it comes from, as far as the tracker may know.
        prefix: PrefixTag,
    },
    /// A message of the schema arrived.
    Message {
        /// The connection.
        conn: ConnId,
        /// The message, not validated yet.
        message: ClientMessage,
    },
    /// A chunk arrived in a binary message, and was hashed if it is one that was asked for.
    Shown {
        /// The connection.
        conn: ConnId,
        /// What it shows.
        shown: Shown,
    },
    /// Something else than a message of the schema arrived.
    Malformed {
        /// The connection.
        conn: ConnId,
    },
    /// The other side has shown to be there without saying anything (a WebSocket pong).
    Alive {
        /// The connection.
        conn: ConnId,
    },
    /// A connection is gone. Not needed after [`Output::Close`].
    Closed {
        /// The connection.
        conn: ConnId,
    },
    /// Nothing but time.
    Tick,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message.
    Send {
        /// The connection.
        conn: ConnId,
        /// The message.
        message: ServerMessage,
    },
    /// Close a connection once what was sent before is out.
    Close {
        /// The connection.
        conn: ConnId,
        /// Why.
        reason: CloseReason,
    },
}

/// Why the tracker closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// The peer said goodbye.
    Left,
    /// No such swarm, or no proof of its secret: not told apart.
    NotAdmitted,
    /// Another version of the protocol.
    UnsupportedVersion,
    /// A signature did not fit.
    BadSignature,
    /// No JOIN in time.
    JoinTimeout,
    /// Nothing heard for the keep-alive time.
    Silent,
    /// The same key joined over another connection.
    Replaced,
    /// Too many refused messages.
    Misbehaviour,
    /// Its admission was taken back.
    Revoked,
    /// A limit of the tracker or of the address prefix is reached.
    Overloaded,
    /// The content is no longer served.
    ContentGone,
    /// The tracker ends.
    ShuttingDown,
}

impl CloseReason {
    /// Stable code, also the text of the close frame.
    pub fn code(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::NotAdmitted => "not_admitted",
            Self::UnsupportedVersion => "unsupported_version",
            Self::BadSignature => "bad_signature",
            Self::JoinTimeout => "join_timeout",
            Self::Silent => "silent",
            Self::Replaced => "replaced",
            Self::Misbehaviour => "misbehaviour",
            Self::Revoked => "revoked",
            Self::Overloaded => "overloaded",
            Self::ContentGone => "content_gone",
            Self::ShuttingDown => "shutting_down",
        }
    }
}

/// A content whose peers are introduced to each other: all that the tracker has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The swarm.
    pub swarm: SwarmId,
    /// What its peers have to know.
    pub secret: SwarmSecret,
    /// What announcers are checked against: of the newest version, then of older ones whose viewers may still be there.
    /// Without any, announcers are listed on their word.
    pub roots: Vec<Arc<Roots>>,
    /// Whether its segments are stated while it goes on, and followed: [`Tracker::set_live_roots`](crate::Tracker::set_live_roots)
    /// says of which the roots are known. Until it does, nobody is listed.
    pub is_followed: bool,
}

impl Content {
    /// What a verified manifest says, without roots.
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            swarm: manifest.swarm_id(),
            secret: manifest.swarm_secret.clone(),
            roots: Vec::new(),
            is_followed: false,
        }
    }
}

/// The tracker's secrets. They survive a restart, so that tickets stay valid and elections do not change.
#[derive(Clone, Debug)]
pub struct TrackerKeys {
    pub(super) signing: SecretKey,
    election: SwarmSecret,
}

impl TrackerKeys {
    /// The keys that follow from the tracker's signing key.
    pub fn new(signing: SecretKey) -> Self {
        let election = Hash::of(&[ELECTION_KEY_CONTEXT, signing.to_text().as_bytes()]);
        Self {
            signing,
            election: SwarmSecret(election.0),
        }
    }

    /// The election value of a peer: fixed by key and swarm, so that joining again does not draw again, and unknown
    /// to the peer before the tracker has seen its key.
    pub(super) fn election(&self, swarm: SwarmId, handle: Handle) -> Election {
        let mac = self.election.mac(ELECTION_CONTEXT, &[&swarm.0, &handle.0]);
        mac.first_chunk().copied().unwrap_or_default()
    }
}

const ELECTION_KEY_CONTEXT: &[u8] = b"swarmseal/election-key/1";
const ELECTION_CONTEXT: &str = "swarmseal/election/1";
