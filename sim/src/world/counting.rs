//! What is counted, and the checks that go with it.

use std::collections::BTreeMap;

use swarmseal::content::{CHUNK, ObjectId, Span, TrackId, chunk_len};
use swarmseal::swarm::{FetchId, PeerId};
use swarmseal::wire::{self, Have, Message as WireMessage, Range};

use super::World;
use super::cause::Cause;
use super::channels::{Chunks, Message};
use super::player::Phase;
use super::viewer::{Body, Pairing, ViewerId};
use crate::event_log::Kind;
use crate::record::{Record, Second, Segment, Sources};
use crate::scenario::{Class, Exposure, Failing, Misbehaving};

/// What is counted over all viewers.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) engine_calls: u64,
    pub(super) checks: u64,
    pub(super) pairs_introduced: u64,
    pub(super) head_requests: u64,
    pairs_proved: u64,
    seconds: Vec<Second>,
    this_second: Second,
    segments: Vec<Segment>,
    /// Objects of which somebody got something.
    fetched: BTreeMap<ObjectId, u64>,
}

impl World {
    /// A piece of an HTTP answer is verified and goes into the store.
    pub(super) fn keep_fetched(
        &mut self,
        viewer: ViewerId,
        fetch: FetchId,
        piece: u32,
        object: ObjectId,
        chunk: u32,
    ) {
        self.log.note(
            self.now,
            viewer,
            Kind::KeptFromHttp,
            u64::from(object.index),
            u64::from(chunk),
        );
        let Some((
            bytes,
            Body::Chunks {
                object: asked,
                first,
                reason,
            },
        )) = self.piece_bytes(viewer, fetch, piece)
        else {
            self.broken(
                "kept_what_is_not_there",
                viewer,
                format!("piece {piece} of request {}", fetch.0),
            );
            return;
        };
        if asked != object || first + piece != chunk {
            self.broken(
                "kept_under_another_name",
                viewer,
                format!("chunk {chunk} of {object:?}"),
            );
        }
        let is_start = self
            .viewers
            .get(viewer)
            .is_some_and(|owner| owner.player.starts_with(object));
        self.keep(viewer, object, chunk, bytes, Some(Cause::of(is_start, reason)));
    }

    /// A part of a message is verified and goes into the store.
    pub(super) fn keep_received(
        &mut self,
        viewer: ViewerId,
        came: Option<Chunks>,
        (offset, len): (u32, u32),
        object: ObjectId,
        chunk: u32,
    ) {
        self.log.note(
            self.now,
            viewer,
            Kind::KeptFromPeer,
            u64::from(object.index),
            u64::from(chunk),
        );
        let is_there = came.is_some_and(|came| {
            came.object == object && came.first + offset / CHUNK == chunk && chunk < came.first + came.count
        });
        if !is_there {
            self.broken(
                "kept_what_is_not_there",
                viewer,
                format!("chunk {chunk} of {object:?}"),
            );
        }
        if came.is_some_and(|came| !came.honest) {
            self.broken("kept_unverified", viewer, format!("chunk {chunk} of {object:?}"));
        }
        self.keep(viewer, object, chunk, len.into(), None);
    }

    fn keep(&mut self, viewer: ViewerId, object: ObjectId, chunk: u32, bytes: u64, cause: Option<Cause>) {
        self.counts.checks += 1;
        let Some(placed) = self.title.object(object).filter(|placed| chunk < placed.chunks) else {
            self.broken(
                "kept_what_is_not_listed",
                viewer,
                format!("chunk {chunk} of {object:?}"),
            );
            return;
        };
        if bytes != u64::from(chunk_len(placed.len, chunk)) {
            self.broken(
                "kept_a_part",
                viewer,
                format!("{bytes} bytes of chunk {chunk} of {object:?}"),
            );
        }
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        owner.held_bytes += bytes;
        if !owner.held.insert(placed.first + chunk) {
            self.broken("kept_twice", viewer, format!("chunk {chunk} of {object:?}"));
            return;
        }
        if object.track != TrackId::ASSETS {
            self.count_kept(viewer, object, bytes, cause);
        }
    }

    fn count_kept(&mut self, viewer: ViewerId, object: ObjectId, bytes: u64, cause: Option<Cause>) {
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        let at = object.index as usize;
        let len = self.title.object(object).map_or(0, |placed| placed.len);
        if self.counts.segments.len() <= at {
            self.counts.segments.resize(at + 1, Segment::default());
        }
        if owner.record.segments.len() <= at {
            owner.record.segments.resize(at + 1, Sources::default());
        }
        let (Some(segment), Some(sources)) = (
            self.counts.segments.get_mut(at),
            owner.record.segments.get_mut(at),
        ) else {
            return;
        };
        if self.counts.fetched.insert(object, len).is_none() {
            segment.unique += len;
        }
        let small = u32::try_from(bytes).unwrap_or(u32::MAX);
        let second = &mut self.counts.this_second;
        match cause {
            None => {
                owner.record.from_peers += bytes;
                second.from_peers += bytes;
                sources.from_peers += small;
            }
            Some(cause) => {
                cause.add(&mut owner.record.from_origin, bytes);
                cause.add(&mut second.from_origin, bytes);
                cause.add(&mut segment.from_origin, bytes);
                sources.from_origin += small;
                if object.index == owner.profile.first_segment {
                    second.first_segments += bytes;
                }
                if cause == Cause::Startup && !owner.start_segments.contains(&object) {
                    owner.start_segments.push(object);
                }
            }
        }
    }

    pub(super) fn evict(&mut self, viewer: ViewerId, object: ObjectId) {
        self.log.note(
            self.now,
            viewer,
            Kind::Evicted,
            u64::from(object.track.0),
            u64::from(object.index),
        );
        let Some(placed) = self.title.object(object) else {
            return;
        };
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        for chunk in 0..placed.chunks {
            if owner.held.remove(placed.first + chunk) {
                owner.held_bytes -= u64::from(chunk_len(placed.len, chunk));
            }
        }
    }

    /// What is handed to a player must be in the store.
    pub(super) fn check_delivered(&mut self, viewer: ViewerId, spans: &[Span]) {
        for span in spans {
            let first = span.first / u64::from(CHUNK);
            let end = (span.first + span.len).div_ceil(u64::from(CHUNK));
            let count = u32::try_from(end - first).unwrap_or(u32::MAX);
            self.check_held(
                viewer,
                span.object,
                u32::try_from(first).unwrap_or(u32::MAX),
                count,
            );
        }
    }

    /// What is sent or delivered must be in the store.
    pub(super) fn check_held(&mut self, viewer: ViewerId, object: ObjectId, first: u32, count: u32) {
        self.counts.checks += 1;
        let (Some(placed), Some(owner)) = (self.title.object(object), self.viewers.get(viewer)) else {
            return;
        };
        let missing = (first..first.saturating_add(count))
            .find(|chunk| *chunk >= placed.chunks || !owner.held.contains(placed.first + chunk));
        if let Some(chunk) = missing {
            self.broken(
                "used_what_is_not_held",
                viewer,
                format!("chunk {chunk} of {object:?}"),
            );
        }
    }

    pub(super) fn count_sent(&mut self, viewer: ViewerId, object: ObjectId, first: u32, count: u32) {
        let bytes = self.title.bytes_of(object, first, count);
        if object.track != TrackId::ASSETS {
            self.counts.this_second.sent += bytes;
            if let Some(owner) = self.viewers.get_mut(viewer) {
                owner.record.sent += bytes;
            }
        }
    }

    /// A peer has proved itself to a viewer.
    pub(super) fn proved(&mut self, viewer: ViewerId, peer: PeerId) {
        let is_first_end = matches!(
            self.viewers.get(viewer).map(|owner| owner.pairing(peer)),
            Some(Pairing::Linked { end: 0, .. })
        );
        self.counts.pairs_proved += u64::from(is_first_end);
        if let Some(owner) = self.viewers.get_mut(viewer) {
            owner.record.connections += 1;
        }
        if self.misbehaves(viewer, Misbehaving::AnnouncesWhatItLacks) {
            for track in 1..=self.title.renditions() {
                let have = WireMessage::Have(Have {
                    track: TrackId(track),
                    complete: vec![Range::new(0, self.title.segments())],
                    partial: Vec::new(),
                });
                self.send(viewer, peer, Message::Control(wire::encode(&have)));
            }
        }
    }

    /// A viewer blames a peer: that must have misbehaved.
    pub(super) fn blamed(&mut self, viewer: ViewerId, peer: PeerId, code: &str) {
        self.counts.checks += 1;
        self.log
            .note(self.now, viewer, Kind::Blamed, u64::from(peer.0), 0);
        let Some(whom) = self.opposite(viewer, peer) else {
            return;
        };
        let Some(blamed) = self.viewers.get_mut(whom) else {
            return;
        };
        blamed.record.blamed_by += 1;
        if blamed.is_honest() {
            self.broken(
                "punished_honest",
                viewer,
                format!("viewer {whom} is blamed for {code}"),
            );
        }
    }

    /// Who is at the other end of a viewer's link.
    fn opposite(&self, viewer: ViewerId, peer: PeerId) -> Option<ViewerId> {
        let (link, end) = self.viewers.get(viewer)?.link(peer)?;
        let ends = self.links.get(link)?.ends;
        ends.get(usize::from(1 - end)).map(|end| end.viewer)
    }

    /// A simulated second is over.
    pub(super) fn close_second(&mut self) {
        let (mut viewers, mut stalled) = (0, 0);
        for owner in self.viewers.iter_mut().filter(|owner| owner.is_here()) {
            owner.player.advance(self.now);
            viewers += 1;
            let was = std::mem::replace(&mut owner.stalled_before, owner.player.stalled_us);
            stalled += u32::from(owner.player.stalled_us > was || owner.player.phase == Phase::Stalled);
        }
        let mut second = std::mem::take(&mut self.counts.this_second);
        second.viewers = viewers;
        second.stalled = stalled;
        self.counts.seconds.push(second);
    }

    /// Notes what is known of a viewer only from its engine and its player: when it leaves, or when the run ends.
    pub(super) fn settle(&mut self, viewer: ViewerId) {
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        let player = &owner.player;
        owner.record.first_frame_us = player.first_frame_at;
        owner.record.played_us = player.played_us;
        owner.record.stalled_us = player.stalled_us;
        owner.record.stalls = player.stalls;
        owner.record.startup_segments = most_of_one_track(&owner.start_segments);
        if let Some(engine) = &owner.engine {
            let media = engine.stats().media;
            owner.record.wasted = media.wasted + media.rejected;
        }
    }

    pub(super) fn into_record(mut self) -> Record {
        let now = self.now;
        for viewer in 0..self.viewers.len() {
            if let Some(owner) = self.viewers.get_mut(viewer).filter(|owner| owner.is_here()) {
                owner.player.advance(now);
                self.settle(viewer);
            }
        }
        let connected_components = self.connected_components();
        Record {
            seconds: self.counts.seconds,
            segments: self.counts.segments,
            connected_components,
            pairs_introduced: self.counts.pairs_introduced,
            head_requests: self.counts.head_requests,
            pairs_proved: self.counts.pairs_proved,
            invariant_checks: self.counts.checks,
            engine_calls: self.counts.engine_calls,
            event_log_hash: self.log.finish(),
            viewers: self.viewers.into_rows().map(|owner| owner.record).collect(),
        }
    }

    /// Groups in which everybody reaches everybody over others, in each half of a partition.
    fn connected_components(&self) -> u32 {
        let is_parted = self
            .scenario
            .outages
            .iter()
            .any(|outage| outage.what == Failing::Partition);
        let halves = if is_parted { 2 } else { 1 };
        if self.scenario.exposure == Exposure::Relay {
            return halves.min(self.viewers.len());
        }
        (0..halves)
            .map(|half| {
                let classes = || {
                    (0_u32..)
                        .zip(self.viewers.iter())
                        .filter(move |(number, _)| number % halves == half)
                        .map(|(_, owner)| owner.profile.class)
                };
                let alone = classes().filter(|class| !class.reaches(Class::Local)).count();
                let offices = classes().filter(|class| *class == Class::Office).count();
                let open = classes().count() - alone - offices;
                // Whoever reaches anybody reaches all over an open one.
                let together = if open > 0 { 1 } else { offices };
                u32::try_from(alone + together).unwrap_or(u32::MAX)
            })
            .sum()
    }
}

fn most_of_one_track(objects: &[ObjectId]) -> u32 {
    let of = |track: TrackId| objects.iter().filter(|object| object.track == track).count();
    let most = objects.iter().map(|object| of(object.track)).max();
    u32::try_from(most.unwrap_or(0)).unwrap_or(u32::MAX)
}
