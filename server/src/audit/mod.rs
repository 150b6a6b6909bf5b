//! The auditor: a viewer run by the operator, whose word the tracker takes.
//!
//! A polluter that holds the right bytes passes every challenge of the tracker and serves junk to viewers. So the operator
//! has viewers of its own in the swarm. Each visit is one peer like any other, with a new key: it runs the shipped engine, is
//! listed, introduced, asked and served, and asks whom the engine asks. What it received itself and found altered it reports
//! on the operator's channel, signed with the auditor's key, and the tracker puts the sender out.
//!
//! It must never be told apart by what it asks for, nor report what somebody else says.

mod pace;
mod reporting;

use std::time::{Duration, Instant};

use swarmseal::content::{Catalog, Location, ObjectId, SecretKey};
use swarmseal::identity::{Drbg, Handle};
use swarmseal::swarm::{DemandId, Event};
use swarmseal_tracker::{Company, Fault, Finding, Visit};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::Url;

use crate::native::{Blamed, Happening, Memory, Peer, PeerError, PeerOptions, is_secure};
use crate::publisher::source::client_believing;
use pace::{Purse, allowed_bps};
pub use reporting::Reported;

/// How to audit.
#[derive(Clone)]
pub struct AuditOptions {
    /// How each visit takes part.
    pub peer: PeerOptions,
    /// What signs findings.
    pub key: SecretKey,
    /// The tracker's address for its operator.
    pub operator: Url,
    /// Bits per second that are fetched at most, over all peers.
    pub rate_bps: u64,
    /// … and at most so many thousandths of what all viewers get, for all visits that the tracker knows of together.
    pub share_permille: u32,
    /// Bits per second that a viewer gets; if it is not known, as many as the slowest track has.
    pub stream_bps: Option<u64>,
    /// How long one visit lasts; the next one has another key.
    pub visit: Duration,
}

/// What an operator may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The tracker has admitted a visit.
    Joined(Handle),
    /// How fast this visit fetches.
    Paced {
        /// Bits per second.
        bps: u64,
        /// Who is there, as far as the tracker tells this auditor, or why it does not: then nobody is found through complaints, and
        /// what is found will hardly be believed.
        company: Result<Company, Reported>,
    },
    /// A visit is over.
    Left {
        /// Bytes that it was sent, by peers and over HTTP.
        bytes: u64,
    },
    /// A visit could not begin, and the next one begins after a moment; or it goes on without the tracker, which it cannot reach or
    /// which does not admit it, and meets nobody new.
    Failed {
        /// Why, as a stable code.
        code: String,
    },
    /// A peer has sent altered bytes.
    Caught(Finding),
    /// What the tracker made of that.
    Reported {
        /// Whom it is about.
        handle: Handle,
        /// The outcome.
        outcome: Reported,
    },
}

/// Visits the swarm again and again, and tells `notes`; ends when nobody listens to them.
///
/// # Errors
/// [`PeerError`], if the first visit cannot begin. Later ones are tried again.
pub async fn audit(options: &AuditOptions, notes: mpsc::Sender<Note>) -> Result<(), PeerError> {
    if !is_secure(&options.operator) {
        return Err(PeerError::InsecureTransport(options.operator.clone()));
    }
    // One for all visits: none may leave to the next what it has fetched too much.
    let mut purse = Purse::new(options.rate_bps / 8, Instant::now());
    let mut is_first = true;
    while !notes.is_closed() {
        match visit(options, &mut purse, &notes).await {
            Err(error) if is_first => return Err(error),
            Err(error) => {
                let code = error.code().to_owned();
                tell(&notes, Note::Failed { code }).await;
                sleep(BEFORE_RETRY).await;
            }
            Ok(()) => {}
        }
        is_first = false;
    }
    Ok(())
}

/// One visit under a key of its own.
async fn visit(
    options: &AuditOptions,
    purse: &mut Purse,
    notes: &mpsc::Sender<Note>,
) -> Result<(), PeerError> {
    let mut peer = Peer::enter(options.peer.clone(), Box::new(Memory::default())).await?;
    let planned = Visit {
        swarm: peer.engine().catalog().manifest().swarm_id(),
        handle: peer.engine().handle(),
        begins_unix_s: crate::native::unix_ms() / 1_000,
    };
    let agent = client_believing(&options.peer.authorities);
    let signed = planned.sign(&options.key);
    let company = reporting::begin(agent.clone(), options.operator.clone(), signed).await;
    let alone = Company {
        viewers: 1,
        visits: 1,
    };
    let stream_bps = options
        .stream_bps
        .or_else(|| slowest_track_bps(peer.engine().catalog()));
    let bps = allowed_bps(
        company.as_ref().copied().unwrap_or(alone),
        stream_bps.unwrap_or(UNKNOWN_STREAM_BPS),
        options.share_permille,
        options.rate_bps,
    );
    let paced = Note::Paced { bps, company };
    tell(notes, paced).await;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| PeerError::Random(error.to_string()))?;
    purse.begin_visit((bps / 8).max(1));
    let mut visit = Watching {
        random: Drbg::new(seed),
        purse,
        next: None,
        last: DemandId(0),
        open: None,
    };
    let mut reports = JoinSet::new();
    // Said once, and not for each time that it is tried again.
    let mut is_lost = false;
    let end = Instant::now() + options.visit;
    while Instant::now() < end && !notes.is_closed() {
        visit.ask(&mut peer)?;
        let happening = tokio::select! {
            happening = peer.next() => happening?,
            () = sleep(LOOK_AGAIN) => continue,
        };
        match happening {
            Happening::Delivered(id) | Happening::Refused(id, _) if visit.open == Some(id) => {
                visit.open = None;
            }
            Happening::Blamed(blamed) => {
                if let Some(finding) = finding(&peer, &blamed) {
                    tell(notes, Note::Caught(finding)).await;
                    let signed = finding.sign(&options.key);
                    let (agent, operator, notes) = (agent.clone(), options.operator.clone(), notes.clone());
                    reports.spawn(async move {
                        let outcome = reporting::report(agent, operator, signed).await;
                        let handle = finding.handle;
                        tell(&notes, Note::Reported { handle, outcome }).await;
                    });
                }
            }
            Happening::Event(Event::TrackerLost { code }) if !is_lost => {
                is_lost = true;
                tell(notes, Note::Failed { code }).await;
            }
            Happening::Event(Event::TrackerJoined { handle }) => {
                is_lost = false;
                if let Ok(handle) = handle.parse() {
                    tell(notes, Note::Joined(handle)).await;
                }
            }
            _ => {}
        }
    }
    peer.leave()?;
    let bytes = received(&peer);
    visit.purse.settle(bytes, Instant::now());
    while reports.join_next().await.is_some() {}
    tell(notes, Note::Left { bytes }).await;
    Ok(())
}

/// Whoever does not listen any more is about to end this.
async fn tell(notes: &mpsc::Sender<Note>, note: Note) {
    let _ = notes.send(note).await;
}

/// What convicts: bytes that contradict what the publisher signed for the root that their sender named. Every other fault is
/// left to the peers that it befalls.
fn finding(peer: &Peer, blamed: &Blamed) -> Option<Finding> {
    let received = blamed.received?;
    Some(Finding {
        swarm: peer.engine().catalog().manifest().swarm_id(),
        handle: blamed.handle,
        fault: match received.is_row {
            true => Fault::Row,
            false => Fault::Chunk,
        },
        object: received.object,
        chunk: received.chunk,
        root: received.root,
        received: received.hash,
        found_unix_s: crate::native::unix_ms() / 1_000,
    })
}

/// Bytes that came, of use or not.
fn received(peer: &Peer) -> u64 {
    let traffic = peer.engine().stats().traffic;
    [
        traffic.from_peers,
        traffic.from_http,
        traffic.wasted,
        traffic.rejected,
    ]
    .into_iter()
    .fold(0, u64::saturating_add)
}

/// What a visit asks for: as a viewer does, segment after segment from some place on, at the pace that is allowed.
struct Watching<'a> {
    random: Drbg,
    purse: &'a mut Purse,
    next: Option<ObjectId>,
    last: DemandId,
    open: Option<DemandId>,
}

impl Watching<'_> {
    /// Asks for the next segment if the last one is here and its bytes are paid for.
    fn ask(&mut self, peer: &mut Peer) -> Result<(), PeerError> {
        if self.open.is_some() || !self.purse.settle(received(peer), Instant::now()) {
            return Ok(());
        }
        let Some((object, place)) = self.choose(peer) else {
            return Ok(());
        };
        self.next = Some(ObjectId::new(object.track, object.index.saturating_add(1)));
        self.last = DemandId(self.last.0.wrapping_add(1));
        self.open = Some(self.last);
        let patience = LEAST_PATIENCE + Duration::from_millis(self.random.below(PATIENCE_SPREAD_MS));
        peer.demand(self.last, &place, patience)
    }

    /// The segment after the last one, or else one at random: in either case one that a neighbour holds and this visit does not,
    /// since the origin needs no audit.
    fn choose(&mut self, peer: &Peer) -> Option<(ObjectId, Location)> {
        let engine = peer.engine();
        let held: Vec<ObjectId> = engine
            .segments()
            .iter()
            .filter(|segment| segment.verified == segment.chunks)
            .map(|segment| ObjectId::new(swarmseal::content::TrackId(segment.track), segment.index))
            .collect();
        let is_worth = |object: &ObjectId| engine.somebody_has(*object) && !held.contains(object);
        let object = self
            .next
            .filter(is_worth)
            .or_else(|| (0..DRAWS).find_map(|_| draw(engine.catalog(), &mut self.random).filter(is_worth)))?;
        Some((object, engine.catalog().location(object)?))
    }
}

fn draw(catalog: &Catalog, random: &mut Drbg) -> Option<ObjectId> {
    let tracks: Vec<_> = catalog.tracks().map(|track| track.id).collect();
    let track = random
        .index(tracks.len())
        .and_then(|at| tracks.get(at).copied())?;
    let bound = u64::from(catalog.bound(track));
    let index = (bound > 0).then(|| random.below(bound))?;
    Some(ObjectId::new(track, u32::try_from(index).ok()?))
}

/// Of the track whose first segments, as far as they are known, have the fewest bits per second. A viewer gets at least that much.
fn slowest_track_bps(catalog: &Catalog) -> Option<u64> {
    let of = |track| {
        let (mut bytes, mut us) = (0_u64, 0_u64);
        for index in 0..catalog.bound(track).min(LOOKED_AT) {
            if let Some(info) = catalog.object(ObjectId::new(track, index)) {
                bytes = bytes.saturating_add(info.length);
                us = us.saturating_add(info.duration_us);
            }
        }
        bytes.saturating_mul(8_000_000).checked_div(us)
    };
    catalog.tracks().filter_map(|track| of(track.id)).min()
}

/// How often it is looked whether the next segment may be asked for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A viewer's buffer is between 8 and 30 seconds long.
const LEAST_PATIENCE: Duration = Duration::from_secs(8);
const PATIENCE_SPREAD_MS: u64 = 22_000;
/// Places that are tried before waiting a moment.
const DRAWS: usize = 64;
/// Segments of each track that tell its rate.
const LOOKED_AT: u32 = 64;
/// A viewer's, where no index tells: a slow stream, so that rather too little is fetched.
const UNKNOWN_STREAM_BPS: u64 = 1_000_000;
/// When a tracker or an origin is away.
const BEFORE_RETRY: Duration = Duration::from_secs(10);
