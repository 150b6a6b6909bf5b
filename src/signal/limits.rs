//! Every limit of the tracker protocol, and why it is what it is.

/// The version of the tracker protocol that this crate speaks.
pub const SIGNAL_VERSION: u8 = 1;

/// Longest JSON text in either direction: the largest valid announce, and some room. A socket must refuse longer
/// ones before it parses them.
pub const MAX_SIGNAL_TEXT: usize = 64 * 1024;

/// Handles in one list, and so in one LIST request: what a peer can try in a minute or two.
pub const MAX_LIST: usize = 30;

/// Tracks in one announce: nobody plays more at a time.
pub const MAX_ANNOUNCE_TRACKS: usize = 64;

/// Ranges per track in one announce: announcements are coarse.
pub const MAX_ANNOUNCE_RANGES: usize = 16;

/// How long an announcement may stay valid, in seconds: as long as a ticket.
pub const MAX_ANNOUNCE_S: u32 = 600;

/// Candidates that one side may send for one introduction; more only help to scan somebody's network.
pub const MAX_CANDIDATES: usize = 6;

/// Seconds after which an introduction that is not answered ends.
pub const INTRODUCTION_TIMEOUT_S: u32 = 10;

/// Introductions at first in the exposure mode `direct`.
pub const DIRECT_INTRODUCTIONS: u32 = 30;

/// Further introductions a minute in the exposure mode `direct`, to replace peers that were lost.
pub const DIRECT_REPLACEMENTS_PER_MINUTE: u32 = 3;

/// Introductions at first in the exposure mode `guarded`, whoever asked.
pub const GUARDED_INTRODUCTIONS: u32 = 8;

/// Further introductions an hour in the exposure mode `guarded`, whoever asked.
pub const GUARDED_REPLACEMENTS_PER_HOUR: u32 = 5;

/// ICE servers in one message. Browsers warn from five on.
pub const MAX_ICE_SERVERS: usize = 8;

/// URLs of one ICE server.
pub const MAX_ICE_URLS: usize = 4;

/// Length of one such URL, user name or credential.
pub const MAX_ICE_TEXT: usize = 512;

/// Length of the human text of an error.
pub const MAX_ERROR_TEXT: usize = 256;

/// Longest pause that the other side may ask for, in seconds; a tracker cannot silence a peer for good.
pub const MAX_INTERVAL_S: u32 = 3600;

/// Bytes of a revocation, of a challenge and of what answers it in the same form.
pub const MAX_OPAQUE: usize = 4096;

/// Length of a session description from the browser: about ten times a real one.
pub const MAX_SDP: usize = 16 * 1024;

/// Length of a candidate line: about three times a real one.
pub const MAX_CANDIDATE_LINE: usize = 512;

/// Smallest message size that a peer may state: one chunk and its header must fit.
pub const MIN_MESSAGE_SIZE: u32 = 17 * 1024;

/// Largest message size that is passed on; what browsers state at most.
pub const MAX_MESSAGE_SIZE: u32 = 0x3fff_ffff;
