//! Every limit of the peer protocol, and why it is what it is.

use crate::content::MAX_CHUNKS;

/// Bytes of DATA before its payload: type 1, request 4, object 6, root 32, first chunk 4, count 1.
pub const DATA_HEAD: usize = 48;

/// Longest message: the leaf hashes of the largest segment (64 KiB), or four chunks, and room for a header.
pub const MAX_MESSAGE: usize = 64 * 1024 + 128;

/// Longest message that a peer may send when the other side states no limit (RFC 8841 §6.1).
pub const MAX_MESSAGE_UNSTATED: usize = 64 * 1024;

/// Chunks in one REQUEST: 256 KiB, about 100 ms of a 20 Mbit/s uplink, so that a cancel is never late.
pub const MAX_REQUEST_CHUNKS: u8 = 16;

/// Chunks in one DATA: 64 KiB, the message size that every browser takes.
pub const MAX_DATA_CHUNKS: u8 = 4;

/// Index roots in one TRACKS: the tracks that a manifest may have, the asset list included.
pub const MAX_TRACKS: usize = 1024;

/// Ranges of segments in one HAVE or UNHAVE: a viewer that seeks about holds a handful; more goes in more messages.
pub const MAX_RANGES: usize = 64;

/// Segments that one HAVE describes chunk by chunk: those arriving now.
pub const MAX_PARTIALS: usize = 16;

/// Ranges of chunks of one such segment.
pub const MAX_PARTIAL_RANGES: usize = 16;

/// Leaf hashes in one ROWS: one per chunk of the largest segment.
pub const MAX_ROW: usize = MAX_CHUNKS as usize;

/// Bytes of a STATEMENT: a signature, and a hash per leaf of one request.
pub const MAX_STATEMENT: usize = 1024;

/// Bytes of a HEAD: full records and rows of what is new in three target durations.
pub const MAX_HEAD: usize = 16 * 1024;
