use super::*;

const MAX: usize = 1000;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;

/// A frame of a client; `first` is the header's first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = match payload.len() {
        length @ 0..126 => vec![first, 0x80 | length as u8],
        length @ 126..65_536 => [&[first, 0xfe], &(length as u16).to_be_bytes()[..]].concat(),
        length => [&[first, 0xff], &(length as u64).to_be_bytes()[..]].concat(),
    };
    frame.extend_from_slice(&KEY);
    let masked = payload.iter().zip(KEY.iter().cycle());
    frame.extend(masked.map(|(byte, key)| byte ^ key));
    frame
}

fn message(payload: &[u8]) -> Incoming {
    Incoming::Message(Kind::Text, Bytes::copy_from_slice(payload))
}

fn binary(payload: &[u8]) -> Incoming {
    Incoming::Message(Kind::Binary, Bytes::copy_from_slice(payload))
}

/// What a decoder makes of `parts`, each an input of its own, up to the first error.
fn decode_parts(parts: &[&[u8]]) -> (Vec<Incoming>, Option<CloseReason>) {
    let mut decoder = Decoder::new(MAX);
    let mut all = Vec::new();
    for part in parts {
        let mut input = *part;
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(incoming)) => all.push(incoming),
                Ok(None) => break,
                Err(reason) => return (all, Some(reason)),
            }
        }
        assert!(input.is_empty(), "all input is used up");
    }
    (all, None)
}

/// The same, whole, byte by byte and cut in two at every place, which must make no difference.
fn decode(bytes: &[u8]) -> (Vec<Incoming>, Option<CloseReason>) {
    let whole = decode_parts(&[bytes]);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decode_parts(&single), whole);
    for at in 0..=bytes.len() {
        let (start, end) = bytes.split_at(at);
        assert_eq!(decode_parts(&[start, end]), whole, "cut at {at}");
    }
    whole
}

fn accepted(bytes: &[u8]) -> Vec<Incoming> {
    let (incoming, error) = decode(bytes);
    assert_eq!(error, None);
    incoming
}

fn refused(bytes: &[u8]) -> CloseReason {
    let (incoming, error) = decode(bytes);
    error.unwrap_or_else(|| panic!("{bytes:x?} was taken as {incoming:?}"))
}

#[test]
fn messages_of_every_form_of_length() {
    for length in [0, 1, 3, 4, 5, 125, 126, 127, 255, 256, 257, 500, MAX] {
        let payload: Vec<u8> = (0..length).map(|at| b'a' + (at % 26) as u8).collect();
        assert_eq!(accepted(&frame(FIN | TEXT, &payload)), [message(&payload)], "{length}");
        assert_eq!(accepted(&frame(FIN | BINARY, &payload)), [binary(&payload)], "{length}");
    }
    let mut decoder = Decoder::new(70_000);
    let payload = vec![b'x'; 70_000];
    let bytes = frame(FIN | TEXT, &payload);
    let decoded = decoder.decode(&mut &bytes[..]);
    assert_eq!(decoded, Ok(Some(message(&payload))));
}

#[test]
fn one_call_takes_one_frame() {
    let bytes = [
        frame(FIN | TEXT, b"one"),
        frame(TEXT, b"t"),
        frame(CONTINUATION, b""),
        frame(FIN | PING, b"p"),
        frame(FIN | CONTINUATION, b"wo"),
    ]
    .concat();
    let mut decoder = Decoder::new(MAX);
    let mut input = &bytes[..];
    let mut next = || {
        let before = input.len();
        let incoming = decoder.decode(&mut input).unwrap();
        (before - input.len(), incoming, decoder.is_idle())
    };
    assert_eq!(next(), (9, Some(message(b"one")), true));
    assert_eq!(next(), (7, Some(Incoming::Fragment), false));
    assert_eq!(next(), (6, Some(Incoming::Fragment), false));
    assert_eq!(next(), (7, Some(Incoming::Ping(Bytes::from_static(b"p"))), false));
    assert_eq!(next(), (8, Some(message(b"two")), true));
    assert_eq!(next(), (0, None, true));
}

#[test]
fn a_decoder_is_idle_between_messages_only() {
    for bytes in [
        frame(FIN | TEXT, b"abc"),
        frame(FIN | PING, b"abc"),
        frame(FIN | TEXT, b""),
        frame(FIN | BINARY, &[0; 300]),
        [frame(TEXT, b"a"), frame(FIN | PONG, b""), frame(FIN | CONTINUATION, b"b")].concat(),
    ] {
        let mut decoder = Decoder::new(MAX);
        assert!(decoder.is_idle());
        for (at, byte) in bytes.iter().enumerate() {
            decoder.decode(&mut &[*byte][..]).unwrap();
            assert_eq!(decoder.is_idle(), at + 1 == bytes.len(), "after byte {at}");
        }
    }
}

#[test]
fn many_frames_in_one_input() {
    let bytes = [
        frame(FIN | TEXT, "é".as_bytes()),
        frame(FIN | BINARY, b"\xff\0"),
        frame(FIN | PING, b""),
        frame(FIN | PONG, b"late"),
        frame(FIN | TEXT, b"{}"),
        frame(FIN | CLOSE, b"\x0f\xa0bye"),
    ]
    .concat();
    let expected = [
        message("é".as_bytes()),
        binary(b"\xff\0"),
        Incoming::Ping(Bytes::new()),
        Incoming::Pong,
        message(b"{}"),
        Incoming::Close(Some(CloseReason::new(4000, "bye"))),
    ];
    assert_eq!(accepted(&bytes), expected);
}

#[test]
fn fragments_are_joined_with_control_frames_in_between() {
    let euro = "€".as_bytes();
    let bytes = [
        frame(TEXT, &euro[..1]),
        frame(FIN | PING, b"1"),
        frame(CONTINUATION, &euro[1..2]),
        frame(CONTINUATION, b""),
        frame(FIN | PONG, b"2"),
        frame(FIN | CONTINUATION, &euro[2..]),
        frame(BINARY, b""),
        frame(FIN | CONTINUATION, b""),
        frame(BINARY, b"\xff"),
        frame(FIN | CONTINUATION, b"\xfe"),
    ]
    .concat();
    let expected = [
        Incoming::Fragment,
        Incoming::Ping(Bytes::from_static(b"1")),
        Incoming::Fragment,
        Incoming::Fragment,
        Incoming::Pong,
        message(euro),
        Incoming::Fragment,
        binary(b""),
        Incoming::Fragment,
        binary(b"\xff\xfe"),
    ];
    assert_eq!(accepted(&bytes), expected);
}

#[test]
fn fragments_without_end_are_each_counted() {
    let mut decoder = Decoder::new(MAX);
    let first = frame(TEXT, b"");
    assert_eq!(decoder.decode(&mut &first[..]), Ok(Some(Incoming::Fragment)));
    let bytes = frame(CONTINUATION, b"").repeat(5_000);
    let mut input = &bytes[..];
    for _ in 0..5_000 {
        assert_eq!(decoder.decode(&mut input), Ok(Some(Incoming::Fragment)));
    }
}

#[test]
fn control_frames_carry_up_to_125_bytes() {
    let payload: Vec<u8> = (0..125).collect();
    let bytes = [frame(FIN | PING, &payload), frame(FIN | PONG, &payload)].concat();
    let ping = Incoming::Ping(Bytes::copy_from_slice(&payload));
    assert_eq!(accepted(&bytes), [ping, Incoming::Pong]);
}

#[test]
fn close_frames_are_read() {
    assert_eq!(accepted(&frame(FIN | CLOSE, b"")), [Incoming::Close(None)]);
    for code in [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999_u16] {
        let longest = "x".repeat(123);
        for reason in ["", "bye", "tschüß", &longest] {
            let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
            let close = CloseReason::new(code, reason.to_owned());
            let incoming = accepted(&frame(FIN | CLOSE, &payload));
            assert_eq!(incoming, [Incoming::Close(Some(close))]);
        }
    }
}

#[test]
fn close_frames_are_checked() {
    assert_eq!(refused(&frame(FIN | CLOSE, b"\x03")), PROTOCOL_ERROR);
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535_u16] {
        let bytes = frame(FIN | CLOSE, &code.to_be_bytes());
        assert_eq!(refused(&bytes), PROTOCOL_ERROR, "{code}");
    }
    for reason in [&b"\xff"[..], b"ok\xc3", b"\xed\xa0\x80", b"\xc0\xaf"] {
        let bytes = frame(FIN | CLOSE, &[b"\x03\xe8", reason].concat());
        assert_eq!(refused(&bytes), INVALID_UTF8);
    }
}

#[test]
fn text_is_utf8() {
    for text in
        [&b"\xff"[..], b"ok\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"a\x80"]
    {
        assert_eq!(refused(&frame(FIN | TEXT, text)), INVALID_UTF8);
        let fragments = [frame(TEXT, text), frame(FIN | CONTINUATION, b"")].concat();
        assert_eq!(refused(&fragments), INVALID_UTF8);
        let (start, end) = text.split_at(1);
        let fragments = [frame(TEXT, start), frame(FIN | CONTINUATION, end)].concat();
        assert_eq!(refused(&fragments), INVALID_UTF8);
        assert_eq!(accepted(&frame(FIN | BINARY, text)), [binary(text)]);
    }
}

/// Asserts that the first `length` bytes of `bytes` are refused with `reason`, and no fewer.
fn refused_at(bytes: &[u8], length: usize, reason: &CloseReason) {
    let (_, error) = decode_parts(&[&bytes[..length - 1]]);
    assert_eq!(error, None, "{bytes:x?}");
    let (_, error) = decode_parts(&[&bytes[..length]]);
    assert_eq!(error.as_ref(), Some(reason), "{bytes:x?}");
    assert_eq!(&refused(bytes), reason, "{bytes:x?}");
}

#[test]
fn violations_show_in_the_first_two_bytes() {
    // Unmasked.
    refused_at(&[FIN | TEXT, 0x02, b'h', b'i'], 2, &PROTOCOL_ERROR);
    refused_at(&[FIN | PING, 0x00], 2, &PROTOCOL_ERROR);
    // Reserved bits, as of an extension that was not agreed on.
    for bit in [0x40, 0x20, 0x10] {
        for opcode in [TEXT, BINARY, PING, PONG, CLOSE] {
            refused_at(&frame(FIN | bit | opcode, b""), 2, &PROTOCOL_ERROR);
        }
    }
    // Reserved opcodes.
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        refused_at(&frame(FIN | opcode, b"hi"), 2, &PROTOCOL_ERROR);
        refused_at(&frame(opcode, b""), 2, &PROTOCOL_ERROR);
    }
    // Control frames in fragments, or too long.
    for opcode in [PING, PONG, CLOSE] {
        refused_at(&frame(opcode, b""), 2, &PROTOCOL_ERROR);
        refused_at(&frame(FIN | opcode, &[b'x'; 126]), 2, &PROTOCOL_ERROR);
        refused_at(&frame(FIN | opcode, &[b'x'; 65_536][..])[..20], 2, &PROTOCOL_ERROR);
    }
    // Continuations of nothing.
    refused_at(&frame(FIN | CONTINUATION, b"hi"), 2, &PROTOCOL_ERROR);
    refused_at(&frame(CONTINUATION, b"hi"), 2, &PROTOCOL_ERROR);
    let over = [frame(TEXT, b"a"), frame(FIN | CONTINUATION, b"b")].concat();
    let bytes = [over.clone(), frame(FIN | CONTINUATION, b"c")].concat();
    refused_at(&bytes, over.len() + 2, &PROTOCOL_ERROR);
    // A message within a message.
    for first in [TEXT, BINARY, FIN | TEXT, FIN | BINARY] {
        let start = frame(TEXT, b"a");
        let bytes = [start.clone(), frame(first, b"b")].concat();
        refused_at(&bytes, start.len() + 2, &PROTOCOL_ERROR);
    }
}

#[test]
fn a_message_too_large_is_refused_by_its_header() {
    let too_long = frame(FIN | TEXT, &[b'x'; MAX + 1]);
    refused_at(&too_long, 8, &MESSAGE_TOO_LARGE);
    let fragments = [frame(BINARY, &[b'x'; MAX - 1]), frame(CONTINUATION, b"")].concat();
    let fits = [fragments.clone(), frame(FIN | CONTINUATION, b"y")].concat();
    assert_eq!(decode_parts(&[&fits]).0.len(), 3);
    let bytes = [fragments.clone(), frame(CONTINUATION, b"yz")].concat();
    let (_, error) = decode_parts(&[&bytes[..fragments.len() + 6]]);
    assert_eq!(error, Some(MESSAGE_TOO_LARGE));
    // A new message counts from nothing.
    let bytes = [fits, frame(FIN | TEXT, &[b'x'; MAX])].concat();
    assert_eq!(decode_parts(&[&bytes]).1, None);
    for length in [1 << 16, 1 << 32, (1 << 63) - 1_u64] {
        let bytes = [&[FIN | TEXT, 0xff], &length.to_be_bytes()[..], &KEY].concat();
        refused_at(&bytes, 14, &MESSAGE_TOO_LARGE);
    }
}

#[test]
fn the_top_bit_of_a_length_is_none() {
    for length in [1 << 63, u64::MAX] {
        let bytes = [&[FIN | TEXT, 0xff], &length.to_be_bytes()[..], &KEY].concat();
        refused_at(&bytes, 14, &PROTOCOL_ERROR);
    }
}

#[test]
fn a_length_is_written_as_short_as_it_can_be() {
    for length in [0, 2, 125_u16] {
        let bytes = [&[FIN | TEXT, 0xfe], &length.to_be_bytes()[..], &KEY].concat();
        refused_at(&bytes, 8, &PROTOCOL_ERROR);
    }
    for length in [0, 2, 125, 126, 1000, 65_535_u64] {
        let bytes = [&[FIN | TEXT, 0xff], &length.to_be_bytes()[..], &KEY].concat();
        refused_at(&bytes, 14, &PROTOCOL_ERROR);
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_before_its_frame_ends() {
    let bytes = frame(FIN | TEXT, b"ok\xffand much more");
    refused_at(&bytes, 6 + 3, &INVALID_UTF8);
    let unfinished = [frame(TEXT, b"a"), frame(CONTINUATION, b"b\xc0c")].concat();
    refused_at(&unfinished, 7 + 6 + 2, &INVALID_UTF8);
}

#[test]
fn nothing_is_taken_where_nothing_is_allowed() {
    let mut decoder = Decoder::new(0);
    let empty = frame(FIN | TEXT, b"");
    assert_eq!(decoder.decode(&mut &empty[..]), Ok(Some(message(b""))));
    let bytes = frame(FIN | TEXT, b"x");
    assert_eq!(decoder.decode(&mut &bytes[..]), Err(MESSAGE_TOO_LARGE));
}

#[test]
fn any_bytes_at_all_do_no_harm() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    for _ in 0..2_000 {
        // A header that is often right, so that what follows is reached.
        let first = [FIN | TEXT, TEXT, BINARY, CONTINUATION, FIN | CONTINUATION, FIN | PING];
        let mut bytes = Vec::new();
        for _ in 0..4 {
            let payload: Vec<u8> = (0..random() % 40).map(|_| random() & 0x7f).collect();
            bytes.extend(frame(first[usize::from(random()) % first.len()], &payload));
        }
        let at = usize::from(random()) % bytes.len();
        bytes[at] = random();
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode_parts(&[&bytes]), decode_parts(&single));
    }
}

#[test]
fn the_context_is_set_up_small() {
    let config = config(MAX);
    assert_eq!(config.read_buffer_size, READ_BUFFER);
    assert!(config.read_buffer_size <= 1024);
    assert_eq!(config.write_buffer_size, 0);
    assert_eq!(config.max_write_buffer_size, 1);
    assert_eq!(config.max_message_size, Some(MAX));
    assert_eq!(config.max_frame_size, Some(MAX));
    assert!(!config.accept_unmasked_frames);
    let decoder = Decoder::new(MAX);
    assert_eq!(decoder.context.get_config().max_message_size, Some(MAX));
}
