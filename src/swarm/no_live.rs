//! Stands for the room `live` in a core that does not follow live contents: there never is one here, and nothing of it is
//! downloaded.

use alloc::string::String;

use super::engine::Engine;
use super::peer::Peer;
use super::{DemandId, FetchOutcome, PeerId, Timestamp};
use crate::content::{Catalog, ObjectId};

pub(super) enum Live {}
#[derive(Clone, Debug)]
pub(super) enum Document {}
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeadsShown {}

impl Live {
    pub(super) const fn of(_: &Catalog) -> Option<Self> {
        None
    }
}

impl Peer {
    pub(super) const fn passes_heads(&self) -> bool {
        false
    }
}

impl Engine {
    pub(super) const fn awaits_first_head(&self) -> bool {
        false
    }

    pub(super) fn peer_head(&mut self, id: PeerId, _: &[u8]) {
        self.blame(id, "head_not_wanted", None);
    }

    pub(super) const fn length_of_next(&self, _: ObjectId) -> Option<u64> {
        None
    }

    pub(super) const fn is_there_at(&self, _: ObjectId) -> Timestamp {
        self.now
    }

    pub(super) const fn live_tick(&self) {}
    pub(super) const fn live_sheet_arrived(&self) {}
    pub(super) const fn hasten_head(&self) {}
    pub(super) const fn show_head(&self, _: PeerId) {}
    pub(super) const fn head_came(&self, _: &[u8]) {}
    pub(super) const fn session_came(&self, _: &[u8]) {}
    pub(super) const fn document_came(&self, _: DemandId, _: &[u8]) {}
    pub(super) const fn poll_ended(&self, _: FetchOutcome) {}
    pub(super) const fn session_fetch_ended(&self) {}
    pub(super) const fn document_ended(&self, _: DemandId, _: FetchOutcome) {}
    pub(super) fn fetch_document(&self, _: DemandId, _: String) {}
}
