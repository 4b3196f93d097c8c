//! Accepted sockets on their way to a session.

use tokio::time::Instant;

use super::{Connection, Shard};
use crate::arrival::{Outcome, Request};
use crate::handshake::Refusal;
use crate::notice::Notice;
use crate::shared::Decided;
use crate::transport::Transport;

/// Sockets that a hub with a limit bears at least on their way to a session: more than come in one moment.
const MIN_ARRIVING: usize = 1_024;

impl Shard {
    /// Where there is a limit of connections it is one of descriptors, too: if as many again have not got through their
    /// handshake, the oldest of them goes. Who sends a request as clients do is through before it is that.
    pub(super) fn make_room_behind(&mut self, key: usize, id: u64) {
        let options = &self.parts.shared.options;
        let Some(limit) = options.max_connections else { return };
        let most = limit.max(MIN_ARRIVING).div_ceil(options.threads.max(1));
        self.arriving.push_back((key, id));
        if self.arriving.len() <= most {
            return;
        }
        let slots = &self.slots;
        self.arriving.retain(|(key, id)| {
            let slot = slots.get(*key).filter(|slot| slot.id == *id);
            slot.is_some_and(|slot| matches!(slot.connection, Connection::Arrival(_)))
        });
        while self.arriving.len() > most
            && let Some((oldest, _)) = self.arriving.pop_front()
        {
            self.turn_away(oldest, Refusal::TooManyConnections);
            self.drop_slot(oldest);
        }
    }

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

    /// Turns an arrival into a session, if there is still room for one: the other threads accept too, and the bot may
    /// have taken its time over the origin.
    pub(super) fn become_session(&mut self, key: usize, request: Request) {
        let Some(Connection::Arrival(arrival)) = self.slots.get(key).map(|slot| &slot.connection)
        else {
            return;
        };
        let shared = &self.parts.shared;
        let remote = shared.client_address(&request.head, arrival.transport.peer());
        let permit = match shared.admission.try_admit(remote) {
            Ok(permit) => permit,
            Err(refusal) => return self.turn_away(key, refusal),
        };
        let Some((id, transport)) = self.take_arrival(key) else {
            return;
        };
        let session = self.session(id, transport, &request, permit);
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
        if let (Connection::Arrival(arrival), mut cx) = slot.poll_parts()
            && !arrival.is_refused()
        {
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
