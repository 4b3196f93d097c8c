//! Which pages may connect: the Origin header (RFC 6454, RFC 6455 §10.2).

use super::{Head, Refusal};

/// The origins of pages that may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// All of them.
    Any,
    /// Those in the list, each as a browser writes it, such as `https://example.com`.
    List(Vec<String>),
    /// The server's own: those that name the host of the request's Host header.
    SameHost,
}

/// Whether the page that sent `head` may connect. Without an Origin header it was no page, since
/// browsers send one with every WebSocket handshake; there is no cookie to be abused then.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn check_origin(head: &Head, allowed: &Origins) -> Result<(), Refusal> {
    let Some(origin) = head.origin.as_deref() else {
        return Ok(());
    };
    let is_allowed = match allowed {
        Origins::Any => true,
        Origins::List(list) => {
            let own = Origin::parse(origin);
            list.iter().any(|entry| match (&own, Origin::parse(entry)) {
                (Some(own), Some(entry)) => *own == entry,
                // Opaque origins, such as `null`, are only equal to their own spelling.
                _ => entry.eq_ignore_ascii_case(origin),
            })
        }
        Origins::SameHost => Origin::parse(origin).is_some_and(|own| {
            let host = head.host.as_deref().unwrap_or_default();
            Origin::new(own.scheme.clone(), host).is_some_and(|page| page == own)
        }),
    };
    if is_allowed { Ok(()) } else { Err(Refusal::Forbidden) }
}

#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        Self::new(scheme.to_ascii_lowercase(), authority)
    }

    /// `authority` is `host` or `host:port`; a missing port is the scheme's own.
    fn new(scheme: String, authority: &str) -> Option<Self> {
        let (host, port) = match authority.rsplit_once(':') {
            // The colons inside an IPv6 address' brackets separate no port.
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, ""),
        };
        let port = match (port, scheme.as_str()) {
            ("", "https" | "wss") => 443,
            ("", "http" | "ws") => 80,
            (port, _) => port.parse().ok()?,
        };
        let is_host = !host.is_empty() && !host.contains(['/', '@', ' ', ',']);
        is_host.then(|| Self { scheme, host: host.to_ascii_lowercase(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(origin: &str, host: &str, allowed: &Origins) -> bool {
        let head = Head {
            origin: Some(origin.to_owned()),
            host: Some(host.to_owned()),
            ..Head::default()
        };
        let result = check_origin(&head, allowed);
        assert!(matches!(result, Ok(()) | Err(Refusal::Forbidden)));
        result.is_ok()
    }

    fn list(entries: &[&str]) -> Origins {
        Origins::List(entries.iter().map(|entry| (*entry).to_owned()).collect())
    }

    #[test]
    fn what_is_no_page_passes() {
        for allowed in [Origins::Any, list(&[]), Origins::SameHost] {
            assert_eq!(check_origin(&Head::default(), &allowed), Ok(()));
        }
    }

    #[test]
    fn any_is_any() {
        for origin in ["https://evil.example", "null", "", "garbage"] {
            assert!(passes(origin, "example.com", &Origins::Any));
        }
    }

    #[test]
    fn a_list_is_exact_up_to_case_and_default_ports() {
        let allowed = list(&[
            "https://example.com",
            "HTTP://Localhost:3000",
            "http://[::1]:80",
            "capacitor://localhost",
        ]);
        for origin in [
            "https://example.com",
            "https://EXAMPLE.com:443",
            "http://localhost:3000",
            "http://[::1]",
            "capacitor://localhost",
        ] {
            assert!(passes(origin, "other", &allowed), "{origin}");
        }
        for origin in [
            "http://example.com",
            "https://example.com:444",
            "https://example.com.evil.example",
            "https://evil-example.com",
            "https://sub.example.com",
            "https://example.com/",
            "https://user@example.com",
            "https://example.com, https://evil.example",
            "http://localhost",
            "http://[::1]:3000",
            "capacitor://localhost:1",
            "example.com",
            "null",
            "",
        ] {
            assert!(!passes(origin, "example.com", &allowed), "{origin}");
        }
        assert!(passes("null", "x", &list(&["null"])));
        assert!(!passes("https://example.com", "example.com", &list(&[])));
    }

    #[test]
    fn the_own_host_is_that_of_the_host_header() {
        for (origin, host) in [
            ("https://example.com", "example.com"),
            ("https://example.com", "Example.com:443"),
            ("http://example.com", "example.com:80"),
            ("http://example.com:80", "example.com"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
            ("http://[::1]", "[::1]"),
            ("http://127.0.0.1:3000", "127.0.0.1:3000"),
        ] {
            assert!(passes(origin, host, &Origins::SameHost), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://evil.example", "example.com"),
            ("https://example.com", "example.com:80"),
            ("http://example.com", "example.com:3000"),
            ("http://localhost:3001", "localhost:3000"),
            ("https://example.com", ""),
            ("https://", ""),
            ("https://example.com", "example.com:x"),
            ("https://example.com", "example.com:99999"),
            ("null", "null"),
            ("", ""),
            ("example.com", "example.com"),
            ("app://example.com", "example.com"),
        ] {
            assert!(!passes(origin, host, &Origins::SameHost), "{origin} {host}");
        }
        let head = Head { origin: Some("https://example.com".to_owned()), ..Head::default() };
        assert!(check_origin(&head, &Origins::SameHost).is_err());
    }
}
