//! Accepted connections, and how many bytes each has really written.
//!
//! HTTP libraries take a body into their buffers long before it leaves. What an origin has served to a reader that goes
//! away is known only here, where bytes are handed to the system.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose connections are metered.
#[derive(Debug)]
pub struct MeteredListener(TcpListener);

/// One metered connection.
#[derive(Debug)]
pub struct MeteredStream {
    stream: TcpStream,
    meter: Meter,
}

/// What a request knows of its connection.
#[derive(Clone, Debug)]
pub struct Remote {
    /// The other end.
    pub address: SocketAddr,
    /// What has been written to it.
    pub meter: Meter,
}

/// Counts the bytes that one connection has written. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    written: u64,
    /// Answers that have not left completely, in their order.
    waiting: VecDeque<Waiting>,
    is_closed: bool,
}

struct Waiting {
    end: u64,
    /// Called with the bytes at the end of this answer that have not been written.
    settle: Settle,
}

type Settle = Box<dyn FnOnce(u64) + Send>;

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Meter {
    /// Where the bytes of the answer that begins now will start. Answers follow each other without a gap.
    pub(crate) fn begin(&self) -> u64 {
        let state = self.lock();
        state.waiting.back().map_or(state.written, |last| last.end)
    }

    /// An answer that ends at `end` has been handed over for writing. `settle` is called once, as soon as it has left
    /// or the connection has ended, with the bytes of its end that have not left.
    pub(crate) fn settle(&self, end: u64, settle: impl FnOnce(u64) + Send + 'static) {
        self.lock().waiting.push_back(Waiting {
            end,
            settle: Box::new(settle),
        });
        self.advance(0);
    }

    fn advance(&self, bytes: usize) {
        let mut settled = Vec::new();
        {
            let mut state = self.lock();
            state.written = state
                .written
                .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
            while let Some(first) = state.waiting.front()
                && (state.is_closed || first.end <= state.written)
            {
                let missing = first.end.saturating_sub(state.written);
                if let Some(first) = state.waiting.pop_front() {
                    settled.push((first.settle, missing));
                }
            }
        }
        for (settle, missing) in settled {
            settle(missing);
        }
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.advance(0);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        match self.0.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

impl MeteredListener {
    /// Meters what `listener` accepts.
    pub fn new(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl Listener for MeteredListener {
    type Io = MeteredStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (MeteredStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Messages are small and somebody waits for each. If it cannot be set, they are only slower.
        let _ = stream.set_nodelay(true);
        (
            MeteredStream {
                stream,
                meter: Meter::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, MeteredListener>> for Remote {
    fn connect_info(stream: IncomingStream<'_, MeteredListener>) -> Self {
        Self {
            address: *stream.remote_addr(),
            meter: stream.io().meter.clone(),
        }
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for MeteredStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl MeteredStream {
    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.meter.advance(*bytes);
        }
        written
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        self.meter.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    type Seen = Arc<Mutex<Vec<(u8, u64)>>>;

    fn answer(meter: &Meter, seen: &Seen, name: u8, length: u64) {
        let seen = Arc::clone(seen);
        let end = meter.begin() + length;
        meter.settle(end, move |missing| seen.lock().unwrap().push((name, missing)));
    }

    #[test]
    fn an_answer_is_settled_when_its_last_byte_has_left() {
        let (meter, seen) = (Meter::default(), Seen::default());
        answer(&meter, &seen, 1, 100);
        answer(&meter, &seen, 2, 50);
        meter.advance(99);
        assert_eq!(*seen.lock().unwrap(), []);
        meter.advance(1);
        assert_eq!(*seen.lock().unwrap(), [(1, 0)]);
        meter.advance(53);
        assert_eq!(*seen.lock().unwrap(), [(1, 0), (2, 0)]);
        answer(&meter, &seen, 3, 10);
        meter.advance(10);
        assert_eq!(seen.lock().unwrap().len(), 3);
    }

    #[test]
    fn a_long_answer_may_leave_while_it_is_read() {
        let (meter, seen) = (Meter::default(), Seen::default());
        let end = meter.begin() + 1_000;
        meter.advance(900);
        let seen_too = Arc::clone(&seen);
        meter.settle(end, move |missing| seen_too.lock().unwrap().push((1, missing)));
        meter.advance(100);
        assert_eq!(*seen.lock().unwrap(), [(1, 0)]);
    }

    #[test]
    fn the_end_of_a_connection_settles_what_is_left() {
        let (meter, seen) = (Meter::default(), Seen::default());
        answer(&meter, &seen, 1, 100);
        answer(&meter, &seen, 2, 50);
        meter.advance(120);
        meter.close();
        answer(&meter, &seen, 3, 5);
        assert_eq!(*seen.lock().unwrap(), [(1, 0), (2, 30), (3, 5)]);
    }
}
