//! The loop around a live publisher: woken when a playlist changes, and now and then in case nobody wakes it.

use std::path::Path;

use super::publisher::{LivePublisher, Stated, Step};
use crate::publisher::{PublishError, Published};
use crate::watching::{LOOK, RETRY, Stop, Trouble, Watching, now_ms};

/// Watches the folder of a packager.
pub struct Watch(Watching);

/// What happens while a stream is published.
#[derive(Debug)]
pub enum WatchEvent<'a> {
    /// A head appeared.
    Stated(&'a Stated),
    /// For some seconds now the packager's files have made no sense.
    Waiting(&'a PublishError),
}

impl Watch {
    /// Begins to watch, so that nothing is missed between this and [`Self::run`].
    ///
    /// # Errors
    /// [`PublishError`] when the system cannot watch the folder.
    pub fn new(folder: &Path) -> Result<Self, PublishError> {
        Watching::new(folder).map(Self)
    }

    /// A handle that ends the loop.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.0.stop()
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
        let mut trouble = Trouble::default();
        loop {
            match publisher.step(now_ms())? {
                Step::Finished => break,
                Step::Stated(stated) => tell(&WatchEvent::Stated(&stated)),
                Step::Unchanged => {}
                Step::Waiting(error) => {
                    if trouble.goes_on() {
                        tell(&WatchEvent::Waiting(&error));
                    }
                    if self.0.wait(RETRY) {
                        break;
                    }
                    continue;
                }
            }
            trouble.is_over();
            if self.0.wait(LOOK) {
                break;
            }
        }
        if let Some(stated) = publisher.end(now_ms())? {
            tell(&WatchEvent::Stated(&stated));
        }
        publisher.finish(now_ms() / 1000)
    }
}
