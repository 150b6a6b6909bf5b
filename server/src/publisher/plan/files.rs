//! Everything that no playlist lists: parts of files between segments, and whole files.

use std::collections::BTreeMap;

use swarmseal::content::MAX_SEGMENTS;

use super::{
    ASSET_BUDGET, ASSET_LIMIT, Kind, OTHER_ASSETS, PIECE, Piece, PlannedAsset, PlannedTrack, Planner,
};
use crate::publisher::media_type;
use crate::publisher::source::read_range;
use crate::publisher::{PublishError, key_file};

impl Planner<'_> {
    /// Lists what segments leave of their resources: headers and segment indexes, mostly.
    pub(super) fn list_unlisted_parts(&mut self) -> Result<(), PublishError> {
        let mut large = Files::default();
        for name in self.ledger.in_parts() {
            let length = self.length(&name, "a playlist")?;
            let end = self.ledger.end(&name);
            if end > length {
                return Err(PublishError::RangeBeyondEnd {
                    referrer: "a playlist".to_owned(),
                    length,
                    first: end,
                    last: end,
                    name,
                });
            }
            for (offset, part) in self.ledger.unlisted_parts(&name, length) {
                let range = (part < length).then_some((offset, part));
                let piece = Piece {
                    name: name.as_str().into(),
                    range,
                    length: Some(part),
                    start: 0,
                    duration: 0,
                    discontinuity: false,
                };
                let media_type = self
                    .types
                    .get(&name)
                    .copied()
                    .unwrap_or_else(|| media_type::of(&name));
                if part <= ASSET_LIMIT && self.asset_fits(&piece, media_type) {
                    self.plan.assets.push(PlannedAsset {
                        piece,
                        media_type: media_type.to_owned(),
                    });
                } else {
                    large.add_range(&name, offset, part);
                }
            }
            self.ledger.claim_whole(&name);
        }
        for track in large.into_tracks() {
            self.push_track(track);
        }
        Ok(())
    }

    /// Lists the parts that players of a live stream ask for beside its segments: headers, and nothing that the packager
    /// may still be writing.
    pub(super) fn list_declared_parts(&mut self) -> Result<(), PublishError> {
        for name in self.ledger.in_parts() {
            let end = self.ledger.end(&name);
            for part in self.ledger.unlisted_parts(&name, end) {
                if !self.ledger.is_declared(&name, part) {
                    continue;
                }
                let piece = self.piece(&name, Some(part), "a playlist")?;
                let media_type = self
                    .types
                    .get(&name)
                    .copied()
                    .unwrap_or_else(|| media_type::of(&name));
                self.plan.assets.push(PlannedAsset {
                    piece,
                    media_type: media_type.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Lists the files that nothing names. Keys are left out, whoever forgot them there.
    pub(super) fn list_other_files(
        &mut self,
        entries: Vec<String>,
        beside_stream: bool,
    ) -> Result<(), PublishError> {
        let encrypted = !self.keys.is_empty();
        let mut others = Vec::new();
        for name in entries {
            if self.ledger.knows(&name) {
                continue;
            }
            let length = self.length(&name, "the folder")?;
            if self.keys.contains(&name) || self.looks_like_key(&name, length, encrypted)? {
                self.note(format!("left out {name}: keys are never published"));
                continue;
            }
            others.push((name, length));
        }
        if beside_stream && let Some((first, _)) = others.first() {
            let more = match others.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            self.note(format!("also lists what no playlist names: {first}{more}"));
        }
        let as_assets = beside_stream && others.len() <= OTHER_ASSETS;
        let mut files = Files::default();
        for (name, length) in others {
            let piece = Piece {
                name: name.as_str().into(),
                range: None,
                length: Some(length),
                start: 0,
                duration: 0,
                discontinuity: false,
            };
            let media_type = media_type::of(&name);
            self.ledger.claim_whole(&name);
            if as_assets && length <= ASSET_LIMIT && self.asset_fits(&piece, media_type) {
                self.plan.assets.push(PlannedAsset {
                    piece,
                    media_type: media_type.to_owned(),
                });
            } else if length <= PIECE {
                files.whole.entry(media_type).or_default().push(piece);
            } else {
                files.add_range(&name, 0, length);
            }
        }
        for track in files.into_tracks() {
            self.push_track(track);
        }
        Ok(())
    }

    /// By name, by content for our own, and by size where the stream is encrypted with AES-128.
    fn looks_like_key(&self, name: &str, length: u64, encrypted: bool) -> Result<bool, PublishError> {
        let ending = name
            .rsplit_once('.')
            .map_or("", |(_, ending)| ending)
            .to_ascii_lowercase();
        if KEY_ENDINGS.contains(&ending.as_str()) || (encrypted && length == AES_128_KEY) {
            return Ok(true);
        }
        if length > key_file::LIMIT {
            return Ok(false);
        }
        Ok(key_file::is_private(&read_range(
            self.source(),
            name,
            None,
            key_file::LIMIT,
        )?))
    }

    fn asset_fits(&self, piece: &Piece, media_type: &str) -> bool {
        let size = |piece: &Piece, media_type: &str| piece.name.len() + media_type.len() + ASSET_FIXED;
        let listed = self
            .plan
            .assets
            .iter()
            .map(|asset| size(&asset.piece, &asset.media_type));
        listed.sum::<usize>() + size(piece, media_type) <= ASSET_BUDGET
    }
}

/// Files by media type, since a type is signed per track.
#[derive(Default)]
struct Files {
    whole: BTreeMap<&'static str, Vec<Piece>>,
    ranged: BTreeMap<&'static str, Vec<Piece>>,
}

impl Files {
    fn add_range(&mut self, name: &str, offset: u64, length: u64) {
        let shared: std::sync::Arc<str> = name.into();
        let pieces = self.ranged.entry(media_type::of(name)).or_default();
        let mut done = 0;
        while done < length {
            let size = PIECE.min(length - done);
            pieces.push(Piece {
                name: shared.clone(),
                range: Some((offset + done, size)),
                length: Some(size),
                start: 0,
                duration: 0,
                discontinuity: false,
            });
            done += size;
        }
    }

    fn into_tracks(self) -> Vec<PlannedTrack> {
        let whole = self
            .whole
            .into_iter()
            .map(|(media_type, pieces)| (media_type, false, pieces));
        let ranged = self
            .ranged
            .into_iter()
            .map(|(media_type, pieces)| (media_type, true, pieces));
        let mut tracks = Vec::new();
        for (media_type, ranged, pieces) in whole.chain(ranged) {
            for (part, pieces) in pieces.chunks(MAX_SEGMENTS as usize).enumerate() {
                tracks.push(PlannedTrack {
                    key: format!(
                        "files {media_type}{} {part}",
                        if ranged { " in pieces" } else { "" }
                    ),
                    kind: Kind::Files,
                    media_type: media_type.to_owned(),
                    timescale: 1,
                    bitrate: None,
                    ranged,
                    pieces: pieces.to_vec(),
                    parts: None,
                });
            }
        }
        tracks
    }
}

const KEY_ENDINGS: &[&str] = &["key", "keyinfo", "pem", "p12", "pfx"];
const AES_128_KEY: u64 = 16;
/// Root, range, length and framing of an asset in the manifest.
const ASSET_FIXED: usize = 64;
