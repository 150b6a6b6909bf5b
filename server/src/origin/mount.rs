//! A folder and the path under which it is served.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// One folder of the origin: `/content=DIR`, or just `DIR` for the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    path: String,
    folder: PathBuf,
}

/// Why a mount makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// The path part is not `/`, `/word` or `/word/word`.
    #[error("a mount path is / or /word, not {0:?}")]
    Path(String),
    /// The folder does not exist or is not a folder.
    #[error("{} is not a folder", .0.display())]
    Folder(PathBuf),
}

impl MountError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Path(_) => "mount_path",
            Self::Folder(_) => "mount_folder",
        }
    }
}

impl Mount {
    /// Serves `folder` under `path` (`/` or `/word[/word…]`).
    pub fn new(path: &str, folder: &Path) -> Result<Self, MountError> {
        let trimmed = path.strip_suffix('/').unwrap_or(path);
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
        };
        let words = trimmed.strip_prefix('/').map(|words| words.split('/').all(plain));
        if !(trimmed.is_empty() && path == "/" || words == Some(true)) {
            return Err(MountError::Path(path.to_owned()));
        }
        if !folder.is_dir() {
            return Err(MountError::Folder(folder.to_owned()));
        }
        Ok(Self {
            path: trimmed.to_owned(),
            folder: folder.to_owned(),
        })
    }

    /// URL path without a closing slash; empty for the root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The folder behind it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is left of `path` below this mount: starts with `/`, or is empty for the mount itself.
    pub(super) fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.path.as_str())
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for Mount {
    type Err = MountError;

    fn from_str(text: &str) -> Result<Self, MountError> {
        match text.split_once('=') {
            Some((path, folder)) if path.starts_with('/') => Self::new(path, Path::new(folder)),
            _ => Self::new("/", Path::new(text)),
        }
    }
}
