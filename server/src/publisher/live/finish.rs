//! What becomes of a stream at its end: the recording, as the next version of the same content.
//!
//! The pages of its indexes are the pages of the logs, unless the packager has deleted segments: then the recording is
//! what is left.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use swarmseal::content::live::TrackFile;
use swarmseal::content::publish::HashedObject;
use swarmseal::content::{Hash, TrackId, tree};

use super::publisher::LivePublisher;
use super::recording::{Recorded, Recording};
use crate::publisher::hashing::Hashes;
use crate::publisher::journal::{self, Hashed, Journal};
use crate::publisher::plan::{Piece, Plan, PlannedAsset, PlannedTrack, SEGMENT_LIMIT};
use crate::publisher::sealing::{self, Options, SEAL};
use crate::publisher::source::{Source, read_range};
use crate::publisher::{MANIFEST, PublishError, Published, media_type, previous};

/// Publishes the recording.
pub(super) fn publish(
    live: &LivePublisher,
    signing: &Options,
    now_s: u64,
) -> Result<Published, PublishError> {
    let before = previous::read(&signing.out.join(MANIFEST), &signing.key.public())?;
    let draft = sealing::begin(signing, before.as_ref(), now_s)?;
    let journal = Journal::open(signing.out.join(SEAL).join(journal::FOLDER).join(journal::FILE))?;
    let mut finish = Finish {
        live,
        journal: &journal,
        plan: Plan::default(),
        hashes: Hashes {
            assets: Vec::new(),
            tracks: Vec::new(),
            reused: 0,
        },
        numbers: Vec::new(),
    };
    for asset in &live.assets {
        finish.asset(&asset.path, asset.range, &asset.media_type)?;
    }
    for name in live.document_names() {
        finish.asset(name, None, media_type::of(name))?;
    }
    for recording in &live.recordings {
        finish.track(recording)?;
    }
    let Finish {
        plan,
        hashes,
        numbers,
        ..
    } = finish;
    sealing::seal(
        signing,
        plan,
        &hashes,
        &journal,
        before.as_ref(),
        draft,
        Some(numbers),
    )
}

struct Finish<'a> {
    live: &'a LivePublisher,
    journal: &'a Journal,
    plan: Plan,
    hashes: Hashes,
    numbers: Vec<TrackId>,
}

impl Finish<'_> {
    fn asset(&mut self, name: &str, range: Option<(u64, u64)>, media_type: &str) -> Result<(), PublishError> {
        let Some(stamp) = self.live.folder.stamp(name)? else {
            self.plan
                .notes
                .push(format!("left out {name}: it is not there any more"));
            return Ok(());
        };
        let bytes = read_range(&self.live.folder, name, range, SEGMENT_LIMIT)?;
        let object = HashedObject::of(&bytes);
        let place = (name.into(), range);
        let hashed = self
            .journal
            .add(place, stamp, object.length, object.root, &object.row)?;
        self.hashes.assets.push(hashed);
        self.plan.assets.push(PlannedAsset {
            piece: Piece {
                name: name.into(),
                range,
                length: Some(object.length),
                start: 0,
                duration: 0,
                discontinuity: false,
            },
            media_type: media_type.to_owned(),
        });
        Ok(())
    }

    fn track(&mut self, recording: &Recording) -> Result<(), PublishError> {
        let rows = self
            .live
            .files
            .track(self.live.log, recording.outline.id, TrackFile::Rows);
        let mut rows = File::open(&rows).map_err(|error| PublishError::file(&rows, error))?;
        let (mut pieces, mut hashed) = (Vec::new(), Vec::new());
        // Parts are in the recording as their segments, but for those that playlists still name.
        let wanted = recording
            .segments
            .get(recording.first_listed()..)
            .unwrap_or_default();
        for segment in wanted {
            let Some(kept) = self.segment(segment, &mut rows)? else {
                continue;
            };
            hashed.push(kept);
            pieces.push(Piece {
                name: segment.place.0.clone(),
                range: segment.place.1,
                length: Some(segment.record.length.into()),
                start: segment.record.media_start,
                duration: segment.record.duration,
                discontinuity: segment.discontinuity,
            });
        }
        let gone = wanted.len() - pieces.len();
        if gone > 0 {
            let of = &recording.outline.key;
            let note = format!(
                "{gone} segments of track {} ({of}) are not there any more",
                recording.outline.id
            );
            self.plan.notes.push(note);
        }
        if pieces.is_empty() {
            return Ok(());
        }
        self.numbers.push(recording.outline.id);
        self.hashes.tracks.push(hashed);
        self.plan.tracks.push(PlannedTrack {
            key: recording.outline.key.clone(),
            kind: recording.kind(),
            media_type: recording.media_type().to_owned(),
            timescale: recording.timescale(),
            bitrate: recording.bitrate(),
            ranged: recording.outline.ranged,
            pieces,
            parts: None,
        });
        Ok(())
    }

    /// Notes the row of a segment, if the segment is still there: what its row and length say is not read again.
    fn segment(&self, segment: &Recorded, rows: &mut File) -> Result<Option<Hashed>, PublishError> {
        let (record, place) = (&segment.record, &segment.place);
        let Some(stamp) = self.live.folder.stamp(&place.0)? else {
            return Ok(None);
        };
        let is_there = match place.1 {
            Some(_) => stamp.length.is_some_and(|length| length >= record.end()),
            None => stamp.length == Some(record.length.into()),
        };
        if !is_there || record.length == 0 {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(record.row_len()).unwrap_or(0)];
        rows.seek(SeekFrom::Start(record.row_offset))
            .and_then(|_| rows.read_exact(&mut bytes))
            .map_err(|error| PublishError::file("the rows of a live track", error))?;
        let row: Vec<Hash> = bytes
            .chunks_exact(Hash::LEN)
            .filter_map(Hash::from_slice)
            .collect();
        if tree::root(&row) != record.root {
            return Err(PublishError::Content(format!(
                "the row of {} has been altered",
                place.0
            )));
        }
        self.journal
            .add(place.clone(), stamp, record.length.into(), record.root, &row)
            .map(Some)
    }
}
