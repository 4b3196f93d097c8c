//! An accepted socket until its request head is complete: the standalone form's way to a session.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::time::Instant;

use crate::handshake::{Head, HeadReader, Parsed, Refusal};
use crate::session::{LINGER, Scratch};
use crate::transport::Transport;

/// A request whose head has come.
#[derive(Debug)]
pub struct Request {
    /// What the handshake looks at.
    pub head: Head,
    /// All headers in their order, for the bot's hook.
    pub raw_headers: Vec<(String, String)>,
    /// What came behind the head already.
    pub behind: Bytes,
}

/// A connection that has yet to say what it wants.
#[derive(Debug)]
pub struct Arrival {
    /// Unique within the hub, and the session's later.
    pub id: u64,
    /// Its socket.
    pub transport: Transport,
    /// The request, while the bot is asked about its origin.
    pub asked: Option<Box<Request>>,
    received: HeadReader,
    /// It has its refusal; what it still sends is thrown away, so that no RST destroys the response on its way.
    refused: bool,
    deadline: Instant,
}

/// What became of an arrival.
#[derive(Debug)]
pub enum Outcome {
    /// The head is complete.
    Complete(Box<Request>),
    /// It will not do.
    Refused(Refusal),
    /// To be polled again, after the others.
    Yield,
    /// The client went.
    Gone,
}

impl Arrival {
    /// A socket whose head has to come before `deadline`.
    pub fn new(id: u64, transport: Transport, deadline: Instant) -> Self {
        Self {
            id,
            transport,
            asked: None,
            received: HeadReader::default(),
            refused: false,
            deadline,
        }
    }

    /// When the head has to be complete, or the bot's word on the origin has to be there.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Keeps the request while the bot is asked about its origin.
    pub fn ask(&mut self, request: Box<Request>, deadline: Instant) {
        (self.asked, self.deadline) = (Some(request), deadline);
    }

    /// It has its refusal already.
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// Writes a refusal and waits for the client to go.
    pub fn refuse(&mut self, refusal: Refusal, cx: &mut Context<'_>) {
        // A response is far smaller than a new socket's send buffer: it is taken at once, or the peer is not there.
        let _ = self.transport.poll_write(cx, &refusal.response());
        self.transport.shutdown_write();
        (self.refused, self.deadline) = (true, Instant::now() + LINGER);
    }

    /// Reads on.
    pub fn poll(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<Outcome> {
        if self.refused {
            return self.linger(cx, scratch);
        }
        if Instant::now() >= self.deadline {
            return Poll::Ready(Outcome::Refused(Refusal::RequestTimeout));
        }
        if self.asked.is_some() {
            return match ready!(self.transport.poll_peek(cx)) {
                Ok(true) => Poll::Pending,
                Ok(false) | Err(_) => Poll::Ready(Outcome::Gone),
            };
        }
        loop {
            let count = match ready!(self.transport.poll_read(cx, scratch.buffer())) {
                Ok(0) | Err(_) => return Poll::Ready(Outcome::Gone),
                Ok(count) => count,
            };
            match self.received.push(&scratch.buffer()[..count]) {
                Parsed::Partial => {}
                Parsed::Invalid(refusal) => return Poll::Ready(Outcome::Refused(refusal)),
                Parsed::Complete { head, raw_headers, len } => {
                    let behind = Bytes::copy_from_slice(&self.received.bytes()[len..]);
                    return Poll::Ready(Outcome::Complete(Box::new(Request {
                        head,
                        raw_headers,
                        behind,
                    })));
                }
            }
        }
    }

    fn linger(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<Outcome> {
        for _ in 0..16 {
            if Instant::now() >= self.deadline {
                return Poll::Ready(Outcome::Gone);
            }
            match ready!(self.transport.poll_read(cx, scratch.buffer())) {
                Ok(0) | Err(_) => return Poll::Ready(Outcome::Gone),
                Ok(_) => {}
            }
        }
        Poll::Ready(Outcome::Yield)
    }
}
