//! What will be published: which bytes are segments of which track, and which are assets.

mod files;
mod ledger;
mod references;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::journal::Place;
use super::source::{Source, Stamp};
use super::{PublishError, dash, hls, media_type};
use ledger::Ledger;
pub(crate) use references::References;

/// A segment of more bytes is refused: a viewer holds a segment whole before a player gets it.
pub const SEGMENT_LIMIT: u64 = 32 << 20;
/// Plain files above this size are listed in ranges of it.
pub const PIECE: u64 = 4 << 20;
/// Assets are fetched whole; bytes outside of segments that come in larger parts are listed as files.
const ASSET_LIMIT: u64 = 1 << 20;
/// Estimated bytes of the manifest that assets may take, of the 64 KiB that it can have.
const ASSET_BUDGET: usize = 36 << 10;
/// Other files (posters, subtitles) beside a stream that are listed as assets, which saves a viewer the index.
const OTHER_ASSETS: usize = 64;
/// Tracks of one manifest.
const TRACKS: usize = 256;

/// What a track is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Video, with or without audio in it.
    Video,
    /// Audio alone.
    Audio,
    /// Subtitles.
    Text,
    /// Plain files.
    Files,
}

/// Everything that one publication will list.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order of their discovery.
    pub tracks: Vec<PlannedTrack>,
    /// Playlists, headers, posters: listed in the manifest itself.
    pub assets: Vec<PlannedAsset>,
    /// What the user should know, one sentence each.
    pub notes: Vec<String>,
}

/// One rendition, or files of one type.
#[derive(Debug)]
pub struct PlannedTrack {
    /// What the track was made from; stays the same when the publication is repeated.
    pub key: String,
    /// What it is.
    pub kind: Kind,
    /// Type of its segments.
    pub media_type: String,
    /// Ticks per second of `start` and `duration`.
    pub timescale: u32,
    /// Bits per second, where a playlist says it.
    pub bitrate: Option<u64>,
    /// Whether segments are ranges of their resources.
    pub ranged: bool,
    /// In order.
    pub pieces: Vec<Piece>,
    /// Set if they are parts of another track's segments.
    pub parts: Option<PlannedParts>,
}

/// Which segments of another track the segments of this one make up.
#[derive(Clone, Debug)]
pub struct PlannedParts {
    /// Key of the other track.
    pub of: String,
    /// In order.
    pub groups: Vec<PartGroup>,
}

/// One segment and its parts so far.
#[derive(Clone, Debug)]
pub struct PartGroup {
    /// The segment; `None` if it is not finished.
    pub segment: Option<Place>,
    /// Its parts, in order.
    pub parts: Vec<Place>,
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Normalised name.
    pub name: Arc<str>,
    /// Offset and length in the resource; `None` is all of it.
    pub range: Option<(u64, u64)>,
    /// Length, unless only fetching tells.
    pub length: Option<u64>,
    /// Presentation time in ticks.
    pub start: u64,
    /// Duration in ticks.
    pub duration: u32,
    /// Whether media is discontinuous before it.
    pub discontinuity: bool,
}

/// One asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAsset {
    /// Its bytes; without time.
    pub piece: Piece,
    /// Its type.
    pub media_type: String,
}

impl Plan {
    /// Reads all playlists and MPDs of a source and lists what they name, then everything else.
    ///
    /// `significant` are the query parameters that tell resources apart.
    pub fn make(source: &dyn Source, significant: &[String]) -> Result<Self, PublishError> {
        let (mut planner, entries) = Planner::read(source, significant, None)?;
        let has_streams = !planner.plan.assets.is_empty();
        planner.list_unlisted_parts()?;
        planner.list_other_files(entries, has_streams)?;
        planner.finish()
    }

    /// The same for a stream that its packager is still writing: what no playlist names is not listed, and a segment
    /// that is named but not there, because it is older than the packager's window, is passed over.
    pub(crate) fn of_live(
        source: &dyn Source,
        significant: &[String],
    ) -> Result<(Self, Unfinished), PublishError> {
        let (mut planner, _) = Planner::read(source, significant, Some(Unfinished::default()))?;
        planner.list_declared_parts()?;
        let unfinished = planner.live.take().unwrap_or_default();
        Ok((planner.finish()?, unfinished))
    }

    /// Number of segments and assets.
    pub fn objects(&self) -> usize {
        self.assets.len() + self.tracks.iter().map(|track| track.pieces.len()).sum::<usize>()
    }

    /// Bytes to hash, as far as they are known.
    pub fn bytes(&self) -> u64 {
        let assets = self.assets.iter().map(|asset| &asset.piece);
        let pieces = self.tracks.iter().flat_map(|track| &track.pieces);
        assets.chain(pieces).filter_map(|piece| piece.length).sum()
    }
}

/// A segment as a playlist names it.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) range: Option<(u64, u64)>,
    pub(crate) start: u64,
    pub(crate) duration: u64,
    pub(crate) discontinuity: bool,
}

/// What a parser knows about a track, apart from its segments.
pub(crate) struct TrackHead {
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) timescale: u32,
    pub(crate) bitrate: Option<u64>,
    pub(crate) parts: Option<PlannedParts>,
}

/// The plan while it is being made.
pub(crate) struct Planner<'a> {
    pub(crate) references: References<'a>,
    ledger: Ledger,
    /// Types of resources of which only parts are listed so far.
    types: BTreeMap<String, &'static str>,
    /// Names that a playlist gives as decryption keys.
    keys: BTreeSet<String>,
    plan: Plan,
    /// Set for a stream that is being written.
    live: Option<Unfinished>,
}

/// What is not finished about a stream that is being written.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    /// Playlists and MPDs that have no end.
    pub(crate) documents: usize,
    /// The longest that a segment may last, as playlists and MPDs say.
    pub(crate) target_ms: u64,
}

impl<'a> Planner<'a> {
    /// Reads what there is of playlists and MPDs.
    fn read(
        source: &'a dyn Source,
        significant: &'a [String],
        live: Option<Unfinished>,
    ) -> Result<(Self, Vec<String>), PublishError> {
        let mut planner = Self {
            references: References { source, significant },
            ledger: Ledger::default(),
            types: BTreeMap::new(),
            keys: BTreeSet::new(),
            plan: Plan::default(),
            live,
        };
        let entries = source.entries()?;
        let of_type = |wanted: &str| -> Vec<String> {
            entries
                .iter()
                .filter(|name| media_type::of(name) == wanted)
                .cloned()
                .collect()
        };
        hls::read_all(&mut planner, of_type(media_type::HLS))?;
        dash::read_all(&mut planner, of_type(media_type::DASH))?;
        Ok((planner, entries))
    }
}

impl Planner<'_> {
    /// Notes that a playlist or MPD has no end yet, which is an error unless the stream is live.
    pub(crate) fn unfinished(&mut self, name: &str, detail: &str) -> Result<(), PublishError> {
        let Some(live) = &mut self.live else {
            return Err(PublishError::NotFinished {
                name: name.to_owned(),
                detail: detail.to_owned(),
            });
        };
        live.documents += 1;
        Ok(())
    }

    /// Notes how long a segment may be at most, in milliseconds.
    pub(crate) fn target(&mut self, target_ms: u64) {
        if let Some(live) = &mut self.live {
            live.target_ms = live.target_ms.max(target_ms);
        }
    }

    /// Whether the stream is being written.
    pub(crate) const fn is_live(&self) -> bool {
        self.live.is_some()
    }

    pub(crate) fn source(&self) -> &dyn Source {
        self.references.source
    }

    /// Tells the user something.
    pub(crate) fn note(&mut self, note: String) {
        self.plan.notes.push(note);
    }

    /// Keeps a decryption key from being listed.
    pub(crate) fn exclude_key(&mut self, name: String) {
        self.keys.insert(name);
    }

    /// Lists a playlist or MPD. `false`: it is listed already, and has been read.
    pub(crate) fn document(&mut self, name: &str, media_type: &str) -> Result<bool, PublishError> {
        if !self.ledger.claim_whole(name) {
            return Ok(false);
        }
        let piece = self.piece(name, None, name)?;
        self.plan.assets.push(PlannedAsset {
            piece,
            media_type: media_type.to_owned(),
        });
        Ok(true)
    }

    /// Lists a header or another part that is no segment.
    pub(crate) fn asset(
        &mut self,
        name: &str,
        range: Option<(u64, u64)>,
        audio: bool,
        referrer: &str,
    ) -> Result<(), PublishError> {
        match range {
            Some((offset, length)) => {
                self.piece(name, range, referrer)?;
                self.ledger.declare(name, offset, length);
                self.types
                    .entry(name.to_owned())
                    .or_insert_with(|| media_type::of_segment(name, audio));
            }
            None if self.ledger.claim_whole(name) => {
                let piece = self.piece(name, None, referrer)?;
                let media_type = media_type::of_segment(name, audio).to_owned();
                self.plan.assets.push(PlannedAsset { piece, media_type });
            }
            None => {}
        }
        Ok(())
    }

    /// Lists the segments of a rendition, apart from those that another description listed already.
    pub(crate) fn track(
        &mut self,
        head: TrackHead,
        segments: Vec<Named>,
        referrer: &str,
    ) -> Result<(), PublishError> {
        let ranged = segments.iter().any(|segment| segment.range.is_some());
        let media_type = segments.first().map_or("", |first| {
            media_type::of_segment(&first.name, head.kind == Kind::Audio)
        });
        let mut pieces = Vec::with_capacity(segments.len());
        for segment in segments {
            let mut piece = match self.piece(&segment.name, segment.range, referrer) {
                Err(PublishError::MissingFile { .. } | PublishError::RangeBeyondEnd { .. })
                    if self.live.is_some() =>
                {
                    continue;
                }
                piece => piece?,
            };
            if ranged && piece.range.is_none() {
                let length = match piece.length {
                    Some(length) => length,
                    None => self.length(&segment.name, referrer)?,
                };
                piece.range = Some((0, length));
                piece.length = Some(length);
            }
            if let Some(length) = piece.length.filter(|length| *length > SEGMENT_LIMIT) {
                return Err(PublishError::SegmentTooLong {
                    name: segment.name,
                    length,
                });
            }
            piece.start = segment.start;
            piece.discontinuity = segment.discontinuity;
            piece.duration = u32::try_from(segment.duration).map_err(|_| {
                PublishError::unreadable(referrer, format!("{} is too long in time", segment.name))
            })?;
            let is_new = match piece.range {
                Some((offset, length)) => {
                    length > 0 && self.ledger.claim_range(&segment.name, offset, length)
                }
                None => self.ledger.claim_whole(&segment.name),
            };
            if is_new {
                pieces.push(piece);
            }
        }
        self.push_track(PlannedTrack {
            key: head.key,
            kind: head.kind,
            media_type: media_type.to_owned(),
            timescale: head.timescale,
            bitrate: head.bitrate,
            ranged,
            pieces,
            parts: head.parts,
        });
        Ok(())
    }

    fn push_track(&mut self, track: PlannedTrack) {
        if !track.pieces.is_empty() {
            self.plan.tracks.push(track);
        }
    }

    /// A piece without time, checked against what is there.
    fn piece(&self, name: &str, range: Option<(u64, u64)>, referrer: &str) -> Result<Piece, PublishError> {
        let mut length = range.map(|(_, length)| length);
        if self.source().stamps_are_cheap() {
            let found = self.length(name, referrer)?;
            match range {
                Some((first, length)) if first.checked_add(length).is_none_or(|end| end > found) => {
                    return Err(PublishError::RangeBeyondEnd {
                        name: name.to_owned(),
                        referrer: referrer.to_owned(),
                        length: found,
                        first,
                        last: first.saturating_add(length).saturating_sub(1),
                    });
                }
                Some(_) => {}
                None => length = Some(found),
            }
        }
        Ok(Piece {
            name: name.into(),
            range,
            length,
            start: 0,
            duration: 0,
            discontinuity: false,
        })
    }

    /// Length of a resource that must be there.
    pub(crate) fn length(&self, name: &str, referrer: &str) -> Result<u64, PublishError> {
        let missing = || PublishError::MissingFile {
            name: name.to_owned(),
            referrer: referrer.to_owned(),
        };
        let Stamp { length, .. } = self.source().stamp(name)?.ok_or_else(missing)?;
        length.ok_or_else(|| PublishError::unreadable(name, "the server does not tell its length"))
    }

    fn finish(self) -> Result<Plan, PublishError> {
        if self.plan.tracks.len() > TRACKS {
            let what = format!("{} tracks; the limit is {TRACKS}", self.plan.tracks.len());
            return Err(PublishError::TooMuch { what });
        }
        Ok(self.plan)
    }
}

#[cfg(test)]
mod tests;
