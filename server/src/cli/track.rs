//! `swarmseal track`: a Tracker AS.

use crate::cli::Failure;
use crate::cli::daemon::DaemonFlags;

/// Run a tracker: introduce viewers of the same content to each other
///
/// Serves a WebSocket at /tracker, and /healthz and /metrics. Prints one line, `listening on http://ADDRESS`, and runs
/// until SIGTERM or SIGINT; SIGHUP looks for new manifests. For TLS put a proxy in front.
#[derive(clap::Args)]
pub(super) struct Track {
    #[command(flatten)]
    flags: DaemonFlags,

    /// A manifest whose viewers are introduced: file, folder (searched for *.seal) or URL; may be repeated
    #[arg(long, aliases = ["register", "root"], value_name = "PLACE")]
    content: Vec<String>,
}

impl Track {
    pub(super) fn run(self) -> Result<(), Failure> {
        if let Some(printed) = self.flags.printed_config() {
            return printed;
        }
        let config = self.flags.config(&self.content)?;
        self.flags.run(&config, None)
    }
}
