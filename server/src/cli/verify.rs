//! `swarmseal verify`: is this published content complete and as signed?

use swarmseal::content::{ContentId, PublicKey};

use crate::cli::place::Place;
use crate::cli::terminal::{Bar, count, date, distance, size};
use crate::cli::{Exit, Failure, default_jobs, now_unix_s, print};
use crate::publisher::delivery::{Answer, Delivery, probe};
use crate::publisher::{Expected, LiveReport, Report, VerifyError, key_file, verify};

/// Check a published content completely: signature, indexes, rows, and every byte of media
///
/// PLACE is the folder, its content.seal, or the URL of either. The first difference is named. For a URL the server is
/// also asked whether browsers can use it (CORS, Range).
#[derive(clap::Args)]
pub(super) struct Verify {
    /// Folder, manifest, or http(s) URL
    place: Place,

    /// Public key that must have signed: ed25519:… or a .pub file; may be repeated, one is enough
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<String>,

    /// The content it must be, 22 characters of base64url
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    content: Option<ContentId>,

    /// Objects read at the same time [default: number of cores, at least 8 for a URL]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,

    /// No progress bar and no report; the exit status tells
    #[arg(long, short)]
    quiet: bool,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Failure> {
        let keys: Vec<PublicKey> = self
            .key
            .iter()
            .map(|text| key_file::read_public(text))
            .collect::<Result<_, _>>()?;
        let is_url = matches!(self.place, Place::Url(_));
        let published = self.place.published()?;
        let now_unix_s = now_unix_s();
        let jobs = self.jobs.map_or_else(|| default_jobs(is_url), usize::from);
        let expected = Expected {
            keys,
            content: self.content,
            now_unix_s,
            jobs,
        };
        let report = verify(
            &*published.source,
            &published.manifest,
            &expected,
            &Bar::new(self.quiet),
        )?;
        let mut text = describe(&report, now_unix_s);
        let mut unusable = None;
        if is_url {
            let delivery = probe(
                published.source.base(),
                &published.manifest,
                report.manifest.manifest(),
            )?;
            text.push_str(&describe_delivery(&delivery));
            let answers = [delivery.cors, delivery.ranges, delivery.encoding];
            unusable = answers.into_iter().find_map(|answer| match answer {
                Answer::Bad(text) => Some(text),
                _ => None,
            });
        }
        if !self.quiet {
            print(&text)?;
        }
        match unusable {
            Some(what) => {
                let remedy = "every byte is right, but change the server's configuration";
                Err(Failure::new("server_unusable", what, remedy).with_exit(Exit::Mismatch))
            }
            None => Ok(()),
        }
    }
}

fn describe(report: &Report, now_unix_s: u64) -> String {
    let manifest = report.manifest.manifest();
    let mut text = format!(
        "good  signature    version {} of content {} by {}\n",
        manifest.version,
        manifest.content_id,
        report.manifest.signer(),
    );
    text.push_str(&format!(
        "good  validity     until {}, {}\n",
        date(manifest.expires),
        distance(manifest.expires, now_unix_s)
    ));
    if let Some(live) = &report.live {
        text.push_str(&describe_live(live, now_unix_s));
    } else {
        let segments: u64 = manifest
            .tracks
            .iter()
            .map(|track| u64::from(track.segments))
            .sum();
        text.push_str(&format!(
            "good  indexes      {}, {}\n",
            count(manifest.tracks.len() as u64, "track"),
            count(segments, "segment"),
        ));
    }
    text.push_str(&format!(
        "good  every byte   {}, {}, {}\n",
        count(report.objects, "object"),
        count(report.chunks, "chunk"),
        size(report.bytes),
    ));
    if let Some(first) = report.unlisted.first() {
        let others = match report.unlisted.len() {
            1 => String::new(),
            all => format!(" and {}", count(all as u64 - 1, "more file")),
        };
        text.push_str(&format!(
            "note  not listed   {first}{others}; new files are listed by publishing again, keys never\n"
        ));
    }
    text
}

fn describe_live(live: &LiveReport, now_unix_s: u64) -> String {
    let state = if live.end { "the end" } else { "live" };
    let mut text = format!(
        "good  head         {} of log {} by session {}, {}, {state}\ngood  logs         {}\n",
        live.sequence,
        live.log,
        live.session,
        distance(live.issued_ms / 1000, now_unix_s),
        count(live.segments, "segment"),
    );
    if live.gone > 0 {
        text.push_str(&format!("note  not there    {}\n", count(live.gone, "segment")));
    }
    text
}

fn describe_delivery(delivery: &Delivery) -> String {
    let line = |name: &str, answer: &Answer| match answer {
        Answer::Good(text) => format!("good  {name:<12} {text}\n"),
        Answer::Poor(text) => format!("poor  {name:<12} {text}\n"),
        Answer::Bad(text) => format!("BAD   {name:<12} {text}\n"),
    };
    line("CORS", &delivery.cors) + &line("Range", &delivery.ranges) + &line("encoding", &delivery.encoding)
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Read(error) => error.into(),
            VerifyError::Untrusted { code, .. } => {
                let remedy = match code {
                    "expired" => "publish again",
                    "wrong_content" => "this is another content than --content says",
                    _ => "do not use it; get the public key from its publisher by another way, and compare",
                };
                Self::new(code, error.to_string(), remedy).with_exit(Exit::Mismatch)
            }
            VerifyError::Mismatch(_) => {
                let remedy = "put the published file back, or publish again if the change was meant";
                Self::new("mismatch", error.to_string(), remedy).with_exit(Exit::Mismatch)
            }
        }
    }
}
