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

/// What of a client's bytes is not a message yet.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    /// Read and not decoded: bytes behind the request, or behind a message that has to wait.
    unread: Bytes,
    decoder: Option<Decoder>,
}

impl Inbound {
    pub(super) fn of(unread: Bytes) -> Option<Box<Self>> {
        (!unread.is_empty()).then(|| Box::new(Self { unread, decoder: None }))
    }

    fn is_idle(&self) -> bool {
        self.unread.is_empty() && self.decoder.as_ref().is_none_or(Decoder::is_idle)
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
            let stashed = self.inbound.as_ref().is_some_and(|inbound| !inbound.unread.is_empty());
            if stashed || scratch.start < scratch.end {
                let inbound = self.inbound.get_or_insert_default();
                let mut input = if stashed {
                    &*inbound.unread
                } else {
                    &scratch.buffer[scratch.start..scratch.end]
                };
                let length = input.len();
                let decoder = inbound.decoder.get_or_insert_with(|| Decoder::new(max_payload));
                let decoded = decoder.decode(&mut input);
                let used = length - input.len();
                if stashed {
                    inbound.unread.advance(used);
                } else {
                    scratch.start += used;
                }
                if inbound.is_idle() {
                    self.inbound = None;
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
            (self.heard, self.pinged) = (Instant::now(), false);
        }
        Poll::Ready(read)
    }

    /// Empties the buffer for the next session: what is left in it is kept with this one.
    pub(super) fn stash(&mut self, scratch: &mut Scratch) {
        let rest = &scratch.buffer[scratch.start..scratch.end];
        if !rest.is_empty() {
            let inbound = self.inbound.get_or_insert_default();
            inbound.unread = match inbound.unread.is_empty() {
                true => Bytes::copy_from_slice(rest),
                false => [&inbound.unread, rest].concat().into(),
            };
        }
        scratch.clear();
    }

    pub(super) fn vanished(&self) -> CloseReason {
        self.outcome(close::ABNORMAL)
    }
}
