//! Rules about the values of a head: whatever passes here can be used without further checks, as far as one head can
//! tell.

use alloc::string::String;
use alloc::vec::Vec;

use super::{
    HeadError, LiveHead, LiveTrack, MAX_DIGESTS, MAX_DOCUMENTS, MAX_LIVE_ASSETS, MAX_LIVE_TRACKS, Parts,
};
use crate::content::geometry::{MAX_SEGMENTS, MAX_TRACK};
use crate::content::manifest::rules::{check_asset, check_media_type, check_path};
use crate::content::{Hash, MAX_NUMBER, Names, Record, RecordError, Template, tree};
use crate::ordered::OrderedMap;
use core::ops::RangeInclusive;

pub(super) fn check(head: &LiveHead, significant: &[String]) -> Result<(), HeadError> {
    let numbers = [head.session, head.log, head.sequence];
    let is_number = |number: &u64| (1..=MAX_NUMBER).contains(number);
    if !numbers.iter().all(is_number) || head.issued_ms > MAX_NUMBER || head.target_ms == 0 {
        return Err(HeadError::NumberRange);
    }
    if head.log > head.session {
        return Err(HeadError::LogNumber);
    }
    if head.tracks.len() > MAX_LIVE_TRACKS
        || head.assets.len() > MAX_LIVE_ASSETS
        || head.documents.len() > MAX_DOCUMENTS
    {
        return Err(HeadError::TooMany);
    }
    for track in &head.tracks {
        check_track(track, significant)?;
    }
    if !head.tracks.is_sorted_by(|a, b| a.id < b.id) {
        return Err(HeadError::TrackOrder);
    }
    for track in &head.tracks {
        if let Some(parts) = &track.parts {
            check_parts(head, track, parts)?;
        }
    }
    check_listed(head, significant)
}

fn check_track(track: &LiveTrack, significant: &[String]) -> Result<(), HeadError> {
    if !(1..=MAX_TRACK).contains(&track.id.0) {
        return Err(HeadError::TrackOrder);
    }
    if track.timescale == 0 || track.bitrate.is_some_and(|bitrate| bitrate > MAX_NUMBER) {
        return Err(HeadError::NumberRange);
    }
    check_media_type(&track.media_type)?;
    if track.base > MAX_SEGMENTS || track.records.len() > (MAX_SEGMENTS - track.base) as usize {
        return Err(HeadError::LogSize);
    }
    if track.frontier.len() != track.base.count_ones() as usize {
        return Err(HeadError::Frontier);
    }
    let order = Order::of(track, significant)?;
    let mut previous = None;
    for (index, record) in (track.base..).zip(&track.records) {
        order.check(index, record, previous)?;
        previous = Some(record);
    }
    check_rows(track)?;
    let carried = track.base..track.size();
    if !track.discontinuities.is_sorted_by(|a, b| a < b)
        || !track.discontinuities.iter().all(|index| carried.contains(index))
    {
        return Err(HeadError::Discontinuity);
    }
    Ok(())
}

/// What the records of one track have to keep, one after the other.
pub(super) struct Order {
    ranged: bool,
    one_resource: bool,
    named_by_time: bool,
}

impl Order {
    pub(super) fn of(track: &LiveTrack, significant: &[String]) -> Result<Self, HeadError> {
        let mut order = Self {
            ranged: track.ranged,
            one_resource: false,
            named_by_time: false,
        };
        match &track.names {
            Names::Template {
                pattern,
                start_number,
            } => {
                let template = Template::parse(pattern)?;
                check_path(&template.name(0), significant)?;
                check_path(&template.name(MAX_NUMBER), significant)?;
                if *start_number > MAX_NUMBER - u64::from(MAX_SEGMENTS) {
                    return Err(HeadError::NumberRange);
                }
                order.named_by_time = template.is_time();
            }
            Names::Single { path } if track.ranged => {
                check_path(path, significant)?;
                order.one_resource = true;
            }
            // Without a rule for names, or with one name for all that comes, no later segment has a name.
            Names::Single { .. } | Names::Table { .. } => return Err(HeadError::UnsupportedFeature),
        }
        Ok(order)
    }

    pub(super) fn check(
        &self,
        index: u32,
        record: &Record,
        previous: Option<&Record>,
    ) -> Result<(), HeadError> {
        match (self.ranged, record.length, record.offset) {
            (true, 0, _) => return Err(RecordError::EmptyRange.into()),
            (false, _, 1..) => return Err(RecordError::UnexpectedOffset.into()),
            // Where media starts are names, what is missing has none; where numbers are, it has to be skipped.
            (false, 0, _) if record.root != tree::root(&[]) || self.named_by_time => {
                return Err(HeadError::Gap);
            }
            _ => {}
        }
        if index == 0 && record.row_offset != 0 {
            return Err(RecordError::RowGap.into());
        }
        let Some(previous) = previous else { return Ok(()) };
        if record.row_offset != previous.row_offset + previous.row_len() {
            return Err(RecordError::RowGap.into());
        }
        if self.one_resource && record.offset < previous.end() {
            return Err(RecordError::RangeOrder.into());
        }
        let in_order = if self.named_by_time {
            record.media_start > previous.media_start
        } else {
            record.media_start >= previous.media_start
        };
        if in_order {
            Ok(())
        } else {
            Err(RecordError::TimeOrder.into())
        }
    }
}

fn check_rows(track: &LiveTrack) -> Result<(), HeadError> {
    let Some(without) = track.records.len().checked_sub(track.rows.len()) else {
        return Err(HeadError::Row);
    };
    let with_row = track.records.iter().skip(without);
    let fits = |(record, row): (&Record, &Vec<Hash>)| {
        record.row_len() == (row.len() * Hash::LEN) as u64 && tree::root(row) == record.root
    };
    if with_row.zip(&track.rows).all(fits) {
        Ok(())
    } else {
        Err(HeadError::Row)
    }
}

fn check_parts(head: &LiveHead, track: &LiveTrack, parts: &Parts) -> Result<(), HeadError> {
    let parent_track = head
        .track(parts.of)
        .filter(|other| other.id != track.id && other.parts.is_none() && other.timescale == track.timescale)
        .ok_or(HeadError::PartsOf)?;
    let mut expected = None;
    for parent in &parts.parents {
        let end = parent
            .first
            .checked_add(parent.count)
            .filter(|end| *end <= track.size());
        let follows = expected.is_none_or(|next| next == (parent.segment, parent.first));
        let (Some(end), true) = (
            end,
            follows && parent.count > 0 && parent.segment <= parent_track.size(),
        ) else {
            return Err(HeadError::Parents);
        };
        // Saturating is enough: a position beyond the last one is refused above.
        expected = Some((parent.segment.saturating_add(1), end));
        let lengths = (parent.first..end).map(|index| Some(u64::from(track.record(index)?.length)));
        let whole = parent_track
            .record(parent.segment)
            .map(|record| u64::from(record.length));
        // A range of parts is at most what a head can carry.
        let sum: Option<u64> = if end - parent.first <= track.records.len() as u32 {
            lengths.sum()
        } else {
            None
        };
        if let (Some(whole), Some(sum)) = (whole, sum)
            && whole != sum
        {
            return Err(HeadError::PartLengths);
        }
    }
    Ok(())
}

/// Assets and documents in normal form, and no name twice among them and the segments that open tracks have and will
/// have. What a closed track and an open one both name is the open one's: its packager began anew.
fn check_listed(head: &LiveHead, significant: &[String]) -> Result<(), HeadError> {
    let mut names: OrderedMap<(&str, Option<u64>), ()> = OrderedMap::new();
    for asset in &head.assets {
        check_asset(asset, significant)?;
        let offset = asset.range.map(|(offset, _)| offset);
        if names.insert((&asset.path, offset), ()).is_some() {
            return Err(HeadError::DuplicateName);
        }
    }
    for document in &head.documents {
        check_path(&document.path, significant)?;
        check_media_type(&document.media_type)?;
        if !(1..=MAX_DIGESTS).contains(&document.digests.len()) {
            return Err(HeadError::Digests);
        }
        if names.insert((&document.path, None), ()).is_some() {
            return Err(HeadError::DuplicateName);
        }
    }
    let mut series: Vec<(Template, Option<RangeInclusive<u64>>)> = Vec::new();
    for track in head.tracks.iter().filter(|track| !track.closed) {
        match &track.names {
            Names::Template {
                pattern,
                start_number,
            } => {
                let template = Template::parse(pattern)?;
                let values = *start_number..=start_number + u64::from(MAX_SEGMENTS);
                let values = (!template.is_time()).then_some(values);
                let is_taken = |path: &str| {
                    template
                        .value(path)
                        .is_some_and(|value| values.as_ref().is_none_or(|values| values.contains(&value)))
                };
                // The parts of a segment may be ranges of it.
                let meets = |(other, others): &(Template, Option<RangeInclusive<u64>>)| {
                    !track.ranged && template.may_collide(values.clone(), other, others.clone())
                };
                let listed = names
                    .keys()
                    .any(|(path, offset)| offset.is_none() && is_taken(path));
                if listed || series.iter().any(meets) {
                    return Err(HeadError::DuplicateName);
                }
                if !track.ranged {
                    series.push((template, values));
                }
            }
            Names::Single { path } => {
                if names.contains_key(&(path.as_str(), None)) {
                    return Err(HeadError::DuplicateName);
                }
            }
            Names::Table { .. } => {}
        }
    }
    Ok(())
}
