//! The standalone form's listening sockets: every shard accepts from the same ones.

use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;

use super::{Connection, Shard};
use crate::arrival::Arrival;
use crate::notice::{Level, Notice};
use crate::transport::Transport;

/// Connections accepted before the shard looks at its sessions again.
const ACCEPTS: usize = 64;
/// Rest after an accept that failed, as where no descriptor is left: trying again at once would only burn time.
const REST: Duration = Duration::from_millis(100);

/// What a shard accepts from.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    open: Vec<TcpListener>,
    rest_until: Option<Instant>,
}

impl Listeners {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn resume_at(&self) -> Option<Instant> {
        self.rest_until
    }
}

impl Shard {
    pub(super) fn listen(&mut self, listener: std::net::TcpListener) {
        match TcpListener::from_std(listener) {
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
                    Poll::Ready(Ok((socket, _))) => self.arrive(socket),
                    Poll::Ready(Err(error)) if is_of_one_connection(&error) => {}
                    Poll::Ready(Err(error)) => {
                        self.listeners.rest_until = Some(Instant::now() + REST);
                        let message = format!("accepting connections rests for {REST:?}: {error}");
                        self.parts.notices.tell(Notice::Log { level: Level::Warn, message });
                        return;
                    }
                }
            }
        }
    }

    fn arrive(&mut self, socket: tokio::net::TcpStream) {
        let id = self.parts.ids.next();
        let deadline = Instant::now() + self.parts.shared.options.handshake_timeout;
        // A socket whose client is gone again says so when it is read.
        let _ = socket.set_nodelay(true);
        let arrival = Arrival::new(id, Transport::Socket(socket), deadline);
        let key = self.insert(id, Connection::Arrival(Box::new(arrival)));
        self.poll_slot(key);
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
