//! Where a connection's bytes go: an adopted descriptor, an accepted socket, or a stream relayed through the bot's
//! event loop (TLS, or a platform without descriptors).

mod relay;
#[cfg_attr(any(not(unix), roomcast_portable_sockets), path = "transport/socket_tokio.rs")]
mod socket;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

pub use relay::Relay;
pub use socket::{Listener, Poller, Readiness, Socket};

/// Duplicates the descriptor of a socket that the bot's process owns; the original stays its owner's.
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

/// Has tokio watch a poll descriptor for there being events.
#[cfg(all(unix, not(roomcast_portable_sockets)))]
fn watch(poll: mio::Poll) -> io::Result<tokio::io::unix::AsyncFd<mio::Poll>> {
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    // SAFETY: a `Poll` opens its descriptor when it is made, answers `as_raw_fd` with that one always, and closes it
    // when it is dropped; the `AsyncFd` owns it and gives out no means to take it away.
    Ok(unsafe { AsyncFd::register_with_interest(poll, Interest::READABLE) }?)
}

/// One connection's stream of bytes.
#[derive(Debug)]
pub enum Transport {
    /// A socket of ours.
    Socket(Socket),
    /// A socket of the bot's event loop.
    Relayed(Arc<Relay>),
}

impl Transport {
    /// Whether it wakes the context that it is polled with. A socket that does not is announced by its [`Poller`].
    pub fn wakes(&self) -> bool {
        match self {
            Self::Socket(_) => Socket::WAKES,
            Self::Relayed(_) => true,
        }
    }

    /// Has the poller announce it as `token`.
    ///
    /// # Errors
    /// Where the system will not poll the descriptor.
    pub fn register(&mut self, poller: &Poller, token: usize) -> io::Result<()> {
        match self {
            Self::Socket(socket) => poller.register(socket, token),
            Self::Relayed(_) => Ok(()),
        }
    }

    /// The poller's announcement.
    pub fn on_ready(&mut self, readiness: Readiness) {
        if let Self::Socket(socket) = self {
            socket.on_ready(readiness);
        }
    }

    /// Reads what is there; 0 is the end of the stream.
    ///
    /// # Errors
    /// The socket's; the stream is over then.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => socket.poll_read(cx, into),
            Self::Relayed(relay) => relay.poll_read(cx, into),
        }
    }

    /// Looks whether the peer is gone while nothing is to be read: ready once there is a byte (`true`) or the end.
    ///
    /// # Errors
    /// The socket's.
    pub fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        match self {
            Self::Socket(socket) => socket.poll_peek(cx),
            Self::Relayed(relay) => relay.poll_peek(cx),
        }
    }

    /// Writes what the socket takes now.
    ///
    /// # Errors
    /// The socket's; the stream is over then.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(socket) => socket.poll_write(cx, bytes),
            Self::Relayed(relay) => relay.poll_write(cx, bytes),
        }
    }

    /// Ends the writing side: the peer sees the end of the stream behind all that was written.
    pub fn shutdown_write(&mut self) {
        match self {
            Self::Socket(socket) => socket.shutdown_write(),
            Self::Relayed(relay) => relay.shutdown_write(),
        }
    }

    /// Bytes that were written but have not left Node's write queue.
    pub fn unsent(&self) -> usize {
        match self {
            Self::Socket(_) => 0,
            Self::Relayed(relay) => relay.unsent(),
        }
    }

    /// The other end of the socket, where it has an address.
    pub fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::Socket(socket) => socket.peer(),
            Self::Relayed(_) => None,
        }
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if let Self::Relayed(relay) = self {
            relay.destroy();
        }
    }
}
