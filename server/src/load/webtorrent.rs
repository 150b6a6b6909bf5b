//! A peer of WebTorrent's tracker protocol: announces with offers for others, and answers what it is offered. Candidates are part of
//! the description, as its clients send them.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use swarmseal::signal::SdpType;
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::Message;

use super::{LoadError, Signals, Socket, sizes, within};

const INFO_HASH: &str = "swarmseal-load-test!";

/// From the first announcement to the end; the number of this peer's offers that were answered.
pub(super) async fn take_part(
    socket: Socket,
    number: usize,
    wanted: usize,
    permit: OwnedSemaphorePermit,
    mut signals: Signals,
) -> Result<u64, LoadError> {
    let mut peer = Peer {
        socket,
        id: format!("-WW0000-{number:012}"),
        open: 0,
        completed: 0,
    };
    peer.announce(0).await?;
    // Its answer has an interval in it; who is offered something meanwhile answers later.
    within(peer.hear()).await??;
    drop(permit);
    signals.joined.wait().await;
    let _ = signals.start.wait_for(|started| *started).await;
    if wanted > 0 {
        peer.open = wanted;
        peer.announce(wanted).await?;
    }
    let mut waiting = std::pin::pin!(signals.done.wait());
    let mut is_done = false;
    let mut all_done = false;
    while !all_done {
        is_done |= peer.open == 0;
        tokio::select! {
            _ = &mut waiting, if is_done => all_done = true,
            message = peer.hear() => peer.take(&message?).await?,
        }
    }
    Ok(peer.completed)
}

struct Peer {
    socket: Socket,
    id: String,
    /// Offers that are not answered.
    open: usize,
    completed: u64,
}

impl Peer {
    /// With an offer for each of `others` peers, whom the tracker chooses: its clients send them together.
    async fn announce(&mut self, others: usize) -> Result<(), LoadError> {
        let offers: Vec<Value> = (0..others)
            .map(|n| {
                json!({
                    "offer_id": format!("{n:08}{}", self.id.get(8..).unwrap_or_default()),
                    "offer": { "type": "offer", "sdp": sizes::whole_sdp(SdpType::Offer) },
                })
            })
            .collect();
        self.say(&json!({
            "action": "announce",
            "info_hash": INFO_HASH,
            "peer_id": self.id,
            "numwant": offers.len(),
            "uploaded": 0,
            "downloaded": 0,
            "left": 1,
            "event": if offers.is_empty() { "started" } else { "" },
            "offers": offers,
        }))
        .await
    }

    async fn take(&mut self, message: &Value) -> Result<(), LoadError> {
        if let Some(reason) = message.get("failure reason") {
            return Err(LoadError::Refused(reason.to_string()));
        }
        if message.get("offer").is_some() {
            return self
                .say(&json!({
                    "action": "announce",
                    "info_hash": INFO_HASH,
                    "peer_id": self.id,
                    "to_peer_id": message.get("peer_id"),
                    "offer_id": message.get("offer_id"),
                    "answer": { "type": "answer", "sdp": sizes::whole_sdp(SdpType::Answer) },
                }))
                .await;
        }
        if message.get("answer").is_some() {
            self.completed += 1;
            self.open = self.open.saturating_sub(1);
        }
        Ok(())
    }

    async fn say(&mut self, message: &Value) -> Result<(), LoadError> {
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .map_err(|error| LoadError::Socket(error.to_string()))
    }

    async fn hear(&mut self) -> Result<Value, LoadError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text)
                        .map_err(|error| LoadError::Refused(error.to_string()));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(LoadError::Socket(error.to_string())),
                None => return Err(LoadError::Socket("ended".to_owned())),
            }
        }
    }
}
