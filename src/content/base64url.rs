//! Base64url without padding (RFC 4648 §5) for what is public. Secret keys go through `base64ct`, whose time does not depend
//! on what it reads; this one needs a third of its code, of which every page downloads a copy.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::hash::TextError;

/// The text of any bytes that are not secret.
#[must_use]
pub fn to_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 4).div_ceil(3));
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 6 {
            bits -= 6;
            text.push(digit(held >> bits));
        }
    }
    if bits > 0 {
        text.push(digit(held << (6 - bits)));
    }
    text
}

/// Reads exactly `N` bytes; only the canonical form is taken.
///
/// # Errors
/// [`TextError`] for another length or another alphabet.
pub fn from_base64url<const N: usize>(text: &str) -> Result<[u8; N], TextError> {
    let mut out = [0; N];
    read(text, &mut out)?;
    Ok(out)
}

/// Reads as many bytes as there are; only the canonical form is taken.
///
/// # Errors
/// [`TextError`] for a length that no bytes have, or another alphabet.
pub fn bytes_from_base64url(text: &str) -> Result<Vec<u8>, TextError> {
    let mut out = vec![0; length(text)];
    read(text, &mut out)?;
    Ok(out)
}

/// Bytes for which `text` has digits enough.
const fn length(text: &str) -> usize {
    text.len() / 4 * 3 + text.len() % 4 * 3 / 4
}

fn read(text: &str, out: &mut [u8]) -> Result<(), TextError> {
    let (mut held, mut bits) = (0_u32, 0);
    let mut places = out.iter_mut();
    for letter in text.bytes() {
        held = held << 6 | value(letter)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            *places.next().ok_or(TextError)? = (held >> bits) as u8;
        }
    }
    // A whole digit too many, or bits that belong to no byte: another text would mean the same.
    let is_canonical = bits < 6 && held & ((1 << bits) - 1) == 0;
    if is_canonical && places.next().is_none() {
        Ok(())
    } else {
        Err(TextError)
    }
}

fn digit(value: u32) -> char {
    char::from(match (value & 63) as u8 {
        value @ 0..26 => b'A' + value,
        value @ 26..52 => b'a' + (value - 26),
        value @ 52..62 => b'0' + (value - 52),
        62 => b'-',
        _ => b'_',
    })
}

fn value(letter: u8) -> Result<u32, TextError> {
    Ok(u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return Err(TextError),
    }))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use base64ct::{Base64UrlUnpadded, Encoding};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_writes_what_the_library_writes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let text = to_base64url(&bytes);
            prop_assert_eq!(&text, &Base64UrlUnpadded::encode_string(&bytes));
            prop_assert_eq!(bytes_from_base64url(&text), Ok(bytes));
        }

        #[test]
        fn it_reads_and_refuses_what_the_library_does(text in "[A-Za-z0-9_-]{0,12}|[A-Za-z0-9+/=_ é-]{0,12}") {
            let known = Base64UrlUnpadded::decode_vec(&text).map_err(|_| TextError);
            prop_assert_eq!(bytes_from_base64url(&text), known.clone());
            let exact = known.and_then(|bytes| <[u8; 6]>::try_from(bytes).map_err(|_| TextError));
            prop_assert_eq!(from_base64url::<6>(&text), exact);
        }
    }

    #[test]
    fn one_text_means_one_value() {
        for text in ["AA", "AAA", "AAAA", ""] {
            assert_eq!(
                to_base64url(&bytes_from_base64url(text).expect("canonical")),
                text.to_string()
            );
        }
        for text in ["A", "AB", "AAB", "AAAAA", "AA==", "A+"] {
            assert_eq!(bytes_from_base64url(text), Err(TextError), "{text}");
        }
    }
}
