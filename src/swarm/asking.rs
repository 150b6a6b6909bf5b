//! Who is asked for which chunks.
//!
//! Every peer is kept busy with what it alone can give: of the chunks that nobody was asked for, the rarest among
//! neighbours come first. Viewers begin at different chunks of an object and go on from there, so that they fetch
//! different parts of it and have something for each other.

use alloc::vec::Vec;

use super::engine::Engine;
use super::limits::MAX_UPLOAD_QUEUE;
use super::object::By;
use super::peer::{Held, Peer, Request};
use super::schedule::{URGENT_US, Want};
use super::timer::Timer;
use super::{PeerId, Sharing};
use crate::content::ObjectId;
use crate::wire::{MAX_REQUEST_CHUNKS, Message, Urgency};

/// A peer that holds some of an object.
struct Source<'a> {
    id: PeerId,
    held: Held<'a>,
    /// Chunks that it may be asked for now.
    free: u32,
    /// Requests that it may get on top of those under way.
    room: usize,
    /// When what it was asked for and one more chunk will be here, microseconds from now.
    eta_us: u64,
    /// What one more chunk adds to that.
    chunk_us: u64,
}

impl Source<'_> {
    const fn may_be_asked(&self) -> bool {
        self.free > 0 && self.room > 0
    }
}

/// The longest run that is asked of one peer when time is short, so that others bring the rest meanwhile.
const URGENT_RUN: u8 = 4;

impl Engine {
    /// Peers that hold some of an object and may be asked now.
    pub(super) fn sources_of(&self, id: ObjectId) -> impl Iterator<Item = (&Peer, Held<'_>)> {
        self.peers
            .values()
            .filter(move |peer| peer.is_source(self.now) && peer.shares(id.track))
            .filter_map(move |peer| Some((peer, peer.holdings.of(id)?)))
    }

    /// Asks one peer, of which something came or that holds something new, for more.
    pub(super) fn refill(&mut self, peer: PeerId) {
        let wants = core::mem::take(&mut self.wants);
        for want in &wants {
            let Some(to) = self.peers.get(&peer) else { break };
            if to.window_free(Urgency::Urgent, self.now) == 0 {
                break;
            }
            let (Some(held), Some(object)) = (to.holdings.of(want.id), self.objects.get(&want.id)) else {
                continue;
            };
            let useful = object
                .unasked(want.first, want.count)
                .any(|chunk| held.has(chunk));
            if useful && self.catalog.row(want.id).is_some() {
                self.ask_peers(want, Some(peer));
            }
        }
        self.wants = wants;
    }

    /// Asks peers, or one of them, for what nobody was asked for.
    pub(super) fn ask_peers(&mut self, want: &Want, only: Option<PeerId>) {
        let now = self.now;
        if self.config.sharing == Sharing::Off {
            return;
        }
        let urgent = want.need_at.since(now) < URGENT_US / 2;
        let urgency = match (want.demanded, urgent) {
            (true, true) => Urgency::Urgent,
            (true, false) | (false, true) => Urgency::Soon,
            (false, false) => Urgency::Prefetch,
        };
        if urgency > Urgency::Prefetch && only.is_none() {
            self.upgrade(want.id, urgency);
        }
        let asked = |peer: &Peer| only.is_none_or(|only| only == peer.id);
        let may_be_asked = |peer: &Peer| asked(peer) && peer.window_free(urgency, now) > 0;
        if !self.sources_of(want.id).any(|(peer, _)| may_be_asked(peer)) {
            // Nearly always, in a swarm whose uplinks are full.
            return;
        }
        let Some(object) = self.objects.get(&want.id) else {
            return;
        };
        let mut open: Vec<(u32, usize)> = object
            .unasked(want.first, want.count)
            .map(|chunk| (chunk, 0))
            .collect();
        if open.is_empty() {
            return;
        }
        // Live: what somebody will bring sooner, who may not be asked for more just now, is left to him. Of a peer that is
        // asked only because it is free, the last chunks of a segment come too late.
        let patient = cfg!(feature = "live") && self.live.is_some();
        let mut sources: Vec<Source<'_>> = Vec::new();
        for (peer, held) in self.sources_of(want.id) {
            // Who holds all of them makes none rarer than another.
            if let Held::Part(part) = &held {
                for (chunk, holders) in &mut open {
                    *holders += usize::from(part.contains(*chunk));
                }
            }
            if !asked(peer) && !patient {
                continue;
            }
            let eta_us = peer.eta_us(1) + if patient { peer.held_up_us(now) } else { 0 };
            sources.push(Source {
                id: peer.id,
                held,
                free: if asked(peer) {
                    peer.window_free(urgency, now)
                } else {
                    0
                },
                room: MAX_UPLOAD_QUEUE.saturating_sub(peer.requests.len()),
                eta_us,
                chunk_us: peer.eta_us(2).saturating_sub(peer.eta_us(1)),
            });
        }
        let run_limit = if urgent { URGENT_RUN } else { MAX_REQUEST_CHUNKS };
        let mut draw = self.next_request ^ self.draw;
        let chunks = object.info.chunks;
        let mut cursor = object.cursor;
        let mut runs: Vec<(PeerId, u32, u32)> = Vec::new();
        while let Some(source) = sources
            .iter_mut()
            .filter(|source| source.may_be_asked() || (patient && source.eta_us < u64::MAX))
            .min_by_key(|source| (source.eta_us, source.id))
        {
            let rarest = |from: u32| {
                open.iter()
                    .filter(|(chunk, _)| source.held.has(*chunk))
                    .map(|(chunk, holders)| (*holders, chunk.wrapping_sub(from), *chunk))
                    .min()
            };
            let mut best = rarest(cursor);
            if best.is_some_and(|(_, away, _)| away > 0) {
                // Whoever was there before goes on from there: begin elsewhere.
                draw = draw.wrapping_mul(0x9e37_79b1).rotate_left(16);
                best = rarest(draw % chunks);
            }
            let Some((holders, _, start)) = best else {
                source.free = 0;
                source.eta_us = u64::MAX;
                continue;
            };
            if !source.may_be_asked() {
                open.retain(|(chunk, _)| *chunk != start);
                source.eta_us += source.chunk_us;
                continue;
            }
            let run = (start..)
                .zip(open.iter().skip_while(|(chunk, _)| *chunk < start))
                .take_while(|(next, (chunk, h))| next == chunk && *h == holders && source.held.has(*chunk))
                .take(source.free.min(run_limit.into()) as usize)
                .count() as u32;
            cursor = start + run;
            source.free -= run;
            source.room -= 1;
            source.eta_us += source.chunk_us * u64::from(run);
            open.retain(|(chunk, _)| *chunk < start || *chunk >= cursor);
            runs.push((source.id, start, run));
        }
        for (peer, start, run) in runs {
            self.request_chunks(want.id, start, run, peer, urgency);
        }
    }

    /// What was fetched ahead and is asked for by the player now must not wait behind what is still fetched ahead.
    fn upgrade(&mut self, id: ObjectId, urgency: Urgency) {
        let mut upgraded: Vec<(PeerId, u32)> = Vec::new();
        for peer in self.peers.values_mut() {
            for (request_id, request) in peer.requests.iter_mut() {
                if request.object == id && request.urgency < urgency {
                    request.urgency = urgency;
                    upgraded.push((peer.id, *request_id));
                }
            }
        }
        for (peer, request) in upgraded {
            self.send_request(peer, request);
        }
    }

    /// Asks a peer for a run of chunks.
    fn request_chunks(&mut self, id: ObjectId, first: u32, count: u32, peer_id: PeerId, urgency: Urgency) {
        let now = self.now;
        let Ok(size) = u8::try_from(count) else { return };
        let (Some(object), Some(peer)) = (self.objects.get_mut(&id), self.peers.get_mut(&peer_id)) else {
            return;
        };
        self.next_request = self.next_request.wrapping_add(1);
        let request_id = self.next_request;
        for chunk in first..first + count {
            object.request(chunk, By::Peer(peer_id, request_id), now);
        }
        object.asked_peers_at.get_or_insert(now);
        object.cursor = first + count;
        peer.download.start(now);
        peer.last_request = request_id;
        let request = Request {
            object: id,
            first,
            count: size,
            nonce: None,
            got: 0,
            issued_at: now,
            progress_at: now,
            urgency,
        };
        self.timers
            .set_earlier(Timer::Schedule, peer.request_timeout(&request));
        peer.requests.insert(request_id, request);
        self.send_request(peer_id, request_id);
    }

    /// Sends a request, or says that it is more urgent now.
    fn send_request(&mut self, peer: PeerId, id: u32) {
        let mut nonce = [0; 16];
        self.rng.fill(&mut nonce);
        let request = self
            .peers
            .get_mut(&peer)
            .and_then(|peer| peer.requests.get_mut(&id));
        let Some(request) = request else {
            return;
        };
        // The other side signs the nonce that it is given first.
        request.nonce.get_or_insert(nonce);
        let Some(object) = self.objects.get(&request.object) else {
            return;
        };
        let message = Message::Request {
            id,
            object: request.object,
            root: object.info.root,
            first: request.first,
            count: request.count,
            nonce,
            urgency: request.urgency,
        };
        self.send(peer, &message);
    }
}
