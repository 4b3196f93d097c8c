//! One client: connects, upgrades, joins its room, then reads whatever comes.

use std::io;

use mio::event::Event;

use crate::clock;
use crate::dialect::{Dialect, Heard};
use crate::stream::{Brought, Stream};
use crate::tally::Tally;
use crate::wire;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Connecting,
    Upgrading,
    Joining,
    Joined,
}

pub(crate) struct Client {
    pub(crate) stream: Stream,
    pub(crate) state: State,
    dialect: Dialect,
    user: u64,
    room: u64,
    /// What has come of a frame that is not whole; most never have one.
    rest: Vec<u8>,
    latest: u64,
    /// The count in the latest update; 0 before the first.
    pub(crate) count: u64,
    pub(crate) updates: u64,
}

impl Client {
    pub(crate) fn new(stream: Stream, dialect: Dialect, user: u64, room: u64) -> Self {
        let (state, rest) = (State::Connecting, Vec::new());
        Self { stream, state, dialect, user, room, rest, latest: 0, count: 0, updates: 0 }
    }

    /// The socket can be read or written. An error is the end of the client.
    pub(crate) fn ready(
        &mut self,
        event: &Event,
        scratch: &mut [u8],
        tally: &mut Tally,
    ) -> io::Result<()> {
        if self.state == State::Connecting && event.is_writable() {
            if let Some(error) = self.stream.socket.take_error()? {
                return Err(error);
            }
            self.stream.write(self.dialect.request("127.0.0.1", self.user).as_bytes())?;
            self.state = State::Upgrading;
        }
        while event.is_readable() {
            match self.stream.read(scratch)? {
                Brought::Bytes { count, more } => {
                    self.take(&scratch[..count], tally)?;
                    if !more {
                        break;
                    }
                }
                Brought::Nothing => break,
                Brought::End => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8], tally: &mut Tally) -> io::Result<()> {
        if self.rest.is_empty() {
            let used = self.understand(bytes, tally)?;
            self.rest.extend_from_slice(&bytes[used..]);
        } else {
            let mut whole = std::mem::take(&mut self.rest);
            whole.extend_from_slice(bytes);
            let used = self.understand(&whole, tally)?;
            whole.drain(..used);
            self.rest = whole;
        }
        Ok(())
    }

    /// Returns how many of the bytes are done with.
    fn understand(&mut self, bytes: &[u8], tally: &mut Tally) -> io::Result<usize> {
        let mut used = 0;
        if self.state == State::Upgrading {
            let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return Ok(0) };
            if !bytes.starts_with(b"HTTP/1.1 101 ") {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                return Err(io::Error::other(format!("refused: {head}")));
            }
            used = end + 4;
            self.state = State::Joining;
            if let Some(greeting) = self.dialect.greeting(self.room) {
                self.say(wire::TEXT, greeting.as_bytes())?;
            }
        }
        let now = clock::now();
        while let Some(frame) = wire::first(&bytes[used..]) {
            used += frame.size;
            match frame.opcode {
                wire::TEXT => self.text(frame.payload, now, tally)?,
                wire::PING => self.say(wire::PONG, frame.payload)?,
                wire::CLOSE => return Err(io::Error::other("closed by the server")),
                _ => {}
            }
        }
        Ok(used)
    }

    fn text(&mut self, text: &[u8], now: u64, tally: &mut Tally) -> io::Result<()> {
        match self.dialect.hear(text, self.room) {
            Heard::Update { stamp, count } => {
                let stamp = std::str::from_utf8(stamp).ok().and_then(|digits| digits.parse().ok());
                let stamp = stamp.ok_or_else(|| io::Error::other("an update without a stamp"))?;
                tally.update(stamp, now, self.latest, count.saturating_sub(self.count));
                (self.latest, self.count) = (stamp, count);
                self.updates += 1;
            }
            Heard::Joined => self.state = State::Joined,
            Heard::Answer(answer) => self.say(wire::TEXT, answer.as_bytes())?,
            Heard::Other => {}
        }
        Ok(())
    }

    fn say(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let mut frame = Vec::with_capacity(payload.len() + 8);
        wire::put_masked(&mut frame, opcode, payload);
        self.stream.write(&frame)
    }
}
