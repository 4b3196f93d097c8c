//! What the table holds of each room.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::{Room, Update};
use crate::message::Resume;
use crate::room_id::RoomId;
use crate::update::{self, Counts};

/// Who counts a room's updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// This hub.
    Here,
    /// The cluster; or this hub, while it was cut off from the cluster before.
    Elsewhere,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) room: Arc<Room>,
    pub(super) epoch: Arc<str>,
    /// The next update says the epoch, since members stayed over its beginning.
    pub(super) announce_epoch: bool,
    pub(super) seq: u64,
    pub(super) origin: Origin,
    /// In a cluster: the generation in which what is held was known to be the newest; 0 is never.
    pub(super) live: u64,
    /// In a cluster: that the members have changed is under way to the others.
    pub(super) told: bool,
    pub(super) counts: Option<Counts>,
    /// When the bot said so, in microseconds since the Unix epoch; known in a cluster alone.
    pub(super) counted: u64,
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

    /// It is not to be dropped for want of members: it has some, or is kept up to date for those who come.
    pub(super) fn is_used(&self) -> bool {
        self.live != 0 || self.member_total() > 0
    }

    /// Begins to count anew in another epoch, which the next update says to members who stay.
    pub(super) fn begin(&mut self, epoch: Arc<str>, origin: Origin) {
        self.announce_epoch = self.member_total() > 0;
        (self.epoch, self.origin, self.seq) = (epoch, origin, 0);
        self.history = VecDeque::new();
    }

    /// The epoch, where the next update has to say it.
    pub(super) fn announcement(&mut self) -> Option<Arc<str>> {
        std::mem::take(&mut self.announce_epoch).then(|| self.epoch.clone())
    }

    /// Takes in an update, and hands it to `deliver` for each shard that has members.
    pub(super) fn add(
        &mut self,
        update: Arc<Update>,
        counts: Option<(Counts, u64)>,
        history: usize,
        deliver: impl FnMut(usize, Arc<Update>),
    ) {
        (self.seq, self.touched) = (update.seq, update.at);
        if let Some((counts, at)) = counts {
            (self.counts, self.counted) = (Some(counts), at);
        }
        self.keep(&update, history);
        self.send(&update, deliver);
    }

    /// Holds an update for those who will have missed it.
    pub(super) fn keep(&mut self, update: &Arc<Update>, history: usize) {
        if history > 0 {
            if self.history.len() >= history {
                self.history.pop_front();
            }
            self.history.push_back(update.clone());
        }
    }

    pub(super) fn send(&self, update: &Arc<Update>, mut deliver: impl FnMut(usize, Arc<Update>)) {
        for (shard, _) in self.members.iter().enumerate().filter(|(_, members)| **members > 0) {
            deliver(shard, update.clone());
        }
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
    /// Other processes have a part in the rooms, and are within reach.
    pub(super) shared: bool,
    /// Grows whenever something may have been missed.
    pub(super) generation: u64,
}

impl Table {
    /// Whether what is held of a room is the newest there is, as far as can be known.
    pub(super) fn is_current(&self, id: &RoomId) -> bool {
        let live = || self.rooms.get(id).is_some_and(|entry| entry.live == self.generation);
        !self.shared || live()
    }

    pub(super) fn next_ordinal(&mut self) -> u64 {
        self.ordinal += 1;
        self.ordinal
    }

    /// Whether a client has seen what has not come here yet: on another process, which has heard of it sooner.
    pub(super) fn is_behind(&self, id: &RoomId, resume: Option<&Resume>) -> bool {
        let Some(Resume { last_seq: Some(seen), epoch: Some(epoch) }) = resume else {
            return false;
        };
        let entry = self.rooms.get(id);
        self.shared && entry.is_some_and(|entry| *entry.epoch != **epoch || entry.seq < *seen)
    }

    pub(super) fn entry(&mut self, id: &RoomId, shards: usize, now: Instant) -> &mut Entry {
        if !self.rooms.contains_key(id) {
            let room = Arc::new(Room { key: self.next_key, id: id.clone() });
            self.next_key += 1;
            let entry = Entry {
                room,
                epoch: self.epoch.clone(),
                announce_epoch: false,
                seq: 0,
                origin: Origin::Here,
                live: 0,
                told: false,
                counts: None,
                counted: 0,
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
pub fn new_epoch() -> Arc<str> {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = RandomState::new().hash_one(SystemTime::now());
    let digits = std::iter::repeat_with(|| {
        let digit = DIGITS[(rest % 36) as usize];
        rest /= 36;
        char::from(digit)
    });
    digits.take(9).collect::<String>().into()
}
