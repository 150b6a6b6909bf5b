//! What an engine wants done, done in the model world, together with what a viewer does wrong.

use swarmseal::content::CHUNK;
use swarmseal::swarm::{FetchOutcome, Input, KeepFrom, Output, PeerId};
use swarmseal::wire::{self, DATA_HEAD, Message, RejectReason};

use super::viewer::{Behaviour, Said};
use super::world::{Item, World};

/// Type of a ROWS message.
const ROWS: u8 = 0x07;
/// Type of a REJECT message.
const REJECT: u8 = 0x0a;

impl World {
    pub(super) fn drain(&mut self, viewer: usize, payload: Option<&[u8]>) {
        loop {
            let output = self.viewers[viewer].engine.poll_output();
            match output {
                Output::Idle { wake_at } => {
                    if let Some(at) = wake_at {
                        self.viewers[viewer].wake = Some(at);
                        let delay = at.since(self.now);
                        self.at(delay, Item::Wake(viewer));
                    }
                    // As the worker does: after sending, what the channel holds is reported once.
                    for peer in core::mem::take(&mut self.viewers[viewer].sent_to) {
                        let buffered = self.viewers[viewer]
                            .buffered
                            .get(&peer)
                            .copied()
                            .unwrap_or_default();
                        self.input(viewer, Input::Writable { peer, buffered });
                    }
                    return;
                }
                Output::Fetch {
                    fetch,
                    path,
                    range,
                    kind,
                    ..
                } => self.origin_serves(viewer, fetch, &path, range, kind),
                Output::AbortFetch { fetch } => self.at(
                    1,
                    Item::End {
                        viewer,
                        fetch,
                        outcome: FetchOutcome::Aborted,
                    },
                ),
                Output::Keep { from, object, chunk } => {
                    let bytes = match from {
                        KeepFrom::Fetch { fetch, piece } => {
                            self.viewers[viewer].held[&(fetch, piece)].clone()
                        }
                        KeepFrom::Message { offset, len } => {
                            payload.unwrap()[offset as usize..(offset + len) as usize].to_vec()
                        }
                    };
                    self.check_kept(object, chunk, &bytes);
                    self.viewers[viewer].store.insert((object, chunk), bytes);
                }
                Output::Forget { fetch } => self.viewers[viewer].held.retain(|(f, _), _| *f != fetch),
                Output::Evict { object } => self.viewers[viewer].store.retain(|(o, _), _| *o != object),
                Output::Deliver { demand, spans, .. } => {
                    let mut body = Vec::new();
                    for span in spans {
                        let (from, to) = (span.first, span.first + span.len);
                        for chunk in from / u64::from(CHUNK)..to.div_ceil(u64::from(CHUNK)) {
                            let start = chunk * u64::from(CHUNK);
                            let bytes =
                                &self.viewers[viewer].store[&(span.object, u32::try_from(chunk).unwrap())];
                            let a = usize::try_from(from.saturating_sub(start)).unwrap();
                            let b = usize::try_from((to - start).min(bytes.len() as u64)).unwrap();
                            body.extend_from_slice(&bytes[a..b]);
                        }
                    }
                    let now = self.now.0;
                    self.viewers[viewer].delivered.insert(demand, (now, body));
                }
                Output::DeliverDocument { demand, bytes, .. } => {
                    let now = self.now.0;
                    self.viewers[viewer].delivered.insert(demand, (now, bytes));
                }
                Output::Refuse { demand, code } => {
                    self.viewers[viewer].refused.insert(demand, code);
                }
                Output::TrackerOpen => {
                    self.viewers[viewer].conn += 1;
                    let conn = self.viewers[viewer].conn;
                    if self.tracker.down {
                        self.at(5_000, Item::TrackerClosed { viewer, conn });
                    } else {
                        self.at(10_000, Item::TrackerOpened { viewer, conn });
                    }
                }
                Output::TrackerClose => self.viewers[viewer].conn += 1,
                Output::TrackerSend(message) => {
                    self.viewers[viewer]
                        .to_tracker
                        .push(Said::Message(message.clone()));
                    let conn = self.viewers[viewer].conn;
                    self.at(
                        10_000,
                        Item::ToTracker {
                            viewer,
                            conn,
                            message,
                        },
                    );
                }
                Output::Dial { peer, offer, .. } => {
                    if offer {
                        self.at(2_000, Item::LocalDescription { viewer, peer, offer });
                    }
                }
                Output::RemoteDescription { peer, sdp, offer } => {
                    if offer {
                        self.at(
                            2_000,
                            Item::LocalDescription {
                                viewer,
                                peer,
                                offer: false,
                            },
                        );
                    }
                    self.link_if_described(viewer, peer, &sdp);
                }
                Output::RemoteCandidate { .. } => {}
                Output::Close { peer, reason } => {
                    self.viewers[viewer].closes.push((peer, reason.code()));
                    if let Some((other, their)) = self.viewers[viewer].links.remove(&peer) {
                        let delay = self.link_latency_us;
                        self.at(
                            delay,
                            Item::LinkDown {
                                viewer: other,
                                peer: their,
                            },
                        );
                    }
                }
                Output::Send { peer, bytes } => {
                    match bytes[0] {
                        ROWS => self.viewers[viewer].rows_sent += 1,
                        REJECT => self.viewers[viewer].rejects_sent += 1,
                        _ => {}
                    }
                    if self.viewers[viewer].behaviour == Behaviour::Silent && bytes[0] == ROWS {
                        continue;
                    }
                    self.transmit(viewer, peer, bytes, false);
                }
                Output::SendData {
                    peer,
                    head,
                    object,
                    first,
                    count,
                } => {
                    let mut bytes = head;
                    assert!(peer == PeerId::TRACKER || bytes.len() == DATA_HEAD);
                    for chunk in first..first + u32::from(count) {
                        bytes.extend_from_slice(&self.viewers[viewer].store[&(object, chunk)]);
                    }
                    if peer == PeerId::TRACKER {
                        self.viewers[viewer].to_tracker.push(Said::Chunk(bytes));
                        continue;
                    }
                    match self.viewers[viewer].behaviour {
                        Behaviour::Honest => {}
                        Behaviour::Corrupts => {
                            *bytes.last_mut().unwrap() ^= 1;
                            self.viewers[viewer].sent_corrupt += 1;
                        }
                        Behaviour::Silent => continue,
                        Behaviour::Refuses => {
                            let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
                            let reason = RejectReason::Busy;
                            self.viewers[viewer].refusals += 1;
                            self.transmit(viewer, peer, wire::encode(&Message::Reject { id, reason }), false);
                            continue;
                        }
                        Behaviour::Drips => {
                            let free = self.uplink_free.get(&viewer).copied().unwrap_or_default();
                            self.uplink_free.insert(viewer, free.max(self.now) + 1_000_000);
                        }
                    }
                    self.transmit(viewer, peer, bytes, true);
                }
                Output::Event(event) => self.viewers[viewer].events.push(event),
            }
        }
    }
}
