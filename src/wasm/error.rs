//! What the bridge refuses, as JavaScript errors with a stable `code`.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

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
    /// The browser has no secure random source.
    #[error("there is no secure random source")]
    NoRandomness,
    /// Longer than anything that the core asks for.
    #[error("more bytes than the inbox takes at once")]
    InboxTooLong,
    /// The configuration object does not fit.
    #[error("the configuration is invalid: {0}")]
    InvalidConfig(String),
    /// A publisher key.
    #[error("trust: not a list of public keys in the form ed25519:…")]
    InvalidPublisherKey,
    /// A tracker key.
    #[error("trackerKeys: not a list of public keys in the form ed25519:…")]
    InvalidTrackerKey,
    /// The content id.
    #[error("content: not a content id, 22 characters of base64url")]
    InvalidContentId,
    /// The tracker sent something that is not of its protocol.
    #[error("the tracker's message is not of the protocol: {0}")]
    InvalidTrackerMessage(String),
    /// A value could not be turned into JavaScript.
    #[error("a value could not cross into JavaScript: {0}")]
    Unserialisable(String),
}

impl BridgeError {
    const fn code(&self) -> &'static str {
        match self {
            Self::Trust(error) => error.code(),
            Self::Misuse(error) => error.code(),
            Self::Poisoned => "core_poisoned",
            Self::NoRandomness => "no_randomness",
            Self::InboxTooLong => "inbox_too_long",
            Self::InvalidConfig(_)
            | Self::InvalidPublisherKey
            | Self::InvalidTrackerKey
            | Self::InvalidContentId => "invalid_option",
            Self::InvalidTrackerMessage(_) => "invalid_tracker_message",
            Self::Unserialisable(_) => "unserialisable",
        }
    }
}

impl From<BridgeError> for JsValue {
    fn from(error: BridgeError) -> Self {
        let value: Self = js_sys::Error::new(&error.to_string()).into();
        // A fresh error object takes any property.
        let _ = Reflect::set(&value, &"code".into(), &error.code().into());
        value
    }
}
