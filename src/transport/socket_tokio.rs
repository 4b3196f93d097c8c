//! Sockets that tokio looks after, where there is no poll descriptor to nest in another (Windows).

use std::io;
use std::net::{IpAddr, Shutdown};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Never told here: tokio wakes who polls.
#[derive(Clone, Copy, Debug)]
pub enum Readiness {}

/// Nothing: tokio's own driver does the work.
#[derive(Debug)]
pub struct Poller;

impl Poller {
    /// # Errors
    /// None here.
    pub fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) fn register(&self, _: &mut Socket, _: usize) -> io::Result<()> {
        Ok(())
    }

    /// # Errors
    /// None here.
    pub fn poll(&mut self, _: &mut Context<'_>, _: impl FnMut(usize, Readiness)) -> io::Result<()> {
        Ok(())
    }
}

/// A connected socket.
#[derive(Debug)]
pub struct Socket(TcpStream);

impl Socket {
    pub(super) const WAKES: bool = true;

    /// Registers a socket with this thread's runtime.
    ///
    /// # Errors
    /// Where the system will not poll it.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        TcpStream::from_std(stream).map(Self)
    }

    pub(super) fn on_ready(&mut self, now: Readiness) {
        match now {}
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    pub(super) fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut byte = [0];
        Poll::Ready(Ok(ready!(self.0.poll_peek(cx, &mut ReadBuf::new(&mut byte)))? > 0))
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    pub(super) fn shutdown_write(&self) {
        // A peer that is gone already has nothing to be told.
        let _ = socket2::SockRef::from(&self.0).shutdown(Shutdown::Write);
    }

    pub(super) fn peer(&self) -> Option<IpAddr> {
        self.0.peer_addr().ok().map(|address| address.ip())
    }
}

/// A listening socket of one shard.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// # Errors
    /// Where the system will not poll it.
    pub fn new(listener: std::net::TcpListener, _: &Poller, _: usize) -> io::Result<Self> {
        TcpListener::from_std(listener).map(Self)
    }

    /// Never called here.
    pub fn on_ready(&mut self) {}

    /// Accepts a connection, where one waits.
    ///
    /// # Errors
    /// accept's; some are of one connection only.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Socket>> {
        let (stream, _) = ready!(self.0.poll_accept(cx))?;
        // A socket whose client is gone again says so when it is read.
        let _ = stream.set_nodelay(true);
        Poll::Ready(Ok(Socket(stream)))
    }
}
