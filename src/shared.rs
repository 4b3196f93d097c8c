//! What every part of a hub looks at: its options, its counters, its limits.

use std::net::IpAddr;
use std::sync::Arc;

use crate::address::client_address;
use crate::admission::Admission;
use crate::handshake::{self, Head, Refusal};
use crate::metrics::Counters;
use crate::options::Options;

/// What the bot has decided of a request before the hub sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decided {
    /// The path is served.
    pub path: bool,
    /// Whether its function lets the origin in, where it has one.
    pub origin: Option<bool>,
}

/// One per hub.
#[derive(Debug)]
pub struct Shared {
    /// What it was set up with.
    pub options: Options,
    /// What has happened.
    pub counters: Counters,
    /// Who may still come.
    pub admission: Arc<Admission>,
}

impl Shared {
    /// For a hub with these options.
    pub fn new(options: Options) -> Self {
        let admission = Admission::new(options.max_connections, options.max_connections_per_ip);
        Self { options, counters: Counters::default(), admission: Arc::new(admission) }
    }

    /// The address that a request comes from, as far as the proxies in front are trusted to say.
    pub fn client_address(&self, head: &Head, peer: Option<IpAddr>) -> Option<IpAddr> {
        client_address(peer, head.forwarded_for.as_deref(), &self.options.trust_proxy)
    }

    /// Whether a request may become a session, with what the bot has decided of it; takes nothing yet.
    ///
    /// # Errors
    /// What the request is refused for.
    pub fn check(
        &self,
        head: &Head,
        peer: Option<IpAddr>,
        decided: Decided,
    ) -> Result<(), Refusal> {
        let path = if decided.path { head.path() } else { &self.options.path };
        handshake::check(head, path)?;
        handshake::check_origin(head, &self.options.origins)?;
        if decided.origin == Some(false) {
            return Err(Refusal::Forbidden);
        }
        self.admission.check(self.client_address(head, peer))
    }
}
