//! Which number a track has. Numbers stay with their tracks over versions, so that unchanged tracks keep their files
//! and peers on different versions can go on exchanging them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use swarmseal::content::{MAX_TRACK, Manifest, TrackId};

use super::sealing::BuiltTrack;
use super::{PublishError, output};

/// Numbers by what tracks were made from. Lost without harm: then only unchanged tracks keep theirs.
#[derive(Default, Serialize, Deserialize)]
struct Remembered {
    tracks: BTreeMap<String, TrackId>,
}

/// A number for every track.
pub(super) fn assign(
    state: &Path,
    tracks: &[BuiltTrack<'_>],
    old: Option<&Manifest>,
) -> Result<Vec<TrackId>, PublishError> {
    let remembered = std::fs::read(state.join(FILE))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Remembered>(&bytes).ok())
        .unwrap_or_default();
    let old_tracks = old.map(|old| old.tracks.as_slice()).unwrap_or_default();
    let mut taken = BTreeSet::new();
    let mut numbers: Vec<Option<TrackId>> = vec![None; tracks.len()];
    for (track, number) in tracks.iter().zip(&mut numbers) {
        let same = old_tracks
            .iter()
            .find(|old| track.is_same(old) && !taken.contains(&old.id));
        *number = same.map(|old| old.id).filter(|id| taken.insert(*id));
    }
    for (track, number) in tracks
        .iter()
        .zip(&mut numbers)
        .filter(|(_, number)| number.is_none())
    {
        let known = remembered.tracks.get(&track.planned.key).copied();
        *number = known.filter(|id| id.0 > 0 && id.0 <= MAX_TRACK && taken.insert(*id));
    }
    // A number that another track has just left is used last.
    let old_numbers: BTreeSet<TrackId> = old_tracks.iter().map(|old| old.id).collect();
    let all = (1..=MAX_TRACK).map(TrackId);
    let mut fresh = all.clone().filter(|id| !old_numbers.contains(id)).chain(all);
    numbers
        .into_iter()
        .map(|number| {
            number
                .or_else(|| fresh.find(|id| taken.insert(*id)))
                .ok_or_else(|| PublishError::TooMuch {
                    what: format!("there are more than {MAX_TRACK} tracks"),
                })
        })
        .collect()
}

/// Keeps the numbers for the next version.
pub(super) fn remember(
    state: &Path,
    tracks: &[BuiltTrack<'_>],
    numbers: &[TrackId],
) -> Result<(), PublishError> {
    let keys = tracks.iter().map(|track| track.planned.key.clone());
    let remembered = Remembered {
        tracks: keys.zip(numbers.iter().copied()).collect(),
    };
    let path = state.join(FILE);
    let bytes =
        serde_json::to_vec_pretty(&remembered).map_err(|error| PublishError::file(&path, error.into()))?;
    output::write_bytes(&path, &bytes).map(drop)
}

const FILE: &str = "tracks.json";
