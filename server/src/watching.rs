//! A folder that a packager writes into: waking when one of its playlists or MPDs changes.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::publisher::{PublishError, is_document};

/// A watched folder.
pub(crate) struct Watching {
    wakes: Receiver<Wake>,
    sender: Sender<Wake>,
    /// Watches as long as it lives.
    _watcher: RecommendedWatcher,
}

/// Ends the loop of whoever waits, from wherever a signal arrives.
#[derive(Clone)]
pub struct Stop(Sender<Wake>);

enum Wake {
    Changed,
    Stop,
}

impl Watching {
    /// Begins to watch, so that nothing is missed between this and [`Self::wait`].
    ///
    /// # Errors
    /// [`PublishError`] when the system cannot watch the folder.
    pub(crate) fn new(folder: &Path) -> Result<Self, PublishError> {
        let (sender, wakes) = mpsc::channel();
        let wake = sender.clone();
        // A loop that has ended wants no wake.
        let watcher = watch(folder, move || _ = wake.send(Wake::Changed))?;
        Ok(Self {
            wakes,
            sender,
            _watcher: watcher,
        })
    }

    /// A handle that ends the loop.
    #[must_use]
    pub(crate) fn stop(&self) -> Stop {
        Stop(self.sender.clone())
    }

    /// Waits for a change, or for `longest`. Says whether to stop.
    #[must_use]
    pub(crate) fn wait(&self, longest: Duration) -> bool {
        match self.wakes.recv_timeout(longest) {
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
            Ok(Wake::Changed) => {}
        }
        // A packager writes the playlists of all renditions one after the other: one look for all of them.
        let until = Instant::now() + GATHER;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            match self.wakes.recv_timeout(left.min(QUIET)) {
                Ok(Wake::Stop) => return true,
                Ok(Wake::Changed) => {}
                Err(_) => break,
            }
        }
        false
    }
}

impl Stop {
    /// Ends the loop; a loop that has ended stays so.
    pub fn now(&self) {
        let _ = self.0.send(Wake::Stop);
    }
}

/// What has been in the way of looking, and for how long.
#[derive(Default)]
pub(crate) struct Trouble {
    since: Option<Instant>,
    told: bool,
}

impl Trouble {
    /// A look has failed. Says whether it is time to tell of it, once until it is over.
    pub(crate) fn goes_on(&mut self) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        let is_time = !self.told && since.elapsed() > PATIENCE;
        self.told |= is_time;
        is_time
    }

    /// A look has worked.
    pub(crate) fn is_over(&mut self) {
        *self = Self::default();
    }
}

/// Now, in Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Calls `changed` whenever a playlist or MPD below `folder` may be another one, until what it gives is dropped.
///
/// # Errors
/// [`PublishError`] when the system cannot watch the folder.
pub(crate) fn watch(
    folder: &Path,
    changed: impl Fn() + Send + 'static,
) -> Result<RecommendedWatcher, PublishError> {
    let failed = |error: notify::Error| PublishError::File {
        path: folder.display().to_string(),
        detail: error.to_string(),
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Lost events are made up for by looking anyway.
        if event.map_or(true, |event| matters(&event)) {
            changed();
        }
    })
    .map_err(failed)?;
    watcher.watch(folder, RecursiveMode::Recursive).map_err(failed)?;
    Ok(watcher)
}

/// Whether a playlist or MPD may be another one now. Reading them is an event as well.
fn matters(event: &Event) -> bool {
    let is_read =
        matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    !is_read
        && event
            .paths
            .iter()
            .any(|path| path.to_str().is_some_and(is_document))
}

/// Some file systems tell nobody what happens on them: so long until a look without a wake.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
/// A packager that is caught in the middle of something.
pub(crate) const RETRY: Duration = Duration::from_millis(50);
/// After this, somebody should know.
const PATIENCE: Duration = Duration::from_secs(10);
/// No change for so long: the packager has written what it had to.
const QUIET: Duration = Duration::from_millis(4);
const GATHER: Duration = Duration::from_millis(20);
