//! What is delivered: manifest, index, rows, hash tree, trust.
//!
//! Everything a peer believes about a content comes out of this room: bytes go in, and only what follows from the
//! publisher's signature comes out. It must never fetch, never hold payload, and never hand out a value that it has
//! not checked. Normative text: docs/PROTOCOL.md.

mod base64url;
mod catalog;
pub(crate) mod cbor;
pub mod cose;
#[cfg(not(feature = "standalone"))]
mod endorsement;
#[cfg(not(feature = "standalone"))]
mod freshness;
mod geometry;
mod hash;
mod index;
mod keys;
#[cfg(feature = "live")]
pub mod live;
mod manifest;
mod names;
mod paths;
#[cfg(not(feature = "standalone"))]
pub mod publish;
mod text;
pub mod tree;
mod trust;

pub use base64url::{bytes_from_base64url, from_base64url, to_base64url};
pub use catalog::{Catalog, Location, ObjectInfo, Resolution, RowError, Sheet, SheetError, Span};
#[cfg(not(feature = "standalone"))]
pub use endorsement::{Endorsement, EndorsementError, MAX_ENDORSED_S};
#[cfg(not(feature = "standalone"))]
pub use freshness::{Freshness, FreshnessError, Grade, MAX_FRESH_S, OfflineTime};
pub use geometry::{
    CHUNK, MAX_CHUNKS, MAX_OBJECT_LEN, MAX_SEGMENTS, MAX_TRACK, ObjectId, PAGE, PAGE_RECORDS, RECORD_LEN,
    TrackId, chunk_count, chunk_len, page_count, page_records,
};
pub use hash::{Hash, TextError};
pub use index::{Record, RecordError};
pub use keys::{ContentId, PublicKey, SecretKey, SwarmId, SwarmSecret};
pub use manifest::{
    Asset, Class, FORMAT, IndexFile, MAX_ASSETS, MAX_MEDIA_TYPE, MAX_NUMBER, MAX_PARAMETERS, MAX_RESERVED,
    MAX_TRACKER_KEYS, MAX_TRACKS, Manifest, ManifestError, Names, RowsFile, Tombstone, Track, TrackKind,
};
pub use names::{Template, TemplateError};
pub use paths::{MAX_PATH, PathError, normalise_path, strip_base};
pub(crate) use text::from_text;
pub use trust::{Pin, Remembered, RollbackMemory, Trust, TrustError, VerifiedManifest, WallTime};
