//! Low-latency HLS (draft-pantos-hls-rfc8216bis §6.2.5): requests that are held until what they ask for is there.
//!
//! A playlist is asked for by the number of the segment and the part that it should have by then (`_HLS_msn`,
//! `_HLS_part`), a part by the name that a playlist hints at. Whatever packager wrote the playlists, this goes by what lies
//! on disk.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use notify::RecommendedWatcher;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, timeout_at};

use crate::publisher::hls::parts;
use crate::publisher::is_document;
use crate::watching;

/// What is held, and wakes of what it waits for.
#[derive(Debug)]
pub(super) struct Holding {
    changes: watch::Sender<u64>,
    room: Semaphore,
    /// Made when the first request has to wait.
    watchers: Mutex<Vec<(PathBuf, RecommendedWatcher)>>,
}

/// Why a request is not held until there is what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheld {
    /// Its directives make no sense.
    BadDirectives,
    /// It asks for what nobody is making yet.
    TooFarAhead,
    /// What it asks for did not come.
    NotInTime,
    /// Enough others are held.
    TooManyHeld,
}

impl Unheld {
    /// Stable code.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::BadDirectives => "bad_directives",
            Self::TooFarAhead => "too_far_ahead",
            Self::NotInTime => "not_in_time",
            Self::TooManyHeld => "too_many_held",
        }
    }

    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::BadDirectives | Self::TooFarAhead => StatusCode::BAD_REQUEST,
            Self::NotInTime | Self::TooManyHeld => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// When to ask again, in seconds, where that may help.
    pub(super) const fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::TooManyHeld => Some("1"),
            Self::BadDirectives | Self::TooFarAhead | Self::NotInTime => None,
        }
    }
}

/// The delivery directives of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Directives {
    segment: u64,
    part: Option<u64>,
}

impl Directives {
    /// `None` without directives.
    ///
    /// # Errors
    /// [`Unheld::BadDirectives`]
    pub(super) fn of(query: Option<&str>) -> Result<Option<Self>, Unheld> {
        let value = |wanted: &str| {
            let pairs = query.unwrap_or_default().split('&');
            let mut values =
                pairs.filter_map(|pair| pair.split_once('=').filter(|(name, _)| *name == wanted));
            values
                .next()
                .map(|(_, value)| value.parse().map_err(|_| Unheld::BadDirectives))
                .transpose()
        };
        match (value("_HLS_msn")?, value("_HLS_part")?) {
            (Some(segment), part) => Ok(Some(Self { segment, part })),
            (None, Some(_)) => Err(Unheld::BadDirectives),
            (None, None) => Ok(None),
        }
    }
}

impl Holding {
    pub(super) fn new() -> Self {
        Self::with_room(MAX_HELD)
    }

    fn with_room(most: usize) -> Self {
        Self {
            changes: watch::Sender::new(0),
            room: Semaphore::new(most),
            watchers: Mutex::default(),
        }
    }

    /// Waits until the playlist at `path` has what is asked for.
    ///
    /// # Errors
    /// [`Unheld`]
    pub(super) async fn playlist(
        self: &Arc<Self>,
        root: &Path,
        path: &Path,
        asked: Directives,
    ) -> Result<(), Unheld> {
        let mut until = None;
        let mut place = None;
        let mut changes = self.watch(root);
        loop {
            changes.mark_unchanged();
            let text = playlist(path, MAX_PLAYLIST).await;
            let Some(there) = There::read(&text) else {
                return Ok(());
            };
            if there.has(asked) {
                return Ok(());
            }
            if asked.segment > there.next.saturating_add(FURTHEST_AHEAD) {
                return Err(Unheld::TooFarAhead);
            }
            if place.is_none() {
                place = Some(self.place()?);
            }
            let until = *until.get_or_insert_with(|| Instant::now() + there.target * PATIENCE_TARGETS);
            if !wait(&mut changes, until).await {
                return Err(Unheld::NotInTime);
            }
        }
    }

    /// Waits until a file is there that a playlist beside it hints at. Returns at once if none does.
    ///
    /// # Errors
    /// [`Unheld::TooManyHeld`]
    pub(super) async fn hinted(self: &Arc<Self>, root: &Path, path: &Path) -> Result<(), Unheld> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Ok(());
        };
        // Most of what is not there is hinted at by nobody, and then nothing is watched for it.
        if hint(folder, name).await.is_none() {
            return Ok(());
        }
        let _place = self.place()?;
        let mut until = None;
        let mut changes = self.watch(root);
        loop {
            changes.mark_unchanged();
            let Some(target) = hint(folder, name).await else {
                return Ok(());
            };
            if tokio::fs::try_exists(path).await.unwrap_or(true) {
                return Ok(());
            }
            let until = *until.get_or_insert_with(|| Instant::now() + target * PATIENCE_TARGETS);
            if !wait(&mut changes, until).await {
                return Ok(());
            }
        }
    }

    /// One of the places to wait in, until it is dropped.
    fn place(&self) -> Result<SemaphorePermit<'_>, Unheld> {
        self.room.try_acquire().map_err(|_| Unheld::TooManyHeld)
    }

    /// Wakes whenever a playlist below `root` changes.
    fn watch(self: &Arc<Self>, root: &Path) -> watch::Receiver<u64> {
        let mut watchers = self
            .watchers
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if watchers.iter().all(|(known, _)| known != root) {
            let changes = self.changes.clone();
            let changed = move || changes.send_modify(|count| *count = count.wrapping_add(1));
            match watching::watch(root, changed) {
                Ok(watcher) => watchers.push((root.to_owned(), watcher)),
                // Looking now and then does as well.
                Err(error) => tracing::warn!(code = error.code(), "{error}"),
            }
        }
        self.changes.subscribe()
    }
}

/// Waits for a change, but looks now and then in case nobody tells. `false`: it is too late.
async fn wait(changes: &mut watch::Receiver<u64>, until: Instant) -> bool {
    let look = Instant::now() + LOOK;
    // Its sender lives as long as the origin, and an unseen time is a look.
    let _ = timeout_at(look.min(until), changes.changed()).await;
    Instant::now() < until
}

/// What a playlist has.
struct There {
    /// Number of the segment that is being made.
    next: u64,
    /// Its parts so far.
    parts: u64,
    ended: bool,
    target: Duration,
}

impl There {
    /// `None` if the playlist offers no blocking reload.
    fn read(text: &str) -> Option<Self> {
        let value = |tag: &str| text.lines().find_map(|line| line.trim().strip_prefix(tag));
        let blocks = value("#EXT-X-SERVER-CONTROL:")
            .and_then(parts::attributes)
            .is_some_and(|list| list.contains(&("CAN-BLOCK-RELOAD", "YES")));
        if !blocks {
            return None;
        }
        let number = |tag: &str| value(tag).and_then(|value| value.trim().parse::<u64>().ok());
        let mut of_segment = parts::read(text).ok()?;
        let parts = of_segment.pop().unwrap_or_default().len() as u64;
        Some(Self {
            next: number("#EXT-X-MEDIA-SEQUENCE:")
                .unwrap_or(0)
                .saturating_add(of_segment.len() as u64),
            parts,
            ended: text.contains("#EXT-X-ENDLIST"),
            target: Duration::from_secs(
                number("#EXT-X-TARGETDURATION:")
                    .unwrap_or(0)
                    .clamp(1, MAX_TARGET_S),
            ),
        })
    }

    fn has(&self, asked: Directives) -> bool {
        let has_part = |part| asked.segment == self.next && part < self.parts;
        self.ended || asked.segment < self.next || asked.part.is_some_and(has_part)
    }
}

/// What a playlist says; nothing if it is longer than `most`, or cannot be read: then it is answered as any file.
async fn playlist(path: &Path, most: u64) -> String {
    match tokio::fs::metadata(path).await {
        Ok(metadata) if metadata.len() <= most => tokio::fs::read_to_string(path).await.unwrap_or_default(),
        _ => String::new(),
    }
}

/// The target duration of a playlist in `folder` that hints at `name`.
async fn hint(folder: &Path, name: &str) -> Option<Duration> {
    let mut entries = tokio::fs::read_dir(folder).await.ok()?;
    while let Ok(Some(entry)) = entries.next_entry().await {
        if !entry.file_name().to_str().is_some_and(is_document) {
            continue;
        }
        let text = playlist(&entry.path(), MAX_HINTING).await;
        let hints = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("#EXT-X-PRELOAD-HINT:"));
        let is_hinted = hints
            .filter_map(parts::attributes)
            .any(|list| list.contains(&("URI", name)));
        if is_hinted {
            return There::read(&text).map(|there| there.target);
        }
    }
    None
}

/// §6.2.5.2: a request is given up after three target durations…
const PATIENCE_TARGETS: u32 = 3;
/// …and refused at once if it is for a segment beyond the next but one.
const FURTHEST_AHEAD: u64 = 1;
/// No playlist is waited for longer than three times this.
const MAX_TARGET_S: u64 = 60;
/// Longest playlist that requests are held for: as long as a viewer takes.
const MAX_PLAYLIST: u64 = 1 << 20;
/// A playlist that hints lists a window of a live stream; longer ones are not read for it.
const MAX_HINTING: u64 = 256 << 10;
/// Requests that are held at a time, so that waiting has a bound in memory, files open and looks at playlists: two for each of two
/// thousand viewers who come to this origin without a CDN in between.
const MAX_HELD: usize = 4_096;
/// Some file systems tell nobody what happens on them.
const LOOK: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYLIST: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n\
        #EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:2,\na\n#EXT-X-PART:DURATION=0.5,URI=\"b\"\n#EXT-X-PART:DURATION=0.5,URI=\"c\"\n";

    fn asked(query: &str) -> Directives {
        Directives::of(Some(query)).unwrap().unwrap()
    }

    #[test]
    fn a_playlist_has_what_it_lists() {
        let there = There::read(PLAYLIST).unwrap();
        for (query, expected) in [
            ("_HLS_msn=7", true),
            ("_HLS_msn=7&_HLS_part=9", true),
            ("_HLS_msn=8", false),
            ("x=1&_HLS_msn=8&_HLS_part=1", true),
            ("_HLS_msn=8&_HLS_part=2", false),
            ("_HLS_msn=9&_HLS_part=0", false),
        ] {
            assert_eq!(there.has(asked(query)), expected, "{query}");
        }
        let ended = format!("{PLAYLIST}#EXT-X-ENDLIST\n");
        assert!(There::read(&ended).unwrap().has(asked("_HLS_msn=9")));
        assert!(There::read("#EXTM3U\n#EXTINF:2,\na\n").is_none());
    }

    #[test]
    fn directives_that_make_no_sense_are_refused() {
        assert_eq!(Directives::of(Some("token=1")), Ok(None));
        for query in ["_HLS_part=1", "_HLS_msn=x", "_HLS_msn=1&_HLS_part=-1"] {
            assert_eq!(Directives::of(Some(query)), Err(Unheld::BadDirectives), "{query}");
        }
    }

    #[tokio::test]
    async fn no_more_are_held_than_there_is_room_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.m3u8");
        let hinting = format!("{PLAYLIST}#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"d\"\n");
        std::fs::write(&path, &hinting).unwrap();
        let holding = Arc::new(Holding::with_room(2));
        let ask = |query: &str| {
            let (holding, root, path, asked) = (
                Arc::clone(&holding),
                folder.path().to_owned(),
                path.clone(),
                asked(query),
            );
            tokio::spawn(async move { holding.playlist(&root, &path, asked).await })
        };
        let held = [ask("_HLS_msn=8"), ask("_HLS_msn=9&_HLS_part=0")];
        while holding.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        // One more has to come back, whether for a playlist or for a part, and what is there takes no place.
        assert_eq!(ask("_HLS_msn=8").await.unwrap(), Err(Unheld::TooManyHeld));
        let part = folder.path().join("d");
        assert_eq!(
            holding.hinted(folder.path(), &part).await,
            Err(Unheld::TooManyHeld)
        );
        assert_eq!(ask("_HLS_msn=7").await.unwrap(), Ok(()));
        assert_eq!(
            holding.hinted(folder.path(), &folder.path().join("e")).await,
            Ok(())
        );
        // Places are given back, whether what was waited for came…
        std::fs::write(&path, format!("{hinting}#EXTINF:2,\nd\n")).unwrap();
        let [first, second] = held;
        assert_eq!(first.await.unwrap(), Ok(()));
        assert_eq!(holding.room.available_permits(), 1);
        // …or whoever waited has gone.
        second.abort();
        assert!(second.await.unwrap_err().is_cancelled());
        assert_eq!(holding.room.available_permits(), 2);
    }
}
