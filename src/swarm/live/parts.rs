//! Segments that are delivered from their parts: what came as parts is not fetched again as their segment.

use alloc::vec::Vec;

use crate::content::{ObjectId, Span};
use crate::swarm::engine::Engine;
use crate::swarm::object::Object;

impl Engine {
    /// The same bytes, from parts where that is possible.
    pub(in crate::swarm) fn by_parts(&self, spans: Vec<Span>) -> Vec<Span> {
        let mut found = Vec::with_capacity(spans.len());
        for span in spans {
            match self.parts_for(&span) {
                Some(parts) => found.extend(parts),
                None => found.push(span),
            }
        }
        found
    }

    /// `None` if the segment is here whole, or its parts may not be to be had any more.
    fn parts_for(&self, span: &Span) -> Option<Vec<Span>> {
        let parts = self.catalog.parts_of(span.object)?;
        let first = parts.first;
        let ids = || (0..parts.count).map(|index| ObjectId::new(first.track, first.index + index));
        if self.is_here(span.object) || !(parts.is_listed || ids().all(|part| self.is_here(part))) {
            return None;
        }
        let mut found = Vec::with_capacity(parts.count as usize);
        let mut start = 0;
        for object in ids() {
            let length = self.catalog.object(object)?.length;
            let from = span.first.max(start);
            let to = span.first.saturating_add(span.len).min(start + length);
            if from < to {
                found.push(Span {
                    object,
                    first: from - start,
                    len: to - from,
                });
            }
            start += length;
        }
        Some(found)
    }

    fn is_here(&self, object: ObjectId) -> bool {
        self.objects.get(&object).is_some_and(Object::is_complete)
    }
}
