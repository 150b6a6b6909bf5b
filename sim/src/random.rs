//! Randomness of the world, apart from what engines and tracker draw: one generator per purpose, all from one seed.

/// xoshiro256**. What is drawn for one purpose does not depend on how much is drawn for another.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The generator of this seed, purpose and number.
    pub(crate) fn new(seed: u64, purpose: &str, number: u64) -> Self {
        let mut mixed = seed;
        for byte in purpose.bytes() {
            mixed = split(mixed ^ u64::from(byte));
        }
        mixed = split(mixed ^ number);
        Self {
            state: [1, 2, 3, 4].map(|n| split(mixed.wrapping_add(n))),
        }
    }

    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let drawn = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        drawn
    }

    /// A number below `bound`; 0 if that is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// True with a probability of `chance` in 2³².
    pub(crate) fn happens(&mut self, chance: u32) -> bool {
        self.next() >> 32 < u64::from(chance)
    }

    /// True with a probability of `count` in `of`.
    pub(crate) fn one_of(&mut self, count: u64, of: u64) -> bool {
        self.below(of) < count
    }

    /// 32 random bytes.
    pub(crate) fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for part in bytes.chunks_exact_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }
}

/// SplitMix64: turns related numbers into unrelated ones.
const fn split(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn purposes_and_numbers_have_streams_of_their_own() {
        let first = |seed, purpose, number| Random::new(seed, purpose, number).next();
        assert_eq!(first(1, "arrivals", 0), first(1, "arrivals", 0));
        let others = [
            first(2, "arrivals", 0),
            first(1, "links", 0),
            first(1, "arrivals", 1),
        ];
        assert!(others.iter().all(|other| *other != first(1, "arrivals", 0)));
    }

    #[test]
    fn numbers_are_drawn_evenly() {
        let mut random = Random::new(7, "test", 0);
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            counts[usize::try_from(random.below(10)).unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|count| (900..1_100).contains(count)),
            "{counts:?}"
        );
        assert_eq!(random.below(0), 0);
        let tenth = u32::MAX / 10;
        let happened = (0..10_000).filter(|_| random.happens(tenth)).count();
        assert!((900..1_100).contains(&happened), "{happened}");
    }
}
