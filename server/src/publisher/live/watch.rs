//! The loop around a live publisher: woken when a playlist changes, and now and then in case nobody wakes it.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::observe;
use super::publisher::{LivePublisher, Stated, Step};
use crate::publisher::{PublishError, Published};

/// Watches the folder of a packager.
pub struct Watch {
    wakes: Receiver<Wake>,
    sender: Sender<Wake>,
    /// Watches as long as it lives.
    _watcher: RecommendedWatcher,
}

/// Ends a [`Watch::run`], from wherever a signal arrives.
#[derive(Clone)]
pub struct Stop(Sender<Wake>);

/// What happens while a stream is published.
#[derive(Debug)]
pub enum WatchEvent<'a> {
    /// A head appeared.
    Stated(&'a Stated),
    /// For some seconds now the packager's files have made no sense.
    Waiting(&'a PublishError),
}

enum Wake {
    Changed,
    Stop,
}

impl Watch {
    /// Begins to watch, so that nothing is missed between this and [`Self::run`].
    ///
    /// # Errors
    /// [`PublishError`] when the system cannot watch the folder.
    pub fn new(folder: &Path) -> Result<Self, PublishError> {
        let (sender, wakes) = mpsc::channel();
        let failed = |error: notify::Error| PublishError::File {
            path: folder.display().to_string(),
            detail: error.to_string(),
        };
        let wake = sender.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // Lost events are made up for by looking anyway; a loop that has ended wants none.
            if event.map_or(true, |event| matters(&event)) {
                let _ = wake.send(Wake::Changed);
            }
        })
        .map_err(failed)?;
        watcher.watch(folder, RecursiveMode::Recursive).map_err(failed)?;
        Ok(Self {
            wakes,
            sender,
            _watcher: watcher,
        })
    }

    /// A handle that ends the loop.
    #[must_use]
    pub fn stop(&self) -> Stop {
        Stop(self.sender.clone())
    }

    /// Publishes until the packager ends its playlists or [`Stop`] says so; then signs the end and publishes the
    /// recording, if the publisher's key is here.
    ///
    /// # Errors
    /// [`PublishError`]; what was stated until then stays good, and opening the folder again goes on.
    pub fn run(
        &self,
        publisher: &mut LivePublisher,
        tell: &mut dyn FnMut(&WatchEvent<'_>),
    ) -> Result<Option<Published>, PublishError> {
        let mut troubled: Option<Instant> = None;
        let mut told = false;
        loop {
            match publisher.step(now_ms())? {
                Step::Finished => break,
                Step::Stated(stated) => tell(&WatchEvent::Stated(&stated)),
                Step::Unchanged => {}
                Step::Waiting(error) => {
                    let since = *troubled.get_or_insert_with(Instant::now);
                    if !told && since.elapsed() > PATIENCE {
                        tell(&WatchEvent::Waiting(&error));
                        told = true;
                    }
                    if self.wait(RETRY) {
                        break;
                    }
                    continue;
                }
            }
            (troubled, told) = (None, false);
            if self.wait(LOOK) {
                break;
            }
        }
        if let Some(stated) = publisher.end(now_ms())? {
            tell(&WatchEvent::Stated(&stated));
        }
        publisher.finish(now_ms() / 1000)
    }

    /// Waits for a change, or for `longest`. Says whether to stop.
    fn wait(&self, longest: Duration) -> bool {
        match self.wakes.recv_timeout(longest) {
            Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => return false,
            Ok(Wake::Changed) => {}
        }
        // A packager writes the playlists of all renditions one after the other: one head for all of them.
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

/// Whether a playlist or MPD may be another one now. Reading them is an event as well.
fn matters(event: &Event) -> bool {
    let is_read =
        matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    !is_read
        && event
            .paths
            .iter()
            .any(|path| path.to_str().is_some_and(observe::is_document))
}

fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Some file systems tell nobody what happens on them.
const LOOK: Duration = Duration::from_secs(1);
/// A packager that is caught in the middle of something.
const RETRY: Duration = Duration::from_millis(50);
/// After this, the user should know.
const PATIENCE: Duration = Duration::from_secs(10);
/// No change for so long: the packager has written what it had to.
const QUIET: Duration = Duration::from_millis(4);
const GATHER: Duration = Duration::from_millis(20);
