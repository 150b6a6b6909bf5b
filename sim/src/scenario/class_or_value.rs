//! A number for all classes, or `"class"` for each class's own.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

const CLASS: &str = "class";

pub(super) fn serialize<S: Serializer>(value: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(number) => serializer.serialize_u32(*number),
        None => serializer.serialize_str(CLASS),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    deserializer.deserialize_any(ClassOrValue)
}

struct ClassOrValue;

impl Visitor<'_> for ClassOrValue {
    type Value = Option<u32>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a whole number, or \"{CLASS}\"")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        match u32::try_from(number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match text {
            CLASS => Ok(None),
            other => Err(E::invalid_value(Unexpected::Str(other), &self)),
        }
    }
}
