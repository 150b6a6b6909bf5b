//! Sessions and their keys, in the state folder: made when they are needed, or beforehand where the publisher's key is.

use std::fs::File;
use std::path::{Path, PathBuf};

use swarmseal::content::cose;
use swarmseal::content::live::Session;
use swarmseal::content::{ContentId, SecretKey};

use crate::publisher::{PublishError, key_file, output};

/// The sessions of one content.
pub(super) struct Sessions {
    folder: PathBuf,
    content_id: ContentId,
    all: Vec<Held>,
}

/// A session with its key.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) session: Session,
    pub(super) sealed: Vec<u8>,
    pub(super) key: SecretKey,
}

impl Sessions {
    /// Reads what there is. A session without its key, or of another content, is passed over.
    pub(super) fn open(state: &Path, content_id: ContentId) -> Result<Self, PublishError> {
        let folder = state.join("sessions");
        std::fs::create_dir_all(&folder).map_err(|error| PublishError::file(&folder, error))?;
        let mut all: Vec<Held> = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(|error| PublishError::file(&folder, error))? {
            let path = entry.map_err(|error| PublishError::file(&folder, error))?.path();
            if path.extension().is_some_and(|ending| ending == SEALED) {
                all.extend(read(&path).filter(|held| held.session.content_id == content_id));
            }
        }
        all.sort_by_key(|held| held.session.number);
        Ok(Self {
            folder,
            content_id,
            all,
        })
    }

    /// The last session that heads may be issued under at `now_s`, with a number of at least `number`.
    pub(super) fn valid(&self, now_s: u64, number: u64) -> Option<&Held> {
        self.all.iter().rev().find(|held| {
            let session = &held.session;
            session.number >= number && session.not_before <= now_s && now_s < session.not_after
        })
    }

    /// The first valid session above `number` with which no logs have begun.
    pub(super) fn unused(&self, now_s: u64, number: u64) -> Option<&Held> {
        self.all.iter().find(|held| {
            let session = &held.session;
            session.number > number
                && session.not_before <= now_s
                && now_s < session.not_after
                && !self.mark(session.number).exists()
        })
    }

    /// Notes on disk that logs begin with this session.
    pub(super) fn use_up(&self, number: u64) -> Result<(), PublishError> {
        let path = self.mark(number);
        File::create(&path)
            .and_then(|file| file.sync_all())
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(|error| PublishError::file(&path, error))
    }

    /// Makes a session with a new key, numbered above `floor` and every other.
    pub(super) fn make(
        &mut self,
        publisher: &SecretKey,
        (not_before, not_after): (u64, u64),
        first_sequence: u64,
        floor: u64,
    ) -> Result<Held, PublishError> {
        let last = self.all.last().map_or(0, |held| held.session.number);
        // Numbers from the clock go up even if nothing is left to count from.
        let number = not_before.max(floor + 1).max(last + 1);
        let key_path = self.folder.join(format!("{number}.key"));
        key_file::generate(&key_path).map_err(|error| PublishError::Content(error.to_string()))?;
        let key =
            key_file::read_private(&key_path).map_err(|error| PublishError::Content(error.to_string()))?;
        let session = Session {
            content_id: self.content_id,
            number,
            key: key.public(),
            not_before,
            not_after,
            first_sequence,
        };
        let sealed = session
            .sign(publisher)
            .map_err(|error| PublishError::Content(error.to_string()))?;
        output::write_bytes(&self.folder.join(format!("{number}.{SEALED}")), &sealed)?;
        let held = Held { session, sealed, key };
        self.all.push(held.clone());
        Ok(held)
    }

    fn mark(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}.used"))
    }
}

/// The signature is not looked at: what is not good here, no viewer takes.
fn read(path: &Path) -> Option<Held> {
    let sealed = std::fs::read(path).ok()?;
    let session = Session::decode(cose::peek(&sealed).ok()?.payload).ok()?;
    let key = key_file::read_private(&path.with_extension("key")).ok()?;
    (key.public() == session.key).then_some(Held { session, sealed, key })
}

const SEALED: &str = "session";
