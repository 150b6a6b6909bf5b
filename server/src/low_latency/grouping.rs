//! Which part belongs to which parent, and what is still listed.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::playlist::Read;
use crate::fmp4::Header;
use crate::publisher::PublishError;

/// A fragment as the first packager lists it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fragment {
    /// Its media sequence number.
    pub(super) number: u64,
    pub(super) uri: String,
    pub(super) duration_us: u64,
    pub(super) discontinuity: bool,
    /// RFC 3339, if the packager says it.
    pub(super) date_time: Option<String>,
}

/// One rendition: everything that is listed, and kept over a restart.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Grouping {
    /// File name of the playlist without its ending.
    stem: String,
    segment_us: u64,
    /// No part is longer; 0 before the first one.
    pub(super) part_target_us: u64,
    /// Media sequence number of the fragment that comes next.
    next_fragment: u64,
    next_part: u64,
    next_parent: u64,
    pub(super) parents: VecDeque<Parent>,
    /// Parts of the parent that is being made.
    pub(super) open: Vec<Part>,
    /// Files that are in no playlist any more, and when nobody may want them any more, Unix milliseconds.
    leaving: VecDeque<(String, u64)>,
    pub(super) ended: bool,
    #[serde(with = "header_bytes")]
    header: Option<(Vec<u8>, Header)>,
}

/// A finished segment.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Parent {
    pub(super) number: u64,
    pub(super) parts: Vec<Part>,
}

/// A part of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) number: u64,
    fragment: u64,
    pub(super) duration_us: u64,
    pub(super) independent: bool,
    pub(super) discontinuity: bool,
    pub(super) date_time: Option<String>,
}

impl Parent {
    pub(super) fn duration_us(&self) -> u64 {
        duration_us(&self.parts)
    }
}

impl Grouping {
    /// `name`: the playlist.
    pub(super) fn new(name: &str, segment_ms: u32) -> Self {
        let file = name.rsplit('/').next().unwrap_or(name);
        Self {
            stem: file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned(),
            segment_us: u64::from(segment_ms) * 1_000,
            part_target_us: 0,
            next_fragment: 0,
            next_part: 0,
            next_parent: 0,
            parents: VecDeque::new(),
            open: Vec::new(),
            leaving: VecDeque::new(),
            ended: false,
            header: None,
        }
    }

    pub(super) const fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// Begins with what is listed by now.
    pub(super) fn begin(&mut self, read: &Read, header: &[u8]) -> Result<(), PublishError> {
        let parsed = Header::read(header)
            .map_err(|detail| PublishError::unreadable(&read.header, format!("as a header, {detail}")))?;
        let longest = read.fragments.iter().map(|fragment| fragment.duration_us).max();
        // It may not change any more, so a little more than the longest so far.
        self.part_target_us = longest.unwrap_or(0).div_ceil(TARGET_STEP_US) * TARGET_STEP_US;
        self.next_fragment = read.first;
        self.header = Some((header.to_vec(), parsed));
        Ok(())
    }

    /// Whether a playlist can be a later version of the one that was grouped so far.
    pub(super) fn may_follow(&self, read: &Read) -> bool {
        let end = read.fragments.last().map_or(read.first, |last| last.number + 1);
        end >= self.next_fragment
    }

    /// Whether this fragment has not been taken yet.
    pub(super) const fn is_next(&self, fragment: &Fragment) -> bool {
        fragment.number >= self.next_fragment
    }

    pub(super) fn is_independent(&self, name: &str, fragment: &[u8]) -> Result<bool, PublishError> {
        let unreadable = |detail: String| PublishError::unreadable(name, format!("a fragment: {detail}"));
        let (_, header) = self
            .header
            .as_ref()
            .ok_or_else(|| unreadable("its header is missing".to_owned()))?;
        header.is_independent(fragment).map_err(unreadable)
    }

    /// Whether the parent that is being made ends before a fragment.
    pub(super) fn ends_before(&self, independent: bool) -> bool {
        let length = duration_us(&self.open);
        // Audio is cut where its packager can, which is not exactly where the video is.
        let long_enough = length + self.part_target_us / 2 >= self.segment_us;
        (independent && long_enough) || length >= self.segment_us * LONGEST
    }

    /// Takes a fragment as the next part, and gives that one's name.
    pub(super) fn take(&mut self, fragment: &Fragment, independent: bool) -> String {
        let number = self.next_part;
        self.open.push(Part {
            number,
            fragment: fragment.number,
            duration_us: fragment.duration_us,
            independent,
            // What came between was never seen.
            discontinuity: fragment.discontinuity || (number > 0 && fragment.number > self.next_fragment),
            date_time: fragment.date_time.clone(),
        });
        self.next_part += 1;
        self.next_fragment = fragment.number + 1;
        self.part_name(number)
    }

    pub(super) fn open_names(&self) -> Vec<String> {
        self.open.iter().map(|part| self.part_name(part.number)).collect()
    }

    /// Makes a parent of the parts that are open, and gives its name; `None` if there are none.
    pub(super) fn finish(&mut self) -> Option<String> {
        if self.open.is_empty() {
            return None;
        }
        let number = self.next_parent;
        self.parents.push_back(Parent {
            number,
            parts: core::mem::take(&mut self.open),
        });
        self.next_parent += 1;
        Some(self.parent_name(number))
    }

    /// Drops from the list what the first packager does not list any more, `first` being its first fragment; but a player
    /// needs three segments.
    pub(super) fn slide(&mut self, first: u64, now_ms: u64) {
        let is_old = |parent: &Parent| parent.parts.last().is_none_or(|last| last.fragment < first);
        while self.parents.len() > FEWEST && self.parents.front().is_some_and(is_old) {
            // RFC 8216 §6.2.2: as long as the playlist was, and the segment.
            let listed: u64 = self.parents.iter().map(Parent::duration_us).sum();
            let Some(parent) = self.parents.pop_front() else {
                return;
            };
            let gone_ms = now_ms + (listed + parent.duration_us()) / 1_000;
            self.leaving.push_back((self.parent_name(parent.number), gone_ms));
            for part in &parent.parts {
                self.leaving.push_back((self.part_name(part.number), gone_ms));
            }
        }
    }

    /// Files to delete now.
    pub(super) fn gone(&mut self, now_ms: u64) -> Vec<String> {
        let count = self.leaving.iter().take_while(|(_, at)| *at <= now_ms).count();
        self.leaving.drain(..count).map(|(name, _)| name).collect()
    }

    pub(super) fn header_name(&self) -> String {
        format!("{}-init.mp4", self.stem)
    }

    pub(super) fn part_name(&self, number: u64) -> String {
        format!("{}-part-{number}.m4s", self.stem)
    }

    pub(super) fn parent_name(&self, number: u64) -> String {
        format!("{}-{number}.m4s", self.stem)
    }

    /// The number that the next part will have.
    pub(super) const fn next_part(&self) -> u64 {
        self.next_part
    }

    /// The longest that a parent may last, in whole seconds.
    pub(super) fn target_s(&self) -> u64 {
        let parents = self.parents.iter().map(Parent::duration_us);
        let longest = parents.max().unwrap_or(0).max(self.segment_us);
        (longest + 500_000) / 1_000_000
    }
}

/// Where the state of a playlist is kept: beside what is served, but never served itself.
pub(super) fn state_name(playlist: &str) -> String {
    match playlist.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/.{file}.state"),
        None => format!(".{playlist}.state"),
    }
}

fn duration_us(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.duration_us).sum()
}

/// A header is kept as its bytes.
mod header_bytes {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    use crate::fmp4::Header;

    type Kept = Option<(Vec<u8>, Header)>;

    pub(super) fn serialize<S: Serializer>(header: &Kept, serializer: S) -> Result<S::Ok, S::Error> {
        header.as_ref().map(|(bytes, _)| bytes).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kept, D::Error> {
        let Some(bytes) = Option::<Vec<u8>>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let header = Header::read(&bytes).map_err(D::Error::custom)?;
        Ok(Some((bytes, header)))
    }
}

/// Parts are said to be at most a multiple of this.
const TARGET_STEP_US: u64 = 50_000;
/// A parent ends at the latest when it is so many times as long as it should be, wherever its stream can begin.
const LONGEST: u64 = 3;
/// Parents that stay listed.
const FEWEST: usize = 3;
