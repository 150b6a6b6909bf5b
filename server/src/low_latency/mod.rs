//! A packager of low-latency HLS (draft-pantos-hls-rfc8216bis, appendix B) behind one that cuts a stream into short
//! fragments, such as ffmpeg with `-hls_time 0.5`.
//!
//! Each fragment becomes a part; parts are grouped into parents, which begin where a player can begin and are the parts
//! one after the other. `grouping` decides which part belongs where, `playlist` writes it down, and [`LowLatency`] goes
//! along with the folder of the first packager. `swarmseal publish --watch` takes it from there as from any packager; the
//! origin holds back requests for what is not there yet (`origin::holding`).

mod grouping;
mod playlist;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::publisher::PublishError;
use crate::publisher::is_document;
use crate::publisher::output::replace;
use crate::publisher::plan::SEGMENT_LIMIT;
use crate::publisher::source::{Folder, Source as _, read_range};
use crate::watching::{LOOK, RETRY, Stop, Trouble, Watching, now_ms};
use grouping::{Fragment, Grouping};

/// What low-latency packaging decides.
#[derive(Clone, Debug)]
pub struct LowLatencyOptions {
    /// Where the first packager writes.
    pub fragments: PathBuf,
    /// Where to write; what is served and published.
    pub folder: PathBuf,
    /// How long a parent should be at least, milliseconds.
    pub segment_ms: u32,
}

/// Groups the fragments of a stream while it goes on.
pub struct LowLatency {
    options: LowLatencyOptions,
    source: Folder,
    /// By name of the playlist.
    groupings: BTreeMap<String, Grouping>,
    /// Multivariant playlists as they were last written.
    multivariant: BTreeMap<String, Vec<u8>>,
    watching: Watching,
}

impl LowLatency {
    /// Goes on where it was left, if it was.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn open(options: LowLatencyOptions) -> Result<Self, PublishError> {
        let (from, to) = (absolute(&options.fragments)?, absolute(&options.folder)?);
        if from == to {
            return Err(PublishError::Option {
                option: "--low-latency",
                detail: "fragments and what is made of them need folders of their own".to_owned(),
            });
        }
        Ok(Self {
            source: Folder::open(&from)?,
            watching: Watching::new(&from)?,
            options,
            groupings: BTreeMap::new(),
            multivariant: BTreeMap::new(),
        })
    }

    /// Takes over what is new. Says whether anything was.
    ///
    /// # Errors
    /// [`PublishError`]; the packager may be in the middle of something, so trying again may help.
    pub fn step(&mut self, now_ms: u64) -> Result<bool, PublishError> {
        let mut changed = false;
        for name in self.source.entries()? {
            if !is_document(&name) {
                continue;
            }
            let bytes = read_range(&self.source, &name, None, PLAYLIST_LIMIT)?;
            if m3u8_rs::is_master_playlist(&bytes) {
                changed |= self.copy(name, bytes)?;
            } else {
                changed |= self.group(&name, &bytes, now_ms)?;
            }
        }
        Ok(changed)
    }

    /// A handle that ends [`Self::run`].
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.watching.stop()
    }

    /// Goes along until [`Stop`] says so. `tell` hears of what has been in the way for some seconds.
    pub fn run(mut self, tell: &mut dyn FnMut(&PublishError)) {
        let mut trouble = Trouble::default();
        loop {
            let wait = match self.step(now_ms()) {
                Ok(_) => {
                    trouble.is_over();
                    LOOK
                }
                Err(error) => {
                    if trouble.goes_on() {
                        tell(&error);
                    }
                    RETRY
                }
            };
            if self.watching.wait(wait) {
                return;
            }
        }
    }

    fn copy(&mut self, name: String, bytes: Vec<u8>) -> Result<bool, PublishError> {
        if self.multivariant.get(&name) == Some(&bytes) {
            return Ok(false);
        }
        self.write(&name, &bytes)?;
        self.multivariant.insert(name, bytes);
        Ok(true)
    }

    fn group(&mut self, name: &str, bytes: &[u8], now_ms: u64) -> Result<bool, PublishError> {
        let mut grouping = match self.groupings.remove(name) {
            Some(grouping) => grouping,
            None => self.begin(name)?,
        };
        let grouped = self.go_on(&mut grouping, name, bytes, now_ms);
        self.groupings.insert(name.to_owned(), grouping);
        grouped
    }

    fn begin(&self, name: &str) -> Result<Grouping, PublishError> {
        let path = self.options.folder.join(grouping::state_name(name));
        let kept = match fs::read(&path) {
            Ok(kept) => kept,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Grouping::new(name, self.options.segment_ms));
            }
            Err(error) => return Err(PublishError::file(&path, error)),
        };
        serde_json::from_slice(&kept).map_err(|error| PublishError::file(&path, error.into()))
    }

    fn go_on(
        &self,
        grouping: &mut Grouping,
        name: &str,
        bytes: &[u8],
        now_ms: u64,
    ) -> Result<bool, PublishError> {
        let read = playlist::read(name, bytes)?;
        if !grouping.may_follow(&read) {
            return Err(PublishError::Unsupported {
                name: name.to_owned(),
                feature:
                    "fragments whose numbers begin anew; a stream that begins anew needs a folder of its own"
                        .to_owned(),
            });
        }
        let mut changed = false;
        if !grouping.has_header() && !read.fragments.is_empty() {
            let header = read_range(&self.source, &beside(name, &read.header)?, None, SEGMENT_LIMIT)?;
            self.write(&beside(name, &grouping.header_name())?, &header)?;
            grouping.begin(&read, &header)?;
        }
        for fragment in &read.fragments {
            if !grouping.is_next(fragment) {
                continue;
            }
            let bytes = read_range(&self.source, &beside(name, &fragment.uri)?, None, SEGMENT_LIMIT)?;
            self.take(grouping, name, fragment, &bytes)?;
            changed = true;
        }
        if read.ended && !grouping.ended {
            grouping.ended = true;
            self.finish(grouping, name)?;
            changed = true;
        }
        if changed {
            grouping.slide(read.first, now_ms);
            let text = playlist::write(grouping);
            self.write(name, text.as_bytes())?;
            for gone in grouping.gone(now_ms) {
                let path = self.options.folder.join(beside(name, &gone)?);
                fs::remove_file(&path).map_err(|error| PublishError::file(&path, error))?;
            }
            let state_name = grouping::state_name(name);
            let state = serde_json::to_vec(grouping)
                .map_err(|error| PublishError::file(self.options.folder.join(&state_name), error.into()))?;
            self.write(&state_name, &state)?;
        }
        Ok(changed)
    }

    fn take(
        &self,
        grouping: &mut Grouping,
        name: &str,
        fragment: &Fragment,
        bytes: &[u8],
    ) -> Result<(), PublishError> {
        let independent = grouping.is_independent(name, bytes)?;
        if fragment.discontinuity || grouping.ends_before(independent) {
            self.finish(grouping, name)?;
        }
        let part = grouping.take(fragment, independent);
        self.write(&beside(name, &part)?, bytes)
    }

    /// Makes the parent of the parts that are open, if there are any.
    fn finish(&self, grouping: &mut Grouping, name: &str) -> Result<(), PublishError> {
        let mut whole = Vec::new();
        for part in grouping.open_names() {
            let path = self.options.folder.join(beside(name, &part)?);
            whole.extend(fs::read(&path).map_err(|error| PublishError::file(&path, error))?);
        }
        match grouping.finish() {
            Some(parent) => self.write(&beside(name, &parent)?, &whole),
            None => Ok(()),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let path = self.options.folder.join(name);
        let parent = path.parent().unwrap_or(&self.options.folder);
        fs::create_dir_all(parent).map_err(|error| PublishError::file(parent, error))?;
        replace(&path, bytes)
    }
}

/// The name of a file that lies beside `playlist`, or below it.
fn beside(playlist: &str, uri: &str) -> Result<String, PublishError> {
    let is_plain = !uri.contains([':', '?', '%', '\\']) && !uri.starts_with('/') && !uri.contains("..");
    if !is_plain || uri.is_empty() {
        return Err(PublishError::Unsupported {
            name: playlist.to_owned(),
            feature: format!("{uri}: fragments have to lie beside their playlist, under plain names"),
        });
    }
    Ok(match playlist.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{uri}"),
        None => uri.to_owned(),
    })
}

fn absolute(path: &Path) -> Result<PathBuf, PublishError> {
    fs::create_dir_all(path)
        .and_then(|()| path.canonicalize())
        .map_err(|error| PublishError::file(path, error))
}

const PLAYLIST_LIMIT: u64 = 16 << 20;
