//! This process's part of a hub: its rooms, its users, and its shards, for whoever speaks to them all.

use std::sync::Arc;

use crate::close::{self, CloseReason};
use crate::notice::Notices;
use crate::room::{RoomTable, Update};
use crate::room_id::RoomId;
use crate::shard::{Command, Inboxes};
use crate::shared::Shared;
use crate::user::UserTable;

/// Where updates go to a shard, under the room table's lock.
pub type Deliver<'a> = &'a mut dyn FnMut(usize, Arc<Update>);

/// What the hub and its cluster share.
#[derive(Clone)]
pub struct Local {
    /// Options, counters, limits.
    pub shared: Arc<Shared>,
    /// The rooms.
    pub rooms: Arc<RoomTable>,
    /// The users.
    pub users: Arc<UserTable>,
    /// What the bot's side is told.
    pub notices: Arc<dyn Notices>,
    /// The shards' queues.
    pub inboxes: Arc<Inboxes>,
}

impl Local {
    /// Has updates delivered that `broadcast` hands over. One of the shards is woken, which wakes the others: so the
    /// bot's thread has to do that once at the most.
    pub fn deliver_lightly(&self, broadcast: impl FnOnce(&RoomTable, Deliver<'_>)) {
        let ((), asleep) = self.hand_over(broadcast);
        self.inboxes.wake(asleep);
    }

    /// Has updates delivered that `broadcast` hands over, from a thread that has the time to wake all shards.
    pub fn deliver<T>(&self, broadcast: impl FnOnce(&RoomTable, Deliver<'_>) -> T) -> T {
        let (result, asleep) = self.hand_over(broadcast);
        self.inboxes.wake_each(asleep);
        result
    }

    /// Returns the shards that have to be woken too, a bit each: only then is the table's lock let go.
    fn hand_over<T>(&self, broadcast: impl FnOnce(&RoomTable, Deliver<'_>) -> T) -> (T, u64) {
        let mut asleep = 0;
        let result = broadcast(&self.rooms, &mut |shard, update| {
            if self.inboxes.of(shard).leave(Command::Update(update)) {
                asleep |= 1 << shard;
            }
        });
        (result, asleep)
    }

    /// Tells every shard.
    pub fn tell_all(&self, command: impl Fn() -> Command) {
        self.inboxes.iter().for_each(|inbox| inbox.push(command()));
    }

    /// Closes all members of a room; returns how many.
    pub fn disconnect_room(&self, room: &RoomId) -> u64 {
        let Some((room, members)) = self.rooms.occupied(room) else {
            return 0;
        };
        for (inbox, _) in self.inboxes.iter().zip(&*members).filter(|(_, members)| **members > 0) {
            inbox.push(Command::CloseRoom(room.clone(), close::ROOM_CLOSED));
        }
        members.iter().map(|&members| u64::from(members)).sum()
    }

    /// Closes all connections of a user; returns how many.
    pub fn disconnect_user(&self, user: &str, reason: &CloseReason) -> usize {
        let connections = self.users.connections(user);
        if connections > 0 {
            self.tell_all(|| Command::CloseUser(user.into(), reason.clone()));
        }
        connections
    }

    /// Ends a user's memberships of a room; returns how many connections it concerns.
    pub fn remove_from_room(&self, user: &str, room: &RoomId) -> usize {
        let Some((room, _)) = self.rooms.occupied(room) else {
            return 0;
        };
        let connections = self.users.connections_in(user, room.key);
        if connections > 0 {
            self.tell_all(|| Command::RemoveFromRoom(user.into(), room.clone()));
        }
        connections
    }
}
