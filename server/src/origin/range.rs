//! Which `Range` headers are acted upon (RFC 9110 §14.2).

/// What to do with a request's `Range` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// One byte range: answered with 206, or 416 if the file ends before it.
    One,
    /// Nothing that a server has to understand: the header is ignored and the answer is the whole file.
    Whole,
}

/// Reads a `Range` header. Several ranges, other units and syntax errors are ignored, as RFC 9110 allows.
pub(super) fn asked(header: &[u8]) -> Asked {
    let Some(spec) = core::str::from_utf8(header)
        .ok()
        .and_then(|text| text.trim().strip_prefix("bytes="))
    else {
        return Asked::Whole;
    };
    let Some((first, last)) = spec.split_once('-') else {
        return Asked::Whole;
    };
    match (position(first), position(last)) {
        (Some(Some(first)), Some(Some(last))) if first <= last => Asked::One,
        (Some(Some(_)), Some(None)) => Asked::One,
        (Some(None), Some(Some(_))) => Asked::One,
        _ => Asked::Whole,
    }
}

/// `Some(None)` for an absent position, `None` for one that is not a number.
fn position(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok().map(Some)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    #[test]
    fn one_range_is_acted_upon() {
        for header in [
            "bytes=0-0",
            "bytes=5-",
            "bytes=-7",
            "bytes=10-20",
            "bytes=99999999999-",
        ] {
            assert_eq!(asked(header.as_bytes()), Asked::One, "{header}");
        }
    }

    #[test]
    fn anything_else_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=0-1,4-5",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=0x1-2",
            "items=0-5",
            "bytes=1-2-3",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(asked(header.as_bytes()), Asked::Whole, "{header}");
        }
        assert_eq!(asked(&[0xff, 0xfe]), Asked::Whole);
    }
}
