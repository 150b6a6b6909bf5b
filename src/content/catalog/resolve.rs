//! From what a player asks for to the objects that hold it.

use alloc::vec;
use alloc::vec::Vec;

use super::index::{Entry, Located};
use super::names::Lookup;
use super::{Catalog, Resolution, Sheet, Span, TrackSheets};
use crate::content::{Names, ObjectId, Track, TrackId, normalise_path};

impl Catalog {
    /// Which objects hold the bytes that a player asks for. `path` is relative to the content's base and need not be
    /// normalised; `range` is first and last byte, both included, `None` the whole resource.
    ///
    /// The whole of a resource whose ranges are listed is what is listed of it; a range past its end is cut there, as
    /// HTTP does.
    #[must_use]
    pub fn resolve(&self, path: &str, range: Option<(u64, u64)>) -> Resolution {
        let Ok(path) = normalise_path(path, &self.manifest().significant_query) else {
            return Resolution::Unlisted;
        };
        #[cfg(feature = "live")]
        if let Some(live) = &self.live {
            if !live.has_begun() {
                return Resolution::Later;
            }
            if live.document(&path).is_some() {
                return Resolution::Document(path);
            }
        }
        let (first, last) = range.unwrap_or((0, u64::MAX));
        let mut spans = Vec::new();
        let mut position = first;
        while position <= last {
            match self.holder(&path, position) {
                Holder::Whole { object, length } => {
                    return match length.checked_sub(position) {
                        Some(0) if range.is_none() => Resolution::Found(vec![Span {
                            object,
                            first: 0,
                            len: 0,
                        }]),
                        None | Some(0) => Resolution::RangeOutside,
                        Some(rest) => {
                            let len = rest.min((last - position).saturating_add(1));
                            Resolution::Found(vec![Span {
                                object,
                                first: position,
                                len,
                            }])
                        }
                    };
                }
                Holder::Range { object, start, end } => {
                    let end = end.min(last.saturating_add(1));
                    spans.push(Span {
                        object,
                        first: position - start,
                        len: end - position,
                    });
                    position = end;
                }
                Holder::Need(sheets) => return Resolution::Need(sheets),
                #[cfg(feature = "live")]
                Holder::Later => return Resolution::Later,
                Holder::None { listed: false, .. } => return Resolution::Unlisted,
                // Nothing more is listed: the resource ends here. Otherwise it has a hole that no one can fill.
                Holder::None { more: false, .. } if !spans.is_empty() => break,
                Holder::None { .. } => return Resolution::RangeOutside,
            }
        }
        if spans.is_empty() {
            Resolution::RangeOutside
        } else {
            Resolution::Found(spans)
        }
    }

    /// What holds byte `position` of the resource `path`.
    fn holder(&self, path: &str, position: u64) -> Holder {
        let mut result = self.asset_holder(path, position);
        // What a closed live track and an open one both name is the open one's: its packager began anew.
        let open = self.tracks.iter().filter(|sheets| sheets.open);
        let closed = self.tracks.iter().filter(|sheets| !sheets.open);
        for sheets in open.chain(closed) {
            if result.is_final() {
                return result;
            }
            let track = &sheets.track;
            result = result.or(match &track.names {
                Names::Single { path: single } if single == path => sheets.range_holder(track, position),
                Names::Template { .. } => sheets.template_holder(track, path, position),
                _ => Holder::NOTHING,
            });
        }
        // A name that a rule gives is in no table, so the tables need not be fetched to know.
        if result.is_final() || self.is_named_by_rule(path) {
            return result;
        }
        for sheets in &self.tracks {
            result = result.or(sheets.table_holder(&sheets.track, path, position));
        }
        result
    }

    fn asset_holder(&self, path: &str, position: u64) -> Holder {
        let Some(positions) = self.assets_by_path.get(path) else {
            return Holder::NOTHING;
        };
        let mut more = false;
        for index in positions {
            let object = ObjectId::new(TrackId::ASSETS, *index);
            match self.asset(object).map(|asset| (asset.range, asset.length)) {
                Some((None, length)) => return Holder::Whole { object, length },
                Some((Some((start, length)), _)) if position < start + length => {
                    if position >= start {
                        return Holder::Range {
                            object,
                            start,
                            end: start + length,
                        };
                    }
                    more = true;
                }
                _ => {}
            }
        }
        Holder::None { listed: true, more }
    }

    fn is_named_by_rule(&self, path: &str) -> bool {
        self.tracks.iter().any(|sheets| match &sheets.track.names {
            Names::Single { path: single } => single == path,
            Names::Template { .. } => sheets.series.as_ref().is_some_and(|series| series.covers(path)),
            Names::Table { .. } => false,
        })
    }
}

/// What holds a byte.
enum Holder {
    /// An object that is the whole resource.
    Whole { object: ObjectId, length: u64 },
    /// An object that is this range of the resource.
    Range { object: ObjectId, start: u64, end: u64 },
    /// Unknown without these sheets.
    Need(Vec<Sheet>),
    /// What an open live track will have here is not stated yet.
    #[cfg(feature = "live")]
    Later,
    /// Nothing; `listed` if other bytes of the resource are, `more` if some of them come later.
    None { listed: bool, more: bool },
}

impl Holder {
    const NOTHING: Self = Self::None {
        listed: false,
        more: false,
    };

    fn is_final(&self) -> bool {
        matches!(self, Self::Whole { .. } | Self::Range { .. })
    }

    /// This answer, or a better one: an object, then a need, then what is known of the gap.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::None { listed: a, more: x }, Self::None { listed: b, more: y }) => Self::None {
                listed: a || b,
                more: x || y,
            },
            (Self::None { .. }, other) => other,
            (Self::Need(mut sheets), Self::Need(more)) => {
                sheets.extend(more);
                Self::Need(sheets)
            }
            (Self::Need(_), other) if other.is_final() => other,
            #[cfg(feature = "live")]
            (Self::Later, other @ (Self::Whole { .. } | Self::Range { .. } | Self::Need(_))) => other,
            (this, _) => this,
        }
    }
}

impl TrackSheets {
    /// For a track whose segments are all ranges of the resource, or the only segment is the resource.
    fn range_holder(&self, track: &Track, position: u64) -> Holder {
        if !track.ranged {
            return self.entry_holder(track, 0);
        }
        let found = match self.index.locate(0..track.segments, bytes, position) {
            Located::Need(sheet) => Holder::Need(vec![sheet]),
            Located::Before => gap(0, track.segments),
            Located::At(index) => self.entry_or_gap(track, index, position, track.segments),
        };
        match found {
            #[cfg(feature = "live")]
            Holder::None { more: false, .. } if self.open => Holder::Later,
            found => found,
        }
    }

    fn template_holder(&self, track: &Track, path: &str, position: u64) -> Holder {
        let Some(series) = self.series.as_ref() else {
            return Holder::NOTHING;
        };
        let Some(value) = series.template.value(path).filter(|_| series.covers(path)) else {
            return Holder::NOTHING;
        };
        let index = if series.template.is_time() {
            let starts = |entry: &Entry| (entry.record.media_start, entry.record.media_start + 1);
            match self.index.locate(0..track.segments, starts, value) {
                Located::At(index) if self.starts_at(index, value) => index,
                Located::Need(sheet) => return Holder::Need(vec![sheet]),
                #[cfg(feature = "live")]
                Located::At(index) if self.open && index + 1 == track.segments => return Holder::Later,
                #[cfg(feature = "live")]
                Located::Before if self.open && track.segments == 0 => return Holder::Later,
                Located::At(_) | Located::Before => return Holder::NOTHING,
            }
        } else {
            u32::try_from(value - series.numbers.start()).unwrap_or(u32::MAX)
        };
        #[cfg(feature = "live")]
        if index >= track.segments {
            return if self.open { Holder::Later } else { Holder::NOTHING };
        }
        if track.ranged {
            if let Some(sheet) = self.index.missing(index) {
                return Holder::Need(vec![sheet]);
            }
            return self.entry_or_gap(track, index, position, index + 1);
        }
        self.entry_holder(track, index)
    }

    fn table_holder(&self, track: &Track, path: &str, position: u64) -> Holder {
        let Some(names) = self.names.as_ref() else {
            return Holder::NOTHING;
        };
        let (first, end, before, after) = match names.find(path) {
            Lookup::Run {
                first,
                end,
                before,
                after,
            } => (first, end, before, after),
            Lookup::Need(sheets) => return Holder::Need(sheets),
            Lookup::Absent => return Holder::NOTHING,
        };
        if !track.ranged {
            return self.entry_holder(track, first);
        }
        let need = |sheet: Sheet| Holder::Need(vec![sheet]);
        match self.index.locate(first..end, bytes, position) {
            Located::Need(sheet) => need(sheet),
            Located::Before => before.map_or_else(|| gap(first, end), need),
            Located::At(index) => {
                // Between two pages that have the name, one that is not here may have another.
                if let Some(sheet) = names.missing(index) {
                    return need(sheet);
                }
                if names.name(index) != Some(path) {
                    return Holder::NOTHING;
                }
                match (self.entry_or_gap(track, index, position, end), after) {
                    (Holder::None { .. }, Some(sheet)) if index + 1 == end => need(sheet),
                    (found, _) => found,
                }
            }
        }
    }

    /// The segment as a whole resource.
    fn entry_holder(&self, track: &Track, index: u32) -> Holder {
        match self.index.entry(index) {
            // A gap of a live track: there never was such a segment.
            Some(entry) if entry.info.length == 0 && self.index.log().is_some() => Holder::NOTHING,
            Some(entry) => Holder::Whole {
                object: ObjectId::new(track.id, index),
                length: entry.info.length,
            },
            None => Holder::Need(self.index.missing(index).into_iter().collect()),
        }
    }

    /// The segment, if it holds `position`, or the gap around it among the segments of its resource.
    fn entry_or_gap(&self, track: &Track, index: u32, position: u64, end: u32) -> Holder {
        let Some(record) = self.index.entry(index).map(|entry| &entry.record) else {
            return Holder::NOTHING;
        };
        if position >= record.end() {
            gap(index + 1, end)
        } else if position < record.offset {
            gap(index, end)
        } else {
            Holder::Range {
                object: ObjectId::new(track.id, index),
                start: record.offset,
                end: record.end(),
            }
        }
    }

    fn starts_at(&self, index: u32, media_start: u64) -> bool {
        self.index
            .entry(index)
            .is_some_and(|entry| entry.record.media_start == media_start)
    }
}

fn bytes(entry: &Entry) -> (u64, u64) {
    (entry.record.offset, entry.record.end())
}

/// No segment here; the next one is `index`, unless that is past the last one of the resource.
const fn gap(index: u32, end: u32) -> Holder {
    Holder::None {
        listed: true,
        more: index < end,
    }
}
