//! Any bytes where an upgrade request is expected: what is read of them is the same however they arrive, nothing of them
//! gets into an answer, and whoever forges X-Forwarded-For only gets to say what stands left of the proxies.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use roomcast::address::{TrustProxy, client_address};
use roomcast::handshake::{
    self, Head, HeadReader, MAX_HEAD, Origins, Parsed, check_origin, parse, user_id_from_query,
};

const PATH: &str = "/ws/rooms";

// The first byte says which proxies are trusted, the second how the request is cut; the rest is the request.
fuzz_target!(|input: &[u8]| {
    let [trust, cut, request @ ..] = input else { return };
    let whole = parse(request);
    // A short one is cut everywhere, a long one at some 50 places.
    let step = 1 + request.len() / 50;
    for at in (usize::from(*cut) % step..request.len()).step_by(step) {
        check_cut(request, at, &whole);
    }
    check_pieces(request, 1 + usize::from(*cut), &whole);
    if let Parsed::Complete { head, raw_headers, len } = whole {
        assert!(len <= request.len().min(MAX_HEAD));
        check_head(&head, &raw_headers);
        check_handshake(&head);
        check_address(head.forwarded_for.as_deref(), *trust);
    }
});

/// What a request is found to be does not change with what comes after.
fn check_cut(request: &[u8], at: usize, whole: &Parsed) {
    match (parse(&request[..at]), whole) {
        (Parsed::Partial, Parsed::Complete { len, .. }) => assert!(at < *len, "{at}"),
        (Parsed::Partial, _) | (Parsed::Invalid(_), Parsed::Invalid(_)) => {}
        (early, whole) => assert_eq!(early, *whole, "{at}"),
    }
}

/// Read in pieces it is the same; what is no request may be told early, or at the limit of what is read.
fn check_pieces(request: &[u8], size: usize, whole: &Parsed) {
    let mut reader = HeadReader::default();
    let outcomes = request.chunks(size).map(|piece| reader.push(piece));
    let last = outcomes.reduce(|before, now| if before == Parsed::Partial { now } else { before });
    match (last.unwrap_or(Parsed::Partial), whole) {
        (Parsed::Invalid(_) | Parsed::Partial, Parsed::Invalid(_)) => {}
        (outcome, whole) => assert_eq!(outcome, *whole, "in pieces of {size}"),
    }
}

fn check_head(head: &Head, raw_headers: &[(String, String)]) {
    assert!(!head.method.contains([' ', '\r', '\n']) && !head.url.contains([' ', '\r', '\n']));
    for (name, value) in raw_headers {
        assert!(!name.is_empty() && name.is_ascii() && !name.contains([' ', ':', '\r', '\n']));
        assert!(!value.contains(['\r', '\n', '\0']), "{value:?}");
    }
    for (name, field) in [
        ("upgrade", &head.upgrade),
        ("connection", &head.connection),
        ("sec-websocket-version", &head.version),
        ("sec-websocket-key", &head.key),
        ("origin", &head.origin),
        ("host", &head.host),
        ("x-forwarded-for", &head.forwarded_for),
    ] {
        let same = raw_headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let values: Vec<&str> = same.map(|(_, value)| &**value).collect();
        let joined = (!values.is_empty()).then(|| values.join(", "));
        assert_eq!(*field, joined, "{name}");
    }
}

fn check_handshake(head: &Head) {
    match handshake::check(head, PATH) {
        Ok(()) => {
            let key = head.key.as_deref().unwrap_or_default();
            assert_eq!((key.len(), head.path()), (24, PATH));
            let answer = String::from_utf8(handshake::accept(key)).expect("the 101 is text");
            assert_eq!(answer.matches("\r\n").count(), 5, "{answer}");
            assert!(answer.ends_with("=\r\n\r\n"), "{answer}");
        }
        Err(refusal) => {
            let response = String::from_utf8(refusal.response()).expect("a refusal is text");
            let (start, body) = response.split_once("\r\n\r\n").expect("a response has a head");
            assert!(start.starts_with(&format!("HTTP/1.1 {} ", refusal.status())));
            assert!(start.contains(&format!("\r\nContent-Length: {}", body.len())));
        }
    }
    if let Some(user) = user_id_from_query(&head.url) {
        assert!((1..=128).contains(&user.len()));
    }
    // A page of another host is none of ours, however it writes its origin.
    if let (Some(host), true) = (&head.host, head.origin.is_some()) {
        let mut foreign = head.clone();
        foreign.host = Some(format!("not-{host}"));
        let both = [head, &foreign].map(|head| check_origin(head, &Origins::SameHost).is_ok());
        assert_ne!(both, [true, true], "{head:?}");
    }
}

fn check_address(forwarded_for: Option<&str>, trust: u8) {
    let peer: IpAddr = match trust >> 6 {
        0 => [127, 0, 0, 1].into(),
        1 => [10, 0, 0, 1].into(),
        2 => [0, 0, 0, 0, 0, 0xffff, 0x0a00, 0x0002].into(),
        _ => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
    };
    let hops = usize::from(trust & 7);
    let list = ["10.0.0.0/8", "::ffff:127.0.0.1", "2001:db8::/32"];
    let list = TrustProxy::from_addresses(&list[..usize::from(trust >> 3 & 3)]);
    let list = list.expect("these are addresses");
    let by_hops =
        |header: Option<&str>| client_address(Some(peer), header, &TrustProxy::Hops(hops));
    let by_list = |header: Option<&str>| client_address(Some(peer), header, &list);
    let entries = forwarded_for.unwrap_or_default().split(',').map(str::trim);
    let entries: Vec<&str> = entries.filter(|entry| !entry.is_empty()).collect();
    for found in [by_hops(forwarded_for), by_list(forwarded_for)] {
        let found = found.expect("the peer has an address");
        assert_eq!(found, found.to_canonical());
    }
    let untrusting = client_address(Some(peer), forwarded_for, &TrustProxy::default());
    assert_eq!(untrusting, Some(peer.to_canonical()));
    let with = |forged: &str| {
        let header = forwarded_for.map_or(forged.to_owned(), |header| format!("{forged},{header}"));
        (by_hops(Some(&header)), by_list(Some(&header)))
    };
    let (first, second) = (with("6.6.6.6"), with("7.7.7.7"));
    if entries.len() >= hops {
        assert_eq!(first.0, second.0);
        assert_eq!(first.0, by_hops(forwarded_for));
    }
    // By a list, what is forged counts where all that stands right of it are proxies of ours, and never else.
    if first.1 != second.1 {
        assert_eq!(first.1, Some([6, 6, 6, 6].into()));
    } else {
        assert_eq!(first.1, by_list(forwarded_for));
    }
}
