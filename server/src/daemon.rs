//! A running tracker, with or without an origin beside it: from a configuration to a listening process and its end.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse as _;
use swarmseal::content::{PublicKey, SecretKey};
use swarmseal_tracker::{Tracker, TrackerKeys};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tower::service_fn;

use crate::config::Config;
use crate::connection::{MeteredListener, Remote};
use crate::origin::Origin;
use crate::publisher::in_words;
use crate::publisher::key_file::{self, KeyFileError};
use crate::tracker::{
    Access, Contents, ContentsError, Following, PrefixHasher, Refreshed, RevocationsError, TrackerHandle,
    revocations, routes,
};

/// A process that listens. Dropping it does not stop it; [`Running::stop`] does.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    key: PublicKey,
    tracker: TrackerHandle,
    reload: Arc<Notify>,
    stopping: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    open: mpsc::Receiver<()>,
    grace: Duration,
}

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}: {detail}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        detail: String,
    },
    /// The signing key cannot be read or made.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Contents are configured, and not one of them can be served.
    #[error("no content can be served: {0}")]
    Contents(ContentsError),
    /// What was revoked before cannot be read, so it would be admitted again.
    #[error(transparent)]
    Revocations(#[from] RevocationsError),
    /// No randomness from the system.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}

impl StartError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "cannot_listen",
            Self::Key(error) => error.code(),
            Self::Contents(error) => error.code(),
            Self::Revocations(error) => error.code(),
            Self::Random(_) => "no_random_bytes",
        }
    }
}

impl Running {
    /// Starts the tracker of `config`, and `origin` beside it.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(config: &Config, origin: Option<Origin>) -> Result<Self, StartError> {
        let key = signing_key(&config.key)?;
        let public = key.public();
        let revocations = revocations::read(&config.revocations)?;
        let manifests = &config.contents.manifests;
        let contents =
            Contents::new(config.contents.publishers.clone(), manifests).map_err(StartError::Contents)?;
        let contents = if config.tracker.challenge.required {
            contents
        } else {
            contents.without_roots()
        };
        let (contents, first) = look(contents).await;
        if let (true, [problem, ..]) = (first.contents.is_empty(), first.problems.as_slice()) {
            return Err(StartError::Contents(problem.clone()));
        }
        let listener = listen(config.listen).await?;
        let metrics_listener = match config.metrics_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let metrics_address = metrics_listener
            .as_ref()
            .and_then(|listener| listener.local_addr().ok());
        let address = listener.local_addr().unwrap_or(config.listen);

        let mut tracker = Tracker::new(config.tracker.clone(), TrackerKeys::new(key), random()?);
        if let Some(turn) = config.turn.server() {
            tracker = tracker.with_turn(turn);
        }
        let outbox_messages = usize::try_from(config.socket.outbox_messages).unwrap_or(usize::MAX);
        tracker.restore_revocations(revocations);
        let tracker = TrackerHandle::start(tracker, outbox_messages, config.revocations.clone());
        log_refresh(&first, &[]);
        if first.contents.is_empty() {
            tracing::warn!(
                code = "no_contents",
                "nobody is introduced before there is a manifest by a publisher who is named (--publisher)"
            );
        }
        tracker.set_contents(first.contents).await;
        let mut following = Following::default();
        following.follow(first.broadcasts, &tracker);

        let (held, open) = mpsc::channel(1);
        let prefixes = PrefixHasher::new(random()?, config.trusted_proxies.clone());
        let access = Access::new(config, tracker.clone(), prefixes, held);
        let (stopping, stopped) = watch::channel(false);
        let mut router = routes(access.clone(), metrics_listener.is_none());
        if let Some(origin) = origin {
            router = router.fallback_service(service_fn(move |request| origin.clone().answer(request)));
        } else {
            router = router.fallback(|| async { axum::http::StatusCode::NOT_FOUND.into_response() });
        }
        let mut tasks = vec![tokio::spawn(serve(listener, router, stopped.clone()))];
        if let Some(listener) = metrics_listener {
            tasks.push(tokio::spawn(serve(
                listener,
                crate::tracker::operator_routes(access),
                stopped.clone(),
            )));
        }
        let reload = Arc::new(Notify::new());
        let interval = Duration::from_secs(u64::from(config.contents.check_interval_s));
        let watcher = Watcher {
            contents,
            problems: first.problems,
            tracker: tracker.clone(),
            following,
        };
        tasks.push(tokio::spawn(watcher.run(interval, Arc::clone(&reload), stopped)));
        tracing::info!(key = %public, "listening");
        Ok(Self {
            address,
            metrics_address,
            key: public,
            tracker,
            reload,
            stopping,
            tasks,
            open,
            grace: Duration::from_secs(u64::from(config.shutdown_grace_s)),
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `/metrics`, if it has one of its own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// The public half of the tracker's key.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// `http://…`, without a closing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `ws://…/tracker`.
    pub fn tracker_url(&self) -> String {
        format!("ws://{}/tracker", self.address)
    }

    /// Looks at the manifests now.
    pub fn reload(&self) {
        self.reload.notify_one();
    }

    /// Tells every peer, lets answers finish within the grace time, and ends.
    pub async fn stop(mut self) {
        tracing::info!("stopping");
        self.tracker.shut_down().await;
        // Whoever listens is told; if nobody does, there is nothing to stop.
        let _ = self.stopping.send(true);
        let finished = async {
            for task in &mut self.tasks {
                let _ = task.await;
            }
            // Every connection holds a sender, and none is ever used.
            let _ = self.open.recv().await;
        };
        if timeout(self.grace, finished).await.is_err() {
            tracing::warn!("connections are cut");
        }
        for task in &self.tasks {
            task.abort();
        }
        tracing::info!("stopped");
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| StartError::Listen {
            address,
            detail: in_words(&error),
        })
}

async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let listener = MeteredListener::new(listener);
    let service = router.into_make_service_with_connect_info::<Remote>();
    let stop = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    // Accepting never fails for good; what fails is one connection.
    let _ = axum::serve(listener, service).with_graceful_shutdown(stop).await;
}

struct Watcher {
    contents: Contents,
    problems: Vec<ContentsError>,
    tracker: TrackerHandle,
    following: Following,
}

impl Watcher {
    async fn run(mut self, interval: Duration, reload: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                () = reload.notified() => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            let (contents, refreshed) = look(self.contents).await;
            self.contents = contents;
            log_refresh(&refreshed, &self.problems);
            if refreshed.changed {
                self.tracker.set_contents(refreshed.contents).await;
            }
            self.following.follow(refreshed.broadcasts, &self.tracker);
            self.problems = refreshed.problems;
        }
    }
}

/// Reads files and URLs off the async threads.
async fn look(mut contents: Contents) -> (Contents, Refreshed) {
    let looked = tokio::task::spawn_blocking(move || {
        let refreshed = contents.refresh();
        (contents, refreshed)
    });
    match looked.await {
        Ok(looked) => looked,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Says how many, never which: a path or a URL may be a title.
fn log_refresh(refreshed: &Refreshed, before: &[ContentsError]) {
    if refreshed.changed {
        tracing::info!(contents = refreshed.contents.len(), "contents are served");
    }
    for problem in refreshed
        .problems
        .iter()
        .filter(|problem| !before.contains(problem))
    {
        if matches!(problem, ContentsError::Unchecked { .. }) {
            tracing::warn!(
                code = problem.code(),
                "sources of a content are listed on their word"
            );
        } else {
            tracing::warn!(code = problem.code(), "a manifest is not served");
        }
    }
}

/// Reads the tracker's key; makes one if there is none.
fn signing_key(path: &Path) -> Result<SecretKey, KeyFileError> {
    if !path.exists() {
        key_file::generate(path)?;
    }
    key_file::read_private(path)
}

fn random() -> Result<[u8; 32], StartError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| StartError::Random(error.to_string()))?;
    Ok(bytes)
}
