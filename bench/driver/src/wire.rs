//! WebSocket frames as either end of a measurement needs them: no fragments, no extensions.

/// Opcodes of RFC 6455 §5.2.
pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Zero is a key like any other, and saves the masking.
const KEY: [u8; 4] = [0; 4];

/// One frame at the start of some bytes.
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// Bytes of the frame, header included.
    pub(crate) size: usize,
}

/// The first frame, where all of it is there. A mask is taken to be [`KEY`]: the driver's own.
pub(crate) fn first(bytes: &[u8]) -> Option<Frame<'_>> {
    let &[one, two, ..] = bytes else { return None };
    let (length, mut start) = match two & 0x7f {
        126 => (u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?) as usize, 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        short => (short as usize, 2),
    };
    if two & 0x80 != 0 {
        start += KEY.len();
    }
    let size = start + length;
    Some(Frame { opcode: one & 0x0f, payload: bytes.get(start..size)?, size })
}

/// Appends a client's frame, of at most 65 535 bytes.
pub(crate) fn put_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    put_header(out, opcode, 0x80, payload.len());
    out.extend_from_slice(&KEY);
    out.extend_from_slice(payload);
}

/// Appends a server's frame, of at most 65 535 bytes.
pub(crate) fn put(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    put_header(out, opcode, 0, payload.len());
    out.extend_from_slice(payload);
}

fn put_header(out: &mut Vec<u8>, opcode: u8, masked: u8, length: usize) {
    out.push(0x80 | opcode);
    if length < 126 {
        out.push(masked | length as u8);
    } else {
        out.push(masked | 126);
        out.extend_from_slice(&(length as u16).to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_put() {
        for length in [0, 1, 125, 126, 4_000] {
            let payload = vec![b'x'; length];
            for put in [put, put_masked] {
                let mut bytes = Vec::new();
                put(&mut bytes, TEXT, &payload);
                assert!(first(&bytes[..bytes.len() - 1]).is_none());
                bytes.push(0x81);
                let frame = first(&bytes).expect("the frame is whole");
                assert_eq!((frame.opcode, frame.payload), (TEXT, &payload[..]));
                assert_eq!(frame.size, bytes.len() - 1);
            }
        }
    }
}
