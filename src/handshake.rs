//! The opening handshake (RFC 6455 §4.2): the 101, or the refusal.

mod head;
mod origin;
mod reader;
mod refusal;

pub use head::{Head, MAX_HEAD, Parsed, parse, user_id_from_query};
pub use origin::{Origins, check_origin};
pub use reader::HeadReader;
pub use refusal::Refusal;

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Whether `head` asks for a WebSocket on `path`, as RFC 6455 §4.2.1 has it.
///
/// # Errors
/// What is wrong first: the path, the method, a plain request, then the form of the handshake.
pub fn check(head: &Head, path: &str) -> Result<(), Refusal> {
    let has_token = |header: &Option<String>, token: &str| {
        let tokens = header.as_deref().unwrap_or_default().split(',');
        tokens.map(str::trim).any(|own| own.eq_ignore_ascii_case(token))
    };
    if head.path() != path {
        Err(Refusal::NotFound)
    } else if head.method != "GET" {
        Err(Refusal::MethodNotAllowed)
    } else if !has_token(&head.upgrade, "websocket") {
        Err(Refusal::UpgradeRequired)
    } else if head.http_minor < 1 {
        Err(Refusal::BadRequest(
            "A WebSocket handshake needs HTTP/1.1; behind a proxy, set `proxy_http_version 1.1`",
        ))
    } else if head.host.as_deref().is_none_or(|host| host.contains(',')) {
        Err(Refusal::BadRequest("A request has exactly one Host header"))
    } else if !has_token(&head.connection, "upgrade") {
        Err(Refusal::BadRequest(
            "The Connection header has to name `Upgrade`; behind a proxy, pass it on",
        ))
    } else if head.version.as_deref() != Some("13") {
        Err(Refusal::VersionNotSupported)
    } else if !head.key.as_deref().is_some_and(is_key) {
        Err(Refusal::BadRequest("Sec-WebSocket-Key has to be there once, with 16 bytes in base64"))
    } else {
        Ok(())
    }
}

/// The 101. It accepts no extension and no subprotocol, whatever was offered.
pub fn accept(key: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    )
    .into_bytes()
}

/// Base64 of 16 bytes: 22 digits and two padding signs.
fn is_key(key: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.strip_suffix("==").is_some_and(|digits| digits.len() == 22 && digits.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/ws/rooms";
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn good() -> Head {
        let some = |text: &str| Some(text.to_owned());
        Head {
            method: "GET".to_owned(),
            url: "/ws/rooms?userId=1".to_owned(),
            http_minor: 1,
            upgrade: some("websocket"),
            connection: some("Upgrade"),
            version: some("13"),
            key: some(KEY),
            host: some("example.com"),
            ..Head::default()
        }
    }

    fn checked(change: impl FnOnce(&mut Head)) -> Result<(), Refusal> {
        let mut head = good();
        change(&mut head);
        check(&head, PATH)
    }

    #[test]
    fn a_handshake_may_be_written_in_many_ways() {
        assert_eq!(checked(|_| ()), Ok(()));
        assert_eq!(checked(|head| head.url = PATH.to_owned()), Ok(()));
        for upgrade in ["WebSocket", "WEBSOCKET", "h2c, websocket"] {
            assert_eq!(checked(|head| head.upgrade = Some(upgrade.to_owned())), Ok(()));
        }
        for connection in ["upgrade", "keep-alive, Upgrade", "UPGRADE,close"] {
            let change = |head: &mut Head| head.connection = Some(connection.to_owned());
            assert_eq!(checked(change), Ok(()));
        }
        assert_eq!(checked(|head| head.host = Some(String::new())), Ok(()));
    }

    #[test]
    fn the_path_is_exact_but_for_the_query() {
        for url in ["/", "/ws/rooms/", "/ws/room", "/WS/rooms", "", "?", "/x?/ws/rooms"] {
            let refused = checked(|head| head.url = url.to_owned());
            assert_eq!(refused, Err(Refusal::NotFound), "{url}");
        }
    }

    #[test]
    fn each_part_that_is_wrong_is_named() {
        let status = |change: fn(&mut Head)| checked(change).unwrap_err();
        for method in ["POST", "HEAD", "get"] {
            let refused = checked(|head| head.method = method.to_owned());
            assert_eq!(refused, Err(Refusal::MethodNotAllowed));
        }
        for upgrade in ["h2c", "websockets", ""] {
            let refused = checked(|head| head.upgrade = Some(upgrade.to_owned()));
            assert_eq!(refused, Err(Refusal::UpgradeRequired));
        }
        assert_eq!(status(|head| head.upgrade = None), Refusal::UpgradeRequired);
        for version in ["8", "14", "", "13, 13", "013"] {
            let refused = checked(|head| head.version = Some(version.to_owned()));
            assert_eq!(refused, Err(Refusal::VersionNotSupported));
        }
        assert_eq!(status(|head| head.version = None), Refusal::VersionNotSupported);

        let sentence = |change: fn(&mut Head)| match checked(change) {
            Err(Refusal::BadRequest(sentence)) => sentence,
            other => panic!("{other:?}"),
        };
        assert!(sentence(|head| head.http_minor = 0).contains("HTTP/1.1"));
        assert!(sentence(|head| head.host = None).contains("Host"));
        assert!(sentence(|head| head.host = Some("a, b".to_owned())).contains("Host"));
        assert!(sentence(|head| head.connection = None).contains("Connection"));
        let keep_alive = |head: &mut Head| head.connection = Some("keep-alive".to_owned());
        assert!(sentence(keep_alive).contains("Connection"));
        assert!(sentence(|head| head.key = None).contains("Sec-WebSocket-Key"));
    }

    #[test]
    fn a_key_is_16_bytes_in_base64() {
        let twice = format!("{KEY}, {KEY}");
        for key in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25jZQ== ",
            "dGhlIHNhbXBsZSBub25jZTEy",
            "dGhlIHNhbXBsZSBub25-_Q==",
            "dGhlIHNhbXBsZSBub25jZ\u{e9}==",
            &twice,
        ] {
            let refused = checked(|head| head.key = Some(key.to_owned()));
            assert!(matches!(refused, Err(Refusal::BadRequest(_))), "{key}");
        }
    }

    #[test]
    fn what_is_wrong_first_is_said() {
        let mut head = Head::default();
        assert_eq!(check(&head, PATH), Err(Refusal::NotFound));
        head.url = PATH.to_owned();
        assert_eq!(check(&head, PATH), Err(Refusal::MethodNotAllowed));
        head.method = "GET".to_owned();
        assert_eq!(check(&head, PATH), Err(Refusal::UpgradeRequired));
        head.upgrade = Some("websocket".to_owned());
        assert_eq!(check(&head, PATH).unwrap_err().status(), 400);
        (head.http_minor, head.host) = (1, Some("x".to_owned()));
        assert_eq!(check(&head, PATH).unwrap_err().status(), 400);
        head.connection = Some("Upgrade".to_owned());
        assert_eq!(check(&head, PATH), Err(Refusal::VersionNotSupported));
        head.version = Some("13".to_owned());
        assert_eq!(check(&head, PATH).unwrap_err().status(), 400);
        head.key = Some(KEY.to_owned());
        assert_eq!(check(&head, PATH), Ok(()));
    }

    #[test]
    fn the_101_answers_the_key() {
        // The example of RFC 6455 §1.3.
        assert_eq!(
            String::from_utf8(accept(KEY)).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        );
    }
}
