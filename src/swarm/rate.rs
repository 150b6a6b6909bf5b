//! Rates in whole numbers, so that every build computes the same.

use super::Timestamp;

/// A sample is taken after this many microseconds of busy time…
const SAMPLE_US: u64 = 50_000;
/// …or after this many bytes.
const SAMPLE_BYTES: u64 = 256 << 10;
/// Shorter than this a sample says more about buffers than about the link.
const MIN_SAMPLE_US: u64 = 5_000;

/// Bytes per second over the time in which something was under way.
#[derive(Clone, Debug, Default)]
pub(super) struct RateMeter {
    busy_since: Option<Timestamp>,
    bytes: u64,
    rate: u64,
}

impl RateMeter {
    /// Something was asked for.
    pub(super) fn start(&mut self, now: Timestamp) {
        self.busy_since.get_or_insert(now);
    }

    /// Nothing is under way any more: waiting time must not count.
    pub(super) fn stop(&mut self, now: Timestamp) {
        self.sample(now, MIN_SAMPLE_US);
        self.busy_since = None;
        self.bytes = 0;
    }

    /// Bytes arrived.
    pub(super) fn add(&mut self, now: Timestamp, bytes: u64) {
        self.start(now);
        self.bytes = self.bytes.saturating_add(bytes);
        let enough = if self.bytes >= SAMPLE_BYTES {
            MIN_SAMPLE_US
        } else {
            SAMPLE_US
        };
        self.sample(now, enough);
    }

    fn sample(&mut self, now: Timestamp, at_least_us: u64) {
        let Some(since) = self.busy_since else { return };
        let us = now.since(since);
        if us < at_least_us || self.bytes == 0 {
            return;
        }
        let sample = self.bytes.saturating_mul(1_000_000) / us.max(1);
        self.rate = if self.rate == 0 {
            sample
        } else {
            (self.rate.saturating_mul(3).saturating_add(sample)) / 4
        };
        self.busy_since = Some(now);
        self.bytes = 0;
    }

    /// Bytes per second; 0 while unknown.
    pub(super) const fn rate(&self) -> u64 {
        self.rate
    }

    /// Something took too long: believe half.
    pub(super) const fn halve(&mut self) {
        self.rate /= 2;
    }
}

/// How often somebody may do something: so many times at once, and so many more each second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowance {
    /// In thousandths, counted down from full, so that the default is a full one.
    used: u64,
    counted_at: Timestamp,
}

impl Allowance {
    /// Takes one, if one is left.
    pub(super) const fn take(&mut self, now: Timestamp, burst: u64, per_s: u64) -> bool {
        let earned = now.since(self.counted_at).saturating_mul(per_s) / 1_000;
        self.counted_at = now;
        self.used = self.used.saturating_sub(earned);
        let allowed = self.used.saturating_add(1_000) <= burst.saturating_mul(1_000);
        if allowed {
            self.used += 1_000;
        }
        allowed
    }
}

/// Time that `bytes` take at `rate` bytes per second, microseconds.
pub(super) const fn transfer_us(bytes: u64, rate: u64) -> u64 {
    match bytes.saturating_mul(1_000_000).checked_div(rate) {
        Some(us) => us,
        None => 0,
    }
}
