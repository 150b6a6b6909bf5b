//! Signed objects: a narrow profile of COSE_Sign1 (RFC 9052 §4.2).

use super::{PublicKey, SecretKey};

/// What a signature is for. Each role has its own context string, so that a signature made in one role is void in
/// every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// States what a content is.
    Manifest,
    /// States the newest segments of a live content.
    Live,
    /// Admits a peer to a swarm.
    Tracker,
    /// States that a manifest is still the newest.
    Freshness,
    /// Endorses user-made content.
    Endorse,
}

impl Role {
    /// The context string: external additional authenticated data of the signature.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::Manifest => "swarmseal/manifest/1",
            Self::Live => "swarmseal/live/1",
            Self::Tracker => "swarmseal/tracker/1",
            Self::Freshness => "swarmseal/freshness/1",
            Self::Endorse => "swarmseal/endorse/1",
        }
    }
}

/// Largest signed object in bytes.
pub const MAX_SEALED: usize = 65_536;

/// Deepest nesting of arrays and maps.
pub const MAX_DEPTH: usize = 8;

/// Seals `payload`, which has to be deterministic CBOR.
///
/// # Errors
/// [`CoseError`] when the result is one that [`verify`] would refuse.
pub fn sign1(role: Role, key: &SecretKey, payload: &[u8]) -> Result<Vec<u8>, CoseError> {
    let _ = (role, key, payload);
    Err(CoseError::Malformed)
}

/// Checks form and signature of a signed object, over the bytes as received.
///
/// # Errors
/// [`CoseError`] says which rule is broken.
pub fn verify<'a>(role: Role, sealed: &'a [u8], keys: &[PublicKey]) -> Result<Verified<'a>, CoseError> {
    let _ = (role, sealed, keys);
    Err(CoseError::Malformed)
}

/// A payload whose signature is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'a> {
    /// Deterministic CBOR.
    pub payload: &'a [u8],
    /// The key that signed it.
    pub signer: PublicKey,
}

/// Why a signed object is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CoseError {
    /// Over [`MAX_SEALED`] bytes.
    #[error("a signed object is larger than 64 KiB")]
    TooLarge,
    /// Not the structure of the profile.
    #[error("a signed object is malformed")]
    Malformed,
    /// CBOR that is not in the deterministic form.
    #[error("a signed object is not deterministically encoded")]
    NotDeterministic,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("a signed object is nested too deep")]
    TooDeep,
    /// Another algorithm than Ed25519.
    #[error("a signed object uses another algorithm")]
    WrongAlgorithm,
    /// No trusted key has this key id.
    #[error("a signed object is by a key that is not trusted")]
    UntrustedKey,
    /// The signature does not verify.
    #[error("a signature does not verify")]
    BadSignature,
}

impl CoseError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::NotDeterministic => "not_deterministic",
            Self::TooDeep => "too_deep",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::UntrustedKey => "untrusted_key",
            Self::BadSignature => "bad_signature",
        }
    }
}
