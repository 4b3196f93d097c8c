//! The header of a frame that a client sends (RFC 6455 §5.2).

use crate::close::{CloseReason, MESSAGE_TOO_LARGE, PROTOCOL_ERROR};
use crate::frame::MAX_CONTROL_PAYLOAD;

const FIN: u8 = 0x80;
const RESERVED_BITS: u8 = 0x70;
const MASKED: u8 = 0x80;

/// What stands in place of a length for one of two bytes, and for one of eight.
const SHORT: u8 = 126;
const LONG: u8 = 127;

/// The longest header: two bytes, eight of a length, four of the mask.
const MAX_HEADER: usize = 14;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::Continuation),
            1 => Some(Self::Text),
            2 => Some(Self::Binary),
            8 => Some(Self::Close),
            9 => Some(Self::Ping),
            10 => Some(Self::Pong),
            _ => None,
        }
    }
}

/// A frame whose header is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    /// As it applies to the next byte of the payload.
    pub(super) mask: [u8; 4],
    /// How many bytes of the payload have not come yet.
    pub(super) left: usize,
}

impl Frame {
    /// Goes on to what stands `count` bytes further in the payload.
    pub(super) fn advance(&mut self, count: usize) {
        self.left -= count;
        self.mask.rotate_left(count % 4);
    }

    /// The next `count` bytes of a data frame's payload as a frame by themselves: its header. What is
    /// left of the frame continues that one, as a fragment would.
    pub(super) fn split_off(&mut self, count: usize) -> [u8; MAX_HEADER] {
        let fin = if self.fin && count == self.left { FIN } else { 0 };
        let mut header = [0; MAX_HEADER];
        header[..2].copy_from_slice(&[fin | self.opcode as u8, MASKED | LONG]);
        header[2..10].copy_from_slice(&(count as u64).to_be_bytes());
        header[10..].copy_from_slice(&self.mask);
        self.advance(count);
        self.opcode = Opcode::Continuation;
        header
    }
}

/// The header's bytes as they come in.
#[derive(Debug, Default)]
pub(super) struct Header {
    bytes: [u8; MAX_HEADER],
    filled: usize,
}

impl Header {
    pub(super) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Takes what of the header is in `input`. A violation is refused as soon as it is seen: the
    /// first two bytes tell all but too great a length. `fragmented` says that a message is under
    /// way of which fragments are missing.
    ///
    /// A length that would fit a shorter form is accepted, as the `ws` library accepts it.
    pub(super) fn read(
        &mut self,
        input: &mut &[u8],
        fragmented: bool,
    ) -> Result<Option<Frame>, CloseReason> {
        if !self.fill(input, 2) {
            return Ok(None);
        }
        let [first, second, ..] = self.bytes;
        let (fin, short_length) = (first & FIN != 0, second & !MASKED);
        let opcode = Opcode::from_bits(first & 0x0f).ok_or(PROTOCOL_ERROR)?;
        let fits = match opcode {
            // The code of a Close frame takes two bytes, if there is one.
            Opcode::Close if short_length == 1 => false,
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                fin && usize::from(short_length) <= MAX_CONTROL_PAYLOAD
            }
            Opcode::Continuation => fragmented,
            Opcode::Text | Opcode::Binary => !fragmented,
        };
        if !fits || first & RESERVED_BITS != 0 || second & MASKED == 0 {
            return Err(PROTOCOL_ERROR);
        }

        let (length_end, shortest) = match short_length {
            SHORT => (4, 126),
            LONG => (10, 65_536),
            _ => (2, 0),
        };
        if !self.fill(input, length_end + 4) {
            return Ok(None);
        }
        let (length, mask) = self.bytes[2..self.filled].split_at(length_end - 2);
        let length = match length {
            [] => u64::from(short_length),
            bytes => bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        // "The minimal number of bytes MUST be used to encode the length", and the top bit is none.
        if length < shortest || length >> 63 != 0 {
            return Err(PROTOCOL_ERROR);
        }
        let mut frame = Frame {
            fin,
            opcode,
            mask: [0; 4],
            left: usize::try_from(length).map_err(|_| MESSAGE_TOO_LARGE)?,
        };
        frame.mask.copy_from_slice(mask);
        self.filled = 0;
        Ok(Some(frame))
    }

    /// Whether `target` bytes are there, with those that `input` still has.
    fn fill(&mut self, input: &mut &[u8], target: usize) -> bool {
        let missing = target.saturating_sub(self.filled).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.bytes[self.filled..self.filled + missing].copy_from_slice(taken);
        self.filled += missing;
        *input = rest;
        self.filled >= target
    }
}
