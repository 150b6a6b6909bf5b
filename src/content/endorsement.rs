//! User-made content: taken only if an operator whom the viewer trusts has endorsed what its maker signed.

use alloc::vec::Vec;

use super::cbor::{CborError, MapWriter, Reader, Writer};
use super::cose::{self, CoseError, Role};
use super::{ContentId, Hash, MAX_NUMBER, Manifest, PublicKey, SecretKey, WallTime};

/// Longest validity of an endorsement, in seconds.
pub const MAX_ENDORSED_S: u64 = 366 * 86_400;

/// An operator's word for what a user lists: these objects, under these names, by this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endorsement {
    /// The content.
    pub content_id: ContentId,
    /// The key of its maker.
    pub maker: PublicKey,
    /// What [`Manifest::listing`] is: later versions that list the same are endorsed as well, and no others.
    pub listing: Hash,
    /// Unix time in seconds.
    pub issued: u64,
    /// Unix time in seconds; at most [`MAX_ENDORSED_S`] later.
    pub expires: u64,
}

impl Endorsement {
    /// Seals it in the role `endorse`, by the operator's key.
    ///
    /// # Errors
    /// [`EndorsementError`] for one that nobody would take.
    pub fn sign(&self, operator: &SecretKey) -> Result<Vec<u8>, EndorsementError> {
        self.check()?;
        let mut map = MapWriter::default();
        map.put(key::FORMAT, |out| _ = out.unsigned(FORMAT));
        map.put(key::CONTENT_ID, |out| _ = out.bytes(&self.content_id.0));
        map.put(key::MAKER, |out| _ = out.bytes(&self.maker.0));
        map.put(key::LISTING, |out| _ = out.bytes(&self.listing.0));
        map.put(key::ISSUED, |out| _ = out.unsigned(self.issued));
        map.put(key::EXPIRES, |out| _ = out.unsigned(self.expires));
        let mut out = Writer::default();
        map.finish(&mut out);
        Ok(cose::sign1(Role::Endorse, operator, &out.into_bytes())?)
    }

    /// Reads a sealed endorsement, if one of `endorsers` signed it.
    ///
    /// # Errors
    /// [`EndorsementError`] says which rule it breaks.
    pub fn verify(sealed: &[u8], endorsers: &[PublicKey]) -> Result<Self, EndorsementError> {
        let verified = cose::verify(Role::Endorse, sealed, endorsers)?;
        let endorsement = Self::read(verified.payload)?;
        endorsement.check()?;
        Ok(endorsement)
    }

    /// Whether it is about this manifest, signed by `maker`, and good at all of these times.
    pub(super) fn covers(
        &self,
        manifest: &Manifest,
        maker: PublicKey,
        times: &[WallTime],
        grace_s: u64,
    ) -> bool {
        self.content_id == manifest.content_id
            && self.maker == maker
            && manifest.listing() == Some(self.listing)
            && !times.iter().any(|time| time.is_after(self.expires, grace_s))
            && !times.iter().all(|time| time.is_before(self.issued, grace_s))
    }

    fn read(payload: &[u8]) -> Result<Self, EndorsementError> {
        let mut reader = Reader::new(payload);
        let entries = reader.map()?;
        if entries == 0 || reader.unsigned()? != key::FORMAT || reader.unsigned()? != FORMAT {
            return Err(EndorsementError::Malformed);
        }
        let (mut content_id, mut maker, mut listing, mut issued, mut expires) =
            (None, None, None, None, None);
        for _ in 1..entries {
            match reader.unsigned()? {
                key::CONTENT_ID => content_id = Some(ContentId(reader.fixed()?)),
                key::MAKER => maker = Some(PublicKey(reader.fixed()?)),
                key::LISTING => listing = Some(Hash(reader.fixed()?)),
                key::ISSUED => issued = Some(reader.unsigned()?),
                key::EXPIRES => expires = Some(reader.unsigned()?),
                unknown if unknown < FIRST_OPTIONAL => return Err(EndorsementError::Malformed),
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        let draft = || {
            Some(Self {
                content_id: content_id?,
                maker: maker?,
                listing: listing?,
                issued: issued?,
                expires: expires?,
            })
        };
        draft().ok_or(EndorsementError::Malformed)
    }

    fn check(&self) -> Result<(), EndorsementError> {
        match self.expires.checked_sub(self.issued) {
            Some(1..=MAX_ENDORSED_S) if self.expires <= MAX_NUMBER => Ok(()),
            _ => Err(EndorsementError::Validity),
        }
    }
}

/// Why an endorsement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndorsementError {
    /// The signed object itself.
    #[error(transparent)]
    Sealed(#[from] CoseError),
    /// Not the form of an endorsement.
    #[error("an endorsement is malformed")]
    Malformed,
    /// It ends before it begins, or more than [`MAX_ENDORSED_S`] later.
    #[error("an endorsement has to be good for 1 second to 366 days")]
    Validity,
}

impl EndorsementError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sealed(error) => error.code(),
            Self::Malformed => "malformed",
            Self::Validity => "bad_validity",
        }
    }
}

impl From<CborError> for EndorsementError {
    fn from(_: CborError) -> Self {
        Self::Malformed
    }
}

const FORMAT: u64 = 1;
/// Keys from here on may be skipped by who does not know them.
const FIRST_OPTIONAL: u64 = 64;

mod key {
    pub(super) const FORMAT: u64 = 1;
    pub(super) const CONTENT_ID: u64 = 2;
    pub(super) const MAKER: u64 = 3;
    pub(super) const LISTING: u64 = 4;
    pub(super) const ISSUED: u64 = 5;
    pub(super) const EXPIRES: u64 = 6;
}
