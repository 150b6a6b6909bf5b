//! A finished HLS stream as the material of a live one.

use std::fs;
use std::path::{Path, PathBuf};

use m3u8_rs::{MasterPlaylist, MediaPlaylist};
use url::Url;

use crate::fmp4::{Header, Span};
use crate::publisher::PublishError;
use crate::publisher::plan::SEGMENT_LIMIT;
use crate::publisher::source::{Folder, Source as _, read_range};

/// Everything that is repeated.
pub(super) struct Material {
    pub(super) folder: Folder,
    /// Name and text of the multivariant playlist, if there is one.
    pub(super) multivariant: Option<(String, String)>,
    pub(super) renditions: Vec<Rendition>,
    /// How long one repetition lasts, in ticks and ticks a second.
    pub(super) period: (u64, u32),
}

/// One media playlist.
pub(super) struct Rendition {
    /// Name of the playlist, relative to the folder.
    pub(super) name: String,
    pub(super) independent: bool,
    pub(super) init: String,
    pub(super) header: Header,
    pub(super) segments: Vec<Segment>,
}

/// One segment, with times counted from the beginning of the rendition.
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) range: Option<(u64, u64)>,
    pub(super) start_us: u64,
    pub(super) end_us: u64,
}

impl Material {
    /// Reads a folder, or the folder of a playlist.
    pub(super) fn read(place: &Path) -> Result<Self, PublishError> {
        let (folder, name) = entry_point(place)?;
        let text = text(&folder, &name)?;
        if !m3u8_rs::is_master_playlist(text.as_bytes()) {
            let (rendition, period) = Rendition::read(&folder, &name, &text)?;
            return Ok(Self {
                folder,
                multivariant: None,
                renditions: vec![rendition],
                period,
            });
        }
        let playlist = m3u8_rs::parse_master_playlist_res(text.as_bytes())
            .map_err(|_| PublishError::unreadable(&name, "it is no multivariant playlist"))?;
        let mut renditions: Vec<(Rendition, (u64, u32))> = Vec::new();
        for uri in media_uris(&playlist) {
            let media = resolved(&folder, &name, uri)?;
            if renditions.iter().all(|(known, _)| known.name != media) {
                let text = self::text(&folder, &media)?;
                renditions.push(Rendition::read(&folder, &media, &text)?);
            }
        }
        // The shortest: what overlaps is replaced by the next repetition, while a gap would stop players.
        let shortest = renditions.iter().map(|(_, length)| *length);
        let period = shortest
            .min_by_key(|length| us(*length))
            .ok_or_else(|| PublishError::unreadable(&name, "it names no media playlist"))?;
        for (rendition, length) in &mut renditions {
            if us(*length) - us(period) > TOLERANCE_US {
                let detail = "it is longer than the other renditions";
                return Err(PublishError::unreadable(&rendition.name, detail));
            }
            rendition.segments.retain(|segment| segment.start_us < us(period));
        }
        let renditions = renditions.into_iter().map(|(rendition, _)| rendition).collect();
        // I-frame playlists name ranges of segments that will not be there.
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("#EXT-X-I-FRAME-STREAM-INF"));
        let text = lines.fold(String::new(), |text, line| text + line + "\n");
        Ok(Self {
            folder,
            multivariant: Some((name, text)),
            renditions,
            period,
        })
    }

    /// When repetition `round` of `segment` begins or ends, if its own time is `time_us`.
    pub(super) fn time_us(&self, round: u64, time_us: u64) -> u64 {
        let (ticks, per_second) = self.period;
        us((ticks * round, per_second)) + time_us
    }

    /// The segment as it is in repetition `round`.
    pub(super) fn segment(
        &self,
        rendition: &Rendition,
        segment: &Segment,
        round: u64,
        number: &mut u32,
    ) -> Result<Vec<u8>, PublishError> {
        let mut bytes = read_range(&self.folder, &segment.name, segment.range, SEGMENT_LIMIT)?;
        let (ticks, per_second) = self.period;
        rendition
            .header
            .shift(&mut bytes, (ticks * round, per_second), number)
            .map_err(|detail| PublishError::unreadable(&segment.name, detail))?;
        Ok(bytes)
    }
}

impl Rendition {
    /// Also says how long it is.
    fn read(folder: &Folder, name: &str, text: &str) -> Result<(Self, (u64, u32)), PublishError> {
        let unreadable = |detail: &str| PublishError::unreadable(name, detail);
        let unsupported = |feature: &str| PublishError::Unsupported {
            name: name.to_owned(),
            feature: feature.to_owned(),
        };
        let playlist: MediaPlaylist = m3u8_rs::parse_media_playlist_res(text.as_bytes())
            .map_err(|_| unreadable("it is no media playlist"))?;
        if !playlist.end_list {
            return Err(unreadable(
                "it has no EXT-X-ENDLIST; only a finished stream can be repeated",
            ));
        }
        let mut segments = playlist.segments.iter();
        let map = playlist.segments.first().and_then(|first| first.map.as_ref());
        let map = map.ok_or_else(|| unsupported("segments other than fragmented MP4 (no EXT-X-MAP)"))?;
        if segments.any(|segment| segment.discontinuity || segment.map.as_ref().is_some_and(|own| own != map))
        {
            return Err(unsupported("discontinuities"));
        }
        if playlist.segments.iter().any(|segment| segment.key.is_some()) {
            return Err(unsupported("encryption (EXT-X-KEY)"));
        }
        if map.byte_range.is_some() {
            return Err(unsupported(
                "a header that is part of a file (EXT-X-MAP with BYTERANGE)",
            ));
        }
        let init = resolved(folder, name, &map.uri)?;
        let header = Header::read(&read_range(folder, &init, None, SEGMENT_LIMIT)?)
            .map_err(|detail| PublishError::unreadable(&init, detail))?;
        let mut segments: Vec<Segment> = Vec::with_capacity(playlist.segments.len());
        let mut first: Option<Span> = None;
        let mut period = (0, 1);
        let mut next_offset = 0;
        for listed in &playlist.segments {
            let file = resolved(folder, name, &listed.uri)?;
            let range = listed.byte_range.as_ref().map(|range| {
                let offset = range.offset.unwrap_or(next_offset);
                next_offset = offset.saturating_add(range.length);
                (offset, range.length)
            });
            let bytes = read_range(folder, &file, range, SEGMENT_LIMIT)?;
            let span = header
                .span(&bytes)
                .map_err(|detail| PublishError::unreadable(&file, detail))?;
            let origin = first.get_or_insert(span).start;
            let start = span.start.checked_sub(origin).ok_or_else(|| {
                PublishError::unreadable(&file, "its decode time is before that of the first")
            })?;
            period = (start + span.duration, span.timescale);
            let (start_us, end_us) = (us((start, span.timescale)), us(period));
            if let Some(before) = segments.last_mut() {
                // One goes on where the next one begins, whatever its samples say.
                before.end_us = start_us;
            }
            segments.push(Segment {
                name: file,
                range,
                start_us,
                end_us,
            });
        }
        let rendition = Self {
            name: name.to_owned(),
            independent: playlist.independent_segments,
            init,
            header,
            segments,
        };
        Ok((rendition, period))
    }
}

fn entry_point(place: &Path) -> Result<(Folder, String), PublishError> {
    let nothing = || PublishError::Nothing {
        place: place.display().to_string(),
    };
    if place.is_file() {
        let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = Folder::open(parent.unwrap_or(Path::new(".")))?;
        let name = place
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(nothing)?;
        return Ok((folder, name.to_owned()));
    }
    let folder = Folder::open(place)?;
    let entries = fs::read_dir(place).map_err(|error| PublishError::file(place, error))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            PathBuf::from(name)
                .extension()
                .is_some_and(|ending| ending == "m3u8")
        })
        .collect();
    names.sort();
    let mut multivariant = Vec::new();
    for name in &names {
        if m3u8_rs::is_master_playlist(text(&folder, name)?.as_bytes()) {
            multivariant.push(name.clone());
        }
    }
    let candidates = if multivariant.is_empty() {
        names
    } else {
        multivariant
    };
    match candidates.as_slice() {
        [only] => Ok((folder, only.clone())),
        [] => Err(nothing()),
        several => Err(PublishError::Option {
            option: "SOURCE",
            detail: format!("name one of the playlists in it: {}", several.join(", ")),
        }),
    }
}

fn media_uris(playlist: &MasterPlaylist) -> impl Iterator<Item = &str> {
    let variants = playlist.variants.iter().filter(|variant| !variant.is_i_frame);
    let alternatives = playlist
        .alternatives
        .iter()
        .filter_map(|each| each.uri.as_deref());
    variants.map(|variant| variant.uri.as_str()).chain(alternatives)
}

fn text(folder: &Folder, name: &str) -> Result<String, PublishError> {
    let bytes = read_range(folder, name, None, PLAYLIST_LIMIT)?;
    let text = String::from_utf8(bytes).map_err(|_| PublishError::unreadable(name, "it is not UTF-8"))?;
    Ok(format!("{text}\n"))
}

/// The name, relative to the folder, of what `referrer` calls `uri`.
fn resolved(folder: &Folder, referrer: &str, uri: &str) -> Result<String, PublishError> {
    let base = folder.base();
    let address = base.join(referrer).and_then(|address| address.join(uri));
    let within = address.ok().filter(|address| address.origin() == base.origin());
    within
        .and_then(|address: Url| address.path().strip_prefix(base.path()).map(str::to_owned))
        .ok_or_else(|| PublishError::OutsideFolder {
            uri: uri.to_owned(),
            referrer: referrer.to_owned(),
        })
}

fn us((ticks, per_second): (u64, u32)) -> u64 {
    let us = u128::from(ticks) * 1_000_000 / u128::from(per_second.max(1));
    u64::try_from(us).unwrap_or(u64::MAX)
}

/// Renditions whose lengths differ by less are one stream: audio frames and pictures do not end together.
const TOLERANCE_US: u64 = 500_000;
/// Ten thousand segments with long names take about 2 MiB.
const PLAYLIST_LIMIT: u64 = 16 << 20;
