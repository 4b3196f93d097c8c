//! What a client says to be in a room: the room protocol as it is, or wrapped as Socket.IO wraps it.

/// How a peer is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Plain,
    SocketIo,
}

/// What a text means to a client.
pub(crate) enum Heard<'a> {
    /// Something to answer with these texts.
    Answer(String),
    Joined,
    /// An update: the digits of its `participantName`, and its `currentParticipants`.
    Update {
        stamp: &'a [u8],
        count: u64,
    },
    Other,
}

impl Dialect {
    /// The upgrade request.
    pub(crate) fn request(self, host: &str, user: u64) -> String {
        let target = match self {
            Self::Plain => format!("/ws/rooms?userId={user}"),
            Self::SocketIo => format!("/socket.io/?EIO=4&transport=websocket&userId={user}"),
        };
        format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
    }

    /// What is sent behind the 101.
    pub(crate) fn greeting(self, room: u64) -> Option<String> {
        match self {
            Self::Plain => Some(join(room)),
            // The server speaks first.
            Self::SocketIo => None,
        }
    }

    /// Understands a text that a member of `room`, or who is to become one, was sent.
    pub(crate) fn hear(self, text: &[u8], room: u64) -> Heard<'_> {
        if self == Self::SocketIo {
            // engine.io's open and ping; socket.io's connect.
            match text {
                [b'0', ..] => return Heard::Answer("40".into()),
                [b'2', ..] => return Heard::Answer("3".into()),
                [b'4', b'0', ..] => {
                    return Heard::Answer(format!("42[\"message\",{}]", join(room)));
                }
                _ => {}
            }
        }
        if let Some(stamp) = stamp(text) {
            Heard::Update { stamp, count: count(text) }
        } else if memchr::memmem::find(text, b"\"ROOM_JOINED\"").is_some() {
            Heard::Joined
        } else {
            Heard::Other
        }
    }
}

fn join(room: u64) -> String {
    format!("{{\"action\":\"JOIN_ROOM\",\"roomId\":{room}}}")
}

fn stamp(text: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"\"participantName\":\"";
    let start = memchr::memmem::find(text, NAME)? + NAME.len();
    let digits = &text[start..];
    Some(&digits[..memchr::memchr(b'"', digits)?])
}

/// The count of an update, 0 where it has none.
fn count(text: &[u8]) -> u64 {
    const COUNT: &[u8] = b"\"currentParticipants\":";
    let Some(at) = memchr::memmem::find(text, COUNT) else { return 0 };
    let digits = text[at + COUNT.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_has_its_count_however_it_is_wrapped() {
        let plain = r#"{"participantName":"9","currentParticipants":42,"maxParticipants":50}"#;
        let wrapped = format!("42[\"message\",{plain}]");
        for (text, expected) in [(plain, 42), (&wrapped, 42), (r#"{"participantName":"9"}"#, 0)] {
            let Heard::Update { stamp, count } = Dialect::Plain.hear(text.as_bytes(), 1) else {
                panic!("{text} is no update")
            };
            assert_eq!((stamp, count), (&b"9"[..], expected), "{text}");
        }
    }
}
