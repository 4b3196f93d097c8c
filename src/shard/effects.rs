//! What sessions want done beyond themselves: memberships, answers out of the room table, questions to the bot.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use super::{Connection, Shard, Slot, SlotWaker};
use crate::arrival::{Outcome, Request};
use crate::close::CloseReason;
use crate::handshake::Refusal;
use crate::message::{self, ErrorAnswer, Resume};
use crate::metrics::{self, Hook};
use crate::notice::{Abandoned, Client, Notice, news};
use crate::room::Room;
use crate::room_id::RoomId;
use crate::session::{Effect, Membership};

/// Steps that one connection may take before the others have their turn.
const STEPS: u32 = 64;

impl Shard {
    /// Gives a connection a slot.
    pub(super) fn insert(&mut self, id: u64, connection: Connection) -> usize {
        let entry = self.slots.vacant_entry();
        let key = entry.key();
        entry.insert(Slot::new(
            id,
            connection,
            SlotWaker::waker(key, id, self.ready.clone()),
        ));
        self.ids.insert(id, key);
        key
    }

    pub(super) fn poll_connection(&mut self, key: usize) {
        let mut steps = STEPS;
        while let Some(slot) = self.slots.get_mut(key) {
            let mut cx = Context::from_waker(&slot.waker);
            let shared = &self.parts.shared;
            match &mut slot.connection {
                Connection::Session(session) => {
                    match session.poll(&mut cx, &mut self.scratch, &mut steps, shared) {
                        Poll::Pending => return,
                        Poll::Ready(effect) => self.apply(key, effect),
                    }
                }
                Connection::Arrival(arrival) => match arrival.poll(&mut cx, &mut self.scratch) {
                    Poll::Pending => return,
                    Poll::Ready(outcome) => self.arrived(key, outcome),
                },
                Connection::Changing => return,
            }
        }
    }

    /// To be called after anything was done to a connection: a session on its way out is in no room and has no
    /// question open; the timers and gauges are brought up to date.
    pub(super) fn settle(&mut self, key: usize) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        if slot.session().is_some_and(|session| session.is_closing()) {
            self.part(key);
        }
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.gauge(&self.parts.gauges);
        let deadline = match &slot.connection {
            Connection::Session(session) => session.deadline(&self.parts.shared),
            Connection::Arrival(arrival) => arrival.deadline(),
            Connection::Changing => return,
        };
        if slot.armed.is_none_or(|armed| deadline < armed) {
            slot.armed = Some(deadline);
            self.timers.arm(deadline, key, slot.id);
        }
    }

    fn apply(&mut self, key: usize, effect: Effect) {
        match effect {
            Effect::Join(room, resume) => self.join(key, &room, resume.as_ref()),
            Effect::AskJoin { ask, room } => {
                if let Some(client) = self.client(key) {
                    self.parts
                        .notices
                        .tell(Notice::AuthorizeJoin { ask, client, room });
                }
            }
            Effect::Denied(room) => {
                self.leave(key, &room);
                self.answer(key, |_| message::error(&ErrorAnswer::AccessDenied(&room)));
            }
            Effect::Leave(room) => {
                self.leave(key, &room);
                self.answer(key, |user| {
                    message::room_left(&room, user, SystemTime::now())
                });
            }
            Effect::Status(room) => {
                let members = self.parts.rooms.member_total(&room);
                self.answer(key, |_| {
                    message::room_status(&room, members, SystemTime::now())
                });
            }
            Effect::Abandon { ask, why } => {
                self.abandon(key, ask, why);
            }
            Effect::Unverified => {
                if self.parts.shared.options.authenticate {
                    self.parts.shared.counters.hook_failed(Hook::Authenticate);
                    self.abandon(key, None, Abandoned::Timeout);
                }
            }
            Effect::Slow => self.tell_of(key, news::SLOW, Notice::Slow),
            Effect::Ended(reason) => self.end(key, reason),
        }
    }

    fn answer(&mut self, key: usize, frame: impl FnOnce(&str) -> bytes::Bytes) {
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        if let Some(user) = session.user().cloned() {
            session.answer(frame(&user));
        }
    }

    fn abandon(&self, key: usize, ask: Option<u64>, why: Abandoned) {
        if let Some(slot) = self.slots.get(key) {
            self.parts.notices.tell(Notice::Abandon {
                id: slot.id,
                ask,
                why,
            });
        }
    }

    /// The client, which the bot's side hears of from now on.
    fn client(&mut self, key: usize) -> Option<Client> {
        let session = self.slots.get_mut(key)?.session()?;
        session.known = true;
        session.client()
    }

    /// Tells news of a client where somebody listens.
    pub(super) fn tell_of(&mut self, key: usize, kind: u32, notice: impl FnOnce(Client) -> Notice) {
        if self.parts.notices.wants(kind)
            && let Some(client) = self.client(key)
        {
            self.parts.notices.tell(notice(client));
        }
    }

    fn membership(&self, key: usize, id: &RoomId) -> Option<usize> {
        match &self.slots.get(key)?.connection {
            Connection::Session(session) => session
                .rooms
                .iter()
                .position(|membership| membership.room.id == *id),
            _ => None,
        }
    }

    fn join(&mut self, key: usize, id: &RoomId, resume: Option<&Resume>) {
        let already = self.membership(key, id).is_some();
        let limit = self.parts.shared.options.max_rooms_per_connection;
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        if !already && session.rooms.len() >= limit {
            session.answer(message::error(&ErrorAnswer::TooManyRooms(id)));
            return;
        }
        let joined = self.parts.rooms.join(id, self.parts.index, resume, already);
        if already {
            // The answer says a number: what came before it is given to the member first. It may still lie in the
            // inbox, but not beyond, since updates are numbered and handed over under the lock that `join` took.
            self.take_commands();
            if self.membership(key, id).is_none() {
                // Among the commands was the end of the membership.
                return;
            }
            self.catch_up(key, joined.since);
        }
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        let Some(user) = session.user().cloned() else {
            return;
        };
        if !already {
            let place = self.local.add(&joined.room, key, joined.since);
            session.rooms.reserve_exact(1);
            session.rooms.push(Membership {
                room: joined.room.clone(),
                place,
            });
            self.parts.users.enter(&user, joined.room.key);
        }
        let now = SystemTime::now();
        session.answer(message::room_joined(
            id,
            &user,
            now,
            joined.seq,
            &joined.epoch,
            joined.recovered,
        ));
        for update in joined.owed {
            session.push_update(update, &self.parts.shared);
        }
        if !already {
            self.tell_of(key, news::JOIN, |client| Notice::Join(client, id.clone()));
        }
    }

    /// Gives a member what is under way to it, up to `until`, before something else is said to it.
    pub(super) fn catch_up(&mut self, key: usize, until: u64) {
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        let local = &mut self.local;
        let updates: Vec<_> = session
            .rooms
            .iter()
            .flat_map(|membership| local.catch_up(membership, until))
            .collect();
        metrics::add(&self.parts.shared.counters.deliveries, updates.len() as u64);
        for update in updates {
            session.push_update(update, &self.parts.shared);
        }
    }

    /// Ends a membership, where there is one, and discards what is queued of the room.
    pub(super) fn leave(&mut self, key: usize, id: &RoomId) {
        let room = self.end_membership(key, id);
        let session = self.slots.get_mut(key).and_then(Slot::session);
        if let (Some(room), Some(session)) = (room, session) {
            session.discard(&room);
        }
    }

    /// Ends a membership, where there is one; what is queued of the room still goes out.
    fn end_membership(&mut self, key: usize, id: &RoomId) -> Option<Arc<Room>> {
        let at = self.membership(key, id)?;
        let session = self.slots.get_mut(key).and_then(Slot::session)?;
        let Membership { room, place } = session.rooms.swap_remove(at);
        let user = session.user().cloned();
        if let Some(moved) = self
            .local
            .remove(&room, place)
            .and_then(|slot| self.slots.get_mut(slot)?.session())
        {
            let own = moved
                .rooms
                .iter_mut()
                .find(|membership| membership.room.key == room.key);
            own.expect("a member's session knows its membership").place = place;
        }
        self.parts.rooms.leave(&room, self.parts.index);
        if let Some(user) = user {
            self.parts.users.leave(&user, room.key);
        }
        self.tell_of(key, news::LEAVE, |client| {
            Notice::Leave(client, room.id.clone())
        });
        Some(room)
    }

    /// Takes a session out of everything that it takes part in.
    fn part(&mut self, key: usize) {
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        let open = session.open_questions();
        let rooms: Vec<RoomId> = session
            .rooms
            .iter()
            .map(|membership| membership.room.id.clone())
            .collect();
        for id in &rooms {
            self.end_membership(key, id);
        }
        open.into_iter()
            .for_each(|ask| self.abandon(key, Some(ask), Abandoned::Gone));
    }

    /// The end of a connection that has become a session.
    pub(super) fn end(&mut self, key: usize, reason: CloseReason) {
        self.part(key);
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return self.drop_slot(key);
        };
        let (user, unverified) = (session.user().cloned(), session.awaits_verdict());
        if unverified && self.parts.shared.options.authenticate {
            self.abandon(key, None, Abandoned::Gone);
        }
        self.parts.shared.counters.disconnected(reason.code);
        if let Some(user) = user {
            self.parts.users.disconnect(&user);
            self.tell_of(key, news::DISCONNECT, |client| Notice::Disconnect {
                client,
                code: reason.code,
                reason: reason.reason.into_owned(),
            });
        }
        if let Some(session) = self.slots.get_mut(key).and_then(Slot::session) {
            if session.known {
                self.parts.notices.tell(Notice::Gone { id: session.id });
            }
            self.parts
                .gauges
                .connections
                .fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        }
        self.drop_slot(key);
    }

    /// Frees a slot and with it the socket.
    pub(super) fn drop_slot(&mut self, key: usize) {
        if let Some(mut slot) = self.slots.try_remove(key) {
            self.ids.remove(&slot.id);
            slot.ungauge(&self.parts.gauges);
        }
    }

    fn arrived(&mut self, key: usize, outcome: Outcome) {
        let request = match outcome {
            Outcome::Complete(request) => request,
            Outcome::Gone => return self.drop_slot(key),
            Outcome::Refused(refusal) => {
                self.parts.shared.counters.refused(refusal.label());
                return self.turn_away(key, refusal);
            }
        };
        let Some(Connection::Arrival(arrival)) =
            self.slots.get_mut(key).map(|slot| &mut slot.connection)
        else {
            return;
        };
        let shared = &self.parts.shared;
        match shared.check(&request.head, arrival.transport.peer(), false) {
            Err(refusal) => self.turn_away(key, refusal),
            Ok(()) if shared.options.origin_hook => {
                let notice = Notice::Origin {
                    id: arrival.id,
                    origin: request.head.origin.clone(),
                };
                arrival.ask(
                    request,
                    tokio::time::Instant::now() + shared.options.auth_timeout,
                );
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
        let remote = self
            .parts
            .shared
            .client_address(&request.head, transport.peer());
        let permit = self.parts.shared.admission.admit(remote);
        let session = self.session(id, transport, &request, remote, permit);
        self.slots[key].connection = Connection::Session(Box::new(session));
        if self.parts.shared.options.authenticate {
            let Request {
                head, raw_headers, ..
            } = request;
            self.parts.notices.tell(Notice::Authenticate {
                id,
                method: head.method,
                url: head.url,
                raw_headers,
                remote,
            });
            self.slots[key].waker.wake_by_ref();
        } else {
            self.identify(key, &request.head, None);
        }
    }

    /// Answers an arrival with a refusal.
    pub(super) fn turn_away(&mut self, key: usize, refusal: Refusal) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        if let Connection::Arrival(arrival) = &mut slot.connection {
            arrival.refuse(refusal, &mut Context::from_waker(&slot.waker));
            slot.waker.wake_by_ref();
        }
    }

    fn take_arrival(&mut self, key: usize) -> Option<(u64, crate::transport::Transport)> {
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
