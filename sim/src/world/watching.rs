//! What players want, and what becomes of it.

use swarmseal::content::{ObjectId, TrackId};
use swarmseal::swarm::{DemandId, Input};

use super::player::Phase;
use super::title::Title;
use super::viewer::ViewerId;
use super::{Event, World};
use crate::event_log::Kind;
use crate::net::Micros;
use crate::scenario::ContentKind;

/// The player's demand for the playlist; segments have numbers from 1.
const PLAYLIST_DEMAND: u32 = 0;

impl World {
    /// The page begins: first the playlist.
    pub(super) fn ask_for_playlist(&mut self, viewer: ViewerId) {
        let object = ObjectId {
            track: TrackId::ASSETS,
            index: 0,
        };
        self.ask(viewer, PLAYLIST_DEMAND, object);
    }

    fn ask(&mut self, viewer: ViewerId, demand: u32, object: ObjectId) {
        self.log.note(
            self.now,
            viewer,
            Kind::Asked,
            u64::from(object.track.0),
            u64::from(object.index),
        );
        let path = Title::path(object);
        let input = Input::Demand {
            id: DemandId(demand),
            path: &path,
            range: None,
            deadline: None,
            plays_at_us: None,
        };
        self.feed(viewer, input, None);
    }

    /// Lets the player's time pass, tells the engine where it is, and asks for what it wants.
    pub(super) fn look_at_player(&mut self, viewer: ViewerId) {
        let now = self.now;
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        let player = &mut owner.player;
        let (before, had_frame) = (player.phase, player.first_frame_at.is_some());
        player.advance(now);
        let is_first = !had_frame && player.first_frame_at.is_some();
        let has_stalled = before != Phase::Stalled && player.phase == Phase::Stalled;
        let position_us = player.position_us();
        if is_first {
            self.log.note(now, viewer, Kind::FirstFrame, position_us, 0);
        }
        if has_stalled {
            self.log.note(now, viewer, Kind::Stalled, position_us, 0);
        }
        self.tell_playhead(viewer);
        self.want_more(viewer);
        self.plan_look(viewer);
    }

    fn tell_playhead(&mut self, viewer: ViewerId) {
        let Some(player) = self.viewers.get(viewer).map(|owner| &owner.player) else {
            return;
        };
        let input = Input::Player {
            position_us: player.position_us(),
            rate_milli: 1_000,
            buffered_end_us: player.buffered_us(),
            paused: player.phase == Phase::Ended,
            seeking: player.phase == Phase::Seeking,
        };
        self.feed(viewer, input, None);
    }

    fn want_more(&mut self, viewer: ViewerId) {
        let newest = self.newest_segment(viewer);
        let now = self.now;
        let wish = self
            .viewers
            .get_mut(viewer)
            .and_then(|owner| owner.player.wish(now, newest));
        if let Some((demand, object)) = wish {
            self.ask(viewer, demand, object);
        }
    }

    /// The newest segment that a viewer's player knows of.
    fn newest_segment(&self, viewer: ViewerId) -> u32 {
        let hears_after = self
            .viewers
            .get(viewer)
            .map_or(0, |owner| owner.profile.hears_after_us);
        match self.scenario.content.kind {
            ContentKind::Vod => u32::MAX,
            ContentKind::Live => self.newest_at(self.now.saturating_sub(hears_after)),
        }
    }

    /// Live: the newest segment that was complete at this time. Some were before the first viewer came.
    pub(super) fn newest_at(&self, at: Micros) -> u32 {
        let since = u32::try_from(at / self.title.segment_us()).unwrap_or(u32::MAX);
        let newest = since.saturating_add(self.scenario.content.edge_segments);
        newest.saturating_sub(1).min(self.title.segments() - 1)
    }

    /// Looks again at the next tick, or earlier if something happens on its own.
    fn plan_look(&mut self, viewer: ViewerId) {
        let now = self.now;
        if let Some(owner) = self.viewers.get_mut(viewer)
            && let Some(at) = owner.player.next_tick(now)
        {
            owner.player_at = at;
            self.queue.push(at, Event::Player { viewer });
        }
    }

    pub(super) fn player_tick(&mut self, viewer: ViewerId) {
        let is_due = self
            .viewers
            .get(viewer)
            .is_some_and(|owner| owner.is_here() && owner.player_at == self.now);
        if is_due {
            self.look_at_player(viewer);
        }
    }

    /// A demand was met.
    pub(super) fn delivered(&mut self, viewer: ViewerId, demand: u32) {
        self.log
            .note(self.now, viewer, Kind::Delivered, u64::from(demand), 0);
        // The page hears of it a turn later, as it does of everything that comes from the worker.
        self.after(super::channels::TURN_US, Event::Met { viewer, demand });
    }

    pub(super) fn met(&mut self, viewer: ViewerId, demand: u32) {
        let now = self.now;
        let Some(owner) = self.viewers.get_mut(viewer).filter(|owner| owner.is_here()) else {
            return;
        };
        if demand == PLAYLIST_DEMAND || owner.player.arrived(now, demand) {
            self.look_at_player(viewer);
        }
    }

    pub(super) fn refused(&mut self, viewer: ViewerId, demand: u32) {
        self.log
            .note(self.now, viewer, Kind::Refused, u64::from(demand), 0);
        let now = self.now;
        if demand == PLAYLIST_DEMAND {
            self.after(super::player::TICK_US, Event::Begin { viewer });
        } else if let Some(owner) = self.viewers.get_mut(viewer) {
            owner.player.refused(now, demand);
        }
    }

    /// The viewer jumps to another place of the title.
    pub(super) fn seek(&mut self, viewer: ViewerId, segment: u32) {
        self.log
            .note(self.now, viewer, Kind::Seeked, u64::from(segment), 0);
        let now = self.now;
        let cancelled = self
            .viewers
            .get_mut(viewer)
            .and_then(|owner| owner.player.seek(now, segment));
        self.cancel(viewer, cancelled);
        self.look_at_player(viewer);
    }

    /// The viewer's player goes on with another rendition.
    pub(super) fn switch(&mut self, viewer: ViewerId, track: TrackId) {
        self.log
            .note(self.now, viewer, Kind::Switched, u64::from(track.0), 0);
        let cancelled = self
            .viewers
            .get_mut(viewer)
            .and_then(|owner| owner.player.switch(track));
        self.cancel(viewer, cancelled);
        self.look_at_player(viewer);
    }

    fn cancel(&mut self, viewer: ViewerId, demand: Option<u32>) {
        if let Some(demand) = demand {
            let id = DemandId(demand);
            self.feed(viewer, Input::CancelDemand { id }, None);
        }
    }
}
