//! The configuration file of `swarmseal track` and `swarmseal serve`.
//!
//! [`DEFAULT_TOML`] is the documented default file: every field with its unit, its default and its reason. A field that
//! is not known is an error that names it.

mod network;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use swarmseal::content::PublicKey;
use swarmseal::signal::{Exposure, MAX_ICE_SERVERS, MAX_ICE_TEXT, MAX_ICE_URLS, MAX_SIGNAL_TEXT};
use swarmseal_tracker::{TrackerConfig, TurnServer};

use crate::publisher::in_words;

pub use network::{Network, NetworkError};

/// The documented default file.
pub const DEFAULT_TOML: &str = include_str!("default.toml");

/// Everything that an operator may choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to answer `/metrics`, if not there.
    pub metrics_listen: Option<SocketAddr>,
    /// The tracker's signing key.
    pub key: PathBuf,
    /// Where it is kept who was put out.
    pub revocations: PathBuf,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Origins of pages that may connect; empty for all.
    pub allowed_origins: Vec<String>,
    /// How long to wait for connections to end on SIGTERM.
    pub shutdown_grace_s: u32,
    /// What is written to standard error.
    pub log: LogConfig,
    /// What is served.
    pub contents: ContentsConfig,
    /// WebSockets.
    pub socket: SocketConfig,
    /// The tracker's rules.
    pub tracker: TrackerConfig,
    /// A TURN server with credentials that end.
    pub turn: TurnConfig,
    /// The static origin of `serve`.
    pub origin: OriginConfig,
}

/// What is written to standard error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Least important line that is written.
    pub level: LogLevel,
    /// For people or for machines.
    pub format: LogFormat,
}

/// Least important line that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What needs an operator.
    Error,
    /// What may need one.
    Warn,
    /// Start, stop, reload.
    Info,
    /// Each connection, without saying whose.
    Debug,
}

/// For people or for machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line of text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which contents are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContentsConfig {
    /// Publishers whose manifests are taken.
    pub publishers: Vec<PublicKey>,
    /// Files, folders and http(s) URLs.
    pub manifests: Vec<String>,
    /// Pause between two looks at them.
    pub check_interval_s: u32,
}

/// WebSockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SocketConfig {
    /// Longest message in bytes.
    pub max_message_bytes: u32,
    /// Buffer for reading, per connection.
    pub read_buffer_bytes: u32,
    /// Messages that may wait for one peer.
    pub outbox_messages: u32,
    /// How long one message may take to leave.
    pub write_timeout_s: u32,
}

/// A TURN server that takes credentials which the tracker computes (coturn's `use-auth-secret`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TurnConfig {
    /// `turn:` and `turns:` URLs; none for no such server.
    pub urls: Vec<String>,
    /// What the TURN server has as `static-auth-secret`. [`TURN_SECRET_VARIABLE`] wins over it.
    pub secret: String,
    /// Validity of a credential.
    pub credential_s: u32,
}

/// Without the secret, which no log and no error may show.
impl std::fmt::Debug for TurnConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnConfig")
            .field("urls", &self.urls)
            .field("credential_s", &self.credential_s)
            .finish_non_exhaustive()
    }
}

impl TurnConfig {
    /// For the tracker; `None` without URLs.
    pub fn server(&self) -> Option<TurnServer> {
        (!self.urls.is_empty()).then(|| TurnServer {
            urls: self.urls.clone(),
            secret: self.secret.clone(),
            ttl_s: self.credential_s,
        })
    }

    fn is_turn(url: &str) -> bool {
        url.len() <= MAX_ICE_TEXT && (url.starts_with("turn:") || url.starts_with("turns:"))
    }
}

impl Default for TurnConfig {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            secret: String::new(),
            credential_s: 1_200,
        }
    }
}

/// The environment variable for [`TurnConfig::secret`], so that it need not be in a file.
pub const TURN_SECRET_VARIABLE: &str = "SWARMSEAL_TURN_SECRET";

/// The static origin of `serve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OriginConfig {
    /// `/path=DIR`, or just `DIR` for the root.
    pub mounts: Vec<String>,
    /// Where one JSON line a request is written.
    pub access_log: Option<PathBuf>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {detail}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Not TOML, a field that is not known, or a value of the wrong kind.
    #[error("{}: {detail}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        detail: String,
    },
    /// A value out of its bounds.
    #[error("{field} is out of bounds")]
    OutOfBounds {
        /// Which.
        field: String,
    },
}

impl ConfigError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config_unreadable",
            Self::Malformed { .. } => "config_malformed",
            Self::OutOfBounds { .. } => "config_out_of_bounds",
        }
    }
}

impl Config {
    /// Reads a file and checks it. Relative paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            detail: in_words(&error),
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            detail: error.to_string().trim_end().to_owned(),
        })?;
        if let Ok(secret) = std::env::var(TURN_SECRET_VARIABLE) {
            config.turn.secret = secret;
        }
        config.validate()?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// [`ConfigError::OutOfBounds`] names the field.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let within = |field: &str, holds| {
            if holds {
                Ok(())
            } else {
                Err(ConfigError::OutOfBounds {
                    field: field.to_owned(),
                })
            }
        };
        let message_limit = u32::try_from(MAX_SIGNAL_TEXT).unwrap_or(u32::MAX);
        let socket = &self.socket;
        within("shutdown_grace_s", self.shutdown_grace_s <= 300)?;
        within(
            "contents.check_interval_s",
            (1..=86_400).contains(&self.contents.check_interval_s),
        )?;
        within(
            "socket.max_message_bytes",
            (LEAST_MESSAGE_BYTES..=message_limit).contains(&socket.max_message_bytes),
        )?;
        within(
            "socket.read_buffer_bytes",
            (1_024..=131_072).contains(&socket.read_buffer_bytes),
        )?;
        within(
            "socket.outbox_messages",
            (32..=4_096).contains(&socket.outbox_messages),
        )?;
        within(
            "socket.write_timeout_s",
            (1..=60).contains(&socket.write_timeout_s),
        )?;
        within(
            "allowed_origins",
            self.allowed_origins.iter().all(|origin| is_origin(origin)),
        )?;
        let turn = &self.turn;
        within(
            "turn.urls",
            turn.urls.len() <= MAX_ICE_URLS && turn.urls.iter().all(|url| TurnConfig::is_turn(url)),
        )?;
        let has_secret = (1..=MAX_ICE_TEXT).contains(&turn.secret.len());
        within("turn.secret", turn.urls.is_empty() || has_secret)?;
        within(
            "turn.credential_s",
            (self.tracker.ticket_s..=86_400).contains(&turn.credential_s),
        )?;
        let servers = self.tracker.ice_servers.len() + usize::from(!turn.urls.is_empty());
        within("tracker.ice_servers", servers <= MAX_ICE_SERVERS)?;
        let listed = self.tracker.ice_servers.iter().flat_map(|server| &server.urls);
        let has_turn = turn.urls.iter().chain(listed).any(|url| TurnConfig::is_turn(url));
        within(
            "tracker.exposure",
            self.tracker.exposure != Exposure::Relay || has_turn,
        )?;
        self.tracker.validate().map_err(|error| ConfigError::OutOfBounds {
            field: format!("tracker.{}", error.field),
        })
    }

    fn resolve(&mut self, folder: &Path) {
        self.key = folder.join(&self.key);
        self.revocations = folder.join(&self.revocations);
        self.origin.access_log = self.origin.access_log.as_ref().map(|path| folder.join(path));
        for manifest in &mut self.contents.manifests {
            if !manifest.contains("://") {
                *manifest = folder.join(&*manifest).to_string_lossy().into_owned();
            }
        }
        for mount in &mut self.origin.mounts {
            let (path, target) = match mount.split_once('=') {
                Some((path, target)) if path.starts_with('/') => (path, target),
                _ => ("/", mount.as_str()),
            };
            *mount = format!("{path}={}", folder.join(target).display());
        }
    }
}

/// As browsers send it: scheme, host, port if unusual, nothing else.
fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8400)),
            metrics_listen: None,
            key: PathBuf::from("tracker.key"),
            revocations: PathBuf::from("revocations.jsonl"),
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            shutdown_grace_s: 5,
            log: LogConfig::default(),
            contents: ContentsConfig::default(),
            socket: SocketConfig::default(),
            tracker: TrackerConfig::default(),
            turn: TurnConfig::default(),
            origin: OriginConfig::default(),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            format: LogFormat::Text,
        }
    }
}

impl Default for ContentsConfig {
    fn default() -> Self {
        Self {
            publishers: Vec::new(),
            manifests: Vec::new(),
            check_interval_s: 30,
        }
    }
}

impl Default for SocketConfig {
    fn default() -> Self {
        Self {
            max_message_bytes: 65_536,
            read_buffer_bytes: 4_096,
            outbox_messages: 256,
            write_timeout_s: 5,
        }
    }
}

/// One chunk, shown with its path, and some room.
const LEAST_MESSAGE_BYTES: u32 = 17 * 1_024;

#[cfg(test)]
mod tests;
