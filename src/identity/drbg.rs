//! Randomness from one seed, so that a run can be repeated byte for byte.

use core::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// A deterministic generator: block *i* is SHA-256 over context, seed and *i*.
///
/// The seed must come from the platform's generator once per peer; everything that the core needs to be
/// unpredictable (nonces, ephemeral keys, tie-breaks) is drawn from here.
#[derive(Clone)]
pub struct Drbg {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    used: usize,
}

impl Drbg {
    /// A generator whose whole output follows from `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            counter: 0,
            block: [0; 32],
            used: BLOCK,
        }
    }

    /// A generator of its own for one purpose. What is drawn from it does not depend on how much is drawn here.
    pub fn fork(&self, purpose: &str) -> Self {
        let seed = Sha256::new()
            .chain_update(FORK_CONTEXT)
            .chain_update(self.seed)
            .chain_update(purpose.as_bytes())
            .finalize();
        Self::new(seed.into())
    }

    /// Fills `out` with pseudorandom bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            *byte = self.next_byte();
        }
    }

    /// An array of pseudorandom bytes: nonces, keys, identifiers.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// 64 pseudorandom bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    /// A number below `bound`, each equally likely; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound <= 1 {
            return 0;
        }
        // Numbers from the last, incomplete run of `bound` would favour small results: draw again.
        let limit = u64::MAX - (u64::MAX % bound + 1) % bound;
        loop {
            let drawn = self.next_u64();
            if drawn <= limit {
                return drawn % bound;
            }
        }
    }

    /// An index into something of `length` items; `None` if there are none.
    pub fn index(&mut self, length: usize) -> Option<usize> {
        if length == 0 {
            return None;
        }
        usize::try_from(self.below(length as u64)).ok()
    }

    /// Puts `items` into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            if let Some(other) = self.index(end + 1) {
                items.swap(end, other);
            }
        }
    }

    fn next_byte(&mut self) -> u8 {
        if self.used >= BLOCK {
            self.block = Sha256::new()
                .chain_update(BLOCK_CONTEXT)
                .chain_update(self.seed)
                .chain_update(self.counter.to_be_bytes())
                .finalize()
                .into();
            self.counter = self.counter.wrapping_add(1);
            self.used = 0;
        }
        let byte = self.block.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        byte
    }
}

impl Drop for Drbg {
    fn drop(&mut self) {
        self.seed.zeroize();
        self.block.zeroize();
    }
}

impl fmt::Debug for Drbg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drbg")
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

const BLOCK: usize = 32;
const BLOCK_CONTEXT: &[u8] = b"swarmseal/drbg/1";
const FORK_CONTEXT: &[u8] = b"swarmseal/drbg-fork/1";
