//! A tracker on simulated time, and peers that speak to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use swarmseal::content::{SecretKey, SwarmId, SwarmSecret, TrackId};
use swarmseal::identity::{EphemeralKeys, Fingerprint, Handle, Revocation};
use swarmseal::signal::{
    Announce, Candidate, ClientMessage, Description, EndReason, ErrorCode, IntroductionId, Join, Joined,
    SdpType, ServerMessage, Setup, TrackRanges,
};
use swarmseal::swarm::Timestamp;
use swarmseal::wire::Range;

use crate::{
    Admission, CloseReason, ConnId, Content, Input, Now, Output, PrefixTag, Roots, Tracker, TrackerConfig,
    TrackerKeys,
};

pub(super) const SWARM: SwarmId = SwarmId([7; 32]);

pub(super) fn secret() -> SwarmSecret {
    SwarmSecret([9; 32])
}

pub(super) fn tracker_key() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

pub(super) fn keys(seed: u8) -> EphemeralKeys {
    EphemeralKeys::from_seed([seed; 32])
}

pub(super) fn handle(seed: u8) -> Handle {
    keys(seed).handle()
}

pub(super) struct Rig {
    pub(super) tracker: Tracker,
    pub(super) now: Now,
    pub(super) inbox: BTreeMap<ConnId, Vec<ServerMessage>>,
    pub(super) closed: BTreeMap<ConnId, CloseReason>,
    pub(super) nonces: BTreeMap<ConnId, [u8; 32]>,
    /// Whether each message is read back from its text: not where a day has millions of them.
    pub(super) reads_back: bool,
    next: u64,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(TrackerConfig::default())
    }

    pub(super) fn with(config: TrackerConfig) -> Self {
        config.validate().unwrap();
        let mut rig = Self {
            tracker: Tracker::new(config, TrackerKeys::new(tracker_key()), [3; 32]),
            now: Now {
                monotonic: Timestamp(5_000_000),
                unix_ms: 1_800_000_000_000,
            },
            inbox: BTreeMap::new(),
            closed: BTreeMap::new(),
            nonces: BTreeMap::new(),
            reads_back: true,
            next: 0,
        };
        rig.tracker.set_contents(
            rig.now,
            [Content {
                swarm: SWARM,
                secret: secret(),
                roots: Vec::new(),
                is_followed: false,
            }],
        );
        rig
    }

    pub(super) fn input(&mut self, input: Input) {
        self.tracker.handle(self.now, input);
        self.drain();
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.tracker.poll() {
            match output {
                Output::Send { conn, message } => {
                    if self.reads_back {
                        let text = serde_json::to_string(&message).unwrap();
                        assert_eq!(serde_json::from_str::<ServerMessage>(&text).unwrap(), message);
                    }
                    message.validate(swarmseal::signal::Loopback::Allow).unwrap();
                    if let ServerMessage::Welcome { nonce, .. } = &message {
                        self.nonces.insert(conn, *nonce);
                    }
                    assert!(
                        !self.closed.contains_key(&conn),
                        "sent to a closed connection: {message:?}"
                    );
                    self.inbox.entry(conn).or_default().push(message);
                }
                Output::Close { conn, reason } => {
                    assert_eq!(self.closed.insert(conn, reason), None, "closed twice");
                }
            }
        }
    }

    /// A head of the content, which is followed, or none that can be read.
    pub(super) fn state(&mut self, roots: Option<Arc<Roots>>) {
        self.tracker.set_live_roots(self.now, SWARM, roots);
        self.drain();
    }

    pub(super) fn sleep_ms(&mut self, ms: u64) {
        // In small steps, so that timers fire in their order.
        for step in (0..ms).step_by(100).map(|at| (ms - at).min(100)) {
            self.now.monotonic = self.now.monotonic.plus_ms(step);
            self.now.unix_ms += step;
            self.input(Input::Tick);
        }
    }

    /// As [`Self::sleep_ms`], in one step: where the order of timers does not matter.
    pub(super) fn leap_ms(&mut self, ms: u64) {
        self.now.monotonic = self.now.monotonic.plus_ms(ms);
        self.now.unix_ms += ms;
        self.input(Input::Tick);
    }

    /// Replaces open admission.
    pub(super) fn admit(&mut self, admission: Box<dyn Admission>) {
        self.tracker.admission = admission;
    }

    pub(super) fn connect(&mut self, prefix: u64) -> ConnId {
        self.next += 1;
        let conn = ConnId(self.next);
        self.input(Input::Connected {
            conn,
            prefix: PrefixTag(prefix),
        });
        conn
    }

    pub(super) fn say(&mut self, conn: ConnId, message: ClientMessage) -> Vec<ServerMessage> {
        self.inbox.remove(&conn);
        self.input(Input::Message { conn, message });
        self.heard(conn)
    }

    pub(super) fn heard(&mut self, conn: ConnId) -> Vec<ServerMessage> {
        self.inbox.remove(&conn).unwrap_or_default()
    }

    pub(super) fn join_message(&self, conn: ConnId, seed: u8) -> Join {
        Join::sign(&keys(seed), &secret(), SWARM, &self.nonces[&conn], None)
    }

    /// Connects and joins.
    pub(super) fn join(&mut self, seed: u8) -> (ConnId, Joined) {
        let conn = self.connect(u64::from(seed));
        let join = self.join_message(conn, seed);
        let joined = joined(&self.say(conn, ClientMessage::Join(join)));
        (conn, joined)
    }

    /// Connects and joins under a key that follows from `number`.
    pub(super) fn join_as(&mut self, number: u64) -> (ConnId, EphemeralKeys) {
        let (conn, keys, _) = self.join_from(number, PrefixTag(number % 1_000));
        (conn, keys)
    }

    /// As [`Self::join_as`], from there.
    pub(super) fn join_from(&mut self, number: u64, prefix: PrefixTag) -> (ConnId, EphemeralKeys, Joined) {
        let mut seed = [0xa5; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        let keys = EphemeralKeys::from_seed(seed);
        let conn = self.connect(prefix.0);
        let join = Join::sign(&keys, &secret(), SWARM, &self.nonces[&conn], None);
        let joined = joined(&self.say(conn, ClientMessage::Join(join)));
        (conn, keys, joined)
    }

    pub(super) fn announcement(&self, conn: ConnId, seed: u8, seq: u64, segments: u32) -> Announce {
        let range = Range {
            first: 0,
            count: segments,
        };
        let ranges = if segments == 0 {
            Vec::new()
        } else {
            vec![TrackRanges {
                track: TrackId(1),
                ranges: vec![range],
            }]
        };
        Announce::sign(&keys(seed), SWARM, &self.nonces[&conn], ranges, 120, seq)
    }

    pub(super) fn announce(&mut self, conn: ConnId, seed: u8, seq: u64) {
        let announce = self.announcement(conn, seed, seq, 10);
        assert_eq!(self.say(conn, ClientMessage::Announce(announce)), []);
    }

    /// Connects, joins and announces.
    pub(super) fn source(&mut self, seed: u8) -> ConnId {
        let (conn, _) = self.join(seed);
        self.announce(conn, seed, 1);
        conn
    }

    pub(super) fn list(&mut self, conn: ConnId, want: u8) -> Vec<Handle> {
        match self.say(conn, ClientMessage::List { want }).as_slice() {
            [ServerMessage::Peers { peers }] => peers.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// `asker` asks for `peer`; gives the introduction and the asker's role.
    pub(super) fn introduce(&mut self, asker: ConnId, peer: u8) -> (IntroductionId, SdpType) {
        introduction(&self.say(asker, ClientMessage::Introduce { peer: handle(peer) }))
    }
}

pub(super) fn joined(heard: &[ServerMessage]) -> Joined {
    match heard {
        [ServerMessage::Joined(joined), ..] => joined.clone(),
        other => panic!("{other:?}"),
    }
}

/// Whom the tracker has named to the swarm as put out.
pub(super) fn named(heard: &[ServerMessage]) -> BTreeSet<Handle> {
    let keys = [tracker_key().public()];
    heard
        .iter()
        .filter_map(|message| match message {
            ServerMessage::Revocation { statement } => Some(Revocation::verify(statement, &keys).unwrap()),
            _ => None,
        })
        .inspect(|revocation| assert_eq!(revocation.swarm, SWARM))
        .flat_map(|revocation| revocation.handles)
        .collect()
}

pub(super) fn introduction(heard: &[ServerMessage]) -> (IntroductionId, SdpType) {
    match heard {
        [
            ServerMessage::Introduction {
                introduction, role, ..
            },
        ] => (*introduction, *role),
        other => panic!("{other:?}"),
    }
}

pub(super) fn refusal(heard: &[ServerMessage]) -> ErrorCode {
    match heard {
        [ServerMessage::Error { code, .. }] => *code,
        other => panic!("{other:?}"),
    }
}

pub(super) fn description(setup: Setup) -> Description {
    Description {
        ufrag: "abcd".parse().unwrap(),
        pwd: "0123456789abcdefghijkl".parse().unwrap(),
        fingerprint: Fingerprint([4; 32]),
        setup,
        max_message_size: 262_144,
    }
}

pub(super) fn describe(introduction: IntroductionId, setup: Setup) -> ClientMessage {
    ClientMessage::Description {
        introduction,
        description: description(setup),
    }
}

pub(super) fn candidate(line: &str) -> Candidate {
    let line = format!("candidate:1 1 udp 2113937151 {line} typ host");
    Candidate::from_line(&line, swarmseal::signal::Loopback::Allow)
        .unwrap()
        .unwrap()
}

pub(super) fn end(introduction: IntroductionId, reason: EndReason) -> ClientMessage {
    ClientMessage::EndIntroduction { introduction, reason }
}
