//! TR 33.844 §4.1, as far as addresses go: what somebody who only wants to know who is there can learn in a day, in each
//! exposure mode. The viewers around it come and go, keep to the protocol and answer whoever is introduced to them.

use std::collections::{BTreeMap, BTreeSet};

use swarmseal::identity::{Drbg, EphemeralKeys, Handle, PeerClass, TicketLimits};
use swarmseal::signal::{
    Announce, Candidate, CandidateKind, ClientMessage, ErrorCode, Exposure, GUARDED_INTRODUCTIONS,
    GUARDED_REPLACEMENTS_PER_HOUR, IntroductionId, Join, SdpType, ServerMessage, Setup, TrackRanges,
};
use swarmseal::wire::Range;

use super::report::{Outcome, conclude, runs};
use super::rig::{Rig, SWARM, candidate, describe, handle, refusal, secret};
use crate::{Admission, AdmissionRequest, ConnId, Grant, Input, Now, PrefixTag, Refused, TrackerConfig};

/// How long the observer collects, in hours.
const HOURS: u64 = 24;
const STEP_MS: u64 = 40_000;
/// Shortest and longest stay of a viewer, in steps.
const STAYS: (u64, u64) = (8, 68);
const ANNOUNCE_EVERY: u64 = 12;
/// Introductions that a viewer wants.
const WANTED: usize = 8;
/// An observer without a tag to lose comes with another key this often, in steps.
const NEW_KEY_EVERY: u64 = 15;

#[test]
fn guarded_bounds_what_an_observer_learns() {
    let viewers = usize::try_from(runs(300)).unwrap();
    let bound = u64::from(GUARDED_INTRODUCTIONS) + u64::from(GUARDED_REPLACEMENTS_PER_HOUR) * HOURS;
    let free = Harvest::run(Exposure::Direct, Who::Keys(1), viewers);
    let mut figures = vec![format!("direct: {free} addresses with one identity")];
    let mut over = 0;
    let who = [
        (Who::Keys(1), 1),
        (Who::OneTagManyKeys, 1),
        (Who::Keys(10), 10),
        (Who::Keys(100), 100),
    ];
    // A hundred take as long as all the rest together.
    let affordable = usize::try_from(runs(4)).unwrap().max(3);
    for (who, identities) in who.into_iter().take(affordable) {
        let learned = Harvest::run(Exposure::Guarded, who, viewers);
        figures.push(format!("guarded, {}: {learned}", who.words()));
        over += learned.saturating_sub(identities * bound);
    }
    // The attack took place: without the bound the same observer learns more.
    assert!(free > bound, "{free} addresses in direct mode");
    conclude(&Outcome {
        threat: "15",
        attack: "an observer collects addresses for a day in the mode guarded",
        attempts: free,
        successes: over,
        figure: &format!("{viewers} viewers at a time, {HOURS} h; {}", figures.join("; ")),
        target: "at most 8 + 5 an hour for each identity",
    });
}

#[test]
fn relay_passes_no_address_of_a_peer() {
    let rounds = runs(10_000);
    let kinds = [
        "host",
        "srflx raddr 0.0.0.0 rport 0",
        "prflx raddr 0.0.0.0 rport 0",
    ];
    let (mut passed, mut refused, mut relayed) = (0, 0, 0);
    let mut rig = Rig::new();
    for round in 0..rounds {
        if round.is_multiple_of(25) {
            // Before anybody has asked for too many introductions.
            rig = Rig::with(exposing(Exposure::Relay));
        }
        let (asker, _) = rig.join(1);
        let (other, _) = rig.join(2);
        let (id, role) = rig.introduce(asker, 2);
        rig.heard(other);
        let (offerer, answerer) = match role {
            SdpType::Offer => (asker, other),
            SdpType::Answer => (other, asker),
        };
        rig.say(offerer, describe(id, Setup::Actpass));
        rig.heard(answerer);
        let kind = kinds[usize::try_from(round % 3).unwrap()];
        let line = format!("candidate:1 1 udp 2113937151 198.51.100.7 40000 typ {kind}");
        let own = Candidate::from_line(&line, swarmseal::signal::Loopback::Refuse);
        let told = ClientMessage::Candidate {
            introduction: id,
            candidate: own.unwrap().unwrap(),
        };
        let answer = rig.say(offerer, told);
        passed += u64::try_from(rig.heard(answerer).len()).unwrap();
        refused += u64::from(matches!(
            answer[..],
            [ServerMessage::Error {
                code: ErrorCode::Malformed,
                ..
            }]
        ));
        // One on a TURN server goes through.
        let on_turn = Candidate {
            kind: CandidateKind::Relay,
            ..candidate("203.0.113.9 50000")
        };
        let told = ClientMessage::Candidate {
            introduction: id,
            candidate: on_turn,
        };
        assert_eq!(rig.say(offerer, told), []);
        relayed += rig.heard(answerer).len();
        rig.say(asker, ClientMessage::Leave {});
        rig.say(other, ClientMessage::Leave {});
    }
    assert_eq!(u64::try_from(relayed).unwrap(), rounds);
    conclude(&Outcome {
        threat: "15",
        attack: "peers send candidates of their own in the mode relay",
        attempts: rounds,
        successes: passed,
        figure: &format!("{refused} refused, {relayed} relayed ones passed on"),
        target: "0 passed on",
    });
}

#[test]
fn both_sides_pay_and_an_introduction_without_candidates_costs_nothing() {
    let mut rig = Rig::with(exposing(Exposure::Guarded));
    let sources: Vec<(u8, ConnId)> = (10..30).map(|seed| (seed, rig.source(seed))).collect();
    let (asker, _) = rig.join(1);
    // Refused by the other side before a candidate is sent: as if it had not been.
    for (seed, conn) in &sources {
        let (id, _) = rig.introduce(asker, *seed);
        rig.say(*conn, super::rig::end(id, swarmseal::signal::EndReason::Busy));
        rig.heard(asker);
    }
    // With one, both have learnt an address: eight times, and then no more.
    let mut met = 0;
    for (seed, conn) in &sources {
        let heard = rig.say(asker, ClientMessage::Introduce { peer: handle(*seed) });
        if let [
            ServerMessage::Introduction {
                introduction, role, ..
            },
        ] = heard[..]
        {
            let offerer = if role == SdpType::Offer { asker } else { *conn };
            rig.say(offerer, describe(introduction, Setup::Actpass));
            rig.say(offerer, candidate_of(introduction, 1));
            rig.say(
                asker,
                super::rig::end(introduction, swarmseal::signal::EndReason::Failed),
            );
            met += 1;
        } else {
            assert_eq!(refusal(&heard), ErrorCode::ExposureLimit);
        }
        rig.heard(asker);
    }
    assert_eq!(met, GUARDED_INTRODUCTIONS);
    // A viewer that others have asked for eight times is named no more, and may ask for nobody itself.
    let popular = sources[19];
    for seed in 40..48 {
        let (conn, _) = rig.join(seed);
        let heard = rig.say(
            conn,
            ClientMessage::Introduce {
                peer: handle(popular.0),
            },
        );
        let (id, role) = super::rig::introduction(&heard);
        let offerer = if role == SdpType::Offer { conn } else { popular.1 };
        rig.say(offerer, describe(id, Setup::Actpass));
        rig.say(offerer, candidate_of(id, 1));
    }
    let (late, _) = rig.join(60);
    assert!(!rig.list(late, 30).contains(&handle(popular.0)));
    let heard = rig.say(
        late,
        ClientMessage::Introduce {
            peer: handle(popular.0),
        },
    );
    assert_eq!(refusal(&heard), ErrorCode::ExposureLimit);
    let heard = rig.say(popular.1, ClientMessage::Introduce { peer: handle(60) });
    assert_eq!(refusal(&heard), ErrorCode::ExposureLimit);
    // Twelve minutes earn the next one.
    for _ in 0..25 {
        rig.sleep_ms(30_000);
        for conn in [popular.1, late] {
            rig.input(Input::Alive { conn });
        }
    }
    let heard = rig.say(popular.1, ClientMessage::Introduce { peer: handle(60) });
    assert!(
        matches!(heard[..], [ServerMessage::Introduction { .. }]),
        "{heard:?}"
    );
}

/// Who collects.
#[derive(Clone, Copy, Debug)]
enum Who {
    /// So many identities, each with its own key.
    Keys(u64),
    /// One admission tag, and a new key every ten minutes.
    OneTagManyKeys,
}

impl Who {
    fn words(self) -> String {
        match self {
            Self::Keys(1) => "1 identity".to_owned(),
            Self::Keys(count) => format!("{count} identities"),
            Self::OneTagManyKeys => "1 admission tag, a new key every 10 minutes".to_owned(),
        }
    }
}

/// Admits as [`crate::OpenAdmission`] does, but knows the observer by its prefix, as a token would.
struct Tagged;

impl Admission for Tagged {
    fn admit(&mut self, _: Now, request: &AdmissionRequest) -> Result<Grant, Refused> {
        let limits = TicketLimits {
            connections: 64,
            budget: 30,
        };
        let tag = (request.prefix == OBSERVER).then(|| b"observer".to_vec());
        Ok(Grant {
            class: PeerClass::User,
            limits,
            tag: tag.unwrap_or_default(),
        })
    }

    fn renew(&mut self, now: Now, request: &AdmissionRequest, _: &[u8]) -> Result<Grant, Refused> {
        self.admit(now, request)
    }
}

const OBSERVER: PrefixTag = PrefixTag(0);

struct Peer {
    keys: EphemeralKeys,
    observes: bool,
    leaves: u64,
    seq: u64,
    known: Vec<Handle>,
    with: BTreeMap<IntroductionId, (Handle, SdpType)>,
}

impl Peer {
    fn answers(&self, introduction: IntroductionId) -> bool {
        self.with
            .get(&introduction)
            .is_some_and(|(_, role)| *role == SdpType::Answer)
    }
}

/// A swarm in which somebody collects.
struct Harvest {
    rig: Rig,
    random: Drbg,
    peers: BTreeMap<ConnId, Peer>,
    next: u64,
    step: u64,
    /// Handles of viewers whose address an observer has been told.
    learned: BTreeSet<Handle>,
}

impl Harvest {
    fn run(exposure: Exposure, who: Who, viewers: usize) -> u64 {
        let mut rig = Rig::with(exposing(exposure));
        rig.reads_back = false;
        if matches!(who, Who::OneTagManyKeys) {
            rig.admit(Box::new(Tagged));
        }
        let mut harvest = Self {
            rig,
            random: Drbg::new([11; 32]),
            peers: BTreeMap::new(),
            next: 0,
            step: 0,
            learned: BTreeSet::new(),
        };
        let identities = match who {
            Who::Keys(count) => usize::try_from(count).unwrap(),
            Who::OneTagManyKeys => 1,
        };
        for step in 0..HOURS * 3_600_000 / STEP_MS {
            harvest.step = step;
            harvest.come_and_go(viewers, identities, who);
            harvest.live();
            harvest.rig.leap_ms(STEP_MS);
            harvest.hear();
        }
        u64::try_from(harvest.learned.len()).unwrap()
    }

    fn come_and_go(&mut self, viewers: usize, identities: usize, who: Who) {
        let step = self.step;
        let leaving: Vec<ConnId> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.leaves <= step)
            .map(|(conn, _)| *conn)
            .collect();
        for conn in leaving {
            self.peers.remove(&conn);
            self.rig.say(conn, ClientMessage::Leave {});
        }
        let observers = self.peers.values().filter(|peer| peer.observes).count();
        for _ in observers..identities {
            let leaves = match who {
                Who::Keys(_) => u64::MAX,
                Who::OneTagManyKeys => step + NEW_KEY_EVERY,
            };
            self.join(true, leaves);
        }
        for _ in self.peers.len()..viewers + identities {
            let stay = STAYS.0
                + self
                    .random
                    .index(usize::try_from(STAYS.1 - STAYS.0).unwrap())
                    .unwrap() as u64;
            self.join(false, step + stay);
        }
    }

    fn join(&mut self, observes: bool, leaves: u64) {
        self.next += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.next.to_be_bytes());
        let keys = EphemeralKeys::from_seed(seed);
        // Viewers come from everywhere: limits per prefix are tested elsewhere.
        let conn = self.rig.connect(if observes { OBSERVER.0 } else { self.next });
        let nonce = self.rig.nonces[&conn];
        let join = Join::sign(
            &keys,
            &secret(),
            SWARM,
            &nonce,
            Some(announcement(&keys, &nonce, 1)),
        );
        self.peers.insert(
            conn,
            Peer {
                keys,
                observes,
                leaves,
                seq: 1,
                known: Vec::new(),
                with: BTreeMap::new(),
            },
        );
        self.say(conn, ClientMessage::Join(join));
        self.hear();
    }

    /// What everybody does now and then.
    fn live(&mut self) {
        let conns: Vec<ConnId> = self.peers.keys().copied().collect();
        for conn in conns {
            self.rig.input(Input::Alive { conn });
            let step = self.step;
            let nonce = self.rig.nonces[&conn];
            let Some(peer) = self.peers.get_mut(&conn) else {
                continue;
            };
            if (step + conn.0).is_multiple_of(ANNOUNCE_EVERY) {
                peer.seq += 1;
                let again = announcement(&peer.keys, &nonce, peer.seq);
                self.say(conn, ClientMessage::Announce(again));
            }
            let Some(peer) = self.peers.get_mut(&conn) else {
                continue;
            };
            let lacks = peer.observes || peer.with.len() < WANTED && step.is_multiple_of(3);
            if lacks {
                self.say(conn, ClientMessage::List { want: 30 });
            }
            self.hear();
        }
    }

    fn say(&mut self, conn: ConnId, message: ClientMessage) {
        self.rig.input(Input::Message { conn, message });
    }

    /// Everybody answers what it hears, until nobody says anything more.
    fn hear(&mut self) {
        while let Some((conn, messages)) = self.rig.inbox.pop_first() {
            for message in messages {
                self.answer(conn, message);
            }
        }
    }

    fn answer(&mut self, conn: ConnId, message: ServerMessage) {
        let Some(peer) = self.peers.get_mut(&conn) else {
            return;
        };
        match message {
            ServerMessage::Joined(joined) => self.ask(conn, &joined.peers),
            ServerMessage::Peers { peers } => self.ask(conn, &peers),
            ServerMessage::Introduction {
                introduction,
                peer: other,
                role,
            } => {
                peer.with.insert(introduction, (other, role));
                if role == SdpType::Offer {
                    self.tell(conn, introduction, Setup::Actpass);
                }
            }
            ServerMessage::Description { introduction, .. } if peer.answers(introduction) => {
                self.tell(conn, introduction, Setup::Active);
            }
            ServerMessage::Candidate { introduction, .. } => {
                if peer.observes
                    && let Some((other, _)) = peer.with.get(&introduction)
                {
                    self.learned.insert(*other);
                    // It has what it came for.
                    let over = super::rig::end(introduction, swarmseal::signal::EndReason::PeerGone);
                    self.say(conn, over);
                }
            }
            ServerMessage::IntroductionEnded { introduction, .. } => {
                if let Some((other, _)) = peer.with.remove(&introduction) {
                    peer.known.retain(|known| *known != other);
                }
            }
            _ => {}
        }
    }

    fn ask(&mut self, conn: ConnId, handles: &[Handle]) {
        for other in handles {
            let Some(peer) = self.peers.get_mut(&conn) else {
                return;
            };
            let wants = peer.observes || peer.with.len() < WANTED;
            if wants && !peer.known.contains(other) {
                // Who was refused is asked for again the next time.
                if !peer.observes {
                    peer.known.push(*other);
                }
                self.say(conn, ClientMessage::Introduce { peer: *other });
            }
        }
    }

    fn tell(&mut self, conn: ConnId, introduction: IntroductionId, setup: Setup) {
        self.say(conn, describe(introduction, setup));
        self.say(conn, candidate_of(introduction, conn.0));
    }
}

fn exposing(exposure: Exposure) -> TrackerConfig {
    TrackerConfig {
        exposure,
        ..TrackerConfig::default()
    }
}

/// Each connection has an address of its own.
fn candidate_of(introduction: IntroductionId, address: u64) -> ClientMessage {
    let [.., a, b, c] = address.to_be_bytes();
    ClientMessage::Candidate {
        introduction,
        candidate: candidate(&format!("10.{a}.{b}.{c} 40000")),
    }
}

fn announcement(keys: &EphemeralKeys, nonce: &[u8; 32], seq: u64) -> Announce {
    let ranges = vec![TrackRanges {
        track: swarmseal::content::TrackId(1),
        ranges: vec![Range { first: 0, count: 10 }],
    }];
    Announce::sign(keys, SWARM, nonce, ranges, 600, seq)
}
