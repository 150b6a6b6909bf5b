//! The chain of heads of one content, as one receiver sees it: which session and which head is taken, and why another
//! is not.
//!
//! It fetches nothing and reads no clock. Bytes and times go in; out come verdicts, and evidence where a signer has
//! contradicted itself. What is refused changes nothing, except that evidence is kept.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{
    Fault, HeadError, LiveHead, LiveTrack, MAX_HEAD, Session, SessionError, codec, verify_consistency,
};
use crate::content::cose::{self, CoseError, Role};
use crate::content::{ContentId, Hash, PublicKey, TrackId, WallTime};

/// Most sessions kept: the running one, the next, and what heads in flight may still be signed with.
pub const MAX_SESSIONS: usize = 4;
/// Most pieces of evidence kept. One is enough to convict.
pub const MAX_EVIDENCE: usize = 4;

/// The sessions and the newest head of one content.
#[derive(Debug, Clone)]
pub struct Chain {
    content: ContentId,
    publishers: Vec<PublicKey>,
    significant_query: Vec<String>,
    /// In ascending order of their numbers.
    sessions: Vec<Known>,
    memory: LiveMemory,
    newest: Option<LiveHead>,
    /// The last heads taken, oldest first: what repetitions and contradictions are found with.
    taken: VecDeque<Taken>,
    unlinked: Vec<Unlinked>,
    evidence: Vec<Evidence>,
    /// When media and sequence last went on, in microseconds of the caller's monotonic clock.
    progress_us: u64,
    media_end: Vec<(TrackId, u64)>,
}

impl Chain {
    /// Follows the content of a verified manifest: its id, the keys trusted to sign it, its significant query
    /// parameters, and what an earlier [`Self::memory`] gave.
    #[must_use]
    pub fn new(
        content: ContentId,
        publishers: Vec<PublicKey>,
        significant_query: Vec<String>,
        memory: LiveMemory,
    ) -> Self {
        Self {
            content,
            publishers,
            significant_query,
            sessions: Vec::new(),
            memory,
            newest: None,
            taken: VecDeque::new(),
            unlinked: Vec::new(),
            evidence: Vec::new(),
            progress_us: 0,
            media_end: Vec::new(),
        }
    }

    /// The newest head taken.
    #[must_use]
    pub const fn newest(&self) -> Option<&LiveHead> {
        self.newest.as_ref()
    }

    /// The newest head as it came, and the session that it is by: what a neighbour needs to follow.
    #[must_use]
    pub fn newest_sealed(&self) -> Option<(&[u8], &[u8])> {
        let head = self.taken.back()?;
        let mut sessions = self.sessions.iter();
        let session = sessions.find(|known| known.session.number == self.memory.session)?;
        Some((&session.sealed, &head.sealed))
    }

    /// Whether this head, by the hash of its sealed form, is one of the last that were taken.
    #[must_use]
    pub fn has_taken(&self, hash: &Hash) -> bool {
        self.taken.iter().any(|taken| taken.hash == *hash)
    }

    /// Whether a sealed object of the role live says that it is a session. Never a basis for trust.
    #[must_use]
    pub fn is_session(sealed: &[u8]) -> bool {
        cose::peek(sealed).is_ok_and(|peeked| codec::claims_session(peeked.payload))
    }

    /// What has been seen, for the caller to keep between visits.
    #[must_use]
    pub const fn memory(&self) -> LiveMemory {
        self.memory
    }

    /// Proof that a signer contradicted itself, oldest first.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// Logs that are not shown yet to continue what was taken before, for want of the records between.
    #[must_use]
    pub fn unlinked(&self) -> &[Unlinked] {
        &self.unlinked
    }

    /// The session that a sealed head says it is by: what to fetch after [`HeadError::UnknownSession`].
    #[must_use]
    pub fn session_wanted(sealed: &[u8]) -> Option<u64> {
        if sealed.len() > MAX_HEAD {
            return None;
        }
        codec::claimed_session(cose::peek(sealed).ok()?.payload)
    }

    /// Takes a session. A repetition is no error.
    ///
    /// # Errors
    /// [`SessionError`] says which rule refuses it.
    pub fn accept_session(&mut self, sealed: &[u8], wall: WallTime) -> Result<u64, SessionError> {
        let verified = cose::verify(Role::Live, sealed, &self.publishers)?;
        let session = Session::decode(verified.payload)?;
        if session.content_id != self.content {
            return Err(SessionError::Foreign);
        }
        let wall = self.no_earlier(wall);
        if wall.is_before(session.not_before, TOLERANCE_S) {
            return Err(SessionError::NotYetValid);
        }
        let number = session.number;
        if let Some(known) = self.sessions.iter().find(|known| known.session.number == number) {
            if known.session == session {
                return Ok(number);
            }
            let first = known.sealed.clone();
            self.keep(EvidenceKind::Session, first, sealed);
            return Err(SessionError::Forked);
        }
        if number < self.memory.session {
            return Err(SessionError::Stale);
        }
        if wall.is_after(session.not_after, TOLERANCE_S) {
            return Err(SessionError::Expired);
        }
        let at = self
            .sessions
            .partition_point(|known| known.session.number < number);
        let sealed = sealed.to_vec();
        self.sessions.insert(at, Known { session, sealed });
        if self.sessions.len() > MAX_SESSIONS {
            self.sessions.remove(0);
        }
        Ok(number)
    }

    /// Takes a head, if it is the next one. `now_us` is the caller's monotonic clock.
    ///
    /// # Errors
    /// [`HeadError`] says which rule refuses it, and [`HeadError::fault`] whose fault that is.
    pub fn accept(&mut self, sealed: &[u8], now_us: u64, wall: WallTime) -> Result<Accepted, HeadError> {
        let head = self.read(sealed)?;
        self.check_time(&head, wall)?;
        let hash = Hash::of(&[sealed]);
        let unlinked = match self.judge(&head, hash) {
            Ok(unlinked) => unlinked,
            Err((error, kind)) => {
                if let Some((kind, first)) = kind {
                    self.keep(kind, first, sealed);
                }
                return Err(error);
            }
        };
        let accepted = Accepted {
            sequence: head.sequence,
            began: self.newest.as_ref().is_none_or(|newest| newest.log != head.log),
            linked: unlinked.is_empty(),
            expired: self.is_expired(&head, wall),
        };
        self.take(head, hash, sealed, unlinked, now_us);
        Ok(accepted)
    }

    /// Shows that a log that was taken unlinked continues the one before (RFC 9162 §2.1.4).
    ///
    /// # Errors
    /// [`HeadError::Inconsistent`] when the proof shows no such thing. That is evidence against whoever gave the proof;
    /// only a proof from the log's own pages, which fails as well, would be evidence against the signer.
    pub fn link(&mut self, track: TrackId, proof: &[Hash]) -> Result<(), HeadError> {
        let Some(at) = self.unlinked.iter().position(|unlinked| unlinked.track == track) else {
            return Ok(());
        };
        let shown = self.unlinked.get(at).is_some_and(|Unlinked { old, new, .. }| {
            verify_consistency((old.0, &old.1), (new.0, &new.1), proof)
        });
        if !shown {
            return Err(HeadError::Inconsistent);
        }
        self.unlinked.remove(at);
        Ok(())
    }

    /// The same, from the log's own pages: `root` is what [`super::LogPages::root_at`] gives for the older size, under
    /// the newer head.
    ///
    /// # Errors
    /// [`HeadError::Inconsistent`] when it differs from what the older head stated; both heads become evidence.
    pub fn link_by_pages(&mut self, track: TrackId, root: &Hash) -> Result<(), HeadError> {
        let Some(at) = self.unlinked.iter().position(|unlinked| unlinked.track == track) else {
            return Ok(());
        };
        let unlinked = self.unlinked.remove(at);
        if unlinked.old.1 == *root {
            return Ok(());
        }
        self.keep(EvidenceKind::Log, unlinked.older, &unlinked.newer);
        Err(HeadError::Inconsistent)
    }

    /// Whether the stream goes on. Judged by progress on a monotonic clock alone: a device's clock may be wrong.
    #[must_use]
    pub fn pulse(&self, now_us: u64) -> Pulse {
        let Some(newest) = &self.newest else {
            return Pulse::Waiting;
        };
        if newest.end {
            return Pulse::Ended;
        }
        let patience_us = u64::from(newest.target_ms) * 1000 * PATIENCE_TARGETS;
        let until_us = self.progress_us.saturating_add(patience_us);
        if now_us < until_us {
            Pulse::Live { until_us }
        } else {
            Pulse::Frozen {
                since_us: self.progress_us,
            }
        }
    }

    /// Everything that the head alone and its session decide.
    fn read(&self, sealed: &[u8]) -> Result<LiveHead, HeadError> {
        if sealed.len() > MAX_HEAD {
            return Err(HeadError::TooLarge);
        }
        let keys: Vec<PublicKey> = self.sessions.iter().map(|known| known.session.key).collect();
        let verified = cose::verify(Role::Live, sealed, &keys).map_err(|error| match error {
            CoseError::UntrustedKey => HeadError::UnknownSession,
            error => HeadError::Sealed(error),
        })?;
        let head = LiveHead::decode(verified.payload, &self.significant_query)?;
        if head.content_id != self.content {
            return Err(HeadError::Foreign);
        }
        let mut sessions = self.sessions.iter().map(|known| &known.session);
        let session = sessions
            .find(|session| session.key == verified.signer && session.number == head.session)
            .ok_or(HeadError::WrongSession)?;
        if head.sequence < session.first_sequence {
            return Err(HeadError::BeforeSession);
        }
        let issued = head.issued_ms / 1000;
        if issued.saturating_add(TOLERANCE_S) < session.not_before
            || issued > session.not_after.saturating_add(TOLERANCE_S)
        {
            return Err(HeadError::OutsideSession);
        }
        Ok(head)
    }

    fn check_time(&self, head: &LiveHead, wall: WallTime) -> Result<(), HeadError> {
        if self
            .no_earlier(wall)
            .is_before(head.issued_ms / 1000, TOLERANCE_S)
        {
            return Err(HeadError::Future);
        }
        Ok(())
    }

    /// No clock can be earlier than a time that a session has signed.
    fn no_earlier(&self, wall: WallTime) -> WallTime {
        let latest = wall.unix_s.saturating_add(u64::from(wall.uncertainty_s));
        let floor = self.memory.issued_ms / 1000;
        if latest >= floor {
            return wall;
        }
        WallTime {
            unix_s: floor,
            uncertainty_s: 0,
        }
    }

    /// Whether it is certainly too old to be the live edge.
    fn is_expired(&self, head: &LiveHead, wall: WallTime) -> bool {
        let patience_s = u64::from(head.target_ms) * PATIENCE_TARGETS / 1000;
        self.no_earlier(wall)
            .is_after(head.issued_ms / 1000, patience_s + TOLERANCE_S)
    }

    /// The head's place among those taken. The error comes with what a contradiction contradicts.
    fn judge(&self, head: &LiveHead, hash: Hash) -> Result<Vec<Unlinked>, (HeadError, Option<Contradicted>)> {
        let plain = |error| Err((error, None));
        let same = |taken: &&Taken| (taken.log, taken.sequence) == (head.log, head.sequence);
        if let Some(taken) = self.taken.iter().find(same) {
            if taken.hash == hash {
                return plain(HeadError::Replayed);
            }
            return Err((
                HeadError::Forked,
                Some((EvidenceKind::Sequence, taken.sealed.clone())),
            ));
        }
        let place = (head.log, head.sequence);
        if place < (self.memory.log, self.memory.sequence) || head.session < self.memory.session {
            return match self.contradicted(head) {
                Some(first) => Err((HeadError::Forked, Some((EvidenceKind::Log, first)))),
                None => plain(HeadError::Stale),
            };
        }
        if place == (self.memory.log, self.memory.sequence)
            && self.memory.hash.is_some_and(|seen| seen != hash)
        {
            return plain(HeadError::Forked);
        }
        if head.log == self.memory.log && head.sequence - self.memory.sequence > MAX_SEQUENCE_JUMP {
            return plain(HeadError::SequenceJump);
        }
        if head.issued_ms < self.memory.issued_ms {
            return plain(HeadError::IssuedBackwards);
        }
        let Some(newest) = self.newest.as_ref().filter(|newest| newest.log == head.log) else {
            return Ok(Vec::new());
        };
        if newest.end {
            return plain(HeadError::AfterEnd);
        }
        let older = self
            .taken
            .back()
            .map(|taken| taken.sealed.clone())
            .unwrap_or_default();
        continues(newest, head, &older).map_err(|error| {
            (
                error,
                (error.fault() == Fault::Signer).then_some((EvidenceKind::Log, older)),
            )
        })
    }

    /// The head taken that an older one contradicts, if the records at hand tell.
    fn contradicted(&self, older: &LiveHead) -> Option<Vec<u8>> {
        let newest = self.newest.as_ref().filter(|newest| newest.log == older.log)?;
        let differs = |track: &LiveTrack| {
            let later = newest.track(track.id)?.root_at(track.size())?;
            Some(later != track.root())
        };
        let is_contradicted = older.tracks.iter().any(|track| differs(track) == Some(true));
        let taken = self.taken.back()?;
        is_contradicted.then(|| taken.sealed.clone())
    }

    fn take(&mut self, head: LiveHead, hash: Hash, sealed: &[u8], unlinked: Vec<Unlinked>, now_us: u64) {
        if self.newest.as_ref().is_none_or(|newest| newest.log != head.log) {
            // Other logs: nothing of the old ones can be compared with them.
            self.taken.clear();
            self.unlinked.clear();
            self.media_end.clear();
        }
        let ends = head
            .tracks
            .iter()
            .filter_map(|track| Some((track.id, track.media_end()?)));
        let mut progressed = self.newest.is_none();
        for (track, end) in ends {
            match self.media_end.iter_mut().find(|(id, _)| *id == track) {
                Some((_, known)) if *known < end => {
                    *known = end;
                    progressed = true;
                }
                Some(_) => {}
                None => {
                    self.media_end.push((track, end));
                    progressed = true;
                }
            }
        }
        self.media_end.retain(|(id, _)| head.track(*id).is_some());
        if progressed {
            self.progress_us = now_us;
        }
        // Every head that was taken has to be shown to be a beginning of the newest one.
        self.unlinked.extend(unlinked);
        let surplus = self.unlinked.len().saturating_sub(MAX_UNLINKED);
        self.unlinked.drain(..surplus);
        for known in &mut self.unlinked {
            if let Some(track) = head.track(known.track) {
                known.new = (track.size(), track.root());
                known.newer = sealed.to_vec();
            }
        }
        self.unlinked.retain(|known| head.track(known.track).is_some());
        self.memory = LiveMemory {
            session: head.session,
            log: head.log,
            sequence: head.sequence,
            issued_ms: head.issued_ms,
            hash: Some(hash),
        };
        self.taken.push_back(Taken {
            log: head.log,
            sequence: head.sequence,
            hash,
            sealed: sealed.to_vec(),
        });
        if self.taken.len() > MAX_TAKEN {
            self.taken.pop_front();
        }
        self.newest = Some(head);
    }

    fn keep(&mut self, kind: EvidenceKind, first: Vec<u8>, second: &[u8]) {
        let second = second.to_vec();
        let evidence = Evidence { kind, first, second };
        if self.evidence.len() < MAX_EVIDENCE && !self.evidence.contains(&evidence) {
            self.evidence.push(evidence);
        }
    }
}

/// Whether `head` continues `newest`, which it follows; gives the logs whose records do not tell.
fn continues(newest: &LiveHead, head: &LiveHead, older: &[u8]) -> Result<Vec<Unlinked>, HeadError> {
    let mut unlinked = Vec::new();
    for before in &newest.tracks {
        let Some(track) = head.track(before.id) else {
            if before.closed {
                continue;
            }
            return Err(HeadError::TrackLost);
        };
        if before.closed && (!track.closed || track.size() != before.size()) {
            return Err(HeadError::TrackLost);
        }
        let is_same = before.kind == track.kind
            && before.media_type == track.media_type
            && before.timescale == track.timescale
            && before.names == track.names
            && before.ranged == track.ranged
            && before.parts.as_ref().map(|parts| parts.of) == track.parts.as_ref().map(|parts| parts.of);
        if !is_same {
            return Err(HeadError::Changed);
        }
        if track.size() < before.size() {
            return Err(HeadError::Inconsistent);
        }
        let root = before.root();
        match track.root_at(before.size()) {
            Some(continued) if continued == root => {}
            Some(_) => return Err(HeadError::Inconsistent),
            None => unlinked.push(Unlinked {
                track: track.id,
                old: (before.size(), root),
                new: (track.size(), track.root()),
                older: older.to_vec(),
                newer: Vec::new(),
            }),
        }
    }
    for before in &newest.assets {
        let is_other = |asset: &&crate::content::Asset| {
            asset.path == before.path && asset.range == before.range && **asset != *before
        };
        if head.assets.iter().any(|asset| is_other(&asset)) {
            return Err(HeadError::Changed);
        }
    }
    Ok(unlinked)
}

/// A head that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its sequence.
    pub sequence: u64,
    /// It is the first one of its logs that was taken: what was known of other logs does not hold for these.
    pub began: bool,
    /// Every log is shown to continue what was taken before.
    pub linked: bool,
    /// It is certainly older than three target durations: what it states may be played, but is not the live edge.
    pub expired: bool,
}

/// Whether a stream goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulse {
    /// There is no head yet.
    Waiting,
    /// Media went on not long ago.
    Live {
        /// When patience ends.
        until_us: u64,
    },
    /// No head brought new media for three target durations. What was stated stays playable.
    Frozen {
        /// When media last went on.
        since_us: u64,
    },
    /// The end is signed.
    Ended,
}

/// The newest head taken of a content: plain data, kept by the caller between visits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LiveMemory {
    /// Its session.
    pub session: u64,
    /// Its logs.
    pub log: u64,
    /// Its sequence.
    pub sequence: u64,
    /// When it was issued, Unix time in milliseconds: no clock can be earlier than this.
    pub issued_ms: u64,
    /// SHA-256 of the sealed head.
    pub hash: Option<Hash>,
}

impl LiveMemory {
    /// Nothing has been seen.
    pub const NONE: Self = Self {
        session: 0,
        log: 0,
        sequence: 0,
        issued_ms: 0,
        hash: None,
    };
}

/// A log whose growth from one head to another is not shown yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlinked {
    /// The track.
    pub track: TrackId,
    /// Size and root that were taken before.
    pub old: (u32, Hash),
    /// Size and root of the newest head.
    pub new: (u32, Hash),
    older: Vec<u8>,
    newer: Vec<u8>,
}

/// Two signed objects of which only one can be true, for whoever holds the publisher's keys to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What they contradict each other about.
    pub kind: EvidenceKind,
    /// What was taken first.
    pub first: Vec<u8>,
    /// What came later.
    pub second: Vec<u8>,
}

/// What two signed objects contradict each other about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceKind {
    /// Two sessions have one number.
    Session,
    /// Two heads have one sequence.
    Sequence,
    /// Two heads state different logs, or different things of one track.
    Log,
}

impl EvidenceKind {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Sequence => "sequence",
            Self::Log => "log",
        }
    }
}

#[derive(Debug, Clone)]
struct Known {
    session: Session,
    sealed: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Taken {
    log: u64,
    sequence: u64,
    hash: Hash,
    sealed: Vec<u8>,
}

type Contradicted = (EvidenceKind, Vec<u8>);

/// How far a time may be off on a clock that is right.
const TOLERANCE_S: u64 = 60;
/// Target durations after which a stream that does not go on counts as frozen.
const PATIENCE_TARGETS: u64 = 3;
/// A sequence further ahead than this would let a thief of a session's key lock out the heads of its owner.
const MAX_SEQUENCE_JUMP: u64 = 1 << 20;
/// Logs waiting to be linked; the oldest ones are given up first.
const MAX_UNLINKED: usize = 128;
/// Heads kept to be compared with: 128 KiB at most.
const MAX_TAKEN: usize = 8;
