//! What a manifest says about a live content, and where the files of a live content lie.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::codec;
use crate::content::cbor::{MapWriter, Reader, Writer};
use crate::content::manifest::rules::check_path;
use crate::content::{Manifest, ManifestError, TrackId};

/// The manifest's slot for live contents (key 15): that heads state the segments, and where heads lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSlot {
    /// Folder of sessions, heads and logs: a normalised path without a slash at its end.
    pub folder: String,
}

impl LiveSlot {
    /// The slot of a manifest; `None` if its content is not live.
    ///
    /// # Errors
    /// [`ManifestError`] when the slot breaks a rule, or segments are listed beside it.
    pub fn of(manifest: &Manifest) -> Result<Option<Self>, ManifestError> {
        let Some(slot) = &manifest.live else {
            return Ok(None);
        };
        if !manifest.tracks.is_empty() {
            return Err(ManifestError::UnsupportedFeature);
        }
        Self::decode(slot, &manifest.significant_query).map(Some)
    }

    /// The bytes for the slot: deterministic CBOR.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut map = MapWriter::default();
        map.put(1, |out| _ = out.text(&self.folder));
        let mut out = Writer::default();
        map.finish(&mut out);
        out.into_bytes()
    }

    /// Reads the slot.
    ///
    /// # Errors
    /// [`ManifestError`] says which rule is broken.
    pub fn decode(bytes: &[u8], significant_query: &[String]) -> Result<Self, ManifestError> {
        codec::check(bytes).map_err(|_| ManifestError::NotDeterministic)?;
        let mut reader = Reader::new(bytes);
        let mut folder = None;
        for _ in 0..reader.map()? {
            match reader.unsigned()? {
                1 => folder = Some(reader.text()?.to_owned()),
                unknown if unknown < codec::FIRST_OPTIONAL => return Err(ManifestError::UnsupportedFeature),
                _ => reader.skip()?,
            }
        }
        reader.end()?;
        let slot = Self {
            folder: folder.ok_or(ManifestError::Malformed)?,
        };
        check_path(&slot.newest(), significant_query)?;
        Ok(slot)
    }

    /// The newest head: short-lived, replaced with every head.
    #[must_use]
    pub fn newest(&self) -> String {
        format!("{}/latest", self.folder)
    }

    /// A session.
    #[must_use]
    pub fn session(&self, number: u64) -> String {
        format!("{}/{number}.session", self.folder)
    }

    /// A head, which never changes.
    #[must_use]
    pub fn head(&self, log: u64, sequence: u64) -> String {
        format!("{}/{log}/{sequence}.head", self.folder)
    }

    /// A file of a track's log, which is only ever appended to.
    #[must_use]
    pub fn track(&self, log: u64, track: TrackId, file: TrackFile) -> String {
        let ending = match file {
            TrackFile::Records => "records",
            TrackFile::Pages => "pages",
            TrackFile::Rows => "rows",
        };
        format!("{}/{log}/track-{track}.{ending}", self.folder)
    }
}

/// The files of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackFile {
    /// All records, 64 bytes each.
    Records,
    /// Roots of the full pages of records, 32 bytes each.
    Pages,
    /// Leaf hashes of all segments.
    Rows,
}
