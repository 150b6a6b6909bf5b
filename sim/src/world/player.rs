//! A model of a player that buffers as hls.js does: one segment at a time, in order, a fixed time ahead.

use swarmseal::content::{ObjectId, TrackId};

use crate::net::Micros;

/// A page tells the engine of the play head this often while it is playing.
pub(super) const TICK_US: Micros = 250_000;
/// From the arrival of the first segment to the first frame: demuxing, decoding, drawing. The same with and without peers.
const FIRST_FRAME_US: Micros = 50_000;
/// hls.js asks again this long after a failed load.
const RETRY_US: Micros = 1_000_000;
/// Segments of a track that count as what a viewer starts with.
const START_SEGMENTS: u32 = 2;

/// What the player is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing was shown yet.
    Starting,
    /// The first frame after the start, a seek or a stall appears at this time.
    Showing(Micros),
    /// The play head moves.
    Playing,
    /// It would move, and nothing is buffered.
    Stalled,
    /// After a seek, until its first segment is there.
    Seeking,
    /// The title is over.
    Ended,
}

/// A player.
#[derive(Clone, Debug)]
pub(super) struct Player {
    segment_us: Micros,
    segments: u32,
    ahead_us: Micros,
    track: TrackId,
    pub(super) phase: Phase,
    position_us: Micros,
    buffered_us: Micros,
    /// When `position_us` was right.
    at: Micros,
    next_segment: u32,
    /// The segment that was asked for and has not come, and the number under which it was.
    loading: Option<(u32, ObjectId)>,
    next_demand: u32,
    retry_at: Micros,
    /// How many segments of each track were asked for, by track number.
    asked: Vec<u32>,
    /// What counts as the start.
    start: Vec<ObjectId>,
    pub(super) first_frame_at: Option<Micros>,
    pub(super) played_us: Micros,
    pub(super) stalled_us: Micros,
    pub(super) stalls: u32,
}

impl Player {
    /// A player that starts with `segment`.
    pub(super) fn new(segment_us: Micros, segments: u32, ahead_us: Micros, segment: u32, at: Micros) -> Self {
        let position_us = u64::from(segment) * segment_us;
        Self {
            segment_us,
            segments,
            ahead_us,
            track: TrackId(1),
            phase: Phase::Starting,
            position_us,
            buffered_us: position_us,
            at,
            next_segment: segment,
            loading: None,
            next_demand: 0,
            retry_at: 0,
            asked: Vec::new(),
            start: Vec::new(),
            first_frame_at: None,
            played_us: 0,
            stalled_us: 0,
            stalls: 0,
        }
    }

    /// Lets time pass: the play head moves as far as it can.
    pub(super) fn advance(&mut self, now: Micros) {
        if let Phase::Showing(at) = self.phase
            && at <= now
        {
            self.at = at;
            self.phase = Phase::Playing;
            self.first_frame_at.get_or_insert(at);
        }
        let passed = now.saturating_sub(self.at);
        match self.phase {
            Phase::Playing => {
                let left = self.buffered_us.saturating_sub(self.position_us);
                let moved = passed.min(left);
                self.position_us += moved;
                self.played_us += moved;
                if self.position_us >= self.end_us() {
                    self.phase = Phase::Ended;
                } else if left <= passed {
                    self.phase = Phase::Stalled;
                    self.stalls += 1;
                    self.stalled_us += passed - moved;
                }
            }
            Phase::Stalled => self.stalled_us += passed,
            Phase::Starting | Phase::Showing(_) | Phase::Seeking | Phase::Ended => {}
        }
        self.at = now;
    }

    /// What to ask for now, if anything: the next segment if it is to be had and there is room for it.
    pub(super) fn wish(&mut self, now: Micros, newest: u32) -> Option<(u32, ObjectId)> {
        let has_room = self.buffered_us.saturating_sub(self.position_us) < self.ahead_us;
        let waits = self.loading.is_some() || self.retry_at > now;
        if waits || !has_room || self.next_segment > newest || self.next_segment >= self.segments {
            return None;
        }
        let object = ObjectId {
            track: self.track,
            index: self.next_segment,
        };
        self.next_demand += 1;
        self.loading = Some((self.next_demand, object));
        self.note_start(object);
        self.loading
    }

    fn note_start(&mut self, object: ObjectId) {
        let track = usize::from(object.track.0);
        if self.asked.len() <= track {
            self.asked.resize(track + 1, 0);
        }
        let Some(asked) = self.asked.get_mut(track) else {
            return;
        };
        *asked += 1;
        if *asked <= START_SEGMENTS && !self.start.contains(&object) {
            self.start.push(object);
        }
    }

    /// Whether this belongs to what the viewer starts with: the first two segments of a track that it asks for.
    pub(super) fn starts_with(&self, object: ObjectId) -> bool {
        self.start.contains(&object)
    }

    /// The demand `id` was met. False if it is not waited for any more.
    pub(super) fn arrived(&mut self, now: Micros, id: u32) -> bool {
        self.advance(now);
        let Some((_, object)) = self.loading.filter(|(loading, _)| *loading == id) else {
            return false;
        };
        self.loading = None;
        self.next_segment = object.index + 1;
        self.buffered_us = u64::from(self.next_segment) * self.segment_us;
        match self.phase {
            Phase::Starting | Phase::Seeking => self.phase = Phase::Showing(now + FIRST_FRAME_US),
            // A media element goes on as soon as there is something to show.
            Phase::Stalled => self.phase = Phase::Playing,
            Phase::Showing(_) | Phase::Playing | Phase::Ended => {}
        }
        true
    }

    /// The demand `id` was refused: it is made again later.
    pub(super) fn refused(&mut self, now: Micros, id: u32) -> bool {
        let was_waited_for = self.loading.is_some_and(|(loading, _)| loading == id);
        if was_waited_for {
            self.loading = None;
            self.retry_at = now + RETRY_US;
        }
        was_waited_for
    }

    /// Jumps to a segment. The demand that is not wanted any more.
    pub(super) fn seek(&mut self, now: Micros, segment: u32) -> Option<u32> {
        self.advance(now);
        self.next_segment = segment.min(self.segments.saturating_sub(1));
        self.position_us = u64::from(self.next_segment) * self.segment_us;
        self.buffered_us = self.position_us;
        self.retry_at = 0;
        if self.first_frame_at.is_some() {
            self.phase = Phase::Seeking;
        }
        self.loading.take().map(|(id, _)| id)
    }

    /// Goes on with another rendition; what is buffered stays. The demand that is not wanted any more.
    pub(super) fn switch(&mut self, track: TrackId) -> Option<u32> {
        self.track = track;
        self.retry_at = 0;
        self.loading.take().map(|(id, _)| id)
    }

    /// When something happens without anybody doing anything: a tick, the first frame, the buffer's end, a retry.
    pub(super) fn next_tick(&self, now: Micros) -> Option<Micros> {
        let tick = now + TICK_US;
        match self.phase {
            Phase::Ended => None,
            Phase::Showing(at) => Some(at.clamp(now + 1, tick)),
            Phase::Playing => {
                let left = self.buffered_us.saturating_sub(self.position_us);
                Some((now + left.max(1)).min(tick))
            }
            Phase::Starting | Phase::Stalled | Phase::Seeking => Some(tick),
        }
    }

    pub(super) const fn position_us(&self) -> Micros {
        self.position_us
    }

    pub(super) const fn buffered_us(&self) -> Micros {
        self.buffered_us
    }

    fn end_us(&self) -> Micros {
        u64::from(self.segments) * self.segment_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Micros = 1_000_000;

    fn player() -> Player {
        Player::new(2 * S, 10, 6 * S, 0, 0)
    }

    /// Asks for what the player wants and hands it over at `now`.
    fn load(player: &mut Player, now: Micros) -> Option<u32> {
        let (id, object) = player.wish(now, u32::MAX)?;
        assert!(player.arrived(now, id));
        Some(object.index)
    }

    #[test]
    fn it_asks_for_one_segment_at_a_time_until_the_buffer_is_full() {
        let mut player = player();
        let (id, object) = player.wish(0, u32::MAX).unwrap();
        assert_eq!((object.index, player.wish(0, u32::MAX)), (0, None));
        assert!(player.arrived(S, id) && !player.arrived(S, id));
        assert_eq!(
            [load(&mut player, S), load(&mut player, S), load(&mut player, S)],
            [Some(1), Some(2), None]
        );
        // Two seconds later there is room for one more.
        player.advance(S + FIRST_FRAME_US);
        let later = 3 * S + FIRST_FRAME_US;
        player.advance(later);
        assert_eq!(
            [load(&mut player, later), load(&mut player, later)],
            [Some(3), None]
        );
    }

    #[test]
    fn a_stall_lasts_from_the_buffers_end_to_the_next_segment() {
        let mut player = player();
        load(&mut player, S);
        player.advance(10 * S);
        assert_eq!(player.phase, Phase::Stalled);
        let empty_at = S + FIRST_FRAME_US + 2 * S;
        load(&mut player, 11 * S);
        assert_eq!((player.stalls, player.stalled_us), (1, 11 * S - empty_at));
        assert_eq!(
            (player.phase, player.first_frame_at),
            (Phase::Playing, Some(S + FIRST_FRAME_US))
        );
        assert_eq!(player.played_us, 2 * S);
    }

    #[test]
    fn a_seek_is_no_stall_and_a_refusal_is_tried_again() {
        let mut player = player();
        load(&mut player, S);
        player.advance(2 * S);
        let (id, _) = player.wish(2 * S, u32::MAX).unwrap();
        assert_eq!(player.seek(2 * S, 7), Some(id));
        assert!(!player.arrived(2 * S, id));
        let (id, object) = player.wish(2 * S, u32::MAX).unwrap();
        assert_eq!(object.index, 7);
        assert!(player.refused(2 * S, id));
        assert_eq!(player.wish(2 * S + RETRY_US - 1, u32::MAX), None);
        assert_eq!(load(&mut player, 2 * S + RETRY_US), Some(7));
        player.advance(20 * S);
        assert_eq!((player.stalls, player.phase), (1, Phase::Stalled));
        assert!(player.stalled_us < 20 * S);
    }

    #[test]
    fn the_end_of_the_title_is_no_stall() {
        let mut player = Player::new(2 * S, 1, 6 * S, 0, 0);
        load(&mut player, 0);
        player.advance(S);
        player.advance(9 * S);
        assert_eq!(
            (player.phase, player.stalls, player.played_us),
            (Phase::Ended, 0, 2 * S)
        );
        assert_eq!(player.next_tick(9 * S), None);
    }

    #[test]
    fn the_start_is_two_segments_of_a_track() {
        let mut player = player();
        let object = |index| ObjectId {
            track: TrackId(1),
            index,
        };
        for _ in 0..3 {
            load(&mut player, 0);
        }
        let starts = [0, 1, 2].map(|index| player.starts_with(object(index)));
        assert_eq!(starts, [true, true, false]);
    }

    #[test]
    fn nothing_is_asked_for_before_it_exists() {
        let mut player = Player::new(2 * S, 10, 6 * S, 4, 0);
        assert_eq!(player.wish(0, 3), None);
        assert!(player.wish(0, 4).is_some());
    }
}
