//! Binary values in JSON: unpadded base64url.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::content::{TextError, bytes_from_base64url, from_base64url, from_text, to_base64url};

/// Names one introduction of two peers; random. Text form: 22 characters of unpadded base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntroductionId(pub [u8; 16]);

impl FromStr for IntroductionId {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        from_base64url(text).map(Self)
    }
}

impl fmt::Display for IntroductionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_base64url(&self.0))
    }
}

impl fmt::Debug for IntroductionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for IntroductionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IntroductionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, str::parse)
    }
}

/// `#[serde(with)]` for arrays.
pub(super) mod array {

    use super::{Deserializer, Serializer, from_base64url, from_text, to_base64url};

    pub(in crate::signal) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_base64url(bytes))
    }

    pub(in crate::signal) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        from_text(deserializer, from_base64url)
    }
}

/// `#[serde(with)]` for bytes of any length; `validate` bounds them.
pub(super) mod bytes {
    use alloc::vec::Vec;

    use super::{Deserializer, Serializer, bytes_from_base64url, from_text, to_base64url};

    pub(in crate::signal) fn serialize<S: Serializer>(
        bytes: &[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_base64url(bytes))
    }

    pub(in crate::signal) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        from_text(deserializer, bytes_from_base64url)
    }
}
