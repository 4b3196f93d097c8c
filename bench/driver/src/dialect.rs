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
    /// An update, with the digits of its `participantName`.
    Update(&'a [u8]),
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
        if let Some(digits) = stamp(text) {
            Heard::Update(digits)
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
