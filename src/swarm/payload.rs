//! Bytes that the engine checks but never keeps.

use crate::content::{Hash, tree};

/// The payload of one input. The engine asks for the leaf hash of a piece of it, once, and only after
/// it has decided that the piece was asked for.
pub trait Payload {
    /// Length in bytes.
    fn len(&self) -> usize;

    /// RFC 9162 leaf hash of `len` bytes at `offset`; `None` if the range is not inside the payload.
    fn leaf(&self, offset: usize, len: usize) -> Option<Hash>;

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Payload for &[u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn leaf(&self, offset: usize, len: usize) -> Option<Hash> {
        self.get(offset..offset.checked_add(len)?).map(tree::leaf)
    }
}
