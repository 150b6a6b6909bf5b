//! `swarmseal publish`: from packaged media to a signed manifest.

use std::path::PathBuf;

use swarmseal::content::{Class, ContentId, PublicKey};
use url::Url;

use crate::cli::live;
use crate::cli::place::Place;
use crate::cli::terminal::{Bar, count, date, size};
use crate::cli::{Failure, default_jobs, now_unix_s, print};
use crate::publisher::source::{Folder, HttpSource, Source};
use crate::publisher::{Options, PublishError, Published, key_file, publish};

/// Sign packaged media: write content.seal and seal/ beside it
///
/// SOURCE is a folder with HLS (m3u8), MPEG-DASH (mpd) or plain files, or the URL of a playlist, MPD or file. Media
/// files are only read. Decryption keys (EXT-X-KEY) are never listed; encrypted segments are listed as they are.
/// Running it again makes the next version of the same content, and only reads what has changed.
#[derive(clap::Args)]
pub(super) struct Publish {
    /// Folder, or http(s) URL
    source: Place,

    /// Private key made by swarmseal keygen
    #[arg(long, value_name = "FILE", required_unless_present = "watch")]
    key: Option<PathBuf>,

    /// Publish live beside a packager that is writing into the folder, until it ends or SIGTERM comes; then the recording.
    /// Without --key, with what swarmseal session has prepared
    #[arg(long, conflicts_with_all = ["out", "base", "jobs", "rehash"])]
    watch: bool,

    /// With --watch: folder for the keys of sessions and the state of the stream, outside of SOURCE
    /// [default: $STATE_DIRECTORY, $XDG_STATE_HOME/swarmseal or ~/.local/state/swarmseal]
    #[arg(long, value_name = "DIR", requires = "watch")]
    state: Option<PathBuf>,

    /// Where to write content.seal and seal/ [default: the folder itself]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// For a URL: the address that names are relative to [default: the folder of the URL]
    #[arg(long, value_name = "URL")]
    base: Option<Url>,

    /// Identity of a new content, 22 characters of base64url [default: random]
    #[arg(long, value_name = "ID", value_parser = content_id, allow_hyphen_values = true)]
    content_id: Option<ContentId>,

    /// How long viewers may use this version: a number with s, m, h, d or w
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = duration)]
    expires: u64,

    /// It was made by a user: viewers take it only where an operator whom they trust has endorsed it
    #[arg(long, conflicts_with = "watch")]
    user_made: bool,

    /// What swarmseal endorse wrote for this content
    #[arg(long, value_name = "FILE", conflicts_with = "watch")]
    endorsement: Option<PathBuf>,

    /// Public key of a tracker that may admit viewers: ed25519:… or a .pub file; may be repeated
    #[arg(long, value_name = "KEY")]
    tracker_key: Vec<String>,

    /// Query parameter that tells resources apart; all others are ignored; may be repeated
    #[arg(long, value_name = "NAME")]
    significant_query: Vec<String>,

    /// Objects hashed at the same time [default: number of cores, at least 8 for a URL]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,

    /// Read everything again, even what has not changed since an earlier run
    #[arg(long)]
    rehash: bool,

    /// No progress bar and no summary
    #[arg(long, short)]
    quiet: bool,
}

impl Publish {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.watch {
            return self.run_live();
        }
        let no_key = || PublishError::Option {
            option: "--key",
            detail: "it is missing".to_owned(),
        };
        let key = key_file::read_private(self.key.as_ref().ok_or_else(no_key)?)?;
        let tracker_keys: Vec<PublicKey> = self
            .tracker_key
            .iter()
            .map(|text| key_file::read_public(text))
            .collect::<Result<_, _>>()?;
        let is_url = matches!(self.source, Place::Url(_));
        let (source, out): (Box<dyn Source>, PathBuf) = match (self.source, self.out) {
            (Place::Path(path), out) if path.is_dir() => {
                let source = Folder::open(&path)?;
                (Box::new(source), out.unwrap_or(path))
            }
            (Place::Path(path), _) if path.exists() => {
                let remedy = "name the folder that it is in; playlists and MPDs are found";
                return Err(Failure::new(
                    "not_a_folder",
                    format!("{} is a file", path.display()),
                    remedy,
                ));
            }
            (Place::Path(path), _) => {
                let what = format!("there is no folder {}", path.display());
                return Err(Failure::new("not_a_folder", what, "check the path"));
            }
            (Place::Url(url), Some(out)) => (Box::new(HttpSource::open(&url, self.base)?), out),
            (Place::Url(_), None) => {
                return Err(PublishError::Option {
                    option: "--out",
                    detail: "media at a URL needs it, to say where content.seal and seal/ are written"
                        .to_owned(),
                }
                .into());
            }
        };
        let read = |file: &PathBuf| std::fs::read(file).map_err(|error| PublishError::file(file, error));
        let endorsement = self.endorsement.as_ref().map(read).transpose()?;
        let options = Options {
            key,
            out,
            content_id: self.content_id,
            valid_for_s: self.expires,
            class: self.user_made.then_some(Class::UserMade),
            endorsement,
            significant_query: (!self.significant_query.is_empty()).then_some(self.significant_query),
            tracker_keys: (!tracker_keys.is_empty()).then_some(tracker_keys),
            jobs: self.jobs.map_or_else(|| default_jobs(is_url), usize::from),
            rehash: self.rehash,
        };
        let published = publish(&*source, &options, now_unix_s(), &Bar::new(self.quiet))?;
        if self.quiet {
            Ok(())
        } else {
            print(&summary(&published))
        }
    }
}

impl Publish {
    fn run_live(self) -> Result<(), Failure> {
        let Place::Path(folder) = self.source else {
            let remedy = "run it where the packager writes";
            return Err(Failure::new("not_a_folder", "a URL cannot be watched", remedy));
        };
        let tracker_keys = self.tracker_key.iter().map(|text| key_file::read_public(text));
        let tracker_keys: Vec<PublicKey> = tracker_keys.collect::<Result<_, _>>()?;
        let key = self.key.as_deref().map(key_file::read_private).transpose()?;
        let signing = key.map(|key| Options {
            key,
            out: folder.clone(),
            content_id: self.content_id,
            valid_for_s: self.expires,
            class: None,
            endorsement: None,
            significant_query: (!self.significant_query.is_empty()).then_some(self.significant_query),
            tracker_keys: (!tracker_keys.is_empty()).then_some(tracker_keys),
            jobs: default_jobs(false),
            rehash: false,
        });
        live::run(folder, self.state, signing, self.quiet)
    }
}

pub(super) fn summary(published: &Published) -> String {
    let manifest = &published.manifest;
    let mut text = String::new();
    for note in &published.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let new = manifest.tracks.len() - published.unchanged_tracks;
    let tracks = match (published.unchanged_tracks, new) {
        (0, _) => count(manifest.tracks.len() as u64, "track"),
        (unchanged, 0) => format!("{}, unchanged", count(unchanged as u64, "track")),
        (unchanged, new) => format!(
            "{} ({unchanged} unchanged, {new} new or changed)",
            count((unchanged + new) as u64, "track")
        ),
    };
    text.push_str(&format!(
        "published version {} of content {}\n  {tracks}, {}, {} in {}\n",
        manifest.version,
        manifest.content_id,
        count(manifest.assets.len() as u64, "asset"),
        size(published.bytes),
        count(published.objects, "object"),
    ));
    if published.reused > 0 {
        text.push_str(&format!(
            "  {} known from an earlier run\n",
            count(published.reused, "object")
        ));
    }
    text.push_str(&format!(
        "  {} ({}), valid until {}\n",
        published.path.display(),
        size(published.sealed_len as u64),
        date(manifest.expires),
    ));
    text
}

pub(super) fn content_id(text: &str) -> Result<ContentId, String> {
    text.parse()
        .map_err(|_| "not 22 characters of base64url".to_owned())
}

/// `90s`, `36h`, `365d`, `52w` in seconds.
pub(super) fn duration(text: &str) -> Result<u64, String> {
    let unit = |unit: char| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3600),
        'd' => Some(86_400),
        'w' => Some(604_800),
        _ => None,
    };
    let parsed = text.char_indices().next_back().and_then(|(at, last)| {
        let number: u64 = text.get(..at)?.parse().ok()?;
        number.checked_mul(unit(last)?)
    });
    let century = 100 * 365 * 86_400;
    parsed
        .filter(|seconds| (1..=century).contains(seconds))
        .ok_or_else(|| "not a time between 1s and 36500d, such as 12h, 30d or 52w".to_owned())
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90s"), Ok(90));
        assert_eq!(duration("2w"), Ok(1_209_600));
        for wrong in [
            "",
            "5",
            "d",
            "-1d",
            "1y",
            "0d",
            "99999999999999999999d",
            "40000d",
            "1é",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
