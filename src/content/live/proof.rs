//! Consistency proofs: that a longer log begins with a shorter one (RFC 9162 §2.1.4).

use alloc::vec::Vec;

use crate::content::{Hash, tree};

/// Proves that the tree over `leaves` begins with its first `count` leaves; `None` if there are not so many.
#[must_use]
pub fn consistency(leaves: &[Hash], count: usize) -> Option<Vec<Hash>> {
    if count > leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut range, mut count) = (leaves, count);
    // Whether the subtree at hand is one that the verifier has as the shorter tree's root.
    let mut known = true;
    while count != range.len() && count != 0 {
        let (left, right) = range.split_at_checked(split(range.len()))?;
        if count <= left.len() {
            proof.push(tree::root(right));
            range = left;
        } else {
            proof.push(tree::root(left));
            range = right;
            count -= left.len();
            known = false;
        }
    }
    if !known {
        proof.push(tree::root(range));
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` shows that the tree of `new_count` leaves with `new_root` begins with the one of `old_count` leaves
/// with `old_root` (RFC 9162 §2.1.4.2). Everything begins with the empty tree.
#[must_use]
pub fn verify_consistency(
    (old_count, old_root): (u32, &Hash),
    (new_count, new_root): (u32, &Hash),
    proof: &[Hash],
) -> bool {
    if old_count == 0 {
        return proof.is_empty() && *old_root == tree::root(&[]);
    }
    if old_count >= new_count {
        return old_count == new_count && proof.is_empty() && old_root == new_root;
    }
    let mut steps = proof.iter();
    // A tree of a power of two is a subtree of the longer one; its root is not repeated in the proof.
    let first = if old_count.is_power_of_two() {
        Some(old_root)
    } else {
        steps.next()
    };
    let Some(first) = first else { return false };
    let (mut position, mut last) = (old_count - 1, new_count - 1);
    let shift = position.trailing_ones();
    position >>= shift;
    last >>= shift;
    let (mut old, mut new) = (*first, *first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            old = tree::node(step, &old);
            new = tree::node(step, &new);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            new = tree::node(&new, step);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && old == *old_root && new == *new_root
}

/// Leaves in the left subtree: the largest power of two below `count`, which is above one.
const fn split(count: usize) -> usize {
    match count.checked_next_power_of_two() {
        Some(power) => power / 2,
        None => usize::MAX / 2 + 1,
    }
}
