//! What the table holds of each room.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::{Room, Update};
use crate::room_id::RoomId;
use crate::update::{self, Counts};

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) room: Arc<Room>,
    pub(super) epoch: Arc<str>,
    /// The next update says the epoch, since members stayed over its beginning.
    pub(super) announce_epoch: bool,
    pub(super) seq: u64,
    pub(super) counts: Option<Counts>,
    pub(super) history: VecDeque<Arc<Update>>,
    /// Members by shard.
    pub(super) members: Box<[u32]>,
    /// The last update or departure.
    pub(super) touched: Instant,
}

impl Entry {
    pub(super) fn member_total(&self) -> u64 {
        self.members.iter().map(|&n| u64::from(n)).sum()
    }

    /// Nothing was ever sent here, so forgetting it loses nothing.
    pub(super) fn is_pristine(&self) -> bool {
        self.seq == 0 && self.counts.is_none() && !self.announce_epoch
    }

    pub(super) fn holds_all_after(&self, last_seq: u64) -> bool {
        last_seq == self.seq
            || last_seq < self.seq
                && self.history.front().is_some_and(|first| first.seq <= last_seq + 1)
    }

    pub(super) fn snapshot(&self, counts: Counts, ordinal: u64, at: Instant) -> Arc<Update> {
        let update = update::Update::CountUpdated { counts };
        let frame =
            update::encode(&self.room.id, &update, SystemTime::now(), self.seq, Some(&self.epoch));
        let announces = Some(self.epoch.clone());
        Arc::new(Update {
            room: self.room.clone(),
            ordinal,
            seq: self.seq,
            has_counts: true,
            announces,
            at,
            frame,
        })
    }
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) rooms: HashMap<RoomId, Entry>,
    /// The epoch that new rooms begin with. Renewed whenever a room that had a past is forgotten: until then
    /// no room of this epoch can have counted before, so they can all share it.
    pub(super) epoch: Arc<str>,
    pub(super) ordinal: u64,
    pub(super) next_key: u64,
    pub(super) memberships: u64,
}

impl Table {
    pub(super) fn entry(&mut self, id: &RoomId, shards: usize, now: Instant) -> &mut Entry {
        if !self.rooms.contains_key(id) {
            let room = Arc::new(Room { key: self.next_key, id: id.clone() });
            self.next_key += 1;
            let entry = Entry {
                room,
                epoch: self.epoch.clone(),
                announce_epoch: false,
                seq: 0,
                counts: None,
                history: VecDeque::new(),
                members: vec![0; shards].into_boxed_slice(),
                touched: now,
            };
            self.rooms.insert(id.clone(), entry);
        }
        self.rooms.get_mut(id).expect("the entry was just made sure of")
    }
}

/// Short, opaque, and not to be met twice: `RandomState` is seeded by the system's randomness once per thread and
/// differs with every call.
pub(super) fn new_epoch() -> Arc<str> {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = RandomState::new().hash_one(SystemTime::now());
    let digits = std::iter::repeat_with(|| {
        let digit = DIGITS[(rest % 36) as usize];
        rest /= 36;
        char::from(digit)
    });
    digits.take(9).collect::<String>().into()
}
