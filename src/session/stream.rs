//! Reading from the connection.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use super::Session;
use crate::close::{self, CloseReason};
use crate::codec::{Decoder, Incoming};

/// Bytes read at once.
const READ: usize = 16 * 1024;

/// Buffers that all sessions of a shard use in turn, so that an idle one needs none.
#[derive(Debug)]
pub struct Scratch {
    /// What the session being polled has read.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Frames that leave in one write.
    pub merged: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { buffer: vec![0; READ].into_boxed_slice(), start: 0, end: 0, merged: Vec::new() }
    }
}

impl Scratch {
    /// Empties the buffer for the next session: what is left of it follows `unread`.
    pub(super) fn stash(&mut self, unread: Bytes) -> Bytes {
        let rest = &self.buffer[self.start..self.end];
        let stashed = match (unread.is_empty(), rest.is_empty()) {
            (_, true) => unread,
            (true, false) => Bytes::copy_from_slice(rest),
            (false, false) => [&unread, rest].concat().into(),
        };
        self.clear();
        stashed
    }

    /// The whole buffer, for who keeps nothing in it from one poll to the next.
    pub fn buffer(&mut self) -> &mut [u8] {
        self.clear();
        &mut self.buffer
    }

    /// Forgets what a session that is gone has read.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

/// What reading came to.
pub(super) enum Read {
    Incoming(Incoming),
    /// The peer broke the protocol.
    Violation(CloseReason),
    /// The stream is over, without a Close frame.
    End,
}

impl Session {
    /// The next thing that came from the peer.
    pub(super) fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
        max_payload: usize,
    ) -> Poll<Read> {
        loop {
            let unread = !self.unread.is_empty();
            if unread || scratch.start < scratch.end {
                let mut input = if unread {
                    &*self.unread
                } else {
                    &scratch.buffer[scratch.start..scratch.end]
                };
                let length = input.len();
                let decoder =
                    self.decoder.get_or_insert_with(|| Box::new(Decoder::new(max_payload)));
                let decoded = decoder.decode(&mut input);
                let used = length - input.len();
                if decoder.is_idle() {
                    self.decoder = None;
                }
                if unread {
                    self.unread.advance(used);
                    if self.unread.is_empty() {
                        self.unread = Bytes::new();
                    }
                } else {
                    scratch.start += used;
                }
                match decoded {
                    Ok(Some(incoming)) => return Poll::Ready(Read::Incoming(incoming)),
                    Ok(None) => continue,
                    Err(violation) => return Poll::Ready(Read::Violation(violation)),
                }
            }
            match ready!(self.poll_read(cx, scratch)) {
                Ok(0) | Err(_) => return Poll::Ready(Read::End),
                Ok(_) => {}
            }
        }
    }

    /// Reads into the empty scratch buffer. Any byte counts as life.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
    ) -> Poll<io::Result<usize>> {
        scratch.clear();
        let read = ready!(self.transport.poll_read(cx, &mut scratch.buffer));
        if let Ok(count) = read {
            scratch.end = count;
            (self.heard, self.pinged) = (Instant::now(), None);
        }
        Poll::Ready(read)
    }

    pub(super) fn vanished(&self) -> CloseReason {
        self.outcome(close::ABNORMAL)
    }
}
