//! A folder on disk as a source.

use std::fs::File;
use std::fs::Metadata;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use url::Url;
use walkdir::WalkDir;

use super::{Opened, Source, Stamp};
use crate::publisher::PublishError;
use crate::publisher::journal::FOLDER as STATE;
use crate::publisher::sealing::{MANIFEST, SEAL, STATEMENT};
use crate::publisher::source::http::decode_percent;

/// A folder of packaged media.
pub struct Folder {
    root: PathBuf,
    base: Url,
}

impl Folder {
    /// Opens a folder.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, PublishError> {
        let root = root.into();
        let is_folder = std::fs::metadata(&root)
            .map_err(|error| PublishError::file(&root, error))?
            .is_dir();
        if !is_folder {
            return Err(PublishError::File {
                path: root.display().to_string(),
                detail: "not a folder".to_owned(),
            });
        }
        let base = Url::parse(BASE).map_err(|error| PublishError::Content(error.to_string()))?;
        Ok(Self { root, base })
    }

    /// Where the folder lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `None`: no file in this folder can have that name.
    fn path_of(&self, name: &str) -> Option<PathBuf> {
        let mut path = self.root.clone();
        for part in name.split('?').next().unwrap_or(name).split('/') {
            let part = decode_percent(part);
            if part.is_empty() || part == ".." || part.contains(['/', '\\', '\0']) {
                return None;
            }
            path.push(part);
        }
        Some(path)
    }
}

impl Source for Folder {
    fn base(&self) -> &Url {
        &self.base
    }

    /// Hidden files and what an earlier run wrote are not part of what is published. Links are followed.
    fn entries(&self) -> Result<Vec<String>, PublishError> {
        let visible = |entry: &walkdir::DirEntry| {
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            let is_seal = entry.file_name() == MANIFEST
                || entry.file_name() == STATEMENT
                || (entry.file_name() == SEAL && (entry.depth() == 1 || entry.path().join(STATE).is_dir()));
            entry.depth() == 0 || !(is_hidden || is_seal)
        };
        let mut names = Vec::new();
        for entry in WalkDir::new(&self.root)
            .follow_links(true)
            .into_iter()
            .filter_entry(visible)
        {
            let entry = entry.map_err(|error| PublishError::File {
                path: error.path().unwrap_or(&self.root).display().to_string(),
                detail: error.to_string(),
            })?;
            if !entry.file_type().is_file() {
                continue;
            }
            let path = entry.path().strip_prefix(&self.root).unwrap_or(entry.path());
            let parts: Option<Vec<String>> = path
                .iter()
                .map(|part| part.to_str().map(encode_percent))
                .collect();
            let Some(parts) = parts else {
                return Err(PublishError::File {
                    path: entry.path().display().to_string(),
                    detail: "the name is not UTF-8 and can have no URL".to_owned(),
                });
            };
            names.push(parts.join("/"));
        }
        names.sort();
        Ok(names)
    }

    fn learn(&self, _name: &str, _address: &Url) {}

    fn stamp(&self, name: &str) -> Result<Option<Stamp>, PublishError> {
        let Some(path) = self.path_of(name) else {
            return Ok(None);
        };
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(PublishError::file(&path, error)),
        };
        if !metadata.is_file() {
            return Ok(None);
        }
        stamp_of(&path, &metadata).map(Some)
    }

    fn open(&self, name: &str, range: Option<(u64, u64)>) -> Result<Opened, PublishError> {
        let Some(path) = self.path_of(name) else {
            return Err(PublishError::file(name, ErrorKind::NotFound.into()));
        };
        let failed = |error| PublishError::file(&path, error);
        let mut file = File::open(&path).map_err(failed)?;
        let stamp = stamp_of(&path, &file.metadata().map_err(failed)?)?;
        let Some((offset, length)) = range else {
            return Ok(Opened {
                bytes: Box::new(file),
                stamp,
            });
        };
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        Ok(Opened {
            bytes: Box::new(file.take(length)),
            stamp,
        })
    }

    fn failed(&self, name: &str, error: &std::io::Error) -> PublishError {
        PublishError::File {
            path: self.root.join(name).display().to_string(),
            detail: error.to_string(),
        }
    }

    fn stamps_are_cheap(&self) -> bool {
        true
    }
}

fn stamp_of(path: &Path, metadata: &Metadata) -> Result<Stamp, PublishError> {
    let modified = metadata
        .modified()
        .map_err(|error| PublishError::file(path, error))?;
    let validator = match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => format!("{}.{:09}", since.as_secs(), since.subsec_nanos()),
        Err(before) => format!("-{}", before.duration().as_nanos()),
    };
    Ok(Stamp {
        length: Some(metadata.len()),
        validator,
    })
}

/// Writes one part of a path as browsers do: everything but the characters that RFC 3986 §3.3 allows in a segment.
fn encode_percent(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// References are resolved against an address that no reference can mean; the path keeps `..` from passing unseen.
const BASE: &str = "http://folder.invalid/~/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_to_urls_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let odd = "a b#c?ü%.txt";
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(folder.path().join("sub").join(odd), b"x").unwrap();
        std::fs::create_dir(folder.path().join("seal")).unwrap();
        std::fs::write(folder.path().join("seal/track-1.index"), b"x").unwrap();
        std::fs::write(folder.path().join("content.seal"), b"x").unwrap();
        std::fs::write(folder.path().join(".hidden"), b"x").unwrap();
        std::fs::create_dir_all(folder.path().join("signed/seal/.state")).unwrap();
        std::fs::write(folder.path().join("signed/seal/track-1.index"), b"x").unwrap();
        std::fs::write(folder.path().join("signed/content.seal"), b"x").unwrap();
        let source = Folder::open(folder.path()).unwrap();
        let names = source.entries().unwrap();
        assert_eq!(names, ["sub/a%20b%23c%3F%C3%BC%25.txt"]);
        assert_eq!(source.stamp(&names[0]).unwrap().unwrap().length, Some(1));
        assert_eq!(source.stamp("sub/none").unwrap(), None);
        assert_eq!(source.stamp("sub/..%2f..%2fetc%2fpasswd").unwrap(), None);
    }
}
