//! What is left to do after a panic: say so, and refuse everything else.

use core::sync::atomic::{AtomicBool, Ordering};

use wasm_bindgen::prelude::wasm_bindgen;

use super::error::BridgeError;

/// A panic leaves the whole module instance in an unknown state, not one [`super::Peer`].
static POISONED: AtomicBool = AtomicBool::new(false);

/// Whether a panic happened, after which this module instance must not be used any more. The one function that may
/// be called then.
#[wasm_bindgen]
#[must_use]
pub fn poisoned() -> bool {
    POISONED.load(Ordering::Relaxed)
}

/// Panics, so that what happens then can be tried out from outside.
#[doc(hidden)]
#[wasm_bindgen(js_name = panicNow)]
#[expect(clippy::panic, reason = "this is what it is for")]
pub fn panic_now() {
    panic!("asked to panic");
}

/// Remembers that there was a panic, and throws its place and its words.
#[cfg(feature = "standalone")]
#[panic_handler]
fn panicked(info: &core::panic::PanicInfo<'_>) -> ! {
    use alloc::string::ToString;

    POISONED.store(true, Ordering::Relaxed);
    wasm_bindgen::throw_str(&info.to_string())
}

pub(super) fn check() -> Result<(), BridgeError> {
    if poisoned() {
        Err(BridgeError::Poisoned)
    } else {
        Ok(())
    }
}
