//! A folder or a URL, as the user names it.

use std::path::{Path, PathBuf};

use url::Url;

use crate::cli::Failure;
use crate::publisher::source::{Folder, HttpSource, Source};
use crate::publisher::{MANIFEST, PublishError};

/// Where something lies.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Path(PathBuf),
    Url(Url),
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
        match url.scheme() {
            "http" | "https" => Ok(Self::Url(url)),
            scheme => Err(format!("{scheme}:// is not supported, only http:// and https://")),
        }
    }
}

pub(super) fn no_manifest(path: &Path) -> Failure {
    Failure::new(
        "no_manifest",
        format!("there is no {}", path.display()),
        "name a folder that swarmseal publish has written, or its content.seal",
    )
}

/// A published content: its source and the name of its manifest in there.
pub(super) struct Published {
    pub(super) source: Box<dyn Source>,
    pub(super) manifest: String,
}

impl Place {
    /// Finds the manifest: the place may be the folder or the manifest itself.
    pub(super) fn published(&self) -> Result<Published, Failure> {
        match self {
            Self::Path(path) => {
                let (folder, manifest) = if path.is_dir() {
                    (path.clone(), MANIFEST.to_owned())
                } else {
                    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                    (
                        parent.map_or_else(|| ".".into(), PathBuf::from),
                        name.unwrap_or_default(),
                    )
                };
                let found = folder.join(&manifest);
                if !found.is_file() {
                    return Err(no_manifest(&found));
                }
                Ok(Published {
                    source: Box::new(Folder::open(folder)?),
                    manifest,
                })
            }
            Self::Url(url) => {
                let url = if url.path().ends_with('/') {
                    joined(url)?
                } else {
                    url.clone()
                };
                let source = HttpSource::open(&url, None)?;
                let manifest = source.entries()?.into_iter().next().unwrap_or_default();
                Ok(Published {
                    source: Box::new(source),
                    manifest,
                })
            }
        }
    }
}

fn joined(folder: &Url) -> Result<Url, PublishError> {
    folder.join(MANIFEST).map_err(|error| PublishError::Http {
        url: folder.to_string(),
        detail: error.to_string(),
    })
}
