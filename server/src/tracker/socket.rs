//! One WebSocket: JSON in, and chunks that were asked for, JSON out, and nothing waits for a peer that does not take its messages.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt as _;
use swarmseal::signal::{ClientMessage, ServerMessage, Shown};
use swarmseal_tracker::{CloseReason, ConnId, Input, PrefixTag};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::actor::{Outgoing, TrackerHandle};

/// How a connection is carried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) ping_every: Duration,
    pub(super) write_timeout: Duration,
}

/// Carries one connection from its welcome to its end.
pub(super) async fn carry(socket: WebSocket, tracker: TrackerHandle, prefix: PrefixTag, pace: Pace) {
    let Some((conn, outgoing)) = tracker.open(prefix).await else {
        return;
    };
    tracing::debug!("a connection is open");
    let mut connection = Connection {
        socket,
        pace,
        is_slow: false,
    };
    let end = connection.run(&tracker, conn, outgoing).await;
    tracker.input(Input::Closed { conn }).await;
    if connection.is_slow {
        tracker.count_slow();
    }
    if let Some(reason) = end {
        connection.close(reason).await;
    }
    tracing::debug!(
        reason = end.map_or("closed by the peer", CloseReason::code),
        "a connection is over"
    );
}

struct Connection {
    socket: WebSocket,
    pace: Pace,
    /// A message has not left in time.
    is_slow: bool,
}

impl Connection {
    /// Until one side ends it; says why if it is this side.
    async fn run(
        &mut self,
        tracker: &TrackerHandle,
        conn: ConnId,
        mut outgoing: mpsc::Receiver<Outgoing>,
    ) -> Option<CloseReason> {
        let mut ping = interval(self.pace.ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        loop {
            tokio::select! {
                next = outgoing.recv() => match next {
                    Some(Outgoing::Message(message)) => {
                        let (batch, end) = waiting(message, &mut outgoing)?;
                        self.send_all(batch).await?;
                        if end.is_some() {
                            return end;
                        }
                    }
                    Some(Outgoing::Close(reason)) => return Some(reason),
                    // Too slow: whatever is left is not worth waiting for.
                    None => return None,
                },
                received = self.socket.recv() => {
                    let input = match received?.ok()? {
                        Message::Text(text) => match serde_json::from_str::<ClientMessage>(&text) {
                            Ok(message) => Input::Message { conn, message },
                            Err(_) => Input::Malformed { conn },
                        },
                        // Hashed here, where other connections do not wait for it.
                        Message::Binary(bytes) => match Shown::read(&bytes) {
                            Some(shown) => Input::Shown { conn, shown },
                            None => Input::Malformed { conn },
                        },
                        Message::Ping(_) | Message::Pong(_) => Input::Alive { conn },
                        Message::Close(_) => return None,
                    };
                    tracker.input(input).await;
                }
                _ = ping.tick() => self.send(Message::Ping(axum::body::Bytes::new())).await?,
            }
        }
    }

    /// `None` if the peer is gone or does not take the message in time.
    async fn send(&mut self, message: Message) -> Option<()> {
        self.send_all(vec![message]).await
    }

    /// As one write: an introduction's candidates come together, and a system call for each would cost more than all else.
    async fn send_all(&mut self, batch: Vec<Message>) -> Option<()> {
        let socket = &mut self.socket;
        let sending = async {
            for message in batch {
                socket.feed(message).await?;
            }
            socket.flush().await
        };
        match timeout(self.pace.write_timeout, sending).await {
            Ok(sent) => sent.ok(),
            Err(_) => {
                self.is_slow = true;
                None
            }
        }
    }

    /// Says why, and gives the other side a moment to hear it before the connection is cut.
    async fn close(&mut self, reason: CloseReason) {
        let frame = CloseFrame {
            code: close_code(reason),
            reason: reason.code().into(),
        };
        if self.send(Message::Close(Some(frame))).await.is_some() {
            let answered = async { while let Some(Ok(_)) = self.socket.recv().await {} };
            let _ = timeout(CLOSING, answered).await;
        }
    }
}

/// `first` and what else is waiting already, at most [`BATCH`]; and the reason to close after it, if that was waiting too.
/// `None` for a message that cannot be written.
fn waiting(
    first: ServerMessage,
    outgoing: &mut mpsc::Receiver<Outgoing>,
) -> Option<(Vec<Message>, Option<CloseReason>)> {
    let text = |message: &ServerMessage| Some(Message::Text(serde_json::to_string(message).ok()?.into()));
    let mut batch = vec![text(&first)?];
    while batch.len() < BATCH {
        match outgoing.try_recv() {
            Ok(Outgoing::Message(message)) => batch.push(text(&message)?),
            Ok(Outgoing::Close(reason)) => return Some((batch, Some(reason))),
            Err(_) => break,
        }
    }
    Some((batch, None))
}

/// RFC 6455 §7.4.1 and the registry beside it.
fn close_code(reason: CloseReason) -> u16 {
    match reason {
        CloseReason::Left => 1000,
        CloseReason::ShuttingDown | CloseReason::ContentGone => 1001,
        CloseReason::NotAdmitted
        | CloseReason::UnsupportedVersion
        | CloseReason::BadSignature
        | CloseReason::JoinTimeout
        | CloseReason::Silent
        | CloseReason::Replaced
        | CloseReason::Misbehaviour
        | CloseReason::Revoked => 1008,
        CloseReason::Overloaded => 1013,
    }
}

/// Messages in one write: both parts of an introduction, and little enough to leave within the time for one.
const BATCH: usize = 16;
/// How long to wait for the other side's close frame.
const CLOSING: Duration = Duration::from_secs(1);
