//! Hash rows of earlier runs, so that an interrupted run continues and a repeated one only reads what changed.
//!
//! One append-only file. A record counts when it is complete and its checksum is right; what follows the last such
//! record was cut off by an interruption and is dropped. Records are found again by name, range, length and validator
//! (modification time or entity tag) of the resource.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use swarmseal::content::{Hash, MAX_CHUNKS};

use super::PublishError;
use super::source::Stamp;

/// What was hashed: a resource or a range of it.
pub type Place = (std::sync::Arc<str>, Option<(u64, u64)>);

/// The result of hashing one object; its row stays in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// Root of the object's tree.
    pub root: Hash,
    /// Length of the object.
    pub length: u64,
    row_position: u64,
    row_len: u32,
}

/// The file and what is known of it.
pub struct Journal {
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    end: u64,
    known: HashMap<Place, Known>,
    records: usize,
}

struct Known {
    hashed: Hashed,
    stamp: Stamp,
    record: (u64, u64),
}

impl Journal {
    /// Opens the journal, or begins a new one.
    pub fn open(path: PathBuf) -> Result<Self, PublishError> {
        let failed = |error| PublishError::file(&path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let (known, records, end) = load(&file).map_err(failed)?;
        let end = if end == 0 {
            file.set_len(0).map_err(failed)?;
            file.seek(SeekFrom::Start(0)).map_err(failed)?;
            file.write_all(MAGIC).map_err(failed)?;
            MAGIC.len() as u64
        } else {
            file.set_len(end).map_err(failed)?;
            end
        };
        Ok(Self {
            path,
            inner: Mutex::new(Inner {
                file,
                end,
                known,
                records,
            }),
        })
    }

    /// What an earlier run found, if the resource is still the same.
    pub fn find(&self, place: &Place, stamp: &Stamp) -> Option<Hashed> {
        if stamp.validator.is_empty() {
            return None;
        }
        self.lock()
            .known
            .get(place)
            .filter(|known| known.stamp == *stamp)
            .map(|known| known.hashed)
    }

    /// Whether an earlier run hashed this place, in whatever state it was.
    pub fn knows(&self, place: &Place) -> bool {
        self.lock().known.contains_key(place)
    }

    /// Notes the row of an object.
    pub fn add(
        &self,
        place: Place,
        stamp: Stamp,
        length: u64,
        root: Hash,
        row: &[Hash],
    ) -> Result<Hashed, PublishError> {
        let body = encode(&place, &stamp, length, root, row);
        let mut inner = self.lock();
        let start = inner.end;
        let mut record = Vec::with_capacity(body.len() + HEAD);
        record.extend_from_slice(&(body.len() as u32).to_be_bytes());
        record.extend_from_slice(&checksum(&body));
        record.extend_from_slice(&body);
        let row_bytes = row.len() * Hash::LEN;
        let hashed = Hashed {
            root,
            length,
            row_position: start + (record.len() - row_bytes) as u64,
            row_len: row.len() as u32,
        };
        let written = inner
            .file
            .seek(SeekFrom::Start(start))
            .and_then(|_| inner.file.write_all(&record));
        written.map_err(|error| PublishError::file(&self.path, error))?;
        inner.end = start + record.len() as u64;
        inner.records += 1;
        let record = (start, record.len() as u64);
        inner.known.insert(
            place,
            Known {
                hashed,
                stamp,
                record,
            },
        );
        Ok(hashed)
    }

    /// The leaf hashes of an object.
    pub fn row(&self, hashed: &Hashed) -> Result<Vec<Hash>, PublishError> {
        let mut bytes = vec![0; hashed.row_len as usize * Hash::LEN];
        let mut inner = self.lock();
        inner
            .file
            .seek(SeekFrom::Start(hashed.row_position))
            .and_then(|_| inner.file.read_exact(&mut bytes))
            .map_err(|error| PublishError::file(&self.path, error))?;
        Ok(bytes
            .chunks_exact(Hash::LEN)
            .filter_map(Hash::from_slice)
            .collect())
    }

    /// Rewrites the file if more than half of its records describe what is no longer there.
    pub fn compact(&self, is_used: impl Fn(&Place) -> bool) -> Result<(), PublishError> {
        let failed = |error| PublishError::file(&self.path, error);
        let mut inner = self.lock();
        let mut used: Vec<(u64, u64)> = inner
            .known
            .iter()
            .filter(|(place, _)| is_used(place))
            .map(|(_, known)| known.record)
            .collect();
        if used.len() * 2 >= inner.records {
            return Ok(());
        }
        used.sort_unstable();
        let new_path = self.path.with_extension("new");
        let mut new = File::create(&new_path).map_err(failed)?;
        new.write_all(MAGIC).map_err(failed)?;
        for (start, length) in used {
            inner.file.seek(SeekFrom::Start(start)).map_err(failed)?;
            std::io::copy(&mut (&mut inner.file).take(length), &mut new).map_err(failed)?;
        }
        drop(new);
        std::fs::rename(&new_path, &self.path).map_err(failed)?;
        drop(inner);
        let fresh = Self::open(self.path.clone())?;
        let fresh = fresh.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.lock() = fresh;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change leaves the journal usable: the file counts only up to `end`.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Known objects, number of records, and the end of the last good one (0: the file is none of ours).
fn load(file: &File) -> std::io::Result<(HashMap<Place, Known>, usize, u64)> {
    let mut known = HashMap::new();
    let mut records = 0;
    let mut reader = BufReader::new(file);
    let mut magic = [0; MAGIC.len()];
    if !fill(&mut reader, &mut magic)? || magic != *MAGIC {
        return Ok((known, 0, 0));
    }
    let mut end = MAGIC.len() as u64;
    let mut body = Vec::new();
    loop {
        let mut head = [0; HEAD];
        if !fill(&mut reader, &mut head)? {
            break;
        }
        let (length, sum) = head.split_at(4);
        let length = length
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        if length > RECORD_LIMIT {
            break;
        }
        body.resize(length, 0);
        if !fill(&mut reader, &mut body)? || sum != checksum(&body) {
            break;
        }
        let record = (HEAD + length) as u64;
        let Some((place, stamp, hashed)) = decode(&body, end + record) else {
            break;
        };
        known.insert(
            place,
            Known {
                hashed,
                stamp,
                record: (end, record),
            },
        );
        records += 1;
        end += record;
    }
    Ok((known, records, end))
}

/// `false`: the file ends before.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn encode(place: &Place, stamp: &Stamp, length: u64, root: Hash, row: &[Hash]) -> Vec<u8> {
    let (name, range) = place;
    let (offset, size) = range.unwrap_or((WHOLE, WHOLE));
    let mut body = Vec::with_capacity(name.len() + stamp.validator.len() + 80 + row.len() * Hash::LEN);
    for text in [name.as_bytes(), stamp.validator.as_bytes()] {
        body.extend_from_slice(&(text.len() as u32).to_be_bytes());
        body.extend_from_slice(text);
    }
    for number in [offset, size, stamp.length.unwrap_or(WHOLE), length] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    body.extend_from_slice(&root.0);
    row.iter().for_each(|leaf| body.extend_from_slice(&leaf.0));
    body
}

fn decode(body: &[u8], end: u64) -> Option<(Place, Stamp, Hashed)> {
    let mut rest = body;
    let name = text(&mut rest)?;
    let validator = text(&mut rest)?;
    let mut numbers = [0; 4];
    for number in &mut numbers {
        let (bytes, after) = rest.split_first_chunk::<8>()?;
        *number = u64::from_be_bytes(*bytes);
        rest = after;
    }
    let [offset, size, resource, length] = numbers;
    let (root, row) = rest.split_first_chunk::<{ Hash::LEN }>()?;
    if row.len() % Hash::LEN != 0 {
        return None;
    }
    let range = (offset != WHOLE).then_some((offset, size));
    let hashed = Hashed {
        root: Hash(*root),
        length,
        row_position: end - row.len() as u64,
        row_len: (row.len() / Hash::LEN) as u32,
    };
    let stamp = Stamp {
        length: (resource != WHOLE).then_some(resource),
        validator: validator.to_owned(),
    };
    Some(((name.into(), range), stamp, hashed))
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (text, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

/// Against torn writes, not against somebody who may write into the folder anyway.
fn checksum(body: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = Hash::of(&[body]).0;
    [a, b, c, d]
}

/// Folder of the state in `seal/`, and the file in it.
pub(super) const FOLDER: &str = ".state";
pub(super) const FILE: &str = "hashes";
const MAGIC: &[u8; 20] = b"swarmseal-hashes-1\r\n";
/// Length and checksum.
const HEAD: usize = 8;
const WHOLE: u64 = u64::MAX;
/// A full row, a long name and a long entity tag.
const RECORD_LIMIT: usize = MAX_CHUNKS as usize * Hash::LEN + 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(validator: &str) -> Stamp {
        Stamp {
            length: Some(40_000),
            validator: validator.to_owned(),
        }
    }

    fn row(fill: u8) -> Vec<Hash> {
        (0..3).map(|index| Hash([fill + index; 32])).collect()
    }

    #[test]
    fn rows_survive_the_end_of_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hashes");
        let whole: Place = ("a".into(), None);
        let part: Place = ("a".into(), Some((5, 10)));
        let journal = Journal::open(path.clone()).unwrap();
        journal
            .add(whole.clone(), stamp("1"), 40_000, Hash([9; 32]), &row(1))
            .unwrap();
        journal
            .add(part.clone(), stamp("1"), 10, Hash([8; 32]), &row(5)[..1])
            .unwrap();
        drop(journal);
        let journal = Journal::open(path).unwrap();
        let hashed = journal.find(&whole, &stamp("1")).unwrap();
        assert_eq!((hashed.root, hashed.length), (Hash([9; 32]), 40_000));
        assert_eq!(journal.row(&hashed).unwrap(), row(1));
        let hashed = journal.find(&part, &stamp("1")).unwrap();
        assert_eq!(journal.row(&hashed).unwrap(), row(5)[..1]);
        assert_eq!(journal.find(&whole, &stamp("2")), None);
        assert_eq!(journal.find(&("b".into(), None), &stamp("1")), None);
    }

    #[test]
    fn without_a_validator_nothing_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("hashes")).unwrap();
        let place: Place = ("a".into(), None);
        journal
            .add(place.clone(), stamp(""), 1, Hash([1; 32]), &row(1))
            .unwrap();
        assert_eq!(journal.find(&place, &stamp("")), None);
    }

    #[test]
    fn a_torn_record_is_dropped_and_the_rest_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hashes");
        let places: Vec<Place> = ["a", "b"].map(|name| (name.into(), None)).to_vec();
        let journal = Journal::open(path.clone()).unwrap();
        for place in &places {
            journal
                .add(place.clone(), stamp("1"), 1, Hash([1; 32]), &row(1))
                .unwrap();
        }
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..60 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let journal = Journal::open(path.clone()).unwrap();
            assert!(journal.find(&places[0], &stamp("1")).is_some());
            assert!(journal.find(&places[1], &stamp("1")).is_none());
            let again = journal
                .add(places[1].clone(), stamp("1"), 1, Hash([2; 32]), &row(7))
                .unwrap();
            assert_eq!(journal.row(&again).unwrap(), row(7));
        }
        std::fs::write(&path, b"something else").unwrap();
        assert!(
            Journal::open(path)
                .unwrap()
                .find(&places[0], &stamp("1"))
                .is_none()
        );
    }

    #[test]
    fn compaction_keeps_what_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path().join("hashes")).unwrap();
        for version in ["1", "2", "3", "4"] {
            for name in ["a", "b"] {
                journal
                    .add((name.into(), None), stamp(version), 1, Hash([1; 32]), &row(1))
                    .unwrap();
            }
        }
        let before = std::fs::metadata(folder.path().join("hashes")).unwrap().len();
        journal.compact(|(name, _)| &**name == "a").unwrap();
        let after = std::fs::metadata(folder.path().join("hashes")).unwrap().len();
        assert!(after < before / 4);
        let hashed = journal.find(&("a".into(), None), &stamp("4")).unwrap();
        assert_eq!(journal.row(&hashed).unwrap(), row(1));
        assert_eq!(journal.find(&("b".into(), None), &stamp("4")), None);
    }
}
