//! Runs tests/vectors/{wire,handshake,ticket,tampering,signal}.json, natively and in a browser. The vectors are made by
//! tests/vectors/make, which shares no code with the crate.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod identity;
#[path = "../vectors/reading.rs"]
mod reading;
mod signal;
mod wire;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
