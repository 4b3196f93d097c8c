//! What every part of a hub looks at: its options, its counters, its limits.

use std::net::IpAddr;
use std::sync::Arc;

use crate::address::client_address;
use crate::admission::Admission;
use crate::handshake::{self, Head, Refusal};
use crate::metrics::Counters;
use crate::options::Options;

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

    /// Whether a request may become a session; takes nothing yet. `routed`: the bot has looked at the path itself;
    /// `origin`: what its function said of the origin, where it was asked.
    ///
    /// # Errors
    /// What the request is refused for.
    pub fn check(
        &self,
        head: &Head,
        peer: Option<IpAddr>,
        routed: bool,
        origin: Option<bool>,
    ) -> Result<(), Refusal> {
        let path = if routed { head.path() } else { &self.options.path };
        handshake::check(head, path)
            .and_then(|()| handshake::check_origin(head, &self.options.origins))
            .and_then(|()| if origin == Some(false) { Err(Refusal::Forbidden) } else { Ok(()) })
            .and_then(|()| self.admission.check(self.client_address(head, peer)))
    }
}
