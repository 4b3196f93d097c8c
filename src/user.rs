//! Who is connected, and how many of a user's connections are in which room: what `disconnectUser`, `removeFromRoom`
//! and `totalUsersTracked` answer from, without asking the shards.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

#[derive(Debug, Default)]
struct Presence {
    connections: u32,
    /// (room key, connections in it); a user is in one room as a rule.
    rooms: SmallVec<[(u64, u32); 1]>,
}

#[derive(Debug, Default)]
struct Users {
    present: HashMap<Arc<str>, Presence>,
    in_rooms: u64,
}

/// The table of connected users of a hub.
#[derive(Debug, Default)]
pub struct UserTable {
    users: Mutex<Users>,
}

impl UserTable {
    fn lock(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more connection and returns the name that all connections of this user share.
    pub fn connect(&self, name: &str) -> Arc<str> {
        let mut users = self.lock();
        let shared = users
            .present
            .get_key_value(name)
            .map_or_else(|| name.into(), |(shared, _)| shared.clone());
        users.present.entry(Arc::clone(&shared)).or_default().connections += 1;
        shared
    }

    /// Counts one connection less; its memberships have to be left before.
    pub fn disconnect(&self, name: &str) {
        let mut users = self.lock();
        let Some(presence) = users.present.get_mut(name) else {
            return;
        };
        presence.connections = presence.connections.saturating_sub(1);
        if presence.connections == 0 {
            let was_in_room = !presence.rooms.is_empty();
            users.present.remove(name);
            if users.present.len() < users.present.capacity() / 8 {
                // A crowd has gone, and its memory is not kept for the next one.
                users.present.shrink_to_fit();
            }
            users.in_rooms -= u64::from(was_in_room);
        }
    }

    /// One connection of the user became a member of the room.
    pub fn enter(&self, name: &str, room: u64) {
        let mut users = self.lock();
        let Some(presence) = users.present.get_mut(name) else {
            return;
        };
        let first = presence.rooms.is_empty();
        match presence.rooms.iter_mut().find(|(key, _)| *key == room) {
            Some((_, count)) => *count += 1,
            None => presence.rooms.push((room, 1)),
        }
        users.in_rooms += u64::from(first);
    }

    /// One connection of the user is a member of the room no more.
    pub fn leave(&self, name: &str, room: u64) {
        let mut users = self.lock();
        let Some(presence) = users.present.get_mut(name) else {
            return;
        };
        let Some(at) = presence.rooms.iter().position(|(key, _)| *key == room) else {
            return;
        };
        presence.rooms[at].1 -= 1;
        if presence.rooms[at].1 == 0 {
            presence.rooms.swap_remove(at);
            let last = presence.rooms.is_empty();
            users.in_rooms -= u64::from(last);
        }
    }

    /// Open connections of a user.
    pub fn connections(&self, name: &str) -> usize {
        self.lock().present.get(name).map_or(0, |presence| presence.connections as usize)
    }

    /// Connections of a user in a room.
    pub fn connections_in(&self, name: &str, room: u64) -> usize {
        let users = self.lock();
        let rooms = users.present.get(name).map_or(&[][..], |presence| &presence.rooms);
        rooms.iter().find(|(key, _)| *key == room).map_or(0, |(_, count)| *count as usize)
    }

    /// Distinct users that are in a room.
    pub fn in_rooms(&self) -> u64 {
        self.lock().in_rooms
    }

    /// The names behind [`in_rooms`](Self::in_rooms).
    pub fn names_in_rooms(&self) -> Vec<Arc<str>> {
        let users = self.lock();
        users
            .present
            .iter()
            .filter(|(_, presence)| !presence.rooms.is_empty())
            .map(|(name, _)| name.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_connections_rooms_and_users() {
        let users = UserTable::default();
        let first = users.connect("ann");
        let second = users.connect("ann");
        assert!(Arc::ptr_eq(&first, &second), "one name serves all connections of a user");
        users.enter("ann", 1);
        users.enter("ann", 1);
        users.enter("ann", 2);
        assert_eq!(
            (users.connections("ann"), users.connections_in("ann", 1), users.in_rooms()),
            (2, 2, 1)
        );
        users.leave("ann", 1);
        users.leave("ann", 1);
        assert_eq!((users.connections_in("ann", 1), users.in_rooms()), (0, 1));
        users.leave("ann", 2);
        assert_eq!(users.in_rooms(), 0);
        users.disconnect("ann");
        users.disconnect("ann");
        assert_eq!(users.connections("ann"), 0);
        users.leave("nobody", 1);
        users.disconnect("nobody");
    }
}
