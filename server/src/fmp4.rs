//! Fragmented MP4 (ISO/IEC 14496-12): when a segment plays, and how to make it play at another time.

use std::collections::BTreeMap;

use mp4_atom::{Atom as _, Moof, Moov, TrunSamples};

/// What an initialization segment says about a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrackTime {
    pub(crate) timescale: u32,
    default_duration: u32,
    default_flags: u32,
}

/// The tracks of an initialization segment, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header(BTreeMap<u32, TrackTime>);

/// Decode time of a segment's first track, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) duration: u64,
    pub(crate) timescale: u32,
}

impl Header {
    /// Reads an initialization segment.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let body = boxes(bytes)?
            .into_iter()
            .find(|found| found.kind == *b"moov")
            .and_then(|found| bytes.get(found.body..found.end))
            .ok_or("there is no moov box in it")?;
        let moov = Moov::decode_body(&mut &*body).map_err(|error| error.to_string())?;
        let defaults: BTreeMap<u32, (u32, u32)> = moov
            .mvex
            .iter()
            .flat_map(|mvex| &mvex.trex)
            .map(|trex| {
                let defaults = (trex.default_sample_duration, trex.default_sample_flags);
                (trex.track_id, defaults)
            })
            .collect();
        let tracks = moov.trak.iter().map(|trak| {
            let (default_duration, default_flags) =
                defaults.get(&trak.tkhd.track_id).copied().unwrap_or_default();
            let time = TrackTime {
                timescale: trak.mdia.mdhd.timescale,
                default_duration,
                default_flags,
            };
            (trak.tkhd.track_id, time)
        });
        let tracks: BTreeMap<u32, TrackTime> = tracks.collect();
        if tracks.is_empty() || tracks.values().any(|time| time.timescale == 0) {
            return Err("it has no track with a timescale".to_owned());
        }
        Ok(Self(tracks))
    }

    /// When a segment is decoded.
    pub(crate) fn span(&self, segment: &[u8]) -> Result<Span, String> {
        let mut span: Option<(u32, Span)> = None;
        for found in boxes(segment)?.iter().filter(|found| found.kind == *b"moof") {
            let body = segment.get(found.body..found.end).unwrap_or_default();
            let moof = Moof::decode_body(&mut &*body).map_err(|error| error.to_string())?;
            for traf in &moof.traf {
                let id = traf.tfhd.track_id;
                let (time, duration) = (self.track(id)?, self.duration(traf)?);
                let start = traf.tfdt.as_ref().map(|tfdt| tfdt.base_media_decode_time);
                match &mut span {
                    Some((first, span)) if *first == id => {
                        span.duration = span.duration.saturating_add(duration);
                    }
                    Some(_) => {}
                    None => {
                        let start = start.ok_or("a fragment has no decode time (tfdt)")?;
                        let first = Span {
                            start,
                            duration,
                            timescale: time.timescale,
                        };
                        span = Some((id, first));
                    }
                }
            }
        }
        span.map(|(_, span)| span)
            .filter(|span| span.duration > 0)
            .ok_or_else(|| "there is no fragment (moof) with samples in it".to_owned())
    }

    /// Whether a player can begin with this segment: every track's first sample can be decoded by itself.
    pub(crate) fn is_independent(&self, segment: &[u8]) -> Result<bool, String> {
        let first = boxes(segment)?.into_iter().find(|found| found.kind == *b"moof");
        let body = first.and_then(|found| segment.get(found.body..found.end));
        let body = body.ok_or("there is no fragment (moof) in it")?;
        let moof = Moof::decode_body(&mut &*body).map_err(|error| error.to_string())?;
        for traf in &moof.traf {
            let default = self.track(traf.tfhd.track_id)?.default_flags;
            let default = traf.tfhd.default_sample_flags.unwrap_or(default);
            let first = traf.trun.iter().find_map(|run| run.samples.get(0));
            let flags = first.and_then(|sample| sample.flags).unwrap_or(default);
            if flags & NOT_SYNC != 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn duration(&self, traf: &mp4_atom::Traf) -> Result<u64, String> {
        let time = self.track(traf.tfhd.track_id)?;
        let default = traf.tfhd.default_sample_duration.unwrap_or(time.default_duration);
        let runs = traf.trun.iter().map(|run| match &run.samples {
            TrunSamples::Inherited { count, .. } => u64::from(*count) * u64::from(default),
            TrunSamples::Explicit(samples) => samples
                .iter()
                .map(|sample| u64::from(sample.duration.unwrap_or(default)))
                .sum(),
        });
        Ok(runs.sum())
    }

    /// Moves a segment by `ticks` of a clock that counts `per_second`; its fragments take the next numbers.
    pub(crate) fn shift(
        &self,
        segment: &mut [u8],
        (ticks, per_second): (u64, u32),
        number: &mut u32,
    ) -> Result<(), String> {
        for found in boxes(segment)? {
            let body = segment.get_mut(found.body..found.end).unwrap_or_default();
            match &found.kind {
                b"sidx" => {
                    let timescale = read_u32(body, 8)?;
                    add(body, 12, converted(ticks, per_second, timescale)?)?;
                }
                b"moof" => {
                    *number = number.wrapping_add(1);
                    self.shift_fragment(body, (ticks, per_second), *number)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn shift_fragment(
        &self,
        moof: &mut [u8],
        (ticks, per_second): (u64, u32),
        number: u32,
    ) -> Result<(), String> {
        for found in boxes(moof)? {
            let body = moof.get_mut(found.body..found.end).unwrap_or_default();
            match &found.kind {
                b"mfhd" => write(body, 4, &number.to_be_bytes())?,
                b"traf" => {
                    let within = boxes(body)?;
                    let place = |kind: &[u8; 4]| within.iter().find(|found| found.kind == *kind);
                    let (Some(header), Some(time)) = (place(b"tfhd"), place(b"tfdt")) else {
                        return Err("a fragment has no decode time (tfdt)".to_owned());
                    };
                    let id = read_u32(body, header.body + 4)?;
                    let ticks = converted(ticks, per_second, self.track(id)?.timescale)?;
                    add(body.get_mut(time.body..time.end).unwrap_or_default(), 4, ticks)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn track(&self, id: u32) -> Result<TrackTime, String> {
        self.0
            .get(&id)
            .copied()
            .ok_or_else(|| format!("a fragment belongs to track {id}, which its header does not have"))
    }
}

/// A box: where its content begins and ends.
struct Found {
    kind: [u8; 4],
    body: usize,
    end: usize,
}

/// The boxes that follow each other in `bytes`.
fn boxes(bytes: &[u8]) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let cut = || format!("the box at byte {at} is cut off");
        let short = read_u32(bytes, at).map_err(|_| cut())?;
        let kind = bytes.get(at + 4..at + 8).and_then(|kind| kind.try_into().ok());
        let (header, length) = match short {
            0 => (8, bytes.len() - at),
            1 => {
                let long = bytes.get(at + 8..at + 16).and_then(|long| long.try_into().ok());
                let long = u64::from_be_bytes(long.ok_or_else(cut)?);
                (16, usize::try_from(long).map_err(|_| cut())?)
            }
            short => (8, usize::try_from(short).map_err(|_| cut())?),
        };
        let end = at.checked_add(length).filter(|end| *end <= bytes.len());
        let (Some(kind), Some(end)) = (kind, end.filter(|end| *end >= at + header)) else {
            return Err(cut());
        };
        let body = at + header;
        found.push(Found { kind, body, end });
        at = end;
    }
    Ok(found)
}

/// `ticks` of a clock of `from` a second, in ticks of a clock of `to` a second, rounded.
fn converted(ticks: u64, from: u32, to: u32) -> Result<u64, String> {
    let (ticks, from, to) = (u128::from(ticks), u128::from(from.max(1)), u128::from(to));
    u64::try_from((ticks * to + from / 2) / from).map_err(|_| OVERFLOW.to_owned())
}

/// Adds to the time at `at` in a full box, whose version says how wide times are.
fn add(body: &mut [u8], at: usize, ticks: u64) -> Result<(), String> {
    let is_wide = body.first() == Some(&1);
    if is_wide {
        let before = body.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        let before = u64::from_be_bytes(before.ok_or(CUT)?);
        let after = before.checked_add(ticks).ok_or(OVERFLOW)?;
        write(body, at, &after.to_be_bytes())
    } else {
        let after = u64::from(read_u32(body, at)?).checked_add(ticks);
        let after = after
            .and_then(|after| u32::try_from(after).ok())
            .ok_or(OVERFLOW)?;
        write(body, at, &after.to_be_bytes())
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Result<u32, String> {
    let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_be_bytes).ok_or_else(|| CUT.to_owned())
}

fn write(bytes: &mut [u8], at: usize, value: &[u8]) -> Result<(), String> {
    bytes
        .get_mut(at..at + value.len())
        .ok_or(CUT)?
        .copy_from_slice(value);
    Ok(())
}

const CUT: &str = "a box is shorter than its fields";
const OVERFLOW: &str =
    "its clock has no room for a time so late; package it with 64-bit times (tfdt version 1)";

/// `sample_is_non_sync_sample` (ISO/IEC 14496-12 §8.8.3.1).
const NOT_SYNC: u32 = 1 << 16;
