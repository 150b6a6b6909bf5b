//! A peer's key pair for one swarm and one session, and the handle made from it.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

use crate::content::{Hash, PublicKey, SecretKey, TextError, from_base64url, from_text, to_base64url};

/// Bytes of an Ed25519 signature (RFC 8032 §5.1.6).
pub const SIGNATURE: usize = 64;

/// An Ed25519 key pair that lives no longer than one stay in one swarm.
///
/// The secret half is wiped from memory when the value is dropped and is never printed.
#[derive(Clone)]
pub struct EphemeralKeys {
    secret: SecretKey,
    public: PublicKey,
    handle: Handle,
}

impl EphemeralKeys {
    /// The key pair that follows from `seed`, which must be fresh and random for every stay in a swarm.
    pub fn from_seed(mut seed: [u8; 32]) -> Self {
        let secret = SecretKey::from_seed(&seed);
        seed.zeroize();
        let public = secret.public();
        Self {
            secret,
            public,
            handle: Handle::of(&public),
        }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The pseudonym under which others know this key.
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// Signs `message`, which must begin with a context string of its own.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.secret.sign(message)
    }
}

impl fmt::Debug for EphemeralKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EphemeralKeys")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

/// A peer's pseudonym in one swarm: the first 16 bytes of a hash of its ephemeral public key.
/// Text form: 22 characters of unpadded base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub [u8; 16]);

impl Handle {
    /// The handle of the peer that holds `key`.
    pub fn of(key: &PublicKey) -> Self {
        let mut handle = [0; 16];
        for (to, from) in handle.iter_mut().zip(Hash::of(&[HANDLE_CONTEXT, &key.0]).0) {
            *to = from;
        }
        Self(handle)
    }
}

impl FromStr for Handle {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        from_base64url(text).map(Self)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_base64url(&self.0))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, str::parse)
    }
}

const HANDLE_CONTEXT: &[u8] = b"swarmseal/handle/1";
