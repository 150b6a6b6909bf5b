//! Checks a published content completely: signature, every index page, every name, every row, every byte.
//!
//! The index is read through the same [`Catalog`] that peers use; rows and media are compared here, chunk by chunk, so
//! that the first difference can be named.

use std::io::Read;

use rayon::prelude::*;
use swarmseal::content::live::LiveSlot;
use swarmseal::content::publish::ObjectHasher;
use swarmseal::content::{
    Catalog, ContentId, Freshness, Grade, Hash, Location, ObjectId, OfflineTime, PublicKey, RollbackMemory,
    Sheet, TrackId, Trust, TrustError, VerifiedManifest, chunk_count, tree,
};

use super::progress::Progress;
use super::sealing::STATEMENT;
use super::source::{Opened, Source, read_range};
use super::{PublishError, live};

/// What a check expects.
pub struct Expected {
    /// Keys of which one must have signed.
    pub keys: Vec<PublicKey>,
    /// Keys of users that may have signed instead, what is endorsed by one of `endorsers`.
    pub makers: Vec<PublicKey>,
    /// Operators whose endorsements count.
    pub endorsers: Vec<PublicKey>,
    /// For whoever is about to endorse it: user-made content is checked without an endorsement.
    pub before_endorsement: bool,
    /// What was seen before: what is older than that is refused.
    pub memory: RollbackMemory,
    /// The content it must be, if that is known.
    pub content: Option<ContentId>,
    /// What the clock says, in seconds since 1970.
    pub now_unix_s: u64,
    /// How many seconds it is off at most, if somebody answers for that: without, nothing is graded as fresh.
    pub clock_within_s: Option<u32>,
    /// Objects read at the same time.
    pub jobs: usize,
}

/// Why a check ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Something could not be read.
    #[error(transparent)]
    Read(#[from] PublishError),
    /// The manifest is not to be trusted.
    #[error("{name}: {detail}")]
    Untrusted {
        /// Name of the manifest.
        name: String,
        /// Code of the rule.
        code: &'static str,
        /// The rule.
        detail: String,
    },
    /// The first thing that is not what the manifest says.
    #[error("{0}")]
    Mismatch(Mismatch),
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The file in which it is.
    pub file: String,
    /// Offset and length of the object in the file, if it is not all of it.
    pub range: Option<(u64, u64)>,
    /// The 16 KiB chunk of the object, counted from 0, if it is in one.
    pub chunk: Option<u32>,
    /// What the manifest says.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((offset, length)) = self.range {
            write!(f, ", bytes {offset} to {}", (offset + length).saturating_sub(1))?;
        }
        if let Some(chunk) = self.chunk {
            write!(f, ", chunk {chunk}")?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)
    }
}

/// What was checked.
#[derive(Clone, Debug)]
pub struct Report {
    /// The manifest.
    pub manifest: VerifiedManifest,
    /// How fresh it is, as far as that can be told without asking anybody.
    pub freshness: FreshnessReport,
    /// What has been seen now, for the next time.
    pub memory: RollbackMemory,
    /// Segments and assets.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their chunks.
    pub chunks: u64,
    /// Files of a folder that the manifest does not list.
    pub unlisted: Vec<String>,
    /// Set for a content that is live.
    pub live: Option<LiveReport>,
}

/// How fresh a manifest is, and why it is not fresher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreshnessReport {
    /// The grade; never [`Grade::Expired`], which is refused.
    pub grade: Grade,
    /// What is known of the publisher's statement.
    pub statement: StatementFound,
}

/// The publisher's statement beside the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementFound {
    /// There is none.
    None,
    /// It is refused, with this code, and counts for nothing.
    Refused(&'static str),
    /// It is good until then, Unix time in seconds; of this version or another.
    Until(u64),
}

/// What was found of a live content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveReport {
    /// Session of the newest head.
    pub session: u64,
    /// Its logs.
    pub log: u64,
    /// Its sequence.
    pub sequence: u64,
    /// When it was issued, Unix time in milliseconds.
    pub issued_ms: u64,
    /// Segments in all logs.
    pub segments: u64,
    /// Those of them that are not there, because they are gaps or the packager has deleted them.
    pub gone: u64,
    /// The end of the stream is signed.
    pub end: bool,
}

/// Checks the content whose manifest has the given name in the source.
pub fn verify(
    source: &dyn Source,
    manifest_name: &str,
    expected: &Expected,
    progress: &dyn Progress,
) -> Result<Report, VerifyError> {
    let sealed = read_range(source, manifest_name, None, MANIFEST_LIMIT)?;
    let mut trust = Trust::new(
        expected.keys.clone(),
        expected.content,
        manifest_name,
        expected.memory.clone(),
    )
    .with_user_made(&expected.makers, expected.endorsers.clone());
    if expected.before_endorsement {
        trust = trust.before_endorsement();
    }
    let (statement, found) = read_statement(source, expected)?;
    let time = OfflineTime {
        clock_unix_s: expected.now_unix_s,
        within_s: expected.clock_within_s,
    };
    let (manifest, grade) = trust
        .verify_offline(&sealed, statement.as_ref(), time)
        .and_then(|(manifest, grade)| {
            // Here a clock that may be wrong may well refuse: nothing is lost by looking at it.
            let now = expected.now_unix_s;
            let is_past = now.saturating_sub(EXPIRY_GRACE_S) > manifest.manifest().expires;
            if is_past {
                Err(TrustError::Expired)
            } else {
                Ok((manifest, grade))
            }
        })
        .map_err(|error| VerifyError::Untrusted {
            name: manifest_name.to_owned(),
            code: error.code(),
            detail: error.to_string(),
        })?;
    let freshness = FreshnessReport {
        grade,
        statement: found,
    };
    let slot = LiveSlot::of(manifest.manifest()).map_err(|error| PublishError::Content(error.to_string()))?;
    if let Some(slot) = slot {
        let (live, [objects, bytes, chunks]) = live::check(source, &manifest, &slot, expected.now_unix_s)?;
        return Ok(Report {
            manifest,
            freshness,
            memory: trust.memory().clone(),
            objects,
            bytes,
            chunks,
            unlisted: Vec::new(),
            live: Some(live),
        });
    }
    let mut catalog = Catalog::new(manifest.clone());
    load_sheets(source, &mut catalog)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(expected.jobs)
        .build()
        .map_err(|error| PublishError::Option {
            option: "--jobs",
            detail: error.to_string(),
        })?;
    let check = Check {
        source,
        catalog: &catalog,
        progress,
    };
    let counts = pool.install(|| check.all())?;
    progress.end();
    let unlisted = check.unlisted(manifest_name)?;
    Ok(Report {
        manifest,
        freshness,
        memory: trust.memory().clone(),
        objects: counts.objects,
        bytes: counts.bytes,
        chunks: counts.chunks,
        unlisted,
        live: None,
    })
}

/// The publisher's statement that the manifest is the newest one, if it is there and good.
fn read_statement(
    source: &dyn Source,
    expected: &Expected,
) -> Result<(Option<Freshness>, StatementFound), VerifyError> {
    if source.stamp(STATEMENT)?.is_none() {
        return Ok((None, StatementFound::None));
    }
    let sealed = read_range(source, STATEMENT, None, MANIFEST_LIMIT)?;
    let keys = [expected.keys.as_slice(), &expected.makers].concat();
    Ok(match Freshness::verify(&sealed, &keys) {
        Ok(statement) => (Some(statement), StatementFound::Until(statement.until)),
        Err(error) => (None, StatementFound::Refused(error.code())),
    })
}

/// Loads index and names of all tracks.
fn load_sheets(source: &dyn Source, catalog: &mut Catalog) -> Result<(), VerifyError> {
    let tracks: Vec<(TrackId, u32)> = catalog
        .manifest()
        .tracks
        .iter()
        .map(|track| (track.id, track.segments))
        .collect();
    for (track, segments) in tracks {
        for index in 0..segments {
            while let Some(sheet) = catalog.sheet_for(ObjectId::new(track, index)) {
                load_sheet(source, catalog, &sheet)?;
            }
        }
    }
    Ok(())
}

fn load_sheet(source: &dyn Source, catalog: &mut Catalog, sheet: &Sheet) -> Result<(), VerifyError> {
    let unknown = || PublishError::Content("a sheet has no place".to_owned());
    let Location { path, range } = catalog.sheet_location(sheet).ok_or_else(unknown)?;
    if source.stamp(&path)?.is_none() {
        return Err(missing(&path, range));
    }
    let limit = range.map_or(MANIFEST_LIMIT, |(_, length)| length);
    let bytes = read_range(source, &path, range, limit)?;
    catalog.accept_sheet(sheet, &bytes).map_err(|error| {
        let (expected, found) = match error {
            swarmseal::content::SheetError::WrongLength { expected, found } => {
                (format!("{expected} bytes"), format!("{found}"))
            }
            error => (
                "what the manifest signs".to_owned(),
                format!("other bytes ({error})"),
            ),
        };
        VerifyError::Mismatch(Mismatch {
            file: path,
            range,
            chunk: None,
            expected,
            found,
        })
    })
}

fn missing(file: &str, range: Option<(u64, u64)>) -> VerifyError {
    VerifyError::Mismatch(Mismatch {
        file: file.to_owned(),
        range,
        chunk: None,
        expected: "a file".to_owned(),
        found: "none".to_owned(),
    })
}

#[derive(Clone, Copy, Default)]
struct Counts {
    objects: u64,
    bytes: u64,
    chunks: u64,
}

struct Check<'a> {
    source: &'a dyn Source,
    catalog: &'a Catalog,
    progress: &'a dyn Progress,
}

/// An object to be compared.
struct Target {
    id: ObjectId,
    location: Location,
    length: u64,
    root: Hash,
    /// Leaf hashes, if a rows file gave them.
    row: Option<Vec<Hash>>,
}

impl Check<'_> {
    fn all(&self) -> Result<Counts, VerifyError> {
        let manifest = self.catalog.manifest();
        let mut counts = Counts::default();
        let mut objects: Vec<ObjectId> = (0..manifest.assets.len() as u32)
            .map(|index| ObjectId::new(TrackId::ASSETS, index))
            .collect();
        for track in &manifest.tracks {
            objects.extend((0..track.segments).map(|index| ObjectId::new(track.id, index)));
        }
        for info in objects.iter().filter_map(|id| self.catalog.object(*id)) {
            counts.objects += 1;
            counts.bytes += info.length;
            counts.chunks += u64::from(info.chunks);
        }
        self.progress.begin("checking", counts.bytes, counts.objects);
        let assets = (0..manifest.assets.len() as u32)
            .map(|index| self.target(ObjectId::new(TrackId::ASSETS, index)))
            .collect::<Result<Vec<_>, _>>()?;
        self.compare(assets)?;
        for track in &manifest.tracks {
            let mut rows = Rows::open(self.source, &track.rows.path)?;
            let mut first = 0;
            while first < track.segments {
                let end = track.segments.min(first + BATCH);
                let mut batch = Vec::with_capacity(BATCH as usize);
                for index in first..end {
                    let mut target = self.target(ObjectId::new(track.id, index))?;
                    target.row = Some(rows.next(&target)?);
                    batch.push(target);
                }
                self.compare(batch)?;
                first = end;
            }
            rows.finish()?;
        }
        Ok(counts)
    }

    fn target(&self, id: ObjectId) -> Result<Target, VerifyError> {
        let unknown = || PublishError::Content(format!("object {id} has no place"));
        let info = self.catalog.object(id).ok_or_else(unknown)?;
        let location = self.catalog.location(id).ok_or_else(unknown)?;
        Ok(Target {
            id,
            location,
            length: info.length,
            root: info.root,
            row: None,
        })
    }

    /// Compares all, and gives the difference that comes first in the content, whichever was found first.
    fn compare(&self, targets: Vec<Target>) -> Result<(), VerifyError> {
        match targets
            .par_iter()
            .find_map_first(|target| self.object(target).err())
        {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn object(&self, target: &Target) -> Result<(), VerifyError> {
        let Location { path, range } = &target.location;
        let mut opened = match self.open(path, *range)? {
            Some(opened) => opened,
            None => return Err(missing(path, *range)),
        };
        let mut hasher = ObjectHasher::default();
        let mut buffer = vec![0; BUFFER];
        let mut length = 0;
        loop {
            let count = opened
                .bytes
                .read(&mut buffer)
                .map_err(|error| self.source.failed(path, &error))?;
            length += count as u64;
            // More bytes than expected are a difference already; how many more does not matter.
            if count == 0 || length > target.length {
                break;
            }
            hasher.update(buffer.get(..count).unwrap_or_default());
            self.progress.bytes(count as u64);
        }
        self.progress.object(false);
        let mismatch = |chunk: Option<u32>, expected: String, found: String| {
            VerifyError::Mismatch(Mismatch {
                file: path.clone(),
                range: *range,
                chunk,
                expected,
                found,
            })
        };
        if length > target.length {
            return Err(mismatch(
                None,
                format!("{} bytes", target.length),
                "more".to_owned(),
            ));
        }
        let object = hasher.finish();
        if let Some(row) = &target.row {
            let differing = row
                .iter()
                .zip(&object.row)
                .zip(0..)
                .find(|((expected, found), _)| expected != found);
            // The last chunk of a cut file differs too, but what is wrong with it is its length.
            if let Some(((expected, found), chunk)) = differing
                && (length == target.length || chunk + 1 < chunk_count(length))
            {
                return Err(mismatch(Some(chunk), expected.to_string(), found.to_string()));
            }
        }
        if length != target.length {
            return Err(mismatch(
                None,
                format!("{} bytes", target.length),
                length.to_string(),
            ));
        }
        if object.root != target.root {
            let chunk = (object.row.len() == 1).then_some(0);
            return Err(mismatch(
                chunk,
                format!("root {}", target.root),
                format!("{}", object.root),
            ));
        }
        Ok(())
    }

    fn open(&self, path: &str, range: Option<(u64, u64)>) -> Result<Option<Opened>, VerifyError> {
        match self.source.open(path, range) {
            Ok(opened) => Ok(Some(opened)),
            Err(error) => match self.source.stamp(path) {
                Ok(None) => Ok(None),
                _ => Err(error.into()),
            },
        }
    }

    /// Files that somebody may have forgotten to publish.
    fn unlisted(&self, manifest_name: &str) -> Result<Vec<String>, VerifyError> {
        if !self.source.stamps_are_cheap() {
            return Ok(Vec::new());
        }
        let manifest = self.catalog.manifest();
        let assets = (0..manifest.assets.len() as u32).map(|index| ObjectId::new(TrackId::ASSETS, index));
        let segments = manifest
            .tracks
            .iter()
            .flat_map(|track| (0..track.segments).map(|index| ObjectId::new(track.id, index)));
        let listed: std::collections::HashSet<String> = assets
            .chain(segments)
            .filter_map(|id| self.catalog.location(id))
            .map(|location| location.path.split('?').next().unwrap_or_default().to_owned())
            .collect();
        let entries = self.source.entries()?;
        Ok(entries
            .into_iter()
            .filter(|name| !listed.contains(name) && name != manifest_name && name != STATEMENT)
            .collect())
    }
}

/// A rows file, read from its beginning.
struct Rows<'a> {
    source: &'a dyn Source,
    path: &'a str,
    bytes: Box<dyn Read + Send>,
}

impl<'a> Rows<'a> {
    fn open(source: &'a dyn Source, path: &'a str) -> Result<Self, VerifyError> {
        if source.stamp(path)?.is_none() {
            return Err(missing(path, None));
        }
        Ok(Self {
            source,
            path,
            bytes: Box::new(std::io::BufReader::new(source.open(path, None)?.bytes)),
        })
    }

    /// The next row, which has to give the root of its segment.
    fn next(&mut self, target: &Target) -> Result<Vec<Hash>, VerifyError> {
        let mut bytes = vec![0; chunk_count(target.length) as usize * Hash::LEN];
        match self.bytes.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(self.mismatch(target, "end of the file".to_owned()));
            }
            Err(error) => return Err(self.source.failed(self.path, &error).into()),
        }
        let row: Vec<Hash> = bytes
            .chunks_exact(Hash::LEN)
            .filter_map(Hash::from_slice)
            .collect();
        match tree::root(&row) {
            root if root == target.root => Ok(row),
            root => Err(self.mismatch(target, root.to_string())),
        }
    }

    fn finish(mut self) -> Result<(), VerifyError> {
        let mut rest = [0];
        match self.bytes.read(&mut rest) {
            Ok(0) => Ok(()),
            Ok(_) => Err(VerifyError::Mismatch(Mismatch {
                file: self.path.to_owned(),
                range: None,
                chunk: None,
                expected: "its end".to_owned(),
                found: "more bytes".to_owned(),
            })),
            Err(error) => Err(self.source.failed(self.path, &error).into()),
        }
    }

    fn mismatch(&self, target: &Target, found: String) -> VerifyError {
        VerifyError::Mismatch(Mismatch {
            file: format!(
                "{}, row of segment {} ({})",
                self.path, target.id.index, target.location.path
            ),
            range: None,
            chunk: None,
            expected: format!("root {}", target.root),
            found,
        })
    }
}

/// How far past its expiry a manifest may be by this machine's clock.
const EXPIRY_GRACE_S: u64 = 60;
/// Longest sealed manifest.
const MANIFEST_LIMIT: u64 = swarmseal::content::cose::MAX_SEALED as u64;
/// Segments whose rows are held at a time.
const BATCH: u32 = 256;
/// Reads of this size keep a disk busy.
const BUFFER: usize = 128 << 10;
