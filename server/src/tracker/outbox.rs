//! What waits for one connection: messages go in by batches, wake it once, and are taken all together.
//!
//! An introduction is a dozen messages of which most follow each other at once. In a channel each of them would cost a permit,
//! a slot and a wake-up; here a batch costs one lock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use swarmseal::signal::ServerMessage;
use swarmseal_tracker::CloseReason;
use tokio::sync::Notify;
use tokio::task::yield_now;

/// What a connection is told to do.
#[derive(Debug)]
pub(super) enum Outgoing {
    Message(ServerMessage),
    Close(CloseReason),
}

/// The end into which the tracker puts. Dropping it ends the connection once what waits has been taken.
#[derive(Debug)]
pub(super) struct Outbox(Arc<Shared>);

/// The connection's end.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Shared>);

/// More would have waited than may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    ready: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Outgoing>,
    is_closed: bool,
}

/// Both ends; at most `capacity` may wait.
pub(super) fn outbox(capacity: usize) -> (Outbox, Waiting) {
    let shared = Arc::new(Shared {
        queue: Mutex::default(),
        ready: Notify::new(),
        capacity,
    });
    (Outbox(Arc::clone(&shared)), Waiting(shared))
}

impl Outbox {
    /// Puts all of `batch` in, or as much as there is room for. A connection that is over takes nothing, and that is no fault.
    pub(super) fn put(&self, batch: impl IntoIterator<Item = Outgoing>) -> Result<(), Full> {
        let mut queue = self.0.lock();
        if queue.is_closed {
            return Ok(());
        }
        let mut put = Ok(());
        for outgoing in batch {
            if queue.waiting.len() >= self.0.capacity {
                put = Err(Full);
                break;
            }
            queue.waiting.push_back(outgoing);
        }
        drop(queue);
        self.0.ready.notify_one();
        put
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.ready.notify_one();
    }
}

impl Waiting {
    /// Waits until something is there and takes up to `most` of it. `None` when nothing is left and nothing will come.
    /// Nothing is lost if this is dropped while it waits.
    pub(super) async fn take(&mut self, most: usize) -> Option<Vec<Outgoing>> {
        while self.is_empty()? {
            // What is put in from here on leaves a permit, so that this returns at once.
            self.0.ready.notified().await;
        }
        // Whatever can run now runs first: what it brings leaves in the same write.
        yield_now().await;
        let mut queue = self.0.lock();
        let count = most.min(queue.waiting.len());
        Some(queue.waiting.drain(..count).collect())
    }

    /// `None` when nothing will come any more either.
    fn is_empty(&self) -> Option<bool> {
        let queue = self.0.lock();
        if queue.waiting.is_empty() && queue.is_closed {
            return None;
        }
        Some(queue.waiting.is_empty())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.is_closed = true;
        queue.waiting = VecDeque::new();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close() -> Outgoing {
        Outgoing::Close(CloseReason::Left)
    }

    #[tokio::test]
    async fn what_was_put_in_before_the_end_is_taken_first() {
        let (outbox, mut waiting) = outbox(8);
        outbox.put([close(), close(), close()]).unwrap();
        drop(outbox);
        assert_eq!(waiting.take(2).await.unwrap().len(), 2);
        assert_eq!(waiting.take(2).await.unwrap().len(), 1);
        assert!(waiting.take(2).await.is_none());
    }

    #[tokio::test]
    async fn no_more_waits_than_may() {
        let (outbox, mut waiting) = outbox(2);
        assert_eq!(outbox.put([close(), close(), close()]), Err(Full));
        assert_eq!(waiting.take(8).await.unwrap().len(), 2);
        assert_eq!(outbox.put([close(), close()]), Ok(()));
    }

    #[test]
    fn nothing_waits_for_a_connection_that_is_over() {
        let (outbox, waiting) = outbox(1);
        drop(waiting);
        assert_eq!(outbox.put([close(), close()]), Ok(()));
        assert!(outbox.0.lock().waiting.is_empty());
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let (outbox, mut waiting) = outbox(2);
        let taken = tokio::spawn(async move { waiting.take(8).await.map(|batch| batch.len()) });
        yield_now().await;
        outbox.put([close()]).unwrap();
        assert_eq!(taken.await.unwrap(), Some(1));
    }
}
