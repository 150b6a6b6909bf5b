//! `swarmseal endorse`: an operator vouches for what a user has made.

use std::path::PathBuf;

use swarmseal::content::{Endorsement, MAX_ENDORSED_S, RollbackMemory};

use crate::cli::place::Place;
use crate::cli::publish::duration;
use crate::cli::terminal::{Bar, date};
use crate::cli::{Failure, default_jobs, now_unix_s, print};
use crate::publisher::output::replace;
use crate::publisher::{Expected, PublishError, VerifyError, key_file, verify};

/// Check user-made content completely, and endorse it: write what its maker then publishes with --endorsement
///
/// The endorsement is of exactly the objects and names that the manifest lists now, under the maker's key. Later versions
/// that list the same are endorsed too; one more file, or other bytes, need another endorsement.
#[derive(clap::Args)]
pub(super) struct Endorse {
    /// Folder, manifest, or http(s) URL
    place: Place,

    /// Public key of its maker: ed25519:… or a .pub file
    #[arg(long, value_name = "KEY")]
    maker: String,

    /// Your private key: viewers who pin its public half take what it endorses
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// How long the endorsement is good, 366d at most: a number with s, m, h, d or w
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = duration)]
    expires: u64,

    /// Where to write the endorsement, for its maker
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// No progress bar
    #[arg(long, short)]
    quiet: bool,
}

impl Endorse {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.expires > MAX_ENDORSED_S {
            let detail = "an endorsement is good for 366 days at most".to_owned();
            return Err(PublishError::Option {
                option: "--expires",
                detail,
            }
            .into());
        }
        let (key, maker) = (
            key_file::read_private(&self.key)?,
            key_file::read_public(&self.maker)?,
        );
        let published = self.place.published()?;
        let refused =
            |detail: &str| Failure::new("not_endorsable", detail, "ask its maker to publish it anew");
        let unfit = |error: VerifyError| match error {
            VerifyError::Untrusted {
                code: "user_made_unendorsed",
                ..
            } => refused("it does not say that a user has made it (publish --user-made)"),
            other => other.into(),
        };
        let expected = Expected {
            keys: Vec::new(),
            makers: vec![maker],
            endorsers: Vec::new(),
            before_endorsement: true,
            memory: RollbackMemory::default(),
            content: None,
            now_unix_s: now_unix_s(),
            clock_within_s: None,
            jobs: default_jobs(matches!(self.place, Place::Url(_))),
        };
        // Every byte: what was looked at is what is endorsed.
        let report = verify(
            &*published.source,
            &published.manifest,
            &expected,
            &Bar::new(self.quiet),
        )
        .map_err(unfit)?;
        let manifest = report.manifest.manifest();
        let listing = manifest
            .listing()
            .ok_or_else(|| refused("it is live: what it will list is not known yet"))?;
        let issued = now_unix_s().max(manifest.issued);
        let endorsement = Endorsement {
            content_id: manifest.content_id,
            maker,
            listing,
            issued,
            expires: issued.saturating_add(self.expires),
        };
        let bytes = endorsement
            .sign(&key)
            .map_err(|error| PublishError::Content(error.to_string()))?;
        replace(&self.out, &bytes)?;
        print(&format!(
            "endorsed content {} by {maker}, until {}: {}\n",
            manifest.content_id,
            date(endorsement.expires),
            self.out.display()
        ))
    }
}
