//! `swarmseal refresh`: the publisher states that what lies there is still the newest version.

use std::path::PathBuf;

use swarmseal::content::cose::{self, Role};
use swarmseal::content::{Freshness, Hash, MAX_FRESH_S, Manifest};

use crate::cli::place::no_manifest;
use crate::cli::publish::duration;
use crate::cli::terminal::date;
use crate::cli::{Failure, now_unix_s, print};
use crate::publisher::output::replace;
use crate::publisher::{MANIFEST, PublishError, STATEMENT, key_file};

/// State that the published version is still the newest: write content.fresh beside content.seal
///
/// Whoever has the folder and your public key can then tell without a network that this version is fresh, until the
/// statement ends. Do it again before it does, and after publishing.
#[derive(clap::Args)]
pub(super) struct Refresh {
    /// Folder that swarmseal publish has written, or its content.seal
    folder: PathBuf,

    /// Private key that signed it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// How long the statement is good, 30d at most: a number with s, m, h, d or w
    #[arg(long = "for", value_name = "TIME", default_value = "7d", value_parser = duration)]
    good_for: u64,
}

impl Refresh {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.good_for > MAX_FRESH_S {
            let detail = "a statement is good for 30 days at most".to_owned();
            return Err(PublishError::Option {
                option: "--for",
                detail,
            }
            .into());
        }
        let key = key_file::read_private(&self.key)?;
        let folder = match self.folder.file_name().is_some_and(|name| name == MANIFEST) {
            true => self.folder.parent().unwrap_or(&self.folder).to_owned(),
            false => self.folder,
        };
        let path = folder.join(MANIFEST);
        if !path.is_file() {
            return Err(no_manifest(&path));
        }
        let sealed = std::fs::read(&path).map_err(|error| PublishError::file(&path, error))?;
        let unusable = |detail: String| PublishError::Previous {
            path: path.display().to_string(),
            detail,
        };
        let verified = cose::verify(Role::Manifest, &sealed, &[key.public()]).map_err(|error| {
            Failure::new(
                "not_its_publisher",
                format!(
                    "{}: it is not signed with {} ({error})",
                    path.display(),
                    self.key.display()
                ),
                "give the key with which it was published: only its publisher can say what is newest",
            )
        })?;
        let manifest = Manifest::decode(verified.payload).map_err(|error| unusable(error.to_string()))?;
        // Never before the manifest itself, should the clock of this machine have been put back.
        let issued = now_unix_s().max(manifest.issued);
        let statement = Freshness {
            content_id: manifest.content_id,
            version: manifest.version,
            manifest: Hash::of(&[&sealed]),
            issued,
            until: issued.saturating_add(self.good_for),
        };
        let bytes = statement
            .sign(&key)
            .map_err(|error| PublishError::Content(error.to_string()))?;
        let written = folder.join(STATEMENT);
        replace(&written, &bytes)?;
        print(&format!(
            "version {} is stated to be the newest until {}: {}\n",
            manifest.version,
            date(statement.until),
            written.display()
        ))
    }
}
