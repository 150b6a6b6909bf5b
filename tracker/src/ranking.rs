//! Which sources suit a peer best: the seam for locality, access type, load and ALTO cost maps.

use swarmseal::identity::Handle;
use swarmseal::signal::TrackRanges;

use super::api::PrefixTag;

/// Orders the part of a list that is not drawn at random.
pub trait Ranking: Send {
    /// How well `source` suits `asker`; more is better.
    fn score(&self, asker: &Profile<'_>, source: &Profile<'_>) -> u64;
}

/// What the tracker knows of a peer.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// The peer.
    pub handle: Handle,
    /// Equal for neighbours.
    pub prefix: PrefixTag,
    /// What it announced; empty if nothing.
    pub ranges: &'a [TrackRanges],
    /// Introductions it has now.
    pub introductions: usize,
    /// Complaints about it since it was last found to hold what it says; at most 8. They prove nothing.
    pub complaints: u8,
}

/// Prefers sources that have been introduced to fewer peers, so that load spreads; a complaint counts as an introduction.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastIntroduced;

impl Ranking for LeastIntroduced {
    fn score(&self, _: &Profile<'_>, source: &Profile<'_>) -> u64 {
        let held_against = source.introductions.saturating_add(source.complaints.into());
        u64::MAX.saturating_sub(u64::try_from(held_against).unwrap_or(u64::MAX))
    }
}
