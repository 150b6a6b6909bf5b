//! How fresh a signed manifest is, for whoever cannot ask anybody: a folder, a pinned key, and a clock that may be wrong.

use alloc::vec::Vec;

use super::cbor::{CborError, MapWriter, Reader, Writer};
use super::cose::{self, CoseError, Role};
use super::{ContentId, Hash, MAX_NUMBER, Manifest, PublicKey, SecretKey, WallTime};

/// Longest validity of a statement, in seconds: for so long a version that was replaced can still be shown as fresh.
pub const MAX_FRESH_S: u64 = 30 * 86_400;

/// A publisher's word that a manifest was the newest one when this was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The content.
    pub content_id: ContentId,
    /// Version of the manifest.
    pub version: u64,
    /// SHA-256 of the sealed manifest.
    pub manifest: Hash,
    /// Unix time in seconds.
    pub issued: u64,
    /// Unix time in seconds until which this may be relied upon; at most [`MAX_FRESH_S`] later.
    pub until: u64,
}

impl Freshness {
    /// Seals it in the role `freshness`, by the publisher's key.
    ///
    /// # Errors
    /// [`FreshnessError`] for a statement that nobody would take.
    pub fn sign(&self, publisher: &SecretKey) -> Result<Vec<u8>, FreshnessError> {
        self.check()?;
        let mut map = MapWriter::default();
        map.put(key::FORMAT, |out| _ = out.unsigned(FORMAT));
        map.put(key::CONTENT_ID, |out| _ = out.bytes(&self.content_id.0));
        map.put(key::VERSION, |out| _ = out.unsigned(self.version));
        map.put(key::MANIFEST, |out| _ = out.bytes(&self.manifest.0));
        map.put(key::ISSUED, |out| _ = out.unsigned(self.issued));
        map.put(key::UNTIL, |out| _ = out.unsigned(self.until));
        let mut out = Writer::default();
        map.finish(&mut out);
        Ok(cose::sign1(Role::Freshness, publisher, &out.into_bytes())?)
    }

    /// Reads a sealed statement, if one of `publishers` signed it.
    ///
    /// # Errors
    /// [`FreshnessError`] says which rule it breaks.
    pub fn verify(sealed: &[u8], publishers: &[PublicKey]) -> Result<Self, FreshnessError> {
        let verified = cose::verify(Role::Freshness, sealed, publishers)?;
        let statement = Self::read(verified.payload)?;
        statement.check()?;
        Ok(statement)
    }

    fn read(payload: &[u8]) -> Result<Self, FreshnessError> {
        let mut reader = Reader::new(payload);
        let entries = reader.map()?;
        if entries == 0 || reader.unsigned()? != key::FORMAT || reader.unsigned()? != FORMAT {
            return Err(FreshnessError::Malformed);
        }
        let (mut content_id, mut version, mut manifest, mut issued, mut until) =
            (None, None, None, None, None);
        for _ in 1..entries {
            match reader.unsigned()? {
                key::CONTENT_ID => content_id = Some(ContentId(reader.fixed()?)),
                key::VERSION => version = Some(reader.unsigned()?),
                key::MANIFEST => manifest = Some(Hash(reader.fixed()?)),
                key::ISSUED => issued = Some(reader.unsigned()?),
                key::UNTIL => until = Some(reader.unsigned()?),
                unknown if unknown < FIRST_OPTIONAL => return Err(FreshnessError::Malformed),
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        let draft = || {
            Some(Self {
                content_id: content_id?,
                version: version?,
                manifest: manifest?,
                issued: issued?,
                until: until?,
            })
        };
        draft().ok_or(FreshnessError::Malformed)
    }

    fn check(&self) -> Result<(), FreshnessError> {
        match self.until.checked_sub(self.issued) {
            Some(1..=MAX_FRESH_S) if self.until <= MAX_NUMBER && self.version <= MAX_NUMBER => Ok(()),
            _ => Err(FreshnessError::Validity),
        }
    }

    fn is_about(&self, manifest: &Manifest, hash: Hash) -> bool {
        self.content_id == manifest.content_id && self.version == manifest.version && self.manifest == hash
    }
}

/// What is known of the time where nobody can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfflineTime {
    /// What the clock says, Unix time in seconds.
    pub clock_unix_s: u64,
    /// How many seconds it is off at most, if somebody answers for that. Nobody does for a device's clock as it is.
    pub within_s: Option<u32>,
}

impl OfflineTime {
    /// What of it is certain.
    pub(super) fn wall(self) -> WallTime {
        let device = WallTime::from_device(self.clock_unix_s);
        WallTime {
            uncertainty_s: self.within_s.unwrap_or(device.uncertainty_s),
            ..device
        }
    }
}

/// How fresh a manifest is whose signature is good. One that is certainly past its expiry is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// The newest version, as its publisher has stated, and that may be relied upon now.
    Fresh {
        /// Until when, Unix time in seconds.
        until: u64,
    },
    /// Signed; whether there is a newer version, or it has expired meanwhile, is not known.
    FreshnessUnknown,
    /// Certainly past its expiry.
    Expired,
}

/// Grades a manifest. `floor` is the latest time that a trusted key has signed so far: no clock can be earlier.
///
/// A wrong clock never widens the grade: without somebody who answers for the clock nothing is fresh, a clock that is
/// certainly earlier than a signed time is no clock, and what a signed time shows to have expired stays so.
pub(super) fn grade(
    manifest: &Manifest,
    hash: Hash,
    statement: Option<&Freshness>,
    floor: u64,
    time: OfflineTime,
) -> Grade {
    let floor = floor
        .max(manifest.issued)
        .max(statement.map_or(0, |statement| statement.issued));
    let clock = time.wall();
    let signed = WallTime {
        unix_s: floor,
        uncertainty_s: 0,
    };
    if [clock, signed]
        .iter()
        .any(|time| time.is_after(manifest.expires, super::trust::TOLERANCE_S))
    {
        return Grade::Expired;
    }
    let latest = clock.unix_s.saturating_add(u64::from(clock.uncertainty_s));
    let is_believed = time.within_s.is_some() && latest >= floor;
    match statement {
        Some(statement)
            if is_believed
                && statement.is_about(manifest, hash)
                && latest <= statement.until.min(manifest.expires) =>
        {
            Grade::Fresh {
                until: statement.until.min(manifest.expires),
            }
        }
        _ => Grade::FreshnessUnknown,
    }
}

/// Why a statement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FreshnessError {
    /// The signed object itself.
    #[error(transparent)]
    Sealed(#[from] CoseError),
    /// Not the form of a statement.
    #[error("a statement of freshness is malformed")]
    Malformed,
    /// It ends before it begins, or more than [`MAX_FRESH_S`] later.
    #[error("a statement of freshness has to be good for 1 second to 30 days")]
    Validity,
}

impl FreshnessError {
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

impl From<CborError> for FreshnessError {
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
    pub(super) const VERSION: u64 = 3;
    pub(super) const MANIFEST: u64 = 4;
    pub(super) const ISSUED: u64 = 5;
    pub(super) const UNTIL: u64 = 6;
}
