//! The one rule by which URLs and listed paths are compared. See docs/PROTOCOL.md, "Paths".

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
    let _ = significant_query;
    Ok(reference.to_owned())
}

/// The part of `url` below the folder of `base`, or `None` if it lies elsewhere. Both are absolute URLs in the
/// serialised form of the WHATWG URL standard; query and fragment of `base` do not matter, those of `url` are kept.
#[must_use]
pub fn strip_base<'a>(base: &str, url: &'a str) -> Option<&'a str> {
    let end = base.find(['?', '#']).unwrap_or(base.len());
    let folder = base.get(..end)?;
    let folder = folder.get(..=folder.rfind('/')?)?;
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
