//! Follows live contents: reads their heads as viewers do, so that announcers can be checked against what has been stated. No
//! media is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use swarmseal::content::live::{
    Chain, LiveHead, LiveMemory, LiveSlot, LiveTrack, LogPages, MAX_HEAD, TrackFile,
};
use swarmseal::content::{
    PAGE_RECORDS, PublicKey, Record, SwarmId, TrackId, VerifiedManifest, WallTime, page_count,
};
use swarmseal_tracker::Roots;
use tokio::task::{AbortHandle, JoinSet, spawn_blocking};

use super::TrackerHandle;
use crate::publisher::source::{Source, read_range};

/// A live content, and where its heads are.
#[derive(Clone)]
pub(crate) struct Broadcast {
    what: What,
    source: Arc<dyn Source + Send>,
}

/// What makes heads those of this content.
#[derive(Clone, PartialEq, Eq)]
struct What {
    swarm: SwarmId,
    manifest: [u8; 16],
    signer: PublicKey,
    slot: LiveSlot,
    significant_query: Vec<String>,
}

impl Broadcast {
    /// `None` if the content is not live.
    pub(super) fn of(verified: &VerifiedManifest, source: Arc<dyn Source + Send>) -> Option<Self> {
        let manifest = verified.manifest();
        let slot = LiveSlot::of(manifest).ok().flatten()?;
        Some(Self {
            what: What {
                swarm: manifest.swarm_id(),
                manifest: manifest.content_id.0,
                signer: verified.signer(),
                slot,
                significant_query: manifest.significant_query.clone(),
            },
            source,
        })
    }
}

/// The broadcasts that are followed now, each at its own pace, so that none waits for another's origin.
#[derive(Default)]
pub(crate) struct Following {
    tasks: JoinSet<()>,
    followed: BTreeMap<SwarmId, (What, AbortHandle)>,
}

impl Following {
    /// Follows exactly these from now on. One that goes on is not begun anew, which would forget what it has stated.
    pub(crate) fn follow(&mut self, broadcasts: Vec<Broadcast>, tracker: &TrackerHandle) {
        let mut before = std::mem::take(&mut self.followed);
        for broadcast in broadcasts {
            let what = broadcast.what.clone();
            let task = match before.remove(&what.swarm) {
                Some((same, task)) if same == what => task,
                other => {
                    if let Some((_, task)) = other {
                        task.abort();
                    }
                    self.tasks
                        .spawn(follow(Follower::new(broadcast), tracker.clone()))
                }
            };
            self.followed.insert(what.swarm, (what, task));
        }
        for (_, task) in before.into_values() {
            task.abort();
        }
        while self.tasks.try_join_next().is_some() {}
    }
}

/// Until it is aborted.
async fn follow(mut follower: Follower, tracker: TrackerHandle) {
    let swarm = follower.what.swarm;
    let mut is_told_word = false;
    loop {
        let looked = spawn_blocking(move || {
            let seen = follower.look();
            (follower, seen)
        });
        let seen;
        (follower, seen) = match looked.await {
            Ok(looked) => looked,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        for kind in follower.contradictions() {
            tracing::error!(kind, "the signer of a live content contradicts itself");
            tracker.contradicted();
        }
        match seen {
            Seen::News => {
                is_told_word = false;
                tracker
                    .set_live_roots(swarm, Some(Arc::new(follower.roots())))
                    .await;
            }
            Seen::Nothing => {}
            Seen::Lost(code) if !is_told_word => {
                is_told_word = true;
                tracing::warn!(code, "sources of a live content are listed on their word");
                tracker.set_live_roots(swarm, None).await;
            }
            Seen::Lost(_) => {}
        }
        tokio::time::sleep(follower.pause()).await;
    }
}

/// What one look brought.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// More is known than before.
    News,
    /// Nothing new, and what is known is still good.
    Nothing,
    /// It cannot be told any more what has been stated: why, as a stable code.
    Lost(&'static str),
}

struct Follower {
    what: What,
    source: Arc<dyn Source + Send>,
    chain: Chain,
    /// The head that was read last, as it is, and the session that was read for it.
    newest: Vec<u8>,
    session: Option<u64>,
    /// How many contradictions have been told.
    contradictions: usize,
    target: Duration,
    logs: BTreeMap<TrackId, Log>,
    began: Instant,
    /// When heads could last be read.
    seen_at: Option<Instant>,
}

/// Records of one track that follow each other, to the end of its log.
#[derive(Default)]
struct Log {
    first: u32,
    records: Vec<Record>,
}

impl Follower {
    fn new(Broadcast { what, source }: Broadcast) -> Self {
        let chain = Chain::new(
            swarmseal::content::ContentId(what.manifest),
            vec![what.signer],
            what.significant_query.clone(),
            LiveMemory::default(),
        );
        Self {
            what,
            source,
            chain,
            newest: Vec::new(),
            session: None,
            contradictions: 0,
            target: SLOWEST * PACE,
            logs: BTreeMap::new(),
            began: Instant::now(),
            seen_at: None,
        }
    }

    /// What signers contradicted themselves about since this was asked last.
    fn contradictions(&mut self) -> Vec<&'static str> {
        let evidence = self.chain.evidence();
        let news = evidence.iter().skip(self.contradictions);
        let kinds = news.map(|found| found.kind.code()).collect();
        self.contradictions = evidence.len();
        kinds
    }

    fn pause(&self) -> Duration {
        (self.target / PACE).clamp(FASTEST, SLOWEST)
    }

    fn roots(&self) -> Roots {
        let logs = self.logs.iter();
        Roots::of_logs(logs.map(|(track, log)| (*track, log.first, log.records.as_slice())))
    }

    fn look(&mut self) -> Seen {
        match self.read() {
            Ok(is_news) => {
                self.seen_at = Some(Instant::now());
                if is_news { Seen::News } else { Seen::Nothing }
            }
            // A cache may give an old head now and then, and an origin may be away for a moment.
            Err(_)
                if self
                    .seen_at
                    .is_some_and(|at| at.elapsed() < self.target * PATIENCE_TARGETS) =>
            {
                Seen::Nothing
            }
            Err(code) => {
                // Whatever comes next is news.
                self.newest.clear();
                Seen::Lost(code)
            }
        }
    }

    /// Reads the newest head, and takes it if it is the next one; whether that brought anything.
    fn read(&mut self) -> Result<bool, &'static str> {
        let limit = u64::try_from(MAX_HEAD).unwrap_or(u64::MAX);
        let document =
            |name: &str| read_range(self.source.as_ref(), name, None, limit).map_err(|error| error.code());
        let sealed = document(&self.what.slot.newest())?;
        if sealed == self.newest {
            return Ok(false);
        }
        let unix_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let wall = WallTime {
            unix_s,
            uncertainty_s: 0,
        };
        let wanted = Chain::session_wanted(&sealed);
        if let Some(number) = wanted
            && self.session != wanted
        {
            let session = document(&self.what.slot.session(number))?;
            self.chain
                .accept_session(&session, wall)
                .map_err(|error| error.code())?;
            self.session = wanted;
        }
        let now_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let is_same = match self.chain.accept(&sealed, now_us, wall) {
            Ok(accepted) => {
                if accepted.began {
                    self.logs.clear();
                }
                false
            }
            // It was the newest before the origin was away.
            Err(swarmseal::content::live::HeadError::Replayed) if self.newest.is_empty() => true,
            Err(error) => return Err(error.code()),
        };
        let Some(head) = self.chain.newest().cloned() else {
            return Ok(false);
        };
        if !is_same {
            self.extend(&head);
        }
        self.newest = sealed;
        self.target = Duration::from_millis(head.target_ms.into());
        Ok(true)
    }

    /// Every head that is taken begins with what the one before stated, as far as its records reach back.
    fn extend(&mut self, head: &LiveHead) {
        self.logs.retain(|track, _| head.track(*track).is_some());
        for track in &head.tracks {
            let mut log = self.logs.remove(&track.id).unwrap_or_default();
            let end = log.first.saturating_add(length(&log.records));
            let missing = end
                .checked_sub(track.base)
                .and_then(|known| track.records.get(known as usize..));
            match missing {
                Some(missing) if !log.records.is_empty() => log.records.extend_from_slice(missing),
                _ => log = self.history(head, track),
            }
            let surplus = log.records.len().saturating_sub(KEPT);
            log.records.drain(..surplus);
            log.first = track.size().saturating_sub(length(&log.records));
            self.logs.insert(track.id, log);
        }
    }

    /// The newest records of a log from its own files, or if they are of no use those that the head carries.
    fn history(&self, head: &LiveHead, track: &LiveTrack) -> Log {
        let records = self.pages(head, track).unwrap_or_else(|| track.records.clone());
        Log { first: 0, records }
    }

    fn pages(&self, head: &LiveHead, track: &LiveTrack) -> Option<Vec<Record>> {
        let file = |kind, (offset, length): (u64, u64)| {
            if length == 0 {
                return Some(Vec::new());
            }
            let name = self.what.slot.track(head.log, track.id, kind);
            read_range(self.source.as_ref(), &name, Some((offset, length)), length).ok()
        };
        let mut pages = LogPages::of(track);
        let roots = file(TrackFile::Pages, pages.roots_range())?;
        pages.take_roots(&roots).ok()?;
        let count = page_count(track.size());
        let mut records = Vec::new();
        for page in count.saturating_sub(KEPT_PAGES)..count {
            let bytes = file(TrackFile::Records, pages.page_range(page))?;
            records.extend(
                pages
                    .read(track, page, &bytes, &self.what.significant_query)
                    .ok()?,
            );
        }
        Some(records)
    }
}

fn length(records: &[Record]) -> u32 {
    u32::try_from(records.len()).unwrap_or(u32::MAX)
}

/// Records of each track against which announcers are checked: an hour of segments of 4 s, six minutes of parts of a third of
/// one. 64 bytes each.
const KEPT: usize = 1_024;
const KEPT_PAGES: u32 = KEPT as u32 / PAGE_RECORDS + 1;
/// Looks in the time of the longest segment: viewers announce what they hold a second and a half after they have it.
const PACE: u32 = 4;
const FASTEST: Duration = Duration::from_millis(250);
const SLOWEST: Duration = Duration::from_secs(2);
/// Without a head that can be read, for so many target durations what is known is still good: as for viewers.
const PATIENCE_TARGETS: u32 = 3;
