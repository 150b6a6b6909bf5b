mod resolution;
mod rows;
mod sheets;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::content::publish::{HashedObject, IndexBuilder, NamesBuilder, NewSegment, RowsWriter};
use crate::content::{
    ContentId, IndexFile, PAGE_RECORDS, Record, RollbackMemory, RowsFile, SecretKey, SwarmSecret, Trust,
    WallTime, tree,
};

const TIMESCALE: u32 = 1000;

/// A published content in memory: its catalog, and the files that sheets are cut from.
struct Content {
    catalog: Catalog,
    files: BTreeMap<String, Vec<u8>>,
    rows: BTreeMap<ObjectId, Vec<Hash>>,
}

/// How a track of the fixture is made.
#[derive(Clone)]
struct Plan {
    kind: TrackKind,
    names: Named,
    ranged: bool,
    /// Length of each segment, and the gap before it in its resource.
    segments: Vec<(u64, u64)>,
}

#[derive(Clone)]
enum Named {
    By(&'static str),
    Single(&'static str),
    Table(Vec<String>),
}

fn bytes(track: u16, index: usize, length: u64) -> Vec<u8> {
    (0..length)
        .map(|at| (at as usize * 31 + index * 7 + usize::from(track)) as u8 % 251)
        .collect()
}

impl Content {
    fn of(assets: &[(&str, Option<u64>, u64)], plans: &[Plan]) -> Self {
        let (mut files, mut rows, mut tracks) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let listed = (0..).zip(assets).map(|(index, (path, offset, length))| {
            let hashed = HashedObject::of(&bytes(0, index as usize, *length));
            rows.insert(ObjectId::new(TrackId::ASSETS, index), hashed.row);
            let range = offset.map(|offset| (offset, *length));
            let media_type = "text/plain".to_owned();
            Asset {
                path: (*path).to_owned(),
                range,
                length: *length,
                root: hashed.root,
                media_type,
            }
        });
        let assets = listed.collect();
        for (id, plan) in (1..).zip(plans) {
            tracks.push(publish(id, plan, &mut files, &mut rows));
        }
        let manifest = Manifest {
            assets,
            tracks,
            ..Manifest::new(ContentId([1; 16]), SwarmSecret([2; 32]), 1..2)
        };
        let key = SecretKey::from_seed(&[3; 32]);
        let sealed = manifest.sign(&key).unwrap();
        let mut trust = Trust::new(vec![key.public()], None, "", RollbackMemory::default());
        let manifest = trust
            .verify(
                &sealed,
                WallTime {
                    unix_s: 1,
                    uncertainty_s: 0,
                },
            )
            .unwrap();
        Self {
            catalog: Catalog::new(manifest),
            files,
            rows,
        }
    }

    fn bytes_of(&self, sheet: &Sheet) -> Vec<u8> {
        let location = self
            .catalog
            .sheet_location(sheet)
            .expect("a sheet that was asked for has a place");
        let (offset, length) = location.range.unwrap();
        self.files[&location.path][offset as usize..][..length as usize].to_vec()
    }

    fn fetch(&mut self, sheet: &Sheet) {
        let bytes = self.bytes_of(sheet);
        assert_eq!(self.catalog.accept_sheet(sheet, &bytes), Ok(()));
    }

    /// Resolves, fetching what is asked for; says how many sheets that took.
    fn resolve(&mut self, path: &str, range: Option<(u64, u64)>) -> (Resolution, usize) {
        let mut fetched = 0;
        loop {
            match self.catalog.resolve(path, range) {
                Resolution::Need(sheets) => {
                    assert!(!sheets.is_empty());
                    fetched += sheets.len();
                    sheets.iter().for_each(|sheet| self.fetch(sheet));
                }
                resolution => return (resolution, fetched),
            }
        }
    }

    fn load(&mut self, id: ObjectId) {
        while let Some(sheet) = self.catalog.sheet_for(id) {
            self.fetch(&sheet);
        }
    }

    fn load_all(&mut self) {
        for id in self.rows.keys().copied().collect::<Vec<_>>() {
            self.load(id);
        }
    }
}

fn publish(
    id: u16,
    plan: &Plan,
    files: &mut BTreeMap<String, Vec<u8>>,
    rows: &mut BTreeMap<ObjectId, Vec<Hash>>,
) -> Track {
    let (mut index, mut writer, mut names) = (IndexBuilder::default(), RowsWriter::new(Vec::new()), None);
    let (mut offset, mut resource) = (0, String::new());
    for (at, (length, gap)) in plan.segments.iter().enumerate() {
        let hashed = HashedObject::of(&bytes(id, at, *length));
        if let Named::Table(table) = &plan.names {
            names
                .get_or_insert_with(NamesBuilder::default)
                .push(&table[at])
                .unwrap();
            offset = if table[at] == resource { offset } else { 0 };
            resource.clone_from(&table[at]);
        }
        offset += gap;
        let media_start = if plan.kind == TrackKind::Files {
            0
        } else {
            at as u64 * 2000
        };
        let duration = if plan.kind == TrackKind::Files { 0 } else { 2000 };
        let listed_offset = if plan.ranged { offset } else { 0 };
        let segment = NewSegment {
            root: hashed.root,
            length: *length,
            offset: listed_offset,
            media_start,
            duration,
        };
        index.push(&segment).unwrap();
        writer.push(&hashed.row).unwrap();
        rows.insert(ObjectId::new(TrackId(id), at as u32), hashed.row);
        offset += length;
    }
    let index = index.finish();
    let path = |kind: &str| format!("seal/track-{id}.{kind}");
    files.insert(path("index"), index.bytes);
    files.insert(path("rows"), writer.finish().unwrap());
    let names = names.map(NamesBuilder::finish);
    let named = match &plan.names {
        Named::By(pattern) => Names::Template {
            pattern: (*pattern).to_owned(),
            start_number: 1,
        },
        Named::Single(path) => Names::Single {
            path: (*path).to_owned(),
        },
        Named::Table(_) => Names::Table {
            path: path("names"),
            root: names.as_ref().unwrap().root,
        },
    };
    files.extend(names.map(|names| (path("names"), names.bytes)));
    Track {
        id: TrackId(id),
        kind: plan.kind,
        media_type: "video/mp4".to_owned(),
        timescale: TIMESCALE,
        segments: plan.segments.len() as u32,
        bitrate: None,
        index: IndexFile {
            path: path("index"),
            root: index.root,
        },
        rows: RowsFile { path: path("rows") },
        names: named,
        ranged: plan.ranged,
    }
}

fn video(pattern: &'static str, segments: usize) -> Plan {
    let segments = (0..segments).map(|at| (1 + at as u64 % 3, 0)).collect();
    Plan {
        kind: TrackKind::Video,
        names: Named::By(pattern),
        ranged: false,
        segments,
    }
}

fn object(track: u16, index: u32) -> ObjectId {
    ObjectId::new(TrackId(track), index)
}

fn whole(track: u16, index: u32, len: u64) -> Resolution {
    Resolution::Found(vec![Span {
        object: object(track, index),
        first: 0,
        len,
    }])
}

#[test]
fn scaling_is_exact_and_stops_at_the_largest_number() {
    for value in [0, 1, 89_999, 90_000, 90_001, 1 << 53, u64::MAX] {
        for by in [0, 1, 3, 90_000, u64::from(u32::MAX)] {
            let exact = u128::from(value) * 1_000_000 / u128::from(by.max(1));
            let expected = u64::try_from(exact).unwrap_or(u64::MAX);
            assert_eq!(index::scaled(value, 1_000_000, by), expected, "{value} / {by}");
        }
    }
}
