//! A model tracker: admits everybody, lists who announced, introduces and relays.

use std::collections::BTreeMap;

use swarmseal::content::{PublicKey, SecretKey, SwarmId};
use swarmseal::identity::{Handle, PeerClass, Ticket, TicketLimits};
use swarmseal::signal::{
    ClientMessage, Exposure, IntroductionId, Joined, SIGNAL_VERSION, SdpType, ServerMessage,
};
use swarmseal::swarm::PeerId;

use super::content::{NOW_S, Published};

/// How long a ticket is valid.
const TICKET_S: u64 = 600;

#[derive(Default)]
pub struct Tracker {
    pub down: bool,
    /// Only neighbours in the order of their numbers are introduced to each other.
    pub in_line: bool,
    /// Microseconds since the world began.
    pub now_us: u64,
    members: BTreeMap<usize, Member>,
    introductions: BTreeMap<[u8; 16], [usize; 2]>,
    next: u8,
}

struct Member {
    handle: Handle,
    key: PublicKey,
    swarm: SwarmId,
    source: bool,
}

pub fn key() -> SecretKey {
    SecretKey::from_seed(&[5; 32])
}

const fn nonce(viewer: usize) -> [u8; 32] {
    [viewer as u8; 32]
}

pub fn welcome(viewer: usize, now_us: u64) -> ServerMessage {
    ServerMessage::Welcome {
        version: SIGNAL_VERSION,
        nonce: nonce(viewer),
        time_unix_ms: NOW_S * 1_000 + now_us / 1_000,
        keepalive_s: 30,
    }
}

impl Tracker {
    pub fn forget_everybody(&mut self) {
        self.members.clear();
        self.introductions.clear();
    }

    pub fn forget(&mut self, viewer: usize) {
        self.members.remove(&viewer);
    }

    pub fn key_of(&self, viewer: usize) -> PublicKey {
        self.members[&viewer].key
    }

    fn may_meet(&self, one: usize, other: usize) -> bool {
        !self.in_line || one.abs_diff(other) == 1
    }

    fn time_s(&self) -> u64 {
        NOW_S + self.now_us / 1_000_000
    }

    fn ticket(&self, viewer: usize, key: PublicKey, swarm: SwarmId) -> Ticket {
        Ticket {
            key,
            swarm,
            class: PeerClass::User,
            issued: self.time_s(),
            expires: self.time_s() + TICKET_S,
            election: [(viewer as u8).wrapping_mul(37).wrapping_add(11); 16],
            limits: TicketLimits {
                connections: 30,
                budget: 30,
            },
            admission_tag: Vec::new(),
        }
    }

    fn sources(&self, but: usize) -> Vec<Handle> {
        self.members
            .iter()
            .filter(|(at, member)| **at != but && member.source && self.may_meet(**at, but))
            .map(|(_, m)| m.handle)
            .collect()
    }

    pub fn take(
        &mut self,
        published: &Published,
        viewer: usize,
        message: ClientMessage,
    ) -> Vec<(usize, ServerMessage)> {
        match message {
            ClientMessage::Join(join) => {
                assert!(join.proves(&published.manifest.swarm_secret, &nonce(viewer)));
                assert!(join.is_signed(&nonce(viewer)));
                let ticket = self.ticket(viewer, join.key, join.swarm);
                let handle = ticket.handle();
                self.members.insert(
                    viewer,
                    Member {
                        handle,
                        key: join.key,
                        swarm: join.swarm,
                        source: false,
                    },
                );
                let joined = Joined {
                    handle,
                    ticket: ticket.issue(&key()).unwrap(),
                    ticket_expires_in_s: TICKET_S as u32,
                    peers: self.sources(viewer),
                    ice_servers: Vec::new(),
                    exposure: Exposure::Direct,
                    list_interval_s: 20,
                    time_unix_ms: self.time_s() * 1_000,
                    epoch: 1,
                };
                vec![(viewer, ServerMessage::Joined(joined))]
            }
            ClientMessage::Renew {} => {
                let Some(member) = self.members.get(&viewer) else {
                    return Vec::new();
                };
                let ticket = self.ticket(viewer, member.key, member.swarm);
                let renewed = ServerMessage::Ticket {
                    ticket: ticket.issue(&key()).unwrap(),
                    ticket_expires_in_s: TICKET_S as u32,
                    time_unix_ms: self.time_s() * 1_000,
                    epoch: 1,
                    ice_servers: Vec::new(),
                };
                vec![(viewer, renewed)]
            }
            ClientMessage::Announce(_) => {
                let Some(member) = self.members.get_mut(&viewer) else {
                    return Vec::new();
                };
                let first = !member.source;
                member.source = true;
                let peers = vec![member.handle];
                let others = self
                    .members
                    .keys()
                    .filter(|other| **other != viewer && first && self.may_meet(**other, viewer));
                others
                    .map(|other| (*other, ServerMessage::Peers { peers: peers.clone() }))
                    .collect()
            }
            ClientMessage::List { .. } => vec![(
                viewer,
                ServerMessage::Peers {
                    peers: self.sources(viewer),
                },
            )],
            ClientMessage::Introduce { peer } => {
                let Some((&other, _)) = self.members.iter().find(|(_, member)| member.handle == peer) else {
                    return Vec::new();
                };
                let Some(own) = self.members.get(&viewer).map(|member| member.handle) else {
                    return Vec::new();
                };
                let pair = [viewer.min(other), viewer.max(other)];
                if self.introductions.values().any(|known| *known == pair) {
                    return Vec::new();
                }
                self.next += 1;
                let introduction = IntroductionId([self.next; 16]);
                self.introductions.insert(introduction.0, pair);
                let (mine, theirs) = if own < peer {
                    (SdpType::Offer, SdpType::Answer)
                } else {
                    (SdpType::Answer, SdpType::Offer)
                };
                vec![
                    (
                        viewer,
                        ServerMessage::Introduction {
                            introduction,
                            peer,
                            role: mine,
                        },
                    ),
                    (
                        other,
                        ServerMessage::Introduction {
                            introduction,
                            peer: own,
                            role: theirs,
                        },
                    ),
                ]
            }
            ClientMessage::Description {
                introduction,
                description,
            } => self.other(
                viewer,
                introduction,
                ServerMessage::Description {
                    introduction,
                    description,
                },
            ),
            ClientMessage::EndIntroduction { introduction, reason } => {
                let told = self.other(
                    viewer,
                    introduction,
                    ServerMessage::IntroductionEnded { introduction, reason },
                );
                self.introductions.remove(&introduction.0);
                told
            }
            ClientMessage::Leave {} => {
                self.members.remove(&viewer);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn other(
        &self,
        viewer: usize,
        introduction: IntroductionId,
        message: ServerMessage,
    ) -> Vec<(usize, ServerMessage)> {
        let Some(pair) = self.introductions.get(&introduction.0) else {
            return Vec::new();
        };
        let other = if pair[0] == viewer { pair[1] } else { pair[0] };
        vec![(other, message)]
    }
}

/// What a browser would say. The user name fragment carries who it is, for [`who`].
pub fn local_sdp(viewer: usize, peer: PeerId, offer: bool) -> String {
    let fingerprint: Vec<String> = (0..32_u8)
        .map(|n| format!("{:02X}", n ^ viewer as u8 ^ (peer.0 as u8) << 3))
        .collect();
    let setup = if offer { "actpass" } else { "active" };
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
         c=IN IP4 0.0.0.0\r\na=ice-ufrag:{viewer:04}{:04}\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=ice-options:trickle\r\n\
         a=fingerprint:sha-256 {}\r\na=setup:{setup}\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n",
        peer.0,
        fingerprint.join(":"),
    )
}

/// Whose description this is.
pub fn who(sdp: &str) -> Option<(usize, PeerId)> {
    let ufrag = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))?;
    Some((
        ufrag.get(..4)?.parse().ok()?,
        PeerId(ufrag.get(4..8)?.parse().ok()?),
    ))
}

pub fn is_answer(sdp: &str) -> bool {
    !sdp.contains("a=setup:actpass")
}
