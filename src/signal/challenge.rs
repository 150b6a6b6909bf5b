//! CHALLENGE and its answer: an announcer shows to the tracker that it holds what it announced.
//!
//! The tracker names chunks at random; the peer signs their leaf hashes, and sends each chunk with the audit path from
//! its leaf to the segment's root in a binary message of its own ([`Shown`]).

use alloc::vec::Vec;

use super::binary::IntroductionId;
use crate::content::{CHUNK, Hash, MAX_CHUNKS, ObjectId, PublicKey, TrackId, tree};
use crate::identity::{EphemeralKeys, Handle, SIGNATURE};

/// Chunks that one challenge may ask for: what a tracker needs for 99.9 % against half a liar, and some room. It bounds
/// what a tracker can make a peer upload at once (256 KiB).
pub const MAX_PICKS: usize = 16;

/// Bytes of one pick in a question: track (u16), segment (u32), chunk (u16).
pub const PICK: usize = 8;

/// Leaf hash in an answer that says: announced once, withdrawn before this question came.
pub const NOT_HELD: Hash = Hash([0; Hash::LEN]);

/// One chunk that a challenge asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pick {
    /// Of which segment.
    pub object: ObjectId,
    /// Which chunk.
    pub chunk: u32,
}

impl Pick {
    /// Reads one pick of a question.
    pub fn decode(bytes: &[u8; PICK]) -> Self {
        let [t0, t1, i0, i1, i2, i3, c0, c1] = *bytes;
        Self {
            object: ObjectId::new(
                TrackId(u16::from_be_bytes([t0, t1])),
                u32::from_be_bytes([i0, i1, i2, i3]),
            ),
            chunk: u16::from_be_bytes([c0, c1]).into(),
        }
    }

    /// Its bytes in a question; no object has more chunks than 16 bits can number.
    pub fn encode(&self) -> [u8; PICK] {
        let [t0, t1] = self.object.track.0.to_be_bytes();
        let [i0, i1, i2, i3] = self.object.index.to_be_bytes();
        let [_, _, c0, c1] = self.chunk.to_be_bytes();
        [t0, t1, i0, i1, i2, i3, c0, c1]
    }
}

/// The answer to `question`: the leaf hashes, 32 bytes each in the order of the picks, then a signature over the challenge,
/// one's own handle, the picks and these.
pub fn sign_answer(
    keys: &EphemeralKeys,
    challenge: IntroductionId,
    question: &[u8],
    mut leaves: Vec<u8>,
) -> Vec<u8> {
    let signature = keys.sign(&signed_answer(challenge, keys.handle(), question, &leaves));
    leaves.extend_from_slice(&signature);
    leaves
}

/// The leaf hashes of an answer to `question`, if the holder of `key` signed it for this challenge.
pub fn verify_answer(
    answer: &[u8],
    key: &PublicKey,
    challenge: IntroductionId,
    question: &[u8],
) -> Option<Vec<Hash>> {
    let (leaves, signature) = answer.split_last_chunk::<SIGNATURE>()?;
    let fits = leaves.len() == question.len() / PICK * Hash::LEN
        && key.verify(
            &signed_answer(challenge, Handle::of(key), question, leaves),
            signature,
        );
    fits.then(|| {
        leaves
            .chunks_exact(Hash::LEN)
            .filter_map(Hash::from_slice)
            .collect()
    })
}

fn signed_answer(challenge: IntroductionId, handle: Handle, question: &[u8], leaves: &[u8]) -> Vec<u8> {
    [ANSWER_CONTEXT, &challenge.0, &handle.0, question, leaves].concat()
}

/// One chunk with its audit path, as a binary message brought it. The chunk itself is hashed by whoever reads the
/// message, and goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The challenge.
    pub challenge: IntroductionId,
    /// Which of its picks, from 0.
    pub number: u8,
    /// Siblings from the leaf up.
    pub path: Vec<Hash>,
    /// Leaf hash of the chunk.
    pub leaf: Hash,
}

/// What stands before the chunk in a binary message.
pub fn shown_head(challenge: IntroductionId, number: u8, path: &[Hash]) -> Vec<u8> {
    // No path has more than 11 siblings.
    let mut head = [&challenge.0[..], &[number, path.len() as u8]].concat();
    for sibling in path {
        head.extend_from_slice(&sibling.0);
    }
    head
}

impl Shown {
    /// Reads a binary message and hashes its chunk; `None` if it is none, or longer than any.
    pub fn read(message: &[u8]) -> Option<Self> {
        let (mut shown, chunk) = Self::split(message)?;
        if chunk.is_empty() || chunk.len() > CHUNK as usize {
            return None;
        }
        shown.leaf = tree::leaf(chunk);
        Some(shown)
    }

    /// Takes a binary message apart without hashing its chunk: for who has named chunks instead of bytes.
    pub fn split(message: &[u8]) -> Option<(Self, &[u8])> {
        let (challenge, rest) = message.split_first_chunk()?;
        let ([number, siblings], rest) = rest.split_first_chunk()?;
        let siblings = usize::from(*siblings);
        if siblings > MAX_PATH {
            return None;
        }
        let (path, chunk) = rest.split_at_checked(siblings * Hash::LEN)?;
        let shown = Self {
            challenge: IntroductionId(*challenge),
            number: *number,
            path: path
                .chunks_exact(Hash::LEN)
                .filter_map(Hash::from_slice)
                .collect(),
            leaf: NOT_HELD,
        };
        Some((shown, chunk))
    }
}

/// Siblings from a leaf of the largest object to its root.
const MAX_PATH: usize = MAX_CHUNKS.ilog2() as usize;

const ANSWER_CONTEXT: &[u8] = b"swarmseal/challenge/1";
