//! From a reference in a playlist to the name of a resource.

use swarmseal::content;
use url::Url;

use crate::publisher::PublishError;
use crate::publisher::source::{Source, below, without_query};

/// Resolves references of playlists and MPDs.
pub(crate) struct References<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) significant: &'a [String],
}

impl References<'_> {
    /// The address of a listed document.
    pub(crate) fn address(&self, name: &str) -> Result<Url, PublishError> {
        self.source
            .base()
            .join(name)
            .map_err(|error| PublishError::unreadable(name, error))
    }

    /// The name that `reference`, written in `referrer`, stands for. `base` is what the reference is relative to.
    pub(crate) fn name(&self, referrer: &str, base: &Url, reference: &str) -> Result<String, PublishError> {
        self.name_within(base, reference)?.ok_or_else(|| {
            let shown = base
                .join(reference)
                .ok()
                .filter(|address| address.origin() != base.origin());
            PublishError::OutsideFolder {
                uri: shown.map_or_else(
                    || reference.split('?').next().unwrap_or(reference).to_owned(),
                    |address| without_query(&address),
                ),
                referrer: referrer.to_owned(),
            }
        })
    }

    /// The same for references that may lie elsewhere: `None` if this one does.
    pub(crate) fn name_within(&self, base: &Url, reference: &str) -> Result<Option<String>, PublishError> {
        let Ok(address) = base.join(reference) else {
            return Ok(None);
        };
        let Some(relative) = below(self.source.base(), &address) else {
            return Ok(None);
        };
        let Ok(name) = content::normalise_path(&relative, self.significant) else {
            return Ok(None);
        };
        self.source.learn(&name, &address);
        Ok(Some(name))
    }
}
