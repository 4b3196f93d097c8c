//! Where Redis is: the `url` of the cluster's options.

use redis::io::tcp::TcpSettings;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

const RIGHT: &str =
    "must be a Redis URL such as 'redis://127.0.0.1:6379' or 'rediss://user:password@host:6380'";

/// A checked address.
#[derive(Clone, Debug)]
pub struct Address {
    /// The servers, of which any will do.
    pub nodes: Vec<ConnectionInfo>,
    /// The database.
    pub db: i64,
    /// Whether the servers speak TLS.
    pub tls: bool,
    secrets: Vec<String>,
}

impl Address {
    /// Reads a URL; several hosts, separated by commas, share the rest of it.
    ///
    /// # Errors
    /// What is wrong with it, to stand behind the option's name. Never shows a password: what was meant as one may
    /// stand anywhere in a URL that is wrong.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or(RIGHT)?;
        if !["redis", "rediss", "valkey", "valkeys"].contains(&scheme) {
            return Err(format!("{RIGHT}, got one of another scheme"));
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        if path.contains('@') {
            return Err(format!(
                "{RIGHT}: characters such as / and # in a password have to be percent-encoded (encodeURIComponent)"
            ));
        }
        let nodes = hosts
            .split(',')
            .map(|host| {
                if host.is_empty() {
                    return Err(format!("{RIGHT}: a host is missing"));
                }
                if !host.is_ascii() {
                    return Err(format!("{RIGHT}: a host with other letters is written as xn--…"));
                }
                let user = user.map(|user| format!("{user}@")).unwrap_or_default();
                node(&format!("{scheme}://{user}{host}{path}"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let settings = nodes[0].redis_settings();
        let mut secrets: Vec<String> = settings.password().map(str::to_owned).into_iter().collect();
        // As it was written too.
        secrets.extend(user.and_then(|user| user.split_once(':')).map(|(_, word)| word.to_owned()));
        secrets.retain(|secret| !secret.is_empty());
        let tls = scheme.ends_with('s') && scheme != "redis";
        Ok(Self { db: settings.db(), tls, secrets, nodes })
    }

    /// The hosts, for people.
    pub fn hosts(&self) -> String {
        let hosts = self.nodes.iter().map(|node| match node.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                format!("{host}:{port}")
            }
            other => other.to_string(),
        });
        hosts.collect::<Vec<_>>().join(", ")
    }

    /// A text that came from elsewhere, without the password in it.
    pub fn conceal(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

fn node(url: &str) -> Result<ConnectionInfo, String> {
    let parsed = redis::parse_redis_url(url)
        .ok_or_else(|| format!("{RIGHT}: host or port cannot be read"))?;
    // What the crate says of a URL may repeat parts of it.
    let node = parsed.into_connection_info().map_err(|_| {
        format!("{RIGHT}: behind the host there may be a database's number alone, as in redis://host:6379/2")
    })?;
    let port = match node.addr() {
        ConnectionAddr::Tcp(_, port) | ConnectionAddr::TcpTls { port, .. } => *port,
        _ => 0,
    };
    if port == 0 {
        return Err(format!("{RIGHT}: a port is from 1 to 65535"));
    }
    if node.redis_settings().db() < 0 {
        return Err(format!("{RIGHT}: a database's number is not negative"));
    }
    let settings = node.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    // Without delay: updates are small, and what waits for the one before would wait for its acknowledgement.
    let tcp = TcpSettings::default().set_nodelay(true);
    Ok(node.set_redis_settings(settings).set_tcp_settings(tcp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_share_the_rest() {
        let address = Address::parse("redis://ann:s%40fe@a:7000,b:7001,[::1]:7002/").unwrap();
        assert_eq!(address.hosts(), "a:7000, b:7001, ::1:7002");
        for node in &address.nodes {
            assert_eq!(node.redis_settings().username(), Some("ann"));
            assert_eq!(node.redis_settings().password(), Some("s@fe"));
        }
        assert!(!address.tls);
        assert!(Address::parse("rediss://a").unwrap().tls);
        assert_eq!(Address::parse("redis://a/3").unwrap().db, 3);
    }

    #[test]
    fn a_host_is_in_ascii() {
        let host = "xn--bcher-kva.example";
        assert_eq!(
            Address::parse(&format!("rediss://{host}")).unwrap().hosts(),
            format!("{host}:6379")
        );
        let fault = Address::parse("redis://bücher.example").unwrap_err();
        assert!(fault.ends_with("a host with other letters is written as xn--…"), "{fault}");
    }

    #[test]
    fn the_password_is_not_said() {
        let address = Address::parse("redis://:s%40fe@a").unwrap();
        assert_eq!(address.conceal("s@fe, s%40fe"), "***, ***");
        for wrong in [
            "redis://:hush@",
            "redis://:hush@a:x",
            "redis://:hush@a:70000",
            "redis://:hush@a,,b",
            "http://:hush@a",
            "hush",
            "",
            "redis://",
            "redis://:hu/sh@a",
            "redis://:hush@a/x",
            "redis://:hush@a b",
            "redis://:hush@a:0",
            "redis://:hush@a/-1",
            "redis+unix:///hush",
        ] {
            let fault = Address::parse(wrong).unwrap_err();
            assert!(fault.starts_with("must be a Redis URL such as"), "{fault}");
            assert!(!fault.contains("hush") && !fault.contains("hu/sh"), "{fault}");
        }
    }
}
