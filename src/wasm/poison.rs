//! What is left to do after a panic: say so, and refuse everything else.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

use wasm_bindgen::prelude::wasm_bindgen;

use super::error::BridgeError;

thread_local! {
    /// The panic's message. A panic leaves the whole module instance in an unknown state, not one [`super::Peer`].
    static POISON: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Why this module instance must not be used any more: where it panicked and with what words. `undefined` while
/// all is well. The one function that may be called after a panic.
#[wasm_bindgen]
#[must_use]
pub fn poison() -> Option<String> {
    POISON.with_borrow(Clone::clone)
}

/// Panics, so that what happens then can be tried out from outside.
#[doc(hidden)]
#[wasm_bindgen(js_name = panicNow)]
#[expect(clippy::panic, reason = "this is what it is for")]
pub fn panic_now() {
    install();
    panic!("asked to panic");
}

/// From now on a panic is remembered instead of lost.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        panic::set_hook(Box::new(|info| {
            POISON.with_borrow_mut(|poison| *poison = Some(info.to_string()));
        }));
    });
}

pub(super) fn check() -> Result<(), BridgeError> {
    if POISON.with_borrow(Option::is_some) {
        Err(BridgeError::Poisoned)
    } else {
        Ok(())
    }
}
