//! The model links: who is connected to whom, and what a message takes from one to the other.

use swarmseal::swarm::PeerId;

use super::tracker;
use super::world::{Item, World};

impl World {
    pub(super) fn transmit(&mut self, viewer: usize, peer: PeerId, bytes: Vec<u8>, data: bool) {
        let Some(&(other, their)) = self.viewers[viewer].links.get(&peer) else {
            return;
        };
        if let Some(kind) = bytes.first().filter(|_| !data) {
            *self.viewers[viewer].sent.entry(*kind).or_default() += 1;
        }
        let len = bytes.len() as u64;
        *self.viewers[viewer].buffered.entry(peer).or_default() += len;
        self.viewers[viewer].sent_to.insert(peer);
        let free = self
            .uplink_free
            .get(&viewer)
            .copied()
            .unwrap_or_default()
            .max(self.now);
        let done = free + len * 1_000_000 / self.link_bytes_per_s;
        self.uplink_free.insert(viewer, done);
        let sent = done.since(self.now);
        self.at(
            sent,
            Item::Sent {
                viewer,
                peer,
                bytes: len,
            },
        );
        let arrive = sent + self.link_latency_us;
        let item = if data {
            Item::Data {
                viewer: other,
                peer: their,
                bytes,
            }
        } else {
            Item::Control {
                viewer: other,
                peer: their,
                bytes,
            }
        };
        self.at(arrive, item);
    }

    pub(super) fn link_if_described(&mut self, viewer: usize, peer: PeerId, sdp: &str) {
        // The answer reached the offerer: both sides know each other.
        let Some((other, their)) = tracker::who(sdp) else {
            return;
        };
        if !tracker::is_answer(sdp) {
            return;
        }
        let delay = 4 * self.link_latency_us;
        self.at(
            delay,
            Item::LinkUp {
                a: (viewer, peer),
                b: (other, their),
            },
        );
    }
}
