//! What sessions want done beyond themselves: memberships, answers out of the room table, questions to the bot.

use std::io;
use std::task::Poll;
use std::time::SystemTime;

use super::{Connection, Shard, Slot, SlotWaker};
use crate::arrival::Outcome;
use crate::close::CloseReason;
use crate::errand::{Asker, Errand};
use crate::message::{self, ErrorAnswer};
use crate::metrics::Hook;
use crate::notice::{Abandoned, Client, Level, Notice, news};
use crate::room_id::RoomId;
use crate::session::Effect;

/// Steps that one connection may take before the others have their turn.
const STEPS: u32 = 64;

impl Shard {
    /// Gives a connection a slot, and has its socket looked after. None where the system will not.
    pub(super) fn insert(&mut self, id: u64, mut connection: Connection) -> Option<usize> {
        let entry = self.slots.vacant_entry();
        let key = entry.key();
        let transport = connection.transport()?;
        if let Err(error) = transport.register(&self.poller, key) {
            self.lose(id, &error);
            return None;
        }
        let waker = transport.wakes().then(|| SlotWaker::waker(key, id, self.ready.clone()));
        entry.insert(Slot::new(id, connection, waker));
        self.ids.insert(id, key);
        Some(key)
    }

    /// Gives up a connection that has got no slot.
    pub(super) fn lose(&self, id: u64, error: &io::Error) {
        let message = format!("a connection was lost, its socket cannot be used: {error}");
        self.parts.notices.tell(Notice::Log { level: Level::Error, message });
        // What the bot's side keeps for it goes too.
        self.parts.notices.tell(Notice::Abandon { id, ask: None, why: Abandoned::Gone });
    }

    pub(super) fn poll_connection(&mut self, key: usize) {
        let mut steps = STEPS;
        while let Some(slot) = self.slots.get_mut(key) {
            let shared = &self.parts.shared;
            match slot.poll_parts() {
                (Connection::Session(session), mut cx) => {
                    match session.poll(&mut cx, &mut self.scratch, &mut steps, shared) {
                        Poll::Pending => return,
                        Poll::Ready(Effect::Yield) => return self.enlist(key),
                        Poll::Ready(effect) => self.apply(key, effect),
                    }
                }
                (Connection::Arrival(arrival), mut cx) => {
                    match arrival.poll(&mut cx, &mut self.scratch) {
                        Poll::Pending => return,
                        Poll::Ready(Outcome::Yield) => return self.enlist(key),
                        Poll::Ready(outcome) => self.arrived(key, outcome),
                    }
                }
                (Connection::Changing, _) => return,
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
            self.timers.arm(deadline, key);
        }
    }

    fn apply(&mut self, key: usize, effect: Effect) {
        match effect {
            Effect::Join(room, resume) => self.join(key, &room, resume.as_ref(), false),
            Effect::AskJoin { ask, room } => {
                if let Some(client) = self.client(key) {
                    self.parts.notices.tell(Notice::AuthorizeJoin { ask, client, room });
                }
            }
            Effect::Denied(room) => {
                self.leave(key, &room);
                self.answer(key, |_| message::error(&ErrorAnswer::AccessDenied(&room)));
            }
            Effect::Leave(room) => self.leave_and_tell(key, &room),
            Effect::Status(room) if self.parts.errands.is_some() => {
                self.ask_others(key, |shard, id| Errand::Count(room, Asker::Client { shard, id }));
            }
            Effect::Status(room) => {
                let members = self.parts.rooms.member_total(&room);
                self.tell_status(key, &room, members);
            }
            Effect::Abandon { ask, why } => self.abandon(key, ask, why),
            Effect::Unverified => {
                if self.parts.shared.options.authenticate {
                    self.parts.shared.counters.hook_failed(Hook::Authenticate);
                    self.abandon(key, None, Abandoned::Timeout);
                }
            }
            // Seen to where the session is polled.
            Effect::Yield => self.enlist(key),
            // Nobody is let in here without being somebody.
            Effect::Message(..) => {}
            Effect::Slow => self.tell_of(key, news::SLOW, Notice::Slow),
            Effect::Ended(reason) => self.end(key, reason),
        }
    }

    pub(super) fn tell_status(&mut self, key: usize, room: &RoomId, members: u64) {
        self.answer(key, |_| message::room_status(room, members, SystemTime::now()));
    }

    pub(super) fn answer(&mut self, key: usize, frame: impl FnOnce(&str) -> bytes::Bytes) {
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        if let Some(user) = session.user().cloned() {
            session.answer(frame(&user));
        }
    }

    pub(super) fn abandon(&self, key: usize, ask: Option<u64>, why: Abandoned) {
        if let Some(slot) = self.slots.get(key) {
            self.parts.notices.tell(Notice::Abandon { id: slot.id, ask, why });
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
            self.parts.gauges.connections.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        }
        self.drop_slot(key);
    }

    /// Frees a slot and with it the socket.
    pub(super) fn drop_slot(&mut self, key: usize) {
        if let Some(mut slot) = self.slots.try_remove(key) {
            self.ids.remove(&slot.id);
            slot.ungauge(&self.parts.gauges);
        }
        if self.ids.len() < self.ids.capacity() / 8 {
            // A crowd has gone, and its memory is not kept for the next one.
            self.ids.shrink_to_fit();
            self.slots.shrink_to_fit();
            let slots = &self.slots;
            self.timers.retain(|key, at| slots.get(key).is_some_and(|slot| slot.armed == Some(at)));
        }
    }
}
