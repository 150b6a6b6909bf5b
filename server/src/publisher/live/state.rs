//! What has been stated, on disk before anybody may have heard of it.
//!
//! One file that is only appended to, with one synchronisation for each head. Each entry has its length and a checksum;
//! an entry that was cut off by a crash belongs to a head that never appeared, and is dropped. A sequence is taken
//! before its head is signed and never again, so no two heads can have one.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use swarmseal::content::{Asset, Hash, RECORD_LEN, Record, TrackId};

use super::recording::{Outline, Recorded, Recording};
use crate::publisher::{PublishError, output};

/// The open file.
pub(super) struct State {
    path: PathBuf,
    file: File,
    /// Entries of the head that is being made.
    pending: Vec<u8>,
    /// A write has failed: nobody knows what is on disk, so nothing may be signed until it has been read again.
    failed: bool,
}

/// What a file says.
pub(super) struct Loaded {
    pub(super) log: u64,
    pub(super) recordings: Vec<Recording>,
    /// All rows of each recording.
    pub(super) rows: Vec<Vec<Hash>>,
    pub(super) assets: Vec<Asset>,
    /// The last sequence taken; 0 if none was.
    pub(super) sequence: u64,
    pub(super) issued_ms: u64,
    pub(super) target_ms: u32,
    pub(super) ended: bool,
}

/// An entry other than a record.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Note {
    Begin {
        log: u64,
    },
    Track(Outline),
    Closed(TrackId),
    Asset {
        path: String,
        range: Option<(u64, u64)>,
        length: u64,
        root: Hash,
        media_type: String,
    },
    Taken {
        sequence: u64,
        issued_ms: u64,
        target_ms: u32,
    },
    End,
}

impl State {
    /// Begins new logs, in place of whatever is there.
    pub(super) fn begin(path: &Path, log: u64) -> Result<Self, PublishError> {
        let mut begin = MAGIC.to_vec();
        append_note(&mut begin, &Note::Begin { log });
        output::write_bytes(path, &begin)?;
        Self::open(path, begin.len() as u64)
    }

    /// Reads the file; `None` if there is none, or none that can be continued.
    pub(super) fn load(path: &Path) -> Result<Option<(Self, Loaded)>, PublishError> {
        let mut bytes = Vec::new();
        match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PublishError::file(path, error)),
        }
        let Some((loaded, length)) = replay(&bytes) else {
            return Ok(None);
        };
        Ok(Some((Self::open(path, length)?, loaded)))
    }

    fn open(path: &Path, length: u64) -> Result<Self, PublishError> {
        let failed = |error| PublishError::file(path, error);
        let mut file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        file.set_len(length).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            pending: Vec::new(),
            failed: false,
        })
    }

    pub(super) fn track(&mut self, outline: &Outline) {
        append_note(&mut self.pending, &Note::Track(outline.clone()));
    }

    pub(super) fn closed(&mut self, id: TrackId) {
        append_note(&mut self.pending, &Note::Closed(id));
    }

    pub(super) fn asset(&mut self, asset: &Asset) {
        let note = Note::Asset {
            path: asset.path.clone(),
            range: asset.range,
            length: asset.length,
            root: asset.root,
            media_type: asset.media_type.clone(),
        };
        append_note(&mut self.pending, &note);
    }

    pub(super) fn record(&mut self, track: TrackId, recorded: &Recorded, row: &[Hash]) {
        let mut body = vec![RECORD];
        body.extend_from_slice(&track.0.to_be_bytes());
        body.push(recorded.discontinuity.into());
        body.extend_from_slice(&recorded.record.encode());
        // A normalised path has at most 1024 bytes.
        body.extend_from_slice(&(recorded.place.0.len() as u16).to_be_bytes());
        body.extend_from_slice(recorded.place.0.as_bytes());
        row.iter().for_each(|hash| body.extend_from_slice(&hash.0));
        append(&mut self.pending, &body);
    }

    pub(super) fn end(&mut self) {
        append_note(&mut self.pending, &Note::End);
    }

    /// Takes a sequence and puts everything on disk. After this the head may appear.
    pub(super) fn take(&mut self, sequence: u64, issued_ms: u64, target_ms: u32) -> Result<(), PublishError> {
        let taken = Note::Taken {
            sequence,
            issued_ms,
            target_ms,
        };
        append_note(&mut self.pending, &taken);
        let written = if self.failed {
            Err(std::io::Error::other("an earlier write has failed; begin again"))
        } else {
            self.file
                .write_all(&self.pending)
                .and_then(|()| self.file.sync_data())
        };
        self.pending.clear();
        self.failed = written.is_err();
        written.map_err(|error| PublishError::file(&self.path, error))
    }
}

/// What the entries say, and how many bytes of them are whole.
fn replay(bytes: &[u8]) -> Option<(Loaded, u64)> {
    let mut rest = bytes.strip_prefix(MAGIC)?;
    let mut loaded: Option<Loaded> = None;
    // Records count once the head that states them was about to appear.
    let mut whole = None;
    while let Some((body, after)) = entry(rest) {
        match body.split_first() {
            Some((&RECORD, body)) => apply_record(loaded.as_mut()?, body)?,
            _ => {
                let note: Note = serde_json::from_slice(body).ok()?;
                let is_taken = matches!(note, Note::Begin { .. } | Note::Taken { .. });
                apply_note(&mut loaded, note)?;
                if is_taken {
                    whole = Some((bytes.len() - after.len()) as u64);
                }
            }
        }
        rest = after;
    }
    let length = whole?;
    if length < (bytes.len() - rest.len()) as u64 {
        // Whole entries of a head that was never taken: read again without them.
        return replay(bytes.get(..length as usize)?);
    }
    Some((loaded?, length))
}

fn apply_note(loaded: &mut Option<Loaded>, note: Note) -> Option<()> {
    if let Note::Begin { log } = note {
        *loaded = Some(Loaded {
            log,
            recordings: Vec::new(),
            rows: Vec::new(),
            assets: Vec::new(),
            sequence: 0,
            issued_ms: 0,
            target_ms: 0,
            ended: false,
        });
        return Some(());
    }
    let loaded = loaded.as_mut()?;
    match note {
        Note::Begin { .. } => {}
        Note::Track(outline) => {
            loaded.recordings.push(Recording::new(outline));
            loaded.rows.push(Vec::new());
        }
        Note::Closed(id) => {
            let recording = loaded
                .recordings
                .iter_mut()
                .find(|known| known.outline.id == id)?;
            recording.closed = true;
        }
        Note::Asset {
            path,
            range,
            length,
            root,
            media_type,
        } => loaded.assets.push(Asset {
            path,
            range,
            length,
            root,
            media_type,
        }),
        Note::Taken {
            sequence,
            issued_ms,
            target_ms,
        } => {
            loaded.sequence = sequence;
            loaded.issued_ms = issued_ms;
            loaded.target_ms = target_ms;
        }
        Note::End => loaded.ended = true,
    }
    Some(())
}

fn apply_record(loaded: &mut Loaded, body: &[u8]) -> Option<()> {
    let (track, body) = body.split_first_chunk::<2>()?;
    let (discontinuity, body) = body.split_first()?;
    let (record, body) = body.split_first_chunk::<{ RECORD_LEN as usize }>()?;
    let (name_len, body) = body.split_first_chunk::<2>()?;
    let (name, row) = body.split_at_checked(u16::from_be_bytes(*name_len).into())?;
    let record = Record::decode(record).ok()?;
    let id = TrackId(u16::from_be_bytes(*track));
    let at = loaded
        .recordings
        .iter()
        .position(|known| known.outline.id == id)?;
    let recording = loaded.recordings.get_mut(at)?;
    let range = recording
        .outline
        .start_number
        .is_none()
        .then_some((record.offset, u64::from(record.length)));
    let row: Vec<Hash> = row.chunks_exact(Hash::LEN).filter_map(Hash::from_slice).collect();
    loaded.rows.get_mut(at)?.extend_from_slice(&row);
    let recorded = Recorded {
        record,
        place: (std::str::from_utf8(name).ok()?.into(), range),
        discontinuity: *discontinuity != 0,
    };
    recording.push(recorded, row);
    Some(())
}

fn entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<CHECKSUM>()?;
    let (body, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    (checksum(body) == *sum).then_some((body, rest))
}

fn append_note(out: &mut Vec<u8>, note: &Note) {
    // These structures always have a JSON form.
    append(out, &serde_json::to_vec(note).unwrap_or_default());
}

fn append(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(&checksum(body));
    out.extend_from_slice(body);
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    let mut sum = [0; CHECKSUM];
    for (to, from) in sum.iter_mut().zip(Hash::of(&[body]).0) {
        *to = from;
    }
    sum
}

const MAGIC: &[u8] = b"swarmseal live state 1\n";
/// First byte of a record; notes begin with `{` or `"`.
const RECORD: u8 = 1;
const CHECKSUM: usize = 8;
