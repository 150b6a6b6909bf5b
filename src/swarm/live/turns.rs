//! Whose turn it is to fetch what comes next: settled while the segment is still being made.
//!
//! The next segment has a number before it has bytes. Viewers claim it as they claim anything else, and by the time a head
//! states it everybody knows who fetches: at once, without a word.

use crate::content::ObjectId;
use crate::swarm::Timestamp;
use crate::swarm::claims::Claimant;
use crate::swarm::engine::Engine;
use crate::swarm::timer::Timer;

impl Engine {
    /// Stands for election as the one who fetches the next segment of each track that is played.
    pub(super) fn stand_for_next(&mut self) {
        if !self.serves() || self.player.is_none_or(|player| player.paused) {
            return;
        }
        for (track, _) in self.current_tracks() {
            let Some(next) = self.catalog.edge(track) else {
                continue;
            };
            let Some(newest) = next.checked_sub(1) else {
                continue;
            };
            let id = ObjectId::new(track, next);
            let Some((rank, wait)) = self.standing(ObjectId::new(track, newest)) else {
                continue;
            };
            let by = self.claimant(id, rank);
            if let Some(Claimant::SelfFrom(_) | Claimant::Other(..)) = by {
                continue;
            }
            match by {
                Some(Claimant::SelfLater(at)) if at <= self.now => {
                    self.claim(id, rank);
                }
                Some(Claimant::SelfLater(at)) => self.timers.set_earlier(Timer::Live, at),
                _ => {
                    let at = self.now + wait;
                    self.note_claim(id, rank, Claimant::SelfLater(at));
                    self.timers.set_earlier(Timer::Live, at);
                }
            }
        }
    }

    /// Whether it is this viewer who fetches what the next head states; `None` if nobody has claimed it.
    pub(super) fn is_own_turn(&self) -> Option<bool> {
        self.current_tracks().into_iter().find_map(|(track, _)| {
            let next = ObjectId::new(track, self.catalog.edge(track)?);
            self.leads(next)
        })
    }

    /// About how long the next segment of a track will be.
    pub(in crate::swarm) fn length_of_next(&self, id: ObjectId) -> Option<u64> {
        let newest = ObjectId::new(id.track, id.index.checked_sub(1)?);
        Some(
            self.catalog
                .object(newest)
                .filter(|_| self.catalog.edge(id.track) == Some(id.index))?
                .length,
        )
    }

    /// When a segment is, or will be, stated.
    pub(in crate::swarm) fn is_there_at(&self, id: ObjectId) -> Timestamp {
        let expected = || self.live.as_ref()?.polling.expected();
        let is_next = self.catalog.edge(id.track) == Some(id.index);
        expected().filter(|_| is_next).unwrap_or(self.now)
    }
}
