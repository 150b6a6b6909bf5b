//! Reads what stands in the vectors; a vector that is not of its form fails the test.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use serde_json::Value;

pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("a JSON file")
}

pub(crate) fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field]
        .as_array()
        .unwrap_or_else(|| panic!("{field} is no list"))
}

pub(crate) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is no text"))
}

pub(crate) fn string(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Hexadecimal parts, and runs written `[byte, times]`.
pub(crate) fn parts(value: &Value) -> Vec<u8> {
    value
        .as_array()
        .expect("parts")
        .iter()
        .flat_map(|part| match part {
            Value::String(part) => hex(part),
            run => {
                let times = run[1].as_u64().and_then(|times| usize::try_from(times).ok());
                hex(string(&run[0])).repeat(times.expect("a number"))
            }
        })
        .collect()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "half a byte at the end of {text}");
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal"))
        .collect()
}

pub(crate) fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().expect("the right length")
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
