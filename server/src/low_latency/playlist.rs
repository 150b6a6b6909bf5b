//! The playlist of the first packager, and the one that players get.

use std::fmt::Write as _;
use std::time::Duration;

use super::grouping::{Fragment, Grouping, Parent, Part};
use crate::publisher::PublishError;

/// A media playlist of fragments.
pub(super) struct Read {
    /// Media sequence number of the first fragment.
    pub(super) first: u64,
    /// URI of the header.
    pub(super) header: String,
    pub(super) fragments: Vec<Fragment>,
    pub(super) ended: bool,
}

/// Reads the playlist `name`.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Read, PublishError> {
    let parsed = m3u8_rs::parse_media_playlist_res(bytes)
        .map_err(|_| PublishError::unreadable(name, "it is no media playlist"))?;
    let unsupported = |feature: &str| PublishError::Unsupported {
        name: name.to_owned(),
        feature: feature.to_owned(),
    };
    let mut header: Option<String> = None;
    let mut fragments = Vec::with_capacity(parsed.segments.len());
    for (segment, number) in parsed.segments.iter().zip(parsed.media_sequence..) {
        if let Some(map) = &segment.map {
            if header.as_ref().is_some_and(|known| *known != map.uri) || map.byte_range.is_some() {
                return Err(unsupported(
                    "another EXT-X-MAP, or a range of one, for low latency",
                ));
            }
            header = Some(map.uri.clone());
        }
        if segment.byte_range.is_some() || segment.key.is_some() {
            return Err(unsupported("EXT-X-BYTERANGE or EXT-X-KEY for low latency"));
        }
        if !(0.0..MAX_FRAGMENT_S).contains(&segment.duration) {
            return Err(PublishError::unreadable(
                name,
                format!("a fragment lasts {} s", segment.duration),
            ));
        }
        fragments.push(Fragment {
            number,
            uri: segment.uri.clone(),
            duration_us: (f64::from(segment.duration) * 1e6).round() as u64,
            discontinuity: segment.discontinuity,
            date_time: segment.program_date_time.map(|date_time| date_time.to_rfc3339()),
        });
    }
    if header.is_none() && !fragments.is_empty() {
        return Err(unsupported(
            "fragments without EXT-X-MAP for low latency: only fMP4",
        ));
    }
    Ok(Read {
        first: parsed.media_sequence,
        header: header.unwrap_or_default(),
        fragments,
        ended: parsed.end_list,
    })
}

/// Writes the playlist of a rendition.
pub(super) fn write(grouping: &Grouping) -> String {
    let part_target = seconds(grouping.part_target_us);
    let target_s = grouping.target_s();
    let first = grouping.parents.front().map_or(0, |parent| parent.number);
    // Writing to a string does not fail.
    let mut text = format!("#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:{target_s}\n");
    if !grouping.ended {
        let hold_back = seconds(grouping.part_target_us * HOLD_BACK_PARTS);
        let _ = write!(
            text,
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={hold_back:.3}\n\
             #EXT-X-PART-INF:PART-TARGET={part_target:.3}\n"
        );
    }
    let _ = writeln!(text, "#EXT-X-MEDIA-SEQUENCE:{first}");
    if grouping
        .parents
        .iter()
        .all(|parent| parent.parts.first().is_some_and(|part| part.independent))
    {
        text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    let _ = writeln!(text, "#EXT-X-MAP:URI=\"{}\"", grouping.header_name());
    let with_parts = first_with_parts(grouping, target_s);
    for (index, parent) in grouping.parents.iter().enumerate() {
        begin(&mut text, &parent.parts);
        if index >= with_parts && !grouping.ended {
            list(&mut text, grouping, &parent.parts);
        }
        let _ = writeln!(
            text,
            "#EXTINF:{:.6},\n{}",
            seconds(parent.duration_us()),
            grouping.parent_name(parent.number)
        );
    }
    if grouping.ended {
        text.push_str("#EXT-X-ENDLIST\n");
    } else {
        begin(&mut text, &grouping.open);
        list(&mut text, grouping, &grouping.open);
        let _ = writeln!(
            text,
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}\"",
            grouping.part_name(grouping.next_part())
        );
    }
    text
}

/// The first parent whose parts are listed: those of the last three target durations (§4.4.4.9).
fn first_with_parts(grouping: &Grouping, target_s: u64) -> usize {
    let mut left_us = target_s * 1_000_000 * WITH_PARTS_TARGETS;
    let newest = grouping.parents.iter().rev().take_while(|parent: &&Parent| {
        let is_within = left_us > 0;
        left_us = left_us.saturating_sub(parent.duration_us());
        is_within
    });
    grouping.parents.len() - newest.count()
}

/// What is said before a parent and its parts.
fn begin(text: &mut String, parts: &[Part]) {
    let Some(first) = parts.first() else { return };
    if first.discontinuity {
        text.push_str("#EXT-X-DISCONTINUITY\n");
    }
    if let Some(date_time) = &first.date_time {
        let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date_time}");
    }
}

fn list(text: &mut String, grouping: &Grouping, parts: &[Part]) {
    for part in parts {
        let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
        let _ = writeln!(
            text,
            "#EXT-X-PART:DURATION={:.6},URI=\"{}\"{independent}",
            seconds(part.duration_us),
            grouping.part_name(part.number)
        );
    }
}

fn seconds(us: u64) -> f64 {
    Duration::from_micros(us).as_secs_f64()
}

/// Longer fragments are of no use for low latency.
const MAX_FRAGMENT_S: f32 = 10.0;
/// Parts by which players stay behind the newest one: what the draft advises.
const HOLD_BACK_PARTS: u64 = 3;
/// Target durations whose parts are listed.
const WITH_PARTS_TARGETS: u64 = 3;
