//! What the packager has finished so far, as its playlists and MPDs say.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Mutex;

use swarmseal::content::Hash;
use url::Url;

use crate::publisher::plan::{Plan, PlannedAsset, PlannedTrack};
use crate::publisher::source::{Folder, Opened, Source, Stamp, read_range};
use crate::publisher::{PublishError, is_document, media_type};

/// One look at a folder.
pub(super) struct Observed {
    pub(super) tracks: Vec<PlannedTrack>,
    /// Headers; playlists and MPDs are documents.
    pub(super) assets: Vec<PlannedAsset>,
    /// Playlists and MPDs: media type and bytes by name, exactly as they were read.
    pub(super) documents: BTreeMap<String, (&'static str, Vec<u8>)>,
    /// Zero if nothing says it.
    pub(super) target_ms: u64,
    /// Every playlist and MPD has an end.
    pub(super) finished: bool,
}

/// Looks at the folder.
pub(super) fn observe(folder: &Folder, significant: &[String]) -> Result<Observed, PublishError> {
    let snapshot = Snapshot {
        folder,
        documents: Mutex::default(),
    };
    let (plan, unfinished) = Plan::of_live(&snapshot, significant)?;
    let documents = snapshot.documents.into_inner().unwrap_or_default();
    let is_document = |asset: &PlannedAsset| documents.contains_key(&*asset.piece.name);
    let assets = plan
        .assets
        .into_iter()
        .filter(|asset| !is_document(asset))
        .collect();
    let documents = documents
        .into_iter()
        .map(|(name, bytes)| {
            let media_type = media_type::of(&name);
            (name, (media_type, bytes))
        })
        .collect();
    Ok(Observed {
        assets,
        documents,
        finished: unfinished.documents == 0 && !plan.tracks.is_empty(),
        target_ms: unfinished.target_ms,
        tracks: plan.tracks,
    })
}

/// SHA-256 of a document.
pub(super) fn digest(bytes: &[u8]) -> Hash {
    Hash::of(&[bytes])
}

/// The folder, but with playlists and MPDs as they were when they were first read: what is parsed has to be what the
/// head vouches for, while the packager goes on writing.
struct Snapshot<'a> {
    folder: &'a Folder,
    documents: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Source for Snapshot<'_> {
    fn base(&self) -> &Url {
        self.folder.base()
    }

    fn entries(&self) -> Result<Vec<String>, PublishError> {
        let mut entries = self.folder.entries()?;
        entries.retain(|name| is_document(name));
        Ok(entries)
    }

    fn learn(&self, _name: &str, _address: &Url) {}

    fn stamp(&self, name: &str) -> Result<Option<Stamp>, PublishError> {
        self.folder.stamp(name)
    }

    fn open(&self, name: &str, range: Option<(u64, u64)>) -> Result<Opened, PublishError> {
        if !is_document(name) || range.is_some() {
            return self.folder.open(name, range);
        }
        let mut documents = self
            .documents
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let bytes = match documents.get(name) {
            Some(bytes) => bytes.clone(),
            None => {
                let bytes = read_range(self.folder, name, None, DOCUMENT_LIMIT)?;
                documents.insert(name.to_owned(), bytes.clone());
                bytes
            }
        };
        Ok(Opened {
            bytes: Box::new(Cursor::new(bytes)),
            stamp: Stamp::default(),
        })
    }

    fn failed(&self, name: &str, error: &std::io::Error) -> PublishError {
        self.folder.failed(name, error)
    }

    fn stamps_are_cheap(&self) -> bool {
        true
    }
}

/// Longer than the playlist of a track with as many segments as a track may have.
const DOCUMENT_LIMIT: u64 = 32 << 20;
