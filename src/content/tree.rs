//! The hash tree over an object's chunks: Merkle Tree Hash of RFC 9162 §2.1.1 with SHA-256.
//!
//! A leaf is the hash of 0x00 and the chunk, a node the hash of 0x01 and its two children. The shape of the tree
//! follows from the number of leaves, which follows from the signed length of the object.

use alloc::vec::Vec;

use super::Hash;

/// Hash of one leaf.
#[must_use]
pub fn leaf(data: &[u8]) -> Hash {
    Hash::of(&[&[0x00], data])
}

/// Hash of an inner node.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[0x01], &left.0, &right.0])
}

/// Root of the tree over `leaves`; the empty tree has the hash of the empty string.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut builder = RootBuilder::default();
    for leaf in leaves {
        builder.push(*leaf);
    }
    builder.finish()
}

/// Audit path of leaf `index` (RFC 9162 §2.1.3.1), lowest sibling first; `None` if there is no such leaf.
#[must_use]
pub fn path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    leaves.get(index)?;
    let mut siblings = Vec::new();
    let mut width = 1;
    while width < leaves.len() {
        // None where an odd number of subtrees ends: the last one stands on the next level as it is.
        let beside = leaves.get(((index / width) ^ 1) * width..).unwrap_or_default();
        if !beside.is_empty() {
            siblings.push(root(beside.get(..width).unwrap_or(beside)));
        }
        width *= 2;
    }
    Some(siblings)
}

/// Whether `leaf` is leaf `index` of the tree of `count` leaves with this `root` (RFC 9162 §2.1.3.2).
#[must_use]
pub fn verify_path(leaf: &Hash, index: usize, count: usize, path: &[Hash], root: &Hash) -> bool {
    if index >= count {
        return false;
    }
    let (mut position, mut last) = (index, count - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            hash = node(sibling, &hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Computes a root from leaves that arrive one after the other, holding one hash per level.
#[derive(Debug, Clone, Default)]
pub struct RootBuilder {
    /// Roots of the complete subtrees so far, largest first; their sizes are the binary digits of `count`.
    complete: Vec<Hash>,
    count: u64,
}

impl RootBuilder {
    /// Appends one leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut digits = self.count;
        while digits & 1 == 1 {
            let Some(left) = self.complete.pop() else { break };
            hash = node(&left, &hash);
            digits >>= 1;
        }
        self.complete.push(hash);
        self.count += 1;
    }

    /// Continues a tree of `count` leaves from the roots of its complete subtrees, largest first; `None` unless there
    /// is one for each binary digit of `count`.
    #[must_use]
    pub fn from_peaks(count: u64, peaks: &[Hash]) -> Option<Self> {
        (peaks.len() == count.count_ones() as usize).then(|| Self {
            complete: peaks.to_vec(),
            count,
        })
    }

    /// Roots of the complete subtrees so far, largest first: all that has to be kept of a tree to go on.
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.complete
    }

    /// Leaves so far.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn finish(&self) -> Hash {
        let mut subtrees = self.complete.iter().rev();
        let Some(smallest) = subtrees.next() else {
            return Hash::of(&[]);
        };
        subtrees.fold(*smallest, |right, left| node(left, &right))
    }
}

#[cfg(test)]
mod tests;
