//! What an auditor of the operator has received itself. Unlike a complaint it puts its sender out: an auditor is trusted with
//! this, and with nothing else.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use swarmseal::content::{Hash, ObjectId, PublicKey, SecretKey, SwarmId, from_base64url, to_base64url};
use swarmseal::identity::Handle;
use thiserror::Error;

use super::api::Now;
use super::tracker::Tracker;

/// Bytes that are not what the publisher signed, from a peer that had proven who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Where.
    pub swarm: SwarmId,
    /// Who sent them.
    pub handle: Handle,
    /// What was sent.
    pub fault: Fault,
    /// Of which object.
    pub object: ObjectId,
    /// Which chunk of it; 0 where a row is meant.
    pub chunk: u32,
    /// The object's root, as its publisher signed it and the sender named it.
    pub root: Hash,
    /// The hash of what came: of a chunk the leaf hash, of a row that of the message.
    pub received: Hash,
    /// When it came, Unix seconds.
    pub found_unix_s: u64,
}

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A chunk that is not in the row.
    Chunk,
    /// A row that does not give the root.
    Row,
}

/// A finding, and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFinding {
    /// What was found.
    pub finding: Finding,
    /// By whom.
    pub auditor: PublicKey,
    #[serde(serialize_with = "write_signature", deserialize_with = "read_signature")]
    signature: [u8; 64],
}

/// Why an auditor's word is not acted upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AuditRefused {
    /// Not one of the configured keys.
    #[error("the key is not that of an auditor")]
    UnknownAuditor,
    /// Altered, or another key's.
    #[error("the signature does not fit")]
    BadSignature,
    /// Too old, or of the future: it may have been heard before.
    #[error("it is not of this minute")]
    NotOfNow,
    /// A content that is not served here.
    #[error("the swarm is not served here")]
    UnknownSwarm,
    /// The tracker knows this object under other roots only: the sender may have had another version of the content, honestly.
    #[error("the root is of no version that is served here")]
    UnknownRoot,
    /// Too many are out.
    #[error("there is no room to remember it")]
    NoRoom,
    /// The peer is out, until the tracker starts anew: the file of revocations cannot be written.
    #[error("it is acted upon, but cannot be kept over a restart")]
    NotKept,
}

impl AuditRefused {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownAuditor => "unknown_auditor",
            Self::BadSignature => "bad_signature",
            Self::NotOfNow => "not_of_now",
            Self::UnknownSwarm => "unknown_swarm",
            Self::UnknownRoot => "unknown_root",
            Self::NoRoom => "no_room",
            Self::NotKept => "not_kept",
        }
    }
}

impl Finding {
    /// This finding, signed with an auditor's `key`.
    pub fn sign(self, key: &SecretKey) -> SignedFinding {
        SignedFinding {
            finding: self,
            auditor: key.public(),
            signature: key.sign(&self.signed()),
        }
    }

    fn signed(&self) -> Vec<u8> {
        let fault = match self.fault {
            Fault::Chunk => 0,
            Fault::Row => 1,
        };
        [
            CONTEXT,
            &self.swarm.0,
            &self.handle.0,
            &[fault],
            &self.object.track.0.to_be_bytes(),
            &self.object.index.to_be_bytes(),
            &self.chunk.to_be_bytes(),
            &self.root.0,
            &self.received.0,
            &self.found_unix_s.to_be_bytes(),
        ]
        .concat()
    }
}

impl Tracker {
    /// Puts out whom an auditor has caught, for as long as is configured, as [`Self::revoke`] does.
    ///
    /// # Errors
    /// [`AuditRefused`]; nothing has changed then.
    pub fn take_finding(&mut self, now: Now, signed: &SignedFinding) -> Result<(), AuditRefused> {
        let judged = self.judge_finding(now, signed);
        match judged {
            Ok(()) => self.counts.findings += 1,
            Err(refused) => self.counts.refuse_finding(refused.code()),
        }
        judged
    }

    fn judge_finding(&mut self, now: Now, signed: &SignedFinding) -> Result<(), AuditRefused> {
        let SignedFinding {
            finding,
            auditor,
            signature,
        } = signed;
        self.judge_auditor(now, auditor, &finding.signed(), signature, finding.found_unix_s)?;
        let unix_s = now.unix_ms / 1_000;
        if !self.contents.contains_key(&finding.swarm) {
            return Err(AuditRefused::UnknownSwarm);
        }
        let editions = self.editions(finding.swarm);
        let mut known = editions
            .iter()
            .filter_map(|roots| roots.root_of(finding.object))
            .peekable();
        if known.peek().is_some() && known.all(|root| root != finding.root) {
            return Err(AuditRefused::UnknownRoot);
        }
        let until = unix_s.saturating_add(self.config.conviction_s.into());
        if self.put_out(now, Some(finding.swarm), finding.handle, until) {
            Ok(())
        } else {
            Err(AuditRefused::NoRoom)
        }
    }
}

impl Tracker {
    /// Whether this is the word of an auditor, and of now.
    pub(super) fn judge_auditor(
        &self,
        now: Now,
        auditor: &PublicKey,
        signed: &[u8],
        signature: &[u8; 64],
        unix_s: u64,
    ) -> Result<(), AuditRefused> {
        if !self.config.auditors.contains(auditor) {
            return Err(AuditRefused::UnknownAuditor);
        }
        if !auditor.verify(signed, signature) {
            return Err(AuditRefused::BadSignature);
        }
        if unix_s.abs_diff(now.unix_ms / 1_000) > FRESH_S {
            return Err(AuditRefused::NotOfNow);
        }
        Ok(())
    }
}

pub(super) fn write_signature<S: Serializer>(signature: &[u8; 64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_base64url(signature))
}

pub(super) fn read_signature<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 64], D::Error> {
    let text = String::deserialize(deserializer)?;
    from_base64url(&text).map_err(serde::de::Error::custom)
}

const CONTEXT: &[u8] = b"swarmseal/finding/1";
/// How old an auditor's word may be, and how far the clocks of tracker and auditor may be apart.
const FRESH_S: u64 = 60;
