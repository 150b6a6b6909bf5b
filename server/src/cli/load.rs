//! `swarmseal load`: a load test of a tracker on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::{Failure, print};
use crate::load::{self, Plan, Protocol};
use crate::publisher::key_file;
use swarmseal::content::Manifest;
use swarmseal::content::cose::{self, Role};

/// Load a tracker on this machine with peers that are introduced to each other, and say what that costs
///
/// Opens plain WebSockets from many loopback addresses, lets every peer join and then be introduced to others with
/// descriptions and candidates of real size, and reads CPU time and memory of the tracker's process from /proc. Prints JSON.
/// These peers hold nothing: a tracker that knows the content's segments needs `tracker.challenge.required = false`.
#[derive(clap::Args)]
pub(super) struct Load {
    /// Where the tracker listens; a loopback address
    #[arg(long, value_name = "ADDRESS:PORT")]
    tracker: SocketAddr,

    /// Process id of the tracker
    #[arg(long, value_name = "N")]
    pid: u32,

    /// Protocol of the tracker
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Kind::Swarmseal)]
    protocol: Kind,

    /// Manifest of the content whose swarm the peers join
    #[arg(long, value_name = "FILE", required_if_eq("protocol", "swarmseal"))]
    manifest: Option<PathBuf>,

    /// Its publisher's public key: ed25519:… or a .pub file
    #[arg(long, value_name = "KEY", required_if_eq("protocol", "swarmseal"))]
    key: Option<String>,

    /// Peers in all
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    peers: usize,

    /// Memory is read with so many peers, and with all
    #[arg(long, value_name = "N", default_value_t = 500)]
    first: usize,

    /// Introductions that each peer asks for
    #[arg(long, value_name = "N", default_value_t = 5)]
    introductions: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Swarmseal,
    Webtorrent,
}

impl Load {
    pub(super) fn run(self) -> Result<(), Failure> {
        let protocol = self.swarm()?;
        let plan = Plan {
            address: self.tracker,
            path: match self.protocol {
                Kind::Swarmseal => "/tracker",
                Kind::Webtorrent => "/",
            }
            .to_owned(),
            protocol,
            peers: self.peers,
            first: self.first.min(self.peers),
            introductions: self.introductions,
            pid: self.pid,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(&error.to_string()))?;
        let outcome = runtime
            .block_on(load::run(&plan))
            .map_err(|error| failed(&error.to_string()))?;
        let text = serde_json::to_string_pretty(&outcome).map_err(|error| failed(&error.to_string()))?;
        print(&format!("{text}\n"))
    }

    fn swarm(&self) -> Result<Protocol, Failure> {
        let (Kind::Swarmseal, Some(file), Some(key)) = (self.protocol, &self.manifest, &self.key) else {
            return Ok(Protocol::WebTorrent);
        };
        let sealed = std::fs::read(file).map_err(|error| failed(&format!("{}: {error}", file.display())))?;
        let wrong = |what: &dyn std::fmt::Display| failed(&format!("{}: {what}", file.display()));
        let key = key_file::read_public(key)?;
        let verified = cose::verify(Role::Manifest, &sealed, &[key]).map_err(|error| wrong(&error))?;
        let manifest = Manifest::decode(verified.payload).map_err(|error| wrong(&error))?;
        Ok(Protocol::Swarmseal {
            swarm: manifest.swarm_id(),
            secret: manifest.swarm_secret,
        })
    }
}

fn failed(what: &str) -> Failure {
    Failure::new("load", what, "")
}
