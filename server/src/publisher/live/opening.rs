//! How publishing begins: the manifest, the sessions, and whether the state on disk can be gone on from.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use swarmseal::content::live::{LiveHead, LiveSlot};
use swarmseal::content::{Manifest, cose};

use super::files::Files;
use super::publisher::{LiveOptions, LivePublisher, OVERLAP, no_key, no_session};
use super::recording::Recording;
use super::sessions::Sessions;
use super::state::{Loaded, State};
use crate::publisher::source::Folder;
use crate::publisher::{MANIFEST, PublishError, journal, output, previous, sealing};

impl LivePublisher {
    /// Begins a live content in a folder, or goes on with one where the state on disk says it was.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn open(options: LiveOptions, now_ms: u64) -> Result<Self, PublishError> {
        let (lock, manifest, is_new) = begin(&options, now_ms / 1000)?;
        let slot = live_slot(&manifest)?;
        let state_folder = state_folder(&options, &manifest)?;
        let sessions = Sessions::open(&state_folder, manifest.content_id)?;
        let files = Files::new(&options.folder, slot);
        let seen = files
            .newest()
            .and_then(|sealed| {
                LiveHead::decode(cose::peek(&sealed).ok()?.payload, &manifest.significant_query).ok()
            })
            .filter(|head| head.content_id == manifest.content_id);
        let path = state_folder.join(STATE);
        // A state that does not know of a head that viewers may have is no state to go on from.
        let goes_on = |loaded: &Loaded| {
            let knows = seen
                .as_ref()
                .is_none_or(|head| head.log == loaded.log && head.sequence <= loaded.sequence);
            knows && !(loaded.ended && is_new)
        };
        let loaded = State::load(&path)?.filter(|(_, loaded)| goes_on(loaded));
        let folder = Folder::open(&options.folder)?;
        let floor = seen.as_ref().map_or(0, |head| head.session);
        let issued_ms = seen.as_ref().map_or(0, |head| head.issued_ms);
        let began = Began {
            options,
            folder,
            manifest,
            files,
            sessions,
            lock,
        };
        match loaded {
            Some((state, loaded)) => began.go_on(state, loaded, now_ms),
            None => began.anew(&path, floor, issued_ms, now_ms),
        }
    }

    /// Makes a live manifest, if there is none, and `count` sessions one after the other, each valid for
    /// [`LiveOptions::session_s`] and overlapping the next, so that [`Self::open`] can do without the publisher's key.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn prepare(
        options: &LiveOptions,
        count: u32,
        now_s: u64,
    ) -> Result<(Manifest, Vec<u64>), PublishError> {
        let (_lock, manifest, _) = begin(options, now_s)?;
        live_slot(&manifest)?;
        let signing = options.signing.as_ref().ok_or_else(no_key)?;
        let state = state_folder(options, &manifest)?;
        let mut sessions = Sessions::open(&state, manifest.content_id)?;
        let step = options.session_s - options.session_s / OVERLAP;
        let mut numbers = Vec::new();
        for index in 0..u64::from(count) {
            let from = now_s + index * step;
            let held = sessions.make(&signing.key, (from, from + options.session_s), 1, 0)?;
            numbers.push(held.session.number);
        }
        Ok((manifest, numbers))
    }
}

/// Everything but the logs.
struct Began {
    options: LiveOptions,
    folder: Folder,
    manifest: Manifest,
    files: Files,
    sessions: Sessions,
    lock: File,
}

impl Began {
    fn go_on(mut self, state: State, mut loaded: Loaded, now_ms: u64) -> Result<LivePublisher, PublishError> {
        let now_s = now_ms.max(loaded.issued_ms) / 1000;
        let session = match (self.sessions.valid(now_s, loaded.log), &self.options.signing) {
            (Some(held), _) => held.clone(),
            (None, Some(signing)) => {
                let validity = (now_s, now_s + self.options.session_s);
                self.sessions
                    .make(&signing.key, validity, loaded.sequence + 1, loaded.log)?
            }
            (None, None) => return Err(no_session()),
        };
        for (recording, rows) in loaded.recordings.iter().zip(&loaded.rows) {
            self.files.restore(loaded.log, recording, rows)?;
        }
        self.files.create(loaded.log)?;
        self.files.prune(loaded.log, loaded.sequence)?;
        loaded.recordings.iter_mut().for_each(Recording::forget_rows);
        let stated = loaded
            .recordings
            .iter()
            .map(|recording| (recording.outline.id, recording.size()));
        let publisher = LivePublisher {
            stated: stated.collect(),
            state,
            session,
            log: loaded.log,
            sequence: loaded.sequence,
            issued_ms: loaded.issued_ms,
            target_ms: loaded.target_ms,
            began_unfinished: !loaded.recordings.is_empty(),
            recordings: loaded.recordings,
            assets: loaded.assets,
            asset_stamps: BTreeMap::new(),
            documents: BTreeMap::new(),
            ended: loaded.ended,
            options: self.options,
            folder: self.folder,
            manifest: self.manifest,
            files: self.files,
            sessions: self.sessions,
            _lock: self.lock,
        };
        publisher.show_session()?;
        Ok(publisher)
    }

    fn anew(
        mut self,
        path: &Path,
        floor: u64,
        issued_ms: u64,
        now_ms: u64,
    ) -> Result<LivePublisher, PublishError> {
        let now_s = now_ms.max(issued_ms) / 1000;
        let session = match (&self.options.signing, self.sessions.unused(now_s, floor)) {
            (_, Some(held)) => held.clone(),
            (Some(signing), None) => {
                let validity = (now_s, now_s + self.options.session_s);
                self.sessions.make(&signing.key, validity, 1, floor)?
            }
            (None, None) => return Err(no_session()),
        };
        let log = session.session.number;
        self.sessions.use_up(log)?;
        let state = State::begin(path, log)?;
        self.files.create(log)?;
        let publisher = LivePublisher {
            state,
            session,
            log,
            sequence: 0,
            issued_ms,
            target_ms: 0,
            recordings: Vec::new(),
            assets: Vec::new(),
            asset_stamps: BTreeMap::new(),
            documents: BTreeMap::new(),
            stated: BTreeMap::new(),
            began_unfinished: false,
            ended: false,
            options: self.options,
            folder: self.folder,
            manifest: self.manifest,
            files: self.files,
            sessions: self.sessions,
            _lock: self.lock,
        };
        publisher.show_session()?;
        Ok(publisher)
    }
}

impl LivePublisher {
    fn show_session(&self) -> Result<(), PublishError> {
        self.files.create(self.log)?;
        self.files
            .session(self.session.session.number, &self.session.sealed)
    }
}

/// The manifest to publish under, and whether it had to be made now.
fn begin(options: &LiveOptions, now_s: u64) -> Result<(File, Manifest, bool), PublishError> {
    let folder = options
        .folder
        .canonicalize()
        .map_err(|error| PublishError::file(&options.folder, error))?;
    std::fs::create_dir_all(&options.state).map_err(|error| PublishError::file(&options.state, error))?;
    let state = options
        .state
        .canonicalize()
        .map_err(|error| PublishError::file(&options.state, error))?;
    if state.starts_with(&folder) {
        return Err(PublishError::Option {
            option: "--state",
            detail: "it lies in the folder that is served, and will hold the keys of sessions".to_owned(),
        });
    }
    let own = folder.join(sealing::SEAL).join(journal::FOLDER);
    std::fs::create_dir_all(&own).map_err(|error| PublishError::file(&own, error))?;
    let lock = sealing::lock(&own)?;
    let path = options.folder.join(MANIFEST);
    let Some(signing) = &options.signing else {
        let sealed = std::fs::read(&path).map_err(|_| no_key())?;
        let manifest = cose::peek(&sealed)
            .ok()
            .and_then(|peeked| Manifest::decode(peeked.payload).ok())
            .filter(|manifest| manifest.live.is_some())
            .ok_or_else(no_key)?;
        return Ok((lock, manifest, false));
    };
    let before = previous::read(&path, &signing.key.public())?;
    if let Some(before) = &before
        && before.manifest.live.is_some()
        && before.manifest.expires > now_s + 2 * options.session_s
    {
        return Ok((lock, before.manifest.clone(), false));
    }
    let is_new = before
        .as_ref()
        .is_none_or(|before| before.manifest.live.is_none());
    let mut manifest = sealing::begin(signing, before.as_ref(), now_s)?;
    let slot = LiveSlot {
        folder: format!("{}/live", sealing::SEAL),
    };
    manifest.live = Some(slot.encode());
    let sealed = manifest
        .sign(&signing.key)
        .map_err(|error| PublishError::Content(error.to_string()))?;
    output::write_bytes(&path, &sealed)?;
    Ok((lock, manifest, is_new))
}

fn live_slot(manifest: &Manifest) -> Result<LiveSlot, PublishError> {
    LiveSlot::of(manifest)
        .map_err(|error| PublishError::Content(error.to_string()))?
        .ok_or_else(no_key)
}

fn state_folder(options: &LiveOptions, manifest: &Manifest) -> Result<PathBuf, PublishError> {
    let folder = options.state.join(manifest.content_id.to_string());
    std::fs::create_dir_all(&folder).map_err(|error| PublishError::file(&folder, error))?;
    Ok(folder)
}

const STATE: &str = "log";
