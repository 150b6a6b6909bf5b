//! What viewers read: sessions, heads, and the files of logs. All of it can be written again from the state, so nothing
//! here waits for the disk.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use swarmseal::content::live::{LiveSlot, TrackFile};
use swarmseal::content::{Hash, PAGE_RECORDS, TrackId};

use super::recording::Recording;
use crate::publisher::{PublishError, output};

/// The public folder of one content.
pub(super) struct Files {
    root: PathBuf,
    pub(super) slot: LiveSlot,
}

impl Files {
    pub(super) fn new(root: &Path, slot: LiveSlot) -> Self {
        Self {
            root: root.to_owned(),
            slot,
        }
    }

    /// The newest head, if one lies there.
    pub(super) fn newest(&self) -> Option<Vec<u8>> {
        fs::read(self.root.join(self.slot.newest())).ok()
    }

    pub(super) fn session(&self, number: u64, sealed: &[u8]) -> Result<(), PublishError> {
        self.replace(&self.slot.session(number), sealed)
    }

    /// The copy that never changes, and then the newest one. The copy that has grown too old goes.
    pub(super) fn head(&self, log: u64, sequence: u64, sealed: &[u8]) -> Result<(), PublishError> {
        self.replace(&self.slot.head(log, sequence), sealed)?;
        self.replace(&self.slot.newest(), sealed)?;
        match sequence.checked_sub(HEADS_KEPT) {
            Some(old) => remove(&self.root.join(self.slot.head(log, old))),
            None => Ok(()),
        }
    }

    /// Removes the copies that have grown too old by `sequence`, whoever left them.
    pub(super) fn prune(&self, log: u64, sequence: u64) -> Result<(), PublishError> {
        let folder = self.root.join(&self.slot.folder).join(log.to_string());
        let failed = |error| PublishError::file(&folder, error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_suffix(".head")?.parse().ok());
            if let Some(number) = number.filter(|number: &u64| number.saturating_add(HEADS_KEPT) <= sequence)
            {
                remove(&self.root.join(self.slot.head(log, number)))?;
            }
        }
        Ok(())
    }

    /// Writes the files of a log whole, as after a restart.
    pub(super) fn restore(&self, log: u64, recording: &Recording, rows: &[Hash]) -> Result<(), PublishError> {
        let id = recording.outline.id;
        let records = recording
            .segments
            .iter()
            .flat_map(|segment| segment.record.encode());
        let records: Vec<u8> = records.collect();
        self.create(log)?;
        output::write_bytes(&self.track(log, id, TrackFile::Records), &records)?;
        output::write_bytes(
            &self.track(log, id, TrackFile::Pages),
            &joined(recording.pages(0)),
        )?;
        output::write_bytes(&self.track(log, id, TrackFile::Rows), &joined(rows)).map(drop)
    }

    /// Appends the records of a log from number `from` on, with their rows.
    pub(super) fn append(
        &self,
        log: u64,
        recording: &Recording,
        from: u32,
        rows: &[Hash],
    ) -> Result<(), PublishError> {
        let id = recording.outline.id;
        let news = recording.segments.get(from as usize..).unwrap_or_default();
        let records: Vec<u8> = news.iter().flat_map(|segment| segment.record.encode()).collect();
        let pages = joined(recording.pages((from / PAGE_RECORDS) as usize));
        append(&self.track(log, id, TrackFile::Rows), &joined(rows))?;
        append(&self.track(log, id, TrackFile::Pages), &pages)?;
        append(&self.track(log, id, TrackFile::Records), &records)
    }

    /// The folder of a log.
    pub(super) fn create(&self, log: u64) -> Result<(), PublishError> {
        let folder = self.root.join(&self.slot.folder).join(log.to_string());
        fs::create_dir_all(&folder).map_err(|error| PublishError::file(&folder, error))
    }

    /// Where a file of a log lies.
    pub(super) fn track(&self, log: u64, id: TrackId, file: TrackFile) -> PathBuf {
        self.root.join(self.slot.track(log, id, file))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let path = self.root.join(name);
        let mut temporary = path.clone().into_os_string();
        temporary.push(".new");
        fs::write(&temporary, bytes)
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(|error| PublishError::file(&path, error))
    }
}

fn append(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    let write = |path: &Path| -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(bytes)
    };
    write(path).map_err(|error| PublishError::file(path, error))
}

fn remove(path: &Path) -> Result<(), PublishError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PublishError::file(path, error)),
        _ => Ok(()),
    }
}

fn joined(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Copies of heads that stay: some minutes of a stream, 16 MiB at most. Whoever has missed more reads the logs, which say
/// everything that older heads said.
const HEADS_KEPT: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_heads_go_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let slot = LiveSlot {
            folder: "live".to_owned(),
        };
        let files = Files::new(folder.path(), slot);
        files.create(7).unwrap();
        files.session(7, b"session").unwrap();
        let is_there = |number: u64| folder.path().join(format!("live/7/{number}.head")).exists();
        let last = HEADS_KEPT + 20;
        for sequence in 1..=last {
            files.head(7, sequence, &sequence.to_be_bytes()).unwrap();
        }
        assert!((1..=20).all(|number| !is_there(number)));
        assert!((21..=last).all(is_there));
        // A crash between writing and removing, or sequences that were passed over.
        for left in ["3.head", "track-1.records", "1.head.txt", "x.head"] {
            fs::write(folder.path().join("live/7").join(left), left).unwrap();
        }
        files.prune(7, last).unwrap();
        assert!(!is_there(3) && (21..=last).all(is_there));
        for kept in [
            "7/track-1.records",
            "7/1.head.txt",
            "7/x.head",
            "7.session",
            "latest",
        ] {
            assert!(folder.path().join("live").join(kept).exists(), "{kept}");
        }
        assert_eq!(files.newest(), Some(last.to_be_bytes().to_vec()));
    }
}
