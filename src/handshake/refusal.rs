//! Why an upgrade is refused, and how that is said in HTTP.
//!
//! Browsers do not show the status to a page. It is for whoever sets up a server, a proxy or
//! another client, so every sentence says what would be right.

use std::fmt;

/// When a client that was one too many may try again.
const RETRY_AFTER_SECONDS: u32 = 10;

/// Why a request is not answered with a 101.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400: no handshake as RFC 6455 has it; with what is wrong and what is right.
    BadRequest(&'static str),
    /// 403: a page of this origin may not connect.
    Forbidden,
    /// 404: nothing is served under this path.
    NotFound,
    /// 405: not a GET.
    MethodNotAllowed,
    /// 408: the request did not come to its end in time.
    RequestTimeout,
    /// 426: a plain request.
    UpgradeRequired,
    /// 426: another version of the protocol than 13 (RFC 6455 §4.4).
    VersionNotSupported,
    /// 429: one address has as many connections as it may.
    TooManyConnectionsFromAddress,
    /// 431: the head of the request is too long.
    HeaderTooLarge,
    /// 503: the hub has as many connections as it may.
    TooManyConnections,
}

impl Refusal {
    /// The status code.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::UpgradeRequired | Self::VersionNotSupported => 426,
            Self::TooManyConnectionsFromAddress => 429,
            Self::HeaderTooLarge => 431,
            Self::TooManyConnections => 503,
        }
    }

    /// The `reason` label of `refusals_total`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::BadRequest(_) => "bad_request",
            Self::Forbidden => "origin",
            Self::NotFound => "path",
            Self::MethodNotAllowed => "method",
            Self::RequestTimeout => "timeout",
            Self::UpgradeRequired => "upgrade",
            Self::VersionNotSupported => "version",
            Self::TooManyConnectionsFromAddress => "address_limit",
            Self::HeaderTooLarge => "header",
            Self::TooManyConnections => "limit",
        }
    }

    /// The whole HTTP/1.1 response. The connection ends with it.
    pub fn response(self) -> Vec<u8> {
        let body = format!("{self}\n");
        format!(
            "HTTP/1.1 {} {}\r\n\
             Connection: {}\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\n\
             {}\r\n\
             {body}",
            self.status(),
            self.phrase(),
            // A sender of Upgrade has to name it in Connection (RFC 9110 §7.8).
            if self.status() == 426 { "close, Upgrade" } else { "close" },
            body.len(),
            self.headers(),
        )
        .into_bytes()
    }

    const fn phrase(self) -> &'static str {
        match self {
            Self::BadRequest(_) => "Bad Request",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "Not Found",
            Self::MethodNotAllowed => "Method Not Allowed",
            Self::RequestTimeout => "Request Timeout",
            Self::UpgradeRequired | Self::VersionNotSupported => "Upgrade Required",
            Self::TooManyConnectionsFromAddress => "Too Many Requests",
            Self::HeaderTooLarge => "Request Header Fields Too Large",
            Self::TooManyConnections => "Service Unavailable",
        }
    }

    /// The headers of this refusal alone, each line with its end.
    fn headers(self) -> String {
        match self {
            Self::MethodNotAllowed => "Allow: GET\r\n".to_owned(),
            Self::UpgradeRequired => "Upgrade: websocket\r\n".to_owned(),
            Self::VersionNotSupported => {
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n".to_owned()
            }
            Self::TooManyConnectionsFromAddress | Self::TooManyConnections => {
                format!("Retry-After: {RETRY_AFTER_SECONDS}\r\n")
            }
            _ => String::new(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadRequest(sentence) => sentence,
            Self::Forbidden => {
                "Pages of this origin may not connect; the server's allowedOrigins has to name it"
            }
            Self::NotFound => "No WebSocket is served under this path",
            Self::MethodNotAllowed => "A WebSocket handshake is a GET request",
            Self::RequestTimeout => "The request did not arrive in time; send it at once and whole",
            Self::UpgradeRequired => {
                "Only WebSocket connections are served here; send `Upgrade: websocket`, and behind a \
                 proxy pass it on"
            }
            Self::VersionNotSupported => "Only version 13 of the WebSocket protocol is spoken here",
            Self::TooManyConnectionsFromAddress => {
                "Too many connections from this address; close some or try again later"
            }
            Self::HeaderTooLarge => "A request may have 16 KiB and 100 headers at most",
            Self::TooManyConnections => "The server has no connection left; try again later",
        })
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Refusal, u16, &str, &str); 10] = [
        (Refusal::BadRequest("What is right"), 400, "bad_request", ""),
        (Refusal::Forbidden, 403, "origin", ""),
        (Refusal::NotFound, 404, "path", ""),
        (Refusal::MethodNotAllowed, 405, "method", "allow: GET"),
        (Refusal::RequestTimeout, 408, "timeout", ""),
        (Refusal::UpgradeRequired, 426, "upgrade", "upgrade: websocket"),
        (Refusal::VersionNotSupported, 426, "version", "sec-websocket-version: 13"),
        (Refusal::TooManyConnectionsFromAddress, 429, "address_limit", "retry-after: 10"),
        (Refusal::HeaderTooLarge, 431, "header", ""),
        (Refusal::TooManyConnections, 503, "limit", "retry-after: 10"),
    ];

    #[test]
    fn every_refusal_is_a_whole_response() {
        for (refusal, status, label, header) in ALL {
            assert_eq!(refusal.status(), status);
            assert_eq!(refusal.label(), label);
            let response = refusal.response();
            let mut headers = [httparse::EMPTY_HEADER; 16];
            let mut parsed = httparse::Response::new(&mut headers);
            let length = parsed.parse(&response).unwrap().unwrap();
            assert_eq!(parsed.code, Some(status));
            assert_eq!(parsed.reason, Some(refusal.phrase()));
            let body = std::str::from_utf8(&response[length..]).unwrap();
            assert_eq!(body, format!("{refusal}\n"));

            let lines: Vec<String> = parsed
                .headers
                .iter()
                .map(|header| {
                    let value = std::str::from_utf8(header.value).unwrap();
                    format!("{}: {value}", header.name.to_ascii_lowercase())
                })
                .collect();
            let has = |line: &str| lines.iter().any(|own| own == line);
            assert!(has(&format!("content-length: {}", body.len())));
            assert!(has("content-type: text/plain; charset=utf-8"));
            assert!(has("connection: close") != has("connection: close, Upgrade"));
            assert_eq!(has("connection: close, Upgrade"), has("upgrade: websocket"));
            assert!(header.is_empty() || has(header), "{lines:?}");
        }
    }

    #[test]
    fn the_bytes_of_a_refusal() {
        assert_eq!(
            String::from_utf8(Refusal::NotFound.response()).unwrap(),
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: 39\r\n\r\n\
             No WebSocket is served under this path\n"
        );
    }
}
