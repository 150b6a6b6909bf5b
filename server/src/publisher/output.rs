//! Files that are there completely or not at all.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::PublishError;

/// Writes a file through `write` and puts it in its place, unless the same bytes lie there already. Says whether it
/// was written.
pub(crate) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), PublishError>,
) -> Result<bool, PublishError> {
    let temporary = temporary_path(path);
    let result = write_temporary(path, &temporary, write);
    if result.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

/// The same for what can be written again, so that nothing waits for the disk: whoever reads sees the whole file, or
/// the one before.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    std::fs::write(&unfinished, bytes)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .map_err(|error| PublishError::file(path, error))
}

fn write_temporary(
    path: &Path,
    temporary: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), PublishError>,
) -> Result<bool, PublishError> {
    let failed = |error| PublishError::file(path, error);
    let mut writer = BufWriter::new(File::create(temporary).map_err(failed)?);
    write(&mut writer)?;
    let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    drop(file);
    if is_same(path, temporary).map_err(failed)? {
        std::fs::remove_file(temporary).map_err(failed)?;
        return Ok(false);
    }
    std::fs::rename(temporary, path).map_err(failed)?;
    sync_folder(path).map_err(failed)?;
    Ok(true)
}

/// The rename itself has to reach the disk before a manifest may name the file.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        })?
        .sync_all(),
        _ => Ok(()),
    }
}

fn is_same(path: &Path, other: &Path) -> std::io::Result<bool> {
    let existing = match File::open(path) {
        Ok(existing) => existing,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let other = File::open(other)?;
    if existing.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut existing, mut other) = (BufReader::new(existing), BufReader::new(other));
    let (mut a, mut b) = ([0; 8192], [0; 8192]);
    loop {
        let count = other.read(&mut b)?;
        if count == 0 {
            return Ok(true);
        }
        let (Some(a), Some(b)) = (a.get_mut(..count), b.get(..count)) else {
            return Ok(false);
        };
        existing.read_exact(a)?;
        if a != b {
            return Ok(false);
        }
    }
}

fn temporary_path(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

/// The plain form: all bytes at once.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<bool, PublishError> {
    write_file(path, |writer| {
        writer
            .write_all(bytes)
            .map_err(|error| PublishError::file(path, error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(write_bytes(&path, b"one").unwrap());
        assert!(!write_bytes(&path, b"one").unwrap());
        assert!(write_bytes(&path, b"two").unwrap());
        let failed = write_file(&path, |writer| {
            writer.write_all(b"three").unwrap();
            Err(PublishError::Content("no".to_owned()))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
