//! Whether a sealed manifest is taken: whose signature, which content, when, and never an older one.

use serde::{Deserialize, Serialize};

use super::cose::CoseError;
use super::{ContentId, Hash, Manifest, ManifestError, PublicKey};

/// Wall time as the caller knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallTime {
    /// Unix time in seconds.
    pub unix_s: u64,
    /// How far off it may be, in seconds. A device's clock alone: see [`Self::from_device`].
    pub uncertainty_s: u32,
}

impl WallTime {
    /// The device's clock, with nothing to check it against: it may be two days off.
    #[must_use]
    pub const fn from_device(unix_s: u64) -> Self {
        Self {
            unix_s,
            uncertainty_s: 2 * 86_400,
        }
    }
}

/// What a page trusts, and what it has seen so far.
#[derive(Debug, Clone)]
pub struct Trust {
    publishers: Vec<PublicKey>,
    content: Option<ContentId>,
    manifest_url: String,
    memory: RollbackMemory,
}

impl Trust {
    /// Trusts manifests by any of `publishers`, for the content `content`. Without a content id, the first id that
    /// is seen at `manifest_url` is pinned. `memory` is what an earlier [`Self::memory`] gave.
    #[must_use]
    pub fn new(
        publishers: Vec<PublicKey>,
        content: Option<ContentId>,
        manifest_url: &str,
        memory: RollbackMemory,
    ) -> Self {
        Self {
            publishers,
            content,
            manifest_url: manifest_url.to_owned(),
            memory,
        }
    }

    /// Verifies a sealed manifest. The memory changes only when everything else has been verified.
    ///
    /// # Errors
    /// [`TrustError`] says which rule refuses it.
    pub fn verify(&mut self, sealed: &[u8], wall: WallTime) -> Result<VerifiedManifest, TrustError> {
        let _ = (sealed, wall, &self.publishers, &self.content, &self.manifest_url);
        Err(TrustError::Malformed(ManifestError::Malformed))
    }

    /// What has been seen, for the caller to keep.
    #[must_use]
    pub const fn memory(&self) -> &RollbackMemory {
        &self.memory
    }
}

/// What has been seen under which trust: plain data, kept by the caller between visits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackMemory {
    /// Newest manifest per publisher key and content, least recently used first.
    pub seen: Vec<Remembered>,
}

/// The newest manifest seen of one content under one publisher key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The publisher key.
    pub publisher: PublicKey,
    /// The content.
    pub content: ContentId,
    /// Version of the manifest.
    pub version: u64,
    /// SHA-256 of the sealed manifest.
    pub hash: Hash,
    /// When it was issued, Unix time in seconds: no clock can be earlier than this.
    pub issued: u64,
}

/// A manifest that passed every rule. Only [`Trust::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedManifest {
    manifest: Manifest,
    hash: Hash,
    signer: PublicKey,
}

impl VerifiedManifest {
    /// What it says.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the sealed bytes.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The pinned key that signed it.
    #[must_use]
    pub const fn signer(&self) -> PublicKey {
        self.signer
    }
}

/// Which rule refuses a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The signed object itself.
    #[error(transparent)]
    Sealed(#[from] CoseError),
    /// Another major version of the format.
    #[error("the manifest is of a format version that this build does not read")]
    UnsupportedVersion,
    /// It needs something that this build does not have.
    #[error("the manifest needs a feature that this build does not have")]
    UnsupportedFeature,
    /// The payload breaks a rule of manifests.
    #[error(transparent)]
    Malformed(ManifestError),
    /// Signed by a trusted key, for another content than the expected one.
    #[error("the manifest is of another content than the expected one")]
    WrongContent,
    /// User-made, without an endorsement that this build can verify.
    #[error("the manifest is of user-made content without an accepted endorsement")]
    UserMadeUnendorsed,
    /// Issued in the future.
    #[error("the manifest is not valid yet")]
    NotYetValid,
    /// Past its expiry.
    #[error("the manifest has expired")]
    Expired,
    /// Older than one seen before.
    #[error("the manifest is older than one seen before")]
    Rollback,
    /// Another manifest with a version seen before.
    #[error("the manifest differs from another one of the same version")]
    Equivocation,
    /// It follows the last one seen by number but does not name it as its predecessor.
    #[error("the manifest does not name the one before it")]
    BrokenChain,
    /// The version is too far ahead of the last one seen.
    #[error("the manifest's version jumps too far ahead")]
    VersionJump,
    /// The content is withdrawn.
    #[error("the content has been withdrawn")]
    Tombstone,
}

impl TrustError {
    /// Stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sealed(error) => error.code(),
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnsupportedFeature => "unsupported_feature",
            Self::Malformed(_) => "malformed",
            Self::WrongContent => "wrong_content",
            Self::UserMadeUnendorsed => "user_made_unendorsed",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Rollback => "rollback",
            Self::Equivocation => "equivocation",
            Self::BrokenChain => "broken_chain",
            Self::VersionJump => "version_jump",
            Self::Tombstone => "tombstone",
        }
    }
}
