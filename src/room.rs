//! The room table: what all shards must agree on. Of each room its counter, newest state, history and number of members.
//!
//! One plain mutex guards it all (not an async one: no critical section awaits, and each is about a microsecond).

mod remote;
mod table;

pub use remote::{Known, Numbered, Synced, Taken};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::Instant;

use crate::errand::{Errand, Errands};
use crate::message::Resume;
use crate::room_id::RoomId;
use crate::update::{self, Counts};

pub use table::new_epoch;
use table::{Entry, Origin, Table};

/// A room's identity, shared by everyone who speaks of it. A room that was forgotten and comes back is another `Room`.
#[derive(Debug, PartialEq, Eq)]
pub struct Room {
    /// Unique within the hub, never used again.
    pub key: u64,
    /// The id on the wire.
    pub id: RoomId,
}

/// One numbered update as a ready frame, encoded once and shared by all who are sent it.
#[derive(Debug)]
pub struct Update {
    /// The room it is of.
    pub room: Arc<Room>,
    /// Grows by one with every update of the hub, over all rooms and epochs: what a member has seen is known by it.
    pub ordinal: u64,
    /// The number on the wire, within the room's epoch.
    pub seq: u64,
    /// It carries counts: conflation keeps the newest such one.
    pub has_counts: bool,
    /// The new epoch, where this is the first update in it that members who stayed are sent.
    pub announces: Option<Arc<str>>,
    /// When the bot handed it over.
    pub at: Instant,
    /// The whole WebSocket frame.
    pub frame: Bytes,
}

/// A room's newest state, as a polling endpoint answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomState {
    /// The counts of the newest update that had any.
    pub counts: Counts,
    /// The number of the room's newest update.
    pub seq: u64,
    /// What `seq` counts within.
    pub epoch: Arc<str>,
}

/// What a join gave: all that the member is to be told, and where its stream begins.
#[derive(Debug)]
pub struct Joined {
    /// The room.
    pub room: Arc<Room>,
    /// `seq` of ROOM_JOINED.
    pub seq: u64,
    /// `epoch` of ROOM_JOINED.
    pub epoch: Arc<str>,
    /// `recovered` of ROOM_JOINED.
    pub recovered: Option<bool>,
    /// The missed updates, or the snapshot, or nothing.
    pub owed: Vec<Arc<Update>>,
    /// Updates up to this ordinal are not for the member any more.
    pub since: u64,
}

/// How a join came out.
#[derive(Debug)]
pub enum Join {
    /// The session is a member.
    Done(Joined),
    /// What this process holds of the room may be out of date: to be tried again when it is not.
    Later,
}

/// The table of all rooms of a hub.
#[derive(Debug)]
pub struct RoomTable {
    shards: usize,
    history: usize,
    table: Mutex<Table>,
    /// Where changes are told that concern other processes too; none where there are none.
    errands: Option<Arc<Errands>>,
}

impl RoomTable {
    /// An empty table for a hub of `shards` shards that holds `history` updates per room. With `errands`, rooms are
    /// numbered elsewhere.
    pub fn new(shards: usize, history: usize, errands: Option<Arc<Errands>>) -> Self {
        let table = Table {
            rooms: HashMap::new(),
            epoch: new_epoch(),
            ordinal: 0,
            next_key: 0,
            memberships: 0,
            shared: errands.is_some(),
            generation: 1,
        };
        Self { shards, history, table: Mutex::new(table), errands }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // A panic while the lock was held left at worst one room behind its members; the hub goes on.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers an update, encodes it, keeps it, and hands it to `deliver` for each shard that has members.
    ///
    /// `deliver` runs under the lock: that is what makes the order in every shard's queue the order of the numbers.
    /// `counts` become the room's state.
    pub fn broadcast(
        &self,
        id: &RoomId,
        news: &update::Update<'_>,
        counts: Option<Counts>,
        deliver: impl FnMut(usize, Arc<Update>),
    ) {
        let now = SystemTime::now();
        let encode = |seq, epoch: Option<&str>| update::encode(id, news, now, seq, epoch);
        self.number(id, counts.map(|counts| (counts, 0)), encode, deliver);
    }

    fn number(
        &self,
        id: &RoomId,
        counts: Option<(Counts, u64)>,
        encode: impl FnOnce(u64, Option<&str>) -> Bytes,
        deliver: impl FnMut(usize, Arc<Update>),
    ) {
        let now = Instant::now();
        let mut table = self.lock();
        let ordinal = table.next_ordinal();
        let epoch = table.epoch.clone();
        let entry = table.entry(id, self.shards, now);
        if entry.origin == Origin::Elsewhere {
            // What was counted elsewhere cannot be counted on here.
            entry.begin(epoch, Origin::Here);
        }
        let (seq, announces) = (entry.seq + 1, entry.announcement());
        let frame = encode(seq, announces.as_deref());
        let (room, has_counts) = (entry.room.clone(), counts.is_some());
        let update = Update { room, ordinal, seq, has_counts, announces, at: now, frame };
        entry.add(Arc::new(update), counts, self.history, deliver);
    }

    /// Makes a session of `shard` a member, or answers a member that joins again (`already`: never a replay).
    /// `looked`: where other processes have a part in the room, it was looked what they have, for this join.
    pub fn join(
        &self,
        id: &RoomId,
        shard: usize,
        resume: Option<&Resume>,
        already: bool,
        looked: bool,
    ) -> Join {
        let now = Instant::now();
        let mut table = self.lock();
        if !already && (!table.is_current(id) || !looked && table.is_behind(id, resume)) {
            return Join::Later;
        }
        let ordinal = table.ordinal;
        if !already {
            table.memberships += 1;
        }
        let entry = table.entry(id, self.shards, now);
        if !already {
            entry.members[shard] += 1;
            self.tell_members(entry);
        }
        let last_seq = resume
            .filter(|resume| !already && resume.epoch.as_deref() == Some(&*entry.epoch))
            .and_then(|resume| resume.last_seq);
        let (seq, recovered, owed) = match last_seq {
            Some(last_seq) if entry.holds_all_after(last_seq) => {
                let missed =
                    entry.history.iter().filter(|update| update.seq > last_seq).cloned().collect();
                (last_seq, Some(true), missed)
            }
            _ => {
                let snapshot = entry.counts.map(|counts| entry.snapshot(counts, ordinal, now));
                (entry.seq, resume.map(|_| false), snapshot.into_iter().collect())
            }
        };
        Join::Done(Joined {
            room: entry.room.clone(),
            seq,
            epoch: entry.epoch.clone(),
            recovered,
            owed,
            since: ordinal,
        })
    }

    /// Has the other processes told of a room's members, unless that is under way.
    fn tell_members(&self, entry: &mut Entry) {
        if let Some(errands) = &self.errands
            && !std::mem::replace(&mut entry.told, true)
        {
            errands.leave(Errand::Members(entry.room.id.clone()));
        }
    }

    /// Ends a membership. A room without a past goes with its last member.
    pub fn leave(&self, room: &Room, shard: usize) {
        let mut table = self.lock();
        let entry = table.rooms.get_mut(&room.id).filter(|entry| entry.room.key == room.key);
        let Some(entry) = entry.filter(|entry| entry.members[shard] > 0) else { return };
        entry.members[shard] -= 1;
        entry.touched = Instant::now();
        self.tell_members(entry);
        // One that other processes have a part in goes when they have been told.
        let empty = !entry.told && entry.is_pristine() && entry.member_total() == 0;
        table.memberships -= 1;
        if empty {
            table.rooms.remove(&room.id);
        }
    }

    /// Ends all memberships of one shard: it starts again empty.
    pub fn leave_all(&self, shard: usize) {
        let mut table = self.lock();
        let now = Instant::now();
        let mut ended = 0;
        for entry in table.rooms.values_mut().filter(|entry| entry.members[shard] > 0) {
            ended += u64::from(std::mem::take(&mut entry.members[shard]));
            entry.touched = now;
            self.tell_members(entry);
        }
        table.memberships -= ended;
    }

    /// Drops a room's state and history. Members stay, and are told the new epoch by the next update.
    /// False where the room is not known.
    pub fn forget(&self, id: &RoomId) -> bool {
        let mut table = self.lock();
        let Some(entry) = table.rooms.get(id) else {
            return false;
        };
        let members = entry.member_total();
        if !entry.is_pristine() {
            table.epoch = new_epoch();
        }
        if members == 0 && !table.rooms[id].is_used() {
            table.rooms.remove(id);
            return true;
        }
        let epoch = table.epoch.clone();
        if let Some(entry) = table.rooms.get_mut(id).filter(|entry| !entry.is_pristine()) {
            entry.begin(epoch, Origin::Here);
            (entry.counts, entry.counted) = (None, 0);
        }
        true
    }

    /// Forgets the rooms that had neither members nor updates for `ttl`.
    pub fn sweep(&self, ttl: Duration) {
        let now = Instant::now();
        let mut table = self.lock();
        let mut had_past = false;
        table.rooms.retain(|_, entry| {
            let keep = entry.is_used() || now.duration_since(entry.touched) < ttl;
            had_past |= !keep && !entry.is_pristine();
            keep
        });
        if had_past {
            table.epoch = new_epoch();
        }
    }

    /// Members of a room over all shards.
    pub fn member_total(&self, id: &RoomId) -> u64 {
        self.lock().rooms.get(id).map_or(0, Entry::member_total)
    }

    /// The room, where it has members, and the shards they are on.
    pub fn occupied(&self, id: &RoomId) -> Option<(Arc<Room>, Box<[u32]>)> {
        let table = self.lock();
        let entry = table.rooms.get(id).filter(|entry| entry.member_total() > 0)?;
        Some((entry.room.clone(), entry.members.clone()))
    }

    /// Ids of the rooms with members.
    pub fn active(&self) -> Vec<RoomId> {
        let table = self.lock();
        table
            .rooms
            .values()
            .filter(|entry| entry.member_total() > 0)
            .map(|entry| entry.room.id.clone())
            .collect()
    }

    /// The newest state, where a room's counts are known. Of a room that nobody here is in, what was known when it was
    /// asked for last: other processes may have gone on since.
    pub fn state(&self, id: &RoomId) -> Option<RoomState> {
        let table = self.lock();
        if let Some(errands) = self.errands.as_ref().filter(|_| !table.is_current(id)) {
            errands.leave(Errand::Refresh(id.clone()));
        }
        let entry = table.rooms.get(id)?;
        Some(RoomState { counts: entry.counts?, seq: entry.seq, epoch: entry.epoch.clone() })
    }

    /// (rooms known, memberships)
    pub fn totals(&self) -> (u64, u64) {
        let table = self.lock();
        (table.rooms.len() as u64, table.memberships)
    }
}

#[cfg(test)]
mod tests;
