//! Bytes to messages, without I/O.
//!
//! tungstenite's [`WebSocketContext`] unmasks, checks UTF-8 and joins fragments. In front of it
//! stands a scanner of frame headers, for what the context does not do:
//!
//! - `read` goes on over non-final fragments without returning, so a peer could send them without
//!   end and never be counted. The scanner hands over one frame at a time.
//! - A violation that shows in the header is refused there, not when the payload has come.
//! - The context sets aside the whole length that a header declares. So it is given what has come of a
//!   payload as a fragment by itself, and a length that is never sent costs nothing. It also finds text
//!   that is not UTF-8 where that comes, not at the end of the frame.
//! - Control frames stay with the scanner. The context would answer them by itself, and what leaves
//!   a connection leaves through its outbox.

mod header;

use std::io::{self, Read, Write};

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

use crate::close::{self, CloseReason, INVALID_UTF8, MESSAGE_TOO_LARGE, PROTOCOL_ERROR};
use header::{Frame, Header, Opcode};

/// What the context allocates at once for reading: room for the messages that clients do send.
const READ_BUFFER: usize = 256;

/// What a message was sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

/// What came from the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole message, of one frame or of many.
    Message(Kind, Bytes),
    /// A Ping frame, to be answered with its payload.
    Ping(Bytes),
    /// A Pong frame, asked for or not.
    Pong,
    /// A Close frame, with what it carried. Nothing that comes after it counts.
    Close(Option<CloseReason>),
    /// A data frame that does not end its message yet.
    Fragment,
}

/// Turns the bytes of one connection into messages.
///
/// It holds buffers only from the first byte of a message to the last: where [`Decoder::is_idle`]
/// says so it can be dropped, and a new one goes on.
#[derive(Debug)]
pub struct Decoder {
    context: WebSocketContext,
    max_payload: usize,
    header: Header,
    /// The frame whose payload is awaited.
    frame: Option<Frame>,
    /// The unmasked payload so far, where that frame is a control frame.
    control: Vec<u8>,
    /// How long the fragments so far are together, where a message came in several.
    fragments: Option<usize>,
}

impl Decoder {
    /// A decoder that takes messages of at most `max_payload` bytes.
    pub fn new(max_payload: usize) -> Self {
        Self {
            context: WebSocketContext::new(Role::Server, Some(config(max_payload))),
            max_payload,
            header: Header::default(),
            frame: None,
            control: Vec::new(),
            fragments: None,
        }
    }

    /// Takes bytes from the front of `input`, at most to the end of the next frame, and gives what
    /// that frame was. `None` where the input is used up and the frame goes on.
    ///
    /// # Errors
    /// The Close frame to end the connection with: 1002 for a violation of the protocol, 1007 for
    /// text that is not UTF-8, 1009 for a message over `max_payload`. After one the decoder is of no
    /// more use.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, CloseReason> {
        if self.frame.is_none() {
            let Some(frame) = self.header.read(input, self.fragments.is_some())? else {
                return Ok(None);
            };
            self.begin(frame)?;
        }
        let Some(mut frame) = self.frame.take() else {
            return Ok(None);
        };
        let (payload, rest) = input.split_at(frame.left.min(input.len()));
        *input = rest;
        let incoming = if frame.opcode.is_control() {
            self.take_control(&mut frame, payload)?
        } else {
            self.take_data(&mut frame, payload)?
        };
        if frame.left > 0 {
            self.frame = Some(frame);
        }
        Ok(incoming)
    }

    /// Whether nothing is held: no part of a frame, no message of which fragments are missing.
    pub fn is_idle(&self) -> bool {
        self.header.is_empty() && self.frame.is_none() && self.fragments.is_none()
    }

    /// Refuses a message that is going to be too long before anything of it is kept.
    fn begin(&mut self, frame: Frame) -> Result<(), CloseReason> {
        if !frame.opcode.is_control() {
            let before = self.fragments.unwrap_or(0);
            if frame.left > self.max_payload - before {
                return Err(MESSAGE_TOO_LARGE);
            }
            self.fragments = (!frame.fin).then_some(before + frame.left);
        }
        self.frame = Some(frame);
        Ok(())
    }

    fn take_data(
        &mut self,
        frame: &mut Frame,
        payload: &[u8],
    ) -> Result<Option<Incoming>, CloseReason> {
        if payload.is_empty() && frame.left > 0 {
            return Ok(None);
        }
        let header = frame.split_off(payload.len());
        match self.context.read(&mut Feed(&header, payload)) {
            Ok(Message::Text(text)) => Ok(Some(Incoming::Message(Kind::Text, text.into()))),
            Ok(Message::Binary(bytes)) => Ok(Some(Incoming::Message(Kind::Binary, bytes))),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok((frame.left == 0).then_some(Incoming::Fragment))
            }
            Err(Error::Utf8(_)) => Err(INVALID_UTF8),
            Err(Error::Capacity(_)) => Err(MESSAGE_TOO_LARGE),
            Ok(_) | Err(_) => Err(PROTOCOL_ERROR),
        }
    }

    fn take_control(
        &mut self,
        frame: &mut Frame,
        payload: &[u8],
    ) -> Result<Option<Incoming>, CloseReason> {
        let unmasked =
            payload.iter().zip(frame.mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        self.control.extend(unmasked);
        frame.advance(payload.len());
        if frame.left > 0 {
            return Ok(None);
        }
        let payload = std::mem::take(&mut self.control);
        Ok(Some(match frame.opcode {
            Opcode::Ping => Incoming::Ping(payload.into()),
            Opcode::Pong => Incoming::Pong,
            _ => Incoming::Close(close_reason(&payload)?),
        }))
    }
}

/// How the context is set up: it allocates little, writes nothing, and agrees with the scanner on
/// how long a message may be.
fn config(max_payload: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        // The context panics unless this is larger than `write_buffer_size`.
        .max_write_buffer_size(1)
        .max_message_size(Some(max_payload))
        .max_frame_size(Some(max_payload))
        .accept_unmasked_frames(false)
}

/// What a Close frame says (RFC 6455 §5.5.1).
fn close_reason(payload: &[u8]) -> Result<Option<CloseReason>, CloseReason> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return Ok(None);
    };
    let code = u16::from_be_bytes(*code);
    if !close::is_sendable(code) {
        return Err(PROTOCOL_ERROR);
    }
    let reason = std::str::from_utf8(reason).map_err(|_| INVALID_UTF8)?;
    Ok(Some(CloseReason::new(code, reason.to_owned())))
}

/// The bytes at hand, as the stream that the context reads from.
struct Feed<'a>(&'a [u8], &'a [u8]);

impl Read for Feed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let part = if self.0.is_empty() { &mut self.1 } else { &mut self.0 };
        match part.read(buffer)? {
            // To the context the end of the stream would be the end of the connection.
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Feed<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
