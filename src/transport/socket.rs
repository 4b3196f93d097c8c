//! Sockets that a poll descriptor of the shard's own looks after.
//!
//! tokio keeps about 400 bytes for each socket that is registered with it, and a waker. A shard has one owner for all
//! its sockets and needs neither: it registers them with an epoll (kqueue) instance of its own, and that instance, one
//! descriptor, with tokio. What is ready is told by the slot's number.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown};
use std::task::{Context, Poll};
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Interest, Token};
use tokio::io::unix::AsyncFd;

/// Announcements taken from the kernel at once.
const EVENTS: usize = 256;

/// What can be done with a socket. Edge-triggered: told once, and true until an attempt finds otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Readiness {
    readable: bool,
    writable: bool,
    ended: bool,
}

impl From<&Event> for Readiness {
    fn from(event: &Event) -> Self {
        let broken = event.is_error();
        Self {
            readable: event.is_readable() || event.is_read_closed() || broken,
            writable: event.is_writable() || broken,
            ended: event.is_read_closed() || broken,
        }
    }
}

/// The poll descriptor of one shard.
#[derive(Debug)]
pub struct Poller {
    poll: AsyncFd<mio::Poll>,
    events: Events,
}

impl Poller {
    /// Needs a tokio runtime around it.
    ///
    /// # Errors
    /// Where no descriptor is left.
    pub fn new() -> io::Result<Self> {
        let poll = super::watch(mio::Poll::new()?)?;
        Ok(Self { poll, events: Events::with_capacity(EVENTS) })
    }

    pub(super) fn register(&self, socket: &mut Socket, token: usize) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.get_ref().registry().register(&mut socket.stream, Token(token), interest)
    }

    /// Calls `each` with what has become ready; with nothing left, wakes the context when something is.
    ///
    /// # Errors
    /// The poll descriptor's, which would be a fault of ours.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut each: impl FnMut(usize, Readiness),
    ) -> io::Result<()> {
        while let Poll::Ready(guard) = self.poll.poll_read_ready_mut(cx) {
            let mut guard = guard?;
            match guard.get_inner_mut().poll(&mut self.events, Some(Duration::ZERO)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            let mut count = 0;
            for event in &self.events {
                each(event.token().0, event.into());
                count += 1;
            }
            if count < EVENTS {
                // All that was there is told; what comes makes the descriptor ready again.
                guard.clear_ready();
            }
        }
        Ok(())
    }
}

/// A connected socket, not blocking.
#[derive(Debug)]
pub struct Socket {
    stream: mio::net::TcpStream,
    ready: Readiness,
}

impl Socket {
    pub(super) const WAKES: bool = false;

    fn new(stream: mio::net::TcpStream) -> Self {
        // A Unix socket has no such option, and goes without.
        let _ = stream.set_nodelay(true);
        Self { stream, ready: Readiness { readable: false, writable: true, ended: false } }
    }

    /// Takes over a socket.
    ///
    /// # Errors
    /// Where the descriptor cannot be set not to block.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::new(mio::net::TcpStream::from_std(stream)))
    }

    pub(super) fn on_ready(&mut self, now: Readiness) {
        let Readiness { readable, writable, ended } = &mut self.ready;
        (*readable, *writable, *ended) =
            (*readable || now.readable, *writable || now.writable, *ended || now.ended);
    }

    pub(super) fn poll_read(
        &mut self,
        _: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let length = into.len();
        let ended = self.ready.ended;
        attempt(
            &mut self.ready.readable,
            || self.stream.read(into),
            |count| {
                // The kernel had less than there was room for, so it has no more; unless the end is still to be read.
                count < length && !ended
            },
        )
    }

    pub(super) fn poll_peek(&mut self, _: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut byte = [0];
        let peeked = attempt(&mut self.ready.readable, || self.stream.peek(&mut byte), |_| false);
        peeked.map_ok(|count| count > 0)
    }

    pub(super) fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        attempt(&mut self.ready.writable, || self.stream.write(bytes), |count| count < bytes.len())
    }

    pub(super) fn shutdown_write(&self) {
        // A peer that is gone already has nothing to be told.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    pub(super) fn peer(&self) -> Option<IpAddr> {
        self.stream.peer_addr().ok().map(|address| address.ip())
    }
}

/// Tries what may be ready. `spent`: whether the kernel has nothing more after that many bytes.
fn attempt(
    ready: &mut bool,
    mut act: impl FnMut() -> io::Result<usize>,
    spent: impl FnOnce(usize) -> bool,
) -> Poll<io::Result<usize>> {
    while *ready {
        match act() {
            Ok(count) => {
                *ready = !spent(count);
                return Poll::Ready(Ok(count));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => *ready = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    Poll::Pending
}

/// A listening socket of one shard.
#[derive(Debug)]
pub struct Listener {
    listener: mio::net::TcpListener,
    ready: bool,
}

impl Listener {
    /// Listens on a socket that does not block; the poller announces it as `token`.
    ///
    /// # Errors
    /// Where the system will not poll the descriptor.
    pub fn new(listener: std::net::TcpListener, poller: &Poller, token: usize) -> io::Result<Self> {
        let mut listener = mio::net::TcpListener::from_std(listener);
        poller.poll.get_ref().registry().register(
            &mut listener,
            Token(token),
            Interest::READABLE,
        )?;
        Ok(Self { listener, ready: true })
    }

    /// The poller's announcement.
    pub fn on_ready(&mut self) {
        self.ready = true;
    }

    /// Accepts a connection, where one waits.
    ///
    /// # Errors
    /// accept(2)'s; some are of one connection only.
    pub fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Socket>> {
        if !self.ready {
            return Poll::Pending;
        }
        match self.listener.accept() {
            Ok((stream, _)) => Poll::Ready(Ok(Socket::new(stream))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ready = false;
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}
