//! Accepted sockets on their way to a session.

use tokio::time::Instant;

use super::{Connection, Shard};
use crate::arrival::{Outcome, Request};
use crate::handshake::Refusal;
use crate::notice::Notice;
use crate::shared::Decided;
use crate::transport::Transport;

impl Shard {
    pub(super) fn arrived(&mut self, key: usize, outcome: Outcome) {
        let request = match outcome {
            Outcome::Complete(request) => request,
            // Seen to where the arrival is polled.
            Outcome::Yield => return self.enlist(key),
            Outcome::Gone => return self.drop_slot(key),
            Outcome::Refused(refusal) => return self.turn_away(key, refusal),
        };
        let Some(Connection::Arrival(arrival)) =
            self.slots.get_mut(key).map(|slot| &mut slot.connection)
        else {
            return;
        };
        let shared = &self.parts.shared;
        match shared.check(&request.head, arrival.transport.peer(), Decided::default()) {
            Err(refusal) => self.turn_away(key, refusal),
            Ok(()) if shared.options.origin_hook => {
                let notice = Notice::Origin { id: arrival.id, origin: request.head.origin.clone() };
                arrival.ask(request, Instant::now() + shared.options.auth_timeout);
                self.parts.notices.tell(notice);
            }
            Ok(()) => self.become_session(key, *request),
        }
    }

    /// Turns an arrival into a session.
    pub(super) fn become_session(&mut self, key: usize, request: Request) {
        let Some((id, transport)) = self.take_arrival(key) else {
            return;
        };
        let remote = self.parts.shared.client_address(&request.head, transport.peer());
        let session = self.session(id, transport, &request, remote);
        self.slots[key].connection = Connection::Session(Box::new(session));
        self.identify(key, &request.head, None);
        if self.parts.shared.options.authenticate {
            let Request { head, raw_headers, .. } = request;
            self.parts.notices.tell(Notice::Authenticate {
                id,
                method: head.method,
                url: head.url,
                raw_headers,
                remote,
            });
        }
    }

    /// Answers an arrival with a refusal.
    pub(super) fn turn_away(&mut self, key: usize, refusal: Refusal) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        if let (Connection::Arrival(arrival), mut cx) = slot.poll_parts() {
            self.parts.shared.counters.refused(refusal.label());
            arrival.refuse(refusal, &mut cx);
        }
        self.enlist(key);
    }

    fn take_arrival(&mut self, key: usize) -> Option<(u64, Transport)> {
        let slot = self.slots.get_mut(key)?;
        match std::mem::replace(&mut slot.connection, Connection::Changing) {
            Connection::Arrival(arrival) => Some((arrival.id, arrival.transport)),
            other => {
                slot.connection = other;
                None
            }
        }
    }
}
