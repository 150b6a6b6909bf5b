//! Makes a published folder out of packaged media, and checks one.
//!
//! The way through: a [`source`] (folder or URL) is read by [`plan`], which uses the parsers of `hls` and `dash` and
//! lists everything else as files; `hashing` turns the plan into hash rows and remembers them in a [`journal`]; and
//! `sealing` writes indexes, rows, names and at last the signed manifest. Media files are read and never written, and
//! a decryption key is never listed.

mod dash;
pub mod delivery;
mod error;
mod hashing;
pub(crate) mod hls;
pub mod journal;
pub mod key_file;
pub mod live;
mod media_type;
mod naming;
pub(crate) mod output;
pub mod plan;
mod previous;
pub mod progress;
mod sealing;
pub mod source;
mod track_numbers;
mod verify;

pub use error::PublishError;
pub(crate) use error::in_words;
pub(crate) use media_type::is_document;
pub use sealing::{MANIFEST, Options, Published, STATEMENT, publish};
pub use verify::{
    Expected, FreshnessReport, LiveReport, Mismatch, Report, StatementFound, VerifyError, verify,
};
