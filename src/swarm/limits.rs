//! Every bound of the engine, with its reason.

/// Demands under way at once. A player has a handful; a file downloader some dozens.
pub(super) const MAX_DEMANDS: usize = 1_024;

/// HTTP requests at once. Browsers open six connections per host on HTTP/1.1; more would only queue there,
/// out of our sight.
pub(super) const MAX_FETCHES: usize = 6;

/// Chunks that may be requested from one peer at once: 512 KiB, twice what a browser's data channel has under way on a
/// link without loss. With 1 MiB Chromium's begins so fast that it loses what it sends, in its own queue, and waits for
/// time-outs of 400 ms, several of them.
pub(super) const MAX_WINDOW: u32 = 32;

/// Chunks that may be requested from a peer of which it is not known yet how fast it answers.
pub(super) const FIRST_WINDOW: u32 = 4;

/// Chunks that may be requested from a peer none of whose chunks has verified yet.
pub(super) const UNPROVEN_WINDOW: u32 = 4;

/// Requests of one peer waiting to be served: as many as a window has chunks.
pub(super) const MAX_UPLOAD_QUEUE: usize = 32;

/// Unsent bytes that one peer's channel may hold, unless its measured rate allows more.
pub(super) const MIN_UNSENT: u64 = 64 << 10;

/// A channel that holds no more than this is low: its owner says so once, and one more message may follow
/// whatever the other bounds say. The browser's low-water mark is set to the same.
pub(super) const LOW_UNSENT: u64 = 8 << 10;

/// How long unsent bytes of one peer may last at its measured rate, milliseconds.
pub(super) const UNSENT_MS: u64 = 100;

/// How long the unsent bytes of all peers may last at the estimated uplink, milliseconds: uplinks run dry
/// with less, and with more a live stream's newest segment waits behind older ones.
pub(super) const UNSENT_ALL_MS: u64 = 400;

/// Unsent bytes over all peers that are always allowed, so that an unknown uplink can be measured.
pub(super) const MIN_UNSENT_ALL: u64 = 256 << 10;

/// Time for a channel to prove itself, milliseconds.
pub(super) const PROOF_MS: u64 = 3_000;

/// Bytes that a channel may send before its proof.
pub(super) const PROOF_BYTES: usize = 1_024;

/// Time for a dialled connection to open, milliseconds.
pub(super) const DIAL_MS: u64 = 10_000;

/// Time for which data of a request that was given up may still arrive, milliseconds.
pub(super) const LATE_MS: u64 = 10_000;

/// Media time ahead of the play head that is fetched from peers before the player asks, microseconds: who holds what is new
/// can pass it on, so that those in front are not the only ones who can.
pub(super) const PREFETCH_US: u64 = 60_000_000;

/// Segments ahead of the last demand of a track that are fetched, whatever their duration.
pub(super) const PREFETCH_SEGMENTS: u32 = 32;

/// A track that the player has not asked for in this time is not fetched ahead, microseconds.
pub(super) const TRACK_IDLE_US: u64 = 20_000_000;

/// Segments whose rows are fetched in one go.
pub(super) const ROWS_AHEAD: u32 = 64;

/// Handles remembered as not to be dialled again. Oldest are forgotten first.
pub(super) const MAX_BANNED: usize = 1_024;

/// Handles kept as candidates for an introduction.
pub(super) const MAX_CANDIDATES: usize = 64;

/// Introductions under way at once.
pub(super) const MAX_INTRODUCTIONS: usize = 6;

/// Connections worth having: beyond these no new ones are asked for, only accepted.
pub(super) const ENOUGH_PEERS: usize = 8;

/// HTTP attempts for one object or sheet before its demands are refused.
pub(super) const MAX_ATTEMPTS: u32 = 5;

/// Ranges that are remembered of what one peer holds in one track. A peer that holds more, in more
/// pieces, is believed for the first ones only.
pub(super) const MAX_HELD_RANGES: usize = 1_024;

/// Objects that a peer may hold in part at once, as we remember it.
pub(super) const MAX_PARTIALS: usize = 64;

/// What news of a peer's holdings mean for everything else that is wanted is looked at after this long, milliseconds: one
/// pass for a burst.
pub(super) const HAVE_DELAY_MS: u64 = 50;

/// Control messages that a peer may send at once: what a page that was frozen for a minute has piled up…
pub(super) const MESSAGES_BURST: u64 = 6_000;

/// …and in every second after that. The busiest honest peer sends about a hundred.
pub(super) const MESSAGES_PER_S: u64 = 500;

/// Claims that are known, of which a new segment of a live stream may have eight. Oldest are forgotten first.
pub(super) const MAX_CLAIMS: usize = 256;

/// Claims that a neighbour may make or pass on at once…
pub(super) const CLAIMS_BURST: u64 = 256;

/// …and in every second after that. A swarm brings a handful for each segment, or slice of one.
pub(super) const CLAIMS_PER_S: u64 = 64;

/// Tracks that one peer may talk about.
pub(super) const MAX_TRACKS: usize = 64;
