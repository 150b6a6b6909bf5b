//! One JSON line per answered request, for measuring what an origin is really asked for.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where finished requests are written. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccessLog {
    file: Arc<Mutex<File>>,
}

/// What is known about one request: no address, no header but `Range`, no query string.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Line {
    /// When the request arrived, in milliseconds since 1970.
    pub t_ms: u64,
    /// GET, HEAD or OPTIONS; `other` for anything else.
    pub method: String,
    /// Percent-encoded path as asked for.
    pub path: String,
    /// The `Range` header that was acted upon.
    pub range: Option<String>,
    /// Status of the answer.
    pub status: u16,
    /// Body bytes written to the connection. Less than the length promised if the other side went away.
    pub bytes: u64,
}

impl AccessLog {
    /// Opens `path` for appending, creating it if need be.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
        })
    }

    /// Appends one line. A full disk must not stop the origin: the loss is reported once per line and not retried.
    pub(super) fn write(&self, line: &Line) {
        let Ok(mut text) = serde_json::to_vec(line) else {
            return;
        };
        text.push(b'\n');
        let mut file = match self.file.lock() {
            Ok(file) => file,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Err(error) = file.write_all(&text) {
            tracing::warn!(kind = ?error.kind(), "access log line lost");
        }
    }
}

/// Milliseconds since 1970 by the system's clock.
pub(super) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
