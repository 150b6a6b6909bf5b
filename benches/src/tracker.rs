//! The tracker's state machine: no sockets, no JSON, and no challenges, since it has no roots here.

use swarmseal::content::{SecretKey, SwarmId, SwarmSecret, TrackId};
use swarmseal::identity::{EphemeralKeys, Fingerprint};
use swarmseal::signal::{
    Announce, Candidate, ClientMessage, Description, EndReason, IntroductionId, Join, Loopback,
    ServerMessage, Setup, TrackRanges,
};
use swarmseal::swarm::Timestamp;
use swarmseal::wire::Range;
use swarmseal_tracker::{
    ConnId, Content, Input, Now, Output, PrefixTag, Tracker, TrackerConfig, TrackerKeys,
};

use crate::Case;

const SWARM: SwarmId = SwarmId([7; 32]);
const PEERS: u8 = 200;
/// What a peer with one network and a TURN server has.
const CANDIDATES: usize = 4;
/// Between two passes: nobody reaches a limit on rates.
const PAUSE_MS: u64 = 1_000;

/// An announcement by one of the peers, signature and all.
pub(crate) fn announce() -> Box<dyn Case> {
    let swarm = Swarm::new();
    let next = swarm.announcement(0);
    Box::new(Announcing { swarm, next })
}

/// Two peers are introduced: descriptions and candidates both ways, and that it worked.
pub(crate) fn introduction() -> Box<dyn Case> {
    Box::new(Introducing { swarm: Swarm::new() })
}

struct Announcing {
    swarm: Swarm,
    next: (ConnId, ClientMessage),
}

impl Case for Announcing {
    fn prepare(&mut self) {
        self.swarm.pause();
        self.next = self.swarm.announcement(self.swarm.passes);
    }

    fn pass(&mut self) {
        let (conn, message) = self.next.clone();
        let heard = self.swarm.say(conn, message);
        assert!(!heard.iter().any(|(_, heard)| refuses(heard)), "{heard:?}");
    }
}

struct Introducing {
    swarm: Swarm,
}

impl Case for Introducing {
    fn prepare(&mut self) {
        self.swarm.pause();
    }

    fn pass(&mut self) {
        self.swarm.introduce();
    }
}

struct Peer {
    keys: EphemeralKeys,
    nonce: [u8; 32],
}

/// A tracker and its peers; the connection of peer `n` is number `n`.
struct Swarm {
    tracker: Tracker,
    now: Now,
    peers: Vec<Peer>,
    passes: u64,
    description: Description,
    candidate: Candidate,
}

impl Swarm {
    fn new() -> Self {
        let keys = TrackerKeys::new(SecretKey::from_seed(&[1; 32]));
        let mut tracker = Tracker::new(TrackerConfig::default(), keys, [3; 32]);
        let now = Now {
            monotonic: Timestamp(5_000_000),
            unix_ms: 1_800_000_000_000,
        };
        let secret = SwarmSecret([9; 32]);
        let content = Content {
            swarm: SWARM,
            secret: secret.clone(),
            roots: Vec::new(),
            is_followed: false,
        };
        tracker.set_contents(now, [content]);
        let candidate = "candidate:1 1 udp 2113937151 192.0.2.5 40000 typ host";
        let mut swarm = Self {
            tracker,
            now,
            peers: Vec::new(),
            passes: 0,
            description: Description {
                ufrag: "abcd".parse().unwrap(),
                pwd: "0123456789abcdefghijkl".parse().unwrap(),
                fingerprint: Fingerprint([4; 32]),
                setup: Setup::Actpass,
                max_message_size: 262_144,
            },
            candidate: Candidate::from_line(candidate, Loopback::Refuse)
                .unwrap()
                .unwrap(),
        };
        for peer in 0..PEERS {
            swarm.join(peer, &secret);
        }
        swarm
    }

    fn join(&mut self, peer: u8, secret: &SwarmSecret) {
        let (conn, prefix) = (ConnId(peer.into()), PrefixTag(peer.into()));
        let heard = self.input(Input::Connected { conn, prefix });
        let [(_, ServerMessage::Welcome { nonce, .. })] = heard.as_slice() else {
            panic!("{heard:?}");
        };
        let (keys, nonce) = (EphemeralKeys::from_seed([peer; 32]), *nonce);
        let announce = announced(&keys, &nonce, 1);
        let join = Join::sign(&keys, secret, SWARM, &nonce, Some(announce));
        let heard = self.say(conn, ClientMessage::Join(join));
        assert!(
            heard
                .iter()
                .any(|(_, heard)| matches!(heard, ServerMessage::Joined(_))),
            "{heard:?}"
        );
        self.peers.push(Peer { keys, nonce });
    }

    /// Time passes, and everybody is still there.
    fn pause(&mut self) {
        self.passes += 1;
        self.now.monotonic = self.now.monotonic.plus_ms(PAUSE_MS);
        self.now.unix_ms += PAUSE_MS;
        for peer in 0..u64::from(PEERS) {
            self.input(Input::Alive { conn: ConnId(peer) });
        }
        self.input(Input::Tick);
    }

    fn announcement(&self, pass: u64) -> (ConnId, ClientMessage) {
        let number = pass % u64::from(PEERS);
        let Peer { keys, nonce } = &self.peers[usize::try_from(number).unwrap()];
        (
            ConnId(number),
            ClientMessage::Announce(announced(keys, nonce, 2 + pass)),
        )
    }

    fn introduce(&mut self) {
        let half = u64::from(PEERS) / 2;
        let [asker, other] = [0, half].map(|first| first + self.passes % half);
        let peer = self.peers[usize::try_from(other).unwrap()].keys.handle();
        let heard = self.say(ConnId(asker), ClientMessage::Introduce { peer });
        let [(_, ServerMessage::Introduction { introduction, .. }), ..] = heard.as_slice() else {
            panic!("{heard:?}");
        };
        let introduction = *introduction;
        let offerer = heard
            .iter()
            .find_map(|(conn, heard)| offers(heard).then_some(*conn))
            .unwrap();
        let answerer = ConnId(asker + other - offerer.0);
        for (conn, setup) in [(offerer, Setup::Actpass), (answerer, Setup::Active)] {
            self.describe(conn, introduction, setup);
        }
        for conn in [offerer, answerer] {
            let reason = EndReason::Connected;
            let heard = self.say(conn, ClientMessage::EndIntroduction { introduction, reason });
            assert!(heard.is_empty(), "{heard:?}");
        }
    }

    fn describe(&mut self, conn: ConnId, introduction: IntroductionId, setup: Setup) {
        let description = Description {
            setup,
            ..self.description.clone()
        };
        self.relayed(
            conn,
            ClientMessage::Description {
                introduction,
                description,
            },
        );
        for _ in 0..CANDIDATES {
            let candidate = self.candidate.clone();
            self.relayed(
                conn,
                ClientMessage::Candidate {
                    introduction,
                    candidate,
                },
            );
        }
        self.relayed(conn, ClientMessage::EndOfCandidates { introduction });
    }

    /// What `conn` says reaches somebody else.
    fn relayed(&mut self, conn: ConnId, message: ClientMessage) {
        let heard = self.say(conn, message);
        assert!(heard.iter().any(|(to, _)| *to != conn), "{heard:?}");
    }

    fn say(&mut self, conn: ConnId, message: ClientMessage) -> Vec<(ConnId, ServerMessage)> {
        self.input(Input::Message { conn, message })
    }

    fn input(&mut self, input: Input) -> Vec<(ConnId, ServerMessage)> {
        self.tracker.handle(self.now, input);
        std::iter::from_fn(|| self.tracker.poll())
            .map(|output| match output {
                Output::Send { conn, message } => (conn, message),
                Output::Close { conn, reason } => panic!("{conn:?} is closed: {reason:?}"),
            })
            .collect()
    }
}

fn announced(keys: &EphemeralKeys, nonce: &[u8; 32], seq: u64) -> Announce {
    let range = Range { first: 0, count: 10 };
    let ranges = vec![TrackRanges {
        track: TrackId(1),
        ranges: vec![range],
    }];
    Announce::sign(keys, SWARM, nonce, ranges, 120, seq)
}

fn refuses(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Error { .. })
}

fn offers(message: &ServerMessage) -> bool {
    matches!(
        message,
        ServerMessage::Introduction {
            role: swarmseal::signal::SdpType::Offer,
            ..
        }
    )
}
