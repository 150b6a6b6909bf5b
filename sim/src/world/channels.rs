//! Connections between viewers: how they come about, what goes over them, and how they end.

use swarmseal::content::ObjectId;
use swarmseal::signal::MAX_CANDIDATES;
use swarmseal::swarm::{Input, PeerId};
use swarmseal::wire::DATA_HEAD;

use super::viewer::{Pairing, ViewerId};
use super::{Event, World};
use crate::event_log::Kind;
use crate::net::{Flow, Lane, LossModel, Micros, PACKET_BYTES, on_the_link, ppm_of_both};
use crate::scenario::Exposure;

/// A browser makes a description in about this time.
const DESCRIBE_US: Micros = 5_000;
/// One turn of an event loop, from what happens in the browser to the script that hears of it.
pub(super) const TURN_US: Micros = 300;
/// ICE, DTLS and SCTP take this many round trips together: checks, two of DTLS 1.2, two of SCTP.
const CONNECT_ROUND_TRIPS: u64 = 5;
/// A browser gives up a pair that cannot connect after about this time.
const ICE_FAILS_US: Micros = 15_000_000;
/// A browser gives up a connection whose other side is silent after about this time.
pub(super) const LOST_US: Micros = 20_000_000;
/// The browser's low-water mark of each channel, as the worker sets it.
const LOW_BYTES: u64 = 8 << 10;
/// A relay near each side: so much longer is the way between two viewers, assumed.
const RELAYS_US: Micros = 10_000;
/// What browsers state as the largest message that they take.
const MAX_MESSAGE_SIZE: u32 = 262_144;

/// Two viewers who are connected.
pub(super) struct Link {
    pub(super) ends: [End; 2],
    /// From each end to the other.
    flows: [Flow<Message>; 2],
    latency_us: Micros,
    jitter_us: Micros,
    /// Nothing comes through before.
    pub(super) cut_until: Micros,
}

/// One end of a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) viewer: ViewerId,
    pub(super) peer: PeerId,
    /// Its owner has closed it, or was told that it is closed.
    pub(super) closed: bool,
}

/// What two engines say to each other.
#[derive(Debug)]
pub(super) enum Message {
    /// A real message.
    Control(Vec<u8>),
    /// A real head, and chunks by name.
    Data { head: Vec<u8>, chunks: Chunks },
}

/// Chunks by name, honest or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks {
    pub(super) object: ObjectId,
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) honest: bool,
}

/// A burst between two viewers.
#[derive(Debug)]
pub(super) struct InFlight {
    link: u32,
    from: u8,
    len: u64,
    lane: Lane,
    /// How much later than its packets it is handed over, because some were lost.
    late_us: Micros,
    message: Option<Message>,
}

impl Link {
    fn rtt_us(&self) -> Micros {
        2 * self.latency_us + self.jitter_us
    }

    fn end(&self, end: u8) -> Option<&End> {
        self.ends.get(usize::from(end))
    }

    /// One side has closed it: nothing more goes out on either.
    fn shut(&mut self, end: u8) {
        if let Some(end) = self.ends.get_mut(usize::from(end)) {
            end.closed = true;
        }
        self.flows.iter_mut().for_each(Flow::clear);
    }

    pub(super) fn flow(&self, end: u8) -> Option<&Flow<Message>> {
        self.flows.get(usize::from(end))
    }

    fn flow_mut(&mut self, end: u8) -> Option<&mut Flow<Message>> {
        self.flows.get_mut(usize::from(end))
    }
}

const fn other(end: u8) -> u8 {
    1 - end
}

impl World {
    /// The engine wants a connection.
    pub(super) fn dial(&mut self, viewer: ViewerId, peer: PeerId, offer: bool) {
        self.log.note(
            self.now,
            viewer,
            Kind::Dialled,
            u64::from(peer.0),
            u64::from(offer),
        );
        if let Some(viewer) = self.viewers.get_mut(viewer) {
            viewer.set_pairing(peer, Pairing::Dialling);
        }
        if offer {
            self.after(DESCRIBE_US, Event::Described { viewer, peer, offer });
        }
    }

    /// The browser has described its side; its candidates follow.
    pub(super) fn described(&mut self, viewer: ViewerId, peer: PeerId, offer: bool) {
        if !self.is_dialling(viewer, peer) {
            return;
        }
        let sdp = description(viewer, peer, offer);
        self.feed(viewer, Input::LocalDescription { peer, sdp: &sdp }, None);
        for line in candidates(viewer, self.scenario.exposure)
            .into_iter()
            .take(MAX_CANDIDATES)
        {
            self.feed(viewer, Input::LocalCandidate { peer, line: &line }, None);
        }
        self.feed(viewer, Input::LocalCandidatesEnd { peer }, None);
    }

    /// The other side's description has arrived.
    pub(super) fn remote_description(&mut self, viewer: ViewerId, peer: PeerId, sdp: &str, offer: bool) {
        if offer {
            self.after(
                DESCRIBE_US,
                Event::Described {
                    viewer,
                    peer,
                    offer: false,
                },
            );
            return;
        }
        // The answer is at the offerer: both can begin.
        let Some((there, their)) = who(sdp) else {
            return;
        };
        let (Some(a), Some(b)) = (self.viewers.get(viewer), self.viewers.get(there)) else {
            return;
        };
        let relayed = self.scenario.exposure == Exposure::Relay;
        let reachable =
            (relayed || a.profile.class.reaches(b.profile.class)) && !self.is_parted(viewer, there);
        if reachable {
            let latency_us = a.latency_us + b.latency_us + self.detour_us();
            let rtt = 2 * latency_us + a.up.wait_us(self.now) + b.up.wait_us(self.now);
            let ends = [(viewer, peer), (there, their)];
            self.after(CONNECT_ROUND_TRIPS * rtt, Event::Connected(Box::new(ends)));
        } else {
            for (viewer, peer) in [(viewer, peer), (there, their)] {
                self.after(ICE_FAILS_US, Event::Unreachable { viewer, peer });
            }
        }
    }

    /// What relays add to the way between two viewers.
    fn detour_us(&self) -> Micros {
        match self.scenario.exposure {
            Exposure::Relay => RELAYS_US,
            Exposure::Direct | Exposure::Guarded => 0,
        }
    }

    fn is_dialling(&self, viewer: ViewerId, peer: PeerId) -> bool {
        self.viewers
            .get(viewer)
            .is_some_and(|viewer| viewer.is_here() && viewer.pairing(peer) == Pairing::Dialling)
    }

    /// Two browsers have connected, if both still want to.
    pub(super) fn connected(&mut self, ends: [(ViewerId, PeerId); 2]) {
        let [(a, a_peer), (b, b_peer)] = ends;
        if !self.is_dialling(a, a_peer) || !self.is_dialling(b, b_peer) || self.is_parted(a, b) {
            return;
        }
        let (Some(first), Some(second)) = (self.viewers.get(a), self.viewers.get(b)) else {
            return;
        };
        let burst = self.scenario.links.loss_burst_packets;
        let loss_ppm = ppm_of_both(first.loss_ppm, second.loss_ppm);
        let loss = LossModel::new(loss_ppm, burst);
        let latency_us = first.latency_us + second.latency_us + self.detour_us();
        let jitter_us = first.jitter_us + second.jitter_us;
        let rtt_us = 2 * latency_us + jitter_us;
        let window = self.calibration.window(loss_ppm, burst, rtt_us);
        let flow = || Flow::new(loss, window);
        let end = |viewer, peer| End {
            viewer,
            peer,
            closed: false,
        };
        let link = self.links.push(Link {
            ends: [end(a, a_peer), end(b, b_peer)],
            flows: [flow(), flow()],
            latency_us,
            jitter_us,
            cut_until: 0,
        });
        self.log
            .note(self.now, a, Kind::Linked, u64::from(b), u64::from(link));
        for (number, (viewer, peer)) in (0_u8..).zip(ends) {
            if let Some(viewer) = self.viewers.get_mut(viewer) {
                viewer.set_pairing(peer, Pairing::Linked { link, end: number });
            }
            // The answerer hears of it half a round trip later.
            let after = if number == 0 {
                TURN_US
            } else {
                TURN_US + latency_us
            };
            self.after(after, Event::Opened { link, end: number });
        }
    }

    pub(super) fn opened(&mut self, link: u32, end: u8) {
        if let Some((viewer, peer)) = self.open_end(link, end) {
            self.feed(viewer, Input::PeerOpened { peer }, None);
        }
    }

    /// Who is at an end that is not closed.
    fn open_end(&self, link: u32, end: u8) -> Option<(ViewerId, PeerId)> {
        let end = self.links.get(link)?.end(end)?;
        (!end.closed).then_some((end.viewer, end.peer))
    }

    pub(super) fn unreachable(&mut self, viewer: ViewerId, peer: PeerId) {
        if self.is_dialling(viewer, peer) {
            self.feed(
                viewer,
                Input::PeerFailed {
                    peer,
                    reason: "ice_failed",
                },
                None,
            );
        }
    }

    /// The engine sends.
    pub(super) fn send(&mut self, viewer: ViewerId, peer: PeerId, message: Message) {
        let Some((link, end)) = self.viewers.get(viewer).and_then(|viewer| viewer.link(peer)) else {
            return;
        };
        let (lane, len) = match &message {
            Message::Control(bytes) => (Lane::Control, bytes.len() as u64),
            Message::Data { head, chunks } => {
                let payload = self.title.bytes_of(chunks.object, chunks.first, chunks.count);
                (Lane::Data, head.len() as u64 + payload)
            }
        };
        debug_assert!(!matches!(&message, Message::Data { head, .. } if head.len() != DATA_HEAD));
        let Some(flow) = self.links.get_mut(link).and_then(|link| link.flow_mut(end)) else {
            return;
        };
        flow.push(lane, len, message);
        if !self.sent_to.contains(&peer) {
            self.sent_to.push_back(peer);
        }
        if !self.to_pump.contains(&(link, end)) {
            self.to_pump.push((link, end));
        }
    }

    /// What the browser holds unsent for a peer.
    pub(super) fn buffered(&self, viewer: ViewerId, peer: PeerId) -> Option<u64> {
        let (link, end) = self.viewers.get(viewer)?.link(peer)?;
        self.links.get(link)?.buffered(end)
    }

    /// Lets out of a browser what its congestion window allows.
    pub(super) fn pump(&mut self, number: u32, end: u8) {
        let now = self.now;
        let Some(link) = self.links.get_mut(number) else {
            return;
        };
        let (rtt_us, latency_us, jitter_us) = (link.rtt_us(), link.latency_us, link.jitter_us);
        if link.ends.iter().any(|end| end.closed) {
            return;
        }
        let Some(sender) = link.end(end).copied() else {
            return;
        };
        let (Some(flow), Some(viewer)) = (link.flow_mut(end), self.viewers.get_mut(sender.viewer)) else {
            return;
        };
        let before = flow.buffered();
        while let Some(burst) = flow.next_burst() {
            // One packet neither fills a window nor waits long in the receiver's queue: it is not followed further.
            let is_small = burst.lane == Lane::Control && burst.len <= PACKET_BYTES;
            let wait_us = viewer.up.wait_us(now);
            let passage = viewer.up.push(now, on_the_link(burst.len));
            let out_at = if is_small { now + wait_us } else { passage.out_at };
            let at = flow.arrives(
                burst.lane,
                out_at + latency_us + viewer.random.below(jitter_us + 1),
            );
            let loss = flow.loss;
            let mut is_lost = loss.lost(&mut flow.loss_state, burst.packets, &mut viewer.random) > 0;
            if passage.overflowed {
                flow.window.queue_was_full(now, rtt_us);
                is_lost = true;
            }
            // What is sent again takes its time, but the congestion window was measured with such times in it.
            let late_us = if is_lost {
                loss.delay_us(rtt_us, burst.tail, &mut viewer.random)
            } else {
                0
            };
            let flight = self.flights.put(InFlight {
                link: number,
                from: end,
                len: burst.len,
                lane: burst.lane,
                late_us,
                message: burst.message,
            });
            if is_small && flow.large_control == 0 {
                flow.window.acknowledged(burst.len);
                let at = flow.handed(burst.lane, at + late_us);
                self.queue.push(at, Event::Came { flight });
            } else {
                flow.large_control += u32::from(burst.lane == Lane::Control);
                self.queue.push(at, Event::AtDownlink { flight });
            }
        }
        let after = flow.buffered();
        let low = before
            .iter()
            .zip(after)
            .any(|(before, after)| *before > LOW_BYTES && after <= LOW_BYTES);
        if low {
            self.after(TURN_US, Event::Low { link: number, end });
        }
    }

    /// The browser has sent most of what it was given.
    pub(super) fn low(&mut self, link: u32, end: u8) {
        if let Some((viewer, peer)) = self.open_end(link, end)
            && let Some(buffered) = self.buffered(viewer, peer)
        {
            self.feed(viewer, Input::Writable { peer, buffered }, None);
        }
    }

    /// A burst is before the receiver's access link.
    pub(super) fn at_downlink(&mut self, number: u32) {
        let now = self.now;
        let Some(flight) = self.flights.get(number) else {
            return;
        };
        let Some(link) = self.links.get_mut(flight.link) else {
            return;
        };
        if link.cut_until > now {
            self.queue
                .push(link.cut_until, Event::AtDownlink { flight: number });
            return;
        }
        let (rtt_us, latency_us) = (link.rtt_us(), link.latency_us);
        let receiver = link.end(other(flight.from)).map(|end| end.viewer);
        let Some(viewer) = receiver.and_then(|viewer| self.viewers.get_mut(viewer)) else {
            return;
        };
        let passage = viewer.down.push(now, on_the_link(flight.len));
        let wait = viewer.up.wait_us(now);
        let Some(flow) = link.flow_mut(flight.from) else {
            return;
        };
        if passage.overflowed {
            flow.window.queue_was_full(now, rtt_us);
        }
        if flight.lane == Lane::Control {
            flow.large_control = flow.large_control.saturating_sub(1);
        }
        let handed_at = flow.handed(flight.lane, passage.out_at + flight.late_us);
        let acknowledged = Event::Acknowledged {
            link: flight.link,
            end: flight.from,
            len: flight.len,
        };
        self.queue.push(passage.out_at + latency_us + wait, acknowledged);
        self.queue.push(handed_at, Event::Came { flight: number });
    }

    /// A burst has come; if it ends a message, that is handed to the engine.
    pub(super) fn came(&mut self, number: u32) {
        let Some((link_number, from)) = self.flights.get(number).map(|flight| (flight.link, flight.from))
        else {
            return;
        };
        let Some(link) = self.links.get(link_number) else {
            return;
        };
        if link.cut_until > self.now {
            self.queue.push(link.cut_until, Event::Came { flight: number });
            return;
        }
        let Some(flight) = self.flights.take(number) else {
            return;
        };
        let end = other(from);
        let Some((viewer, peer)) = self.open_end(link_number, end) else {
            return;
        };
        match flight.message {
            None => {}
            Some(Message::Control(bytes)) => {
                let first = bytes.first().copied().unwrap_or_default();
                self.log.note(
                    self.now,
                    viewer,
                    Kind::CameControl,
                    bytes.len() as u64,
                    u64::from(first),
                );
                self.feed(viewer, Input::Message { peer, bytes: &bytes }, None);
            }
            Some(Message::Data { head, chunks }) => {
                let Chunks {
                    object,
                    first,
                    count,
                    honest,
                } = chunks;
                let what = u64::from(object.index) << 32 | u64::from(first) << 8 | u64::from(count);
                self.log
                    .note(self.now, viewer, Kind::CameData, what, u64::from(honest));
                let title = std::sync::Arc::clone(&self.title);
                if let Some(payload) = title.named(object, first, count, honest) {
                    let input = Input::Data {
                        peer,
                        head: &head,
                        payload: &payload,
                    };
                    self.feed(viewer, input, Some(chunks));
                }
            }
        }
    }

    pub(super) fn acknowledged(&mut self, number: u32, end: u8, len: u64) {
        if let Some(flow) = self.links.get_mut(number).and_then(|link| link.flow_mut(end)) {
            flow.window.acknowledged(len);
            self.pump(number, end);
        }
    }

    /// The engine closes a connection; the other side's browser notices.
    pub(super) fn close(&mut self, viewer: ViewerId, peer: PeerId) {
        let Some(owner) = self.viewers.get_mut(viewer) else {
            return;
        };
        self.log
            .note(self.now, viewer, Kind::Closed, u64::from(peer.0), 0);
        let link = owner.link(peer);
        let wait = owner.up.wait_us(self.now);
        owner.set_pairing(peer, Pairing::Closed);
        if let Some((number, end)) = link
            && let Some(link) = self.links.get_mut(number)
        {
            let latency_us = link.latency_us;
            link.shut(end);
            let event = Event::Gone {
                link: number,
                end: other(end),
                lost: false,
            };
            self.after(wait + latency_us, event);
        }
    }

    /// A browser has noticed that the other side is gone.
    pub(super) fn gone(&mut self, number: u32, end: u8, lost: bool) {
        let Some((viewer, peer)) = self.open_end(number, end) else {
            return;
        };
        // After a cut that was mended in time the connection is as it was.
        let other_is_there = self.links.get(number).is_some_and(|link| {
            link.cut_until <= self.now && link.end(other(end)).is_some_and(|other| !other.closed)
        });
        if lost && other_is_there {
            return;
        }
        if let Some(link) = self.links.get_mut(number) {
            link.shut(end);
        }
        if let Some(viewer) = self.viewers.get_mut(viewer) {
            viewer.set_pairing(peer, Pairing::Closed);
        }
        let input = if lost {
            Input::PeerFailed {
                peer,
                reason: "connection_lost",
            }
        } else {
            Input::PeerClosed { peer }
        };
        self.feed(viewer, input, None);
    }

    /// All links of a viewer who has left; the others notice at once, or only when nothing comes any more.
    pub(super) fn abandon_links(&mut self, viewer: ViewerId, silently: bool) {
        let Some(owner) = self.viewers.get(viewer) else {
            return;
        };
        let links: Vec<(u32, u8)> = owner
            .peers
            .iter()
            .filter_map(|pairing| match pairing {
                Pairing::Linked { link, end } => Some((*link, *end)),
                Pairing::None | Pairing::Dialling | Pairing::Closed => None,
            })
            .collect();
        for (number, end) in links {
            let Some(link) = self.links.get_mut(number) else {
                continue;
            };
            let latency_us = link.latency_us;
            link.shut(end);
            let after = if silently { LOST_US } else { latency_us };
            let event = Event::Gone {
                link: number,
                end: other(end),
                lost: silently,
            };
            self.after(after, event);
        }
    }

    /// Cuts all links between the two halves of a partition until `until`.
    pub(super) fn cut_links(&mut self, until: Micros) {
        for number in 0..self.links.len() {
            let Some(link) = self.links.get_mut(number) else {
                continue;
            };
            let [a, b] = link.ends;
            if a.closed || b.closed || half(a.viewer) == half(b.viewer) {
                continue;
            }
            link.cut_until = until;
            for end in [0, 1] {
                self.after(
                    LOST_US,
                    Event::Gone {
                        link: number,
                        end,
                        lost: true,
                    },
                );
            }
        }
    }

    /// Whether two viewers are in different halves of a partition.
    fn is_parted(&self, a: ViewerId, b: ViewerId) -> bool {
        self.parted_until > self.now && half(a) != half(b)
    }
}

/// On which side of a partition a viewer is.
const fn half(viewer: ViewerId) -> u32 {
    viewer % 2
}

/// What a browser would say. The user name fragment carries who it is, for [`who`].
fn description(viewer: ViewerId, peer: PeerId, offer: bool) -> String {
    let mut seed = u64::from(viewer) << 32 | u64::from(peer.0);
    let fingerprint: Vec<String> = (0..32)
        .map(|_| {
            seed = seed
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            format!("{:02X}", seed >> 56)
        })
        .collect();
    let setup = if offer { "actpass" } else { "active" };
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=ice-ufrag:{viewer:08x}{:08x}\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=ice-options:trickle\r\n\
         a=fingerprint:sha-256 {}\r\na=setup:{setup}\r\na=mid:0\r\na=sctp-port:5000\r\n\
         a=max-message-size:{MAX_MESSAGE_SIZE}\r\n",
        peer.0,
        fingerprint.join(":"),
    )
}

/// Whose description this is.
fn who(sdp: &str) -> Option<(ViewerId, PeerId)> {
    let fragment = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))?;
    let viewer = u32::from_str_radix(fragment.get(..8)?, 16).ok()?;
    let peer = u32::from_str_radix(fragment.get(8..16)?, 16).ok()?;
    Some((viewer, PeerId(peer)))
}

/// What a browser offers: one candidate on the local network, under the name that browsers hide it behind, and one as a NAT
/// shows it; or the one at its relay.
fn candidates(viewer: ViewerId, exposure: Exposure) -> Vec<String> {
    let [_, a, b, c] = viewer.to_be_bytes();
    if exposure == Exposure::Relay {
        return vec![format!(
            "candidate:3 1 udp 41885439 192.0.2.1 {} typ relay raddr 0.0.0.0 rport 0",
            1_024 + viewer % 60_000
        )];
    }
    vec![
        format!("candidate:1 1 udp 2113937151 {viewer:08x}-0000-4000-8000-000000000000.local 50000 typ host"),
        format!("candidate:2 1 udp 1677729535 11.{a}.{b}.{c} 50000 typ srflx raddr 0.0.0.0 rport 0"),
    ]
}
