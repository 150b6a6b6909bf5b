//! Playlists and MPDs of a live content: whatever the origin gives, provided that a head vouches for it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::content::Hash;
use crate::swarm::demands::Target;
use crate::swarm::engine::Engine;
use crate::swarm::fetch::What;
use crate::swarm::{DeliverTiming, DemandId, FetchId, FetchOutcome, Output, RefuseCode};

/// Longest playlist: a day of segments of two seconds, at 24 bytes each.
const MAX_DOCUMENT: u64 = 1 << 20;
/// Documents that are waited for at once. A player has one playlist for each kind of track.
const MAX_WAITING: usize = 8;

/// A demanded document.
#[derive(Clone, Debug)]
pub(in crate::swarm) struct Document {
    path: String,
    fetch: Option<FetchId>,
    /// What came, while no head vouches for it.
    body: Option<Vec<u8>>,
}

impl Engine {
    /// Asks for a document, past the browser's cache: players ask again for what has changed.
    pub(in crate::swarm) fn fetch_document(&mut self, id: DemandId, path: String) {
        let others = self
            .demands
            .iter()
            .filter(|(other, demand)| **other != id && matches!(demand.target, Target::Document(_)));
        if others.count() >= MAX_WAITING {
            self.refuse(id, RefuseCode::Busy);
            return;
        }
        let fetch = self.fetch_whole(What::Document(id), path.clone(), MAX_DOCUMENT, true);
        if let Some(demand) = self.demands.get_mut(&id) {
            demand.target = Target::Document(Document {
                path,
                fetch: Some(fetch),
                body: None,
            });
        }
    }

    pub(in crate::swarm) fn document_came(&mut self, id: DemandId, bytes: &[u8]) {
        let Some(document) = self.document_of(id) else {
            return;
        };
        document.body = Some(bytes.to_vec());
        if !self.deliver_document(id) {
            // A playlist is written before the head that vouches for it.
            self.hasten_head();
            self.live_tick();
        }
    }

    pub(in crate::swarm) fn document_ended(&mut self, id: DemandId, outcome: FetchOutcome) {
        let Some(document) = self.document_of(id) else {
            return;
        };
        document.fetch = None;
        if outcome != FetchOutcome::Complete {
            self.refuse(id, RefuseCode::Unavailable);
        }
    }

    /// A new head: some may be vouched for now, others have to be fetched again.
    pub(super) fn documents_after_head(&mut self) {
        let waiting: Vec<(DemandId, String)> = self
            .demands
            .iter()
            .filter_map(|(id, demand)| match &demand.target {
                Target::Document(document) if document.fetch.is_none() => Some((*id, document.path.clone())),
                _ => None,
            })
            .collect();
        for (id, path) in waiting {
            if !self.deliver_document(id) {
                self.fetch_document(id, path);
            }
        }
    }

    fn deliver_document(&mut self, id: DemandId) -> bool {
        let now = self.now;
        let Some(demand) = self.demands.get(&id) else {
            return false;
        };
        let Target::Document(Document {
            path,
            body: Some(body),
            ..
        }) = &demand.target
        else {
            return false;
        };
        let hash = Hash::of(&[body]);
        let Some(vouched) = self
            .catalog
            .document(path)
            .filter(|document| document.digests.contains(&hash))
        else {
            return false;
        };
        let output = Output::DeliverDocument {
            demand: id,
            bytes: body.clone(),
            media_type: vouched.media_type.clone(),
            timing: DeliverTiming {
                asked_at: demand.asked_at,
                first_byte_at: now,
                done_at: now,
                from_http: body.len() as u64,
                ..DeliverTiming::default()
            },
        };
        self.outputs.push_back(output);
        self.demands.remove(&id);
        true
    }

    fn document_of(&mut self, id: DemandId) -> Option<&mut Document> {
        match &mut self.demands.get_mut(&id)?.target {
            Target::Document(document) => Some(document),
            _ => None,
        }
    }
}
