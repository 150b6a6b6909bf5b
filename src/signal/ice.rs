//! Texts that end up in a session description: only `ice-char` (RFC 8839 §5.1), so that none can end a line.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::content::from_text;

/// `MIN` to `MAX` letters, digits, `+` and `/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IceText<const MIN: usize, const MAX: usize>(String);

/// User name fragment (RFC 8839 §5.4).
pub type Ufrag = IceText<4, 256>;

/// Password (RFC 8839 §5.4).
pub type Password = IceText<22, 256>;

/// Foundation of a candidate (RFC 8839 §5.1).
pub type Foundation = IceText<1, 32>;

/// Why a text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("wrong length, or a character that ICE does not allow")]
pub struct InvalidIceText;

impl<const MIN: usize, const MAX: usize> IceText<MIN, MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> FromStr for IceText<MIN, MAX> {
    type Err = InvalidIceText;

    fn from_str(text: &str) -> Result<Self, InvalidIceText> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        if (MIN..=MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIceText)
        }
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for IceText<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for IceText<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MIN: usize, const MAX: usize> Serialize for IceText<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for IceText<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, str::parse)
    }
}
