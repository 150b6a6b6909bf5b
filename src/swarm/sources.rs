//! The HTTP source: one plain GET per segment by default, a range for the rest of one; every byte checked.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::claims::Claims;
use super::dealing::DEAL_US;
use super::engine::Engine;
use super::fallback::Part;
use super::fetch::{Fetch, What};
use super::limits::{MAX_ATTEMPTS, MAX_FETCHES};
use super::object::By;
use super::timer::Timer;
use super::{
    Event, FetchId, FetchKind, FetchOutcome, HttpReason, KeepFrom, Output, Payload, RefuseCode, Timestamp,
};
use crate::content::{CHUNK, Hash, ObjectId, tree};
use crate::ordered::{OrderedSet, sort_by_key};
use crate::wire::Message;

/// Answers that fail verification before the source is blamed: the first may be a stale cache entry.
const CORRUPT_BEFORE_BLAME: u32 = 2;

/// Requests for what is missing of one object, at once.
const MAX_RUNS: u32 = 4;

impl Engine {
    /// Asks HTTP for the chunks of `first..first + count` that are missing, in a few requests at most.
    pub(super) fn fetch_object(
        &mut self,
        id: ObjectId,
        first: u32,
        count: u32,
        reason: HttpReason,
        part: Part,
    ) {
        let (mut from, end) = (first, first.saturating_add(count));
        for _ in 0..MAX_RUNS {
            match self.fetch_run(id, from, end.saturating_sub(from), reason, part) {
                Some(last) if self.fetches.len() < MAX_FETCHES => from = last + 1,
                _ => return,
            }
        }
    }

    /// Asks HTTP for the first run of missing chunks, and says where it ends.
    fn fetch_run(
        &mut self,
        id: ObjectId,
        first: u32,
        count: u32,
        reason: HttpReason,
        part: Part,
    ) -> Option<u32> {
        let now = self.now;
        let row_known = self.catalog.row(id).is_some();
        let location = self.catalog.location(id)?;
        let object = self.objects.get_mut(&id)?;
        let gap = match part {
            Part::Missing => object.gap(first, count),
            Part::Unasked => object.unasked_gap(first, count),
        };
        let (mut from, mut to) = gap?;
        if !row_known {
            // Without the row only a whole body can be checked.
            from = 0;
            to = object.info.chunks.saturating_sub(1);
        }
        let chunks = to - from + 1;
        let fetch_len = (from..=to)
            .map(|chunk| u64::from(object.chunk_len(chunk)))
            .sum::<u64>();
        let whole = chunks == object.info.chunks;
        let range = match location.range {
            None if whole => None,
            None => Some(span(0, from, fetch_len)),
            Some((offset, _)) => Some(span(offset, from, fetch_len)),
        };
        let reload = object.corrupt_answers > 0;
        object.http_reason.get_or_insert(reason);
        // Who fetches a slice is one of several, and the others' time is short: they are told of everything at once.
        if whole && reason == HttpReason::Elected {
            object.deal_until = Some(now + (self.http.expect_us(fetch_len) + DEAL_US));
        }
        object.retry_at = None;
        let fetch = self.fresh_fetch_id();
        let object = self.objects.get_mut(&id)?;
        for chunk in from..=to {
            object.request(chunk, By::Http(fetch), now);
        }
        self.outputs.push_back(Output::Fetch {
            fetch,
            path: location.path.clone(),
            range,
            kind: FetchKind::Object {
                object: id,
                first_chunk: from,
                chunks,
                len: fetch_len,
            },
            reload,
        });
        let what = What::Object {
            object: id,
            first: from,
            count: chunks,
            pieces: 0,
            leaves: Vec::new(),
            bad: None,
            aborted: false,
        };
        self.fetches.insert(
            fetch,
            Fetch {
                what,
                path: location.path,
                started_at: now,
                first_byte_at: None,
                bytes: 0,
                progress_at: now,
                len: fetch_len,
            },
        );
        Some(to)
    }

    pub(super) fn fetch_piece(&mut self, id: FetchId, piece: u32, payload: &dyn Payload) {
        let now = self.now;
        let Some(fetch) = self.fetches.get_mut(&id) else {
            return;
        };
        fetch.first_byte_at.get_or_insert(now);
        fetch.progress_at = now;
        fetch.bytes = fetch.bytes.saturating_add(payload.len() as u64);
        let What::Object {
            object: object_id,
            first,
            count,
            pieces,
            bad,
            ..
        } = &mut fetch.what
        else {
            return;
        };
        if piece != *pieces || piece >= *count || bad.is_some() {
            return;
        }
        *pieces += 1;
        let (object_id, chunk) = (*object_id, *first + piece);
        let Some(object) = self.objects.get_mut(&object_id) else {
            return;
        };
        if object.has(chunk) {
            // A peer was faster.
            let wasted = payload.len() as u64;
            if let Some(leaf) = payload.leaf(0, payload.len()) {
                self.remember_leaf(id, leaf);
            }
            self.count_traffic(object_id, |traffic| traffic.wasted += wasted);
            return;
        }
        let right_len = payload.len() == object.chunk_len(chunk) as usize;
        let Some(leaf) = payload.leaf(0, payload.len()).filter(|_| right_len) else {
            self.piece_failed(id, object_id, chunk);
            return;
        };
        self.remember_leaf(id, leaf);
        match self
            .catalog
            .row(object_id)
            .map(|row| row.get(chunk as usize) == Some(&leaf))
        {
            Some(true) => self.piece_verified(id, object_id, piece, chunk, payload.len() as u64),
            Some(false) => self.piece_failed(id, object_id, chunk),
            None => {}
        }
    }

    fn remember_leaf(&mut self, id: FetchId, leaf: Hash) {
        if let Some(Fetch {
            what: What::Object { leaves, .. },
            ..
        }) = self.fetches.get_mut(&id)
        {
            leaves.push(leaf);
        }
    }

    fn piece_verified(&mut self, id: FetchId, object_id: ObjectId, piece: u32, chunk: u32, bytes: u64) {
        self.outputs.push_back(Output::Keep {
            from: KeepFrom::Fetch { fetch: id, piece },
            object: object_id,
            chunk,
        });
        if let Some(object) = self.objects.get_mut(&object_id) {
            object.from_http = object.from_http.saturating_add(bytes);
        }
        self.count_traffic(object_id, |traffic| traffic.from_http += bytes);
        self.chunk_verified(object_id, chunk, bytes, By::Http(id));
    }

    fn piece_failed(&mut self, id: FetchId, object_id: ObjectId, chunk: u32) {
        let len = self
            .objects
            .get(&object_id)
            .map_or(0, |object| u64::from(object.chunk_len(chunk)));
        self.count_traffic(object_id, |traffic| traffic.rejected += len);
        let Some(Fetch {
            what: What::Object { bad, aborted, .. },
            ..
        }) = self.fetches.get_mut(&id)
        else {
            return;
        };
        *bad = Some(chunk);
        if !*aborted {
            *aborted = true;
            self.outputs.push_back(Output::AbortFetch { fetch: id });
        }
        self.dirty = true;
    }

    /// The row became known while pieces were held: check them now.
    pub(super) fn row_arrived(&mut self, id: ObjectId) {
        self.dirty = true;
        let held: Vec<(FetchId, u32, Vec<Hash>)> = self
            .fetches
            .iter()
            .filter_map(|(fetch, entry)| match &entry.what {
                What::Object {
                    object,
                    first,
                    leaves,
                    bad: None,
                    ..
                } if *object == id => Some((*fetch, *first, leaves.clone())),
                _ => None,
            })
            .collect();
        for (fetch, first, leaves) in held {
            for (piece, leaf) in (0_u32..).zip(leaves) {
                let chunk = first + piece;
                let Some(object) = self.objects.get(&id) else {
                    return;
                };
                if object.has(chunk) {
                    continue;
                }
                let bytes = u64::from(object.chunk_len(chunk));
                if self.catalog.row(id).and_then(|row| row.get(chunk as usize)) == Some(&leaf) {
                    self.piece_verified(fetch, id, piece, chunk, bytes);
                } else {
                    self.piece_failed(fetch, id, chunk);
                    break;
                }
            }
        }
    }

    pub(super) fn fetch_ended(&mut self, id: FetchId, outcome: FetchOutcome) {
        let Some(fetch) = self.fetches.remove(&id) else {
            return;
        };
        if outcome == FetchOutcome::Complete && fetch.what.tells_speed() {
            self.http.sample(&fetch, self.now);
        }
        self.dirty = true;
        match fetch.what.clone() {
            What::Sheet(sheet) => self.sheet_ended(&sheet, id, outcome),
            #[cfg(feature = "live")]
            What::Head => self.poll_ended(outcome),
            #[cfg(feature = "live")]
            What::Session => self.session_fetch_ended(),
            #[cfg(feature = "live")]
            What::Document(demand) => self.document_ended(demand, outcome),
            What::Object {
                object,
                first,
                count,
                leaves,
                bad,
                aborted,
                ..
            } => {
                let mut corrupt = bad;
                if outcome == FetchOutcome::Complete && bad.is_none() && self.catalog.row(object).is_none() {
                    self.fetches.insert(id, fetch.clone());
                    corrupt = self.whole_body_ended(id, object, count, &leaves);
                    self.fetches.remove(&id);
                }
                self.outputs.push_back(Output::Forget { fetch: id });
                self.release_fetch(object, first, count, id);
                let failed = corrupt.is_some()
                    || !matches!(outcome, FetchOutcome::Complete | FetchOutcome::Aborted)
                    || (outcome == FetchOutcome::Aborted && !aborted);
                if failed {
                    self.object_fetch_failed(object, &fetch.path, corrupt, outcome);
                }
            }
        }
        self.start_sheets();
    }

    /// A whole body came while the row was unknown: its leaves give the root. The first bad chunk, if it failed.
    fn whole_body_ended(
        &mut self,
        id: FetchId,
        object_id: ObjectId,
        count: u32,
        leaves: &[Hash],
    ) -> Option<u32> {
        let info = self.objects.get(&object_id)?.info;
        if count != info.chunks || leaves.len() != info.chunks as usize || tree::root(leaves) != info.root {
            self.count_traffic(object_id, |traffic| traffic.rejected += info.length);
            return Some(0);
        }
        // The leaves are the row; should the catalog not take it, the next request for it fetches it again.
        let _remembered = self.catalog.accept_row(object_id, leaves).is_ok();
        for piece in 0..count {
            if self
                .objects
                .get(&object_id)
                .is_some_and(|object| !object.has(piece))
            {
                let bytes = self
                    .objects
                    .get(&object_id)
                    .map_or(0, |object| u64::from(object.chunk_len(piece)));
                self.piece_verified(id, object_id, piece, piece, bytes);
            }
        }
        None
    }

    /// Gives up requests that bring nothing any more: what they would have brought is asked for elsewhere.
    pub(super) fn time_out_fetches(&mut self) {
        let now = self.now;
        let stalled: Vec<FetchId> = self
            .fetches
            .iter()
            .filter(|(_, fetch)| fetch.stalls_at(&self.http) <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in stalled {
            self.outputs.push_back(Output::AbortFetch { fetch: id });
            self.fetch_ended(id, FetchOutcome::Network);
        }
    }

    fn release_fetch(&mut self, object_id: ObjectId, first: u32, count: u32, id: FetchId) {
        let now = self.now;
        if let Some(object) = self.objects.get_mut(&object_id) {
            for chunk in first..first.saturating_add(count) {
                object.release(chunk, By::Http(id), now);
            }
        }
    }

    fn object_fetch_failed(&mut self, id: ObjectId, path: &str, corrupt: Option<u32>, outcome: FetchOutcome) {
        let now = self.now;
        let row_known = self.catalog.row(id).is_some();
        let Some(object) = self.objects.get_mut(&id) else {
            return;
        };
        if let Some(chunk) = corrupt {
            object.corrupt_answers += 1;
            if object.corrupt_answers < CORRUPT_BEFORE_BLAME {
                return;
            }
            // Not asked again over HTTP soon; peers may have the right bytes.
            object.retry_at = Some(now.plus_ms(5_000));
            let first_blame = object.corrupt_answers == CORRUPT_BEFORE_BLAME;
            if first_blame {
                self.event(Event::SourceBlamed {
                    path: path.to_owned(),
                    track: id.track.0,
                    index: id.index,
                    chunk: row_known.then_some(chunk),
                });
            }
            if !self.somebody_has(id) {
                self.refuse_all_of(id, RefuseCode::Corrupt);
            }
        } else {
            object.http_attempts += 1;
            let wait = match outcome {
                FetchOutcome::Status(_) | FetchOutcome::WrongLength => 400,
                _ => 150,
            };
            object.retry_at = Some(now.plus_ms(wait << object.http_attempts.min(5)));
            if object.http_attempts >= MAX_ATTEMPTS {
                object.http_attempts = 0;
                if !self.somebody_has(id) {
                    self.refuse_all_of(id, RefuseCode::Unavailable);
                }
            }
        }
        let retry_at = self.objects.get(&id).and_then(|object| object.retry_at);
        if let Some(at) = retry_at {
            self.timers.set_earlier(Timer::Schedule, at);
        }
    }

    /// Whether a connected peer says that it holds any of it.
    pub fn somebody_has(&self, id: ObjectId) -> bool {
        self.peers
            .values()
            .any(|peer| peer.is_ready() && peer.shares(id.track) && peer.holdings.has_some(id))
    }

    /// A chunk is verified: bookkeeping that is the same whatever its source.
    pub(super) fn chunk_verified(&mut self, id: ObjectId, chunk: u32, bytes: u64, by: By) {
        let now = self.now;
        let Some(object) = self.objects.get_mut(&id) else {
            return;
        };
        let Some(others) = object.verify(chunk, now) else {
            return;
        };
        let complete = object.is_complete();
        self.claim_kept(id, chunk);
        self.store_bytes = self.store_bytes.saturating_add(bytes);
        for other in others.into_iter().flatten().filter(|other| *other != by) {
            self.not_needed(id, other);
        }
        self.changed.insert(id);
        self.timers
            .set_earlier(Timer::Announce, now.plus_ms(if complete { 2 } else { 25 }));
        if complete {
            self.object_done(id);
        } else {
            self.deliver_ready(id);
        }
        self.dirty |= complete;
    }

    fn object_done(&mut self, id: ObjectId) {
        let Some(object) = self.objects.get(&id) else {
            return;
        };
        let (bytes, from_peers, from_http) = (object.info.length, object.from_peers, object.from_http);
        let reason = object.http_reason.filter(|_| from_http > 0);
        if let Some(reason) = reason {
            *self.http_reasons.entry(reason).or_default() += 1;
        }
        self.event(Event::ObjectDone {
            track: id.track.0,
            index: id.index,
            bytes,
            from_peers,
            from_http,
            http_reason: reason,
        });
        self.deliver_ready(id);
        self.evict();
    }

    /// Somebody else brought the chunk: stop those for whom nothing is left to do.
    fn not_needed(&mut self, id: ObjectId, by: By) {
        match by {
            By::Http(fetch) => self.abort_if_idle(fetch),
            By::Peer(peer_id, request_id) => {
                let now = self.now;
                let Some(object) = self.objects.get(&id) else {
                    return;
                };
                let Some(peer) = self.peers.get_mut(&peer_id) else {
                    return;
                };
                let idle = peer
                    .requests
                    .get(&request_id)
                    .is_some_and(|request| request.open().all(|chunk| object.has(chunk)));
                if idle && peer.give_up(request_id, now).is_some() {
                    self.send(peer_id, &Message::Cancel { id: request_id });
                }
            }
        }
    }

    fn abort_if_idle(&mut self, id: FetchId) {
        let Some(Fetch {
            what:
                What::Object {
                    object,
                    first,
                    count,
                    pieces,
                    aborted,
                    ..
                },
            ..
        }) = self.fetches.get_mut(&id)
        else {
            return;
        };
        let (from, left) = (first.saturating_add(*pieces), count.saturating_sub(*pieces));
        let idle = left > 0
            && self
                .objects
                .get(object)
                .is_some_and(|object| object.has_all(from, left));
        if idle && !*aborted {
            *aborted = true;
            self.outputs.push_back(Output::AbortFetch { fetch: id });
        }
    }

    /// Aborts requests for objects that no demand wants any more.
    pub(super) fn abort_unwanted_fetches(&mut self) {
        let wanted = self.demanded_objects();
        for (id, fetch) in self.fetches.iter_mut() {
            let What::Object { object, aborted, .. } = &mut fetch.what else {
                continue;
            };
            let Some(state) = self.objects.get(object) else {
                continue;
            };
            // Most of it is here: the rest is cheaper than starting again.
            let nearly = state.missing_bytes() * 2 < state.info.length;
            if !wanted.contains(object) && !*aborted && !nearly {
                *aborted = true;
                self.outputs.push_back(Output::AbortFetch { fetch: *id });
            }
        }
    }

    /// Keeps the store within its limit: first what lies furthest behind the play head, then what was
    /// used longest ago; never what a demand needs.
    pub(super) fn evict(&mut self) {
        if self.store_bytes <= self.config.store_bytes {
            return;
        }
        let wanted = self.demanded_objects();
        let position = self.player.map_or(0, |player| player.position_us);
        let mut order: Vec<(u64, Timestamp, ObjectId)> = self
            .objects
            .iter()
            .filter(|(id, object)| {
                !wanted.contains(id)
                    && !object.is_in_flight()
                    && object.verified_chunks() > 0
                    && id.track.0 != 0
            })
            .map(|(id, object)| {
                let end = object.info.start_us.saturating_add(object.info.duration_us);
                // Behind the play head: the further the earlier. Ahead: after everything behind.
                let ahead = if end <= position { end } else { u64::MAX };
                (ahead, object.used_at, *id)
            })
            .collect();
        sort_by_key(&mut order, |entry| *entry);
        for (_, _, id) in order {
            if self.store_bytes <= self.config.store_bytes {
                return;
            }
            let Some(object) = self.objects.remove(&id) else {
                continue;
            };
            self.store_bytes = self.store_bytes.saturating_sub(object.held_bytes());
            self.catalog.forget_rows(id);
            self.changed.remove(&id);
            self.outputs.push_back(Output::Evict { object: id });
            self.event(Event::ObjectEvicted {
                track: id.track.0,
                index: id.index,
            });
            self.tell_evicted(id);
        }
    }

    /// Stops and forgets everything that is here or on its way: it is of logs that are no more.
    pub(super) fn forget_objects(&mut self) {
        let stopped: Vec<FetchId> = self
            .fetches
            .iter()
            .filter(|(_, fetch)| matches!(fetch.what, What::Object { .. } | What::Sheet(_)))
            .map(|(id, _)| *id)
            .collect();
        for fetch in stopped {
            self.fetches.remove(&fetch);
            self.outputs.push_back(Output::AbortFetch { fetch });
            self.outputs.push_back(Output::Forget { fetch });
        }
        let held: Vec<ObjectId> = self.objects.keys().copied().collect();
        for object in held {
            self.outputs.push_back(Output::Evict { object });
        }
        self.objects.clear();
        self.sheets.clear();
        self.active.clear();
        self.claims = Claims::default();
        self.changed = OrderedSet::new();
        self.store_bytes = 0;
    }

    /// Whether a chunk is waiting for HTTP.
    pub(super) fn http_under_way(&self, id: ObjectId) -> bool {
        self.fetches
            .values()
            .any(|fetch| matches!(&fetch.what, What::Object { object, aborted: false, .. } if *object == id))
    }
}

fn span(offset: u64, from: u32, len: u64) -> (u64, u64) {
    let first = offset.saturating_add(u64::from(from) * u64::from(CHUNK));
    (first, first.saturating_add(len).saturating_sub(1))
}
