//! Where a connection's bytes go: an adopted descriptor, an accepted socket, or a stream relayed through the bot's
//! event loop (TLS, or a platform without descriptors).

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Shutdown};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::notice::{Notice, Notices};

/// Bytes that may lie in Node's write queue of one relayed socket: enough to fill a TLS record or two, and little
/// beside `maxBufferedBytes`, so that a slow client's backlog is here, where it can be conflated.
const RELAY_WINDOW: usize = 32 * 1024;
/// Bytes of one relayed client that may wait to be read before Node is told to pause its socket.
const RELAY_INBOUND: usize = 64 * 1024;

/// Duplicates a descriptor that the bot's process owns; the original stays its owner's.
///
/// # Errors
/// What dup(2) says: `EMFILE` where the process has no descriptor left, `EBADF` for one that is not open.
#[cfg(unix)]
pub fn duplicate(descriptor: i32) -> io::Result<std::net::TcpStream> {
    use std::os::fd::BorrowedFd;

    if descriptor < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the descriptor is that of a socket which the caller keeps open for the length of this call, and it is
    // not -1, which was ruled out above. The borrow ends before the call returns.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    Ok(borrowed.try_clone_to_owned()?.into())
}

/// One connection's stream of bytes.
#[derive(Debug)]
pub enum Transport {
    /// A socket of ours.
    Socket(TcpStream),
    /// A socket of the bot's event loop.
    Relayed(Arc<Relay>),
}

impl Transport {
    /// Registers a socket with this thread's runtime.
    ///
    /// # Errors
    /// Where the system will not poll the descriptor.
    pub fn from_socket(socket: std::net::TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // A Unix socket has no such option, and goes without.
        let _ = socket.set_nodelay(true);
        Ok(Self::Socket(TcpStream::from_std(socket)?))
    }

    /// Reads what is there; 0 is the end of the stream.
    ///
    /// # Errors
    /// The socket's; the stream is over then.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => {
                let mut buffer = ReadBuf::new(into);
                ready!(Pin::new(socket).poll_read(cx, &mut buffer))?;
                Poll::Ready(Ok(buffer.filled().len()))
            }
            Self::Relayed(relay) => relay.poll_read(cx, into),
        }
    }

    /// Looks whether the peer is gone while nothing is to be read: ready once there is a byte (`true`) or the end.
    ///
    /// # Errors
    /// The socket's.
    pub fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        match self {
            Self::Socket(socket) => {
                let mut byte = [0];
                Poll::Ready(Ok(ready!(socket.poll_peek(cx, &mut ReadBuf::new(&mut byte)))? > 0))
            }
            Self::Relayed(relay) => relay.poll_peek(cx),
        }
    }

    /// Writes what the socket takes now.
    ///
    /// # Errors
    /// The socket's; the stream is over then.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Relayed(relay) => relay.poll_write(cx, bytes),
        }
    }

    /// Ends the writing side: the peer sees the end of the stream behind all that was written.
    pub fn shutdown_write(&mut self) {
        match self {
            // A peer that is gone already has nothing to be told.
            Self::Socket(socket) => _ = socket2::SockRef::from(&*socket).shutdown(Shutdown::Write),
            Self::Relayed(relay) => relay.notices.tell(Notice::RelayEnd { id: relay.id }),
        }
    }

    /// Bytes that were written but have not left Node's write queue.
    pub fn unsent(&self) -> usize {
        match self {
            Self::Socket(_) => 0,
            Self::Relayed(relay) => relay.lock().unsent,
        }
    }

    /// The other end of the socket, where it has an address.
    pub fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::Socket(socket) => socket.peer_addr().ok().map(|address| address.ip()),
            Self::Relayed(_) => None,
        }
    }
}

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

    fn poll_read(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
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

    fn poll_peek(&self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut pipe = self.lock();
        if !pipe.inbound.is_empty() || pipe.ended {
            return Poll::Ready(Ok(!pipe.inbound.is_empty()));
        }
        pipe.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
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

impl Drop for Transport {
    fn drop(&mut self) {
        if let Self::Relayed(relay) = self {
            relay.notices.tell(Notice::RelayDestroy { id: relay.id });
        }
    }
}
