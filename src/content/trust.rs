//! Whether a sealed manifest is taken: whose signature, which content, when, and never an older one.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::cose::{self, CoseError, Role};
use super::{Class, ContentId, Hash, Manifest, ManifestError, PublicKey};

/// Wall time as the caller knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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

    /// Whether it is certainly later than `unix_s` and `grace_s` seconds.
    #[must_use]
    pub fn is_after(self, unix_s: u64, grace_s: u64) -> bool {
        self.unix_s.saturating_sub(u64::from(self.uncertainty_s)) > unix_s.saturating_add(grace_s)
    }

    /// Whether it is certainly earlier than `unix_s`, even `grace_s` seconds earlier.
    #[must_use]
    pub fn is_before(self, unix_s: u64, grace_s: u64) -> bool {
        self.unix_s
            .saturating_add(u64::from(self.uncertainty_s))
            .saturating_add(grace_s)
            < unix_s
    }
}

/// What a page trusts, and what it has seen so far.
#[derive(Debug, Clone)]
pub struct Trust {
    publishers: Vec<PublicKey>,
    content: Option<ContentId>,
    source: Hash,
    memory: RollbackMemory,
    /// The browsers' core takes none.
    #[cfg(not(feature = "standalone"))]
    user_made: UserMade,
}

/// What is taken that users have made.
#[cfg(not(feature = "standalone"))]
#[derive(Debug, Clone, Default)]
struct UserMade {
    users: Vec<PublicKey>,
    endorsers: Vec<PublicKey>,
    unendorsed: bool,
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
        // Tokens change from visit to visit and have no place in a memory.
        let url = manifest_url.split(['?', '#']).next().unwrap_or_default();
        Self {
            publishers,
            content,
            source: Hash::of(&[SOURCE_CONTEXT, url.as_bytes()]),
            memory,
            #[cfg(not(feature = "standalone"))]
            user_made: UserMade::default(),
        }
    }

    /// Takes user-made content as well, if one of `endorsers` has endorsed it. What `users` sign has to be of that class;
    /// publishers may sign it too, and then it needs an endorsement all the same.
    #[cfg(not(feature = "standalone"))]
    #[must_use]
    pub fn with_user_made(mut self, users: &[PublicKey], endorsers: Vec<PublicKey>) -> Self {
        self.publishers.extend_from_slice(users);
        self.user_made.users = users.to_vec();
        self.user_made.endorsers = endorsers;
        self
    }

    /// For whoever is about to endorse: takes user-made content without an endorsement, so that its bytes can be checked.
    #[cfg(not(feature = "standalone"))]
    #[must_use]
    pub fn before_endorsement(mut self) -> Self {
        self.user_made.unendorsed = true;
        self
    }

    /// As [`Self::verify_live`], where nobody can be asked: the clock refuses nothing that is not certainly past its
    /// expiry, and the rest becomes a grade. `statement` is one of the publisher's, if there is any.
    ///
    /// # Errors
    /// As [`Self::verify`].
    #[cfg(all(feature = "live", not(feature = "standalone")))]
    pub fn verify_offline(
        &mut self,
        sealed: &[u8],
        statement: Option<&super::Freshness>,
        time: super::OfflineTime,
    ) -> Result<(VerifiedManifest, super::Grade), TrustError> {
        let verified = match self.verify_live(sealed, time.wall()) {
            // A clock that is earlier than what a trusted key has signed is wrong, and says nothing.
            Err(TrustError::NotYetValid) => self.verify_live(
                sealed,
                WallTime {
                    uncertainty_s: u32::MAX,
                    ..time.wall()
                },
            ),
            verdict => verdict,
        }?;
        let grade = super::freshness::grade(
            &verified.manifest,
            verified.hash,
            statement,
            self.latest_signed(),
            time,
        );
        if grade == super::Grade::Expired {
            return Err(TrustError::Expired);
        }
        // The statement is a signed time as well.
        for seen in &mut self.memory.seen {
            if let Some(statement) = statement
                && (seen.publisher, seen.content) == (verified.signer, statement.content_id)
            {
                seen.issued = seen.issued.max(statement.issued);
            }
        }
        Ok((verified, grade))
    }

    /// Verifies a sealed manifest. The memory changes only when everything else has been verified.
    ///
    /// # Errors
    /// [`TrustError`] says which rule refuses it. [`TrustError::Tombstone`] alone is remembered.
    pub fn verify(&mut self, sealed: &[u8], wall: WallTime) -> Result<VerifiedManifest, TrustError> {
        self.judge(sealed, wall, |manifest| Ok(manifest.live.is_some()))
    }

    /// As [`Self::verify`], by a reader that follows live contents too: [`super::live::LiveSlot::of`] says whether it
    /// is one.
    ///
    /// # Errors
    /// As [`Self::verify`].
    #[cfg(feature = "live")]
    pub fn verify_live(&mut self, sealed: &[u8], wall: WallTime) -> Result<VerifiedManifest, TrustError> {
        self.judge(sealed, wall, |manifest| {
            super::live::LiveSlot::of(manifest)?;
            Ok(false)
        })
    }

    fn judge(
        &mut self,
        sealed: &[u8],
        wall: WallTime,
        is_beyond_us: impl FnOnce(&Manifest) -> Result<bool, TrustError>,
    ) -> Result<VerifiedManifest, TrustError> {
        let verified = cose::verify(Role::Manifest, sealed, &self.publishers)?;
        let (signer, manifest) = (verified.signer, Manifest::decode(verified.payload)?);
        if self
            .expected_content()
            .is_some_and(|content| content != manifest.content_id)
        {
            return Err(TrustError::WrongContent);
        }
        if is_beyond_us(&manifest)? {
            return Err(TrustError::LiveContent);
        }
        if manifest.freshness.is_some() || manifest.root_document.is_some() {
            return Err(TrustError::UnsupportedFeature);
        }
        self.check_class(&manifest, signer, wall)?;
        self.check_time(&manifest, wall)?;
        let hash = Hash::of(&[sealed]);
        self.check_version(&manifest, hash)?;
        self.remember(&manifest, hash, signer);
        if manifest.tombstone.is_some() {
            return Err(TrustError::Tombstone);
        }
        Ok(VerifiedManifest {
            manifest,
            hash,
            signer,
        })
    }

    /// What has been seen, for the caller to keep.
    #[must_use]
    pub const fn memory(&self) -> &RollbackMemory {
        &self.memory
    }

    fn expected_content(&self) -> Option<ContentId> {
        let pinned = || self.memory.pins.iter().find(|pin| pin.source == self.source);
        self.content.or_else(|| pinned().map(|pin| pin.content))
    }

    /// The browsers' core knows no endorser, so user-made content is refused there, endorsed or not.
    #[cfg(feature = "standalone")]
    fn check_class(&self, manifest: &Manifest, _: PublicKey, _: WallTime) -> Result<(), TrustError> {
        match manifest.class {
            Class::Publisher => Ok(()),
            Class::UserMade => Err(TrustError::UserMadeUnendorsed),
        }
    }

    #[cfg(not(feature = "standalone"))]
    fn check_class(&self, manifest: &Manifest, signer: PublicKey, wall: WallTime) -> Result<(), TrustError> {
        let UserMade {
            users,
            endorsers,
            unendorsed,
        } = &self.user_made;
        if manifest.class == Class::Publisher {
            // A user does not become a publisher by saying so.
            return if users.contains(&signer) {
                Err(TrustError::UserMadeUnendorsed)
            } else {
                Ok(())
            };
        }
        if *unendorsed {
            return Ok(());
        }
        let times = [wall, self.signed_floor()];
        manifest
            .endorsement
            .as_ref()
            .and_then(|sealed| super::Endorsement::verify(sealed, endorsers).ok())
            .filter(|endorsement| endorsement.covers(manifest, signer, &times, TOLERANCE_S))
            .map(|_| ())
            .ok_or(TrustError::UserMadeUnendorsed)
    }

    /// No clock can be earlier than a time that a trusted key has signed.
    fn signed_floor(&self) -> WallTime {
        WallTime {
            unix_s: self.latest_signed(),
            uncertainty_s: 0,
        }
    }

    fn latest_signed(&self) -> u64 {
        self.trusted_memory().map(|seen| seen.issued).max().unwrap_or(0)
    }

    fn check_time(&self, manifest: &Manifest, wall: WallTime) -> Result<(), TrustError> {
        let floor = self.signed_floor();
        if [wall, floor]
            .iter()
            .any(|time| time.is_after(manifest.expires, TOLERANCE_S))
        {
            return Err(TrustError::Expired);
        }
        if [wall, floor]
            .iter()
            .all(|time| time.is_before(manifest.issued, TOLERANCE_S))
        {
            return Err(TrustError::NotYetValid);
        }
        Ok(())
    }

    fn check_version(&self, manifest: &Manifest, hash: Hash) -> Result<(), TrustError> {
        let seen = self
            .trusted_memory()
            .filter(|seen| seen.content == manifest.content_id);
        let Some(newest) = seen.max_by_key(|seen| seen.version) else {
            return Ok(());
        };
        let Some(ahead) = manifest.version.checked_sub(newest.version) else {
            return Err(TrustError::Rollback);
        };
        match ahead {
            0 if hash != newest.hash => Err(TrustError::Equivocation),
            1 if manifest.previous.is_some_and(|previous| previous != newest.hash) => {
                Err(TrustError::BrokenChain)
            }
            ahead if ahead > MAX_VERSION_JUMP => Err(TrustError::VersionJump),
            _ => Ok(()),
        }
    }

    /// What has been seen under the keys that are trusted now.
    fn trusted_memory(&self) -> impl Iterator<Item = &Remembered> {
        self.memory
            .seen
            .iter()
            .filter(|seen| self.publishers.contains(&seen.publisher))
    }

    fn remember(&mut self, manifest: &Manifest, hash: Hash, publisher: PublicKey) {
        let (content, source) = (manifest.content_id, self.source);
        let seen = &mut self.memory.seen;
        seen.retain(|seen| seen.content != content || seen.publisher != publisher);
        seen.push(Remembered {
            publisher,
            content,
            version: manifest.version,
            hash,
            issued: manifest.issued,
        });
        seen.drain(..seen.len().saturating_sub(MAX_REMEMBERED));
        let pins = &mut self.memory.pins;
        pins.retain(|pin| pin.source != source);
        pins.push(Pin { source, content });
        pins.drain(..pins.len().saturating_sub(MAX_REMEMBERED));
    }
}

/// What has been seen under which trust: plain data, kept by the caller between visits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RollbackMemory {
    /// Newest manifest per publisher key and content, least recently used first.
    pub seen: Vec<Remembered>,
    /// First content seen per manifest URL, least recently used first.
    pub pins: Vec<Pin>,
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

/// Which content a manifest URL stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Hash of the URL without query and fragment.
    pub source: Hash,
    /// The content.
    pub content: ContentId,
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
    /// The payload breaks a rule of manifests, or is of another format version.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It is live, and this reader does not follow live contents.
    #[error("the content is live: join with live: true")]
    LiveContent,
    /// It uses a slot that is reserved so far.
    #[error("the manifest needs a feature that this build does not have")]
    UnsupportedFeature,
    /// Signed by a trusted key, for another content than the expected one.
    #[error("the manifest is of another content than the expected one")]
    WrongContent,
    /// User-made, without an endorsement by somebody who is trusted to give one.
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
            Self::LiveContent => "live_content",
            Self::UnsupportedFeature => "unsupported_feature",
            Self::Manifest(error) => error.code(),
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

/// How far a manifest may be past its expiry, or before its issue, on a clock that is right.
pub(super) const TOLERANCE_S: u64 = 60;

/// A version further ahead than this would let a thief of a key lock out its owner's next versions.
const MAX_VERSION_JUMP: u64 = 1 << 20;

/// Contents, and manifest URLs, that are remembered; the least recently used ones are forgotten first.
const MAX_REMEMBERED: usize = 1024;

const SOURCE_CONTEXT: &[u8] = b"swarmseal/source/1";

#[cfg(test)]
mod tests;
