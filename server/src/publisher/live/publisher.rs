//! The order of things: look, hash, put on disk, sign, let appear.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::PathBuf;

use swarmseal::content::live::{Document, LiveHead, LiveTrack, Parent};
use swarmseal::content::publish::HashedObject;
use swarmseal::content::{Asset, Hash, MAX_TRACK, Manifest, TrackId};

use super::files::Files;
use super::observe::{self, Observed};
use super::parents;
use super::recording::{Next, Recorded, Recording};
use super::sessions::{Held, Sessions};
use super::state::State;
use crate::publisher::plan::{Piece, PlannedAsset, PlannedTrack, SEGMENT_LIMIT};
use crate::publisher::sealing::Options;
use crate::publisher::source::{Folder, Source, Stamp, read_range};
use crate::publisher::{PublishError, Published};

/// What a live publisher decides.
pub struct LiveOptions {
    /// Where the packager writes, and viewers read.
    pub folder: PathBuf,
    /// Where sessions, their keys and the state of the logs are kept; never served.
    pub state: PathBuf,
    /// The publisher's key and what goes into a manifest. Without it there has to be a live manifest already, and a
    /// session that [`LivePublisher::prepare`] has made.
    pub signing: Option<Options>,
    /// Seconds for which a session that is made on the way is valid, at most a day.
    pub session_s: u64,
}

/// A live content that is being published.
pub struct LivePublisher {
    pub(super) options: LiveOptions,
    pub(super) folder: Folder,
    pub(super) manifest: Manifest,
    pub(super) files: Files,
    pub(super) state: State,
    pub(super) sessions: Sessions,
    pub(super) session: Held,
    pub(super) log: u64,
    pub(super) sequence: u64,
    pub(super) issued_ms: u64,
    pub(super) target_ms: u32,
    pub(super) recordings: Vec<Recording>,
    pub(super) assets: Vec<Asset>,
    pub(super) asset_stamps: BTreeMap<(String, Option<(u64, u64)>), Stamp>,
    pub(super) documents: BTreeMap<String, Versions>,
    /// Sizes of the logs in the last head.
    pub(super) stated: BTreeMap<TrackId, u32>,
    pub(super) began_unfinished: bool,
    pub(super) ended: bool,
    pub(super) _lock: File,
}

/// A playlist or MPD.
pub(super) struct Versions {
    media_type: &'static str,
    /// Newest first.
    digests: VecDeque<Hash>,
}

/// What became of one look.
#[derive(Debug)]
pub enum Step {
    /// A head appeared.
    Stated(Stated),
    /// There was nothing new.
    Unchanged,
    /// The packager is in the middle of something.
    Waiting(PublishError),
    /// The packager has ended all playlists: it is time for [`LivePublisher::end`].
    Finished,
}

/// A head that appeared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Its session.
    pub session: u64,
    /// Its logs.
    pub log: u64,
    /// Its sequence.
    pub sequence: u64,
    /// Segments that no head had stated before.
    pub segments: u32,
    /// Bytes of the sealed head.
    pub bytes: usize,
}

impl LivePublisher {
    /// The content.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether the end of the stream has been signed.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Looks at the folder and states what is new.
    ///
    /// # Errors
    /// [`PublishError`] that waiting does not cure.
    pub fn step(&mut self, now_ms: u64) -> Result<Step, PublishError> {
        if self.ended {
            return Ok(Step::Finished);
        }
        let observed = match observe::observe(&self.folder, &self.manifest.significant_query) {
            Ok(observed) => observed,
            Err(error) if may_pass(&error) => return Ok(Step::Waiting(error)),
            Err(error) => return Err(error),
        };
        let finished = observed.finished;
        if !finished {
            self.began_unfinished = true;
        }
        // A stream that had ended before anybody looked is for `publish` without `--watch`.
        if finished && !self.began_unfinished {
            return Ok(Step::Waiting(PublishError::Unreadable {
                name: self.folder.root().display().to_string(),
                detail: "the stream in it has ended already; waiting for a new one".to_owned(),
            }));
        }
        let mut changed = match self.merge(&observed) {
            Ok(changed) => changed,
            Err(error) if may_pass(&error) => return Ok(Step::Waiting(error)),
            Err(error) => return Err(error),
        };
        changed |= self.vouch(&observed);
        let target_ms = u32::try_from(observed.target_ms).unwrap_or(u32::MAX);
        self.target_ms = self.target_ms.max(target_ms);
        if finished {
            return Ok(Step::Finished);
        }
        if !changed || self.recordings.is_empty() {
            return Ok(Step::Unchanged);
        }
        self.state_head(now_ms, false).map(Step::Stated)
    }

    /// Signs the end of the stream, with whatever the packager has finished until now.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn end(&mut self, now_ms: u64) -> Result<Option<Stated>, PublishError> {
        if self.ended || self.recordings.is_empty() {
            return Ok(None);
        }
        match observe::observe(&self.folder, &self.manifest.significant_query) {
            Ok(observed) => match self.merge(&observed) {
                Ok(_) => _ = self.vouch(&observed),
                Err(error) if may_pass(&error) => {}
                Err(error) => return Err(error),
            },
            Err(error) if may_pass(&error) => {}
            Err(error) => return Err(error),
        }
        self.state.end();
        let stated = self.state_head(now_ms, true)?;
        self.ended = true;
        Ok(Some(stated))
    }

    /// Publishes the recording of the stream that has ended as the next version of the content. `None`: the publisher's
    /// key is not here; opening the folder again with it does this then.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn finish(&self, now_s: u64) -> Result<Option<Published>, PublishError> {
        match &self.options.signing {
            Some(signing) if self.ended => super::finish::publish(self, signing, now_s).map(Some),
            _ => Ok(None),
        }
    }

    /// Names of all playlists and MPDs.
    pub(super) fn document_names(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }

    /// Takes over what is new of tracks and headers. Says whether anything was.
    fn merge(&mut self, observed: &Observed) -> Result<bool, PublishError> {
        let mut changed = false;
        for asset in &observed.assets {
            changed |= self.merge_asset(asset)?;
        }
        // Parts come after what they are parts of.
        for planned in &observed.tracks {
            changed |= self.merge_track(planned)?;
        }
        self.merge_parents(observed)?;
        Ok(changed)
    }

    fn merge_asset(&mut self, planned: &PlannedAsset) -> Result<bool, PublishError> {
        let piece = &planned.piece;
        let place = (piece.name.to_string(), piece.range);
        let stamp = self.folder.stamp(&piece.name)?.unwrap_or_default();
        if self.asset_stamps.get(&place) == Some(&stamp) {
            return Ok(false);
        }
        let hashed = self.hash(piece)?;
        self.asset_stamps.insert(place, stamp);
        let asset = Asset {
            path: piece.name.to_string(),
            range: piece.range,
            length: hashed.length,
            root: hashed.root,
            media_type: planned.media_type.clone(),
        };
        let known = self
            .assets
            .iter()
            .find(|known| known.path == asset.path && known.range == asset.range);
        match known {
            Some(known) if *known == asset => Ok(false),
            Some(_) => Err(PublishError::Content(format!(
                "{} has other bytes than the head says; a stream that begins anew needs a folder of its own, or names \
                 of its own",
                asset.path
            ))),
            None => {
                self.state.asset(&asset);
                self.assets.push(asset);
                Ok(true)
            }
        }
    }

    fn merge_track(&mut self, planned: &PlannedTrack) -> Result<bool, PublishError> {
        let parts_of = match &planned.parts {
            Some(parts) => match self.going_on(&parts.of) {
                Some(whole) => Some(whole.outline.id),
                // No segment is finished yet.
                None => return Ok(false),
            },
            None => None,
        };
        let is_this = |known: &Recording| known.outline.key == planned.key && !known.closed;
        let mut at = self.recordings.iter().position(is_this);
        if let Some(recording) = at.and_then(|at| self.recordings.get_mut(at))
            && recording.outline.parts_of != parts_of
        {
            recording.closed = true;
            self.state.closed(recording.outline.id);
            at = None;
        }
        let news = match at.and_then(|at| self.recordings.get(at)) {
            Some(recording) => recording.news(&planned.pieces),
            None => planned.pieces.clone(),
        };
        let mut changed = false;
        for (position, piece) in news.iter().enumerate() {
            let next = at
                .and_then(|at| self.recordings.get(at))
                .map(|recording| recording.next(piece));
            let missing = match next {
                Some(Next::After { missing }) => missing,
                Some(Next::Never) | None => {
                    if let Some(recording) = at.and_then(|at| self.recordings.get_mut(at)) {
                        recording.closed = true;
                        self.state.closed(recording.outline.id);
                    }
                    let rest = news.get(position..).unwrap_or_default();
                    let Some(recording) = Recording::begin(self.free_number()?, planned, rest, parts_of)
                    else {
                        return Ok(changed);
                    };
                    self.state.track(&recording.outline);
                    at = Some(self.recordings.len());
                    self.recordings.push(recording);
                    0
                }
            };
            let hashed = match self.hash(piece) {
                // The packager's window has passed over it. If a later one is there, a gap will say so.
                Err(PublishError::File { .. }) if self.folder.stamp(&piece.name)?.is_none() => continue,
                hashed => hashed?,
            };
            let Some(recording) = at.and_then(|at| self.recordings.get_mut(at)) else {
                return Ok(changed);
            };
            for left in (1..=missing).rev() {
                let gap = recording.gap(piece, left);
                push(recording, &mut self.state, &gap, HashedObject::of(&[]));
            }
            push(recording, &mut self.state, piece, hashed);
            changed = true;
        }
        Ok(changed)
    }

    /// Says anew which segments the parts make up that playlists name.
    fn merge_parents(&mut self, observed: &Observed) -> Result<(), PublishError> {
        let mut now: BTreeMap<TrackId, Vec<Parent>> = BTreeMap::new();
        for planned in &observed.tracks {
            if let (Some(parts), Some(recording)) = (&planned.parts, self.going_on(&planned.key))
                && let Some(whole) = self.going_on(&parts.of)
            {
                let parents = parents::of(&parts.groups, recording, whole, &self.folder)?;
                now.insert(recording.outline.id, parents);
            }
        }
        for recording in &mut self.recordings {
            recording.parents = now.remove(&recording.outline.id).unwrap_or_default();
        }
        Ok(())
    }

    /// The track that is made from this and goes on.
    fn going_on(&self, key: &str) -> Option<&Recording> {
        self.recordings
            .iter()
            .find(|recording| recording.outline.key == key && !recording.closed)
    }

    /// Vouches for the playlists and MPDs as they are now.
    fn vouch(&mut self, observed: &Observed) -> bool {
        let mut changed = false;
        for (name, (media_type, bytes)) in &observed.documents {
            let digest = observe::digest(bytes);
            let versions = self.documents.entry(name.clone()).or_insert_with(|| Versions {
                media_type,
                digests: VecDeque::new(),
            });
            if versions.digests.front() != Some(&digest) {
                versions.digests.push_front(digest);
                versions.digests.truncate(DIGESTS);
                changed = true;
            }
        }
        changed
    }

    /// Puts everything on disk, and lets the head appear that states it.
    fn state_head(&mut self, now_ms: u64, end: bool) -> Result<Stated, PublishError> {
        // Never before the last one, should the clock of this machine have been put back.
        let issued_ms = self.issued_ms.max(now_ms);
        self.rotate(issued_ms / 1000)?;
        if self.target_ms == 0 {
            self.target_ms = self.longest_ms();
        }
        let sequence = self.sequence + 1;
        self.state.take(sequence, issued_ms, self.target_ms)?;
        (self.sequence, self.issued_ms) = (sequence, issued_ms);
        let mut segments = 0;
        for recording in &self.recordings {
            let from = self.stated.get(&recording.outline.id).copied().unwrap_or(0);
            if from < recording.size() {
                let rows = recording.newest_rows(recording.size() - from);
                self.files.append(self.log, recording, from, &rows)?;
                segments += recording.size() - from;
            }
        }
        let sealed = self.seal_head(sequence, issued_ms, end)?;
        self.files.head(self.log, sequence, &sealed)?;
        for recording in &mut self.recordings {
            recording.forget_rows();
            self.stated.insert(recording.outline.id, recording.size());
        }
        Ok(Stated {
            session: self.session.session.number,
            log: self.log,
            sequence,
            segments,
            bytes: sealed.len(),
        })
    }

    /// A head that fits one message: what is older, and can be read elsewhere, goes first.
    fn seal_head(&self, sequence: u64, issued_ms: u64, end: bool) -> Result<Vec<u8>, PublishError> {
        let window_ms = u64::from(self.target_ms) * WINDOW_TARGETS;
        let mut last = None;
        for (most, with_rows, digests) in [
            (128, ROWS, DIGESTS),
            (64, ROWS, DIGESTS),
            (16, 1, 2),
            (4, 1, 1),
            (1, 0, 1),
            (0, 0, 1),
        ] {
            let state = |recording: &Recording| -> LiveTrack {
                let since = self.stated.get(&recording.outline.id).copied().unwrap_or(0);
                let window_ms = if recording.closed { 0 } else { window_ms };
                let is_split = self
                    .recordings
                    .iter()
                    .any(|parts| parts.outline.parts_of == Some(recording.outline.id));
                // The newest segments come as their parts.
                let with_rows = if is_split { 0 } else { with_rows };
                recording.state(recording.window(window_ms, since).min(most), with_rows)
            };
            let mut tracks: Vec<LiveTrack> = self.recordings.iter().map(state).collect();
            tracks.sort_by_key(|track| track.id);
            let document = |(path, versions): (&String, &Versions)| Document {
                path: path.clone(),
                media_type: versions.media_type.to_owned(),
                digests: versions.digests.iter().take(digests).copied().collect(),
            };
            let head = LiveHead {
                content_id: self.manifest.content_id,
                session: self.session.session.number,
                log: self.log,
                sequence,
                issued_ms,
                target_ms: self.target_ms,
                tracks,
                assets: self.assets.clone(),
                documents: self.documents.iter().map(document).collect(),
                end,
            };
            match head.sign(&self.session.key, &self.manifest.significant_query) {
                Ok(sealed) => return Ok(sealed),
                Err(error) => last = Some(error),
            }
        }
        Err(PublishError::TooMuch {
            what: last.map_or_else(String::new, |error| error.to_string()),
        })
    }

    /// Goes over to the next session well before this one ends, or at its end at the latest.
    fn rotate(&mut self, now_s: u64) -> Result<(), PublishError> {
        let session = &self.session.session;
        let quarter = (session.not_after - session.not_before) / OVERLAP;
        if now_s < session.not_after.saturating_sub(quarter) {
            return Ok(());
        }
        let next = self.sessions.valid(now_s, session.number + 1).cloned();
        let next = match (next, &self.options.signing) {
            (Some(next), _) => Some(next),
            (None, Some(signing)) => {
                let validity = (now_s, now_s + self.options.session_s);
                Some(
                    self.sessions
                        .make(&signing.key, validity, self.sequence + 1, session.number)?,
                )
            }
            (None, None) if now_s < session.not_after => None,
            (None, None) => return Err(no_session()),
        };
        if let Some(next) = next {
            self.files.session(next.session.number, &next.sealed)?;
            self.session = next;
        }
        Ok(())
    }

    fn longest_ms(&self) -> u32 {
        let longest = |recording: &Recording| {
            let durations = recording.segments.iter().map(|segment| segment.record.duration);
            u64::from(durations.max().unwrap_or(0)) * 1000 / u64::from(recording.timescale().max(1))
        };
        let longest = self.recordings.iter().map(longest).max().unwrap_or(0);
        u32::try_from(longest).unwrap_or(u32::MAX).max(1)
    }

    fn free_number(&self) -> Result<TrackId, PublishError> {
        (1..=MAX_TRACK)
            .map(TrackId)
            .find(|id| {
                self.recordings
                    .iter()
                    .all(|recording| recording.outline.id != *id)
            })
            .ok_or_else(|| PublishError::TooMuch {
                what: format!("there are more than {MAX_TRACK} tracks"),
            })
    }

    fn hash(&self, piece: &Piece) -> Result<HashedObject, PublishError> {
        let bytes = read_range(&self.folder, &piece.name, piece.range, SEGMENT_LIMIT)?;
        if let Some(expected) = piece.length.filter(|expected| *expected != bytes.len() as u64) {
            return Err(PublishError::ChangedWhileReading {
                name: piece.name.to_string(),
                expected,
                found: bytes.len() as u64,
            });
        }
        Ok(HashedObject::of(&bytes))
    }
}

fn push(recording: &mut Recording, state: &mut State, piece: &Piece, hashed: HashedObject) {
    let recorded = Recorded {
        record: recording.record(piece, &hashed),
        place: (piece.name.clone(), piece.range),
        discontinuity: piece.discontinuity,
    };
    state.record(recording.outline.id, &recorded, &hashed.row);
    recording.push(recorded, hashed.row);
}

/// What a packager that is at work leaves behind for a moment.
fn may_pass(error: &PublishError) -> bool {
    matches!(
        error,
        PublishError::MissingFile { .. }
            | PublishError::Unreadable { .. }
            | PublishError::ChangedWhileReading { .. }
            | PublishError::RangeBeyondEnd { .. }
            | PublishError::File { .. }
            | PublishError::Nothing { .. }
    )
}

pub(super) fn no_key() -> PublishError {
    PublishError::Option {
        option: "--key",
        detail: "there is no live manifest yet, so the publisher's key is needed once (swarmseal session)"
            .to_owned(),
    }
}

pub(super) fn no_session() -> PublishError {
    PublishError::Option {
        option: "--key",
        detail: "there is no session that may sign now; make one with swarmseal session where the key is"
            .to_owned(),
    }
}

/// Target durations whose records and rows a head carries.
const WINDOW_TARGETS: u64 = 3;
/// Newest segments, or parts, whose rows a head carries. A head goes from viewer to viewer, to each more than once, and a
/// row is most of it: whoever wants an older one asks a neighbour or reads the log.
const ROWS: u32 = 1;
/// Versions of a playlist that a head vouches for.
const DIGESTS: usize = 8;
/// Part of a session's validity for which the next one is valid too.
pub(super) const OVERLAP: u64 = 4;
