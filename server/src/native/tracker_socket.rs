//! The tracker's WebSocket: moves JSON, and chunks that the tracker asks to see, and decides nothing.

use futures_util::{SinkExt as _, StreamExt as _};
use swarmseal::signal::{ClientMessage, MAX_SIGNAL_TEXT, ServerMessage};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, connect_async_tls_with_config};
use url::Url;

use super::peer::Inbound;

/// What comes from it.
pub(super) enum TrackerEvent {
    Opened,
    Message(Box<ServerMessage>),
    Closed,
}

/// One connection; dropping it closes it without a word to the engine, which asked for that.
pub(super) struct TrackerSocket {
    number: u64,
    outgoing: mpsc::Sender<Message>,
}

impl TrackerSocket {
    /// `number` tells this connection's events from those of an older one.
    pub(super) fn open(url: Url, tls: Option<Connector>, number: u64, inbox: mpsc::Sender<Inbound>) -> Self {
        let (outgoing, messages) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            carry(&url, tls, number, messages, &inbox).await;
            // The peer may be gone.
            let _ = inbox.send(Inbound::Tracker(number, TrackerEvent::Closed)).await;
        });
        Self { number, outgoing }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// `false` if it takes no more.
    pub(super) fn say(&self, message: &ClientMessage) -> bool {
        serde_json::to_string(message).is_ok_and(|text| self.outgoing.try_send(Message::text(text)).is_ok())
    }

    /// `false` if it takes no more.
    pub(super) fn show(&self, chunk: Vec<u8>) -> bool {
        self.outgoing.try_send(Message::binary(chunk)).is_ok()
    }
}

/// Until one side ends it, or the tracker does not keep to its protocol.
async fn carry(
    url: &Url,
    tls: Option<Connector>,
    number: u64,
    mut messages: mpsc::Receiver<Message>,
    inbox: &mpsc::Sender<Inbound>,
) -> Option<()> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_SIGNAL_TEXT))
        .max_frame_size(Some(MAX_SIGNAL_TEXT));
    let (socket, _) = connect_async_tls_with_config(url.as_str(), Some(config), true, tls)
        .await
        .ok()?;
    inbox
        .send(Inbound::Tracker(number, TrackerEvent::Opened))
        .await
        .ok()?;
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(message) => sink.send(message).await.ok()?,
                None => {
                    // It may be closed already.
                    let _ = sink.close().await;
                    return None;
                }
            },
            received = stream.next() => match received?.ok()? {
                Message::Text(text) => {
                    let message = Box::new(serde_json::from_str(&text).ok()?);
                    inbox.send(Inbound::Tracker(number, TrackerEvent::Message(message))).await.ok()?;
                }
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Binary(_) | Message::Close(_) | Message::Frame(_) => return None,
            },
        }
    }
}

/// Messages that may wait to be sent: a challenge's chunks and what an introduction needs.
const WAITING: usize = 256;
