//! HTTP Live Streaming (RFC 8216, draft-pantos-hls-rfc8216bis): which bytes the playlists name.

pub(crate) mod parts;

use m3u8_rs::{AlternativeMediaType, MediaPlaylist, MediaSegment};
use url::Url;

use super::journal::Place;
use super::plan::{Kind, Named, PartGroup, PlannedParts, Planner, TrackHead};
use super::source::read_document;
use super::{PublishError, media_type};

/// Reads all playlists: first the multivariant ones, which say what the others are, then what they did not name.
pub(crate) fn read_all(planner: &mut Planner<'_>, names: Vec<String>) -> Result<(), PublishError> {
    let mut media = Vec::new();
    for name in names {
        let playlist = Playlist::read(planner, &name)?;
        if playlist.is_multivariant() {
            read_multivariant(planner, &playlist)?;
        } else {
            media.push(playlist);
        }
    }
    for playlist in media {
        let kind = playlist.kind_by_segments();
        read_media(planner, &playlist, kind, None)?;
    }
    Ok(())
}

/// A playlist as it lies there.
struct Playlist {
    name: String,
    address: Url,
    text: String,
}

impl Playlist {
    fn read(planner: &mut Planner<'_>, name: &str) -> Result<Self, PublishError> {
        let bytes = read_document(planner.source(), name, PLAYLIST_LIMIT)?;
        let text = String::from_utf8(bytes).map_err(|_| PublishError::unreadable(name, "it is not UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}');
        if !text.starts_with("#EXTM3U") {
            return Err(PublishError::unreadable(name, "it does not begin with #EXTM3U"));
        }
        // The parser wants every line ended.
        let playlist = Self {
            name: name.to_owned(),
            address: planner.references.address(name)?,
            text: format!("{text}\n"),
        };
        playlist.exclude_keys(planner)?;
        Ok(playlist)
    }

    fn is_multivariant(&self) -> bool {
        m3u8_rs::is_master_playlist(self.text.as_bytes())
    }

    /// A segment may have several keys, of which the parser keeps one; but every one of them must be left out.
    fn exclude_keys(&self, planner: &mut Planner<'_>) -> Result<(), PublishError> {
        for line in self.text.lines().map(str::trim) {
            if line.starts_with("#EXT-X-DEFINE") {
                return Err(self.unsupported("EXT-X-DEFINE (variables)"));
            }
            if !line.starts_with("#EXT-X-KEY:") && !line.starts_with("#EXT-X-SESSION-KEY:") {
                continue;
            }
            let Some(uri) = line
                .split_once("URI=\"")
                .and_then(|(_, rest)| rest.split('"').next())
            else {
                continue;
            };
            if let Some(name) = planner.references.name_within(&self.address, uri)? {
                planner.exclude_key(name);
            }
        }
        Ok(())
    }

    fn kind_by_segments(&self) -> Kind {
        let first = self
            .text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with('#'));
        match media_type::of(first.unwrap_or_default()) {
            kind if kind.starts_with("audio/") => Kind::Audio,
            "text/vtt" | "application/ttml+xml" | "application/mp4" => Kind::Text,
            _ => Kind::Video,
        }
    }

    fn unsupported(&self, feature: &str) -> PublishError {
        PublishError::Unsupported {
            name: self.name.clone(),
            feature: feature.to_owned(),
        }
    }

    fn unreadable(&self, detail: impl std::fmt::Display) -> PublishError {
        PublishError::unreadable(&self.name, detail)
    }
}

fn read_multivariant(planner: &mut Planner<'_>, playlist: &Playlist) -> Result<(), PublishError> {
    if !planner.document(&playlist.name, media_type::HLS)? {
        return Ok(());
    }
    let parsed = m3u8_rs::parse_master_playlist_res(playlist.text.as_bytes())
        .map_err(|error| playlist.unreadable(first_line(&error)))?;
    for variant in &parsed.variants {
        let name = planner
            .references
            .name(&playlist.name, &playlist.address, &variant.uri)?;
        let media = Playlist::read(planner, &name)?;
        if variant.is_i_frame {
            // Its segments are ranges of segments, or files of their own that are listed with the rest.
            planner.document(&name, media_type::HLS)?;
            continue;
        }
        let kind = match (&variant.resolution, &variant.codecs) {
            (None, Some(codecs)) if codecs.split(',').all(|codec| is_audio(codec.trim())) => Kind::Audio,
            _ => Kind::Video,
        };
        read_media(
            planner,
            &media,
            kind,
            Some(variant.average_bandwidth.unwrap_or(variant.bandwidth)),
        )?;
    }
    for rendition in &parsed.alternatives {
        let Some(uri) = &rendition.uri else { continue };
        let name = planner.references.name(&playlist.name, &playlist.address, uri)?;
        let media = Playlist::read(planner, &name)?;
        let kind = match rendition.media_type {
            AlternativeMediaType::Audio => Kind::Audio,
            AlternativeMediaType::Subtitles | AlternativeMediaType::ClosedCaptions => Kind::Text,
            _ => Kind::Video,
        };
        read_media(planner, &media, kind, None)?;
    }
    Ok(())
}

fn read_media(
    planner: &mut Planner<'_>,
    playlist: &Playlist,
    kind: Kind,
    bitrate: Option<u64>,
) -> Result<(), PublishError> {
    if playlist.is_multivariant() {
        return Err(
            playlist.unreadable("a multivariant playlist names it as a media playlist, but it is not one")
        );
    }
    if !planner.document(&playlist.name, media_type::HLS)? {
        return Ok(());
    }
    let parsed = parse_media(playlist)?;
    if parsed.i_frames_only {
        return Ok(());
    }
    if !parsed.end_list {
        planner.unfinished(&playlist.name, "it has no EXT-X-ENDLIST")?;
    }
    planner.target(parsed.target_duration.saturating_mul(1000));
    let audio = kind == Kind::Audio;
    let mut parts = PartsReader::of(planner, playlist)?;
    let mut segments: Vec<Named> = Vec::with_capacity(parsed.segments.len());
    let mut start = 0;
    for segment in &parsed.segments {
        if let Some(map) = &segment.map {
            let name = planner
                .references
                .name(&playlist.name, &playlist.address, &map.uri)?;
            let range = map
                .byte_range
                .as_ref()
                .map(|range| (range.offset.unwrap_or(0), range.length));
            planner.asset(&name, range, audio, &playlist.name)?;
        }
        if !(0.0..MAX_DURATION_S).contains(&segment.duration) {
            return Err(playlist.unreadable(format!("a segment lasts {} s", segment.duration)));
        }
        let duration = (f64::from(segment.duration) * f64::from(TIMESCALE)).round() as u64;
        let is_gap = segment.unknown_tags.iter().any(|tag| tag.tag == "X-GAP");
        if is_gap {
            parts.pass();
        } else {
            let name = planner
                .references
                .name(&playlist.name, &playlist.address, &segment.uri)?;
            let range = byte_range(playlist, segment, &name, segments.last())?;
            let place = (name.as_str().into(), range);
            parts.take(planner, playlist, Some(place), start, segment.discontinuity)?;
            segments.push(Named {
                name,
                range,
                start,
                duration,
                discontinuity: segment.discontinuity,
            });
        }
        start += duration;
    }
    if segments.is_empty() {
        planner.note(format!("{} has no segments", playlist.name));
    }
    parts.take(planner, playlist, None, start, false)?;
    let key = format!("hls {}", playlist.name);
    let head = TrackHead {
        key: key.clone(),
        kind,
        timescale: TIMESCALE,
        bitrate,
        parts: None,
    };
    planner.track(head, segments, &playlist.name)?;
    if parts.named.is_empty() {
        return Ok(());
    }
    let head = TrackHead {
        key: format!("{key} parts"),
        kind,
        timescale: TIMESCALE,
        bitrate,
        parts: Some(PlannedParts {
            of: key,
            groups: parts.groups,
        }),
    };
    planner.track(head, parts.named, &playlist.name)
}

/// Goes along with the segments of a playlist, and turns their parts into segments of a track of their own.
struct PartsReader {
    of_segment: std::vec::IntoIter<Vec<parts::Part>>,
    named: Vec<Named>,
    groups: Vec<PartGroup>,
}

impl PartsReader {
    /// Parts matter while a stream runs; its recording is made of whole segments.
    fn of(planner: &Planner<'_>, playlist: &Playlist) -> Result<Self, PublishError> {
        let of_segment = if planner.is_live() {
            parts::read(&playlist.text).map_err(|detail| playlist.unreadable(detail))?
        } else {
            Vec::new()
        };
        Ok(Self {
            of_segment: of_segment.into_iter(),
            named: Vec::new(),
            groups: Vec::new(),
        })
    }

    /// The parts of a segment that is not there.
    fn pass(&mut self) {
        self.of_segment.next();
    }

    /// The parts of `segment`, or of the one that is being made, which begins at `start`.
    fn take(
        &mut self,
        planner: &Planner<'_>,
        playlist: &Playlist,
        segment: Option<Place>,
        mut start: u64,
        discontinuity: bool,
    ) -> Result<(), PublishError> {
        let mut group = PartGroup {
            segment,
            parts: Vec::new(),
        };
        for (position, part) in self.of_segment.next().unwrap_or_default().into_iter().enumerate() {
            if part.byte_range.is_some() {
                return Err(playlist.unsupported(
                    "EXT-X-PART with BYTERANGE: parts have to be files of their own, numbered one after the other",
                ));
            }
            if !(0.0..f64::from(MAX_DURATION_S)).contains(&part.duration_s) {
                return Err(playlist.unreadable(format!("a part lasts {} s", part.duration_s)));
            }
            let duration = (part.duration_s * f64::from(TIMESCALE)).round() as u64;
            if !part.is_gap {
                let name = planner
                    .references
                    .name(&playlist.name, &playlist.address, &part.uri)?;
                group.parts.push((name.as_str().into(), None));
                self.named.push(Named {
                    name,
                    range: None,
                    start,
                    duration,
                    discontinuity: discontinuity && position == 0,
                });
            }
            start += duration;
        }
        if !group.parts.is_empty() {
            self.groups.push(group);
        }
        Ok(())
    }
}

fn parse_media(playlist: &Playlist) -> Result<MediaPlaylist, PublishError> {
    let (rest, parsed) = m3u8_rs::parse_media_playlist(playlist.text.as_bytes())
        .map_err(|error| playlist.unreadable(first_line(&error)))?;
    if !rest.is_empty() {
        let line = String::from_utf8_lossy(rest)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        return Err(playlist.unreadable(format!("the line {line:?} is malformed")));
    }
    // The parser passes over a malformed tag as if it did not know it; for these that would lose media.
    let tags = parsed.segments.iter().flat_map(|segment| &segment.unknown_tags);
    for tag in tags {
        if ["X-BYTERANGE", "X-MAP"].contains(&tag.tag.as_str()) {
            let attributes = tag.rest.as_deref().unwrap_or_default();
            return Err(playlist.unreadable(format!("#EXT-{}:{attributes} is malformed", tag.tag)));
        }
    }
    let durations = playlist
        .text
        .lines()
        .filter(|line| line.trim_start().starts_with("#EXTINF:"))
        .count();
    if durations != parsed.segments.len() {
        let segments = parsed.segments.len();
        return Err(playlist.unreadable(format!(
            "it has {segments} segments, but {durations} lines with #EXTINF"
        )));
    }
    let malformed = playlist.text.lines().map(str::trim).find(|line| {
        line.strip_prefix("#EXTINF:")
            .is_some_and(|rest| !rest.starts_with(|first: char| first.is_ascii_digit()))
    });
    match malformed {
        Some(line) => Err(playlist.unreadable(format!("{line} is malformed"))),
        None => Ok(parsed),
    }
}

/// RFC 8216 §4.3.2.2: without an offset, a range begins where the one before ended, in the same resource.
fn byte_range(
    playlist: &Playlist,
    segment: &MediaSegment,
    name: &str,
    before: Option<&Named>,
) -> Result<Option<(u64, u64)>, PublishError> {
    let Some(range) = &segment.byte_range else {
        return Ok(None);
    };
    let offset = match (range.offset, before) {
        (Some(offset), _) => offset,
        (
            None,
            Some(Named {
                name: same,
                range: Some((offset, length)),
                ..
            }),
        ) if same == name => offset + length,
        (None, _) => {
            let detail = format!(
                "the byte range of {name} has no offset, and the segment before is none of its ranges"
            );
            return Err(playlist.unreadable(detail));
        }
    };
    Ok(Some((offset, range.length)))
}

fn is_audio(codec: &str) -> bool {
    const AUDIO: &[&str] = &[
        "mp4a", "ac-3", "ec-3", "ac-4", "opus", "Opus", "flac", "fLaC", "mp3", "vorbis", "alac",
    ];
    AUDIO.iter().any(|audio| codec.starts_with(audio))
}

/// Parser errors quote the rest of the input.
fn first_line(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    text.chars().take(80).collect()
}

/// The longest segment, a day: no playlist is so long that the sum would not fit.
const MAX_DURATION_S: f32 = 86_400.0;
/// Durations in playlists are decimal fractions of a second.
const TIMESCALE: u32 = 1_000_000;
/// Ten thousand segments with long names take about 2 MiB.
const PLAYLIST_LIMIT: u64 = 16 << 20;
