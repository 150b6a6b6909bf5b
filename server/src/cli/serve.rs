//! `swarmseal serve`: tracker and static origin in one process.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use crate::cli::Failure;
use crate::cli::daemon::DaemonFlags;
use crate::config::Config;
use crate::low_latency::{LowLatency, LowLatencyOptions};
use crate::origin::{AccessLog, Mount, MountError, Origin};
use crate::publisher::in_words;
use crate::publisher::live::Stop;

/// Serve published folders over HTTP, with a tracker beside them
///
/// As `swarmseal track`, and files as well: single byte ranges, readable by pages from anywhere (CORS), with the media
/// types that players need. Without --content, the manifests in the served folders are registered.
#[derive(clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: DaemonFlags,

    /// Folder to serve at /
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Folder to serve elsewhere; may be repeated
    #[arg(long, value_name = "/PATH=DIR")]
    mount: Vec<String>,

    /// Low-latency HLS: group the short fMP4 fragments that a packager writes into FRAGMENTS, and write parts, segments and
    /// playlists into DIR, which a mount serves; may be repeated
    #[arg(long, value_name = "FRAGMENTS=DIR")]
    low_latency: Vec<String>,

    /// Seconds that a low-latency segment lasts at least
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = segment_seconds)]
    low_latency_segment: f64,

    /// Append one JSON line per answered request: t_ms, method, path, range, status, bytes
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,

    /// A manifest whose viewers are introduced: file, folder (searched for *.seal) or URL; may be repeated
    #[arg(long, alias = "register", value_name = "PLACE")]
    content: Vec<String>,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), Failure> {
        if let Some(printed) = self.flags.printed_config() {
            return printed;
        }
        let mut config = self.flags.config(&self.content)?;
        let mounts = self.mounts(&config)?;
        if config.contents.manifests.is_empty() && !config.contents.publishers.is_empty() {
            let folders = mounts
                .iter()
                .map(|mount| mount.folder().to_string_lossy().into_owned());
            config.contents.manifests = folders.collect();
        }
        refuse_key_in_mount(&config.key, &mounts)?;
        let access_log = self.access_log.as_ref().or(config.origin.access_log.as_ref());
        let log = access_log.map(|path| AccessLog::open(path).map_err(|error| log_failure(path, &error)));
        let origin = Origin::new(mounts, log.transpose()?);
        let packaging = self
            .low_latency
            .iter()
            .map(|folders| self.package(folders))
            .collect::<Result<Vec<_>, _>>()?;
        let served = self.flags.run(&config, Some(origin));
        for (stop, thread) in packaging {
            stop.now();
            // What a thread panicked with is on the terminal already.
            let _ = thread.join();
        }
        served
    }

    /// Begins to group the fragments of `FRAGMENTS=DIR`.
    fn package(&self, folders: &str) -> Result<(Stop, JoinHandle<()>), Failure> {
        let (fragments, folder) = folders.split_once('=').ok_or_else(|| {
            Failure::new(
                "low_latency_folders",
                format!("{folders:?} does not name two folders"),
                "as in --low-latency FRAGMENTS=DIR",
            )
        })?;
        let packager = LowLatency::open(LowLatencyOptions {
            fragments: fragments.into(),
            folder: folder.into(),
            segment_ms: (self.low_latency_segment * 1_000.0).round() as u32,
        })?;
        let stop = packager.stop();
        let run =
            move || packager.run(&mut |error| tracing::warn!(code = error.code(), "low latency: {error}"));
        let thread = std::thread::Builder::new()
            .name("low-latency".to_owned())
            .spawn(run);
        let thread = thread.map_err(|error| {
            Failure::new(
                "low_latency_thread",
                error.to_string(),
                "give the process more resources",
            )
        })?;
        Ok((stop, thread))
    }

    fn mounts(&self, config: &Config) -> Result<Vec<Mount>, Failure> {
        let mut mounts = Vec::new();
        if let Some(root) = &self.root {
            mounts.push(Mount::new("/", root)?);
        }
        let given = if mounts.is_empty() && self.mount.is_empty() {
            &config.origin.mounts
        } else {
            &self.mount
        };
        for text in given {
            mounts.push(text.parse()?);
        }
        if mounts.is_empty() {
            let remedy = "add --root DIR or --mount /PATH=DIR, or use swarmseal track for a tracker alone";
            return Err(Failure::new("nothing_to_serve", "no folder is given", remedy));
        }
        Ok(mounts)
    }
}

fn segment_seconds(text: &str) -> Result<f64, String> {
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|seconds| (0.2..=60.0).contains(seconds));
    seconds.ok_or_else(|| "between 0.2 and 60".to_owned())
}

/// A private key must not lie where everybody may read.
fn refuse_key_in_mount(key: &Path, mounts: &[Mount]) -> Result<(), Failure> {
    let folder = key
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let Ok(folder) = folder.canonicalize() else {
        return Ok(());
    };
    let is_inside = |mount: &Mount| {
        mount
            .folder()
            .canonicalize()
            .is_ok_and(|served| folder.starts_with(served))
    };
    if mounts.iter().any(is_inside) {
        let what = format!(
            "the tracker's key {} lies in a folder that is served",
            key.display()
        );
        return Err(Failure::new(
            "key_in_mount",
            what,
            "give another place with --key FILE",
        ));
    }
    Ok(())
}

fn log_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        "access_log",
        format!("{} cannot be written: {}", path.display(), in_words(error)),
        "check the path",
    )
}

impl From<MountError> for Failure {
    fn from(error: MountError) -> Self {
        let remedy = match error {
            MountError::Path(_) => "as in --mount /films=DIR",
            MountError::Folder(_) => "check the path",
        };
        Self::new(error.code(), error.to_string(), remedy)
    }
}
