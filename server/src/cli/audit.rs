//! `swarmseal audit`: an auditor of one content's swarm.

use std::net::{IpAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use swarmseal::content::PublicKey;
use swarmseal::swarm::Sharing;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use url::Url;

use crate::audit::{AuditOptions, Note, Reported, audit};
use crate::authorities::{Authorities, AuthoritiesError};
use crate::cli::publish::duration;
use crate::cli::{Failure, print};
use crate::native::{PeerError, PeerOptions};
use crate::publisher::key_file;

/// Watch a swarm from within: visit it as a viewer, and have whoever sends altered bytes put out
///
/// Each visit is a peer like any other, with a key of its own: it joins at the tracker, connects over WebRTC, fetches and serves.
/// What it received itself and found altered is reported to the tracker on its operator's address, signed with the auditor's key,
/// which the tracker's configuration names under `auditors`. Prints JSON lines for each visit and each finding, which docs/OPERATE.md
/// explains under "Auditing"; runs until SIGTERM or SIGINT.
#[derive(clap::Args)]
pub(super) struct Audit {
    /// URL of the content's content.seal, as viewers get it
    manifest: Url,

    /// The tracker, as viewers know it: wss://…/tracker (ws:// to this machine only)
    #[arg(long, value_name = "URL")]
    tracker: Url,

    /// The tracker's address for its operator (`metrics_listen`): https:// or http:// to this machine
    #[arg(long, value_name = "URL")]
    operator: Url,

    /// The auditor's private key, made by swarmseal keygen
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Public key of a publisher whose manifests are taken: ed25519:… or a .pub file; may be repeated
    #[arg(long, visible_alias = "trust", value_name = "KEY", required = true)]
    publisher: Vec<String>,

    /// Public key of the tracker, if the manifest does not name it: ed25519:… or a .pub file; may be repeated
    #[arg(long, value_name = "KEY")]
    tracker_key: Vec<String>,

    /// Certificates of further authorities, such as a private one, in PEM: they are believed beside the public ones, of tracker,
    /// operator's address and content; may be repeated
    #[arg(long, value_name = "FILE")]
    extra_ca_certs: Vec<PathBuf>,

    /// Address of this machine that viewers can reach over UDP [default: the one that reaches the tracker]
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,

    /// Most that is fetched, in percent of what all viewers get, by all auditors of this tracker together
    #[arg(long, value_name = "PERCENT", default_value = "0.5", value_parser = permille)]
    share: u32,

    /// Kilobits per second that a viewer gets, for --share [default: what the slowest track has]
    #[arg(long, value_name = "KBIT/S", value_parser = clap::value_parser!(u32).range(8..))]
    stream: Option<u32>,

    /// Most that is fetched in kilobits per second, however many viewers there are
    #[arg(long, value_name = "KBIT/S", default_value_t = 3_000, value_parser = clap::value_parser!(u32).range(8..))]
    rate: u32,

    /// Kilobits per second that are served to others; 0 serves nothing, which fewer viewers do
    #[arg(long, value_name = "KBIT/S", default_value_t = 1_000)]
    upload: u32,

    /// How long one visit lasts: a number with s, m, h, d or w
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    visit: u64,
}

impl Audit {
    pub(super) fn run(self) -> Result<(), Failure> {
        let keys = |texts: &[String]| -> Result<Vec<PublicKey>, Failure> {
            let keys: Result<_, _> = texts.iter().map(|text| key_file::read_public(text)).collect();
            Ok(keys?)
        };
        let address = match self.address {
            Some(address) => address,
            None => local_address(&self.tracker)?,
        };
        let upload_bps = u64::from(self.upload) * 1_000;
        let options = AuditOptions {
            peer: PeerOptions {
                publishers: keys(&self.publisher)?,
                tracker_keys: keys(&self.tracker_key)?,
                manifest: self.manifest,
                tracker: self.tracker,
                address,
                sharing: if upload_bps == 0 {
                    Sharing::Receive
                } else {
                    Sharing::On
                },
                upload_bps: (upload_bps > 0).then_some(upload_bps),
                store_bytes: STORE_BYTES,
                max_peers: MAX_PEERS,
                authorities: Authorities::with(&self.extra_ca_certs)?,
            },
            key: key_file::read_private(&self.key)?,
            operator: self.operator,
            rate_bps: u64::from(self.rate) * 1_000,
            share_permille: self.share,
            stream_bps: self.stream.map(|kbps| u64::from(kbps) * 1_000),
            visit: Duration::from_secs(self.visit.max(LEAST_VISIT_S)),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new("runtime", error.to_string(), ""))?;
        runtime.block_on(run(&options))
    }
}

/// Until a signal comes; then the visit that is under way ends.
async fn run(options: &AuditOptions) -> Result<(), Failure> {
    let no_signals = |error: std::io::Error| Failure::new("signals", error.to_string(), "");
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let (notes, mut heard) = mpsc::channel(WAITING);
    let mut auditing = std::pin::pin!(audit(options, notes));
    loop {
        tokio::select! {
            ended = &mut auditing => return Ok(ended?),
            Some(note) = heard.recv() => print(&line(&note))?,
            _ = terminate.recv() => heard.close(),
            _ = interrupt.recv() => heard.close(),
        }
    }
}

fn line(note: &Note) -> String {
    let value = match note {
        Note::Joined(handle) => json!({ "note": "joined", "handle": handle }),
        Note::Paced { bps, company } => {
            let (outcome, reason) = match company {
                Ok(_) => ("told", None),
                Err(reported) => became(reported),
            };
            let company = company.as_ref().ok();
            json!({
                "note": "paced",
                "bits_per_s": bps,
                "viewers": company.map(|company| company.viewers),
                "visits": company.map(|company| company.visits),
                "outcome": outcome,
                "reason": reason,
            })
        }
        Note::Failed { code } => json!({ "note": "failed", "code": code }),
        Note::Left { bytes } => json!({ "note": "left", "bytes": bytes }),
        // All but the swarm, which is named in no log.
        Note::Caught(finding) => json!({
            "note": "caught",
            "handle": finding.handle,
            "fault": finding.fault,
            "object": finding.object,
            "chunk": finding.chunk,
            "root": finding.root,
            "received": finding.received,
        }),
        Note::Reported { handle, outcome } => {
            let (outcome, reason) = became(outcome);
            json!({ "note": "reported", "handle": handle, "outcome": outcome, "reason": reason })
        }
    };
    format!("{value}\n")
}

/// What became of an auditor's word, and a refusal's reason.
fn became(outcome: &Reported) -> (&'static str, Option<&str>) {
    match outcome {
        Reported::Taken => ("revoked", None),
        Reported::Refused(code) => ("refused", Some(code)),
        Reported::Undelivered => ("undelivered", None),
    }
}

/// Percent with one decimal place at most, in thousandths.
fn permille(text: &str) -> Result<u32, String> {
    let (whole, tenths) = text.split_once('.').unwrap_or((text, "0"));
    let tenths = (tenths.len() == 1).then(|| tenths.parse::<u32>().ok()).flatten();
    let parsed = whole.parse::<u32>().ok().zip(tenths);
    match parsed {
        Some((whole @ 0..=100, tenths @ 0..=9)) if (1..=MOST_PERMILLE).contains(&(whole * 10 + tenths)) => {
            Ok(whole * 10 + tenths)
        }
        _ => Err("a number from 0.1 to 100, with one decimal place at most".to_owned()),
    }
}

/// The address from which the tracker is reached. Nothing is sent for that.
fn local_address(tracker: &Url) -> Result<IpAddr, Failure> {
    let found = || -> std::io::Result<IpAddr> {
        let places = tracker.socket_addrs(|| None)?;
        let socket = match places.first() {
            Some(place) if place.is_ipv6() => UdpSocket::bind("[::]:0")?,
            _ => UdpSocket::bind("0.0.0.0:0")?,
        };
        socket.connect(places.as_slice())?;
        Ok(socket.local_addr()?.ip())
    };
    found().map_err(|error| {
        Failure::new(
            "no_address",
            format!("this machine's address is not known: {error}"),
            "name one with --address",
        )
    })
}

impl From<AuthoritiesError> for Failure {
    fn from(error: AuthoritiesError) -> Self {
        Self::new(error.code(), error.to_string(), error.remedy())
    }
}

impl From<PeerError> for Failure {
    fn from(error: PeerError) -> Self {
        let remedy = match &error {
            PeerError::InsecureTransport(_) => "use https:// and wss://",
            PeerError::Unreadable(_) => "check the URL, and name a private authority with --extra-ca-certs",
            PeerError::Refused(_) | PeerError::Index => "check it with: swarmseal verify URL --key KEY",
            PeerError::Random(_) | PeerError::Misuse(_) => "",
        };
        Self::new(error.code(), error.to_string(), remedy)
    }
}

/// All of it.
const MOST_PERMILLE: u32 = 1_000;
/// As a page keeps.
const STORE_BYTES: u64 = 64 << 20;
/// As a page has.
const MAX_PEERS: usize = 24;
/// Notes that may wait for the terminal.
const WAITING: usize = 64;
/// A visit has to become connected before it can find anything.
const LEAST_VISIT_S: u64 = 5;

#[cfg(test)]
mod tests {
    use super::permille;

    #[test]
    fn a_share_is_a_percentage_with_one_decimal_place() {
        for (text, expected) in [("0.5", 5), ("0.1", 1), ("1", 10), ("12.3", 123), ("100", 1_000)] {
            assert_eq!(permille(text), Ok(expected), "{text}");
        }
        for wrong in ["", "0", "0.0", "0.05", "100.1", "101", "-1", "1.", "1.x", "half"] {
            assert!(permille(wrong).is_err(), "{wrong}");
        }
    }
}
