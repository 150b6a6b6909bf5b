//! One file per format; folders are made of handwritten playlists and bytes that only have a length.

mod dash;
mod files;
mod hls;

use std::path::Path;

use tempfile::TempDir;

use super::{Kind, Piece, Plan, PlannedTrack};
use crate::publisher::PublishError;
use crate::publisher::source::Folder;

/// A folder with the given texts, and files of the given lengths.
struct Tree(TempDir);

impl Tree {
    fn new(texts: &[(&str, &str)], files: &[(&str, u64)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (name, text) in texts {
            tree.write(name, text.as_bytes());
        }
        for (name, length) in files {
            let path = tree.parent(name);
            std::fs::File::create(path).unwrap().set_len(*length).unwrap();
        }
        tree
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.parent(name), bytes).unwrap();
    }

    fn parent(&self, name: &str) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        path
    }

    fn plan(&self) -> Plan {
        self.try_plan().unwrap()
    }

    fn try_plan(&self) -> Result<Plan, PublishError> {
        Plan::make(&Folder::open(self.0.path()).unwrap(), &[])
    }

    fn code(&self) -> &'static str {
        self.try_plan().unwrap_err().code()
    }
}

/// Names with ranges, as `name` or `name 0+10`.
fn names<'a>(pieces: impl IntoIterator<Item = &'a Piece>) -> Vec<String> {
    let name = |piece: &Piece| match piece.range {
        Some((offset, length)) => format!("{} {offset}+{length}", piece.name),
        None => piece.name.to_string(),
    };
    pieces.into_iter().map(name).collect()
}

fn assets(plan: &Plan) -> Vec<String> {
    names(plan.assets.iter().map(|asset| &asset.piece))
}

fn times(track: &PlannedTrack) -> Vec<(u64, u32)> {
    track
        .pieces
        .iter()
        .map(|piece| (piece.start, piece.duration))
        .collect()
}

/// No byte of any file may be listed twice, and none may be forgotten.
fn assert_covers_everything(tree: &Tree, plan: &Plan, left_out: &[&str]) {
    let source = Folder::open(tree.0.path()).unwrap();
    let mut listed: std::collections::BTreeMap<String, Vec<(u64, u64)>> = std::collections::BTreeMap::new();
    let pieces = plan.tracks.iter().flat_map(|track| &track.pieces);
    for piece in plan.assets.iter().map(|asset| &asset.piece).chain(pieces) {
        let length = piece.length.unwrap();
        let offset = piece.range.map_or(0, |(offset, _)| offset);
        listed
            .entry(piece.name.to_string())
            .or_default()
            .push((offset, length));
    }
    for name in crate::publisher::source::Source::entries(&source).unwrap() {
        if left_out.contains(&name.as_str()) {
            assert!(!listed.contains_key(&name), "{name} must not be listed");
            continue;
        }
        let mut ranges = listed
            .remove(&name)
            .unwrap_or_else(|| panic!("{name} is not listed"));
        ranges.sort_unstable();
        let end = ranges.iter().fold(0, |end, (offset, length)| {
            assert_eq!(*offset, end, "{name}");
            offset + length
        });
        let length = crate::publisher::source::Source::stamp(&source, &name)
            .unwrap()
            .unwrap()
            .length;
        assert_eq!(Some(end), length, "{name}");
    }
    assert!(listed.is_empty(), "{listed:?}");
}
