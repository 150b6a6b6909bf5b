//! A live content: real sessions and heads, stated one after the other as time goes on.

use std::collections::BTreeMap;

use swarmseal::content::live::{Document, LiveHead, LiveSlot, LiveTrack, Session, TrackFile};
use swarmseal::content::tree::{self, RootBuilder};
use swarmseal::content::{ContentId, Hash, Names, Record, SecretKey, TrackId, TrackKind};
use swarmseal_tracker::Roots;

use super::title::{BEGIN_UNIX_S, PLAYLIST};
use crate::failure::Failure;

/// Number of the session and of the logs.
const LOG: u64 = BEGIN_UNIX_S;
/// Records that a head carries, as shipped…
const CARRIED: usize = 3;
/// …and rows of the newest of them.
const WITH_ROWS: usize = 1;
/// Playlists that a head vouches for, as shipped: the newest and those that may still be in caches.
const DIGESTS: usize = 4;

/// One rendition as it will have been when the stream is over.
pub(super) struct Log {
    pub(super) track: TrackId,
    pub(super) bitrate: u64,
    pub(super) names: Names,
    pub(super) records: Vec<Record>,
    pub(super) rows: Vec<Vec<Hash>>,
}

/// What the origin of a live content has, and when.
pub(super) struct Broadcast {
    slot: LiveSlot,
    /// By sequence, from the first; the segments that the first one states are those that a viewer starts with.
    heads: Vec<Vec<u8>>,
    playlists: Vec<Vec<u8>>,
    session: Vec<u8>,
    /// Logs as they will be in the end, by path. Nobody asks for more of them than a head states.
    logs: BTreeMap<String, Vec<u8>>,
    records: Vec<(TrackId, Vec<Record>)>,
}

/// Where heads are said to lie.
pub(super) fn slot() -> LiveSlot {
    LiveSlot {
        folder: "seal/live".into(),
    }
}

impl Broadcast {
    /// Signs everything ahead of time: `first` segments are there when the stream begins, then one comes every
    /// `segment_ms`.
    pub(super) fn sign(
        logs: &[Log],
        content_id: ContentId,
        publisher: &SecretKey,
        first: usize,
        segment_ms: u64,
    ) -> Result<Self, Failure> {
        let slot = slot();
        let key = SecretKey::from_seed(&[4; 32]);
        let segments = logs.iter().map(|log| log.records.len()).max().unwrap_or(0);
        let session = Session {
            content_id,
            number: LOG,
            key: key.public(),
            not_before: BEGIN_UNIX_S - 100,
            not_after: BEGIN_UNIX_S + 80_000,
            first_sequence: 1,
        };
        let mut broadcast = Self {
            heads: Vec::new(),
            playlists: Vec::new(),
            session: session.sign(publisher).map_err(Failure::world)?,
            logs: logs.iter().flat_map(|log| log.files(&slot)).collect(),
            records: logs.iter().map(|log| (log.track, log.records.clone())).collect(),
            slot,
        };
        let mut digests: Vec<Hash> = Vec::new();
        for size in first..=segments {
            let playlist = format!("#EXTM3U of {size} segments").into_bytes();
            digests.insert(0, Hash::of(&[&playlist]));
            digests.truncate(DIGESTS);
            broadcast.playlists.push(playlist);
            let sequence = broadcast.heads.len() as u64;
            let head = LiveHead {
                content_id,
                session: LOG,
                log: LOG,
                sequence: sequence + 1,
                issued_ms: BEGIN_UNIX_S * 1_000 + sequence * segment_ms,
                target_ms: u32::try_from(segment_ms).map_err(Failure::world)?,
                tracks: logs.iter().map(|log| log.state(size, size == segments)).collect(),
                assets: Vec::new(),
                documents: vec![Document {
                    path: PLAYLIST.into(),
                    media_type: "application/vnd.apple.mpegurl".into(),
                    digests: digests.clone(),
                }],
                end: size == segments,
            };
            broadcast
                .heads
                .push(head.sign(&key, &[]).map_err(Failure::world)?);
        }
        Ok(broadcast)
    }

    /// A small file as it is when `newer` segments have come since the beginning.
    pub(super) fn file(&self, path: &str, newer: usize) -> Option<&[u8]> {
        let newest = |all: &'_ [Vec<u8>]| newer.min(all.len().saturating_sub(1));
        let body = if path == self.slot.newest() {
            self.heads.get(newest(&self.heads))
        } else if path == PLAYLIST {
            self.playlists.get(newest(&self.playlists))
        } else if path == self.slot.session(LOG) {
            Some(&self.session)
        } else {
            None
        };
        body.map(Vec::as_slice)
    }

    /// The roots of the first `size` segments of each track.
    pub(super) fn stated(&self, size: usize) -> Roots {
        let known = |records: &'_ [Record]| records.len().min(size);
        Roots::of_logs(self.records.iter().map(|(track, records)| {
            let records = records.get(..known(records)).unwrap_or_default();
            (*track, 0, records)
        }))
    }

    /// A log, by path.
    pub(super) fn log(&self, path: &str) -> Option<&[u8]> {
        self.logs.get(path).map(Vec::as_slice)
    }
}

impl Log {
    fn files(&self, slot: &LiveSlot) -> [(String, Vec<u8>); 3] {
        let encoded: Vec<[u8; 64]> = self.records.iter().map(Record::encode).collect();
        let pages = encoded.chunks_exact(256).flat_map(|page| {
            let leaves: Vec<Hash> = page.iter().map(|record| tree::leaf(record)).collect();
            tree::root(&leaves).0
        });
        let rows = self.rows.iter().flatten().flat_map(|hash| hash.0);
        [
            (slot.track(LOG, self.track, TrackFile::Pages), pages.collect()),
            (slot.track(LOG, self.track, TrackFile::Rows), rows.collect()),
            (slot.track(LOG, self.track, TrackFile::Records), encoded.concat()),
        ]
    }

    /// The track as a head states it that knows `size` segments.
    fn state(&self, size: usize, closed: bool) -> LiveTrack {
        let base = size.saturating_sub(CARRIED);
        let mut before = RootBuilder::default();
        for record in self.records.iter().take(base) {
            before.push(tree::leaf(&record.encode()));
        }
        let carried = |at: &usize| (base..size).contains(at);
        LiveTrack {
            id: self.track,
            kind: TrackKind::Video,
            media_type: "video/mp4".into(),
            timescale: 1_000,
            bitrate: Some(self.bitrate),
            names: self.names.clone(),
            ranged: false,
            base: u32::try_from(base).unwrap_or(u32::MAX),
            frontier: before.peaks().to_vec(),
            records: (0..)
                .zip(&self.records)
                .filter(|(at, _)| carried(at))
                .map(|(_, record)| *record)
                .collect(),
            rows: self
                .rows
                .get(size.saturating_sub(WITH_ROWS)..size)
                .unwrap_or_default()
                .to_vec(),
            discontinuities: Vec::new(),
            closed,
            parts: None,
        }
    }
}
