//! From a plan to hash rows, on all cores, with one chunk per core in memory.

use std::io::Read;

use rayon::prelude::*;
use swarmseal::content::publish::ObjectHasher;

use super::PublishError;
use super::journal::{Hashed, Journal, Place};
use super::plan::{Piece, Plan, SEGMENT_LIMIT};
use super::progress::Progress;
use super::source::{Opened, Source};

/// What was hashed, in the order of the plan.
pub(crate) struct Hashes {
    pub(crate) assets: Vec<Hashed>,
    pub(crate) tracks: Vec<Vec<Hashed>>,
    /// Objects that earlier runs had hashed.
    pub(crate) reused: u64,
}

/// Hashes everything in the plan that the journal does not have.
pub(crate) fn hash_all(
    source: &dyn Source,
    plan: &Plan,
    journal: &Journal,
    progress: &dyn Progress,
    jobs: usize,
) -> Result<Hashes, PublishError> {
    let assets = plan.assets.iter().map(|asset| &asset.piece);
    let pieces: Vec<&Piece> = assets
        .chain(plan.tracks.iter().flat_map(|track| &track.pieces))
        .collect();
    progress.begin("hashing", plan.bytes(), pieces.len() as u64);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .build()
        .map_err(|error| PublishError::Option {
            option: "--jobs",
            detail: error.to_string(),
        })?;
    let task = Task {
        source,
        journal,
        progress,
    };
    let hashed: Result<Vec<(Hashed, bool)>, PublishError> =
        pool.install(|| pieces.into_par_iter().map(|piece| task.hash(piece)).collect());
    progress.end();
    let hashed = hashed?;
    let reused = hashed.iter().filter(|(_, reused)| *reused).count() as u64;
    let mut hashed = hashed.into_iter().map(|(hashed, _)| hashed);
    let assets = hashed.by_ref().take(plan.assets.len()).collect();
    let tracks = plan
        .tracks
        .iter()
        .map(|track| hashed.by_ref().take(track.pieces.len()).collect())
        .collect();
    Ok(Hashes {
        assets,
        tracks,
        reused,
    })
}

struct Task<'a> {
    source: &'a dyn Source,
    journal: &'a Journal,
    progress: &'a dyn Progress,
}

impl Task<'_> {
    fn hash(&self, piece: &Piece) -> Result<(Hashed, bool), PublishError> {
        let place: Place = (piece.name.clone(), piece.range);
        if self.journal.knows(&place)
            && let Some(stamp) = self.source.stamp(&piece.name)?
            && let Some(hashed) = self.journal.find(&place, &stamp)
        {
            self.progress.bytes(hashed.length);
            self.progress.object(true);
            return Ok((hashed, true));
        }
        let mut attempt = 1;
        let hashed = loop {
            match self.read(piece, &place) {
                // A disk that fails once will fail again, a network may not.
                Err(PublishError::Http { .. }) if attempt < ATTEMPTS => attempt += 1,
                result => break result?,
            }
        };
        self.progress.object(false);
        Ok((hashed, false))
    }

    fn read(&self, piece: &Piece, place: &Place) -> Result<Hashed, PublishError> {
        let Opened { mut bytes, stamp } = self.source.open(&piece.name, piece.range)?;
        let mut hasher = ObjectHasher::default();
        let mut buffer = vec![0; BUFFER];
        let mut length = 0;
        loop {
            let count = bytes
                .read(&mut buffer)
                .map_err(|error| self.source.failed(&piece.name, &error))?;
            if count == 0 {
                break;
            }
            length += count as u64;
            if length > SEGMENT_LIMIT {
                return Err(PublishError::SegmentTooLong {
                    name: piece.name.to_string(),
                    length,
                });
            }
            hasher.update(buffer.get(..count).unwrap_or_default());
            self.progress.bytes(count as u64);
        }
        let expected = piece.length.unwrap_or(length);
        if length != expected || self.is_other(piece, &stamp)? {
            return Err(PublishError::ChangedWhileReading {
                name: piece.name.to_string(),
                expected,
                found: length,
            });
        }
        let object = hasher.finish();
        self.journal
            .add(place.clone(), stamp, object.length, object.root, &object.row)
    }

    /// Whether a file was written while it was read. For a URL the length has to do.
    fn is_other(&self, piece: &Piece, before: &super::source::Stamp) -> Result<bool, PublishError> {
        if !self.source.stamps_are_cheap() {
            return Ok(false);
        }
        Ok(self.source.stamp(&piece.name)?.as_ref() != Some(before))
    }
}

/// Reads of this size keep a disk busy and are nothing beside the memory budget.
const BUFFER: usize = 128 << 10;
/// How often a network fetch is tried.
const ATTEMPTS: u32 = 3;
