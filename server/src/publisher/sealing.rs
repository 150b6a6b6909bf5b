//! From hash rows to a published folder: track files first, the signed manifest last.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use swarmseal::content::publish::{BuiltFile, IndexBuilder, NamesBuilder, NewSegment, RowsWriter};
use swarmseal::content::{
    Asset, Class, ContentId, Hash, IndexFile, Manifest, Names, PublicKey, RowsFile, SecretKey, SwarmSecret,
    Track, TrackId, TrackKind,
};

use super::hashing::{self, Hashes};
use super::journal::{self, Journal};
use super::naming::{self, Naming};
use super::plan::{Kind, Piece, Plan, PlannedTrack};
use super::progress::Progress;
use super::source::Source;
use super::{PublishError, output, previous, track_numbers};

/// What a publisher decides.
pub struct Options {
    /// Signs the manifest.
    pub key: SecretKey,
    /// Folder for the manifest and `seal/`.
    pub out: PathBuf,
    /// Identity of a new content; otherwise random, or that of the version before.
    pub content_id: Option<ContentId>,
    /// Seconds for which the manifest is valid.
    pub valid_for_s: u64,
    /// Whether a publisher or a user has made it. `None`: as in the version before.
    pub class: Option<Class>,
    /// An operator's sealed endorsement of what a user has made. `None`: as in the version before.
    pub endorsement: Option<Vec<u8>>,
    /// Query parameters that are part of a name. `None`: as in the version before.
    pub significant_query: Option<Vec<String>>,
    /// Keys of trackers that may admit peers. `None`: as in the version before.
    pub tracker_keys: Option<Vec<PublicKey>>,
    /// Objects hashed at the same time.
    pub jobs: usize,
    /// Do not use what earlier runs hashed.
    pub rehash: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Published {
    /// The manifest as signed.
    pub manifest: Manifest,
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes of the sealed manifest.
    pub sealed_len: usize,
    /// Tracks that are the same as in the version before, files included.
    pub unchanged_tracks: usize,
    /// Objects in all, and those that earlier runs had hashed.
    pub objects: u64,
    /// See `objects`.
    pub reused: u64,
    /// Media bytes listed.
    pub bytes: u64,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Publishes a source, or a new version of it.
pub fn publish(
    source: &dyn Source,
    options: &Options,
    now_unix_s: u64,
    progress: &dyn Progress,
) -> Result<Published, PublishError> {
    let state = options.out.join(SEAL).join(journal::FOLDER);
    std::fs::create_dir_all(&state).map_err(|error| PublishError::file(&state, error))?;
    let _lock = lock(&state)?;
    let previous = previous::read(&options.out.join(MANIFEST), &options.key.public())?;
    let draft = begin(options, previous.as_ref(), now_unix_s)?;

    let plan = Plan::make(source, &draft.significant_query)?;
    if plan.objects() == 0 {
        return Err(PublishError::Nothing {
            place: options.out.display().to_string(),
        });
    }
    let journal_path = state.join(journal::FILE);
    if options.rehash {
        remove(&journal_path)?;
    }
    let journal = Journal::open(journal_path)?;
    let hashes = hashing::hash_all(source, &plan, &journal, progress, options.jobs)?;
    seal(options, plan, &hashes, &journal, previous.as_ref(), draft, None)
}

/// Publishes what is hashed already. `numbers` are those of the plan's tracks, if something has named them before.
pub(super) fn seal(
    options: &Options,
    plan: Plan,
    hashes: &Hashes,
    journal: &Journal,
    previous: Option<&previous::Previous>,
    mut draft: Manifest,
    numbers: Option<Vec<TrackId>>,
) -> Result<Published, PublishError> {
    let state = options.out.join(SEAL).join(journal::FOLDER);
    let path = options.out.join(MANIFEST);
    draft.assets = assets(&plan, hashes);
    let old = previous.map(|previous| &previous.manifest);
    let mut tracks = TrackFiles {
        out: &options.out,
        journal,
        version: draft.version,
        old,
        unchanged: 0,
    };
    let built = plan
        .tracks
        .iter()
        .zip(&hashes.tracks)
        .map(|(track, hashed)| BuiltTrack::new(track, hashed));
    let built = built.collect::<Result<Vec<_>, _>>()?;
    let numbers = match numbers {
        Some(numbers) => numbers,
        None => track_numbers::assign(&state, &built, old)?,
    };
    for (track, id) in built.iter().zip(&numbers) {
        draft.tracks.push(tracks.write(track, *id)?);
    }
    draft.tracks.sort_by_key(|track| track.id);
    let unchanged_tracks = tracks.unchanged;

    let sealed = draft.sign(&options.key).map_err(|error| match error {
        // Everything else was checked while planning.
        _ if draft.encode().len() > SEALED_LIMIT => PublishError::TooMuch {
            what: format!(
                "the manifest would be {} bytes long; the limit is {SEALED_LIMIT}",
                draft.encode().len()
            ),
        },
        error => PublishError::Content(error.to_string()),
    })?;
    track_numbers::remember(&state, &built, &numbers)?;
    output::write_bytes(&path, &sealed)?;
    remove_unreferenced(&options.out, &draft, old)?;
    let used: BTreeSet<_> = all_pieces(&plan)
        .map(|piece| (piece.name.clone(), piece.range))
        .collect();
    journal.compact(|place| used.contains(place))?;

    let bytes = hashes
        .assets
        .iter()
        .chain(hashes.tracks.iter().flatten())
        .map(|hashed| hashed.length)
        .sum();
    Ok(Published {
        path,
        sealed_len: sealed.len(),
        unchanged_tracks,
        objects: plan.objects() as u64,
        reused: hashes.reused,
        bytes,
        notes: plan.notes,
        manifest: draft,
    })
}

/// A manifest without assets and tracks: either a new content or the next version of one.
pub(super) fn begin(
    options: &Options,
    previous: Option<&previous::Previous>,
    now_unix_s: u64,
) -> Result<Manifest, PublishError> {
    let old = previous.map(|previous| &previous.manifest);
    let (content_id, swarm_secret) = match (old, options.content_id) {
        (Some(old), Some(wanted)) if wanted != old.content_id => {
            return Err(PublishError::Option {
                option: "--content-id",
                detail: format!("the folder is content {} already", old.content_id),
            });
        }
        (Some(old), _) => (old.content_id, old.swarm_secret.clone()),
        (None, Some(wanted)) => (wanted, SwarmSecret(random()?)),
        (None, None) => (ContentId(random()?), SwarmSecret(random()?)),
    };
    // Never before the last one, should the clock of this machine have been put back.
    let issued = old.map_or(now_unix_s, |old| old.issued.max(now_unix_s));
    let kept = |given: &Option<Vec<String>>, old: Option<&Vec<String>>| match given {
        Some(given) => given.clone(),
        None => old.cloned().unwrap_or_default(),
    };
    Ok(Manifest {
        version: old.map_or(1, |old| old.version + 1),
        previous: previous.map(|previous| previous.hash),
        class: options
            .class
            .or(old.map(|old| old.class))
            .unwrap_or(Class::Publisher),
        endorsement: options
            .endorsement
            .clone()
            .or_else(|| old.and_then(|old| old.endorsement.clone())),
        significant_query: kept(&options.significant_query, old.map(|old| &old.significant_query)),
        tracker_keys: match &options.tracker_keys {
            Some(keys) => keys.clone(),
            None => old.map(|old| old.tracker_keys.clone()).unwrap_or_default(),
        },
        ..Manifest::new(
            content_id,
            swarm_secret,
            issued..issued.saturating_add(options.valid_for_s),
        )
    })
}

fn assets(plan: &Plan, hashes: &Hashes) -> Vec<Asset> {
    let asset = |(planned, hashed): (&super::plan::PlannedAsset, &journal::Hashed)| Asset {
        path: planned.piece.name.to_string(),
        range: planned.piece.range,
        length: hashed.length,
        root: hashed.root,
        media_type: planned.media_type.clone(),
    };
    plan.assets.iter().zip(&hashes.assets).map(asset).collect()
}

/// A track whose index and names are made.
pub(super) struct BuiltTrack<'a> {
    pub(super) planned: &'a PlannedTrack,
    hashed: &'a [journal::Hashed],
    pub(super) index: BuiltFile,
    naming: Naming,
    table: Option<BuiltFile>,
}

impl<'a> BuiltTrack<'a> {
    fn new(planned: &'a PlannedTrack, hashed: &'a [journal::Hashed]) -> Result<Self, PublishError> {
        let refused = |error: swarmseal::content::publish::BuildError, piece: &Piece| PublishError::TooMuch {
            what: format!("{}: {error}", piece.name),
        };
        let mut index = IndexBuilder::default();
        for (piece, hashed) in planned.pieces.iter().zip(hashed) {
            let segment = NewSegment {
                root: hashed.root,
                length: hashed.length,
                offset: piece.range.map_or(0, |(offset, _)| offset),
                media_start: piece.start,
                duration: piece.duration,
            };
            index.push(&segment).map_err(|error| refused(error, piece))?;
        }
        let naming = naming::find(&planned.pieces, planned.ranged);
        let mut table = None;
        if naming == Naming::Table {
            let mut names = NamesBuilder::default();
            for piece in &planned.pieces {
                names.push(&piece.name).map_err(|error| refused(error, piece))?;
            }
            table = Some(names.finish());
        }
        Ok(Self {
            planned,
            hashed,
            index: index.finish(),
            naming,
            table,
        })
    }

    /// Whether a track of the version before says the same of the same bytes.
    pub(super) fn is_same(&self, old: &Track) -> bool {
        let same_names = match (&self.naming, &self.table, &old.names) {
            (
                Naming::Template {
                    pattern,
                    start_number,
                },
                _,
                Names::Template {
                    pattern: other,
                    start_number: first,
                },
            ) => pattern == other && start_number == first,
            (Naming::Single { name }, _, Names::Single { path }) => name == path,
            (Naming::Table, Some(table), Names::Table { root, .. }) => table.root == *root,
            _ => false,
        };
        let planned = self.planned;
        same_names
            && old.index.root == self.index.root
            && old.segments == self.index.segments
            && old.timescale == planned.timescale
            && old.ranged == planned.ranged
            && old.media_type == planned.media_type
            && old.kind == kind(planned.kind)
    }
}

/// Writes the files of tracks. A file that the manifest before names is not changed, since viewers may be using it.
struct TrackFiles<'a> {
    out: &'a Path,
    journal: &'a Journal,
    version: u64,
    old: Option<&'a Manifest>,
    unchanged: usize,
}

impl TrackFiles<'_> {
    fn write(&mut self, built: &BuiltTrack<'_>, id: TrackId) -> Result<Track, PublishError> {
        let old = self
            .old
            .and_then(|old| old.track(id))
            .filter(|old| built.is_same(old));
        let mut index = self.new_path(id, "index");
        let mut rows = self.new_path(id, "rows");
        let mut names = self.new_path(id, "names");
        if let Some(old) = old {
            self.unchanged += 1;
            index.clone_from(&old.index.path);
            rows.clone_from(&old.rows.path);
            if let Names::Table { path, .. } = &old.names {
                names.clone_from(path);
            }
        }
        output::write_bytes(&self.out.join(&index), &built.index.bytes)?;
        output::write_file(&self.out.join(&rows), |writer| self.write_rows(built, writer))?;
        let names = match (&built.naming, &built.table) {
            (
                Naming::Template {
                    pattern,
                    start_number,
                },
                _,
            ) => Names::Template {
                pattern: pattern.clone(),
                start_number: *start_number,
            },
            (Naming::Single { name }, _) => Names::Single { path: name.clone() },
            (Naming::Table, table) => {
                let (bytes, root) = table
                    .as_ref()
                    .map_or((&[] as &[u8], Hash([0; 32])), |table| (&table.bytes, table.root));
                output::write_bytes(&self.out.join(&names), bytes)?;
                Names::Table { path: names, root }
            }
        };
        Ok(Track {
            id,
            kind: kind(built.planned.kind),
            media_type: built.planned.media_type.clone(),
            timescale: built.planned.timescale,
            segments: built.index.segments,
            bitrate: built.planned.bitrate,
            index: IndexFile {
                path: index,
                root: built.index.root,
            },
            rows: RowsFile { path: rows },
            names,
            ranged: built.planned.ranged,
        })
    }

    fn write_rows(&self, built: &BuiltTrack<'_>, writer: &mut BufWriter<File>) -> Result<(), PublishError> {
        let mut rows = RowsWriter::new(writer);
        let failed = |error| PublishError::file(self.out.join(SEAL), error);
        for hashed in built.hashed {
            rows.push(&self.journal.row(hashed)?).map_err(failed)?;
        }
        rows.finish().map(drop).map_err(failed)
    }

    /// `seal/track-N.index`, or with the version in it if the manifest before uses that name.
    fn new_path(&self, id: TrackId, ending: &str) -> String {
        let plain = format!("{SEAL}/track-{id}.{ending}");
        let is_taken = self
            .old
            .is_some_and(|old| track_paths(old).any(|path| path == plain));
        if is_taken {
            format!("{SEAL}/track-{id}.v{}.{ending}", self.version)
        } else {
            plain
        }
    }
}

/// Removes track files that neither this manifest nor the one before names.
fn remove_unreferenced(out: &Path, new: &Manifest, old: Option<&Manifest>) -> Result<(), PublishError> {
    let used: BTreeSet<PathBuf> = track_paths(new)
        .chain(old.into_iter().flat_map(track_paths))
        .map(|path| out.join(path))
        .collect();
    let seal = out.join(SEAL);
    let failed = |error| PublishError::file(&seal, error);
    for entry in std::fs::read_dir(&seal).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = name.trim_start_matches('.').starts_with("track-");
        let ending = name
            .trim_end_matches(".new")
            .rsplit('.')
            .next()
            .is_some_and(|ending| ["index", "rows", "names"].contains(&ending));
        if ours && ending && !used.contains(&path) {
            remove(&path)?;
        }
    }
    Ok(())
}

fn track_paths(manifest: &Manifest) -> impl Iterator<Item = &str> {
    manifest.tracks.iter().flat_map(|track| {
        let names = match &track.names {
            Names::Table { path, .. } => Some(path.as_str()),
            _ => None,
        };
        [track.index.path.as_str(), track.rows.path.as_str()]
            .into_iter()
            .chain(names)
    })
}

fn all_pieces(plan: &Plan) -> impl Iterator<Item = &Piece> {
    plan.assets
        .iter()
        .map(|asset| &asset.piece)
        .chain(plan.tracks.iter().flat_map(|track| &track.pieces))
}

fn kind(kind: Kind) -> TrackKind {
    match kind {
        Kind::Video => TrackKind::Video,
        Kind::Audio => TrackKind::Audio,
        Kind::Text => TrackKind::Text,
        Kind::Files => TrackKind::Files,
    }
}

fn random<const N: usize>() -> Result<[u8; N], PublishError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| PublishError::Content(format!("the system gives no random bytes: {error}")))?;
    Ok(bytes)
}

fn remove(path: &Path) -> Result<(), PublishError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(PublishError::file(path, error)),
        _ => Ok(()),
    }
}

/// Two runs on one folder would write over each other. The lock ends with the process, however it ends.
pub(super) fn lock(state: &Path) -> Result<File, PublishError> {
    let path = state.join("lock");
    let file = File::create(&path).map_err(|error| PublishError::file(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(PublishError::Busy {
            path: state.display().to_string(),
        }),
        Err(std::fs::TryLockError::Error(error)) => Err(PublishError::file(&path, error)),
    }
}

/// Name of the signed manifest in a published folder.
pub const MANIFEST: &str = "content.seal";
/// Where a publisher states that this version is the newest one.
pub const STATEMENT: &str = "content.fresh";
/// Folder of indexes, rows and names beside it.
pub(crate) const SEAL: &str = "seal";
/// COSE_Sign1 with its headers, see `cose::MAX_SEALED`.
const SEALED_LIMIT: usize = swarmseal::content::cose::MAX_SEALED;
