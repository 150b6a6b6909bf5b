//! The origin: answers over HTTP, piece by piece, to each viewer at its rate, the requests of one viewer by turns.
//!
//! The connection is warm and its sender recovers well from loss, as those of delivery networks do: a request costs a round
//! trip, and then bytes come at the rate.

use std::sync::Arc;

use swarmseal::content::{CHUNK, chunk_len};
use swarmseal::swarm::{FetchId, FetchKind, FetchOutcome, Input};

use super::channels::TURN_US;
use super::title::Title;
use super::viewer::{Body, Transfer, ViewerId};
use super::{Event, World};
use crate::event_log::Kind;
use crate::net::Micros;

impl World {
    /// The engine asks for something over HTTP.
    pub(super) fn fetch(
        &mut self,
        viewer: ViewerId,
        fetch: FetchId,
        path: String,
        range: Option<(u64, u64)>,
        kind: FetchKind,
    ) {
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        let (body, len) = match kind {
            FetchKind::Object {
                object,
                first_chunk,
                len,
                ..
            } => {
                // The engine says why of the whole object; see `reason_of`.
                let reason = owner.engine.as_ref().and_then(|engine| reason_of(engine, object));
                let body = Body::Chunks {
                    object,
                    first: first_chunk,
                    reason,
                };
                (body, len)
            }
            FetchKind::Sheet { len } => {
                let range = range.unwrap_or((0, len.saturating_sub(1)));
                (Body::Sheet { path, range }, len)
            }
            FetchKind::Whole { most } => {
                let bytes = Vec::new();
                (Body::Whole { path, bytes }, most)
            }
        };
        owner.http.open.push(Transfer {
            fetch,
            body,
            len,
            begun: false,
            sent: 0,
            arrived: 0,
        });
        let wait = owner.up.request_us(self.now);
        let latency_us = self.origin_latency_us(viewer);
        self.log
            .note(self.now, viewer, Kind::FetchBegun, u64::from(fetch.0), len);
        self.after(wait + latency_us, Event::AtOrigin { viewer, fetch });
    }

    fn origin_latency_us(&self, viewer: ViewerId) -> Micros {
        let own = self.viewers.get(viewer).map_or(0, |viewer| viewer.latency_us);
        own + u64::from(self.scenario.origin.latency_ms) * 1_000
    }

    /// A request has reached the origin.
    pub(super) fn at_origin(&mut self, viewer: ViewerId, fetch: FetchId) {
        let latency_us = self.origin_latency_us(viewer);
        if self.origin_down_until > self.now {
            self.after(latency_us, Event::FetchFailed { viewer, fetch });
            return;
        }
        let title = Arc::clone(&self.title);
        let newer = (self.newest_at(self.now) + 1).saturating_sub(self.scenario.content.edge_segments);
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        let Some(transfer) = owner.http.find(fetch) else {
            return;
        };
        if let Body::Whole { path, bytes } = &mut transfer.body {
            let Some(file) = title.file(path, newer) else {
                self.after(latency_us, Event::FetchFailed { viewer, fetch });
                return;
            };
            transfer.len = file.len() as u64;
            bytes.extend_from_slice(file);
            self.counts.head_requests += u64::from(Title::is_head(path));
        }
        transfer.begun = true;
        if !owner.http.sending {
            self.send_piece(viewer);
        }
    }

    /// The origin sends the next piece to a viewer, of whichever request has its turn.
    pub(super) fn send_piece(&mut self, viewer: ViewerId) {
        let kbps = u64::from(self.scenario.origin.kbps).max(1);
        let latency_us = self.origin_latency_us(viewer);
        let now = self.now;
        let is_down = self.origin_down_until > now;
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        // No faster than the viewer takes it: the sender's congestion control sees to that.
        let kbps = kbps.min(owner.down.kbps());
        let http = &mut owner.http;
        http.sending = false;
        let count = http.open.len();
        let has_more = |transfer: &Transfer| transfer.begun && transfer.sent < transfer.len;
        let Some(at) = (0..count)
            .map(|step| (http.turn + step) % count)
            .find(|at| http.open.get(*at).is_some_and(has_more))
        else {
            return;
        };
        if is_down {
            return;
        }
        http.turn = at + 1;
        let Some(transfer) = http.open.get_mut(at) else {
            return;
        };
        let len = (transfer.len - transfer.sent).min(u64::from(CHUNK));
        transfer.sent += len;
        http.sending = true;
        let fetch = transfer.fetch;
        let out_at = now + (len * 8_000).div_ceil(kbps);
        self.queue
            .push(out_at + latency_us, Event::PieceAtDownlink { viewer, fetch, len });
        self.queue.push(out_at, Event::OriginFree { viewer });
    }

    pub(super) fn piece_at_downlink(&mut self, viewer: ViewerId, fetch: FetchId, len: u64) {
        let now = self.now;
        if let Some(owner) = self.viewers.get_mut(viewer) {
            let passage = owner.down.push(now, len);
            self.queue
                .push(passage.out_at + TURN_US, Event::Piece { viewer, fetch });
        }
    }

    /// A piece has come: 16 KiB of an object, or as much of a sheet, which is handed over once all of it is there.
    pub(super) fn piece(&mut self, viewer: ViewerId, fetch: FetchId) {
        let Some(transfer) = self
            .viewers
            .get_mut(viewer)
            .and_then(|owner| owner.http.find(fetch))
        else {
            return;
        };
        let piece = transfer.arrived;
        transfer.arrived += 1;
        let is_last = u64::from(transfer.arrived) * u64::from(CHUNK) >= transfer.len;
        let title = Arc::clone(&self.title);
        match transfer.body.clone() {
            Body::Chunks { object, first, .. } => {
                if let Some(payload) = title.named(object, first + piece, 1, true) {
                    let input = Input::FetchPiece {
                        fetch,
                        piece,
                        payload: &payload,
                    };
                    self.feed(viewer, input, None);
                }
            }
            Body::Sheet { path, range } if is_last => {
                if let Some(bytes) = title.sheet(&path, range) {
                    self.feed(viewer, Input::FetchSheet { fetch, bytes }, None);
                }
            }
            Body::Whole { bytes, .. } if is_last => {
                let input = Input::FetchSheet { fetch, bytes: &bytes };
                self.feed(viewer, input, None);
            }
            Body::Sheet { .. } | Body::Whole { .. } => {}
        }
        if is_last {
            self.end_fetch(viewer, fetch, FetchOutcome::Complete);
        }
    }

    /// A request is over: the engine is told, and the pieces that it did not keep are gone.
    pub(super) fn end_fetch(&mut self, viewer: ViewerId, fetch: FetchId, outcome: FetchOutcome) {
        let is_open = self
            .viewers
            .get(viewer)
            .is_some_and(|owner| owner.http.open.iter().any(|transfer| transfer.fetch == fetch));
        if is_open {
            self.log.note(
                self.now,
                viewer,
                Kind::FetchEnded,
                u64::from(fetch.0),
                u64::from(outcome == FetchOutcome::Complete),
            );
            self.feed(viewer, Input::FetchEnded { fetch, outcome }, None);
            if let Some(owner) = self.viewers.get_mut(viewer) {
                owner.http.take(fetch);
            }
        }
    }

    /// The origin fails: what is under way breaks off.
    pub(super) fn break_off_fetches(&mut self) {
        for viewer in 0..self.viewers.len() {
            let Some(owner) = self.viewers.get(viewer).filter(|owner| owner.is_here()) else {
                continue;
            };
            let open: Vec<FetchId> = owner
                .http
                .open
                .iter()
                .filter(|transfer| transfer.begun)
                .map(|transfer| transfer.fetch)
                .collect();
            let latency_us = self.origin_latency_us(viewer);
            for fetch in open {
                self.after(latency_us, Event::FetchFailed { viewer, fetch });
            }
        }
    }

    /// Bytes of one piece of a request.
    pub(super) fn piece_bytes(&self, viewer: ViewerId, fetch: FetchId, piece: u32) -> Option<(u64, Body)> {
        let owner = self.viewers.get(viewer)?;
        let transfer = owner.http.open.iter().find(|transfer| transfer.fetch == fetch)?;
        let Body::Chunks { object, first, .. } = transfer.body else {
            return None;
        };
        let placed = self.title.object(object)?;
        // Only what has come can be kept.
        (piece < transfer.arrived).then(|| {
            (
                u64::from(chunk_len(placed.len, first + piece)),
                transfer.body.clone(),
            )
        })
    }
}

/// Why the engine fetches an object over HTTP, as its statistics say.
fn reason_of(
    engine: &swarmseal::swarm::Engine,
    object: swarmseal::content::ObjectId,
) -> Option<swarmseal::swarm::HttpReason> {
    engine
        .segments()
        .into_iter()
        .find(|segment| segment.track == object.track.0 && segment.index == object.index)?
        .http_reason
}
