//! The bridge to JavaScript: one [`Peer`] per join, any number of them in one worker.
//!
//! The only room that knows JavaScript. Bytes go in by copy into a reserved inbox, outputs come out as one packed
//! batch per drain (its layout is described in `batch.rs` and read by `www/src/worker/batch.ts`, nowhere else);
//! configuration and what the tracker says come in as plain objects; messages
//! to the tracker, events and statistics go out as JSON. Rust never calls
//! JavaScript in the middle of a mutation, and decides nothing here: the engine does.

mod batch;
#[cfg(target_arch = "wasm32")]
mod config;
#[cfg(target_arch = "wasm32")]
mod error;
#[cfg(target_arch = "wasm32")]
mod fields;
#[cfg(target_arch = "wasm32")]
mod javascript;
mod json;
#[cfg(target_arch = "wasm32")]
mod peer;
#[cfg(target_arch = "wasm32")]
mod poison;
#[cfg(target_arch = "wasm32")]
mod tracker_message;

#[cfg(target_arch = "wasm32")]
pub use peer::{DATA_HEAD_LEN, MAX_TRACKER_TEXT, Peer, build_version};
#[cfg(target_arch = "wasm32")]
pub use poison::{panic_now, poisoned};

/// A quarter of the standard library's allocator, and the memory grows no more: `npm run bench:engine` prints both.
#[cfg(feature = "standalone")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
