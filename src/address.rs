//! Whose address a connection counts under, where proxies stand in front.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

/// Which part of X-Forwarded-For is believed.
///
/// Anyone can send that header. What a trusted proxy appended is on its right end, so both forms
/// count from there, and nothing further left than the first untrusted address is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustProxy {
    /// So many proxies in front append to the header; 0 ignores it.
    Hops(usize),
    /// The proxies' own addresses.
    Addresses(Vec<IpNet>),
}

impl Default for TrustProxy {
    fn default() -> Self {
        Self::Hops(0)
    }
}

impl TrustProxy {
    /// A list of proxies, each an IP address or a network in CIDR notation.
    ///
    /// # Errors
    /// The first entry that is neither.
    pub fn from_addresses<S: AsRef<str>>(entries: &[S]) -> Result<Self, InvalidProxy> {
        let network = |entry: &S| {
            let entry = entry.as_ref();
            parse_network(entry.trim()).ok_or_else(|| InvalidProxy(entry.to_owned()))
        };
        let networks: Result<_, _> = entries.iter().map(network).collect();
        networks.map(Self::Addresses)
    }
}

/// An entry of a list of proxies that names no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidProxy(pub String);

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a proxy's address: give an IP address such as \"10.0.0.1\" or \"::1\", or a \
             network such as \"10.0.0.0/8\"",
            self.0
        )
    }
}

impl std::error::Error for InvalidProxy {}

/// The client's address: the socket's `peer`, or what `forwarded_for` (the X-Forwarded-For header,
/// several of them joined by commas) says as far as `trust` goes.
///
/// An entry that is no address ends the walk, and the address before it stands. Fewer entries than
/// trusted hops leave the leftmost. An IPv4 address inside an IPv6 one is given as IPv4.
pub fn client_address(
    peer: Option<IpAddr>,
    forwarded_for: Option<&str>,
    trust: &TrustProxy,
) -> Option<IpAddr> {
    let mut address = peer.map(|peer| peer.to_canonical());
    let entries = forwarded_for.unwrap_or_default().rsplit(',');
    let entries = entries.map(str::trim).filter(|entry| !entry.is_empty());
    for (hop, entry) in entries.enumerate() {
        let trusted = match trust {
            TrustProxy::Hops(hops) => hop < *hops,
            TrustProxy::Addresses(networks) => {
                address.is_some_and(|address| networks.iter().any(|net| net.contains(&address)))
            }
        };
        match parse_entry(entry) {
            Some(next) if trusted => address = Some(next),
            _ => break,
        }
    }
    address
}

/// One entry of X-Forwarded-For; some proxies add the port.
fn parse_entry(entry: &str) -> Option<IpAddr> {
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let address: Option<IpAddr> = entry.parse().ok();
    let address = address.or_else(with_port).or_else(bracketed)?;
    Some(address.to_canonical())
}

fn parse_network(text: &str) -> Option<IpNet> {
    let network: IpNet = match text.parse() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    // Addresses are compared in their IPv4 form, so the network has to be in it too.
    let mapped = match network {
        IpNet::V6(net) if net.prefix_len() >= 96 => net.addr().to_ipv4_mapped(),
        _ => None,
    };
    match mapped {
        Some(address) => {
            let prefix = network.prefix_len() - 96;
            Ipv4Net::new(address, prefix).ok().map(IpNet::V4)
        }
        None => Some(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn by_hops(hops: usize, forwarded_for: &str) -> String {
        let trust = TrustProxy::Hops(hops);
        let address = client_address(Some(ip("10.0.0.1")), Some(forwarded_for), &trust);
        address.unwrap().to_string()
    }

    fn by_list(list: &[&str], peer: &str, forwarded_for: &str) -> String {
        let trust = TrustProxy::from_addresses(list).unwrap();
        let address = client_address(Some(ip(peer)), Some(forwarded_for), &trust);
        address.unwrap().to_string()
    }

    #[test]
    fn without_trust_the_header_means_nothing() {
        assert_eq!(by_hops(0, "1.1.1.1"), "10.0.0.1");
        assert_eq!(by_list(&[], "10.0.0.1", "1.1.1.1"), "10.0.0.1");
        assert_eq!(TrustProxy::default(), TrustProxy::Hops(0));
    }

    #[test]
    fn hops_are_counted_from_the_right() {
        let header = "6.6.6.6, 1.1.1.1,2.2.2.2";
        assert_eq!(by_hops(1, header), "2.2.2.2");
        assert_eq!(by_hops(2, header), "1.1.1.1");
        assert_eq!(by_hops(3, header), "6.6.6.6");
        assert_eq!(by_hops(9, header), "6.6.6.6");
        assert_eq!(by_hops(2, ""), "10.0.0.1");
        let none = client_address(Some(ip("10.0.0.1")), None, &TrustProxy::Hops(2));
        assert_eq!(none, Some(ip("10.0.0.1")));
    }

    #[test]
    fn trusted_addresses_are_skipped_until_the_first_other() {
        let own = &["10.0.0.0/8", "192.168.1.7"];
        let header = "6.6.6.6, 1.1.1.1, 192.168.1.7, 10.9.9.9";
        assert_eq!(by_list(own, "10.0.0.1", header), "1.1.1.1");
        assert_eq!(by_list(own, "8.8.8.8", header), "8.8.8.8");
        assert_eq!(by_list(own, "10.0.0.1", "192.168.1.8"), "192.168.1.8");
        assert_eq!(by_list(own, "10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3");
    }

    #[test]
    fn what_a_client_forges_stays_on_the_left() {
        for forged in ["10.0.0.9", "unknown", "", ",,,", "[::1", "<script>"] {
            let header = format!("{forged}, 1.1.1.1");
            assert_eq!(by_hops(1, &header), "1.1.1.1");
            assert_eq!(by_list(&["10.0.0.0/8"], "10.0.0.1", &header), "1.1.1.1");
        }
    }

    #[test]
    fn garbage_ends_the_walk() {
        for garbage in ["unknown", "_hidden", "1.1.1", "1.1.1.1:x", "::1]", "[1.1.1.1"] {
            assert_eq!(by_hops(1, garbage), "10.0.0.1", "{garbage}");
            let header = format!("3.3.3.3, {garbage}, 2.2.2.2");
            assert_eq!(by_hops(3, &header), "2.2.2.2", "{garbage}");
        }
        assert_eq!(by_hops(2, "1.1.1.1, , 2.2.2.2,"), "1.1.1.1");
    }

    #[test]
    fn ports_are_left_out() {
        for (entry, address) in [
            ("1.1.1.1:80", "1.1.1.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("\t1.1.1.1 ", "1.1.1.1"),
        ] {
            assert_eq!(by_hops(1, entry), address);
        }
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_ipv4() {
        assert_eq!(by_hops(1, "::ffff:1.1.1.1"), "1.1.1.1");
        assert_eq!(by_hops(1, "[::ffff:1.1.1.1]:80"), "1.1.1.1");
        for list in [["10.0.0.0/8"], ["::ffff:10.0.0.0/104"], ["::ffff:10.0.0.1"]] {
            assert_eq!(by_list(&list, "::ffff:10.0.0.1", "1.1.1.1"), "1.1.1.1");
            assert_eq!(by_list(&list, "10.0.0.1", "1.1.1.1"), "1.1.1.1");
        }
        let peer = client_address(Some(ip("::ffff:9.9.9.9")), None, &TrustProxy::Hops(0));
        assert_eq!(peer, Some(ip("9.9.9.9")));
    }

    #[test]
    fn a_peer_without_an_address_can_only_be_a_counted_hop() {
        let header = Some("1.1.1.1");
        let hops = |hops| client_address(None, header, &TrustProxy::Hops(hops));
        assert_eq!(hops(0), None);
        assert_eq!(hops(1), Some(ip("1.1.1.1")));
        let list = TrustProxy::from_addresses(&["0.0.0.0/0"]).unwrap();
        assert_eq!(client_address(None, header, &list), None);
    }

    #[test]
    fn a_list_takes_addresses_and_networks_only() {
        let list = [" 10.0.0.1", "::1", "10.1.2.3/8", "fc00::/7", "0.0.0.0/0"];
        assert!(TrustProxy::from_addresses(&list).is_ok());
        for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0", "::/129", "10.0.0.1:80"] {
            let error = TrustProxy::from_addresses(&["10.0.0.1", wrong]).unwrap_err();
            assert_eq!(error, InvalidProxy(wrong.to_owned()));
            assert!(error.to_string().contains("10.0.0.0/8"));
        }
    }
}
