//! TR 33.844 §4.4: a source that a real tracker has checked and listed signs and sends junk; the shipped engine of its first victim
//! hands over the proof, and nothing else is needed to put it out: of a title, and of a live content, of which the tracker
//! knows no root.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "peers/holder.rs"]
mod holder;
mod peers;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the attacks on the peer core"
)]
#[path = "../../tests/hostile/report.rs"]
mod report;
mod support;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use holder::{announce, answer, joined, listed, published};
use peers::{Client, PATIENCE, http};
use report::{Outcome, conclude};
use support::live::broadcast;
use swarmseal::content::{CHUNK, Catalog, Hash, ObjectId, PublicKey, TrackId, WallTime, tree};
use swarmseal::identity::{
    CAPABILITY_STATEMENTS, Fingerprint, Handle, Handshake, HandshakeConfig, Role, Statement, roots_digest,
};
use swarmseal::signal::{
    ClientMessage, Description, IntroductionId, SIGNAL_VERSION, SdpType, ServerMessage, Setup,
};
use swarmseal::swarm::{
    DemandId, Engine, EngineConfig, Event, FetchKind, FetchOutcome, Input, Output, PeerId, Sharing, Timestamp,
};
use swarmseal::wire::{self, Have, Message, Range};
use swarmseal_server::config::Config;
use swarmseal_server::daemon::Running;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;

const OBJECT: ObjectId = ObjectId::new(TrackId(1), 0);

fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn description(fingerprint: u8, setup: Setup) -> Description {
    Description {
        ufrag: "abcdefgh".parse().unwrap(),
        pwd: "abcdefghijklmnopqrstuvwx".parse().unwrap(),
        fingerprint: Fingerprint([fingerprint; 32]),
        setup,
        max_message_size: 262_144,
    }
}

/// The shipped engine behind a real tracker connection. Its peer connections are queues, and its origin is too slow for media.
struct Victim {
    engine: Engine,
    tracker: Client,
    begun: Instant,
    folder: std::path::PathBuf,
    /// What it says to its one neighbour.
    said: Vec<Vec<u8>>,
    peer: Option<(PeerId, bool)>,
    is_described: bool,
    blamed: Vec<String>,
    /// When it handed over a proof.
    proved: Option<Instant>,
    revoked: Vec<Vec<u8>>,
}

impl Victim {
    async fn enter(running: &Running, catalog: &Catalog, folder: &Path) -> Self {
        let mut config = EngineConfig::new([77; 32]);
        config.tracker_keys = vec![running.key()];
        config.tracker = true;
        config.sharing = Sharing::On;
        let tracker = Client::connect(&running.tracker_url(), 9).await;
        let nonce = tracker.nonce;
        let mut victim = Self {
            engine: Engine::new(config, catalog.clone(), Timestamp(0)),
            tracker,
            begun: Instant::now(),
            folder: folder.to_owned(),
            said: Vec::new(),
            peer: None,
            is_described: false,
            blamed: Vec::new(),
            proved: None,
            revoked: Vec::new(),
        };
        let unix_ms = unix_s() * 1_000;
        victim
            .input(Input::WallTime {
                unix_ms,
                uncertainty_ms: 1_000,
            })
            .await;
        victim.input(Input::TrackerOpened).await;
        victim
            .input(Input::Tracker(ServerMessage::Welcome {
                version: SIGNAL_VERSION,
                nonce,
                time_unix_ms: unix_ms,
                keepalive_s: 60,
            }))
            .await;
        victim
    }

    /// One input and what follows from it, but for what its neighbour makes of it.
    async fn input(&mut self, input: Input<'_>) {
        let now = Timestamp(u64::try_from(self.begun.elapsed().as_micros()).unwrap());
        self.engine.handle_input(now, input).unwrap();
        let mut sheets = Vec::new();
        loop {
            match self.engine.poll_output() {
                Output::Idle { .. } => break,
                Output::TrackerSend(message) => {
                    if matches!(message, ClientMessage::Tampering { .. }) {
                        self.proved = Some(Instant::now());
                    }
                    self.tracker.say(&message).await;
                }
                Output::Dial { peer, offer, .. } => self.peer = Some((peer, offer)),
                Output::RemoteDescription { .. } => self.is_described = true,
                Output::Send { bytes, .. } => self.said.push(bytes),
                Output::Fetch {
                    fetch,
                    path,
                    range,
                    kind: FetchKind::Sheet { .. } | FetchKind::Whole { .. },
                    ..
                } => {
                    let file = std::fs::read(self.folder.join(path)).unwrap();
                    let bytes = match range {
                        Some((first, last)) => file[first as usize..=last as usize].to_vec(),
                        None => file,
                    };
                    sheets.push((fetch, bytes));
                }
                Output::Event(Event::PeerBlamed { code, .. }) => self.blamed.push(code),
                _ => {}
            }
        }
        for (fetch, bytes) in sheets {
            Box::pin(self.input(Input::FetchSheet { fetch, bytes: &bytes })).await;
            let outcome = FetchOutcome::Complete;
            Box::pin(self.input(Input::FetchEnded { fetch, outcome })).await;
        }
    }

    /// Takes what the tracker says next, if it says anything soon.
    async fn hear(&mut self) {
        let next = timeout(Duration::from_millis(20), self.tracker.socket.next()).await;
        if let Ok(Some(Ok(Frame::Text(text)))) = next {
            let message: ServerMessage = serde_json::from_str(&text).unwrap();
            if let ServerMessage::Revocation { statement } = &message {
                self.revoked.push(statement.clone());
            }
            self.input(Input::Tracker(message)).await;
        }
        self.input(Input::Tick).await;
    }

    async fn describe(&mut self, setup: Setup) {
        let (peer, _) = self.peer.unwrap();
        let kind = if setup == Setup::Actpass {
            SdpType::Offer
        } else {
            SdpType::Answer
        };
        let sdp = description(0xaa, setup).to_sdp(kind);
        self.input(Input::LocalDescription { peer, sdp: &sdp }).await;
    }
}

/// A source whose every answer is junk, signed.
struct Polluter {
    client: Client,
    ticket: Vec<u8>,
    sent: u64,
}

impl Polluter {
    /// Is introduced to the victim, and proves itself.
    async fn meet(&mut self, victim: &mut Victim, catalog: &Catalog, tracker: PublicKey) {
        let introduction = loop {
            victim.hear().await;
            if victim.peer.is_some() {
                break self.introduction().await;
            }
        };
        let (peer, victim_offers) = victim.peer.unwrap();
        let setup = if victim_offers {
            victim.describe(Setup::Actpass).await;
            assert!(matches!(
                self.client.hear().await,
                ServerMessage::Description { .. }
            ));
            Setup::Active
        } else {
            Setup::Actpass
        };
        self.client
            .say(&ClientMessage::Description {
                introduction,
                description: description(0xbb, setup),
            })
            .await;
        while !victim.is_described {
            victim.hear().await;
        }
        if !victim_offers {
            victim.describe(Setup::Active).await;
        }
        victim.input(Input::PeerOpened { peer }).await;
        let mut handshake = Handshake::new(HandshakeConfig {
            keys: self.client.keys.clone(),
            ticket: self.ticket.clone(),
            tracker_keys: vec![tracker],
            swarm: catalog.manifest().swarm_id(),
            introduction: introduction.0,
            role: if victim_offers {
                Role::Answerer
            } else {
                Role::Offerer
            },
            local_fingerprint: Fingerprint([0xbb; 32]),
            remote_fingerprint: Fingerprint([0xaa; 32]),
            expected_peer: victim.engine.handle(),
            roots_digest: roots_digest(&catalog.track_roots()),
            capabilities: CAPABILITY_STATEMENTS,
            nonce: [5; 32],
            wall: WallTime {
                unix_s: unix_s(),
                uncertainty_s: 5,
            },
        });
        let hello = wire::encode(&Message::Hello(handshake.hello()));
        let Message::Hello(theirs) = wire::decode(&victim.said.remove(0)).unwrap() else {
            panic!("HELLO comes first")
        };
        victim.input(Input::Message { peer, bytes: &hello }).await;
        let proof = handshake.handle_hello(&theirs).unwrap();
        let tracks = Message::Tracks(catalog.track_roots());
        let have = Message::Have(Have {
            track: OBJECT.track,
            complete: vec![Range { first: 0, count: 1 }],
            partial: Vec::new(),
        });
        for message in [Message::Proof(proof), tracks, have] {
            let bytes = wire::encode(&message);
            victim.input(Input::Message { peer, bytes: &bytes }).await;
        }
    }

    async fn introduction(&mut self) -> IntroductionId {
        loop {
            if let ServerMessage::Introduction { introduction, .. } = self.client.hear().await {
                return introduction;
            }
        }
    }

    /// Answers the victim's requests, each with a statement that is true of what is sent.
    async fn pollute(&mut self, victim: &mut Victim, catalog: &Catalog) {
        let (peer, _) = victim.peer.unwrap();
        for said in std::mem::take(&mut victim.said) {
            let Ok(Message::Request {
                id,
                object,
                root,
                first,
                count,
                nonce,
                ..
            }) = wire::decode(&said)
            else {
                continue;
            };
            let length = catalog.object(object).unwrap().length - u64::from(first * CHUNK);
            let junk = vec![0x66; usize::try_from(length.min(u64::from(u32::from(count) * CHUNK))).unwrap()];
            let leaves: Vec<Hash> = junk.chunks(CHUNK as usize).map(tree::leaf).collect();
            let statement = Statement {
                swarm: catalog.manifest().swarm_id(),
                object,
                root,
                chunks: catalog.object(object).unwrap().chunks,
                first,
                nonce,
                unix_s: unix_s(),
                leaves,
            };
            let signed = wire::encode(&Message::Statement(statement.sign(&self.client.keys)));
            victim.input(Input::Message { peer, bytes: &signed }).await;
            let head = wire::encode(&Message::Data {
                id,
                object,
                root,
                first,
                count: count.min(4),
            });
            let payload = &junk[..junk.len().min(4 * CHUNK as usize)];
            victim
                .input(Input::Data {
                    peer,
                    head: &head,
                    payload: &payload,
                })
                .await;
            self.sent += payload.len() as u64;
        }
    }
}

fn revoked(folder: &Path) -> Vec<Handle> {
    let text = std::fs::read_to_string(folder.join("revocations.jsonl")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["handle"].as_str().unwrap().parse().unwrap())
        .collect()
}

/// What came of an attack.
struct Fate {
    /// Bytes of junk.
    sent: u64,
    escaped: bool,
    took: Duration,
}

impl Fate {
    fn conclude(&self, attack: &str) {
        conclude(&Outcome {
            threat: "7",
            attack,
            attempts: self.sent,
            successes: u64::from(self.escaped),
            figure: &format!(
                "out, unlisted, named and written down {:?} after its first victim had the proof",
                self.took
            ),
            target: "out within 2,000 ms, kept over a restart",
        });
    }
}

/// A source pollutes its first victim, which knows as much of the content as `known`. Before that it shows what the tracker asks
/// for, where that can ask.
async fn pollution(
    folder: &Path,
    config: &Config,
    is_asked: bool,
    (known, catalog): (&Catalog, &Catalog),
) -> Fate {
    let running = Running::start(config, None).await.unwrap();
    let mut client = Client::connect(&running.tracker_url(), 1).await;
    let manifest = catalog.manifest();
    let join = client.join_message(&manifest.swarm_secret, manifest.swarm_id());
    client.say(&join).await;
    let ServerMessage::Joined(admitted) = client.hear().await else {
        panic!("not admitted")
    };
    announce(&mut client, catalog).await;
    if is_asked {
        answer(&mut client, catalog, folder, |_| {}).await;
    }
    let (mut looker, _) = joined(&running, catalog, 2).await;
    while listed(&mut looker).await != [client.handle()] {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut polluter = Polluter {
        client,
        ticket: admitted.ticket,
        sent: 0,
    };

    let mut victim = Victim::enter(&running, known, folder).await;
    polluter.meet(&mut victim, catalog, running.key()).await;
    let place = catalog.location(OBJECT).unwrap();
    let deadline = Some(Timestamp(60_000_000));
    let demand = Input::Demand {
        id: DemandId(1),
        path: &place.path,
        range: None,
        deadline,
        plays_at_us: None,
    };
    victim.input(demand).await;
    let begun = Instant::now();
    while victim.proved.is_none() {
        polluter.pollute(&mut victim, catalog).await;
        victim.hear().await;
        assert!(begun.elapsed() < PATIENCE, "no proof: {:?}", victim.blamed);
    }
    assert_eq!(victim.blamed, ["statement_contradicts"], "and nothing was hashed");

    let out = polluter.client.handle();
    let (_, close) = polluter.client.until_closed().await;
    let took = victim.proved.unwrap().elapsed();
    let is_out = close == Some((1008, "revoked".to_owned()));
    while victim.revoked.is_empty() {
        victim.hear().await;
    }
    // Who looks only now is sent no list of before.
    let (mut looker, _) = joined(&running, catalog, 3).await;
    let is_listed = listed(&mut looker).await.contains(&out);
    let written = async {
        while revoked(folder).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, written).await.expect("nothing is written down");
    let metrics = http(running.address(), "GET /metrics HTTP/1.1").await;
    assert!(metrics.contains("swarmseal_proofs_total 1\n"), "{metrics}");
    running.stop().await;
    // A restart forgets nothing.
    let running = Running::start(config, None).await.unwrap();
    let mut again = Client::connect(&running.tracker_url(), 1).await;
    let join = again.join_message(&manifest.swarm_secret, manifest.swarm_id());
    again.say(&join).await;
    let (_, close) = again.until_closed().await;
    let is_back = close != Some((1008, "not_admitted".to_owned()));
    running.stop().await;
    Fate {
        sent: polluter.sent,
        escaped: !is_out || is_listed || is_back || revoked(folder) != [out],
        took,
    }
}

#[tokio::test]
async fn a_listed_source_that_signs_its_junk_is_put_out_by_its_first_victim() {
    let (folder, mut config, catalog) = published();
    config.tracker.loopback = true;
    let fate = pollution(folder.path(), &config, true, (&catalog, &catalog)).await;
    fate.conclude("a source that a real tracker has checked and listed signs and sends junk");
}

#[tokio::test]
async fn so_is_one_of_a_live_content_of_which_the_tracker_knows_no_root() {
    let (folder, mut config) = peers::folder();
    std::fs::remove_file(folder.path().join("1.seal")).unwrap();
    let (before, after) = broadcast(folder.path(), &[vec![7; 150_000]]);
    config.tracker.loopback = true;
    // It has the manifest alone, and cannot see the heads.
    let alone = folder.path().join("alone");
    std::fs::create_dir(&alone).unwrap();
    std::fs::copy(folder.path().join("content.seal"), alone.join("content.seal")).unwrap();
    config.contents.manifests = vec![alone.to_str().unwrap().to_owned()];
    let fate = pollution(folder.path(), &config, false, (&before, &after)).await;
    fate.conclude(
        "a source of a live content signs and sends junk; a real tracker, which knows no root of it, has the proof",
    );
}

#[tokio::test]
async fn so_is_one_of_a_live_content_that_the_tracker_has_checked() {
    let (folder, mut config) = peers::folder();
    std::fs::remove_file(folder.path().join("1.seal")).unwrap();
    config.contents.publishers = vec![support::public_key()];
    config.tracker.loopback = true;
    let (before, after) = broadcast(folder.path(), &[vec![7; 150_000]]);
    let fate = pollution(folder.path(), &config, true, (&before, &after)).await;
    fate.conclude(
        "a source of a live content that a real tracker has checked and listed signs and sends junk",
    );
}
