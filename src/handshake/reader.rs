//! A request head as it comes in, in as many pieces as the client likes.

use super::head::{MAX_HEAD, Parsed, parse};

/// Collects the bytes of a request until its head is whole.
///
/// To parse all of them again with every piece would let a client that sends single bytes burn the square of the head's
/// length (RUSTSEC-2023-0065 is just that). So it is done where an empty line may have ended the head, and besides, to
/// tell early what is no HTTP, each time that their number has doubled.
#[derive(Debug, Default)]
pub struct HeadReader {
    bytes: Vec<u8>,
    /// Anything but the empty lines that may stand before a request (RFC 9112 §2.2).
    begun: bool,
    /// How many bytes there were when they were parsed last.
    parsed: usize,
}

impl HeadReader {
    /// Takes the next piece, and gives what all of them are so far.
    pub fn push(&mut self, piece: &[u8]) -> Parsed {
        // The longest end of a line and the empty line behind it lie in three bytes: `\n\r\n`.
        let overlap = self.bytes.len().saturating_sub(2);
        self.bytes.extend_from_slice(piece);
        self.begun |= piece.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        let may_end = self.begun && has_empty_line(&self.bytes[overlap..]);
        if !may_end && self.bytes.len() < (2 * self.parsed).min(MAX_HEAD) {
            return Parsed::Partial;
        }
        self.parsed = self.bytes.len();
        parse(&self.bytes)
    }

    /// All that has come, the head and what is behind it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn has_empty_line(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|two| two == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str =
        "GET /ws/rooms HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\r\n";

    /// What comes of `bytes` in pieces of `size`, up to the first that is not partial.
    fn read(bytes: &[u8], size: usize) -> Parsed {
        let mut reader = HeadReader::default();
        let mut outcomes = bytes.chunks(size).map(|piece| reader.push(piece));
        outcomes.find(|outcome| *outcome != Parsed::Partial).unwrap_or(Parsed::Partial)
    }

    #[test]
    fn a_head_is_whole_with_its_last_byte_however_it_is_cut() {
        for request in [
            REQUEST.to_owned(),
            REQUEST.replace("\r\n", "\n"),
            REQUEST.replace("\r\n\r\n", "\n\r\n"),
            format!("\r\n\n\r\n{REQUEST}"),
            "GET / HTTP/1.0\r\n\r\n".to_owned(),
        ] {
            let whole = parse(request.as_bytes());
            assert!(matches!(&whole, Parsed::Complete { len, .. } if *len == request.len()));
            for size in 1..=request.len() {
                assert_eq!(read(request.as_bytes(), size), whole, "{request:?} in {size}s");
            }
        }
    }

    #[test]
    fn what_is_behind_the_head_is_kept() {
        let mut reader = HeadReader::default();
        assert_eq!(reader.push(&REQUEST.as_bytes()[..10]), Parsed::Partial);
        let rest = [&REQUEST.as_bytes()[10..], b"\x81\x80"].concat();
        assert!(matches!(reader.push(&rest), Parsed::Complete { len, .. } if len == REQUEST.len()));
        assert_eq!(&reader.bytes()[REQUEST.len()..], b"\x81\x80");
    }

    #[test]
    fn what_is_no_request_is_told_from_its_first_bytes() {
        let hello = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03";
        assert!(matches!(HeadReader::default().push(&hello[..1]), Parsed::Invalid(_)));
    }

    #[test]
    fn single_bytes_are_parsed_now_and_then_only() {
        let line = "a: b\r\n";
        let start = "GET / HTTP/1.1\r\n";
        for bytes in [
            [start, &line.repeat(90), "X: ", &"x".repeat(MAX_HEAD)].concat(),
            "\r\n".repeat(MAX_HEAD),
            "\n".repeat(MAX_HEAD),
        ] {
            let (mut reader, mut parses) = (HeadReader::default(), 0);
            let outcome = bytes.bytes().find_map(|byte| {
                let before = reader.parsed;
                let outcome = reader.push(&[byte]);
                parses += usize::from(reader.parsed != before);
                (outcome != Parsed::Partial).then_some(outcome)
            });
            assert!(matches!(outcome, Some(Parsed::Invalid(refusal)) if refusal.status() == 431));
            assert_eq!(reader.bytes().len(), MAX_HEAD);
            // 1, 2, 4, … up to 16 Ki.
            assert_eq!(parses, 15);
        }
    }
}
