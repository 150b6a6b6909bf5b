//! Monotonic time as an input.

use core::ops::{Add, Sub};

/// Microseconds on the caller's monotonic clock. The origin is the caller's choice and never shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Microseconds since `earlier`; 0 if `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This time plus `ms` milliseconds.
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }
}

impl Add<u64> for Timestamp {
    type Output = Self;

    fn add(self, us: u64) -> Self {
        Self(self.0.saturating_add(us))
    }
}

impl Sub<u64> for Timestamp {
    type Output = Self;

    fn sub(self, us: u64) -> Self {
        Self(self.0.saturating_sub(us))
    }
}
