//! Where media is read from: a folder or a web server.
//!
//! Names are the published ones: paths relative to the base, written as in a URL and normalised.

mod folder;
mod http;

use std::io::Read;

use url::Url;

use super::PublishError;
pub use folder::Folder;
pub(crate) use http::client_believing;
pub use http::{HttpSource, client};
pub(crate) use http::{below, without_query};

/// Something that media can be read from.
pub trait Source: Sync {
    /// The address that all names are relative to. For a folder it only serves to resolve references.
    fn base(&self) -> &Url;

    /// Names to start from: for a folder all of its files, for a URL the document it points to. Sorted.
    fn entries(&self) -> Result<Vec<String>, PublishError>;

    /// Notes where a reference led, so that the name can be fetched with the query the server wants.
    fn learn(&self, name: &str, address: &Url);

    /// Length, and something that changes when the resource does. `None`: it is not there.
    fn stamp(&self, name: &str) -> Result<Option<Stamp>, PublishError>;

    /// Opens a resource, or `(offset, length)` of it. Ends early if the resource does.
    fn open(&self, name: &str, range: Option<(u64, u64)>) -> Result<Opened, PublishError>;

    /// The error for a read that broke off.
    fn failed(&self, name: &str, error: &std::io::Error) -> PublishError;

    /// Whether asking for a stamp costs about as much as a file system call.
    fn stamps_are_cheap(&self) -> bool;
}

/// A resource that is being read.
pub struct Opened {
    /// What was asked for.
    pub bytes: Box<dyn Read + Send>,
    /// The state that is being read.
    pub stamp: Stamp,
}

/// Identity of one state of a resource, as far as it can be told without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Length in bytes, if the source knows it.
    pub length: Option<u64>,
    /// Modification time or entity tag; empty if the source gives none, and then nothing may be remembered.
    pub validator: String,
}

/// Reads a whole document of at most `limit` bytes.
pub(crate) fn read_document(source: &dyn Source, name: &str, limit: u64) -> Result<Vec<u8>, PublishError> {
    read_range(source, name, None, limit)
}

/// Reads `range` of a resource, at most `limit` bytes.
pub fn read_range(
    source: &dyn Source,
    name: &str,
    range: Option<(u64, u64)>,
    limit: u64,
) -> Result<Vec<u8>, PublishError> {
    let mut bytes = Vec::new();
    source
        .open(name, range)?
        .bytes
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| PublishError::unreadable(name, error))?;
    if bytes.len() as u64 > limit {
        return Err(PublishError::unreadable(
            name,
            format!("it is longer than {limit} bytes"),
        ));
    }
    Ok(bytes)
}
