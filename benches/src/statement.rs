//! What a sender signs for each request, what its receiver makes of it, and what a tracker makes of a proof.

use std::hint::black_box;

use swarmseal::content::{Hash, ObjectId, SwarmId, TrackId, tree};
use swarmseal::identity::{EphemeralKeys, MAX_STATED, Statement, Tampering};

use crate::Case;

/// The longest object has so many chunks.
const LEAVES: u32 = 2_048;
const FIRST: usize = 768;

struct Pass<F>(F);

impl<F: FnMut()> Case for Pass<F> {
    fn pass(&mut self) {
        (self.0)();
    }
}

/// A statement of 16 chunks, signed.
pub(crate) fn sign() -> Box<dyn Case> {
    let (keys, statement) = (keys(), statement());
    Box::new(Pass(move || {
        black_box(black_box(&statement).sign(&keys));
    }))
}

/// The same, read and compared with the row. Its signature is looked at only if they differ.
pub(crate) fn compare() -> Box<dyn Case> {
    let (row, signed) = (row(), statement().sign(&keys()));
    Box::new(Pass(move || {
        let stated = Statement::read(black_box(&signed)).unwrap();
        assert!(stated.leaves == row[FIRST..FIRST + MAX_STATED]);
    }))
}

/// A proof of tampering, judged.
pub(crate) fn judge() -> Box<dyn Case> {
    let (keys, row, mut statement) = (keys(), row(), statement());
    statement.leaves[9] = Hash([6; 32]);
    let proof = Tampering {
        key: keys.public(),
        place: 9,
        leaf: row[FIRST + 9],
        path: tree::path(&row, FIRST + 9).unwrap(),
        statement: statement.sign(&keys),
    }
    .encode();
    Box::new(Pass(move || {
        let proof = Tampering::read(black_box(&proof)).unwrap();
        let stated = proof.stated().unwrap();
        assert_eq!(proof.check(&stated), Ok(()));
    }))
}

fn keys() -> EphemeralKeys {
    EphemeralKeys::from_seed([1; 32])
}

fn row() -> Vec<Hash> {
    (0..LEAVES).map(|n| Hash::of(&[&n.to_le_bytes()])).collect()
}

fn statement() -> Statement {
    let row = row();
    Statement {
        swarm: SwarmId([7; 32]),
        object: ObjectId::new(TrackId(3), 77),
        root: tree::root(&row),
        chunks: LEAVES,
        first: FIRST as u32,
        nonce: [7; 16],
        unix_s: 1_800_000_000,
        leaves: row[FIRST..FIRST + MAX_STATED].to_vec(),
    }
}
