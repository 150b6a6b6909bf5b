//! `swarmseal verify`: is this published content complete and as signed?

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use swarmseal::content::{ContentId, Grade, PublicKey, RollbackMemory};

use crate::cli::place::Place;
use crate::cli::terminal::{Bar, count, date, distance, size};
use crate::cli::{Exit, Failure, default_jobs, now_unix_s, print};
use crate::publisher::delivery::{Answer, Delivery, probe};
use crate::publisher::output::replace;
use crate::publisher::{
    Expected, FreshnessReport, LiveReport, PublishError, Report, StatementFound, VerifyError, key_file,
    verify,
};

/// Check a published content completely: signature, indexes, rows, and every byte of media
///
/// PLACE is the folder, its content.seal, or the URL of either. The first difference is named. For a URL the server is
/// also asked whether browsers can use it (CORS, Range).
#[derive(clap::Args)]
pub(super) struct Verify {
    /// Folder, manifest, or http(s) URL
    place: Place,

    /// Public key that must have signed: ed25519:… or a .pub file; may be repeated, one is enough
    #[arg(long, value_name = "KEY", required_unless_present = "maker")]
    key: Vec<String>,

    /// Public key of a user who may have signed instead; may be repeated. Needs an endorsement by --endorser
    #[arg(long, value_name = "KEY", requires = "endorser")]
    maker: Vec<String>,

    /// Public key of an operator whose endorsement of user-made content counts; may be repeated
    #[arg(long, value_name = "KEY")]
    endorser: Vec<String>,

    /// The content it must be, 22 characters of base64url
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    content: Option<ContentId>,

    /// Seconds by which this machine's clock is wrong at most, if you can answer for that: only then can anything be fresh
    #[arg(long, value_name = "SECONDS")]
    clock_within: Option<u32>,

    /// File that remembers versions and times seen: what is older than that is refused, whatever the clock says
    #[arg(long, value_name = "FILE")]
    memory: Option<PathBuf>,

    /// Objects read at the same time [default: number of cores, at least 8 for a URL]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,

    /// No progress bar and no report; the exit status tells
    #[arg(long, short)]
    quiet: bool,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Failure> {
        let keys = public_keys(&self.key)?;
        let memory = self
            .memory
            .as_deref()
            .map_or_else(|| Ok(RollbackMemory::default()), read_memory)?;
        let is_url = matches!(self.place, Place::Url(_));
        let published = self.place.published()?;
        let now_unix_s = now_unix_s();
        let jobs = self.jobs.map_or_else(|| default_jobs(is_url), usize::from);
        let expected = Expected {
            keys,
            makers: public_keys(&self.maker)?,
            endorsers: public_keys(&self.endorser)?,
            before_endorsement: false,
            memory,
            content: self.content,
            now_unix_s,
            clock_within_s: self.clock_within,
            jobs,
        };
        let report = verify(
            &*published.source,
            &published.manifest,
            &expected,
            &Bar::new(self.quiet),
        )?;
        if let Some(file) = &self.memory {
            let json = serde_json::to_vec(&report.memory).map_err(|error| unwritable(file, &error))?;
            replace(file, &json)?;
        }
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

fn public_keys(given: &[String]) -> Result<Vec<PublicKey>, Failure> {
    let read = given.iter().map(|text| key_file::read_public(text));
    Ok(read.collect::<Result<_, _>>()?)
}

/// Nothing is remembered where there is no file yet. One that cannot be read is a failure: what it said would be lost.
fn read_memory(file: &Path) -> Result<RollbackMemory, Failure> {
    match std::fs::read(file) {
        Ok(json) => serde_json::from_slice(&json).map_err(|error| {
            let remedy = "put back what verify wrote, or start with another file and forget what was seen";
            Failure::new("memory", format!("{}: {error}", file.display()), remedy)
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(RollbackMemory::default()),
        Err(error) => Err(PublishError::file(file, error).into()),
    }
}

fn unwritable(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        "memory",
        format!("{}: {error}", file.display()),
        "choose another file",
    )
}

fn describe_freshness(found: &FreshnessReport) -> String {
    let why = match (found.grade, found.statement) {
        (Grade::Fresh { until }, _) => {
            return format!(
                "good  freshness    the newest version, as stated; good until {}\n",
                date(until)
            );
        }
        (_, StatementFound::None) => "there is no statement by the publisher".to_owned(),
        (_, StatementFound::Refused(code)) => format!("the statement is refused ({code})"),
        (_, StatementFound::Until(until)) => format!(
            "the statement is good until {}, but it is of another version, or nobody answers for this machine's clock \
             (if you do, say by how many seconds it may be off: --clock-within 300)",
            date(until)
        ),
    };
    format!("note  freshness    signed, freshness unknown: {why}\n")
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
    text.push_str(&describe_freshness(&report.freshness));
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
                    "user_made_unendorsed" => {
                        "user-made content needs an endorsement: swarmseal endorse makes one, --endorser says whose counts"
                    }
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
