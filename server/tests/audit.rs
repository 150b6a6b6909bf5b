//! Auditors against polluters, over real WebRTC and a real tracker: whom an auditor has received altered bytes from is out, and
//! honest peers never are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the attacks on the peer core"
)]
#[path = "../../tests/hostile/report.rs"]
mod report;
mod support;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use report::{Outcome, conclude};
use support::web::{GOOD, Web};
use swarmseal::content::{ObjectId, SecretKey, TrackId};
use swarmseal::identity::Handle;
use swarmseal::swarm::{DemandId, Event, PeerId, Sharing};
use swarmseal_server::audit::{AuditOptions, Note, Reported, audit};
use swarmseal_server::authorities::Authorities;
use swarmseal_server::daemon::Running;
use swarmseal_server::native::{Happening, Memory, Peer, PeerOptions, Shelf};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// An auditor that notes nothing for so long, several visits, finds nothing.
const PATIENCE: Duration = Duration::from_secs(40);
/// The tracker closes a connection at once.
const ENDING: Duration = Duration::from_secs(5);
const SEGMENTS: u32 = 24;
const SEGMENT: usize = 130_000;
/// Visits after which an auditor that has found nothing finds nothing: far more than any test has needed.
const MOST_VISITS: u32 = 15;

/// A published stream of 24 segments of eight chunks on a web server, and a tracker that introduces its viewers and believes
/// `auditor`.
struct Stage {
    folder: tempfile::TempDir,
    web: Web,
    running: Running,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Title,
    Live,
}

impl Stage {
    async fn set(auditor: &SecretKey, kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let show = folder.path().join("show");
        let bodies: Vec<Vec<u8>> = (0..SEGMENTS)
            .map(|index| support::noise(u64::from(index) + 2, SEGMENT))
            .collect();
        if kind == Kind::Live {
            support::live::broadcast(&show, &bodies);
        } else {
            let playlist = support::playlist(SEGMENTS as usize);
            support::write(&show, "i.m3u8", playlist.as_bytes());
            support::write(&show, "init.mp4", &support::noise(1, 800));
            for (index, bytes) in bodies.iter().enumerate() {
                support::write(&show, &format!("s{index}.m4s"), bytes);
            }
            support::publish_folder(&show).unwrap();
        }
        let config = support::audited(folder.path(), &show, auditor.public());
        let running = Running::start(&config, None).await.unwrap();
        let web = Web::serve(&show, GOOD);
        Self { folder, web, running }
    }

    fn viewer(&self) -> PeerOptions {
        PeerOptions {
            manifest: self.web.url("content.seal"),
            tracker: self.running.tracker_url().parse().unwrap(),
            publishers: vec![support::public_key()],
            tracker_keys: vec![self.running.key()],
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            sharing: Sharing::On,
            upload_bps: None,
            store_bytes: 64 << 20,
            max_peers: 24,
            authorities: Authorities::default(),
        }
    }

    fn auditor(&self, key: SecretKey) -> AuditOptions {
        let operator = self.running.metrics_address().unwrap();
        AuditOptions {
            peer: self.viewer(),
            key,
            operator: format!("http://{operator}/").parse().unwrap(),
            rate_bps: 200_000_000,
            // Two viewers get too little for half a percent of it to find anything within a test.
            share_permille: u32::MAX,
            stream_bps: None,
            visit: Duration::from_secs(8),
        }
    }

    fn revoked(&self) -> BTreeSet<Handle> {
        let text = std::fs::read_to_string(self.folder.path().join("revocations.jsonl")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| line["handle"].as_str().unwrap().parse().unwrap())
            .collect()
    }
}

/// Serves junk to peers in one request of `one_in`, and right chunks to the tracker.
struct Polluting {
    held: Memory,
    one_in: u32,
    sent: Arc<AtomicU64>,
}

impl Shelf for Polluting {
    fn put(&mut self, object: ObjectId, chunk: u32, bytes: Vec<u8>) {
        self.held.put(object, chunk, bytes);
    }

    fn evict(&mut self, object: ObjectId) {
        self.held.evict(object);
    }

    fn message(
        &mut self,
        reader: PeerId,
        head: Vec<u8>,
        object: ObjectId,
        first: u32,
        count: u8,
    ) -> Option<Vec<u8>> {
        // docs/PROTOCOL.md §14: a type, then the number of the request.
        let request = head
            .get(1..5)?
            .iter()
            .fold(0, |all, byte| all << 8 | u32::from(*byte));
        let mut message = self.held.message(reader, head, object, first, count)?;
        if reader != PeerId::TRACKER && request.is_multiple_of(self.one_in) {
            *message.last_mut()? ^= 0x80;
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
        Some(message)
    }
}

/// A viewer that has fetched everything and stays; its handle, and whether the tracker has cut it off since.
struct Holder {
    handle: Handle,
    cut_off: watch::Receiver<bool>,
}

impl Holder {
    async fn enter(stage: &Stage, shelf: Box<dyn Shelf>) -> Self {
        let mut peer = Peer::enter(stage.viewer(), shelf).await.unwrap();
        let mut handle = None;
        let mut left = BTreeSet::new();
        // Of a live content nothing is known before its head.
        while handle.is_none() || peer.engine().catalog().tracks().next().is_none() {
            let happening = timeout(PATIENCE, peer.next()).await.expect("not in the swarm");
            if let Happening::Event(Event::TrackerJoined { handle: own }) = happening.unwrap() {
                handle = Some(own.parse().unwrap());
            }
        }
        for index in 0..SEGMENTS {
            let object = ObjectId::new(TrackId(1), index);
            let place = peer.engine().catalog().location(object).unwrap();
            left.insert(DemandId(index));
            peer.demand(DemandId(index), &place, Duration::from_millis(100))
                .unwrap();
        }
        while !left.is_empty() {
            match timeout(PATIENCE, peer.next()).await.expect("stuck").unwrap() {
                Happening::Delivered(id) => {
                    left.remove(&id);
                }
                Happening::Refused(id, code) => panic!("{id:?}: {code:?}"),
                _ => {}
            }
        }
        let (cut, cut_off) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok(happening) = peer.next().await {
                if let Happening::Event(Event::TrackerLost { .. }) = happening {
                    let _ = cut.send(true);
                }
            }
        });
        Self {
            handle: handle.unwrap(),
            cut_off,
        }
    }
}

/// Audits until `enough`, and says what was noted.
async fn audited(options: AuditOptions, mut enough: impl FnMut(&Note) -> bool) -> Vec<Note> {
    let (tell, mut told) = mpsc::channel(16);
    let auditing = tokio::spawn(async move { audit(&options, tell).await });
    let mut notes = Vec::new();
    loop {
        let Ok(note) = timeout(PATIENCE, told.recv()).await else {
            break;
        };
        let note = note.expect("the auditor goes on");
        let is_enough = enough(&note);
        notes.push(note);
        if is_enough {
            break;
        }
    }
    drop(told);
    auditing.await.unwrap().unwrap();
    notes
}

/// An honest holder, a polluter and an auditor, until the polluter is out and the honest one has served a visit more.
async fn polluter_is_put_out(kind: Kind, one_in: u32, attack: &str) {
    let key = SecretKey::from_seed(&[41; 32]);
    let stage = Stage::set(&key, kind).await;
    let sent = Arc::new(AtomicU64::new(0));
    let honest = Holder::enter(&stage, Box::new(Memory::default())).await;
    let polluting = Polluting {
        held: Memory::default(),
        one_in,
        sent: Arc::clone(&sent),
    };
    let mut polluter = Holder::enter(&stage, Box::new(polluting)).await;
    let begun = Instant::now();
    let mut caught_after = None;
    let mut out_after = None;
    let (mut visits, mut served_after) = (0, false);
    let notes = audited(stage.auditor(key), |note| {
        match note {
            Note::Caught(_) => caught_after = Some(begun.elapsed()),
            Note::Reported { .. } => out_after = Some(begun.elapsed()),
            Note::Left { bytes } => {
                visits += 1;
                // On a busy machine a visit may be over before it has met anybody.
                served_after |= out_after.is_some() && *bytes > SEGMENT as u64;
            }
            _ => {}
        }
        served_after || visits == MOST_VISITS
    })
    .await;
    let polluter_is_out = timeout(ENDING, polluter.cut_off.wait_for(|cut| *cut))
        .await
        .is_ok();
    let reported: Vec<&Note> = notes
        .iter()
        .filter(|note| matches!(note, Note::Reported { .. }))
        .collect();
    let expected = Note::Reported {
        handle: polluter.handle,
        outcome: Reported::Taken,
    };
    let honest_is_out = *honest.cut_off.borrow() || stage.revoked() != BTreeSet::from([polluter.handle]);
    let took = out_after.zip(caught_after).map(|(out, caught)| out - caught);
    conclude(&Outcome {
        threat: "7",
        attack,
        attempts: sent.load(Ordering::Relaxed),
        successes: u64::from(reported != [&expected] || !polluter_is_out) + u64::from(honest_is_out),
        figure: &format!("out {took:?} after it was caught; the honest peer beside it stays"),
        target: "out within 2,000 ms, and no honest peer",
    });
    let Some(Note::Left { bytes }) = notes.last() else {
        panic!("{notes:?}")
    };
    assert!(
        *bytes > SEGMENT as u64,
        "the honest one was audited as well: {bytes} bytes"
    );
    stage.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_serves_junk_is_put_out() {
    polluter_is_put_out(Kind::Title, 1, "junk in every request, over real WebRTC").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_serves_junk_for_live_segments_is_put_out() {
    polluter_is_put_out(
        Kind::Live,
        1,
        "junk in every request for live segments, over real WebRTC",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_serves_junk_one_time_in_twenty_is_put_out() {
    polluter_is_put_out(Kind::Title, 20, "junk in one request of twenty, over real WebRTC").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_that_does_not_reach_the_tracker_says_so() {
    let key = SecretKey::from_seed(&[41; 32]);
    let stage = Stage::set(&key, Kind::Live).await;
    // TLS to what speaks none: as good as a certificate that nobody vouches for.
    let mut options = stage.auditor(key);
    options.peer.tracker = stage
        .running
        .tracker_url()
        .replace("ws://", "wss://")
        .parse()
        .unwrap();
    let notes = audited(options, |note| matches!(note, Note::Failed { .. })).await;
    assert!(
        matches!(notes.last(), Some(Note::Failed { code }) if code == "connection_closed"),
        "{notes:?}"
    );
    assert!(!notes.iter().any(|note| matches!(note, Note::Joined(_))));
    stage.running.stop().await;
}
