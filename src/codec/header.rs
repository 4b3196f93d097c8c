//! The header of a frame that a client sends (RFC 6455 §5.2).

use crate::close::{CloseReason, MESSAGE_TOO_LARGE, PROTOCOL_ERROR};
use crate::frame::MAX_CONTROL_PAYLOAD;

const FIN: u8 = 0x80;
const RESERVED_BITS: u8 = 0x70;
const MASKED: u8 = 0x80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
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
    pub(super) mask: [u8; 4],
    /// How many bytes of the payload have not come yet.
    pub(super) left: usize,
}

/// The header's bytes as they come in.
#[derive(Debug, Default)]
pub(super) struct Header {
    bytes: [u8; 14],
    filled: usize,
}

impl Header {
    pub(super) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    pub(super) fn clear(&mut self) {
        self.filled = 0;
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

        let length_end = match short_length {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        if !self.fill(input, length_end + 4) {
            return Ok(None);
        }
        let (length, mask) = self.as_bytes()[2..].split_at(length_end - 2);
        let length = match length {
            [] => u64::from(short_length),
            bytes => bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        if length >> 63 != 0 {
            return Err(PROTOCOL_ERROR);
        }
        let mut frame = Frame {
            fin,
            opcode,
            mask: [0; 4],
            left: usize::try_from(length).map_err(|_| MESSAGE_TOO_LARGE)?,
        };
        frame.mask.copy_from_slice(mask);
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
