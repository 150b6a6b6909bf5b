//! What the player asked for, and when it is handed over.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::engine::Engine;
use super::limits::MAX_DEMANDS;
#[cfg(feature = "live")]
use super::live::Document;
use super::object::Object;
#[cfg(feature = "live")]
use super::timer::Timer;
use super::{DeliverTiming, DemandId, Output, RefuseCode, Timestamp};
use crate::content::{CHUNK, Names, ObjectId, Resolution, Sheet, Span, TrackKind};

/// One request of the player.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    path: String,
    range: Option<(u64, u64)>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) asked_at: Timestamp,
    /// Where it plays on the player's own timeline, microseconds.
    #[cfg(feature = "live")]
    plays_at_us: Option<u64>,
    /// When it was reckoned to be needed, once it was known what it names. A play head that stands still
    /// must not put it off for ever.
    pub(super) needed_by: Option<Timestamp>,
    pub(super) target: Target,
}

/// How far a demand has come.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// These sheets are needed to know what it names.
    Unresolved(Vec<Sheet>),
    /// No live head states it yet.
    #[cfg(feature = "live")]
    Later,
    /// It is a playlist or MPD of a live content.
    #[cfg(feature = "live")]
    Document(Document),
    /// It names these bytes; `Span::object`s still without an entry in the index wait for their page.
    Spans(Vec<Span>),
}

impl Demand {
    /// Whether it is not known yet what it names.
    const fn is_open(&self) -> bool {
        match self.target {
            Target::Unresolved(_) => true,
            #[cfg(feature = "live")]
            Target::Later => true,
            _ => false,
        }
    }

    /// Whether only another live head can help.
    #[cfg(feature = "live")]
    pub(super) const fn waits_for_head(&self) -> bool {
        matches!(self.target, Target::Later | Target::Document(_))
    }
}

/// A track that the player reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActiveTrack {
    pub(super) last_index: u32,
    pub(super) last_at: Timestamp,
}

/// First chunk and number of chunks that cover `len` bytes from `first`.
pub(super) fn chunks_of(span: &Span) -> (u32, u32) {
    let chunk = u64::from(CHUNK);
    let from = span.first / chunk;
    let to = span.first.saturating_add(span.len).div_ceil(chunk).max(from);
    (
        u32::try_from(from).unwrap_or(u32::MAX),
        u32::try_from(to - from).unwrap_or(u32::MAX),
    )
}

impl Engine {
    pub(super) fn demand(
        &mut self,
        id: DemandId,
        path: &str,
        range: Option<(u64, u64)>,
        deadline: Option<Timestamp>,
        #[cfg_attr(not(feature = "live"), expect(unused_variables, reason = "titles begin at 0"))]
        plays_at_us: Option<u64>,
    ) {
        if self.demands.len() >= MAX_DEMANDS {
            self.outputs.push_back(Output::Refuse {
                demand: id,
                code: RefuseCode::Busy,
            });
            return;
        }
        let demand = Demand {
            path: path.to_owned(),
            range,
            deadline,
            asked_at: self.now,
            #[cfg(feature = "live")]
            plays_at_us,
            needed_by: None,
            target: Target::Unresolved(Vec::new()),
        };
        self.demands.insert(id, demand);
        self.foresee_track(path);
        self.resolve_demand(id);
        self.dirty = true;
    }

    /// Asks for the index of the track that a playlist is about beside the playlist, which will name segments of it: the track
    /// whose segments have a name that begins most like the playlist's own. Where two are alike, it is neither.
    fn foresee_track(&mut self, path: &str) {
        if self.live.is_some() {
            // Heads bring their index themselves.
            return;
        }
        let (mut likely, mut most) = (None, None);
        for track in self.catalog.tracks() {
            let name = match &track.names {
                _ if track.kind == TrackKind::Files => continue,
                Names::Template { pattern, .. } => pattern,
                Names::Single { path } => path,
                Names::Table { .. } => "",
            };
            let alike = Some(name.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count());
            if alike > most {
                (likely, most) = (Some(track.id), alike);
            } else if alike == most {
                likely = None;
            }
        }
        let sheet = likely.and_then(|track| self.catalog.sheet_for(ObjectId { track, index: 0 }));
        if let Some(sheet) = sheet {
            self.want_sheet(&sheet);
        }
    }

    pub(super) fn cancel_demand(&mut self, id: DemandId) {
        if self.demands.remove(&id).is_some() {
            self.abort_unwanted_fetches();
            self.dirty = true;
        }
    }

    /// Tries again what waited for a sheet.
    pub(super) fn resolve_demands(&mut self) {
        let waiting: Vec<DemandId> = self
            .demands
            .iter()
            .filter(|(_, demand)| demand.is_open())
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            self.resolve_demand(id);
        }
    }

    fn resolve_demand(&mut self, id: DemandId) {
        let Some(demand) = self.demands.get(&id) else {
            return;
        };
        let (asked_at, deadline) = (demand.asked_at, demand.deadline);
        match self.catalog.resolve(&demand.path, demand.range) {
            Resolution::Found(spans) => {
                #[cfg(feature = "live")]
                let spans = {
                    let plays_at_us = demand.plays_at_us;
                    self.align_timelines(&spans, plays_at_us);
                    self.by_parts(spans)
                };
                for span in &spans {
                    self.note_active(span.object);
                    self.ensure_object(span.object);
                }
                let needed_by = spans
                    .iter()
                    .map(|span| self.need_at(span.object, asked_at, deadline))
                    .min();
                if let Some(demand) = self.demands.get_mut(&id) {
                    demand.needed_by = needed_by;
                    demand.target = Target::Spans(spans);
                }
                self.deliver_if_complete(id);
            }
            Resolution::Need(sheets) if sheets.iter().any(|sheet| self.is_corrupt_sheet(sheet)) => {
                self.refuse(id, RefuseCode::Corrupt);
            }
            Resolution::Need(sheets) => {
                for sheet in &sheets {
                    self.want_sheet(sheet);
                }
                if let Some(demand) = self.demands.get_mut(&id) {
                    demand.target = Target::Unresolved(sheets);
                }
            }
            #[cfg(feature = "live")]
            Resolution::Document(path) => self.fetch_document(id, path),
            #[cfg(feature = "live")]
            Resolution::Later => {
                if let Some(demand) = self.demands.get_mut(&id) {
                    demand.target = Target::Later;
                }
                self.hasten_head();
                self.timers.set_earlier(Timer::Live, self.now);
            }
            Resolution::Unlisted => self.refuse(id, RefuseCode::Unlisted),
            Resolution::RangeOutside => self.refuse(id, RefuseCode::RangeOutside),
        }
    }

    /// What the catalog said of them does not hold any more.
    #[cfg(feature = "live")]
    pub(super) fn postpone_demands(&mut self) {
        for demand in self.demands.values_mut() {
            if !matches!(demand.target, Target::Document(_)) {
                demand.target = Target::Later;
            }
        }
    }

    fn note_active(&mut self, object: ObjectId) {
        let now = self.now;
        if object.track.0 != 0 {
            self.active.insert(
                object.track,
                ActiveTrack {
                    last_index: object.index,
                    last_at: now,
                },
            );
        }
    }

    /// The entry of an object whose index record is known.
    pub(super) fn ensure_object(&mut self, id: ObjectId) -> bool {
        if let Some(object) = self.objects.get_mut(&id) {
            object.used_at = self.now;
            return true;
        }
        match self.catalog.object(id) {
            Some(info) => {
                self.objects.insert(id, Object::new(*info, self.now));
                true
            }
            None => false,
        }
    }

    pub(super) fn refuse(&mut self, id: DemandId, code: RefuseCode) {
        if self.demands.remove(&id).is_some() {
            self.outputs.push_back(Output::Refuse { demand: id, code });
        }
    }

    fn demands_of(&self, object: ObjectId) -> Vec<DemandId> {
        let names = |target: &Target| matches!(target, Target::Spans(spans) if spans.iter().any(|s| s.object == object));
        self.demands
            .iter()
            .filter(|(_, demand)| names(&demand.target))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Refuses everything that needs `object`.
    pub(super) fn refuse_all_of(&mut self, object: ObjectId, code: RefuseCode) {
        for id in self.demands_of(object) {
            self.refuse(id, code);
        }
    }

    /// Refuses everything that needs `sheet` to be understood.
    pub(super) fn refuse_all_waiting_for(&mut self, sheet: &Sheet, code: RefuseCode) {
        let ids: Vec<DemandId> = self
            .demands
            .iter()
            .filter(
                |(_, demand)| matches!(&demand.target, Target::Unresolved(sheets) if sheets.contains(sheet)),
            )
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.refuse(id, code);
        }
    }

    /// Delivers every demand that `object` was the last missing part of.
    pub(super) fn deliver_ready(&mut self, object: ObjectId) {
        for id in self.demands_of(object) {
            self.deliver_if_complete(id);
        }
    }

    fn deliver_if_complete(&mut self, id: DemandId) {
        let Some(demand) = self.demands.get(&id) else {
            return;
        };
        let Target::Spans(spans) = &demand.target else {
            return;
        };
        let complete = spans.iter().all(|span| {
            let (first, count) = chunks_of(span);
            self.objects
                .get(&span.object)
                .is_some_and(|object| object.has_all(first, count))
        });
        if !complete {
            return;
        }
        let mut timing = DeliverTiming {
            asked_at: demand.asked_at,
            ..DeliverTiming::default()
        };
        let mut first_byte_at: Option<Timestamp> = None;
        for object in spans.iter().filter_map(|span| self.objects.get(&span.object)) {
            timing.from_peers = timing.from_peers.saturating_add(object.from_peers);
            timing.from_http = timing.from_http.saturating_add(object.from_http);
            timing.transfer_us = timing.transfer_us.saturating_add(object.transfer_us(self.now));
            let done = object.done_at.unwrap_or(self.now);
            timing.done_at = timing.done_at.max(done);
            first_byte_at = match (first_byte_at, object.first_byte_at) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        timing.first_byte_at = first_byte_at.unwrap_or(self.now);
        timing.done_at = if timing.done_at == Timestamp::default() {
            self.now
        } else {
            timing.done_at
        };
        let media_type = spans
            .first()
            .and_then(|span| self.catalog.media_type(span.object))
            .unwrap_or_default()
            .to_owned();
        let spans = spans.clone();
        for span in &spans {
            if let Some(object) = self.objects.get_mut(&span.object) {
                object.used_at = self.now;
            }
        }
        self.demands.remove(&id);
        self.outputs.push_back(Output::Deliver {
            demand: id,
            spans,
            media_type,
            timing,
        });
    }
}
