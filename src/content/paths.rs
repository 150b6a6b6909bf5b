//! The one rule by which URLs and listed paths are compared. See docs/PROTOCOL.md, "Paths".

use alloc::string::String;
use alloc::vec::Vec;

use crate::ordered::OrderedMap;

/// Longest normalised path in bytes; what common servers accept in a request line, with room to spare.
pub const MAX_PATH: usize = 1024;

/// Normal form of a path relative to the content's base.
///
/// Takes a relative reference as a player asks for it, without the base; fragment and insignificant query
/// parameters are dropped. Two references name one object exactly if their normal forms are equal.
///
/// # Errors
/// [`PathError`] when the reference cannot name anything below the base.
pub fn normalise_path(reference: &str, significant_query: &[String]) -> Result<String, PathError> {
    let reference = reference.split_once('#').map_or(reference, |(before, _)| before);
    let (path, query) = reference.split_once('?').unwrap_or((reference, ""));
    if path.starts_with('/') {
        return Err(PathError::NotRelative);
    }
    let mut normal = remove_dot_segments(&encode(path, Part::Path)?)?;
    if normal.is_empty() {
        return Err(PathError::Empty);
    }
    // A colon in the first segment would make it a scheme when the path is resolved against a base.
    if normal.starts_with('/') || normal.split('/').next().is_some_and(|first| first.contains(':')) {
        return Err(PathError::NotRelative);
    }
    let parameters = significant_parameters(query, significant_query)?;
    for (position, parameter) in parameters.values().enumerate() {
        normal.push(if position == 0 { '?' } else { '&' });
        normal.push_str(parameter);
    }
    if normal.len() > MAX_PATH {
        Err(PathError::TooLong)
    } else {
        Ok(normal)
    }
}

/// The part of `url` below the folder of `base`, or `None` if it lies elsewhere. Both are absolute URLs in the
/// serialised form of the WHATWG URL standard; query and fragment of `base` do not matter, those of `url` are kept.
#[must_use]
pub fn strip_base<'a>(base: &str, url: &'a str) -> Option<&'a str> {
    let bytes = base.as_bytes();
    let end = bytes.iter().position(|byte| matches!(byte, b'?' | b'#'));
    let slash = bytes
        .get(..end.unwrap_or(bytes.len()))?
        .iter()
        .rposition(|byte| *byte == b'/');
    let folder = base.get(..=slash?)?;
    url.strip_prefix(folder)
}

/// Why a reference has no normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing is left of the path.
    #[error("the path is empty")]
    Empty,
    /// It starts with a slash or a scheme.
    #[error("the path is not relative to the content's base")]
    NotRelative,
    /// `..` leads out of the base.
    #[error("the path leads out of the content's base")]
    EscapesBase,
    /// A control character, plain or encoded.
    #[error("the path has a control character")]
    ControlCharacter,
    /// A backslash, or an encoded slash or backslash.
    #[error("the path has a backslash or an encoded separator")]
    EncodedSeparator,
    /// A percent sign without two hexadecimal digits.
    #[error("the path has a broken percent-encoding")]
    BrokenEscape,
    /// The normal form is longer than [`MAX_PATH`] bytes.
    #[error("the path is longer than 1024 bytes")]
    TooLong,
    /// A significant query parameter is given more than once.
    #[error("a significant query parameter is repeated")]
    RepeatedParameter,
}

impl PathError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "path_empty",
            Self::NotRelative => "path_not_relative",
            Self::EscapesBase => "path_escapes_base",
            Self::ControlCharacter => "path_control_character",
            Self::EncodedSeparator => "path_encoded_separator",
            Self::BrokenEscape => "path_broken_escape",
            Self::TooLong => "path_too_long",
            Self::RepeatedParameter => "path_repeated_parameter",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Query,
}

/// Percent-encoding in its one form: unreserved characters plain, other escapes in capitals, everything that may not
/// stand in a path or query escaped (RFC 3986 §2.1, §3.3, §6.2.2).
fn encode(text: &str, part: Part) -> Result<String, PathError> {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let escaped = byte == b'%';
        let value = if escaped {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
                return Err(PathError::BrokenEscape);
            };
            (high << 4 | low) as u8
        } else {
            byte
        };
        if value < 0x20 || value == 0x7f {
            return Err(PathError::ControlCharacter);
        }
        if part == Part::Path && (value == b'\\' || (escaped && value == b'/')) {
            return Err(PathError::EncodedSeparator);
        }
        if is_unreserved(value) || (!escaped && is_plain(value, part)) {
            out.push(char::from(value));
        } else {
            out.push('%');
            out.extend(
                HEX_DIGITS
                    .get(usize::from(value >> 4))
                    .map(|digit| char::from(*digit)),
            );
            out.extend(
                HEX_DIGITS
                    .get(usize::from(value & 15))
                    .map(|digit| char::from(*digit)),
            );
        }
    }
    Ok(out)
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Reserved characters that may stand for themselves.
const fn is_plain(byte: u8, part: Part) -> bool {
    matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' | b'/'
    ) || matches!((byte, part), (b'?', Part::Query))
}

/// RFC 3986 §5.2.4, except that leaving the base is an error.
fn remove_dot_segments(path: &str) -> Result<String, PathError> {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop().ok_or(PathError::EscapesBase)?;
            }
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    let mut out = String::with_capacity(path.len());
    for (position, segment) in kept.into_iter().enumerate() {
        if position > 0 {
            out.push('/');
        }
        out.push_str(segment);
    }
    Ok(out)
}

/// The parameters that are part of the name, encoded, in ascending order of their names.
fn significant_parameters(
    query: &str,
    significant: &[String],
) -> Result<OrderedMap<String, String>, PathError> {
    let mut found = OrderedMap::new();
    for parameter in query.split('&') {
        let name = parameter.split('=').next().unwrap_or_default();
        // A name that cannot be read is no significant one.
        let Ok(name) = encode(name, Part::Query) else {
            continue;
        };
        if !significant.contains(&name) {
            continue;
        }
        if found.insert(name, encode(parameter, Part::Query)?).is_some() {
            return Err(PathError::RepeatedParameter);
        }
    }
    Ok(found)
}

const HEX_DIGITS: &[u8; 16] = b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(reference in "[a-c./%2eF?&=#:\\\\ é-]{0,24}") {
            let significant = ["a".to_owned(), "b".to_owned()];
            if let Ok(normal) = normalise_path(&reference, &significant) {
                prop_assert_eq!(normalise_path(&normal, &significant), Ok(normal.clone()));
                prop_assert!(!normal.starts_with('/') && !normal.split(['/', '?']).any(|part| part == ".."));
            }
        }
    }

    #[test]
    fn a_base_is_the_folder_of_its_document() {
        let base = "https://cdn.example/vod/a/content.seal?token=1/2";
        assert_eq!(
            strip_base(base, "https://cdn.example/vod/a/v/1.m4s?x"),
            Some("v/1.m4s?x")
        );
        assert_eq!(strip_base(base, "https://cdn.example/vod/b/1.m4s"), None);
        assert_eq!(strip_base(base, "https://cdn.example.evil/vod/a/1.m4s"), None);
    }
}
