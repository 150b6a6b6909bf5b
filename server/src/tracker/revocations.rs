//! The file in which revocations outlive the process: one JSON object a line, replaced as a whole.

use std::path::{Path, PathBuf};

use swarmseal_tracker::Revoked;

/// Why revocations cannot be kept or taken up.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", path.display())]
pub struct RevocationsError {
    path: PathBuf,
    detail: String,
}

impl RevocationsError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        "revocations_unusable"
    }
}

/// What was kept; nothing if there is no file yet.
pub(crate) fn read(path: &Path) -> Result<Vec<Revoked>, RevocationsError> {
    let unusable = |detail: String| RevocationsError {
        path: path.to_owned(),
        detail,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unusable(error.to_string())),
    };
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| unusable(error.to_string())))
        .collect()
}

/// Appears complete or not at all.
pub(super) fn write(path: &Path, revoked: &[Revoked]) -> std::io::Result<()> {
    let mut text = String::new();
    for one in revoked {
        text.push_str(&serde_json::to_string(one)?);
        text.push('\n');
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(&unfinished, path)
}
