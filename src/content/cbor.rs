//! Deterministic CBOR (RFC 8949 §4.2.1): a check that a byte string is in that form, and narrow readers and writers.
//!
//! The check decodes an item, encodes it again in the one allowed way and compares. What passes it may be read
//! without further thought about lengths: every count in it is bounded by the bytes that are really there.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

/// Checks that `bytes` is exactly one item in deterministic form, nested at most `max_depth` deep, made of integers,
/// strings, arrays, maps, tags, booleans and null.
///
/// # Errors
/// [`CborError`].
pub(crate) fn check(bytes: &[u8], max_depth: usize) -> Result<(), CborError> {
    let mut decoder = Decoder::new(bytes);
    let mut writer = Writer::default();
    copy(&mut decoder, &mut writer, max_depth)?;
    if decoder.position() != bytes.len() {
        return Err(CborError::Malformed);
    }
    if writer.as_bytes() == bytes {
        Ok(())
    } else {
        Err(CborError::NotDeterministic)
    }
}

/// Why a byte string is not taken as CBOR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CborError {
    /// Not CBOR, not the expected item, or bytes after it.
    Malformed,
    /// Another encoding of something that has a deterministic one.
    NotDeterministic,
    /// Nested too deep.
    TooDeep,
}

/// Reads items that [`check`] has passed.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'b>(Decoder<'b>);

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(Decoder::new(bytes))
    }

    pub(crate) fn tag(&mut self) -> Result<u64, CborError> {
        Ok(self.0.tag().map_err(malformed)?.as_u64())
    }

    pub(crate) fn array(&mut self) -> Result<u64, CborError> {
        self.0
            .array()
            .map_err(malformed)?
            .ok_or(CborError::NotDeterministic)
    }

    pub(crate) fn map(&mut self) -> Result<u64, CborError> {
        self.0
            .map()
            .map_err(malformed)?
            .ok_or(CborError::NotDeterministic)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, CborError> {
        self.0.u64().map_err(malformed)
    }

    pub(crate) fn integer(&mut self) -> Result<i64, CborError> {
        self.0.i64().map_err(malformed)
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, CborError> {
        self.0.bool().map_err(malformed)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], CborError> {
        self.0.bytes().map_err(malformed)
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CborError> {
        self.bytes()?.try_into().map_err(|_| CborError::Malformed)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, CborError> {
        self.0.str().map_err(malformed)
    }

    pub(crate) fn skip(&mut self) -> Result<(), CborError> {
        self.0.skip().map_err(malformed)
    }

    /// Whether everything has been read.
    pub(crate) fn end(&self) -> Result<(), CborError> {
        if self.0.position() == self.0.input().len() {
            Ok(())
        } else {
            Err(CborError::Malformed)
        }
    }
}

/// Writes items in their shortest form. The order of map keys is the caller's care.
#[derive(Debug)]
pub(crate) struct Writer(Encoder<Vec<u8>>);

impl Default for Writer {
    fn default() -> Self {
        Self(Encoder::new(Vec::new()))
    }
}

impl Writer {
    pub(crate) fn tag(&mut self, tag: u64) -> &mut Self {
        self.put(|encoder| encoder.tag(minicbor::data::Tag::new(tag)).is_ok())
    }

    pub(crate) fn array(&mut self, count: usize) -> &mut Self {
        self.put(|encoder| encoder.array(count as u64).is_ok())
    }

    pub(crate) fn map(&mut self, count: usize) -> &mut Self {
        self.put(|encoder| encoder.map(count as u64).is_ok())
    }

    pub(crate) fn unsigned(&mut self, value: u64) -> &mut Self {
        self.put(|encoder| encoder.u64(value).is_ok())
    }

    pub(crate) fn integer(&mut self, value: i64) -> &mut Self {
        self.put(|encoder| encoder.i64(value).is_ok())
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.put(|encoder| encoder.bool(value).is_ok())
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.put(|encoder| encoder.bytes(value).is_ok())
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.put(|encoder| encoder.str(value).is_ok())
    }

    /// Appends items that are encoded already.
    pub(crate) fn raw(&mut self, items: &[u8]) -> &mut Self {
        self.0.writer_mut().extend_from_slice(items);
        self
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.writer()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.into_writer()
    }

    fn put(&mut self, write: impl FnOnce(&mut Encoder<Vec<u8>>) -> bool) -> &mut Self {
        let written = write(&mut self.0);
        debug_assert!(written, "writing to a vector cannot fail");
        self
    }
}

/// A map with integer keys whose entries are written in any order and come out sorted (RFC 8949 §4.2.1).
#[derive(Debug, Default)]
pub(crate) struct MapWriter(crate::ordered::OrderedMap<u64, Vec<u8>>);

impl MapWriter {
    pub(crate) fn put(&mut self, key: u64, write: impl FnOnce(&mut Writer)) -> &mut Self {
        let mut value = Writer::default();
        write(&mut value);
        self.0.insert(key, value.into_bytes());
        self
    }

    pub(crate) fn finish(&self, out: &mut Writer) {
        out.map(self.0.len());
        for (key, value) in &self.0 {
            out.unsigned(*key).raw(value);
        }
    }
}

fn copy(decoder: &mut Decoder<'_>, out: &mut Writer, depth: usize) -> Result<(), CborError> {
    match decoder.datatype().map_err(malformed)? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
            out.unsigned(decoder.u64().map_err(malformed)?);
        }
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            out.integer(decoder.i64().map_err(malformed)?);
        }
        Type::Bytes => {
            out.bytes(decoder.bytes().map_err(malformed)?);
        }
        Type::String => {
            out.text(decoder.str().map_err(malformed)?);
        }
        Type::Bool => {
            out.boolean(decoder.bool().map_err(malformed)?);
        }
        Type::Null => {
            decoder.null().map_err(malformed)?;
            out.raw(&[0xf6]);
        }
        Type::Tag => {
            let depth = depth.checked_sub(1).ok_or(CborError::TooDeep)?;
            out.tag(decoder.tag().map_err(malformed)?.as_u64());
            copy(decoder, out, depth)?;
        }
        Type::Array => {
            let depth = depth.checked_sub(1).ok_or(CborError::TooDeep)?;
            let count = bounded(decoder.array().map_err(malformed)?, decoder)?;
            out.array(count);
            for _ in 0..count {
                copy(decoder, out, depth)?;
            }
        }
        Type::Map => {
            let depth = depth.checked_sub(1).ok_or(CborError::TooDeep)?;
            let count = bounded(decoder.map().map_err(malformed)?, decoder)?;
            out.map(count);
            let mut previous: Option<Vec<u8>> = None;
            for _ in 0..count {
                let start = out.as_bytes().len();
                copy(decoder, out, depth)?;
                let key = out.as_bytes().get(start..).unwrap_or_default().to_vec();
                if previous.is_some_and(|previous| previous >= key) {
                    return Err(CborError::NotDeterministic);
                }
                previous = Some(key);
                copy(decoder, out, depth)?;
            }
        }
        Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef => {
            return Err(CborError::NotDeterministic);
        }
        _ => return Err(CborError::Malformed),
    }
    Ok(())
}

/// A count that the rest of the input can hold: every item takes a byte at least.
fn bounded(count: Option<u64>, decoder: &Decoder<'_>) -> Result<usize, CborError> {
    let count = count.ok_or(CborError::NotDeterministic)?;
    let rest = decoder.input().len().saturating_sub(decoder.position());
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= rest)
        .ok_or(CborError::Malformed)
}

fn malformed(_: minicbor::decode::Error) -> CborError {
    CborError::Malformed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_deterministic_form_passes() {
        let good: &[&[u8]] = &[
            &[0x00],
            &[0x17],
            &[0x18, 0x18],
            &[0x39, 0x01, 0x00],
            &[0x44, 1, 2, 3, 4],
            &[0xa2, 0x01, 0xf5, 0x02, 0x60],
            &[0xa2, 0x01, 0x00, 0x20, 0x00],
            &[0xd2, 0x80],
            &[0xf6],
        ];
        for bytes in good {
            assert_eq!(check(bytes, 8), Ok(()), "{bytes:02x?}");
        }
        let loose: &[&[u8]] = &[
            &[0x18, 0x17],
            &[0x19, 0x00, 0x18],
            &[0x58, 0x01, 0x00],
            &[0x9f, 0xff],
            &[0xbf, 0xff],
            &[0x5f, 0xff],
            &[0xa2, 0x02, 0x00, 0x01, 0x00],
            &[0xa2, 0x01, 0x00, 0x01, 0x00],
            &[0xb8, 0x01, 0x01, 0x00],
        ];
        for bytes in loose {
            assert_eq!(check(bytes, 8), Err(CborError::NotDeterministic), "{bytes:02x?}");
        }
        let broken: &[&[u8]] = &[
            &[],
            &[0x18],
            &[0x00, 0x00],
            &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x61, 0xff],
            &[0xf9, 0x00, 0x00],
            &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0xf7],
            &[0xff],
        ];
        for bytes in broken {
            assert_eq!(check(bytes, 8), Err(CborError::Malformed), "{bytes:02x?}");
        }
    }

    #[test]
    fn depth_is_counted_in_arrays_maps_and_tags() {
        let mut nested = vec![0x81; 8];
        nested.push(0x00);
        assert_eq!(check(&nested, 8), Ok(()));
        nested.insert(0, 0x81);
        assert_eq!(check(&nested, 8), Err(CborError::TooDeep));
        assert_eq!(check(&[0xc1; 60_000], 8), Err(CborError::TooDeep));
    }
}
