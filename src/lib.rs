//! The swarmseal peer core.
//!
//! Sans-IO: time, randomness and bytes come in as inputs; requests, messages and verdicts come out.
//! Nothing here may name a socket, a clock or a browser object, except inside the `wasm` room.

#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(feature = "live"),
    expect(dead_code, reason = "slots of shared tables that only a live content fills")
)]

extern crate alloc;
#[cfg(not(any(test, feature = "standalone")))]
extern crate std;

pub mod content;
pub mod identity;
mod ordered;
pub mod signal;
pub mod swarm;
#[cfg(any(target_arch = "wasm32", test))]
pub mod wasm;
pub mod wire;
