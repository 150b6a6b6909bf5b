//! What `track` and `serve` have in common: configuration, log, signals.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use swarmseal::content::PublicKey;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::{Failure, print};
use crate::config::{Config, ConfigError, DEFAULT_TOML, LogConfig, LogFormat, LogLevel};
use crate::daemon::{Running, StartError};
use crate::origin::Origin;
use crate::publisher::in_words;
use crate::publisher::key_file::read_public;

/// Flags of both commands. They win over the configuration file.
#[derive(clap::Args)]
pub(super) struct DaemonFlags {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Print the documented default configuration file and end
    #[arg(long)]
    print_config: bool,

    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8400]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,

    /// The tracker's signing key; made on first start [default: tracker.key]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Public key of a publisher whose manifests are taken: ed25519:… or a .pub file; may be repeated
    #[arg(long, visible_alias = "trust", value_name = "KEY")]
    publisher: Vec<String>,

    /// Once it listens, write {url, tracker, tracker_key} to this file as JSON
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

impl DaemonFlags {
    /// Prints the default file, if that is all that is wanted.
    pub(super) fn printed_config(&self) -> Option<Result<(), Failure>> {
        self.print_config.then(|| print(DEFAULT_TOML))
    }

    /// The configuration with the flags of both commands and `manifests` applied.
    pub(super) fn config(&self, manifests: &[String]) -> Result<Config, Failure> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        if let Some(key) = &self.key {
            config.key.clone_from(key);
        }
        if !self.publisher.is_empty() {
            let keys: Result<Vec<PublicKey>, _> =
                self.publisher.iter().map(|text| read_public(text)).collect();
            config.contents.publishers = keys?;
        }
        if !manifests.is_empty() {
            config.contents.manifests = manifests.to_vec();
        }
        if !config.contents.manifests.is_empty() && config.contents.publishers.is_empty() {
            return Err(Failure::new(
                "no_publisher",
                "contents are given, but no publisher whose signature counts",
                "add --publisher with the public key that swarmseal keygen printed, or its .pub file",
            ));
        }
        Ok(config)
    }

    /// Runs until SIGTERM or SIGINT.
    pub(super) fn run(&self, config: &Config, origin: Option<Origin>) -> Result<(), Failure> {
        start_log(&config.log);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new("runtime", error.to_string(), ""))?;
        runtime.block_on(async {
            let no_signals = |error: std::io::Error| Failure::new("signals", error.to_string(), "");
            let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
            let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
            let mut hang_up = signal(SignalKind::hangup()).map_err(no_signals)?;
            let running = Running::start(config, origin).await?;
            if let Some(path) = &self.ready_file {
                write_ready_file(path, &running)?;
            }
            print(&format!("listening on {}\n", running.url()))?;
            loop {
                tokio::select! {
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                    _ = hang_up.recv() => running.reload(),
                }
            }
            running.stop().await;
            Ok(())
        })
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "not an IP address and a port, such as 127.0.0.1:8400 or [::]:8400".to_owned())
}

/// Appears complete or not at all.
fn write_ready_file(path: &Path, running: &Running) -> Result<(), Failure> {
    let text = serde_json::json!({
        "url": running.url(),
        "tracker": running.tracker_url(),
        "tracker_key": running.key().to_string(),
    })
    .to_string();
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    std::fs::write(&unfinished, text)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .map_err(|error| {
            Failure::new(
                "ready_file",
                format!("{} cannot be written: {}", path.display(), in_words(&error)),
                "check the path",
            )
        })
}

/// Only this crate speaks: what libraries write about connections may name addresses.
fn start_log(config: &LogConfig) {
    let level = match config.level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let filter = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    // A log that is there already, as in a test, stays.
    let _ = match config.format {
        LogFormat::Text => tracing_subscriber::registry()
            .with(filter)
            .with(lines.with_ansi(false))
            .try_init(),
        LogFormat::Json => tracing_subscriber::registry()
            .with(filter)
            .with(lines.json())
            .try_init(),
    };
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(
            error.code(),
            error.to_string(),
            "swarmseal track --print-config shows every field and its bounds",
        )
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let remedy = match &error {
            StartError::Listen { .. } => "choose another --listen, or 127.0.0.1:0 for a free port".to_owned(),
            StartError::Key(key) => key.remedy(),
            StartError::Contents(_) => "check the manifest with: swarmseal verify PLACE --key KEY".to_owned(),
            StartError::Revocations(_) => {
                "mend or move the file; without it, those who were put out may come back".to_owned()
            }
            StartError::Random(_) => String::new(),
        };
        Self::new(error.code(), error.to_string(), remedy)
    }
}
