//! Proof of tampering: a sender's own statement, and the leaf hash that is under the root it names itself. Anybody can judge it:
//! not a byte of the content is needed, and nothing that its publisher has signed.
//!
//! A sender that has checked the row against the root states hashes out of a tree of so many leaves with that root. There is
//! one such tree, so that no other hash can be shown at one of its places. The number of leaves has to be the sender's word as
//! well: in a tree said to be smaller, what is a node could be shown as a leaf.

use alloc::vec::Vec;

use super::cursor::{Reader, Short};
use super::statement::Statement;
use crate::content::{Hash, PublicKey, tree};

/// Bytes of a proof: what the longest statement and path take, and some room.
pub const MAX_TAMPERING: usize = 2048;

/// Siblings from a leaf of 16 KiB to the root of 4 GiB: more than any object of this version has.
const MAX_SIBLINGS: usize = 18;

/// The sender whose key is `key` stated something else about one chunk than the publisher did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tampering {
    /// The sender's key.
    pub key: PublicKey,
    /// Which hash of the statement is wrong, from 0.
    pub place: u8,
    /// The right one.
    pub leaf: Hash,
    /// Its audit path to the object's root.
    pub path: Vec<Hash>,
    /// The statement, as it came.
    pub statement: Vec<u8>,
}

/// Why a proof is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTampering {
    /// The statement says the same, or nothing about that chunk.
    NoContradiction,
    /// The right hash is not at that place under the root and the number of chunks that are stated.
    WrongPath,
    /// Somebody else signed the statement, or nobody.
    BadSignature,
}

impl Tampering {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        // No path has more than 18 siblings.
        let mut bytes = [
            &self.key.0[..],
            &[self.place, self.path.len() as u8],
            &self.leaf.0,
        ]
        .concat();
        for sibling in &self.path {
            bytes.extend_from_slice(&sibling.0);
        }
        bytes.extend_from_slice(&self.statement);
        bytes
    }

    /// Reads a proof. Whether it proves anything is for [`Self::check`] to say.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Self::fields(bytes).ok().flatten()
    }

    fn fields(bytes: &[u8]) -> Result<Option<Self>, Short> {
        let mut reader = Reader::new(bytes);
        let key = PublicKey(reader.array()?);
        let place = reader.u8()?;
        let siblings = usize::from(reader.u8()?);
        if bytes.len() > MAX_TAMPERING || siblings > MAX_SIBLINGS {
            return Ok(None);
        }
        let leaf = Hash(reader.array()?);
        let mut path = Vec::new();
        for _ in 0..siblings {
            path.push(Hash(reader.array()?));
        }
        Ok(Some(Self {
            key,
            place,
            leaf,
            path,
            statement: reader.bytes(reader.remaining())?.to_vec(),
        }))
    }

    /// What the sender stated; `None` if that is no statement.
    pub fn stated(&self) -> Option<Statement> {
        Statement::read(&self.statement)
    }

    /// Whether this proves that the holder of [`Self::key`] stated a hash, in `stated`, that is not under the root which it named.
    /// The signature, which costs most, is checked last.
    ///
    /// # Errors
    /// [`NoTampering`] says why it proves nothing.
    pub fn check(&self, stated: &Statement) -> Result<(), NoTampering> {
        let place = usize::from(self.place);
        if stated.leaves.get(place).is_none_or(|leaf| *leaf == self.leaf) {
            return Err(NoTampering::NoContradiction);
        }
        let chunk = (stated.first as usize).saturating_add(place);
        let chunks = stated.chunks as usize;
        if !tree::verify_path(&self.leaf, chunk, chunks, &self.path, &stated.root) {
            return Err(NoTampering::WrongPath);
        }
        if !Statement::is_of(&self.statement, &self.key) {
            return Err(NoTampering::BadSignature);
        }
        Ok(())
    }
}

impl NoTampering {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoContradiction => "no_contradiction",
            Self::WrongPath => "wrong_path",
            Self::BadSignature => "bad_signature",
        }
    }
}
