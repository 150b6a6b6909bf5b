//! What a proved peer says. A fault here is a value: the peer is blamed by name of the rule and closed.

use alloc::vec::Vec;

use super::engine::Engine;
use super::limits::{
    HAVE_DELAY_MS, LOW_UNSENT, MAX_UPLOAD_QUEUE, MESSAGES_BURST, MESSAGES_PER_S, PROOF_BYTES,
};
use super::object::By;
use super::peer::{Stage, Upload};
use super::timer::Timer;
use super::{CloseReason, KeepFrom, Output, Payload, PeerId, Sharing};
use crate::content::{CHUNK, Hash, ObjectId};
use crate::wire::{self, DATA_HEAD, Message, RejectReason};

/// What a DATA message says that it carries.
struct DataHead {
    id: u32,
    object: ObjectId,
    root: Hash,
    first: u32,
    count: u8,
}

impl Engine {
    pub(super) fn peer_message(&mut self, id: PeerId, bytes: &[u8]) {
        if self
            .peers
            .get(&id)
            .is_some_and(|peer| matches!(peer.stage, Stage::Dialling))
        {
            // One channel may deliver before the browser has told that the other is open.
            self.peer_opened(id);
        }
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if !peer.messages.take(self.now, MESSAGES_BURST, MESSAGES_PER_S) {
            // More than anybody has to say; but a page that wakes up may have piled them up, so no blame.
            let handle = peer.handle;
            self.leave_alone(handle);
            self.close_peer(id, CloseReason::Surplus, "message_flood");
            return;
        }
        match peer.stage {
            Stage::Dialling => return,
            Stage::Proving(_) => {
                peer.bytes_before_proof = peer.bytes_before_proof.saturating_add(bytes.len());
                if peer.bytes_before_proof > PROOF_BYTES {
                    self.blame(id, "too_much_before_proof", None);
                    return;
                }
            }
            Stage::Ready(_) => {}
        }
        let message = match wire::decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.blame(id, error.code(), None);
                return;
            }
        };
        let ready = self.peers.get(&id).is_some_and(|peer| peer.is_ready());
        match message {
            Message::Hello(hello) => self.peer_hello(id, &hello),
            Message::Proof(proof) => self.peer_proof(id, &proof),
            _ if !ready => self.blame(id, "message_before_proof", None),
            Message::Tracks(roots) => self.peer_tracks(id, &roots),
            Message::Have(have) => {
                // Ranges are clamped to what the track has, so that a number of theirs sizes nothing.
                if let Some(have) = self.within_track(have)
                    && let Some(peer) = self.peers.get_mut(&id)
                {
                    peer.holdings.add(&have);
                    self.refill(id);
                    self.timers
                        .set_earlier(Timer::Schedule, self.now.plus_ms(HAVE_DELAY_MS));
                }
            }
            Message::Unhave(ranges) => {
                if let Some(peer) = self.peers.get_mut(&id) {
                    for range in &ranges.segments {
                        peer.holdings.remove(ranges.track, range.first, range.count);
                    }
                    self.timers
                        .set_earlier(Timer::Schedule, self.now.plus_ms(HAVE_DELAY_MS));
                }
            }
            Message::WantRows { object, root } => self.peer_wants_rows(id, object, root),
            Message::Rows { object, root, hashes } => self.peer_rows(id, object, root, &hashes),
            Message::Request {
                id: request,
                object,
                root,
                first,
                count,
                nonce,
                urgency,
            } => {
                let upload = Upload {
                    id: request,
                    object,
                    root,
                    next: first,
                    end: first.saturating_add(u32::from(count)),
                    urgency,
                    nonce: Some(nonce),
                };
                self.peer_request(id, upload);
            }
            Message::Cancel { id: request } => {
                if let Some(peer) = self.peers.get_mut(&id) {
                    peer.uploads.retain(|upload| upload.id != request);
                }
            }
            Message::Reject { id: request, reason } => self.peer_reject(id, request, reason),
            Message::Choke => self.peer_chokes(id, true),
            Message::Unchoke => self.peer_chokes(id, false),
            Message::Claim { object, rank } => self.peer_claims(id, object, rank),
            Message::Ticket(ticket) => self.peer_ticket(id, &ticket),
            Message::Bye { .. } => self.close_peer(id, CloseReason::Gone, "bye"),
            Message::Head(sealed) => self.peer_head(id, &sealed),
            Message::Statement(statement) => self.peer_statement(id, &statement),
            Message::Data { .. } => self.blame(id, "data_on_control_channel", None),
        }
    }

    fn within_track(&self, mut have: wire::Have) -> Option<wire::Have> {
        let segments = self.catalog.bound(have.track);
        if segments == 0 {
            return None;
        }
        for range in &mut have.complete {
            range.count = range.count.min(segments.saturating_sub(range.first));
        }
        have.partial.retain(|part| part.index < segments);
        Some(have)
    }

    fn peer_wants_rows(&mut self, id: PeerId, object: ObjectId, root: Hash) {
        let known = self.catalog.object(object).is_some_and(|info| info.root == root);
        let room = self.peers.get(&id).map_or(0, |peer| peer.max_message);
        let Some(row) = self.catalog.row(object).filter(|_| known) else {
            // Not knowing is an honest answer: silence, and they ask elsewhere.
            return;
        };
        let hashes = row.to_vec();
        let len = (hashes.len() * Hash::LEN + DATA_HEAD) as u64;
        // Rows go up the same link as chunks do: the same policy, cap, budget and back-pressure.
        let may = self.config.sharing == Sharing::On
            && len <= room
            && self
                .peers
                .get(&id)
                .is_some_and(|peer| !peer.choking && (peer.buffered <= LOW_UNSENT || peer.sendable() >= len))
            && self.budget.take(len, self.now);
        if may {
            self.send(id, &Message::Rows { object, root, hashes });
        }
    }

    fn peer_rows(&mut self, id: PeerId, object: ObjectId, root: Hash, hashes: &[Hash]) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        match peer.rows_asked.get_mut(&object) {
            None => {
                self.blame(id, "unsolicited_rows", Some((object, 0)));
                return;
            }
            Some(asked) if asked.answered => return,
            Some(asked) => asked.answered = true,
        }
        if self.catalog.object(object).is_none_or(|info| info.root != root) {
            // An honest answer to another version's question.
            return;
        }
        match self.catalog.accept_row(object, hashes) {
            Ok(()) => self.row_arrived(object),
            Err(_) => self.blame(id, "corrupt_rows", Some((object, 0))),
        }
    }

    fn peer_request(&mut self, id: PeerId, upload: Upload) {
        let now = self.now;
        let sharing = self.config.sharing;
        let request = upload.id;
        let is_busy = self.is_busy();
        let held = match self.objects.get_mut(&upload.object) {
            Some(state) if state.info.root == upload.root => {
                state.used_at = now;
                Ok(state.has_all(upload.next, upload.end - upload.next))
            }
            Some(_) => Err(RejectReason::Unknown),
            None => Ok(false),
        };
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if request <= peer.last_upload {
            // Named before: if it still waits, it is more urgent now.
            if let Some(at) = peer.uploads.iter().position(|upload| upload.id == request)
                && let Some(mut waiting) = peer.uploads.remove(at)
            {
                waiting.urgency = upload.urgency;
                peer.queue(waiting);
            }
            return;
        }
        peer.last_upload = request;
        let reject = match held {
            Err(reason) => Some(reason),
            Ok(_) if sharing != Sharing::On || peer.choking => Some(RejectReason::Policy),
            Ok(false) => Some(RejectReason::NotHeld),
            Ok(true) if is_busy || peer.uploads.len() >= MAX_UPLOAD_QUEUE => Some(RejectReason::Busy),
            Ok(true) => None,
        };
        if let Some(reason) = reject {
            self.send(id, &Message::Reject { id: request, reason });
            return;
        }
        peer.queue(upload);
        peer.useful_at = now;
        self.pump_uploads();
    }

    fn peer_reject(&mut self, id: PeerId, request: u32, reason: RejectReason) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(request_state) = peer.refused(request, reason == RejectReason::Busy, now) else {
            return;
        };
        if matches!(reason, RejectReason::NotHeld | RejectReason::Unknown) {
            peer.holdings
                .remove(request_state.object.track, request_state.object.index, 1);
        }
        if reason == RejectReason::Policy {
            peer.choked = true;
        }
        if let Some(object) = self.objects.get_mut(&request_state.object) {
            for chunk in request_state.open() {
                object.release(chunk, By::Peer(id, request), now);
            }
        }
        self.dirty = true;
    }

    fn peer_chokes(&mut self, id: PeerId, choked: bool) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        peer.choked = choked;
        if choked {
            let open: Vec<u32> = peer.requests.keys().copied().collect();
            for request in open {
                self.drop_request(id, request);
            }
        }
        self.dirty = true;
    }

    /// Gives a request up: its chunks are missing again, its data may still come.
    pub(super) fn drop_request(&mut self, id: PeerId, request: u32) {
        let now = self.now;
        let Some(state) = self
            .peers
            .get_mut(&id)
            .and_then(|peer| peer.give_up(request, now))
        else {
            return;
        };
        if let Some(object) = self.objects.get_mut(&state.object) {
            for chunk in state.open() {
                object.release(chunk, By::Peer(id, request), now);
            }
        }
        self.dirty = true;
    }

    /// A message on the data channel: is it one that we asked for, and does every chunk of it verify?
    pub(super) fn peer_data(&mut self, id: PeerId, head: &[u8], payload: &dyn Payload) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if !peer.is_ready() {
            self.blame(id, "data_before_proof", None);
            return;
        }
        let data = match wire::decode_data_head(head) {
            Ok((
                Message::Data {
                    id,
                    object,
                    root,
                    first,
                    count,
                },
                len,
            )) if len == head.len() => DataHead {
                id,
                object,
                root,
                first,
                count,
            },
            Ok(_) => {
                self.blame(id, "bad_data_head", None);
                return;
            }
            Err(error) => {
                self.blame(id, error.code(), None);
                return;
            }
        };
        let len = payload.len() as u64;
        peer.download.add(now, len);
        let last_request = peer.last_request;
        let Some(request) = peer.answered(data.id, now) else {
            if data.id <= last_request {
                // It was asked for this, long ago: too late to be of use, but no offence.
                self.count_traffic(data.object, |traffic| traffic.wasted += len);
                self.close_peer(id, CloseReason::Timeout, "late_data");
            } else {
                self.blame(id, "unsolicited_data", Some((data.object, data.first)));
            }
            return;
        };
        let inside = request.object == data.object
            && data.first >= request.first
            && data.first.saturating_add(u32::from(data.count)) <= request.first + u32::from(request.count);
        if !inside {
            self.blame(id, "data_outside_request", Some((data.object, data.first)));
            return;
        }
        let first = request.got == 0;
        request.progress_at = now;
        let issued_at = request.issued_at;
        let bits = ((1_u32 << data.count) - 1) << (data.first - request.first);
        let bits = u16::try_from(bits & 0xffff).unwrap_or(u16::MAX);
        if request.got & bits != 0 {
            self.blame(id, "data_sent_twice", Some((data.object, data.first)));
            return;
        }
        request.got |= bits;
        let (complete, count) = (request.is_complete(), request.count);
        if first {
            let outstanding = peer.outstanding() + u32::from(data.count);
            let sample = now.since(issued_at).max(1);
            peer.rtt_us = if peer.rtt_us == 0 {
                sample
            } else {
                peer.rtt_us.min(sample).midpoint(peer.rtt_us)
            };
            peer.pace(sample, count.into(), outstanding);
            if self.live.is_some() {
                // Who has time rather leaves nobody's uplink idle.
                peer.rest(now, sample);
            }
        }
        if complete && peer.requests.remove(&data.id).is_some() && peer.requests.is_empty() {
            peer.download.stop(now);
        }
        self.check_chunks(id, &data, payload);
    }

    /// The chunks of a message that was of no use are missing again.
    fn release_data(&mut self, id: PeerId, data: &DataHead) {
        let now = self.now;
        if let Some(object) = self.objects.get_mut(&data.object) {
            for chunk in data.first..data.first.saturating_add(u32::from(data.count)) {
                object.release(chunk, By::Peer(id, data.id), now);
            }
        }
    }

    fn check_chunks(&mut self, id: PeerId, data: &DataHead, payload: &dyn Payload) {
        let Some(object) = self.objects.get(&data.object) else {
            return;
        };
        if object.info.root != data.root {
            self.release_data(id, data);
            // They serve another version under the same numbers: the tracks' roots would have differed.
            self.blame(id, "wrong_root", Some((data.object, data.first)));
            return;
        }
        let expected: u64 = (0..u32::from(data.count))
            .map(|i| u64::from(object.chunk_len(data.first.saturating_add(i))))
            .sum();
        if payload.len() as u64 != expected {
            self.release_data(id, data);
            self.count_traffic(data.object, |traffic| traffic.rejected += payload.len() as u64);
            self.blame(id, "wrong_data_length", Some((data.object, data.first)));
            return;
        }
        for i in 0..u32::from(data.count) {
            let chunk = data.first.saturating_add(i);
            let offset = i * CHUNK;
            let Some(object) = self.objects.get(&data.object) else {
                return;
            };
            let len = object.chunk_len(chunk);
            if object.has(chunk) {
                self.count_traffic(data.object, |traffic| traffic.wasted += u64::from(len));
                continue;
            }
            // The row was known when we asked; should it have been dropped since, it is fetched again.
            let Some(want) = self
                .catalog
                .row(data.object)
                .and_then(|row| row.get(chunk as usize))
                .copied()
            else {
                if let Some(object) = self.objects.get_mut(&data.object) {
                    object.release(chunk, By::Peer(id, data.id), self.now);
                }
                self.count_traffic(data.object, |traffic| traffic.wasted += u64::from(len));
                self.dirty = true;
                continue;
            };
            if payload.leaf(offset as usize, len as usize) != Some(want) {
                self.count_traffic(data.object, |traffic| traffic.rejected += u64::from(len));
                if let Some(object) = self.objects.get_mut(&data.object) {
                    for rest in i..u32::from(data.count) {
                        object.release(data.first + rest, By::Peer(id, data.id), self.now);
                    }
                }
                self.blame(id, "corrupt_chunk", Some((data.object, chunk)));
                return;
            }
            self.outputs.push_back(Output::Keep {
                from: KeepFrom::Message { offset, len },
                object: data.object,
                chunk,
            });
            if let Some(object) = self.objects.get_mut(&data.object) {
                object.from_peers = object.from_peers.saturating_add(u64::from(len));
            }
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.delivered(self.now, u64::from(len));
            }
            self.count_traffic(data.object, |traffic| traffic.from_peers += u64::from(len));
            self.chunk_verified(data.object, chunk, u64::from(len), By::Peer(id, data.id));
        }
        if !self.dirty {
            self.refill(id);
        }
    }
}
