//! The content over HTTP: one plain GET for each order of the engine.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use swarmseal::content::CHUNK;
use swarmseal::swarm::{FetchId, FetchKind, FetchOutcome};
use tokio::sync::mpsc;
use url::Url;

use super::peer::Inbound;

/// Requests under way. Each runs on a thread of its own, of which the engine allows a handful.
pub(super) struct Downloads {
    agent: ureq::Agent,
    base: Url,
    inbox: mpsc::Sender<Inbound>,
    running: HashMap<FetchId, Arc<AtomicBool>>,
}

/// What the engine wants fetched.
pub(super) struct Order {
    pub(super) fetch: FetchId,
    pub(super) path: String,
    /// First and last byte.
    pub(super) range: Option<(u64, u64)>,
    pub(super) kind: FetchKind,
    /// Past every cache on the way.
    pub(super) reload: bool,
}

impl Downloads {
    pub(super) fn new(agent: ureq::Agent, base: Url, inbox: mpsc::Sender<Inbound>) -> Self {
        Self {
            agent,
            base,
            inbox,
            running: HashMap::new(),
        }
    }

    pub(super) fn start(&mut self, order: Order) {
        let stopped = Arc::new(AtomicBool::new(false));
        self.running.insert(order.fetch, Arc::clone(&stopped));
        let (agent, inbox) = (self.agent.clone(), self.inbox.clone());
        let url = self.base.join(&order.path);
        tokio::task::spawn_blocking(move || {
            let fetch = order.fetch;
            let outcome = match url {
                Ok(url) => receive(&agent, &url, &order, &inbox, &stopped),
                Err(_) => FetchOutcome::Network,
            };
            // Nobody waits for it any more once the peer is gone.
            let _ = inbox.blocking_send(Inbound::FetchEnded { fetch, outcome });
        });
    }

    /// It ends with [`FetchOutcome::Aborted`].
    pub(super) fn abort(&self, fetch: FetchId) {
        if let Some(stopped) = self.running.get(&fetch) {
            stopped.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn ended(&mut self, fetch: FetchId) {
        self.running.remove(&fetch);
    }
}

impl Drop for Downloads {
    fn drop(&mut self) {
        for stopped in self.running.values() {
            stopped.store(true, Ordering::Relaxed);
        }
    }
}

fn receive(
    agent: &ureq::Agent,
    url: &Url,
    order: &Order,
    inbox: &mpsc::Sender<Inbound>,
    stopped: &AtomicBool,
) -> FetchOutcome {
    let mut request = agent.get(url.as_str());
    if let Some((first, last)) = order.range {
        request = request.header("range", format!("bytes={first}-{last}"));
    }
    if order.reload {
        request = request.header("cache-control", "no-cache");
    }
    let Ok(answer) = request.call() else {
        return FetchOutcome::Network;
    };
    let status = answer.status().as_u16();
    if !(200..300).contains(&status) {
        return FetchOutcome::Status(status);
    }
    let mut body = answer.into_body().into_with_config().limit(u64::MAX).reader();
    // A server that ignores Range sends everything: what was asked for is cut out of it.
    if let Some((first, _)) = order.range.filter(|_| status != PARTIAL_CONTENT)
        && std::io::copy(&mut (&mut body).take(first), &mut std::io::sink()).is_err()
    {
        return FetchOutcome::Network;
    }
    let is_cut = order.range.is_some() && status != PARTIAL_CONTENT;
    let fetch = order.fetch;
    match order.kind {
        FetchKind::Object { len, .. } => {
            let mut left = len;
            let mut piece = 0;
            while left > 0 {
                if stopped.load(Ordering::Relaxed) {
                    return FetchOutcome::Aborted;
                }
                let bytes = match read_up_to(&mut body, left.min(CHUNK.into())) {
                    Ok(bytes) => bytes,
                    Err(outcome) => return outcome,
                };
                left = left.saturating_sub(bytes.len() as u64);
                if inbox
                    .blocking_send(Inbound::Piece { fetch, piece, bytes })
                    .is_err()
                {
                    return FetchOutcome::Aborted;
                }
                piece += 1;
            }
        }
        FetchKind::Sheet { len } => match read_up_to(&mut body, len) {
            Ok(bytes) => {
                if inbox.blocking_send(Inbound::Sheet { fetch, bytes }).is_err() {
                    return FetchOutcome::Aborted;
                }
            }
            Err(outcome) => return outcome,
        },
        FetchKind::Whole { most } => {
            let mut bytes = Vec::new();
            match (&mut body).take(most.saturating_add(1)).read_to_end(&mut bytes) {
                Err(_) => return FetchOutcome::Network,
                Ok(_) if bytes.len() as u64 > most => return FetchOutcome::WrongLength,
                Ok(_) => {}
            }
            if inbox.blocking_send(Inbound::Sheet { fetch, bytes }).is_err() {
                return FetchOutcome::Aborted;
            }
            return FetchOutcome::Complete;
        }
    }
    if is_cut {
        return FetchOutcome::Complete;
    }
    match body.read(&mut [0]) {
        Ok(0) => FetchOutcome::Complete,
        Ok(_) => FetchOutcome::WrongLength,
        Err(_) => FetchOutcome::Network,
    }
}

/// Exactly `len` bytes, which the signed length bounds.
fn read_up_to(body: &mut impl Read, len: u64) -> Result<Vec<u8>, FetchOutcome> {
    let mut bytes = Vec::new();
    match body.take(len).read_to_end(&mut bytes) {
        Err(_) => Err(FetchOutcome::Network),
        Ok(_) if (bytes.len() as u64) < len => Err(FetchOutcome::WrongLength),
        Ok(_) => Ok(bytes),
    }
}

const PARTIAL_CONTENT: u16 = 206;
