//! STATEMENT: what the sender of chunks puts its name to, once for each request that it answers.

use alloc::vec::Vec;

use super::cursor::{Reader, Short};
use super::keys::{EphemeralKeys, SIGNATURE};
use crate::content::{Hash, ObjectId, PublicKey, SwarmId, TrackId};

/// Leaf hashes in one statement: the chunks of one REQUEST.
pub const MAX_STATED: usize = 16;

/// "These are the leaf hashes of the chunks that you asked me for."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// In which swarm.
    pub swarm: SwarmId,
    /// Of which object.
    pub object: ObjectId,
    /// Its root, by which the sender is judged…
    pub root: Hash,
    /// …and how many chunks there are under it: with both, whoever has the statement can judge it.
    pub chunks: u32,
    /// Of which chunk the first hash is.
    pub first: u32,
    /// The nonce of the request.
    pub nonce: [u8; 16],
    /// When, in unix seconds.
    pub unix_s: u64,
    /// One for each chunk of the request; at most [`MAX_STATED`].
    pub leaves: Vec<Hash>,
}

impl Statement {
    /// This statement, signed.
    pub fn sign(&self, keys: &EphemeralKeys) -> Vec<u8> {
        let mut signed = [
            CONTEXT,
            &self.swarm.0,
            &self.object.track.0.to_be_bytes(),
            &self.object.index.to_be_bytes(),
            &self.root.0,
            &self.chunks.to_be_bytes(),
            &self.first.to_be_bytes(),
            &self.nonce,
            &self.unix_s.to_be_bytes(),
        ]
        .concat();
        for leaf in &self.leaves {
            signed.extend_from_slice(&leaf.0);
        }
        let signature = keys.sign(&signed);
        [&signature, signed.get(CONTEXT.len()..).unwrap_or_default()].concat()
    }

    /// Reads a statement; who has signed it is [`Self::is_of`]'s question.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Self::fields(bytes).ok().flatten()
    }

    fn fields(bytes: &[u8]) -> Result<Option<Self>, Short> {
        let mut reader = Reader::new(bytes);
        reader.array::<SIGNATURE>()?;
        let mut statement = Self {
            swarm: SwarmId(reader.array()?),
            object: ObjectId::new(TrackId(reader.u16()?), reader.u32()?),
            root: Hash(reader.array()?),
            chunks: reader.u32()?,
            first: reader.u32()?,
            nonce: reader.array()?,
            unix_s: u64::from_be_bytes(reader.array()?),
            leaves: Vec::new(),
        };
        while !reader.is_empty() && statement.leaves.len() < MAX_STATED {
            statement.leaves.push(Hash(reader.array()?));
        }
        let is_whole = reader.is_empty() && !statement.leaves.is_empty();
        Ok(is_whole.then_some(statement))
    }

    /// Whether the holder of `key` signed the statement in `bytes`.
    pub fn is_of(bytes: &[u8], key: &PublicKey) -> bool {
        bytes
            .split_first_chunk()
            .is_some_and(|(signature, fields)| key.verify(&[CONTEXT, fields].concat(), signature))
    }
}

const CONTEXT: &[u8] = b"swarmseal/statement/1";
