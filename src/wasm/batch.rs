//! The packed batch: all outputs of one drain in one piece of memory, for one reader, `www/src/worker/batch.ts`.
//!
//! Records follow each other without padding: a tag byte, then the fields in the order in which [`Batch::push`]
//! writes them. The last record is [`Tag::Idle`]. Field types, all little-endian:
//!
//! | Type | Bytes |
//! | --- | --- |
//! | `u8`, `u32`, `u64` | 1, 4, 8 |
//! | flag | `u8`, 0 or 1 |
//! | bytes, text (UTF-8) | `u32` length, then the bytes |
//! | list | `u32` count, then the elements |
//! | option | flag, then the value if it is 1 |
//! | object | `u32` track, `u32` index |
//!
//! Tracker messages and events are trees for which bytes have no advantage: they are JSON, as text.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::json;
use crate::content::ObjectId;
use crate::signal::IceServer;
use crate::swarm::{DeliverTiming, FetchKind, KeepFrom, Output, Timestamp};

/// What a record is. The numbers are the reader's; a new kind gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    Idle = 0,
    FetchObject = 1,
    FetchSheet = 2,
    AbortFetch = 3,
    KeepFetched = 4,
    KeepReceived = 5,
    Forget = 6,
    Evict = 7,
    Deliver = 8,
    Refuse = 9,
    TrackerOpen = 10,
    TrackerClose = 11,
    TrackerSend = 12,
    Dial = 13,
    RemoteDescription = 14,
    RemoteCandidate = 15,
    Close = 16,
    Send = 17,
    SendData = 18,
    Event = 19,
    #[cfg(feature = "live")]
    FetchWhole = 20,
    #[cfg(feature = "live")]
    DeliverDocument = 21,
}

/// One drain's outputs, packed.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
}

impl Batch {
    /// Forgets the last drain; the memory stays reserved.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends one output.
    pub(super) fn push(&mut self, output: &Output) {
        match output {
            Output::Idle { wake_at } => self.tag(Tag::Idle).option(wake_at.as_ref(), |batch, at| {
                batch.time(*at);
            }),
            Output::Fetch {
                fetch,
                path,
                range,
                kind,
                reload,
            } => self.fetch(fetch.0, path, *range, *kind, *reload),
            Output::AbortFetch { fetch } => self.tag(Tag::AbortFetch).u32(fetch.0),
            Output::Keep { from, object, chunk } => match from {
                KeepFrom::Fetch { fetch, piece } => self.tag(Tag::KeepFetched).u32(fetch.0).u32(*piece),
                KeepFrom::Message { offset, len } => self.tag(Tag::KeepReceived).u32(*offset).u32(*len),
            }
            .object(*object)
            .u32(*chunk),
            Output::Forget { fetch } => self.tag(Tag::Forget).u32(fetch.0),
            Output::Evict { object } => self.tag(Tag::Evict).object(*object),
            Output::Deliver {
                demand,
                spans,
                media_type,
                timing,
            } => self
                .tag(Tag::Deliver)
                .u32(demand.0)
                .list(spans, |batch, span| {
                    batch.object(span.object).u64(span.first).u64(span.len);
                })
                .text(media_type)
                .timing(timing),
            #[cfg(feature = "live")]
            Output::DeliverDocument {
                demand,
                bytes,
                media_type,
                timing,
            } => self
                .tag(Tag::DeliverDocument)
                .u32(demand.0)
                .bytes(bytes)
                .text(media_type)
                .timing(timing),
            Output::Refuse { demand, code } => self.tag(Tag::Refuse).u32(demand.0).text(code.code()),
            Output::TrackerOpen => self.tag(Tag::TrackerOpen),
            Output::TrackerClose => self.tag(Tag::TrackerClose),
            Output::TrackerSend(message) => self.tag(Tag::TrackerSend).json(message),
            Output::Dial {
                peer,
                offer,
                ice_servers,
                relay_only,
            } => self
                .tag(Tag::Dial)
                .u32(peer.0)
                .flag(*offer)
                .list(ice_servers, Self::ice_server)
                .flag(*relay_only),
            Output::RemoteDescription { peer, sdp, offer } => self
                .tag(Tag::RemoteDescription)
                .u32(peer.0)
                .text(sdp)
                .flag(*offer),
            Output::RemoteCandidate { peer, line } => self.tag(Tag::RemoteCandidate).u32(peer.0).text(line),
            Output::Close { peer, reason } => self.tag(Tag::Close).u32(peer.0).text(reason.code()),
            Output::Send { peer, bytes } => self.tag(Tag::Send).u32(peer.0).bytes(bytes),
            Output::SendData {
                peer,
                head,
                object,
                first,
                count,
            } => self
                .tag(Tag::SendData)
                .u32(peer.0)
                .bytes(head)
                .object(*object)
                .u32(*first)
                .u8(*count),
            Output::Event(event) => self.tag(Tag::Event).json(event),
        };
    }

    fn fetch(
        &mut self,
        fetch: u32,
        path: &str,
        range: Option<(u64, u64)>,
        kind: FetchKind,
        reload: bool,
    ) -> &mut Self {
        let (tag, len) = match kind {
            FetchKind::Object { len, .. } => (Tag::FetchObject, len),
            FetchKind::Sheet { len } => (Tag::FetchSheet, len),
            #[cfg(feature = "live")]
            FetchKind::Whole { most } => (Tag::FetchWhole, most),
        };
        self.tag(tag)
            .u32(fetch)
            .text(path)
            .option(range, |batch, (first, last)| {
                batch.u64(first).u64(last);
            })
            .u64(len)
            .flag(reload)
    }

    fn timing(&mut self, timing: &DeliverTiming) -> &mut Self {
        self.time(timing.asked_at)
            .time(timing.first_byte_at)
            .time(timing.done_at)
            .u64(timing.transfer_us)
            .u64(timing.from_peers)
            .u64(timing.from_http)
    }

    fn ice_server(&mut self, server: &IceServer) {
        let text = |batch: &mut Self, text: &String| {
            batch.text(text);
        };
        self.list(&server.urls, text)
            .option(server.username.as_ref(), text)
            .option(server.credential.as_ref(), text);
    }

    fn tag(&mut self, tag: Tag) -> &mut Self {
        self.u8(tag as u8)
    }

    fn object(&mut self, object: ObjectId) -> &mut Self {
        self.u32(object.track.0.into()).u32(object.index)
    }

    fn time(&mut self, time: Timestamp) -> &mut Self {
        self.u64(time.0)
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.count(items.len());
        for item in items {
            write(self, item);
        }
        self
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len()).bytes.extend_from_slice(bytes);
        self
    }

    fn json(&mut self, value: &impl Serialize) -> &mut Self {
        let at = self.bytes.len();
        self.u32(0);
        let from = self.bytes.len();
        json::write(&mut self.bytes, value);
        let length = u32::try_from(self.bytes.len() - from).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(at..from) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        self
    }

    fn flag(&mut self, flag: bool) -> &mut Self {
        self.u8(flag.into())
    }

    fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Nothing that an output holds comes near 4 GiB, all of which a wasm memory has.
    fn count(&mut self, count: usize) -> &mut Self {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }
}

#[cfg(test)]
mod tests;
