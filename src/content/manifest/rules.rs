//! Rules about the values of a manifest: whatever passes here can be used without further checks.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::ordered::{OrderedMap, sort_by_key};
use core::ops::RangeInclusive;

use super::{Asset, Manifest, ManifestError, Names, Track};
use crate::content::geometry::{MAX_OBJECT_LEN, MAX_SEGMENTS, MAX_TRACK};
use crate::content::{Template, normalise_path};

/// Most assets of a content.
pub const MAX_ASSETS: usize = 1024;
/// Most tracks of a content.
pub const MAX_TRACKS: usize = 256;
/// Most tracker keys.
pub const MAX_TRACKER_KEYS: usize = 16;
/// Most significant query parameters, and bytes of a parameter's name.
pub const MAX_PARAMETERS: usize = 16;
const MAX_PARAMETER_LEN: usize = 64;
/// Bytes of a media type.
pub const MAX_MEDIA_TYPE: usize = 128;
/// Bytes of what is carried but not interpreted.
pub const MAX_RESERVED: usize = 4096;
/// Largest number: what JavaScript holds exactly.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    check_head(manifest)?;
    let significant = &manifest.significant_query;
    manifest
        .assets
        .iter()
        .try_for_each(|asset| check_asset(asset, significant))?;
    manifest
        .tracks
        .iter()
        .try_for_each(|track| check_track(track, significant))?;
    if !manifest.tracks.is_sorted_by(|a, b| a.id < b.id) {
        return Err(ManifestError::TrackOrder);
    }
    check_names(manifest)
}

fn check_head(manifest: &Manifest) -> Result<(), ManifestError> {
    let numbers = [manifest.version, manifest.issued, manifest.expires];
    if manifest.version == 0 || numbers.iter().any(|number| *number > MAX_NUMBER) {
        return Err(ManifestError::NumberRange);
    }
    if manifest.expires <= manifest.issued {
        return Err(ManifestError::Validity);
    }
    let reserved = [&manifest.endorsement, &manifest.live, &manifest.freshness];
    if manifest.assets.len() > MAX_ASSETS
        || manifest.tracks.len() > MAX_TRACKS
        || manifest.tracker_keys.len() > MAX_TRACKER_KEYS
        || manifest.significant_query.len() > MAX_PARAMETERS
        || reserved
            .into_iter()
            .flatten()
            .any(|bytes| bytes.len() > MAX_RESERVED)
    {
        return Err(ManifestError::TooMany);
    }
    let names = &manifest.significant_query;
    // A name in normal form is one that the rule for paths leaves as it is.
    let is_normal = |name: &String| {
        !name.is_empty()
            && name.len() <= MAX_PARAMETER_LEN
            && !name.contains(['=', '&'])
            && normalise_path(&format!("p?{name}"), core::slice::from_ref(name)) == Ok(format!("p?{name}"))
    };
    if !names.iter().all(is_normal) || !names.is_sorted_by(|a, b| a < b) {
        return Err(ManifestError::QueryParameter);
    }
    if !manifest.tracker_keys.iter().all(|key| key.is_usable()) {
        return Err(ManifestError::TrackerKey);
    }
    Ok(())
}

pub(in crate::content) fn check_asset(asset: &Asset, significant: &[String]) -> Result<(), ManifestError> {
    check_path(&asset.path, significant)?;
    check_media_type(&asset.media_type)?;
    if asset.length > MAX_OBJECT_LEN {
        return Err(ManifestError::ObjectLength);
    }
    match asset.range {
        Some((offset, length)) if length != asset.length || length == 0 || offset > MAX_NUMBER - length => {
            Err(ManifestError::ObjectLength)
        }
        _ => Ok(()),
    }
}

fn check_track(track: &Track, significant: &[String]) -> Result<(), ManifestError> {
    if !(1..=MAX_TRACK).contains(&track.id.0) {
        return Err(ManifestError::TrackOrder);
    }
    if track.timescale == 0 || track.bitrate.is_some_and(|bitrate| bitrate > MAX_NUMBER) {
        return Err(ManifestError::NumberRange);
    }
    if !(1..=MAX_SEGMENTS).contains(&track.segments) {
        return Err(ManifestError::SegmentCount);
    }
    check_media_type(&track.media_type)?;
    check_path(&track.index.path, significant)?;
    check_path(&track.rows.path, significant)?;
    match &track.names {
        Names::Template {
            pattern,
            start_number,
        } => {
            let template = Template::parse(pattern)?;
            check_path(&template.name(0), significant)?;
            check_path(&template.name(MAX_NUMBER), significant)?;
            if *start_number > MAX_NUMBER - u64::from(track.segments) {
                return Err(ManifestError::NumberRange);
            }
        }
        Names::Table { path, .. } => check_path(path, significant)?,
        Names::Single { path } => {
            check_path(path, significant)?;
            if !track.ranged && track.segments > 1 {
                return Err(ManifestError::DuplicateName);
            }
        }
    }
    Ok(())
}

pub(in crate::content) fn check_path(path: &str, significant: &[String]) -> Result<(), ManifestError> {
    match normalise_path(path, significant) {
        Ok(normal) if normal == path => Ok(()),
        Ok(_) => Err(ManifestError::PathNotNormal),
        Err(error) => Err(ManifestError::Path(error)),
    }
}

/// `type/subtype` of token characters, then anything printable (RFC 9110 §8.3.1).
pub(in crate::content) fn check_media_type(media_type: &str) -> Result<(), ManifestError> {
    let essence = media_type.split(';').next().unwrap_or_default().trim_ascii_end();
    let is_token = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let (kind, subtype) = essence.split_once('/').unwrap_or_default();
    let printable = media_type.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if printable && media_type.len() <= MAX_MEDIA_TYPE && is_token(kind) && is_token(subtype) {
        Ok(())
    } else {
        Err(ManifestError::MediaType)
    }
}

/// No two entries resolve to one name and range, as far as the manifest alone can tell; names tables and ranges
/// within tracks are checked when their pages arrive.
fn check_names(manifest: &Manifest) -> Result<(), ManifestError> {
    let mut ranges: OrderedMap<&str, Vec<(u64, u64)>> = OrderedMap::new();
    let mut whole: Vec<&str> = Vec::new();
    for asset in &manifest.assets {
        match asset.range {
            None => whole.push(&asset.path),
            Some((offset, length)) => ranges
                .entry(&asset.path)
                .or_default()
                .push((offset, offset + length)),
        }
    }
    let mut templates: Vec<(Template, Option<RangeInclusive<u64>>)> = Vec::new();
    let mut shared: Vec<&str> = Vec::new();
    for track in &manifest.tracks {
        match &track.names {
            Names::Template {
                pattern,
                start_number,
            } => {
                let template = Template::parse(pattern)?;
                let last = start_number + u64::from(track.segments - 1);
                let values = (!template.is_time()).then_some(*start_number..=last);
                templates.push((template, values));
            }
            Names::Single { path } if track.ranged => shared.push(path),
            Names::Single { path } => whole.push(path),
            Names::Table { .. } => {}
        }
    }
    sort_by_key(&mut whole, |path| *path);
    let templated = |path: &str| {
        templates.iter().any(|(template, values)| {
            template
                .value(path)
                .is_some_and(|value| values.as_ref().is_none_or(|values| values.contains(&value)))
        })
    };
    let whole_is_taken = whole.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
        || whole
            .iter()
            .any(|path| ranges.contains_key(path) || shared.contains(path) || templated(path));
    let partly_taken = ranges
        .keys()
        .chain(&shared)
        .any(|path| templated(path) && !ranged_template(manifest, path));
    let templates_meet = templates.iter().enumerate().any(|(at, (a, values))| {
        templates
            .iter()
            .skip(at + 1)
            .any(|(b, others)| a.may_collide(values.clone(), b, others.clone()))
    });
    if whole_is_taken || partly_taken || templates_meet {
        return Err(ManifestError::DuplicateName);
    }
    for ranges in ranges.values_mut() {
        sort_by_key(ranges, |range| *range);
        if ranges
            .windows(2)
            .any(|pair| matches!(pair, [(_, end), (start, _)] if start < end))
        {
            return Err(ManifestError::OverlappingAssets);
        }
    }
    Ok(())
}

/// Whether `path` is named by a track whose segments are ranges: then an asset may be another range of it.
fn ranged_template(manifest: &Manifest, path: &str) -> bool {
    manifest
        .tracks
        .iter()
        .filter(|track| track.ranged)
        .any(|track| match &track.names {
            Names::Template { pattern, .. } => {
                Template::parse(pattern).is_ok_and(|t| t.value(path).is_some())
            }
            _ => false,
        })
}
