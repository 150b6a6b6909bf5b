//! From an introduction to a proved connection, and its end.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::engine::Engine;
use super::limits::PROOF_MS;
use super::object::By;
use super::peer::{Peer, Shared, Stage};
use super::timer::Timer;
use super::{CloseReason, Event, Output, PeerId, Sharing};
use crate::content::{ObjectId, TrackId, WallTime};
use crate::identity::{
    CAPABILITY_LIVE_HEADS, CAPABILITY_STATEMENTS, Handle, Handshake, HandshakeConfig, Hello, PeerIdentity,
    Proof, Role, Ticket, TicketError, roots_digest,
};
use crate::ordered::OrderedSet;
use crate::signal::{
    Candidate, ClientMessage, Description, EndReason, IntroductionId, Loopback, MAX_CANDIDATES, SdpType,
};
use crate::wire::{self, Message};

/// A connection outlives its peer's ticket by this much, so that a renewal has time to arrive.
const EXPIRY_GRACE_S: u64 = 120;
/// Tickets that a peer shows more often than this are not looked at, microseconds: each costs a signature check.
const TICKET_INTERVAL_US: u64 = 5_000_000;
/// A peer that could not be reached is not asked for again within this time, milliseconds.
const UNREACHABLE_MS: u64 = 15_000;

impl Engine {
    /// The tracker introduced a peer: create the connection.
    pub(super) fn dial(&mut self, handle: Handle, introduction: IntroductionId, offer: bool) {
        let id = self.fresh_peer_id();
        self.connections_made += 1;
        self.peers
            .insert(id, Peer::new(id, handle, introduction, offer, self.now));
        self.outputs.push_back(Output::Dial {
            peer: id,
            offer,
            ice_servers: self.session.ice_servers().to_vec(),
            relay_only: self.session.relay_only(),
        });
        self.timers
            .set_earlier(Timer::Peers, self.now.plus_ms(super::limits::DIAL_MS));
    }

    pub(super) fn local_description(&mut self, id: PeerId, sdp: &str) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        match Description::from_sdp(sdp) {
            Ok(description) => {
                peer.local_fp = Some(description.fingerprint);
                let introduction = peer.introduction;
                let early = core::mem::take(&mut peer.early_candidates);
                let message = ClientMessage::Description {
                    introduction,
                    description,
                };
                self.outputs.push_back(Output::TrackerSend(message));
                for candidate in early {
                    self.send_candidate(id, candidate);
                }
            }
            Err(error) => self.close_peer(
                id,
                CloseReason::Misbehaviour(error.code()),
                "bad_local_description",
            ),
        }
    }

    pub(super) fn local_candidate(&mut self, id: PeerId, line: &str) {
        let loopback = self.loopback();
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        // A candidate that we never send (loopback, related address, unusable port) is left out, not an error.
        let Ok(Some(candidate)) = Candidate::from_line(line, loopback) else {
            return;
        };
        if peer.local_fp.is_some() {
            self.send_candidate(id, candidate);
        } else if peer.early_candidates.len() < MAX_CANDIDATES {
            peer.early_candidates.push(candidate);
        }
    }

    fn send_candidate(&mut self, id: PeerId, candidate: Candidate) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if peer.candidates_sent < MAX_CANDIDATES {
            peer.candidates_sent += 1;
            let message = ClientMessage::Candidate {
                introduction: peer.introduction,
                candidate,
            };
            self.outputs.push_back(Output::TrackerSend(message));
        }
    }

    pub(super) fn local_candidates_end(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(&id) else { return };
        let introduction = peer.introduction;
        self.outputs
            .push_back(Output::TrackerSend(ClientMessage::EndOfCandidates {
                introduction,
            }));
    }

    pub(super) fn remote_description(&mut self, introduction: IntroductionId, description: &Description) {
        let Some(peer) = self
            .peers
            .values_mut()
            .find(|peer| peer.introduction == introduction)
        else {
            return;
        };
        let kind = if peer.offer {
            SdpType::Answer
        } else {
            SdpType::Offer
        };
        if peer.remote_fp.is_some() || description.validate_as(kind).is_err() {
            return;
        }
        peer.remote_fp = Some(description.fingerprint);
        peer.max_message = u64::from(description.max_message_size);
        let (id, we_offer) = (peer.id, peer.offer);
        self.outputs.push_back(Output::RemoteDescription {
            peer: id,
            sdp: description.to_sdp(kind),
            offer: !we_offer,
        });
    }

    pub(super) fn remote_candidate(&mut self, introduction: IntroductionId, candidate: &Candidate) {
        let Some(peer) = self.peers.values().find(|peer| peer.introduction == introduction) else {
            return;
        };
        self.outputs.push_back(Output::RemoteCandidate {
            peer: peer.id,
            line: candidate.to_line(),
        });
    }

    /// For a while this peer is not asked for.
    pub(super) fn leave_alone(&mut self, handle: Handle) {
        let until = self.now.plus_ms(UNREACHABLE_MS);
        self.session.unreachable.insert(handle, until);
    }

    pub(super) fn introduction_ended(&mut self, introduction: IntroductionId, reason: EndReason) {
        let dialling = self
            .peers
            .values()
            .find(|peer| peer.introduction == introduction && matches!(peer.stage, Stage::Dialling))
            .map(|peer| (peer.id, peer.handle));
        if let Some((id, handle)) = dialling {
            self.leave_alone(handle);
            self.close_peer(id, CloseReason::Timeout, reason.code());
        }
    }

    /// Both channels are open: prove.
    pub(super) fn peer_opened(&mut self, id: PeerId) {
        let now = self.now;
        let mut nonce = [0; 32];
        self.rng.fill(&mut nonce);
        let Some(ticket) = self.session.ticket().map(<[u8]>::to_vec) else {
            self.close_peer(id, CloseReason::Expired, "no_ticket");
            return;
        };
        let digest = roots_digest(&self.catalog.track_roots());
        let wall = self.wall_now();
        let swarm = self.catalog.manifest().swarm_id();
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let (Some(local_fp), Some(remote_fp), Stage::Dialling) = (peer.local_fp, peer.remote_fp, &peer.stage)
        else {
            return;
        };
        let handshake = Handshake::new(HandshakeConfig {
            keys: self.keys.clone(),
            ticket,
            tracker_keys: self.config.tracker_keys.clone(),
            swarm,
            introduction: peer.introduction.0,
            role: if peer.offer { Role::Offerer } else { Role::Answerer },
            local_fingerprint: local_fp,
            remote_fingerprint: remote_fp,
            expected_peer: peer.handle,
            roots_digest: digest,
            capabilities: (u32::from(self.config.statements) * CAPABILITY_STATEMENTS)
                | (u32::from(self.live.is_some()) * CAPABILITY_LIVE_HEADS),
            nonce,
            wall,
        });
        let hello = handshake.hello();
        peer.stage = Stage::Proving(Box::new(handshake));
        peer.deadline = now.plus_ms(PROOF_MS);
        self.timers.set_earlier(Timer::Peers, now.plus_ms(PROOF_MS));
        self.send(id, &Message::Hello(hello));
    }

    pub(super) fn peer_hello(&mut self, id: PeerId, hello: &Hello) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Stage::Proving(handshake) = &mut peer.stage else {
            self.blame(id, "unexpected_hello", None);
            return;
        };
        match handshake.handle_hello(hello) {
            Ok(proof) => self.send(id, &Message::Proof(proof)),
            Err(fault) => self.blame(id, fault.code(), None),
        }
    }

    pub(super) fn peer_proof(&mut self, id: PeerId, proof: &Proof) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Stage::Proving(handshake) = &mut peer.stage else {
            self.blame(id, "unexpected_proof", None);
            return;
        };
        match handshake.handle_proof(proof) {
            Ok(identity) => self.peer_ready(id, identity),
            Err(fault) => self.blame(id, fault.code(), None),
        }
    }

    fn peer_ready(&mut self, id: PeerId, identity: PeerIdentity) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        peer.stage = Stage::Ready(Box::new(identity));
        peer.useful_at = now;
        let (handle, introduction) = (peer.handle, peer.introduction);
        self.connections_proved += 1;
        let reason = EndReason::Connected;
        self.outputs
            .push_back(Output::TrackerSend(ClientMessage::EndIntroduction {
                introduction,
                reason,
            }));
        self.event(Event::PeerConnected {
            peer: id.0,
            handle: handle.to_string(),
        });
        let roots = self.catalog.track_roots();
        self.send(id, &Message::Tracks(roots));
        if self.config.sharing != Sharing::On {
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.choking = true;
            }
            self.send(id, &Message::Choke);
        }
        self.show_head(id);
        self.send_all_holdings(id);
        self.timers.set_earlier(Timer::Peers, now.plus_ms(1_000));
        self.dirty = true;
    }

    /// Shows a new ticket to everybody who saw the one before, so that connections outlive it.
    pub(super) fn show_ticket(&mut self) {
        let Some(ticket) = self.session.ticket().map(<[u8]>::to_vec) else {
            return;
        };
        let ready: Vec<PeerId> = self
            .peers
            .values()
            .filter(|peer| peer.is_ready())
            .map(|peer| peer.id)
            .collect();
        for id in ready {
            self.send(id, &Message::Ticket(ticket.clone()));
        }
    }

    /// A peer shows its new ticket: of the same key, for the same swarm, from a tracker that is believed.
    pub(super) fn peer_ticket(&mut self, id: PeerId, sealed: &[u8]) {
        let (now, wall) = (self.now, self.wall_now());
        let swarm = self.catalog.manifest().swarm_id();
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Stage::Ready(identity) = &mut peer.stage else {
            return;
        };
        if now.since(peer.ticket_at) < TICKET_INTERVAL_US {
            return;
        }
        peer.ticket_at = now;
        match Ticket::verify(sealed, &self.config.tracker_keys, wall) {
            Ok(ticket) if ticket.key == identity.key && ticket.swarm == swarm => {
                identity.ticket_expires = identity.ticket_expires.max(ticket.expires);
                identity.limits = ticket.limits;
            }
            Ok(_) => self.blame(id, "foreign_ticket", None),
            // Two clocks: the connection ends when the ticket does that was good.
            Err(TicketError::Expired | TicketError::NotYetValid) => {}
            Err(error) => self.blame(id, error.code(), None),
        }
    }

    pub(super) fn peer_tracks(&mut self, id: PeerId, roots: &[(TrackId, crate::content::Hash)]) {
        let ours = self.catalog.track_roots();
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(identity) = peer.identity() else { return };
        if peer.shared.is_some() || roots_digest(roots) != identity.roots_digest {
            self.blame(id, "tracks_differ_from_proof", None);
            return;
        }
        peer.shared = Some(if self.live.is_some() && roots == ours {
            Shared::Logs
        } else if self.live.is_some() {
            Shared::Tracks(OrderedSet::new())
        } else {
            let both = roots.iter().filter(|pair| ours.contains(pair));
            Shared::Tracks(both.map(|(track, _)| *track).collect())
        });
        self.dirty = true;
    }

    pub(super) fn peer_failed(&mut self, id: PeerId, reason: &str) {
        let mut code = String::from("transport_");
        code.extend(
            reason
                .chars()
                .filter(|c| c.is_ascii_lowercase() || *c == '_')
                .take(24),
        );
        self.close_peer(id, CloseReason::Gone, &code);
    }

    pub(super) fn peer_gone(&mut self, id: PeerId) {
        self.close_peer(id, CloseReason::Gone, "closed_by_peer");
    }

    /// A peer broke a rule: close it at once, do not dial it again, tell the tracker.
    pub(super) fn blame(&mut self, id: PeerId, code: &'static str, object: Option<(ObjectId, u32)>) {
        let Some(peer) = self.peers.get(&id) else { return };
        let handle = peer.handle;
        self.blamed += 1;
        // Before it has proven itself, whoever carries the signalling may have spoken in its name.
        if peer.is_ready() {
            self.ban(handle);
        } else {
            self.leave_alone(handle);
        }
        self.event(Event::PeerBlamed {
            peer: id.0,
            handle: handle.to_string(),
            code: code.to_owned(),
            track: object.map(|(object, _)| object.track.0),
            index: object.map(|(object, _)| object.index),
            chunk: object.map(|(_, chunk)| chunk),
        });
        self.report(handle, code, object);
        self.close_peer(id, CloseReason::Misbehaviour(code), code);
    }

    /// Ends a connection and frees everything that was asked of it.
    pub(super) fn close_peer(&mut self, id: PeerId, reason: CloseReason, code: &str) {
        let now = self.now;
        let Some(peer) = self.peers.remove(&id) else {
            return;
        };
        for (request_id, request) in &peer.requests {
            if let Some(object) = self.objects.get_mut(&request.object) {
                for chunk in request.open() {
                    object.release(chunk, By::Peer(id, *request_id), now);
                }
            }
        }
        if !peer.is_ready() || matches!(reason, CloseReason::Misbehaviour(_)) {
            self.count_failure(code);
        }
        if !matches!(peer.stage, Stage::Ready(_)) {
            self.outputs
                .push_back(Output::TrackerSend(ClientMessage::EndIntroduction {
                    introduction: peer.introduction,
                    reason: EndReason::Failed,
                }));
        } else {
            self.outputs
                .push_back(Output::TrackerSend(ClientMessage::EndIntroduction {
                    introduction: peer.introduction,
                    reason: EndReason::PeerGone,
                }));
        }
        self.outputs.push_back(Output::Close { peer: id, reason });
        self.event(Event::PeerLost {
            peer: id.0,
            handle: peer.handle.to_string(),
            code: code.to_owned(),
        });
        if self.session.is_joined() {
            self.timers.set_earlier(Timer::Session, now.plus_ms(300));
        }
        self.dirty = true;
    }

    /// At most so many of these neighbours: others than those that another viewer would choose, and than the next time.
    pub(super) fn some_of(&self, peers: &[PeerId], most: usize) -> Vec<PeerId> {
        let turn = (self.next_request ^ self.draw) as usize % peers.len().max(1);
        let from_there_on = peers.iter().cycle().skip(turn);
        from_there_on.take(most.min(peers.len())).copied().collect()
    }

    pub(super) fn send(&mut self, id: PeerId, message: &Message) {
        let bytes = wire::encode(message);
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.buffered = peer.buffered.saturating_add(bytes.len() as u64);
            self.outputs.push_back(Output::Send { peer: id, bytes });
        }
    }

    /// Whether loopback candidates are sent and taken: in the demo on one machine only.
    pub(super) const fn loopback(&self) -> Loopback {
        if self.config.allow_loopback {
            Loopback::Allow
        } else {
            Loopback::Refuse
        }
    }

    /// Timer: stages that took too long, tickets that ran out.
    pub(super) fn check_peers(&mut self) {
        let now = self.now;
        let wall = self.wall_now();
        let grace = !self.session.is_joined();
        let mut late: Vec<(PeerId, CloseReason, &str)> = Vec::new();
        for peer in self.peers.values() {
            match &peer.stage {
                Stage::Dialling if peer.deadline <= now => {
                    late.push((peer.id, CloseReason::Timeout, "dial_timeout"))
                }
                Stage::Proving(_) if peer.deadline <= now => {
                    late.push((peer.id, CloseReason::Timeout, "proof_timeout"))
                }
                Stage::Ready(identity)
                    if !grace && is_past(wall, identity.ticket_expires + EXPIRY_GRACE_S) =>
                {
                    late.push((peer.id, CloseReason::Expired, "ticket_expired"));
                }
                _ => {}
            }
        }
        for (id, reason, code) in late {
            self.close_peer(id, reason, code);
        }
        if !self.peers.is_empty() {
            let next = self
                .peers
                .values()
                .filter(|peer| !peer.is_ready())
                .map(|peer| peer.deadline)
                .min()
                .unwrap_or(now.plus_ms(10_000));
            self.timers
                .set_earlier(Timer::Peers, next.min(now.plus_ms(10_000)));
        }
    }

    /// Closes everything and leaves the tracker.
    pub(super) fn leave_swarm(&mut self) {
        let ids: Vec<PeerId> = self.peers.keys().copied().collect();
        for id in ids {
            if self.peers.get(&id).is_some_and(Peer::is_ready) {
                self.send(
                    id,
                    &Message::Bye {
                        reason: wire::ByeReason::Leaving,
                    },
                );
            }
            self.close_peer(id, CloseReason::Policy, "sharing_off");
        }
        self.session_leave();
        self.timers.stop(Timer::Session);
        self.timers.stop(Timer::Peers);
    }
}

/// Whether `unix_s` has certainly passed, however far the clock is off.
const fn is_past(wall: WallTime, unix_s: u64) -> bool {
    wall.unix_s.saturating_sub(wall.uncertainty_s as u64) > unix_s
}
