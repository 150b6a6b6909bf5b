//! A rolling hash over everything that happened: two runs are the same if theirs are.

use sha2::{Digest, Sha256};

use crate::net::Micros;

/// What kind of thing happened. The numbers go into the hash: they never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Arrived = 1,
    Left = 2,
    Asked = 3,
    Delivered = 4,
    Refused = 5,
    FetchBegun = 6,
    FetchAborted = 7,
    FetchEnded = 8,
    KeptFromPeer = 9,
    KeptFromHttp = 10,
    Evicted = 11,
    Dialled = 12,
    Linked = 13,
    Closed = 14,
    SentControl = 15,
    SentData = 16,
    CameControl = 17,
    CameData = 18,
    ToTracker = 19,
    FromTracker = 20,
    Blamed = 21,
    FirstFrame = 22,
    Stalled = 23,
    Seeked = 24,
    Switched = 25,
    OutageBegun = 26,
}

/// The hash so far.
#[derive(Clone, Debug)]
pub(crate) struct EventLog {
    hash: Sha256,
    batch: Vec<u8>,
}

/// Bytes that are hashed at once.
const BATCH: usize = 16 << 10;

impl EventLog {
    pub(crate) fn new() -> Self {
        Self {
            hash: Sha256::new(),
            batch: Vec::with_capacity(BATCH + 64),
        }
    }

    /// Something happened to a viewer; what `a` and `b` mean depends on the kind.
    pub(crate) fn note(&mut self, at: Micros, viewer: u32, kind: Kind, a: u64, b: u64) {
        self.batch.extend_from_slice(&at.to_le_bytes());
        self.batch.extend_from_slice(&viewer.to_le_bytes());
        self.batch.push(kind as u8);
        self.batch.extend_from_slice(&a.to_le_bytes());
        self.batch.extend_from_slice(&b.to_le_bytes());
        if self.batch.len() >= BATCH {
            self.hash.update(&self.batch);
            self.batch.clear();
        }
    }

    /// The hash over all of it, in hex.
    pub(crate) fn finish(mut self) -> String {
        self.hash.update(&self.batch);
        let digest = self.hash.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_every_event_counts() {
        let hash = |events: &[(u64, u32, Kind, u64, u64)]| {
            let mut log = EventLog::new();
            for (at, viewer, kind, a, b) in events {
                log.note(*at, *viewer, *kind, *a, *b);
            }
            log.finish()
        };
        let one = (1, 2, Kind::Asked, 3, 4);
        let others = [
            (9, 2, Kind::Asked, 3, 4),
            (1, 9, Kind::Asked, 3, 4),
            (1, 2, Kind::Left, 3, 4),
            (1, 2, Kind::Asked, 9, 4),
            (1, 2, Kind::Asked, 3, 9),
        ];
        assert_eq!(hash(&[one, one]), hash(&[one, one]));
        assert!(
            others
                .iter()
                .all(|other| hash(&[one, *other]) != hash(&[one, one]))
        );
        assert_ne!(hash(&[one]), hash(&[one, one]));
        assert_eq!(hash(&vec![one; 1_000]).len(), 64);
    }
}
