//! Whether the engine's books agree with each other. For simulators and tests, which ask after every step; it costs a look at
//! everything and changes nothing.

use super::engine::Engine;
use super::fetch::{Fetch, What};
use super::limits::{MAX_DEMANDS, MAX_FETCHES, MAX_UPLOAD_QUEUE, MAX_WINDOW};
use super::object::{By, Chunk, Object};
use super::peer::Peer;
use super::sheets::EXTRA_FETCHES;
use super::{FetchId, PeerId};
use crate::content::ObjectId;

/// Something that must always hold and does not: a fault of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Stable code.
    pub rule: &'static str,
    /// The object concerned, if any.
    pub object: Option<ObjectId>,
    /// The peer concerned, if any.
    pub peer: Option<PeerId>,
}

impl Engine {
    /// Looks for books that do not agree, bounds that are not kept, and waiting without a next wake-up.
    ///
    /// # Errors
    /// The first [`Breach`] that is found.
    pub fn audit(&self) -> Result<(), Breach> {
        self.audit_bounds()?;
        for peer in self.peers.values() {
            audit_peer(peer)?;
        }
        let mut store_bytes = 0;
        for (id, object) in self.objects.iter() {
            self.audit_object(*id, object)?;
            store_bytes += object.held_bytes();
        }
        holds(store_bytes == self.store_bytes, "store_bytes_differ", None, None)
    }

    fn audit_bounds(&self) -> Result<(), Breach> {
        let engine = |rule, right| holds(right, rule, None, None);
        engine("too_many_peers", self.peers.len() <= self.config.max_peers)?;
        engine(
            "too_many_fetches",
            self.fetches.values().filter(|fetch| is_bounded(fetch)).count() <= MAX_FETCHES + EXTRA_FETCHES,
        )?;
        engine("too_many_demands", self.demands.len() <= MAX_DEMANDS)?;
        // An HTTP request wakes the engine by itself; whatever else is waited for needs an alarm.
        let waits = !self.demands.is_empty() && self.fetches.is_empty();
        engine("no_next_wake_up", !waits || self.timers.next().is_some())
    }

    /// Every chunk is in one state, and whoever is said to bring it was asked for it and has not brought it.
    fn audit_object(&self, id: ObjectId, object: &Object) -> Result<(), Breach> {
        let mut asked = 0;
        for chunk in 0..object.info.chunks {
            let Some(Chunk::Requested { first, hedge }) = object.state(chunk) else {
                continue;
            };
            for by in [Some(first), hedge].into_iter().flatten() {
                asked += 1;
                let rule = "chunk_of_nobody";
                match by {
                    By::Http(fetch) => holds(self.fetch_covers(fetch, id, chunk), rule, Some(id), None)?,
                    By::Peer(peer, request) => {
                        let covers = self.request_covers(peer, request, id, chunk);
                        holds(covers, rule, Some(id), Some(peer))?;
                    }
                }
            }
            holds(Some(first) != hedge, "chunk_asked_twice_of_one", Some(id), None)?;
        }
        let complete = object.verified_chunks() == object.info.chunks;
        holds(
            object.in_flight() == asked && complete == object.is_complete(),
            "object_counts_differ",
            Some(id),
            None,
        )
    }

    fn fetch_covers(&self, fetch: FetchId, id: ObjectId, chunk: u32) -> bool {
        self.fetches.get(&fetch).is_some_and(|fetch| match &fetch.what {
            What::Object {
                object, first, count, ..
            } => *object == id && (*first..*first + *count).contains(&chunk),
            _ => false,
        })
    }

    fn request_covers(&self, peer: PeerId, request: u32, id: ObjectId, chunk: u32) -> bool {
        self.peers
            .get(&peer)
            .and_then(|peer| peer.requests.get(&request))
            .is_some_and(|request| request.object == id && request.open().any(|open| open == chunk))
    }
}

fn audit_peer(peer: &Peer) -> Result<(), Breach> {
    let peer_holds = |rule, right| holds(right, rule, None, Some(peer.id));
    peer_holds("too_many_requests", peer.requests.len() <= MAX_UPLOAD_QUEUE)?;
    peer_holds("too_many_chunks_asked", peer.outstanding() <= 2 * MAX_WINDOW)?;
    peer_holds("too_many_uploads", peer.uploads.len() <= MAX_UPLOAD_QUEUE)?;
    peer_holds(
        "asked_before_proof",
        peer.is_ready() || (peer.requests.is_empty() && peer.uploads.is_empty()),
    )?;
    let nothing_open = peer.requests.values().find(|request| request.is_complete());
    peer_holds("request_without_end", nothing_open.is_none())
}

fn holds(
    right: bool,
    rule: &'static str,
    object: Option<ObjectId>,
    peer: Option<PeerId>,
) -> Result<(), Breach> {
    if right {
        return Ok(());
    }
    Err(Breach { rule, object, peer })
}

/// Live heads and documents have bounds of their own.
const fn is_bounded(fetch: &Fetch) -> bool {
    matches!(fetch.what, What::Object { .. } | What::Sheet(_))
}
