//! What the bridge refuses, as JavaScript errors with a stable `code`.

use alloc::string::ToString;

use wasm_bindgen::JsValue;

use super::fields::Unreadable;
use super::javascript;
use crate::content::TrustError;
use crate::swarm::ApiMisuse;

/// Why a call failed. Never a peer's or a server's fault: those are outputs.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum BridgeError {
    /// The manifest is refused.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The engine was used wrongly.
    #[error(transparent)]
    Misuse(#[from] ApiMisuse),
    /// A panic happened before.
    #[error("the core has panicked and must not be used any more")]
    Poisoned,
    /// Longer than anything that the core asks for.
    #[error("more bytes than the inbox takes at once")]
    InboxTooLong,
    /// A field of the configuration.
    #[error("{}: missing, or not of the form that the documentation gives", .0.0)]
    InvalidOption(Unreadable),
    /// The tracker sent something that is not of its protocol.
    #[error("the tracker sent a message that is not of the protocol: {}", .0.0)]
    InvalidTrackerMessage(Unreadable),
}

impl BridgeError {
    const fn code(&self) -> &'static str {
        match self {
            Self::Trust(error) => error.code(),
            Self::Misuse(error) => error.code(),
            Self::Poisoned => "core_poisoned",
            Self::InboxTooLong => "inbox_too_long",
            Self::InvalidOption(_) => "invalid_option",
            Self::InvalidTrackerMessage(_) => "invalid_tracker_message",
        }
    }
}

impl From<Unreadable> for BridgeError {
    fn from(field: Unreadable) -> Self {
        Self::InvalidOption(field)
    }
}

impl From<BridgeError> for JsValue {
    fn from(error: BridgeError) -> Self {
        let value = javascript::Error::new(&error.to_string());
        value.set_code(error.code());
        value.into()
    }
}
