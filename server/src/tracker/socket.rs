//! One WebSocket: JSON in, and chunks that were asked for, JSON out, and nothing waits for a peer that does not take its messages.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{SinkExt as _, StreamExt as _};
use swarmseal::signal::ClientMessage;
use swarmseal_tracker::{CloseReason, ConnId, Input, PrefixTag};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::actor::TrackerHandle;
use super::asked::Asked;
use super::outbox::{Outgoing, Waiting};

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
        asked: Asked::default(),
    };
    let end = connection.run(&tracker, conn, outgoing).await;
    tracker.inputs(vec![Input::Closed { conn }]).await;
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
    asked: Asked,
}

impl Connection {
    /// Until one side ends it; says why if it is this side.
    async fn run(
        &mut self,
        tracker: &TrackerHandle,
        conn: ConnId,
        mut outgoing: Waiting,
    ) -> Option<CloseReason> {
        let mut ping = interval(self.pace.ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        loop {
            tokio::select! {
                // None: too slow, and whatever is left is not worth waiting for.
                batch = outgoing.take(BATCH) => {
                    let (messages, end) = written(batch?, &mut self.asked)?;
                    self.send_all(messages).await?;
                    if end.is_some() {
                        return end;
                    }
                }
                received = self.socket.recv() => {
                    let (inputs, is_open) = self.read_all(conn, received).await;
                    tracker.inputs(inputs).await;
                    if !is_open {
                        return None;
                    }
                }
                _ = ping.tick() => self.send(Message::Ping(axum::body::Bytes::new())).await?,
            }
        }
    }

    /// What `received` says, and all that has arrived with it, or does while others run: the parts of an introduction come
    /// together, and the tracker is woken once. Says whether more can come.
    async fn read_all(&mut self, conn: ConnId, received: Received) -> (Vec<Input>, bool) {
        let mut inputs = Vec::new();
        let mut next = Some(received);
        let mut is_patient = true;
        while let Some(received) = next {
            let Some(input) = input(conn, received, &mut self.asked) else {
                return (inputs, false);
            };
            inputs.push(input);
            if inputs.len() >= BATCH {
                break;
            }
            next = self.arrived().await;
            if next.is_none() && is_patient {
                is_patient = false;
                yield_now().await;
                next = self.arrived().await;
            }
        }
        (inputs, true)
    }

    /// What is there without waiting.
    async fn arrived(&mut self) -> Option<Received> {
        poll_fn(|context| {
            Poll::Ready(match self.socket.poll_next_unpin(context) {
                Poll::Ready(received) => Some(received),
                Poll::Pending => None,
            })
        })
        .await
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

type Received = Option<Result<Message, axum::Error>>;

/// `None` if the connection is over.
fn input(conn: ConnId, received: Received, asked: &mut Asked) -> Option<Input> {
    Some(match received?.ok()? {
        Message::Text(text) => match serde_json::from_str::<ClientMessage>(&text) {
            Ok(message) => Input::Message { conn, message },
            Err(_) => Input::Malformed { conn },
        },
        // Hashed here, where other connections do not wait for it.
        Message::Binary(bytes) => match asked.read(&bytes) {
            Some(shown) => Input::Shown { conn, shown },
            None => Input::Malformed { conn },
        },
        Message::Ping(_) | Message::Pong(_) => Input::Alive { conn },
        Message::Close(_) => return None,
    })
}

/// The frames of a batch, and the reason to close after them if it has one. `None` for a message that cannot be written.
fn written(batch: Vec<Outgoing>, asked: &mut Asked) -> Option<(Vec<Message>, Option<CloseReason>)> {
    let mut messages = Vec::with_capacity(batch.len());
    for outgoing in batch {
        match outgoing {
            Outgoing::Message(message) => {
                asked.note(&message);
                messages.push(Message::Text(serde_json::to_string(&message).ok()?.into()));
            }
            Outgoing::Close(reason) => return Some((messages, Some(reason))),
        }
    }
    Some((messages, None))
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

/// Messages that are read, or written, together: both parts of an introduction, and little enough to leave within the time
/// for one.
const BATCH: usize = 16;
/// How long to wait for the other side's close frame.
const CLOSING: Duration = Duration::from_secs(1);
