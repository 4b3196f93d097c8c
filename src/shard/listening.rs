//! The standalone form's listening sockets: every shard accepts from the same ones.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::{Connection, Shard};
use crate::arrival::Arrival;
use crate::notice::{Level, Notice};
use crate::transport::{Listener, Socket, Transport};

/// Connections accepted before the shard looks at its sessions again.
const ACCEPTS: usize = 64;
/// Rest after an accept that failed, as where no descriptor is left: trying again at once would only burn time.
const REST: Duration = Duration::from_millis(100);
/// How often the log hears of accepts that go on failing.
const TELL: Duration = Duration::from_secs(10);

/// What a shard accepts from.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    open: Vec<Listener>,
    rest_until: Option<Instant>,
    told: Option<Instant>,
}

impl Listeners {
    /// The token that the poller announces the listener `index` by: no slot has such a number.
    fn token(index: usize) -> usize {
        usize::MAX - 1 - index
    }

    pub(super) fn on_ready(&mut self, token: usize) {
        if let Some(listener) = self.open.get_mut(usize::MAX - 1 - token) {
            listener.on_ready();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn resume_at(&self) -> Option<Instant> {
        self.rest_until
    }
}

impl Shard {
    pub(super) fn listen(&mut self, listener: std::net::TcpListener) {
        let token = Listeners::token(self.listeners.open.len());
        match Listener::new(listener, &self.poller, token) {
            Ok(listener) => self.listeners.open.push(listener),
            Err(error) => {
                let message = format!("a hub thread cannot accept connections: {error}");
                self.parts.notices.tell(Notice::Error { code: "LISTEN", message });
            }
        }
    }

    pub(super) fn accept(&mut self, cx: &mut Context<'_>) {
        if self.listeners.rest_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.listeners.rest_until = None;
        for index in 0..self.listeners.open.len() {
            for accepted in 0.. {
                if accepted == ACCEPTS {
                    cx.waker().wake_by_ref();
                    break;
                }
                match self.listeners.open[index].poll_accept(cx) {
                    Poll::Pending => break,
                    Poll::Ready(Ok(socket)) => self.arrive(socket),
                    Poll::Ready(Err(error)) if is_of_one_connection(&error) => {}
                    Poll::Ready(Err(error)) => return self.rest(&error),
                }
            }
        }
    }

    fn rest(&mut self, error: &io::Error) {
        let now = Instant::now();
        self.listeners.rest_until = Some(now + REST);
        if self.listeners.told.is_none_or(|told| now >= told + TELL) {
            self.listeners.told = Some(now);
            let message = format!(
                "new connections cannot be accepted, which is tried again every {REST:?}: {error}"
            );
            self.parts.notices.tell(Notice::Log { level: Level::Warn, message });
        }
    }

    fn arrive(&mut self, socket: Socket) {
        let id = self.parts.ids.next();
        let deadline = Instant::now() + self.parts.shared.options.handshake_timeout;
        let arrival = Arrival::new(id, Transport::Socket(socket), deadline);
        if let Some(key) = self.insert(id, Connection::Arrival(Box::new(arrival))) {
            self.enlist(key);
            self.make_room_behind(key, id);
        }
    }
}

/// The client went before it was accepted, which says nothing about the next one (accept(2), "Error handling").
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
