//! The tracker's word that some admissions are void before their tickets end.

use alloc::vec::Vec;

use super::keys::Handle;
use crate::content::{PublicKey, SecretKey, SwarmId};

/// Handles in one statement: what fits into one message with room to spare.
pub const MAX_REVOKED: usize = 64;

/// Handles of one swarm that nobody should be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The swarm.
    pub swarm: SwarmId,
    /// The end of the revocation in unix seconds.
    pub until: u64,
    /// Who; at most [`MAX_REVOKED`].
    pub handles: Vec<Handle>,
}

impl Revocation {
    /// This statement, signed with the tracker's `key`.
    pub fn issue(&self, key: &SecretKey) -> Vec<u8> {
        let mut signed = [CONTEXT, &self.swarm.0, &self.until.to_be_bytes()].concat();
        signed.extend(self.handles.iter().flat_map(|handle| handle.0));
        let signature = key.sign(&signed);
        signed.splice(..CONTEXT.len(), signature);
        signed
    }

    /// Reads a statement, if it is one and one of `tracker_keys` has signed it.
    pub fn verify(statement: &[u8], tracker_keys: &[PublicKey]) -> Option<Self> {
        let (signature, fields) = statement.split_first_chunk()?;
        let (swarm, rest) = fields.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let (handles, rest) = rest.as_chunks();
        if !rest.is_empty() || handles.len() > MAX_REVOKED {
            return None;
        }
        let signed = [CONTEXT, fields].concat();
        let is_signed = tracker_keys.iter().any(|key| key.verify(&signed, signature));
        is_signed.then(|| Self {
            swarm: SwarmId(*swarm),
            until: u64::from_be_bytes(*until),
            handles: handles.iter().copied().map(Handle).collect(),
        })
    }
}

const CONTEXT: &[u8] = b"swarmseal/revocation/1";
