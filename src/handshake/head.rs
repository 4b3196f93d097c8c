//! The head of an upgrade request: the request line and the headers.

use super::Refusal;

/// The longest head that is read, in bytes; what Node allows by default too.
pub const MAX_HEAD: usize = 16 * 1024;

const MAX_HEADERS: usize = 100;

/// The longest user id in bytes.
const MAX_USER_ID: usize = 128;

/// What of a request decides on the upgrade. A header that came several times is joined by `, `.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The method, as sent.
    pub method: String,
    /// The request target, with the query.
    pub url: String,
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub http_minor: u8,
    /// `Upgrade`.
    pub upgrade: Option<String>,
    /// `Connection`.
    pub connection: Option<String>,
    /// `Sec-WebSocket-Version`.
    pub version: Option<String>,
    /// `Sec-WebSocket-Key`.
    pub key: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Host`.
    pub host: Option<String>,
    /// `X-Forwarded-For`.
    pub forwarded_for: Option<String>,
}

impl Head {
    /// The request target without the query.
    pub fn path(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name.to_ascii_lowercase().as_str() {
            "upgrade" => Some(&mut self.upgrade),
            "connection" => Some(&mut self.connection),
            "sec-websocket-version" => Some(&mut self.version),
            "sec-websocket-key" => Some(&mut self.key),
            "origin" => Some(&mut self.origin),
            "host" => Some(&mut self.host),
            "x-forwarded-for" => Some(&mut self.forwarded_for),
            _ => None,
        }
    }
}

/// What [`parse`] made of the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "made once a connection and taken apart at once")]
pub enum Parsed {
    /// The head goes on.
    Partial,
    /// The head is whole.
    Complete {
        /// What decides on the upgrade.
        head: Head,
        /// Every header in its order, the names as sent.
        raw_headers: Vec<(String, String)>,
        /// How many bytes the head takes; what comes after it is the client's first frames.
        len: usize,
    },
    /// No HTTP/1 request, or too long a one.
    Invalid(Refusal),
}

/// Reads the head of a request from the start of `bytes`.
pub fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(&bytes[..bytes.len().min(MAX_HEAD)]) {
        Ok(httparse::Status::Complete(len)) => complete(&request, len),
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => Parsed::Partial,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            Parsed::Invalid(Refusal::HeaderTooLarge)
        }
        Err(httparse::Error::Version) => {
            Parsed::Invalid(Refusal::BadRequest("Only HTTP/1.1 is spoken here"))
        }
        Err(_) => Parsed::Invalid(Refusal::BadRequest(
            "This is no HTTP request; a client of wss:// needs a server or a proxy with TLS",
        )),
    }
}

fn complete(request: &httparse::Request<'_, '_>, len: usize) -> Parsed {
    let mut head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        url: request.path.unwrap_or_default().to_owned(),
        http_minor: request.version.unwrap_or_default(),
        ..Head::default()
    };
    let mut raw_headers = Vec::with_capacity(request.headers.len());
    for header in request.headers.iter() {
        // Header values are Latin-1 by HTTP's tradition, and so they are in Node.
        let value: String = header.value.iter().copied().map(char::from).collect();
        if let Some(field) = head.field(header.name) {
            match field {
                Some(earlier) => {
                    earlier.push_str(", ");
                    earlier.push_str(&value);
                }
                None => *field = Some(value.clone()),
            }
        }
        raw_headers.push((header.name.to_owned(), value));
    }
    Parsed::Complete { head, raw_headers, len }
}

/// Who the client says it is: the first `userId` of the query, 1 to 128 bytes.
pub fn user_id_from_query(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let (_, user) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "userId")?;
    (1..=MAX_USER_ID).contains(&user.len()).then(|| user.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "GET /ws/rooms?userId=1 HTTP/1.1\r\n\
        Host: example.com\r\n\
        upgrade: websocket\r\n\
        Connection: keep-alive\r\n\
        CONNECTION: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: https://example.com\r\n\
        X-Forwarded-For: 1.1.1.1\r\n\
        Cookie: a=b\r\n\
        X-Forwarded-For: 2.2.2.2\r\n\r\n";

    fn complete(bytes: &[u8]) -> (Head, Vec<(String, String)>, usize) {
        match parse(bytes) {
            Parsed::Complete { head, raw_headers, len } => (head, raw_headers, len),
            other => panic!("{other:?}"),
        }
    }

    fn refused(bytes: &[u8]) -> Refusal {
        match parse(bytes) {
            Parsed::Invalid(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_head_is_read_whatever_comes_behind_it() {
        let bytes = [REQUEST.as_bytes(), b"\x81\x80\0\0\0\0"].concat();
        let (head, raw_headers, len) = complete(&bytes);
        assert_eq!(len, REQUEST.len());
        assert_eq!(head.method, "GET");
        assert_eq!(head.url, "/ws/rooms?userId=1");
        assert_eq!(head.path(), "/ws/rooms");
        assert_eq!(head.http_minor, 1);
        assert_eq!(head.upgrade.as_deref(), Some("websocket"));
        assert_eq!(head.connection.as_deref(), Some("keep-alive, Upgrade"));
        assert_eq!(head.version.as_deref(), Some("13"));
        assert_eq!(head.key.as_deref(), Some("dGhlIHNhbXBsZSBub25jZQ=="));
        assert_eq!(head.origin.as_deref(), Some("https://example.com"));
        assert_eq!(head.host.as_deref(), Some("example.com"));
        assert_eq!(head.forwarded_for.as_deref(), Some("1.1.1.1, 2.2.2.2"));
        assert_eq!(raw_headers.len(), 10);
        assert_eq!(raw_headers[1].0, "upgrade");
        assert_eq!(raw_headers[8], ("Cookie".to_owned(), "a=b".to_owned()));
    }

    #[test]
    fn a_head_is_partial_up_to_its_last_byte() {
        for at in 0..REQUEST.len() {
            assert_eq!(parse(&REQUEST.as_bytes()[..at]), Parsed::Partial, "{at}");
        }
    }

    #[test]
    fn values_are_latin_1() {
        let (_, raw_headers, _) = complete(b"GET / HTTP/1.0\r\nX: caf\xe9 \r\n\r\n");
        assert_eq!(raw_headers, [("X".to_owned(), "café".to_owned())]);
        let (head, raw_headers, _) = complete(b"GET / HTTP/1.0\r\n\r\n");
        assert_eq!((head.http_minor, raw_headers.len()), (0, 0));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for bytes in [
            &b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..],
            b"PRI * HTTP/2.0\r\n\r\n",
            b"GET / HTTP/3.0\r\n\r\n",
            b"GET  / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: \0\r\n\r\n",
            b"hello\n",
        ] {
            assert_eq!(refused(bytes).status(), 400, "{bytes:?}");
        }
    }

    #[test]
    fn a_head_has_its_limits() {
        let start = "GET / HTTP/1.1\r\nX: ";
        let fits = [start, &"x".repeat(MAX_HEAD - start.len() - 4), "\r\n\r\n"].concat();
        assert_eq!(complete(fits.as_bytes()).2, MAX_HEAD);
        let too_long = fits.replace("X: ", "X: x");
        assert_eq!(refused(too_long.as_bytes()), Refusal::HeaderTooLarge);
        let endless = [start, &"x".repeat(MAX_HEAD)].concat();
        assert_eq!(refused(endless.as_bytes()), Refusal::HeaderTooLarge);
        assert_eq!(refused(&endless.as_bytes()[..MAX_HEAD]), Refusal::HeaderTooLarge);
        let with_headers = |count| {
            let headers = "a: b\r\n".repeat(count);
            ["GET / HTTP/1.1\r\n", &headers, "\r\n"].concat()
        };
        assert_eq!(complete(with_headers(100).as_bytes()).1.len(), 100);
        assert_eq!(refused(with_headers(101).as_bytes()), Refusal::HeaderTooLarge);
    }

    #[test]
    fn the_user_is_the_first_user_id_of_the_query() {
        let longest = "x".repeat(128);
        for (url, user) in [
            ("/ws?userId=123456789", "123456789"),
            ("/ws?a=b&userId=1&userId=2", "1"),
            ("/ws?userId=a%20b+c", "a b c"),
            ("/ws?user%49d=%E2%82%AC", "€"),
            ("/ws?userId=a=b?c", "a=b?c"),
            ("?userId=1", "1"),
            (&format!("/ws?userId={longest}"), &longest),
        ] {
            assert_eq!(user_id_from_query(url).as_deref(), Some(user), "{url}");
        }
        for url in [
            "",
            "/ws",
            "/ws?",
            "/ws?userId",
            "/ws?userId=",
            "/ws?userId=&userId=1",
            "/ws?userid=1",
            "/ws?xuserId=1",
            &format!("/ws?userId={longest}x"),
            &format!("/ws?userId={}", "%E2%82%AC".repeat(43)),
        ] {
            assert_eq!(user_id_from_query(url), None, "{url}");
        }
    }
}
