//! Where the verified chunks are.

use std::collections::BTreeMap;

use swarmseal::content::ObjectId;
use swarmseal::swarm::PeerId;

/// Keeps chunks for an engine, which names them, limits them and says which to drop.
pub trait Shelf: Send {
    /// Keeps a chunk.
    fn put(&mut self, object: ObjectId, chunk: u32, bytes: Vec<u8>);

    /// Drops all chunks of an object.
    fn evict(&mut self, object: ObjectId);

    /// `head` and `count` chunks from `first` on in one piece, for `reader` (a peer, or [`PeerId::TRACKER`]); `None` if a chunk
    /// is not held.
    fn message(
        &mut self,
        reader: PeerId,
        head: Vec<u8>,
        object: ObjectId,
        first: u32,
        count: u8,
    ) -> Option<Vec<u8>>;
}

/// In memory, for one visit.
#[derive(Debug, Default)]
pub struct Memory {
    objects: BTreeMap<ObjectId, BTreeMap<u32, Vec<u8>>>,
}

impl Shelf for Memory {
    fn put(&mut self, object: ObjectId, chunk: u32, bytes: Vec<u8>) {
        self.objects.entry(object).or_default().insert(chunk, bytes);
    }

    fn evict(&mut self, object: ObjectId) {
        self.objects.remove(&object);
    }

    fn message(
        &mut self,
        _reader: PeerId,
        mut head: Vec<u8>,
        object: ObjectId,
        first: u32,
        count: u8,
    ) -> Option<Vec<u8>> {
        let chunks = self.objects.get(&object)?;
        for chunk in first..first.checked_add(count.into())? {
            head.extend_from_slice(chunks.get(&chunk)?);
        }
        Some(head)
    }
}
