//! A load tester for trackers: many plain WebSocket peers on loopback that are introduced to each other with descriptions
//! and candidates of the sizes that browsers make. It speaks our protocol and, so that both can be held against each other with
//! equal flows, that of WebTorrent's trackers. Made for measuring, on one machine: nobody's media is anywhere near.

mod process;
mod sizes;
mod swarmseal;
mod webtorrent;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::swarmseal::content::{SwarmId, SwarmSecret};
use serde::Serialize;
use thiserror::Error;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Barrier, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use process::Process;

/// Peers that share one /24 of loopback addresses: fewer than the tracker's limits for one prefix.
const PEERS_PER_PREFIX: usize = 200;
/// Connections that are being made at once: what a listening socket queues.
const CONNECTING: usize = 100;
/// Each connection has a read buffer; messages here are small.
const READ_BUFFER: usize = 4 << 10;
/// Nothing here may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The tracker comes to rest before memory is read.
const REST: Duration = Duration::from_secs(2);

/// What to measure.
#[derive(Clone)]
pub struct Plan {
    /// The tracker's address; always loopback.
    pub address: SocketAddr,
    /// Path of its WebSocket.
    pub path: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Peers that connect.
    pub peers: usize,
    /// Memory is read when so many are there, and again when all are.
    pub first: usize,
    /// Introductions that each peer asks for.
    pub introductions: usize,
    /// The tracker's process, whose CPU time and memory are read.
    pub pid: u32,
}

/// Which tracker is tested.
#[derive(Clone)]
pub enum Protocol {
    /// Ours, in this swarm.
    Swarmseal {
        /// The swarm.
        swarm: SwarmId,
        /// Proof that a peer may know of it.
        secret: SwarmSecret,
    },
    /// That of WebTorrent's trackers.
    WebTorrent,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Peers that were connected and admitted.
    pub peers: usize,
    /// CPU seconds of the tracker while they came.
    pub joining_cpu_s: f64,
    /// Resident bytes of the tracker with the first of them.
    pub first_resident_bytes: u64,
    /// Resident bytes of the tracker with all of them, before any introduction.
    pub resident_bytes: u64,
    /// What each further peer costs.
    pub resident_bytes_per_peer: f64,
    /// Introductions that were carried through.
    pub introductions: u64,
    /// CPU seconds of the tracker for them.
    pub introducing_cpu_s: f64,
    /// Seconds that passed meanwhile.
    pub introducing_s: f64,
    /// What is to be compared.
    pub introductions_per_cpu_s: f64,
}

/// Why there is no outcome.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Not a test of others' trackers over a network.
    #[error("{0} is no loopback address: load is made on this machine only")]
    NotLoopback(SocketAddr),
    /// A peer could not connect or was cut off.
    #[error("a peer lost its connection: {0}")]
    Socket(String),
    /// The tracker said something that a peer cannot go on from.
    #[error("the tracker refused: {0}")]
    Refused(String),
    /// Nothing came in time.
    #[error("the tracker did not answer within a minute")]
    Silent,
    /// The tracker's process cannot be looked at.
    #[error("process {pid} cannot be read: {what}")]
    Process {
        /// Its id.
        pid: u32,
        /// What the system says.
        what: String,
    },
}

type Socket = WebSocketStream<TcpStream>;

/// What all peers wait for together.
#[derive(Clone)]
struct Signals {
    /// Everyone is there.
    joined: Arc<Barrier>,
    /// Introductions may begin.
    start: watch::Receiver<bool>,
    /// Everyone has what it asked for.
    done: Arc<Barrier>,
}

/// Connects, measures at rest, lets everyone be introduced, and measures that.
///
/// # Errors
/// [`LoadError`]; nothing is left connected.
pub async fn run(plan: &Plan) -> Result<Outcome, LoadError> {
    if !plan.address.ip().is_loopback() {
        return Err(LoadError::NotLoopback(plan.address));
    }
    let process = Process::new(plan.pid);
    let (begin, start) = watch::channel(false);
    let signals = Signals {
        joined: Arc::new(Barrier::new(plan.peers + 1)),
        start,
        done: Arc::new(Barrier::new(plan.peers + 1)),
    };
    let cpu_before = process.cpu_seconds()?;
    let gate = Arc::new(Semaphore::new(CONNECTING));
    let mut peers = JoinSet::new();
    let mut first_resident_bytes = 0;
    for number in 0..plan.peers {
        if number == plan.first {
            wait_until_quiet(&gate).await;
            first_resident_bytes = process.resident_bytes()?;
        }
        let permit = Arc::clone(&gate)
            .acquire_owned()
            .await
            .map_err(|_| LoadError::Silent)?;
        let (plan, signals) = (plan.clone(), signals.clone());
        peers.spawn(async move {
            let socket = connect(&plan, number).await?;
            match plan.protocol.clone() {
                Protocol::Swarmseal { swarm, secret } => {
                    let identity = swarmseal::Identity {
                        swarm,
                        secret,
                        number,
                    };
                    swarmseal::take_part(socket, identity, plan.introductions, permit, signals).await
                }
                Protocol::WebTorrent => {
                    webtorrent::take_part(socket, number, plan.introductions, permit, signals).await
                }
            }
        });
    }
    together(&signals.joined, &mut peers).await?;
    tokio::time::sleep(REST).await;
    let joining_cpu_s = process.cpu_seconds()? - cpu_before;
    let resident_bytes = process.resident_bytes()?;
    let cpu_at_rest = process.cpu_seconds()?;
    let started = Instant::now();
    let _ = begin.send(true);
    let mut introductions = together(&signals.done, &mut peers).await?;
    let introducing_s = started.elapsed().as_secs_f64();
    let introducing_cpu_s = process.cpu_seconds()? - cpu_at_rest;
    while let Some(completed) = next_end(&mut peers).await? {
        introductions += completed;
    }
    let more = plan.peers.saturating_sub(plan.first).max(1);
    Ok(Outcome {
        peers: plan.peers,
        joining_cpu_s,
        first_resident_bytes,
        resident_bytes,
        resident_bytes_per_peer: (resident_bytes as f64 - first_resident_bytes as f64) / more as f64,
        introductions,
        introducing_cpu_s,
        introducing_s,
        introductions_per_cpu_s: introductions as f64 / introducing_cpu_s.max(0.01),
    })
}

/// Until all peers have come to `place`, or one of them has failed, for which the others would wait. The introductions of one
/// that went on from there, and ended, before this was noticed.
async fn together(place: &Barrier, peers: &mut JoinSet<Result<u64, LoadError>>) -> Result<u64, LoadError> {
    tokio::select! {
        biased;
        all = within(place.wait()) => all.map(|_| 0),
        ended = next_end(peers) => ended.map(Option::unwrap_or_default),
    }
}

/// What the next peer to end has completed; nothing when all have ended.
async fn next_end(peers: &mut JoinSet<Result<u64, LoadError>>) -> Result<Option<u64>, LoadError> {
    match peers.join_next().await {
        None => Ok(None),
        Some(ended) => ended
            .map_err(|error| LoadError::Socket(error.to_string()))?
            .map(Some),
    }
}

/// Until nobody is connecting, and a moment more.
async fn wait_until_quiet(gate: &Arc<Semaphore>) {
    let all = gate.acquire_many(CONNECTING as u32).await;
    tokio::time::sleep(REST).await;
    drop(all);
}

async fn connect(plan: &Plan, number: usize) -> Result<Socket, LoadError> {
    let broken = |error: &dyn std::fmt::Display| LoadError::Socket(error.to_string());
    let stream = {
        let socket = TcpSocket::new_v4().map_err(|error| broken(&error))?;
        let prefix = number / PEERS_PER_PREFIX + 1;
        let source = Ipv4Addr::new(127, (prefix / 250 + 1) as u8, (prefix % 250) as u8, 1);
        socket
            .bind(SocketAddr::new(source.into(), 0))
            .map_err(|error| broken(&error))?;
        within(socket.connect(plan.address))
            .await?
            .map_err(|error| broken(&error))?
    };
    stream.set_nodelay(true).map_err(|error| broken(&error))?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let url = format!("ws://{}{}", plan.address, plan.path);
    let (socket, _) = within(client_async_with_config(url, stream, Some(config)))
        .await?
        .map_err(|error| broken(&error))?;
    Ok(socket)
}

async fn within<T>(waiting: impl Future<Output = T>) -> Result<T, LoadError> {
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .map_err(|_| LoadError::Silent)
}
