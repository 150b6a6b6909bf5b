//! Peers outside of a browser that hold a whole content and serve one other peer, each within an upload cap: the crowd of
//! `npm run bench -- crowd`. That peer is a page that holds one file alone: each of these gets it from there, and the rest from
//! the origin; their tracker tells them of nobody else. Prints a line when all hold everything; runs until it is ended.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use clap::Parser;
use swarmseal::content::{Location, ObjectId};
use swarmseal::swarm::{DemandId, Sharing};
use swarmseal_server::authorities::Authorities;
use swarmseal_server::native::{Happening, Memory, Peer, PeerOptions};
use swarmseal_server::publisher::key_file::read_public;
use tokio::sync::mpsc;
use url::Url;

#[derive(Parser)]
struct Options {
    /// URL of the content's content.seal
    manifest: Url,
    /// Path of what the page holds, and the origin does not give
    #[arg(long)]
    first: String,
    #[arg(long)]
    tracker: Url,
    /// Public key of the publisher
    #[arg(long)]
    publisher: String,
    /// Public key of the tracker
    #[arg(long)]
    tracker_key: String,
    /// Address that the page can reach over UDP
    #[arg(long)]
    address: IpAddr,
    #[arg(long)]
    peers: u32,
    /// Bits per second that each sends at most
    #[arg(long)]
    upload_bps: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let asked = Options::parse();
    let options = PeerOptions {
        publishers: vec![read_public(&asked.publisher)?],
        tracker_keys: vec![read_public(&asked.tracker_key)?],
        manifest: asked.manifest,
        tracker: asked.tracker,
        address: asked.address,
        sharing: Sharing::On,
        upload_bps: Some(asked.upload_bps),
        store_bytes: STORE_BYTES,
        max_peers: 1,
        authorities: Authorities::default(),
    };
    let (tell, mut told) = mpsc::channel(1);
    for _ in 0..asked.peers {
        let peer = Peer::enter(options.clone(), Box::new(Memory::default())).await?;
        tokio::spawn(hold(peer, asked.first.clone(), tell.clone()));
    }
    for _ in 0..asked.peers {
        told.recv().await.ok_or("a peer has ended")??;
    }
    println!("{} peers hold everything", asked.peers);
    told.recv().await.ok_or("all peers have ended")??;
    Ok(())
}

/// Fetches everything, says so, and goes on serving; or says why it cannot.
async fn hold(mut peer: Peer, first: String, tell: mpsc::Sender<Result<(), String>>) {
    if let Err(problem) = serve(&mut peer, first, &tell).await {
        // Whoever does not listen has ended.
        let _ = tell.send(Err(problem)).await;
    }
}

async fn serve(
    peer: &mut Peer,
    first: String,
    tell: &mpsc::Sender<Result<(), String>>,
) -> Result<(), String> {
    let first = Location {
        path: first,
        range: None,
    };
    fetch(peer, std::slice::from_ref(&first), FROM_THE_PAGE).await?;
    let catalog = peer.engine().catalog();
    let objects = catalog.tracks().flat_map(|track| {
        (0..catalog.bound(track.id)).filter_map(|index| catalog.location(ObjectId::new(track.id, index)))
    });
    let places: Vec<_> = objects.collect();
    fetch(peer, &places, AT_ONCE).await?;
    tell.send(Ok(())).await.map_err(|gone| gone.to_string())?;
    loop {
        peer.next().await.map_err(|error| error.to_string())?;
    }
}

async fn fetch(peer: &mut Peer, places: &[Location], patience: Duration) -> Result<(), String> {
    for (id, place) in (0..).map(DemandId).zip(places) {
        peer.demand(id, place, patience)
            .map_err(|error| error.to_string())?;
    }
    let mut left = places.len();
    while left > 0 {
        match peer.next().await.map_err(|error| error.to_string())? {
            Happening::Delivered(_) => left -= 1,
            Happening::Refused(id, code) => return Err(format!("{id:?}: {code:?}")),
            _ => {}
        }
    }
    Ok(())
}

/// More than any content of the benchmark.
const STORE_BYTES: u64 = 256 << 20;
/// Until it is there, connected and not busy.
const FROM_THE_PAGE: Duration = Duration::from_secs(60);
/// Nobody else holds anything: from the origin.
const AT_ONCE: Duration = Duration::from_millis(100);
