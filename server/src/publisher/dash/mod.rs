//! MPEG-DASH (ISO/IEC 23009-1): which bytes an MPD names.

mod address;
mod sidx;
mod timing;

use std::time::Duration;

use dash_mpd_core::{AdaptationSet, MPD, Period, Representation, SegmentBase, SegmentList, SegmentTemplate};
use url::Url;

use super::plan::{Kind, Named, Planner, TrackHead};
use super::source::read_document;
use super::{PublishError, media_type};
use address::Template;
use timing::Timing;

/// Reads all MPDs.
pub(crate) fn read_all(planner: &mut Planner<'_>, names: Vec<String>) -> Result<(), PublishError> {
    for name in names {
        if planner.document(&name, media_type::DASH)? {
            read(planner, &name)?;
        }
    }
    Ok(())
}

fn read(planner: &mut Planner<'_>, name: &str) -> Result<(), PublishError> {
    let bytes = read_document(planner.source(), name, MPD_LIMIT)?;
    let text = String::from_utf8(bytes).map_err(|_| PublishError::unreadable(name, "it is not UTF-8"))?;
    if !timing::durations_fit(&text) {
        return Err(PublishError::unreadable(
            name,
            "a duration is longer than any time",
        ));
    }
    let mpd = dash_mpd_core::parse(&text).map_err(|error| PublishError::unreadable(name, error))?;
    if mpd.mpdtype.as_deref() == Some("dynamic") {
        planner.unfinished(name, "its type is dynamic")?;
    }
    if let Some(longest) = mpd.maxSegmentDuration {
        planner.target(u64::try_from(longest.as_millis()).unwrap_or(u64::MAX));
    }
    if mpd.periods.iter().any(|period| period.href.is_some()) {
        return Err(PublishError::Unsupported {
            name: name.to_owned(),
            feature: "xlink".to_owned(),
        });
    }
    let address = planner.references.address(name)?;
    let address = rebase(&address, mpd.base_url.first().map(|base| base.base.as_str()));
    let mut renditions: Vec<Rendition> = Vec::new();
    let mut start = Duration::ZERO;
    for (index, period) in mpd.periods.iter().enumerate() {
        start = period.start.unwrap_or(start);
        let end = period_end(&mpd, index, period, start);
        let address = rebase(&address, period.BaseURL.first().map(|base| base.base.as_str()));
        for (set_index, set) in period.adaptations.iter().enumerate() {
            let address = rebase(&address, set.BaseURL.first().map(|base| base.base.as_str()));
            for (representation_index, representation) in set.representations.iter().enumerate() {
                let base = representation.BaseURL.first().map(|base| base.base.as_str());
                let view = View {
                    name,
                    address: rebase(&address, base),
                    has_own_address: base.is_some(),
                    period,
                    set,
                    representation,
                    start,
                    duration: end.map(|end| end.saturating_sub(start)),
                    is_last_period: index + 1 == mpd.periods.len(),
                };
                let id = representation
                    .id
                    .clone()
                    .unwrap_or_else(|| format!("{set_index}.{representation_index}"));
                let segments = view.segments(planner)?;
                let same = |other: &&mut Rendition| {
                    other.id == id && other.timescale == segments.timescale && other.kind == view.kind()
                };
                match renditions.iter_mut().find(same) {
                    Some(earlier) => earlier.segments.extend(segments.named),
                    None => renditions.push(Rendition {
                        id,
                        kind: view.kind(),
                        timescale: segments.timescale,
                        bitrate: representation.bandwidth,
                        segments: segments.named,
                    }),
                }
            }
        }
        start = end.unwrap_or(start);
    }
    for rendition in renditions {
        let head = TrackHead {
            key: format!("dash {name} {} {}", rendition.id, rendition.timescale),
            kind: rendition.kind,
            timescale: rendition.timescale,
            bitrate: rendition.bitrate,
            parts: None,
        };
        planner.track(head, rendition.segments, name)?;
    }
    Ok(())
}

/// One representation over all periods.
struct Rendition {
    id: String,
    kind: Kind,
    timescale: u32,
    bitrate: Option<u64>,
    segments: Vec<Named>,
}

/// §5.3.2.1: a period ends where the next begins, or with the presentation.
fn period_end(mpd: &MPD, index: usize, period: &Period, start: Duration) -> Option<Duration> {
    period
        .duration
        .map(|duration| start + duration)
        .or_else(|| mpd.periods.get(index + 1).and_then(|next| next.start))
        .or(mpd.mediaPresentationDuration)
}

fn rebase(address: &Url, base: Option<&str>) -> Url {
    base.and_then(|base| address.join(base.trim()).ok())
        .unwrap_or_else(|| address.clone())
}

/// A representation in its place.
struct View<'a> {
    name: &'a str,
    address: Url,
    has_own_address: bool,
    period: &'a Period,
    set: &'a AdaptationSet,
    representation: &'a Representation,
    start: Duration,
    duration: Option<Duration>,
    is_last_period: bool,
}

struct Segments {
    timescale: u32,
    named: Vec<Named>,
}

impl View<'_> {
    fn segments(&self, planner: &mut Planner<'_>) -> Result<Segments, PublishError> {
        if let Some(template) = self.template() {
            return self.by_template(planner, &template);
        }
        if let Some(list) = self.list() {
            return self.by_list(planner, &list);
        }
        self.by_index(planner)
    }

    fn kind(&self) -> Kind {
        let type_of = |mime: &Option<String>| {
            mime.as_deref()
                .and_then(|mime| mime.split('/').next().map(str::to_owned))
        };
        let kind = self
            .set
            .contentType
            .clone()
            .or_else(|| self.representation.contentType.clone())
            .or_else(|| type_of(&self.representation.mimeType))
            .or_else(|| type_of(&self.set.mimeType));
        match kind.as_deref() {
            Some("audio") => Kind::Audio,
            Some("text" | "application") => Kind::Text,
            _ => Kind::Video,
        }
    }

    /// §5.3.9.1: attributes of the inner element win over those of the outer ones.
    fn template(&self) -> Option<SegmentTemplate> {
        let layers = [
            &self.representation.SegmentTemplate,
            &self.set.SegmentTemplate,
            &self.period.SegmentTemplate,
        ];
        let merged = layers
            .into_iter()
            .flatten()
            .cloned()
            .reduce(|inner, outer| SegmentTemplate {
                media: inner.media.or(outer.media),
                initialization: inner.initialization.or(outer.initialization),
                startNumber: inner.startNumber.or(outer.startNumber),
                endNumber: inner.endNumber.or(outer.endNumber),
                duration: inner.duration.or(outer.duration),
                timescale: inner.timescale.or(outer.timescale),
                presentationTimeOffset: inner.presentationTimeOffset.or(outer.presentationTimeOffset),
                SegmentTimeline: inner.SegmentTimeline.or(outer.SegmentTimeline),
                Initialization: inner.Initialization.or(outer.Initialization),
                ..outer
            })?;
        merged.media.is_some().then_some(merged)
    }

    fn by_template(
        &self,
        planner: &mut Planner<'_>,
        template: &SegmentTemplate,
    ) -> Result<Segments, PublishError> {
        let media = self.address_template(template.media.as_deref().unwrap_or_default())?;
        let timing = Timing {
            timescale: self.timescale(template.timescale)?,
            period_start: self.start,
            period_duration: self.duration,
            offset: template.presentationTimeOffset.unwrap_or(0),
        };
        let first = template.startNumber.unwrap_or(1);
        let moments = match (&template.SegmentTimeline, template.duration) {
            (Some(timeline), _) => timing.by_timeline(&timeline.segments, first),
            (None, Some(duration)) => timing.by_duration(duration, first, template.endNumber, None),
            (None, None) => Err("SegmentTemplate has neither a SegmentTimeline nor a duration".to_owned()),
        }
        .map_err(|detail| PublishError::unreadable(self.name, detail))?;
        if let Some(initialization) = &template.initialization {
            let reference = self.address_template(initialization)?.expand(first, 0);
            let name = self.resolve(planner, &reference)?;
            planner.asset(&name, None, self.kind() == Kind::Audio, self.name)?;
        } else if let Some(initialization) = &template.Initialization {
            self.initialization(
                planner,
                initialization.sourceURL.as_deref(),
                initialization.range.as_deref(),
            )?;
        }
        let is_computed = template.SegmentTimeline.is_none() && template.endNumber.is_none();
        let last = moments.last().map(|moment| moment.number);
        let count = moments.len();
        let mut named = Vec::with_capacity(moments.len());
        for moment in moments {
            let name = self.resolve(planner, &media.expand(moment.number, moment.time))?;
            // A period is often a little longer than its media, and then its computed last segment is not there.
            let may_be_missing = is_computed && Some(moment.number) == last && !named.is_empty();
            if may_be_missing && planner.source().stamp(&name)?.is_none() {
                continue;
            }
            named.push(Named {
                name,
                range: None,
                start: moment.start,
                duration: moment.duration,
                discontinuity: false,
            });
        }
        let may_be_longer = is_computed && self.is_last_period && named.len() == count;
        if let (true, Some(last)) = (may_be_longer && planner.source().stamps_are_cheap(), last) {
            let duration = template.duration.unwrap_or(0.0).round() as u64;
            named.extend(self.trailing(planner, &media, last + 1, duration, named.last())?);
        }
        Ok(Segments {
            timescale: timing.timescale,
            named,
        })
    }

    /// Or a little shorter, and then there is one more segment, which players may ask for.
    fn trailing(
        &self,
        planner: &Planner<'_>,
        media: &Template,
        number: u64,
        duration: u64,
        before: Option<&Named>,
    ) -> Result<Option<Named>, PublishError> {
        let start = before.map_or(0, |segment| segment.start + segment.duration);
        let name = self.resolve(planner, &media.expand(number, start))?;
        let is_new = before.is_some_and(|segment| segment.name != name);
        let is_there = is_new && planner.source().stamp(&name)?.is_some();
        Ok(is_there.then_some(Named {
            name,
            range: None,
            start,
            duration,
            discontinuity: false,
        }))
    }

    fn list(&self) -> Option<SegmentList> {
        let layers = [
            &self.representation.SegmentList,
            &self.set.SegmentList,
            &self.period.SegmentList,
        ];
        layers
            .into_iter()
            .flatten()
            .cloned()
            .reduce(|inner, outer| SegmentList {
                duration: inner.duration.or(outer.duration),
                timescale: inner.timescale.or(outer.timescale),
                Initialization: inner.Initialization.or(outer.Initialization),
                SegmentTimeline: inner.SegmentTimeline.or(outer.SegmentTimeline),
                segment_urls: if inner.segment_urls.is_empty() {
                    outer.segment_urls
                } else {
                    inner.segment_urls
                },
                ..outer
            })
    }

    fn by_list(&self, planner: &mut Planner<'_>, list: &SegmentList) -> Result<Segments, PublishError> {
        let timing = Timing {
            timescale: self.timescale(list.timescale)?,
            period_start: self.start,
            period_duration: self.duration,
            offset: 0,
        };
        let count = list.segment_urls.len() as u64;
        let moments = match (&list.SegmentTimeline, list.duration) {
            (Some(timeline), _) => timing.by_timeline(&timeline.segments, 1),
            (None, duration) => {
                let whole = self
                    .duration
                    .map_or(1.0, |whole| whole.as_secs_f64() * f64::from(timing.timescale));
                timing.by_duration(duration.map_or(whole, |ticks| ticks as f64), 1, None, Some(count))
            }
        }
        .map_err(|detail| PublishError::unreadable(self.name, detail))?;
        if moments.len() != list.segment_urls.len() {
            let detail = format!(
                "a SegmentList has {count} segments and times for {}",
                moments.len()
            );
            return Err(PublishError::unreadable(self.name, detail));
        }
        if let Some(initialization) = &list.Initialization {
            self.initialization(
                planner,
                initialization.sourceURL.as_deref(),
                initialization.range.as_deref(),
            )?;
        }
        let mut named = Vec::with_capacity(moments.len());
        for (moment, segment) in moments.iter().zip(&list.segment_urls) {
            let name = self.resolve(planner, segment.media.as_deref().unwrap_or_default())?;
            let range = segment
                .mediaRange
                .as_deref()
                .map(|range| self.range(range))
                .transpose()?;
            named.push(Named {
                name,
                range,
                start: moment.start,
                duration: moment.duration,
                discontinuity: false,
            });
        }
        Ok(Segments {
            timescale: timing.timescale,
            named,
        })
    }

    /// A representation in one file with a segment index, or without one: then the file is listed like any other.
    fn by_index(&self, planner: &mut Planner<'_>) -> Result<Segments, PublishError> {
        let layers = [
            &self.representation.SegmentBase,
            &self.set.SegmentBase,
            &self.period.SegmentBase,
        ];
        let base: Option<&SegmentBase> = layers.into_iter().find_map(Option::as_ref);
        if base.is_none() && !self.has_own_address {
            let id = self.representation.id.as_deref().unwrap_or("?");
            return Err(PublishError::unreadable(
                self.name,
                format!("representation {id} names no media"),
            ));
        }
        let name = self.resolve(planner, "")?;
        let given = base
            .and_then(|base| base.indexRange.as_deref())
            .map(|range| self.range(range))
            .transpose()?;
        let length = planner.length(&name, self.name)?;
        let whole_file = Segments {
            timescale: 1,
            named: Vec::new(),
        };
        let Some(index) = sidx::read(planner.source(), &name, given, length)? else {
            planner.note(format!(
                "{name} has no segment index (sidx) and is listed as a plain file"
            ));
            planner.asset(&name, Some((0, length)), self.kind() == Kind::Audio, self.name)?;
            return Ok(whole_file);
        };
        if let Some(initialization) = base.and_then(|base| base.Initialization.as_ref()) {
            self.initialization(
                planner,
                initialization.sourceURL.as_deref(),
                initialization.range.as_deref(),
            )?;
        }
        let audio = self.kind() == Kind::Audio;
        for (offset, length) in &index.boxes {
            planner.asset(&name, Some((*offset, *length)), audio, self.name)?;
        }
        let timing = Timing {
            timescale: index.timescale,
            period_start: self.start,
            period_duration: None,
            offset: base
                .and_then(|base| Some((base.presentationTimeOffset?, base.timescale.unwrap_or(1).max(1))))
                .map_or(0, |(offset, scale)| {
                    offset.saturating_mul(u64::from(index.timescale)) / scale
                }),
        };
        let mut time = index.earliest;
        let mut named = Vec::with_capacity(index.ranges.len());
        for (offset, length, duration) in index.ranges {
            let start = timing.presentation(time);
            named.push(Named {
                name: name.clone(),
                range: Some((offset, length)),
                start,
                duration: duration.into(),
                discontinuity: false,
            });
            time += u64::from(duration);
        }
        Ok(Segments {
            timescale: index.timescale,
            named,
        })
    }

    fn initialization(
        &self,
        planner: &mut Planner<'_>,
        reference: Option<&str>,
        range: Option<&str>,
    ) -> Result<(), PublishError> {
        let name = self.resolve(planner, reference.unwrap_or_default())?;
        let range = range.map(|range| self.range(range)).transpose()?;
        planner.asset(&name, range, self.kind() == Kind::Audio, self.name)
    }

    fn address_template(&self, pattern: &str) -> Result<Template, PublishError> {
        let id = self.representation.id.as_deref().unwrap_or_default();
        Template::parse(pattern, id, self.representation.bandwidth.unwrap_or(0))
            .map_err(|detail| PublishError::unreadable(self.name, detail))
    }

    fn resolve(&self, planner: &Planner<'_>, reference: &str) -> Result<String, PublishError> {
        planner.references.name(self.name, &self.address, reference)
    }

    fn timescale(&self, given: Option<u64>) -> Result<u32, PublishError> {
        u32::try_from(given.unwrap_or(1))
            .ok()
            .filter(|timescale| *timescale > 0)
            .ok_or_else(|| PublishError::unreadable(self.name, "a timescale is zero or above 32 bits"))
    }

    /// `first-last` to offset and length.
    fn range(&self, text: &str) -> Result<(u64, u64), PublishError> {
        let parsed = text.split_once('-').and_then(|(first, last)| {
            let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            Some((first, last.checked_sub(first)?.checked_add(1)?))
        });
        parsed.ok_or_else(|| PublishError::unreadable(self.name, format!("{text:?} is not a byte range")))
    }
}

/// A SegmentTimeline of ten thousand entries takes less than 1 MiB.
const MPD_LIMIT: u64 = 16 << 20;
