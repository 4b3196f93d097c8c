//! A socket that stays with the bot's event loop, which moves its bytes.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};

use crate::notice::{Notice, Notices};

/// Bytes that may lie in Node's write queue of one relayed socket: enough to fill a TLS record or two, and little
/// beside `maxBufferedBytes`, so that a slow client's backlog is here, where it can be conflated.
const RELAY_WINDOW: usize = 32 * 1024;
/// Bytes of one relayed client that may wait to be read before Node is told to pause its socket.
const RELAY_INBOUND: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Pipe {
    inbound: VecDeque<Bytes>,
    inbound_bytes: usize,
    paused: bool,
    /// The client has ended its side.
    ended: bool,
    /// The socket is gone.
    closed: bool,
    unsent: usize,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// A relayed socket: the bot's thread pushes in what came and says what has gone; the shard reads and writes.
pub struct Relay {
    id: u64,
    notices: Arc<dyn Notices>,
    pipe: Mutex<Pipe>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("id", &self.id)
            .field("pipe", &self.pipe)
            .finish_non_exhaustive()
    }
}

impl Relay {
    /// A relay for the connection `id`, whose outgoing bytes are notices.
    pub fn new(id: u64, notices: Arc<dyn Notices>) -> Arc<Self> {
        Arc::new(Self { id, notices, pipe: Mutex::default() })
    }

    /// Bytes that lie in Node's write queue.
    pub(super) fn unsent(&self) -> usize {
        self.lock().unsent
    }

    /// Nothing more will be written.
    pub(super) fn shutdown_write(&self) {
        self.notices.tell(Notice::RelayEnd { id: self.id });
    }

    /// The session is over.
    pub(super) fn destroy(&self) {
        self.notices.tell(Notice::RelayDestroy { id: self.id });
    }

    fn lock(&self) -> MutexGuard<'_, Pipe> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes came from the client. False: enough for now, until [`Notice::RelayResume`].
    pub fn push(&self, bytes: Bytes) -> bool {
        let mut pipe = self.lock();
        pipe.inbound_bytes += bytes.len();
        pipe.inbound.push_back(bytes);
        pipe.paused = pipe.inbound_bytes >= RELAY_INBOUND;
        let go_on = !pipe.paused;
        wake(pipe.reader.take(), pipe);
        go_on
    }

    /// Node's socket has let go of `count` bytes.
    pub fn written(&self, count: usize) {
        let mut pipe = self.lock();
        pipe.unsent = pipe.unsent.saturating_sub(count);
        // Kept: the next bytes to go are to be noticed too, though nothing is written in between.
        wake(pipe.writer.clone(), pipe);
    }

    /// The client has ended its side.
    pub fn end(&self) {
        let mut pipe = self.lock();
        pipe.ended = true;
        wake(pipe.reader.take(), pipe);
    }

    /// The socket is gone.
    pub fn close(&self) {
        let mut pipe = self.lock();
        (pipe.ended, pipe.closed, pipe.unsent) = (true, true, 0);
        let writer = pipe.writer.take();
        wake(pipe.reader.take(), pipe);
        wake(writer, self.lock());
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.lock();
        let Some(first) = pipe.inbound.front_mut() else {
            if pipe.ended {
                return Poll::Ready(Ok(0));
            }
            pipe.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let count = first.len().min(into.len());
        first.copy_to_slice(&mut into[..count]);
        if first.is_empty() {
            pipe.inbound.pop_front();
        }
        pipe.inbound_bytes -= count;
        if pipe.paused && pipe.inbound_bytes < RELAY_INBOUND / 2 {
            pipe.paused = false;
            drop(pipe);
            self.notices.tell(Notice::RelayResume { id: self.id });
        }
        Poll::Ready(Ok(count))
    }

    pub(super) fn poll_peek(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut pipe = self.lock();
        if !pipe.inbound.is_empty() || pipe.ended {
            return Poll::Ready(Ok(!pipe.inbound.is_empty()));
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut pipe = self.lock();
        if pipe.closed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        // Also where all is taken: what lies in Node's queue is backlog, and its going is to be noticed.
        pipe.writer = Some(cx.waker().clone());
        let count = bytes.len().min(RELAY_WINDOW.saturating_sub(pipe.unsent));
        if count == 0 {
            return Poll::Pending;
        }
        pipe.unsent += count;
        drop(pipe);
        self.notices.tell(Notice::RelayWrite {
            id: self.id,
            bytes: Bytes::copy_from_slice(&bytes[..count]),
        });
        Poll::Ready(Ok(count))
    }
}

/// Wakes outside of the lock, since a waker runs code of others.
fn wake(waker: Option<Waker>, pipe: MutexGuard<'_, Pipe>) {
    drop(pipe);
    if let Some(waker) = waker {
        waker.wake();
    }
}
