//! Ready frames: what the server sends, encoded once and shared by reference.
//!
//! A server masks nothing (RFC 6455 §5.1), and no frame of ours is fragmented or compressed, so one
//! buffer serves every client alike.

use std::cell::Cell;

use bytes::Bytes;

use crate::close::{self, CloseReason};

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// The longest payload of a control frame (RFC 6455 §5.5).
pub(crate) const MAX_CONTROL_PAYLOAD: usize = 125;

/// What [`TextFrame`] leaves free in front of the payload: the header of most updates, which are
/// longer than 125 bytes.
const ROOM_FOR_HEADER: usize = 4;

thread_local! {
    /// Where frames are built: each is copied out of here once, into memory of just its size.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What a thread keeps of its scratch memory at the most.
const MAX_SCRATCH: usize = 64 * 1024;

/// Builds one text frame that holds JSON.
#[derive(Debug)]
pub struct TextFrame {
    buffer: Vec<u8>,
}

impl TextFrame {
    /// Starts a frame whose payload is expected to be about `payload` bytes long.
    pub fn with_capacity(payload: usize) -> Self {
        let mut buffer = SCRATCH.take();
        buffer.reserve(ROOM_FOR_HEADER + payload);
        buffer.extend_from_slice(&[0; ROOM_FOR_HEADER]);
        Self { buffer }
    }

    /// Appends `text` as it is.
    pub fn raw(mut self, text: &str) -> Self {
        self.buffer.extend_from_slice(text.as_bytes());
        self
    }

    /// Appends a JSON string, quotes included, escaped as `JSON.stringify` escapes.
    pub fn string(self, text: &str) -> Self {
        self.append(|out| {
            serde_json::to_writer(out, text).expect("a Vec takes all that is written to it");
        })
    }

    /// Appends a JSON number.
    pub fn number(self, number: u64) -> Self {
        self.append(|out| out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()))
    }

    /// Appends what `write` puts at the end of the buffer.
    pub fn append(mut self, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        write(&mut self.buffer);
        self
    }

    /// Writes the header in front of the payload. The result holds not a byte more than the frame:
    /// histories and backlogs are made of these.
    pub fn finish(self) -> Bytes {
        let mut buffer = self.buffer;
        let length = buffer.len() - ROOM_FOR_HEADER;
        let frame = if length <= MAX_CONTROL_PAYLOAD {
            let header = &mut buffer[2..ROOM_FOR_HEADER];
            header.copy_from_slice(&[TEXT, length as u8]);
            Bytes::copy_from_slice(&buffer[2..])
        } else if let Ok(short) = u16::try_from(length) {
            buffer[..2].copy_from_slice(&[TEXT, 126]);
            buffer[2..ROOM_FOR_HEADER].copy_from_slice(&short.to_be_bytes());
            Bytes::copy_from_slice(&buffer)
        } else {
            let length = (length as u64).to_be_bytes();
            [&[TEXT, 127], &length[..], &buffer[ROOM_FOR_HEADER..]].concat().into()
        };
        keep_scratch(buffer);
        frame
    }

    /// The payload alone.
    pub fn payload(self) -> Bytes {
        let payload = Bytes::copy_from_slice(&self.buffer[ROOM_FOR_HEADER..]);
        keep_scratch(self.buffer);
        payload
    }
}

fn keep_scratch(mut buffer: Vec<u8>) {
    if buffer.capacity() <= MAX_SCRATCH {
        buffer.clear();
        SCRATCH.set(buffer);
    }
}

/// A text frame of a payload that is already there.
#[cfg(test)]
pub(crate) fn text(payload: &[u8]) -> Bytes {
    TextFrame::with_capacity(payload.len()).append(|out| out.extend_from_slice(payload)).finish()
}

/// The same message with one more string field at the end. `frame` is one that [`TextFrame`] made of a
/// JSON object that has fields.
pub fn append_field(frame: &Bytes, name: &str, value: &str) -> Bytes {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    let payload = frame.get(header..).unwrap_or_default();
    let fields = payload.strip_suffix(b"}").unwrap_or(payload);
    TextFrame::with_capacity(payload.len() + name.len() + value.len() + 6)
        .append(|out| out.extend_from_slice(fields))
        .raw(",")
        .string(name)
        .raw(":")
        .string(value)
        .raw("}")
        .finish()
}

/// A Close frame. A code that may not stand on the wire, as 1005 for "none given", becomes a frame
/// without one.
pub fn close(reason: &CloseReason) -> Bytes {
    if !close::is_sendable(reason.code) {
        return close_empty();
    }
    let code = reason.code.to_be_bytes();
    let text = close::cut(&reason.reason, close::MAX_REASON);
    control(CLOSE, &[&code, text.as_bytes()].concat())
}

/// A Close frame without a code: the answer to one without.
pub fn close_empty() -> Bytes {
    Bytes::from_static(&[CLOSE, 0])
}

/// A Ping frame. It carries nothing, since any byte from the peer is taken as life.
pub fn ping() -> Bytes {
    Bytes::from_static(&[PING, 0])
}

/// A Pong frame with the payload of the Ping that it answers (RFC 6455 §5.5.3).
pub fn pong(payload: &[u8]) -> Bytes {
    control(PONG, &payload[..payload.len().min(MAX_CONTROL_PAYLOAD)])
}

fn control(opcode: u8, payload: &[u8]) -> Bytes {
    debug_assert!(payload.len() <= MAX_CONTROL_PAYLOAD);
    let mut frame = Vec::with_capacity(2 + payload.len());
    frame.extend_from_slice(&[opcode, payload.len() as u8]);
    frame.extend_from_slice(payload);
    Bytes::from(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_takes_the_shortest_form() {
        for (length, header) in [
            (0, &[0x81, 0][..]),
            (1, &[0x81, 1]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xff, 0xff]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
            (70_000, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
        ] {
            let payload = vec![b'x'; length];
            let frame = text(&payload);
            assert_eq!(&frame[..header.len()], header, "{length}");
            assert_eq!(&frame[header.len()..], payload, "{length}");
        }
    }

    #[test]
    fn a_frame_takes_no_more_memory_than_it_is_long() {
        for (expected, length) in [(10, 0), (10, 100), (500, 200), (200, 200), (0, 70_000)] {
            let payload = "x".repeat(length);
            let frame = TextFrame::with_capacity(expected).raw(&payload).finish();
            let length = frame.len();
            let vec = Vec::from(frame);
            assert_eq!((vec.len(), vec.capacity()), (length, length));
        }
    }

    #[test]
    fn strings_are_escaped_as_json_stringify_escapes() {
        let json = |text| Vec::from(&TextFrame::with_capacity(0).string(text).finish()[2..]);
        assert_eq!(json("\"\\/"), br#""\"\\/""#);
        assert_eq!(json("\u{8}\u{c}\n\r\t"), br#""\b\f\n\r\t""#);
        assert_eq!(json("\0\u{b}\u{1f}"), br#""\u0000\u000b\u001f""#);
        for text in ["\u{7f}", "\u{80}", "\u{2028}", "€", "😀"] {
            assert_eq!(json(text), format!("\"{text}\"").as_bytes());
        }
    }

    #[test]
    fn parts_follow_each_other() {
        let frame = TextFrame::with_capacity(0)
            .raw("[")
            .number(0)
            .raw(",")
            .number(u64::MAX)
            .append(|out| out.push(b']'))
            .finish();
        assert_eq!(&frame[2..], b"[0,18446744073709551615]");
    }

    #[test]
    fn a_field_is_appended_to_frames_of_every_length() {
        for length in [0, 100, 110, 120, 125, 200, 65_500, 65_520, 65_536] {
            let name = "x".repeat(length);
            let short = text(format!(r#"{{"a":"{name}"}}"#).as_bytes());
            let long = text(format!(r#"{{"a":"{name}","epoch":"k\n1"}}"#).as_bytes());
            assert_eq!(append_field(&short, "epoch", "k\n1"), long, "{length}");
        }
    }

    #[test]
    fn control_frames_are_ready() {
        assert_eq!(&ping()[..], [0x89, 0]);
        assert_eq!(&pong(b"")[..], [0x8a, 0]);
        assert_eq!(&pong(b"ab")[..], [0x8a, 2, b'a', b'b']);
        assert_eq!(pong(&[7; 125]).len(), 127);
        assert_eq!(pong(&[7; 200]).len(), 127);
        assert_eq!(&close_empty()[..], [0x88, 0]);
        assert_eq!(&close(&CloseReason::new(1000, ""))[..], [0x88, 2, 0x03, 0xe8]);
        let closed = close(&close::ROOM_CLOSED);
        assert_eq!(&closed[..4], [0x88, 13, 0x03, 0xe8]);
        assert_eq!(&closed[4..], b"Room closed");
    }

    #[test]
    fn what_no_close_frame_may_carry_is_left_out() {
        for code in [0, 1004, close::NO_STATUS, close::ABNORMAL, 1015, 2000] {
            assert_eq!(close(&CloseReason::new(code, "x")), close_empty());
        }
        let too_long = CloseReason { code: 4000, reason: "€".repeat(50).into() };
        assert_eq!(close(&too_long).len(), 2 + 2 + 123);
    }
}
