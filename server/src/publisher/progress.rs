//! How long work tells how far it is, without knowing about terminals.

/// Receives progress. Calls come from several threads.
pub trait Progress: Sync {
    /// A new stage begins, of so many bytes and objects. Bytes may be more in the end.
    fn begin(&self, stage: &str, bytes: u64, objects: u64);

    /// Bytes were hashed.
    fn bytes(&self, count: u64);

    /// An object is done. `reused`: an earlier run had hashed it, and its bytes do not count as work.
    fn object(&self, reused: bool);

    /// All stages are over.
    fn end(&self);
}

/// Progress that nobody sees.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _stage: &str, _bytes: u64, _objects: u64) {}
    fn bytes(&self, _count: u64) {}
    fn object(&self, _reused: bool) {}
    fn end(&self) {}
}
