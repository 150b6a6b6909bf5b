//! What a user reads when a command fails: one line with a stable code, what is wrong and what to do.

use std::fmt;

use crate::publisher::PublishError;
use crate::publisher::key_file::KeyFileError;

/// Exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All done.
    Done = 0,
    /// The command could not do its work.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A check ran to its end and found something that does not match.
    Mismatch = 3,
}

/// Why a command ended without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    exit: Exit,
    code: &'static str,
    what: String,
    remedy: String,
}

impl Failure {
    /// `code` is stable snake_case, `what` says what is wrong, `remedy` what to do about it (may be empty).
    pub fn new(code: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            code,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// The same failure with another exit status.
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Exit status for the process.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Stable code, for scripts.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.what)?;
        if self.remedy.is_empty() {
            Ok(())
        } else {
            write!(f, "; {}", self.remedy)
        }
    }
}

impl std::error::Error for Failure {}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}
