//! Frames as clients send them (RFC 6455 §5.2), and the request before them.

use bytes::Bytes;
use roomcast::handshake::Head;

/// A text frame's first byte.
pub const TEXT: u8 = 0x81;
/// A Close frame's first byte.
pub const CLOSE: u8 = 0x88;
/// A Ping frame's first byte.
pub const PING: u8 = 0x89;
/// A Pong frame's first byte.
pub const PONG: u8 = 0x8a;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// One masked frame.
pub fn frame(first: u8, payload: &[u8]) -> Bytes {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            let length = u16::try_from(length).expect("clients here send short messages");
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame.into()
}

/// A request that the hub takes, of the user `user`.
pub fn head(user: &str) -> Head {
    let some = |text: &str| Some(text.to_owned());
    Head {
        method: "GET".to_owned(),
        url: format!("/ws/rooms?userId={user}"),
        http_minor: 1,
        upgrade: some("websocket"),
        connection: some("Upgrade"),
        version: some("13"),
        key: some("dGhlIHNhbXBsZSBub25jZQ=="),
        host: some("example.com"),
        ..Head::default()
    }
}
