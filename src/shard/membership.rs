//! Sessions become members of rooms, and cease to be.

use std::sync::Arc;
use std::time::SystemTime;

use super::fanout::Moved;
use super::{Connection, Shard, Slot};
use crate::errand::Errand;
use crate::message::{self, ErrorAnswer, Resume};
use crate::metrics::{self, Limit};
use crate::notice::{Abandoned, Notice, news};
use crate::room::{Join, Room, Update};
use crate::room_id::RoomId;
use crate::session::Membership;

impl Shard {
    fn membership(&self, key: usize, id: &RoomId) -> Option<usize> {
        match &self.slots.get(key)?.connection {
            Connection::Session(session) => {
                session.rooms.iter().position(|membership| membership.room.id == *id)
            }
            _ => None,
        }
    }

    /// Makes a client a member; `looked` where it has waited for what other processes know.
    pub(super) fn join(&mut self, key: usize, id: &RoomId, resume: Option<&Resume>, looked: bool) {
        let already = self.membership(key, id).is_some();
        let limit = self.parts.shared.options.max_rooms_per_connection;
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        if !already && session.rooms.len() >= limit {
            self.parts.shared.counters.limited(Limit::Rooms);
            session.answer(message::error(&ErrorAnswer::TooManyRooms(id)));
            return;
        }
        let joined = match self.parts.rooms.join(id, self.parts.index, resume, already, looked) {
            Join::Done(joined) => joined,
            Join::Later => {
                let (room, resume) = (id.clone(), resume.cloned());
                return self.ask_others(key, |shard, id| Errand::Join { shard, id, room, resume });
            }
        };
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
            session.rooms.push(Membership { room: joined.room.clone(), place });
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
        self.owe(key, joined.owed);
        if !already {
            self.tell_of(key, news::JOIN, |client| Notice::Join(client, id.clone()));
        }
    }

    /// Has a client wait for what other processes know.
    pub(super) fn ask_others(&mut self, key: usize, errand: impl FnOnce(usize, u64) -> Errand) {
        let session = self.slots.get_mut(key).and_then(Slot::session);
        if let (Some(errands), Some(session)) = (&self.parts.errands, session) {
            session.wait();
            errands.leave(errand(self.parts.index, session.id));
        }
    }

    /// Gives a member what is under way to it, up to `until`, before something else is said to it.
    pub(super) fn catch_up(&mut self, key: usize, until: u64) {
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        let local = &mut self.local;
        let updates: Vec<_> =
            session.rooms.iter().flat_map(|membership| local.catch_up(membership, until)).collect();
        self.give(key, updates);
    }

    /// Gives a member updates that a fan-out owes it.
    fn give(&mut self, key: usize, updates: Vec<Arc<Update>>) {
        if self.slots.get_mut(key).and_then(Slot::session).is_some() {
            metrics::add(&self.parts.shared.counters.deliveries, updates.len() as u64);
            self.owe(key, updates);
        }
    }

    /// Queues updates behind what waits already.
    fn owe(&mut self, key: usize, updates: Vec<Arc<Update>>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let (scratch, shared) = (&mut self.scratch, &self.parts.shared);
        slot.with_session(|session, cx| {
            for update in updates {
                session.push_update(update, cx, scratch, shared);
            }
        });
    }

    /// Ends a membership, where there is one, and tells the client that it is none now.
    pub(super) fn leave_and_tell(&mut self, key: usize, id: &RoomId) {
        self.leave(key, id);
        self.answer(key, |user| message::room_left(id, user, SystemTime::now()));
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
        if let Some(Moved { slot: key, owed }) = self.local.remove(&room, place) {
            self.move_member(key, &room, place, owed);
        }
        self.parts.rooms.leave(&room, self.parts.index);
        if let Some(user) = user {
            self.parts.users.leave(&user, room.key);
        }
        self.tell_of(key, news::LEAVE, |client| Notice::Leave(client, room.id.clone()));
        Some(room)
    }

    /// Notes a member's new place, and gives it what the round that passed its old one would have.
    fn move_member(&mut self, key: usize, room: &Room, place: usize, owed: Vec<Arc<Update>>) {
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        let own = session.rooms.iter_mut().find(|membership| membership.room.key == room.key);
        own.expect("a member's session knows its membership").place = place;
        if !owed.is_empty() {
            self.give(key, owed);
            self.enlist(key);
        }
    }

    /// Takes a session out of everything that it takes part in.
    pub(super) fn part(&mut self, key: usize) {
        let Some(session) = self.slots.get_mut(key).and_then(Slot::session) else {
            return;
        };
        let open = session.open_questions();
        let rooms: Vec<RoomId> =
            session.rooms.iter().map(|membership| membership.room.id.clone()).collect();
        for id in &rooms {
            self.end_membership(key, id);
        }
        open.into_iter().for_each(|ask| self.abandon(key, Some(ask), Abandoned::Gone));
    }
}
