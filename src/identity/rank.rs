//! Orders that every peer computes alike: who fetches a segment first, and the digest of index roots.

use alloc::vec::Vec;

use crate::content::{Hash, TrackId};
use crate::ordered::sort_by_key;

/// A value that the tracker draws for a peer after the peer has committed to its key, so that nobody can
/// choose a key that wins elections.
pub type Election = [u8; 16];

/// A peer's place in the election of the first fetcher of the segment with `root`: the lowest rank fetches.
pub fn rank(election: &Election, root: &Hash, epoch: u64) -> u64 {
    let digest = Hash::of(&[RANK_CONTEXT, election, &root.0, &epoch.to_be_bytes()]);
    digest
        .0
        .first_chunk()
        .copied()
        .map(u64::from_be_bytes)
        .unwrap_or_default()
}

/// One digest over the index roots that a peer uses, sorted by track: what HELLO says before TRACKS lists them.
pub fn roots_digest(roots: &[(TrackId, Hash)]) -> Hash {
    let mut sorted: Vec<&(TrackId, Hash)> = roots.iter().collect();
    sort_by_key(&mut sorted, |root| **root);
    let mut message = Vec::with_capacity(ROOTS_CONTEXT.len() + sorted.len() * (2 + Hash::LEN));
    message.extend_from_slice(ROOTS_CONTEXT);
    for (track, root) in sorted {
        message.extend_from_slice(&track.0.to_be_bytes());
        message.extend_from_slice(&root.0);
    }
    Hash::of(&[&message])
}

const RANK_CONTEXT: &[u8] = b"swarmseal/rank/1";
const ROOTS_CONTEXT: &[u8] = b"swarmseal/roots/1";
