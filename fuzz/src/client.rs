//! A client behind a relay: its bytes go where Node's socket would take them.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use roomcast::notice::Notice;
use roomcast::transport::Relay;

use crate::frames::{self, CLOSE, PONG};
use crate::wire::{Said, Stream};

/// Bytes that the hub may have written without Node's socket having let go of them.
pub const WINDOW: usize = 32 * 1024;

/// One connection, as its peer sees it.
#[derive(Debug)]
pub struct Client {
    /// The connection's id.
    pub id: u64,
    /// Takes nothing of what is written to it, for now.
    pub stalled: bool,
    /// Has stalled at some time.
    pub has_stalled: bool,
    /// Answers Pings and Close frames, and ends its side when the hub has ended its own.
    pub polite: bool,
    /// The hub has let go of the socket.
    pub destroyed: bool,
    /// It has sent a Close frame, ended its side or vanished, and was not asked to.
    pub leaving: bool,
    relay: Arc<Relay>,
    stream: Stream,
    /// Written by the hub and not taken yet.
    held: VecDeque<u8>,
    /// To be sent once the hub wants more.
    outgoing: VecDeque<Bytes>,
    paused: bool,
    /// The hub has ended its writing side.
    ended: bool,
    said_goodbye: bool,
    /// It has ended its own side.
    finished: bool,
    vanished: bool,
}

impl Client {
    /// The peer of the connection `id`.
    pub fn new(id: u64, relay: Arc<Relay>) -> Self {
        Self {
            id,
            stalled: false,
            has_stalled: false,
            polite: true,
            destroyed: false,
            leaving: false,
            relay,
            stream: Stream::default(),
            held: VecDeque::new(),
            outgoing: VecDeque::new(),
            paused: false,
            ended: false,
            said_goodbye: false,
            finished: false,
            vanished: false,
        }
    }

    /// Sends bytes, as soon as the hub wants them.
    pub fn send(&mut self, bytes: Bytes) {
        self.outgoing.push_back(bytes);
        self.pump();
    }

    /// Takes nothing any more, until `stalled` is false again.
    pub fn stall(&mut self) {
        (self.stalled, self.has_stalled) = (true, true);
    }

    /// Begins the closing handshake.
    pub fn say_goodbye(&mut self, code: u16) {
        self.leaving = true;
        self.send_close(code);
    }

    fn send_close(&mut self, code: u16) {
        if !std::mem::replace(&mut self.said_goodbye, true) {
            self.send(frames::frame(CLOSE, &code.to_be_bytes()));
        }
    }

    /// Ends its side: nothing more will come from it.
    pub fn end(&mut self) {
        self.leaving = true;
        self.finish();
    }

    fn finish(&mut self) {
        if !std::mem::replace(&mut self.finished, true) {
            self.outgoing.clear();
            self.relay.end();
        }
    }

    /// Is gone all of a sudden.
    pub fn vanish(&mut self) {
        (self.leaving, self.vanished, self.finished) = (true, true, true);
        self.outgoing.clear();
        self.held.clear();
        self.relay.close();
    }

    /// Whether nothing that was written to it waits to be taken.
    pub fn has_all(&self) -> bool {
        self.held.is_empty()
    }

    fn pump(&mut self) {
        while !self.paused
            && !self.finished
            && let Some(bytes) = self.outgoing.pop_front()
        {
            self.paused = !self.relay.push(bytes);
        }
    }

    /// Takes in what the hub does with the connection.
    pub fn notice(&mut self, notice: &Notice) {
        assert!(!self.destroyed, "the connection is over: {notice:?}");
        match notice {
            Notice::RelayWrite { bytes, .. } => {
                assert!(!self.ended, "bytes behind the end of the stream");
                assert!(!self.vanished, "bytes for a socket that is gone");
                self.held.extend(bytes);
                assert!(self.held.len() <= WINDOW, "more than the relay's credit");
            }
            Notice::RelayEnd { .. } => {
                assert!(!std::mem::replace(&mut self.ended, true), "ended twice");
            }
            Notice::RelayResume { .. } => {
                self.paused = false;
                self.pump();
            }
            Notice::RelayDestroy { .. } => {
                // What Node's socket has not got rid of by now goes with it.
                self.destroyed = true;
                self.held.clear();
            }
            _ => {}
        }
    }

    /// Takes at most `most` of the bytes that were written to it, stalled or not.
    pub fn take(&mut self, most: usize) -> Vec<Said> {
        let count = most.min(self.held.len());
        let bytes: Vec<u8> = self.held.drain(..count).collect();
        let said = self.stream.feed(&bytes);
        if count > 0 {
            self.relay.written(count);
        }
        if self.ended && self.held.is_empty() && !self.vanished && !self.destroyed {
            assert!(self.stream.is_whole(), "the stream ends within a frame");
        }
        if self.polite {
            self.react(&said);
        }
        said
    }

    fn react(&mut self, said: &[Said]) {
        for said in said {
            match said {
                Said::Ping if !self.leaving => self.send(frames::frame(PONG, b"")),
                Said::Close(code) => self.send_close(code.unwrap_or(1000)),
                _ => {}
            }
        }
        if self.ended && self.held.is_empty() {
            self.finish();
        }
    }
}
