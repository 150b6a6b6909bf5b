//! `swarmseal session`: prepares a live content where the publisher's key is, for a machine where it is not.

use std::path::PathBuf;

use swarmseal::content::{ContentId, PublicKey};

use crate::cli::live::{SESSION_S, state_folder};
use crate::cli::publish::{content_id, duration};
use crate::cli::terminal::count;
use crate::cli::{Failure, now_unix_s, print};
use crate::publisher::live::{LiveOptions, LivePublisher};
use crate::publisher::{Options, key_file};

/// Sign a live manifest and sessions beforehand, so that publish --watch needs no private key
///
/// Writes content.seal into FOLDER and sessions with their keys into the state folder. Both are then moved to the
/// machine of the packager. Never copy a state folder to two machines, and never put an old copy back.
#[derive(clap::Args)]
pub(super) struct Session {
    /// Folder that the packager will write into
    folder: PathBuf,

    /// Private key made by swarmseal keygen
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Folder for the keys of sessions, outside of FOLDER
    /// [default: $STATE_DIRECTORY, $XDG_STATE_HOME/swarmseal or ~/.local/state/swarmseal]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,

    /// Sessions of 24 hours, each overlapping the next by a quarter
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    sessions: u32,

    /// Identity of a new content, 22 characters of base64url [default: random]
    #[arg(long, value_name = "ID", value_parser = content_id, allow_hyphen_values = true)]
    content_id: Option<ContentId>,

    /// How long viewers may use the manifest: a number with s, m, h, d or w
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = duration)]
    expires: u64,

    /// Public key of a tracker that may admit viewers: ed25519:… or a .pub file; may be repeated
    #[arg(long, value_name = "KEY")]
    tracker_key: Vec<String>,
}

impl Session {
    pub(super) fn run(self) -> Result<(), Failure> {
        let tracker_keys = self.tracker_key.iter().map(|text| key_file::read_public(text));
        let tracker_keys: Vec<PublicKey> = tracker_keys.collect::<Result<_, _>>()?;
        let options = LiveOptions {
            state: state_folder(self.state)?,
            signing: Some(Options {
                key: key_file::read_private(&self.key)?,
                out: self.folder.clone(),
                content_id: self.content_id,
                valid_for_s: self.expires,
                class: None,
                endorsement: None,
                significant_query: None,
                tracker_keys: (!tracker_keys.is_empty()).then_some(tracker_keys),
                jobs: 1,
                rehash: false,
            }),
            folder: self.folder,
            session_s: SESSION_S,
        };
        let (manifest, numbers) = LivePublisher::prepare(&options, self.sessions, now_unix_s())?;
        print(&format!(
            "prepared {} of content {}\n",
            count(numbers.len() as u64, "session"),
            manifest.content_id
        ))
    }
}
