//! The static origin: published folders over HTTP, the way a CDN would serve them.
//!
//! Answers GET and HEAD for files below its mounts: one byte range at most, any page may read (CORS), media types
//! that players accept, caching that suits signed media. It reads files, never writes them, never lists a folder,
//! never serves a dot file, and its log names no address and no query string.

mod access_log;
mod cache;
mod holding;
mod media_type;
mod mount;
mod range;
mod respond;

pub use access_log::{AccessLog, Line};
pub use mount::{Mount, MountError};
pub use respond::Origin;

#[cfg(test)]
mod tests;
