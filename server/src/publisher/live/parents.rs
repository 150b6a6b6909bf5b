//! Which segments the parts of low-latency HLS make up.

use swarmseal::content::live::Parent;

use super::recording::Recording;
use crate::publisher::PublishError;
use crate::publisher::plan::{PartGroup, SEGMENT_LIMIT};
use crate::publisher::source::{Folder, read_range};

/// The newest segments of `whole` whose parts are all in the log `parts`, and are together their bytes.
///
/// # Errors
/// A file that was there a moment ago is not there any more.
pub(super) fn of(
    groups: &[PartGroup],
    parts: &Recording,
    whole: &Recording,
    folder: &Folder,
) -> Result<Vec<Parent>, PublishError> {
    let mut newest_first: Vec<Parent> = Vec::new();
    for group in groups.iter().rev() {
        let Some(parent) = parent(group, parts, whole) else {
            if newest_first.is_empty() && group.segment.is_none() {
                continue;
            }
            break;
        };
        let follows = newest_first.last().is_none_or(|next| {
            (next.segment, next.first) == (parent.segment + 1, parent.first + parent.count)
        });
        if !follows || !(parts.parents.contains(&parent) || adds_up(group, folder)?) {
            break;
        }
        newest_first.push(parent);
    }
    newest_first.reverse();
    Ok(newest_first)
}

/// `None` unless everything of it is in the logs, in order.
fn parent(group: &PartGroup, parts: &Recording, whole: &Recording) -> Option<Parent> {
    let segment = match &group.segment {
        Some(place) => whole.position(place)?,
        None => whole.size(),
    };
    let first = parts.position(group.parts.first()?)?;
    let in_order = group
        .parts
        .iter()
        .zip(first..)
        .all(|(place, expected)| parts.position(place) == Some(expected));
    let count = u32::try_from(group.parts.len()).ok()?;
    in_order.then_some(Parent {
        segment,
        first,
        count,
    })
}

/// Whether a finished segment is its parts one after the other. A packager may put other boxes into it than into them:
/// then both are segments in their own right.
fn adds_up(group: &PartGroup, folder: &Folder) -> Result<bool, PublishError> {
    let Some((name, range)) = &group.segment else {
        return Ok(true);
    };
    let whole = read_range(folder, name, *range, SEGMENT_LIMIT)?;
    let mut rest = whole.as_slice();
    for (name, range) in &group.parts {
        let part = read_range(folder, name, *range, SEGMENT_LIMIT)?;
        match rest.strip_prefix(part.as_slice()) {
            Some(after) => rest = after,
            None => return Ok(false),
        }
    }
    Ok(rest.is_empty())
}
