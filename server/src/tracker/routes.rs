//! The tracker over HTTP: `/tracker`, `/healthz`, `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, DefaultBodyLimit, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use swarmseal::identity::Handle;
use swarmseal_tracker::AuditRefused;
use tokio::sync::mpsc;

use super::actor::TrackerHandle;
use super::metrics;
use super::prefix::PrefixHasher;
use super::socket::{self, Pace};
use crate::config::Config;
use crate::connection::Remote;

/// Who may connect and how, and what has to be waited for at the end.
#[derive(Clone, Debug)]
pub struct Access {
    tracker: TrackerHandle,
    prefixes: Arc<PrefixHasher>,
    allowed_origins: Arc<[String]>,
    max_message_bytes: usize,
    read_buffer_bytes: usize,
    pace: Pace,
    /// Held by each open connection.
    open: mpsc::Sender<()>,
}

impl Access {
    /// `open` is held by every connection until its end.
    pub fn new(
        config: &Config,
        tracker: TrackerHandle,
        prefixes: PrefixHasher,
        open: mpsc::Sender<()>,
    ) -> Self {
        let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        let keepalive = Duration::from_secs(u64::from(config.tracker.keepalive_s));
        Self {
            tracker,
            prefixes: Arc::new(prefixes),
            allowed_origins: config.allowed_origins.clone().into(),
            max_message_bytes: size(config.socket.max_message_bytes),
            read_buffer_bytes: size(config.socket.read_buffer_bytes),
            pace: Pace {
                ping_every: keepalive / 3,
                write_timeout: Duration::from_secs(u64::from(config.socket.write_timeout_s)),
            },
            open,
        }
    }
}

/// The tracker's routes; `/metrics` only if it is to be answered here.
pub fn routes(access: Access, with_metrics: bool) -> Router {
    let mut router = Router::new()
        .route("/tracker", any(upgrade))
        .route("/healthz", get(health));
    if with_metrics {
        router = router.route("/metrics", get(figures));
    }
    router.with_state(access)
}

/// What is for the operator alone, on an address of its own: `/metrics`, `/revocations` and, for auditors, `/findings` and `/visits`.
pub(crate) fn operator_routes(access: Access) -> Router {
    Router::new()
        .route("/metrics", get(figures))
        .route("/revocations", post(revoke))
        .route("/findings", post(take_finding))
        .route("/visits", post(take_visit))
        .layer(DefaultBodyLimit::max(MAX_OPERATOR_BYTES))
        .with_state(access)
}

/// Who is to be put out, and for how long.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    handle: Handle,
    seconds: u32,
}

/// JSON only: a page that the operator's browser has open cannot send that here without being asked first.
async fn revoke(State(access): State<Access>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    let asked = is_json(&headers)
        .then(|| serde_json::from_slice::<Revoke>(&body).ok())
        .flatten();
    let Some(Revoke { handle, seconds }) = asked else {
        let how = "send {\"handle\": \"…\", \"seconds\": 3600} as application/json\n";
        return (StatusCode::BAD_REQUEST, how).into_response();
    };
    if access.tracker.revoke(handle, seconds).await {
        StatusCode::NO_CONTENT.into_response()
    } else {
        (StatusCode::INSUFFICIENT_STORAGE, "it is not kept; see the log\n").into_response()
    }
}

/// What an auditor has received itself. Here the address is not enough: only a configured key is believed.
async fn take_finding(State(access): State<Access>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    match auditors_word(&headers, &body) {
        Some(signed) => answer_auditor(access.tracker.take_finding(signed).await),
        None => malformed(),
    }
}

/// A visit that an auditor is about to begin.
async fn take_visit(State(access): State<Access>, headers: HeaderMap, body: axum::body::Bytes) -> Response {
    match auditors_word(&headers, &body) {
        Some(signed) => match access.tracker.take_visit(signed).await {
            Some(Ok(company)) => Json(company).into_response(),
            Some(Err(refused)) => answer_auditor(Some(Err(refused))),
            None => answer_auditor(None),
        },
        None => malformed(),
    }
}

fn auditors_word<T: serde::de::DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Option<T> {
    is_json(headers)
        .then(|| serde_json::from_slice(body).ok())
        .flatten()
}

fn malformed() -> Response {
    (StatusCode::BAD_REQUEST, "malformed\n").into_response()
}

fn answer_auditor(judged: Option<Result<(), AuditRefused>>) -> Response {
    match judged {
        Some(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Some(Err(refused)) => {
            let status = match refused {
                AuditRefused::UnknownAuditor | AuditRefused::BadSignature => StatusCode::FORBIDDEN,
                AuditRefused::NoRoom | AuditRefused::NotKept => StatusCode::INSUFFICIENT_STORAGE,
                AuditRefused::NotOfNow | AuditRefused::UnknownSwarm | AuditRefused::UnknownRoot => {
                    StatusCode::CONFLICT
                }
            };
            (status, format!("{}\n", refused.code())).into_response()
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes() == b"application/json")
}

async fn upgrade(
    State(access): State<Access>,
    ConnectInfo(remote): ConnectInfo<Remote>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !is_allowed(&access.allowed_origins, &headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let prefix = access.prefixes.tag(remote.address, &headers);
    upgrade
        .read_buffer_size(access.read_buffer_bytes)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(access.max_message_bytes)
        .max_frame_size(access.max_message_bytes)
        .on_upgrade(move |socket| async move {
            let held = access.open;
            socket::carry(socket, access.tracker, prefix, access.pace).await;
            drop(held);
        })
}

/// Browsers always send `Origin`; whoever is no browser can say what it likes.
fn is_allowed(allowed: &[String], headers: &HeaderMap) -> bool {
    allowed.is_empty()
        || headers
            .get(header::ORIGIN)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|origin| allowed.iter().any(|one| one == origin))
}

async fn health(State(access): State<Access>) -> Response {
    match access.tracker.figures().await {
        Some(_) => "ok\n".into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the tracker does not answer\n").into_response(),
    }
}

async fn figures(State(access): State<Access>) -> Response {
    let text = access
        .tracker
        .figures()
        .await
        .and_then(|figures| metrics::render(figures).ok());
    match text {
        Some(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What an operator or an auditor says is shorter.
const MAX_OPERATOR_BYTES: usize = 1_024;
/// Messages leave one by one; there is nothing to gather.
const WRITE_BUFFER_BYTES: usize = 4_096;
/// The longest message and some room.
const MAX_WRITE_BUFFER_BYTES: usize = 256 * 1024;
