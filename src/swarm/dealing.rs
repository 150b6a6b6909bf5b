//! What one viewer fetches for all goes out of it once.
//!
//! For a short while, each neighbour is told of other chunks of such an object, so that each asks for what nobody else
//! asks for, and they have something for each other. Told of everything, they would ask for the same chunks, and the rest
//! would wait behind copies that others could have sent.

use alloc::vec;
use alloc::vec::Vec;

use super::PeerId;
use super::engine::Engine;
use super::ranges::RangeSet;
use super::timer::Timer;
use crate::content::{ObjectId, TrackId};
use crate::wire::{Have, MAX_PARTIAL_RANGES, Message, Partial, Range};

/// Everybody is told of everything when each chunk was sent once, and this long after HTTP should have brought it at the
/// latest, microseconds: some may not want their share.
pub(super) const DEAL_US: u64 = 900_000;

/// Each chunk was sent once: neighbours get this long to tell each other, microseconds.
const SPREAD_US: u64 = 150_000;

impl Engine {
    /// Neighbours that pass on what they get, as far as can be seen: they hold something.
    pub(super) fn deal_peers(&self, track: TrackId) -> Vec<PeerId> {
        self.peers
            .values()
            .filter(|peer| peer.is_ready() && peer.shares(track) && peer.holdings.segments() > 0)
            .map(|peer| peer.id)
            .collect()
    }

    /// Tells each of `to` of its share of what has arrived.
    pub(super) fn deal(&mut self, id: ObjectId, news: &RangeSet, to: &[PeerId]) {
        for (turn, peer) in to.iter().enumerate() {
            let chunks: Vec<Range> = news
                .iter()
                .flat_map(|(first, count)| first..first + count)
                .filter(|chunk| *chunk as usize % to.len() == turn)
                .map(|first| Range { first, count: 1 })
                .take(MAX_PARTIAL_RANGES)
                .collect();
            if !chunks.is_empty() {
                let index = id.index;
                self.send(
                    *peer,
                    &Message::Have(Have {
                        track: id.track,
                        complete: Vec::new(),
                        partial: vec![Partial { index, chunks }],
                    }),
                );
            }
        }
    }

    /// Chunks go to a neighbour: with the last of them the deal is over.
    pub(super) fn note_dealt(&mut self, id: ObjectId, first: u32, count: u8) {
        let now = self.now;
        if let Some(object) = self.objects.get_mut(&id)
            && object.deal_until.is_some()
        {
            let before = object.dealt.count();
            object.dealt.insert(first, count.into());
            let after = object.dealt.count();
            if after > before && after >= object.info.chunks.into() {
                // Now they have it from each other.
                let until = now + SPREAD_US;
                object.deal_until = object.deal_until.map(|at| at.min(until));
                self.timers.set_earlier(Timer::Announce, until);
            }
        }
    }
}
