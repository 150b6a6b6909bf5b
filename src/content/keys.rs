//! Ed25519 keys, the swarm secret, and the identifiers that are random bytes.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::Hash;
use super::base64url::{from_base64url, to_base64url};
use super::hash::TextError;
use super::text::from_text;

/// An Ed25519 public key. Text form: `ed25519:` and 43 characters of unpadded base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Bytes of a key identifier.
    pub const ID_LEN: usize = 8;

    /// The key identifier: the first 8 bytes of SHA-256 over the key.
    #[must_use]
    pub fn id(&self) -> [u8; Self::ID_LEN] {
        let mut id = [0; Self::ID_LEN];
        for (to, from) in id.iter_mut().zip(Hash::of(&[&self.0]).0) {
            *to = from;
        }
        id
    }

    /// Whether `signature` over `message` is by this key. Non-canonical signatures and keys, and keys of small order,
    /// are refused (`verify_strict`).
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.point().is_some_and(|key| {
            key.verify_strict(message, &Signature::from_bytes(signature))
                .is_ok()
        })
    }

    /// Whether these bytes are a point that may sign: on the curve, canonically encoded and not of small order.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.point().is_some_and(|key| !key.is_weak())
    }

    /// RFC 8032 §5.1.3 decodes no y of p = 2^255 − 19 or more; the library would reduce it.
    fn point(&self) -> Option<VerifyingKey> {
        let [first, middle @ .., last] = &self.0;
        let below_p = *first < 0xed || last | 0x80 != 0xff || middle.iter().any(|byte| *byte != 0xff);
        VerifyingKey::from_bytes(&self.0).ok().filter(|_| below_p)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_PREFIX}{}", to_base64url(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let key = Self(from_base64url(
            text.strip_prefix(PUBLIC_PREFIX).ok_or(TextError)?,
        )?);
        if key.is_usable() { Ok(key) } else { Err(TextError) }
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, str::parse)
    }
}

/// An Ed25519 signing key; wiped from memory when dropped. Text form: `ed25519-secret:` and base64url of the seed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of a 32-byte seed (RFC 8032 §5.1.5); the seed has to come from a secure random source.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs `message`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// The text form, for a key file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.0.to_bytes());
        let encoded = Zeroizing::new(Base64UrlUnpadded::encode_string(seed.as_slice()));
        let mut text = Zeroizing::new(String::with_capacity(SECRET_PREFIX.len() + encoded.len()));
        text.push_str(SECRET_PREFIX);
        text.push_str(&encoded);
        text
    }
}

impl FromStr for SecretKey {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.strip_prefix(SECRET_PREFIX).ok_or(TextError)?;
        let mut seed = Zeroizing::new([0; 32]);
        match Base64UrlUnpadded::decode(text, seed.as_mut_slice()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self::from_seed(&seed)),
            _ => Err(TextError),
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public())
    }
}

/// Names a content; random, stable over its versions. Text form: 22 characters of unpadded base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(pub [u8; 16]);

/// Names a swarm: what a tracker knows instead of the content id. Text form: 43 characters of unpadded base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SwarmId(pub [u8; 32]);

macro_rules! base64url_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&to_base64url(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                from_base64url(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_text(deserializer, str::parse)
            }
        }
    };
}

base64url_text!(ContentId);
base64url_text!(SwarmId);

/// What a peer has to know to join a swarm; random, stable over a content's versions. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SwarmSecret(pub [u8; 32]);

impl Drop for SwarmSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl SwarmSecret {
    /// HMAC-SHA256 under this secret over `context` and then `parts`, concatenated.
    #[must_use]
    pub fn mac(&self, context: &str, parts: &[&[u8]]) -> [u8; 32] {
        // A key shorter than a block is padded with zeros by definition (RFC 2104 §2).
        let mut block = Zeroizing::new([0; 64]);
        for (to, from) in block.iter_mut().zip(self.0) {
            *to = from;
        }
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
        mac.update(context.as_bytes());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SwarmSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SwarmSecret(..)")
    }
}

const PUBLIC_PREFIX: &str = "ed25519:";
const SECRET_PREFIX: &str = "ed25519-secret:";
