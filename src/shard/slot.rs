//! A connection's place in its shard.

use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use tokio::time::Instant;

use crate::arrival::Arrival;
use crate::metrics::Gauges;
use crate::session::Session;
use crate::transport::Transport;

/// What stands in a slot.
#[derive(Debug)]
pub(super) enum Connection {
    /// Its request is yet to come.
    Arrival(Box<Arrival>),
    /// A client.
    Session(Box<Session>),
    /// On its way from the one to the other.
    Changing,
}

impl Connection {
    pub(super) fn transport(&mut self) -> Option<&mut Transport> {
        match self {
            Self::Session(session) => Some(session.transport()),
            Self::Arrival(arrival) => Some(&mut arrival.transport),
            Self::Changing => None,
        }
    }
}

/// One connection with what the shard keeps for it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) connection: Connection,
    /// For a transport that wakes; the others are announced by the poller.
    waker: Option<Waker>,
    /// It is on the shard's list of those to poll: once is enough.
    pub(super) listed: bool,
    /// The earliest entry in the timers that is for this slot.
    pub(super) armed: Option<Instant>,
    /// What of it is in the gauges: bytes that wait, and whether it is slow.
    gauged: (u64, bool),
}

impl Slot {
    pub(super) fn new(id: u64, connection: Connection, waker: Option<Waker>) -> Self {
        Self { id, connection, waker, listed: false, armed: None, gauged: (0, false) }
    }

    pub(super) fn transport(&mut self) -> Option<&mut Transport> {
        self.connection.transport()
    }

    /// The connection with the context to poll it with.
    pub(super) fn poll_parts(&mut self) -> (&mut Connection, Context<'_>) {
        let waker = self.waker.as_ref().unwrap_or(Waker::noop());
        (&mut self.connection, Context::from_waker(waker))
    }

    pub(super) fn session(&mut self) -> Option<&mut Session> {
        match &mut self.connection {
            Connection::Session(session) => Some(session),
            Connection::Arrival(_) | Connection::Changing => None,
        }
    }

    /// Calls `act` with the session and the context to poll it with.
    pub(super) fn with_session<T>(
        &mut self,
        act: impl FnOnce(&mut Session, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let (connection, mut cx) = self.poll_parts();
        let Connection::Session(session) = connection else { return None };
        Some(act(session, &mut cx))
    }

    /// Brings the shard's gauges up to date with the session.
    pub(super) fn gauge(&mut self, gauges: &Gauges) {
        let now = self
            .session()
            .map_or((0, false), |session| (session.backlog() as u64, session.is_slow()));
        let before = std::mem::replace(&mut self.gauged, now);
        if now.0 != before.0 {
            gauges.backlog.fetch_add(now.0.wrapping_sub(before.0), Ordering::Relaxed);
        }
        if now.1 != before.1 {
            gauges
                .slow
                .fetch_add(u64::from(now.1).wrapping_sub(u64::from(before.1)), Ordering::Relaxed);
        }
    }

    /// Takes the session out of the shard's gauges, at its end.
    pub(super) fn ungauge(&mut self, gauges: &Gauges) {
        self.connection = Connection::Changing;
        self.gauge(gauges);
    }
}
