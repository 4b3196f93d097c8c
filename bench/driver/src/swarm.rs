//! All clients of a run on one thread and one epoll.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustls::ClientConfig;

use crate::client::{Client, State};
use crate::dialect::Dialect;
use crate::stream::Stream;
use crate::tally::Tally;

/// Where clients go, and how.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) dialect: Dialect,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// Clients are dealt out over rooms 1 to this.
    pub(crate) rooms: u64,
}

#[derive(Default)]
pub(crate) struct Swarm {
    clients: Vec<Option<Client>>,
    in_flight: usize,
    pub(crate) joined: usize,
    /// Clients that ended by themselves, and why the first did.
    pub(crate) failed: usize,
    pub(crate) failure: Option<String>,
}

impl Swarm {
    pub(crate) fn open(&self) -> usize {
        self.clients.len() - self.failed
    }

    /// Starts connections until there are `count` clients or `limit` connections that have not joined yet.
    pub(crate) fn grow(
        &mut self,
        count: usize,
        limit: usize,
        target: &Target,
        registry: &Registry,
    ) -> io::Result<()> {
        while self.clients.len() < count && self.in_flight < limit {
            let index = self.clients.len();
            let mut socket = TcpStream::connect(target.address)?;
            registry.register(
                &mut socket,
                Token(index),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            socket.set_nodelay(true)?;
            let room = 1 + index as u64 % target.rooms;
            let stream = Stream::new(socket, target.tls.as_ref())?;
            let client = Client::new(stream, target.dialect, index as u64 + 1, room);
            self.clients.push(Some(client));
            self.in_flight += 1;
        }
        Ok(())
    }

    pub(crate) fn ready(&mut self, event: &Event, scratch: &mut [u8], tally: &mut Tally) {
        let Some(slot) = self.clients.get_mut(event.token().0) else { return };
        let Some(client) = slot else { return };
        let before = client.state;
        let done = client.ready(event, scratch, tally);
        if before != State::Joined && client.state == State::Joined {
            self.in_flight -= 1;
            self.joined += 1;
        }
        if let Err(error) = done {
            if client.state == State::Joined {
                self.joined -= 1;
            } else {
                self.in_flight -= 1;
            }
            self.failed += 1;
            self.failure.get_or_insert_with(|| error.to_string());
            *slot = None;
        }
    }

    /// Begins to count updates anew.
    pub(crate) fn start_count(&mut self) {
        for client in self.clients.iter_mut().flatten() {
            (client.updates, client.count) = (0, 0);
        }
    }

    /// Updates that clients still lack of `each`; clients that ended lack all.
    pub(crate) fn lacking(&self, each: u64) -> u64 {
        let got = |client: &Option<Client>| client.as_ref().map_or(0, |client| client.updates);
        self.clients.iter().map(|client| each.saturating_sub(got(client))).sum()
    }
}
