//! The manifest that a new version continues.

use std::path::Path;

use swarmseal::content::cose::{self, Role};
use swarmseal::content::{Hash, Manifest, PublicKey};

use super::PublishError;

/// A manifest of our own, possibly expired.
pub(super) struct Previous {
    pub(super) manifest: Manifest,
    /// SHA-256 of the sealed bytes.
    pub(super) hash: Hash,
}

/// Reads it, if there is one. One by another key is an error: its viewers could not follow.
pub(super) fn read(path: &Path, key: &PublicKey) -> Result<Option<Previous>, PublishError> {
    let sealed = match std::fs::read(path) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PublishError::file(path, error)),
    };
    let unusable = |detail: String| PublishError::Previous {
        path: path.display().to_string(),
        detail,
    };
    let verified = cose::verify(Role::Manifest, &sealed, &[*key])
        .map_err(|error| unusable(format!("it is not signed with this key ({error})")))?;
    let manifest = Manifest::decode(verified.payload).map_err(|error| unusable(error.to_string()))?;
    Ok(Some(Previous {
        manifest,
        hash: Hash::of(&[&sealed]),
    }))
}
