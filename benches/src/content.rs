//! Hashing, the tree over a segment's chunks, and the codec.

use std::hint::black_box;

use swarmseal::content::{Hash, ObjectId, TrackId, tree};
use swarmseal::wire::{self, Message, Urgency};

use crate::Case;

/// The longest object has so many chunks.
const LEAVES: u32 = 2_048;

struct Pass<F>(F);

impl<F: FnMut()> Case for Pass<F> {
    fn pass(&mut self) {
        (self.0)();
    }
}

/// The leaf of one chunk.
pub(crate) fn hash_chunk() -> Box<dyn Case> {
    let chunk = vec![0x5a; 16_384];
    Box::new(Pass(move || {
        black_box(tree::leaf(black_box(&chunk)));
    }))
}

/// The root over the leaves of the longest object.
pub(crate) fn tree_root() -> Box<dyn Case> {
    let leaves = leaves();
    Box::new(Pass(move || {
        black_box(tree::root(black_box(&leaves)));
    }))
}

/// A path in that tree, checked.
pub(crate) fn tree_path() -> Box<dyn Case> {
    let leaves = leaves();
    let root = tree::root(&leaves);
    let path = tree::path(&leaves, 777).unwrap();
    Box::new(Pass(move || {
        let fits = tree::verify_path(&leaves[777], 777, leaves.len(), black_box(&path), &root);
        assert!(fits);
    }))
}

/// A request, written and read.
pub(crate) fn codec_request() -> Box<dyn Case> {
    let message = Message::Request {
        id: 9,
        object: ObjectId {
            track: TrackId(3),
            index: 77,
        },
        root: Hash::of(&[b"root"]),
        first: 12,
        count: 16,
        nonce: [7; 16],
        urgency: Urgency::Soon,
    };
    Box::new(Pass(move || {
        let bytes = wire::encode(black_box(&message));
        assert!(black_box(wire::decode(&bytes)).is_ok());
    }))
}

fn leaves() -> Vec<Hash> {
    (0..LEAVES).map(|n| Hash::of(&[&n.to_le_bytes()])).collect()
}
