//! What a peer says to the tracker.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::binary::{self, IntroductionId};
use super::candidate::{Candidate, Loopback};
use super::description::Description;
use super::error::InvalidSignal;
use super::limits::{
    MAX_ANNOUNCE_RANGES, MAX_ANNOUNCE_S, MAX_ANNOUNCE_TRACKS, MAX_LIST, MAX_OPAQUE, SIGNAL_VERSION,
};
use super::server::EndReason;
use crate::content::{MAX_TRACK, ObjectId, PublicKey, SwarmId, TrackId};
use crate::identity::{Handle, MAX_TAMPERING};
use crate::wire::Range;

/// A message from peer to tracker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Asks to be admitted to a swarm; the answer to WELCOME.
    Join(Join),
    /// What the peer holds, instead of what it announced before.
    Announce(Announce),
    /// Asks for a new ticket before the old one ends.
    Renew {},
    /// Asks for handles of others.
    List {
        /// How many, 1 to 30.
        want: u8,
    },
    /// Asks to be introduced to a peer from a list.
    Introduce {
        /// The peer.
        peer: Handle,
    },
    /// This side's description, for the other side.
    Description {
        /// The introduction.
        introduction: IntroductionId,
        /// The description.
        description: Description,
    },
    /// One of at most 6 candidates of this side.
    Candidate {
        /// The introduction.
        introduction: IntroductionId,
        /// The candidate.
        candidate: Candidate,
    },
    /// This side has no more candidates.
    EndOfCandidates {
        /// The introduction.
        introduction: IntroductionId,
    },
    /// This side needs the introduction no longer.
    EndIntroduction {
        /// The introduction.
        introduction: IntroductionId,
        /// Why.
        reason: EndReason,
    },
    /// A peer that this peer was introduced to broke a rule.
    Report {
        /// The peer.
        peer: Handle,
        /// Which rule.
        code: ReportCode,
        /// The object, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<ObjectId>,
    },
    /// Goodbye.
    Leave {},
    /// The answer to a CHALLENGE. The chunks follow, each in a binary message ([`super::Shown`]).
    ChallengeAnswer {
        /// The challenge.
        challenge: IntroductionId,
        /// Signature and leaf hashes ([`super::sign_answer`]).
        #[serde(with = "binary::bytes")]
        answer: Vec<u8>,
    },
    /// A neighbour has signed something else than the publisher.
    Tampering {
        /// The proof ([`crate::identity::Tampering`]).
        #[serde(with = "binary::bytes")]
        proof: Vec<u8>,
    },
}

/// Asks to be admitted to a swarm. Made with `Join::sign`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The version of the tracker protocol.
    pub version: u8,
    /// The swarm.
    pub swarm: SwarmId,
    /// The key that the ticket shall admit.
    pub key: PublicKey,
    /// Proof that the peer knows the swarm secret.
    #[serde(with = "binary::array")]
    pub proof: [u8; 32],
    /// Signature by `key`.
    #[serde(with = "binary::array")]
    pub signature: [u8; 64],
    /// What the peer holds already; without it the peer is not listed as a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<Announce>,
}

/// What a peer holds, coarsely. Made with `Announce::sign`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    /// Per track, ascending.
    pub ranges: Vec<TrackRanges>,
    /// Seconds until it is void, at most 600.
    pub expires_s: u32,
    /// Counts up with every announcement on one connection.
    pub seq: u64,
    /// Signature by the joining key.
    #[serde(with = "binary::array")]
    pub signature: [u8; 64],
}

/// Segments of one track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackRanges {
    /// The track.
    pub track: TrackId,
    /// Ascending, disjoint.
    pub ranges: Vec<Range>,
}

/// Which rule a reported peer broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportCode {
    /// A chunk failed verification.
    BadChunk,
    /// Leaf hashes failed verification.
    BadRows,
    /// The handshake failed.
    Handshake,
    /// A message broke another rule.
    Misbehaviour,
}

impl ClientMessage {
    /// Checks every bound that the types do not. Whether the message is allowed now is the tracker's check.
    ///
    /// # Errors
    /// [`InvalidSignal`] names the rule.
    pub fn validate(&self, loopback: Loopback) -> Result<(), InvalidSignal> {
        match self {
            Self::Join(join) => {
                if join.version != SIGNAL_VERSION {
                    return Err(InvalidSignal::UnsupportedVersion);
                }
                join.announce.as_ref().map_or(Ok(()), Announce::validate)
            }
            Self::Announce(announce) => announce.validate(),
            Self::List { want } => {
                if (1..=MAX_LIST).contains(&usize::from(*want)) {
                    Ok(())
                } else {
                    Err(InvalidSignal::BadListLength)
                }
            }
            Self::Description { description, .. } => Ok(description.validate()?),
            Self::Candidate { candidate, .. } => Ok(candidate.validate(loopback)?),
            Self::ChallengeAnswer { answer, .. } if answer.len() > MAX_OPAQUE => {
                Err(InvalidSignal::OpaqueTooLong)
            }
            Self::Tampering { proof } if proof.len() > MAX_TAMPERING => Err(InvalidSignal::OpaqueTooLong),
            Self::Renew {}
            | Self::Introduce { .. }
            | Self::EndOfCandidates { .. }
            | Self::EndIntroduction { .. }
            | Self::Report { .. }
            | Self::Leave {}
            | Self::ChallengeAnswer { .. }
            | Self::Tampering { .. } => Ok(()),
        }
    }
}

impl Announce {
    fn validate(&self) -> Result<(), InvalidSignal> {
        if self.ranges.len() > MAX_ANNOUNCE_TRACKS {
            return Err(InvalidSignal::TooManyTracks);
        }
        if !(1..=MAX_ANNOUNCE_S).contains(&self.expires_s) {
            return Err(InvalidSignal::BadExpiry);
        }
        if !self
            .ranges
            .is_sorted_by(|earlier, later| earlier.track < later.track)
        {
            return Err(InvalidSignal::TracksOutOfOrder);
        }
        self.ranges.iter().try_for_each(TrackRanges::validate)
    }
}

impl TrackRanges {
    fn validate(&self) -> Result<(), InvalidSignal> {
        if self.track.0 > MAX_TRACK {
            return Err(InvalidSignal::BadTrack);
        }
        if self.ranges.is_empty() || self.ranges.len() > MAX_ANNOUNCE_RANGES {
            return Err(InvalidSignal::BadRangeCount);
        }
        let mut free = 0;
        for range in &self.ranges {
            if range.count == 0 || range.first < free {
                return Err(InvalidSignal::BadRange);
            }
            free = range.end().ok_or(InvalidSignal::BadRange)?;
        }
        Ok(())
    }
}
