//! The indexes of the contents that are served: what announcers are checked against. No media is read.

use swarmseal::content::{Catalog, Hash, Sheet, TrackId, VerifiedManifest, page_count};
use swarmseal_tracker::Roots;

use crate::publisher::source::{Source, read_range};

/// Why the index of a content cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IndexError {
    #[error("an index file cannot be read: {0}")]
    Unreadable(String),
    #[error("an index file is not what the manifest signs")]
    Altered,
}

/// Reads and verifies the indexes of all tracks.
pub(super) fn load(source: &dyn Source, manifest: VerifiedManifest) -> Result<Roots, IndexError> {
    let mut catalog = Catalog::new(manifest);
    let tracks: Vec<(TrackId, String, u32)> = catalog
        .tracks()
        .map(|track| (track.id, track.index.path.clone(), track.segments))
        .collect();
    for (track, path, segments) in tracks {
        let pages = page_count(segments);
        let length = u64::from(pages) * Hash::LEN as u64
            + u64::from(segments) * u64::from(swarmseal::content::RECORD_LEN);
        let file = read_range(source, &path, None, length)
            .map_err(|error| IndexError::Unreadable(error.to_string()))?;
        for page in 0..pages {
            let sheet = match page {
                0 => Sheet::IndexHead(track),
                _ => Sheet::IndexPage(track, page),
            };
            take(&mut catalog, &sheet, &file).ok_or(IndexError::Altered)?;
        }
    }
    Ok(Roots::of(&catalog))
}

fn take(catalog: &mut Catalog, sheet: &Sheet, file: &[u8]) -> Option<()> {
    let (first, length) = catalog.sheet_location(sheet)?.range?;
    let first = usize::try_from(first).ok()?;
    let bytes = file.get(first..first.checked_add(usize::try_from(length).ok()?)?)?;
    catalog.accept_sheet(sheet, bytes).ok()
}
