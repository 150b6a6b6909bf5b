//! The link emulator: pipes with a rate and a queue, bursts of loss, and a data channel's congestion control.
//!
//! It knows nothing of the engine or of messages; what it carries is a type parameter. It is told the time, draws from
//! a generator that it is given, and computes in whole numbers.

mod calibration;
mod congestion;
mod flow;
mod loss;
mod pipe;

#[cfg(test)]
mod tests;

pub(crate) use calibration::Calibration;
pub(crate) use congestion::Window;
pub(crate) use flow::{Flow, Lane};
pub(crate) use loss::{LossModel, LossState, ppm_of_both};
pub(crate) use pipe::Pipe;

/// Microseconds of simulated time.
pub(crate) type Micros = u64;

/// Bytes of a data channel in one packet of 1,191 bytes, which is what Chromium's SCTP sends.
pub(crate) const PACKET_BYTES: u64 = 1_163;

/// What goes over the link for `len` bytes of a data channel. Link rates are what a speed test over TCP shows; the
/// headers of SCTP, DTLS and UDP take a 24th more than those of TCP.
pub(crate) const fn on_the_link(len: u64) -> u64 {
    len + len / 24
}
