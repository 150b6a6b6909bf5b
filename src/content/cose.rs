//! Signed objects: a narrow profile of COSE_Sign1 (RFC 9052 §4.2).

use alloc::vec::Vec;

use super::cbor::{self, CborError, Reader, Writer};
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
    cbor::check(payload, MAX_DEPTH)?;
    let mut protected = Writer::default();
    protected
        .map(2)
        .unsigned(LABEL_ALGORITHM)
        .integer(ALGORITHM_EDDSA);
    protected.unsigned(LABEL_KEY_ID).bytes(&key.public().id());
    let protected = protected.into_bytes();
    let signature = key.sign(&to_be_signed(role, &protected, payload));
    let mut sealed = Writer::default();
    sealed
        .tag(TAG_SIGN1)
        .array(4)
        .bytes(&protected)
        .map(0)
        .bytes(payload)
        .bytes(&signature);
    let sealed = sealed.into_bytes();
    if sealed.len() > MAX_SEALED {
        Err(CoseError::TooLarge)
    } else {
        Ok(sealed)
    }
}

/// Checks form and signature of a signed object, over the bytes as received. `keys` are the keys that the caller
/// trusts in this role; the key id in the object picks among them.
///
/// # Errors
/// [`CoseError`] says which rule is broken.
pub fn verify<'a>(role: Role, sealed: &'a [u8], keys: &[PublicKey]) -> Result<Verified<'a>, CoseError> {
    let parts = Parts::read(sealed)?;
    let message = to_be_signed(role, parts.protected, parts.payload);
    let mut known = keys.iter().filter(|key| key.id() == parts.key_id).peekable();
    if known.peek().is_none() {
        return Err(CoseError::UntrustedKey);
    }
    let signer = known
        .find(|key| key.verify(&message, &parts.signature))
        .ok_or(CoseError::BadSignature)?;
    Ok(Verified {
        payload: parts.payload,
        signer: *signer,
    })
}

/// Checks the form of a signed object and shows what is in it, without a look at its signature: for tools that print
/// an object without knowing whose it should be. Never a basis for trust.
///
/// # Errors
/// [`CoseError`], never about the signature.
pub fn peek(sealed: &[u8]) -> Result<Unverified<'_>, CoseError> {
    Parts::read(sealed).map(|parts| Unverified {
        payload: parts.payload,
        key_id: parts.key_id,
    })
}

/// What a signed object claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unverified<'a> {
    /// Deterministic CBOR.
    pub payload: &'a [u8],
    /// The identifier of the key that is said to have signed it.
    pub key_id: [u8; PublicKey::ID_LEN],
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
    /// A protected header other than algorithm and key id.
    #[error("a signed object has another protected header than algorithm and key id")]
    ProtectedHeader,
    /// An unprotected header that is not empty.
    #[error("a signed object has an unprotected header")]
    UnprotectedHeader,
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
            Self::ProtectedHeader => "protected_header",
            Self::UnprotectedHeader => "unprotected_header",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::UntrustedKey => "untrusted_key",
            Self::BadSignature => "bad_signature",
        }
    }
}

impl From<CborError> for CoseError {
    fn from(error: CborError) -> Self {
        match error {
            CborError::Malformed => Self::Malformed,
            CborError::NotDeterministic => Self::NotDeterministic,
            CborError::TooDeep => Self::TooDeep,
        }
    }
}

/// A signed object taken apart, its form checked, its signature not yet.
struct Parts<'a> {
    protected: &'a [u8],
    key_id: [u8; PublicKey::ID_LEN],
    payload: &'a [u8],
    signature: [u8; 64],
}

impl<'a> Parts<'a> {
    fn read(sealed: &'a [u8]) -> Result<Self, CoseError> {
        if sealed.len() > MAX_SEALED {
            return Err(CoseError::TooLarge);
        }
        cbor::check(sealed, MAX_DEPTH)?;
        let mut reader = Reader::new(sealed);
        if reader.tag()? != TAG_SIGN1 || reader.array()? != 4 {
            return Err(CoseError::Malformed);
        }
        let protected = reader.bytes()?;
        if reader.map()? != 0 {
            return Err(CoseError::UnprotectedHeader);
        }
        let payload = reader.bytes()?;
        let signature = reader.fixed()?;
        let key_id = read_protected(protected)?;
        cbor::check(payload, MAX_DEPTH)?;
        Ok(Self {
            protected,
            key_id,
            payload,
            signature,
        })
    }
}

/// The key id of a protected header that is exactly `{1: -8, 4: key id}`.
fn read_protected(protected: &[u8]) -> Result<[u8; PublicKey::ID_LEN], CoseError> {
    cbor::check(protected, MAX_DEPTH)?;
    let mut reader = Reader::new(protected);
    if reader.map()? != 2 || reader.unsigned()? != LABEL_ALGORITHM {
        return Err(CoseError::ProtectedHeader);
    }
    if reader.integer()? != ALGORITHM_EDDSA {
        return Err(CoseError::WrongAlgorithm);
    }
    if reader.unsigned()? != LABEL_KEY_ID {
        return Err(CoseError::ProtectedHeader);
    }
    Ok(reader.fixed()?)
}

/// `Sig_structure` (RFC 9052 §4.4).
fn to_be_signed(role: Role, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut message = Writer::default();
    message
        .array(4)
        .text("Signature1")
        .bytes(protected)
        .bytes(role.context().as_bytes())
        .bytes(payload);
    message.into_bytes()
}

const TAG_SIGN1: u64 = 18;
const LABEL_ALGORITHM: u64 = 1;
const LABEL_KEY_ID: u64 = 4;
const ALGORITHM_EDDSA: i64 = -8;

#[cfg(test)]
mod tests;
