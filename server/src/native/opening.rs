//! What a peer reads of a content before it joins: the manifest, and where every segment is.

use swarmseal::content::cose::MAX_SEALED;
use swarmseal::content::{Catalog, ObjectId, PAGE_RECORDS, TrackId, page_count};
use url::Url;

use super::peer::PeerError;
use crate::publisher::source::{HttpSource, read_range};

/// Reads and verifies index and names of every track, so that each segment has a path from the beginning.
pub(super) async fn with_indexes(
    agent: ureq::Agent,
    manifest: Url,
    mut catalog: Catalog,
) -> Result<Catalog, PeerError> {
    let unreadable = |error: &dyn std::fmt::Display| PeerError::Unreadable(error.to_string());
    let read = tokio::task::spawn_blocking(move || {
        let source = HttpSource::open_by(agent, &manifest, None).map_err(|error| unreadable(&error))?;
        let tracks: Vec<(TrackId, u32)> = catalog.tracks().map(|track| (track.id, track.segments)).collect();
        for (track, segments) in tracks {
            for page in 0..page_count(segments) {
                let first = ObjectId::new(track, page * PAGE_RECORDS);
                while let Some(sheet) = catalog.sheet_for(first) {
                    let place = catalog.sheet_location(&sheet).ok_or(PeerError::Index)?;
                    let length = place.range.map_or(0, |(_, length)| length);
                    let bytes = read_range(&source, &place.path, place.range, length)
                        .map_err(|error| unreadable(&error))?;
                    catalog
                        .accept_sheet(&sheet, &bytes)
                        .map_err(|_| PeerError::Index)?;
                }
            }
        }
        Ok(catalog)
    });
    read.await
        .unwrap_or_else(|error| Err(PeerError::Unreadable(error.to_string())))
}

/// The sealed manifest, as it is.
pub(super) async fn fetch_sealed(agent: ureq::Agent, url: Url) -> Result<Vec<u8>, PeerError> {
    let limit = u64::try_from(MAX_SEALED).unwrap_or(u64::MAX);
    let fetched = tokio::task::spawn_blocking(move || {
        let answer = agent.get(url.as_str()).call()?;
        let status = answer.status();
        if !status.is_success() {
            return Err(ureq::Error::StatusCode(status.as_u16()));
        }
        answer.into_body().into_with_config().limit(limit).read_to_vec()
    });
    match fetched.await {
        Ok(Ok(sealed)) => Ok(sealed),
        Ok(Err(error)) => Err(PeerError::Unreadable(error.to_string())),
        Err(error) => Err(PeerError::Unreadable(error.to_string())),
    }
}
