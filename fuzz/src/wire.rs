//! What the server writes, held against the protocol byte by byte.

use roomcast::close::is_sendable;
use serde_json::Value;

const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n";
/// The longest message that the hub makes here: an update of the bot's own has at most 64 KiB.
const LONGEST: u64 = 80 * 1024;

/// What the server has said.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A JSON object with its `type`.
    Message(String, Value),
    /// A Ping.
    Ping,
    /// A Pong.
    Pong(Vec<u8>),
    /// A Close frame with its code.
    Close(Option<u16>),
}

/// The stream of bytes from the server to one client.
#[derive(Debug, Default)]
pub struct Stream {
    buffer: Vec<u8>,
    upgraded: bool,
    closed: bool,
}

impl Stream {
    /// Whether the stream may end here: behind the 101, and not within a frame.
    pub fn is_whole(&self) -> bool {
        self.upgraded && self.buffer.is_empty()
    }

    /// Takes bytes; gives what they complete.
    ///
    /// # Panics
    /// Where they are not what a server may say.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Said> {
        assert!(!self.closed || bytes.is_empty(), "bytes behind a Close frame");
        self.buffer.extend_from_slice(bytes);
        if !self.upgraded && !self.take_head() {
            return Vec::new();
        }
        let mut said = Vec::new();
        let mut used = 0;
        while let Some((first, payload, length)) = frame(&self.buffer[used..]) {
            assert!(!self.closed, "a frame behind a Close frame");
            let frame = read(first, payload);
            self.closed = matches!(frame, Said::Close(_));
            said.push(frame);
            used += length;
        }
        self.buffer.drain(..used);
        assert!(!self.closed || self.buffer.is_empty(), "bytes behind a Close frame");
        said
    }

    fn take_head(&mut self) -> bool {
        let start = &self.buffer[..self.buffer.len().min(SWITCHING.len())];
        assert!(SWITCHING.starts_with(start), "no 101: {start:?}");
        let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return false;
        };
        let head = self.buffer.drain(..end + 4).collect::<Vec<_>>();
        let accept = b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        assert!(head.windows(accept.len()).any(|bytes| bytes == accept), "{head:?}");
        self.upgraded = true;
        true
    }
}

/// (first byte, payload, length of the frame) of the frame at the start of `bytes`, once it is whole.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    assert_eq!(first & 0xf0, 0x80, "a fragment, or a reserved bit");
    assert_eq!(second & 0x80, 0, "a server masks nothing");
    let (length, header) = match second {
        126 => {
            let length = u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
            assert!(length > 125, "the length would fit a shorter form");
            (length, 4)
        }
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            assert!(length > 0xffff, "the length would fit a shorter form");
            (length, 10)
        }
        length => (u64::from(length), 2),
    };
    assert!(length <= LONGEST, "a frame of {length} bytes");
    assert!(first & 0x08 == 0 || length <= 125, "a control frame of {length} bytes");
    let end = header + length as usize;
    Some((first, bytes.get(header..end)?, end))
}

fn read(first: u8, payload: &[u8]) -> Said {
    match first & 0x0f {
        1 => {
            let text = std::str::from_utf8(payload).expect("text is UTF-8");
            let message: Value = serde_json::from_str(text).expect("a message is JSON");
            let kind = message["type"].as_str().expect("a message has a type").to_owned();
            Said::Message(kind, message)
        }
        8 => Said::Close(close_code(payload)),
        9 => Said::Ping,
        10 => Said::Pong(payload.to_vec()),
        opcode => panic!("a frame with the opcode {opcode}"),
    }
}

fn close_code(payload: &[u8]) -> Option<u16> {
    if payload.is_empty() {
        return None;
    }
    let (code, reason) = payload.split_first_chunk().expect("a code has two bytes");
    let code = u16::from_be_bytes(*code);
    assert!(is_sendable(code), "the code {code} may not stand on the wire");
    assert!(std::str::from_utf8(reason).is_ok(), "the reason is not UTF-8");
    Some(code)
}
