//! Deterministic CBOR (RFC 8949 §4.2.1): a check that a byte string is in that form, and narrow readers and writers.
//!
//! The check walks through an item and compares every head with the shortest one for its value. What passes it may be
//! read without further thought about lengths: every count in it is bounded by the bytes that are really there.
//!
//! Our own, because a library for all of CBOR is 3 KB of what every viewer downloads, and this needs a tenth of it; the
//! tests hold it against one.

use alloc::vec::Vec;

/// Checks that `bytes` is exactly one item in deterministic form, nested at most `max_depth` deep, made of integers,
/// strings, arrays, maps, tags, booleans and null.
///
/// # Errors
/// [`CborError`].
pub(crate) fn check(bytes: &[u8], max_depth: usize) -> Result<(), CborError> {
    let mut reader = Reader::new(bytes);
    reader.item(max_depth)?;
    reader.end()?;
    if reader.shortest {
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

/// What an item is: the first three bits of its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Unsigned,
    Negative,
    Bytes,
    Text,
    Array,
    Map,
    Tag,
    Simple,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Unsigned,
        Self::Negative,
        Self::Bytes,
        Self::Text,
        Self::Array,
        Self::Map,
        Self::Tag,
        Self::Simple,
    ];
}

const FALSE: u64 = 20;
const TRUE: u64 = 21;
const NULL: u64 = 22;
/// In place of an argument: the item goes on until a mark ends it.
const INDEFINITE: u8 = 31;

/// Reads items that [`check`] has passed.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'b> {
    rest: &'b [u8],
    /// Whether all heads so far were the shortest for their values.
    shortest: bool,
}

impl<'b> Reader<'b> {
    pub(crate) const fn new(bytes: &'b [u8]) -> Self {
        Self {
            rest: bytes,
            shortest: true,
        }
    }

    pub(crate) fn tag(&mut self) -> Result<u64, CborError> {
        self.expect(Kind::Tag)
    }

    pub(crate) fn array(&mut self) -> Result<u64, CborError> {
        self.expect(Kind::Array)
    }

    pub(crate) fn map(&mut self) -> Result<u64, CborError> {
        self.expect(Kind::Map)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, CborError> {
        self.expect(Kind::Unsigned)
    }

    pub(crate) fn integer(&mut self) -> Result<i64, CborError> {
        let (kind, argument) = self.head()?;
        let argument = i64::try_from(argument).map_err(|_| CborError::Malformed)?;
        match kind {
            Kind::Unsigned => Ok(argument),
            Kind::Negative => Ok(-1 - argument),
            _ => Err(CborError::Malformed),
        }
    }

    pub(crate) fn boolean(&mut self) -> Result<bool, CborError> {
        match self.expect(Kind::Simple)? {
            FALSE => Ok(false),
            TRUE => Ok(true),
            _ => Err(CborError::Malformed),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], CborError> {
        let length = self.expect(Kind::Bytes)?;
        self.take(length)
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CborError> {
        self.bytes()?.try_into().map_err(|_| CborError::Malformed)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, CborError> {
        let length = self.expect(Kind::Text)?;
        core::str::from_utf8(self.take(length)?).map_err(|_| CborError::Malformed)
    }

    /// Goes past one item, whatever it is.
    pub(crate) fn skip(&mut self) -> Result<(), CborError> {
        self.item(super::cose::MAX_DEPTH)
    }

    /// Whether everything has been read.
    pub(crate) fn end(&self) -> Result<(), CborError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CborError::Malformed)
        }
    }

    /// Goes past one item and sees that it is well formed, as [`check`] says.
    fn item(&mut self, depth: usize) -> Result<(), CborError> {
        let start = self.clone();
        let (kind, argument) = self.head()?;
        let inside = || depth.checked_sub(1).ok_or(CborError::TooDeep);
        match kind {
            Kind::Unsigned => {}
            Kind::Negative if i64::try_from(argument).is_ok() => {}
            Kind::Bytes => {
                self.take(argument)?;
            }
            Kind::Text => {
                *self = start;
                self.text()?;
            }
            Kind::Array => {
                let inside = inside()?;
                for _ in 0..self.bounded(argument)? {
                    self.item(inside)?;
                }
            }
            Kind::Map => {
                let inside = inside()?;
                let mut previous: &[u8] = &[];
                for _ in 0..self.bounded(argument)? {
                    let from = self.rest;
                    self.item(inside)?;
                    let (key, _) = from
                        .split_at_checked(from.len() - self.rest.len())
                        .unwrap_or_default();
                    if previous >= key {
                        return Err(CborError::NotDeterministic);
                    }
                    previous = key;
                    self.item(inside)?;
                }
            }
            Kind::Tag => self.item(inside()?)?,
            Kind::Simple if matches!(argument, FALSE..=NULL) => {}
            Kind::Negative | Kind::Simple => return Err(CborError::Malformed),
        }
        Ok(())
    }

    fn expect(&mut self, expected: Kind) -> Result<u64, CborError> {
        match self.head()? {
            (kind, argument) if kind == expected => Ok(argument),
            _ => Err(CborError::Malformed),
        }
    }

    /// What the next item is, and its value, length or count.
    fn head(&mut self) -> Result<(Kind, u64), CborError> {
        let (&initial, rest) = self.rest.split_first().ok_or(CborError::Malformed)?;
        self.rest = rest;
        let kind = *Kind::ALL
            .get(usize::from(initial >> 5))
            .ok_or(CborError::Malformed)?;
        let short = initial & 31;
        let (length, least) = match short {
            0..24 => return Ok((kind, short.into())),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            INDEFINITE if matches!(kind, Kind::Bytes | Kind::Text | Kind::Array | Kind::Map) => {
                return Err(CborError::NotDeterministic);
            }
            _ => return Err(CborError::Malformed),
        };
        // Floats and the simple values that do not fit into the first byte: none of them is ever of use.
        if kind == Kind::Simple {
            return Err(CborError::Malformed);
        }
        let argument = self
            .take(length)?
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte));
        self.shortest &= argument >= least;
        Ok((kind, argument))
    }

    fn take(&mut self, length: u64) -> Result<&'b [u8], CborError> {
        let length = self.bounded(length)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CborError::Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A length or count that the rest of the input can hold: every item takes a byte at least.
    fn bounded(&self, count: u64) -> Result<usize, CborError> {
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= self.rest.len())
            .ok_or(CborError::Malformed)
    }
}

/// Writes items in their shortest form. The order of map keys is the caller's care.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn tag(&mut self, tag: u64) -> &mut Self {
        self.head(Kind::Tag, tag)
    }

    pub(crate) fn array(&mut self, count: usize) -> &mut Self {
        self.head(Kind::Array, count as u64)
    }

    pub(crate) fn map(&mut self, count: usize) -> &mut Self {
        self.head(Kind::Map, count as u64)
    }

    pub(crate) fn unsigned(&mut self, value: u64) -> &mut Self {
        self.head(Kind::Unsigned, value)
    }

    pub(crate) fn integer(&mut self, value: i64) -> &mut Self {
        // RFC 8949 §3.1: the argument of a negative integer is -1 minus it.
        let kind = if value < 0 { Kind::Negative } else { Kind::Unsigned };
        self.head(kind, (value ^ (value >> 63)).cast_unsigned())
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.head(Kind::Simple, if value { TRUE } else { FALSE })
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.head(Kind::Bytes, value.len() as u64).raw(value)
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.head(Kind::Text, value.len() as u64).raw(value.as_bytes())
    }

    /// Appends items that are encoded already.
    pub(crate) fn raw(&mut self, items: &[u8]) -> &mut Self {
        self.0.extend_from_slice(items);
        self
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn head(&mut self, kind: Kind, argument: u64) -> &mut Self {
        let (short, length) = match argument {
            0..24 => (argument as u8, 0),
            24..0x100 => (24, 1),
            0x100..0x1_0000 => (25, 2),
            0x1_0000..0x1_0000_0000 => (26, 4),
            _ => (27, 8),
        };
        self.0.push((kind as u8) << 5 | short);
        self.raw(argument.to_be_bytes().get(8 - length..).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_library_writes_integers_and_strings_in_the_same_way(
            value: i64,
            shift in 0_u32..64,
            bytes: Vec<u8>,
            text: String,
        ) {
            let value = value >> shift;
            let mut theirs = minicbor::Encoder::new(Vec::new());
            theirs.tag(minicbor::data::Tag::new(u64::MAX >> shift)).unwrap();
            theirs.array(5).unwrap().i64(value).unwrap().u64(u64::MAX >> shift).unwrap();
            theirs.bytes(&bytes).unwrap().str(&text).unwrap().bool(true).unwrap();
            let theirs = theirs.into_writer();
            let mut ours = Writer::default();
            ours.tag(u64::MAX >> shift).array(5).integer(value).unsigned(u64::MAX >> shift);
            ours.bytes(&bytes).text(&text).boolean(true);
            prop_assert_eq!(ours.as_bytes(), theirs.as_slice());
            prop_assert_eq!(check(&theirs, 2), Ok(()));
            let mut reader = Reader::new(&theirs);
            prop_assert_eq!(reader.tag(), Ok(u64::MAX >> shift));
            prop_assert_eq!(reader.array(), Ok(5));
            prop_assert_eq!(reader.integer(), Ok(value));
            prop_assert_eq!(reader.unsigned(), Ok(u64::MAX >> shift));
            prop_assert_eq!(reader.bytes(), Ok(bytes.as_slice()));
            prop_assert_eq!(reader.text(), Ok(text.as_str()));
            prop_assert_eq!(reader.boolean(), Ok(true));
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn what_passes_is_what_a_library_reads_to_its_end(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            if check(&bytes, 8).is_ok() {
                let mut theirs = minicbor::Decoder::new(&bytes);
                prop_assert!(theirs.skip().is_ok());
                prop_assert_eq!(theirs.position(), bytes.len());
                let mut ours = Reader::new(&bytes);
                prop_assert_eq!(ours.skip(), Ok(()));
                prop_assert_eq!(ours.end(), Ok(()));
            }
        }
    }

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
