//! Rooms whose updates are numbered elsewhere: by the cluster, for all processes.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::table::{Entry, Origin, new_epoch};
use super::{RoomTable, Update};
use crate::message::Resume;
use crate::room_id::RoomId;
use crate::update::{self, Counts};

/// An update with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its number within the room's epoch.
    pub seq: u64,
    /// When the bot handed it over, in microseconds since the Unix epoch.
    pub at: u64,
    /// What it says of the room.
    pub counts: Option<Counts>,
    /// Its message up to the number.
    pub head: Bytes,
}

/// What the cluster holds of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// The epoch; none where nobody has broadcast to the room.
    pub epoch: Option<Arc<str>>,
    /// The number of the newest update.
    pub seq: u64,
    /// The newest counts, and when they were said.
    pub counts: Option<(Counts, u64)>,
    /// The updates that are held; those alone that were missed, where that was asked.
    pub updates: Vec<Numbered>,
}

/// What this process holds of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The epoch and the number of the newest update, where all that the room's history can hold is held up to there.
    pub upto: Option<(Arc<str>, u64)>,
    /// The newest counts, and when they were said.
    pub counts: Option<(Counts, u64)>,
}

/// How updates came out that were told one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// They are taken in.
    All,
    /// Some before them never came: what the cluster holds has to be looked at.
    Gap,
}

impl RoomTable {
    /// Takes in updates of a room that is up to date. Those that it has are passed over.
    pub fn take(
        &self,
        id: &RoomId,
        epoch: &str,
        updates: &[Numbered],
        mut deliver: impl FnMut(usize, Arc<Update>),
    ) -> Taken {
        let now = Instant::now();
        let mut table = self.lock();
        for numbered in updates {
            let ordinal = table.next_ordinal();
            let entry = table.entry(id, self.shards, now);
            let same = *entry.epoch == *epoch;
            if same && numbered.seq <= entry.seq {
                continue;
            }
            if !same && numbered.seq == 1 {
                entry.begin(epoch.into(), Origin::Elsewhere);
            } else if !same || numbered.seq != entry.seq + 1 {
                return Taken::Gap;
            }
            let counts = numbered.counts.map(|counts| (counts, numbered.at));
            let update = entry.update(numbered, ordinal, now);
            entry.add(update, counts, self.history, &mut deliver);
        }
        Taken::All
    }

    /// Brings a room up to date, and keeps it for those who come: `subscribed`, so that what follows is told. Members
    /// are given what they missed, where that is held, and otherwise the newest state.
    pub fn adopt(
        &self,
        id: &RoomId,
        synced: &Synced,
        subscribed: bool,
        mut deliver: impl FnMut(usize, Arc<Update>),
    ) {
        let now = Instant::now();
        let mut table = self.lock();
        let (ordinal, generation) = (table.next_ordinal(), table.generation);
        if synced.epoch.is_none() && !subscribed {
            return;
        }
        // Each is told apart from the next by an ordinal of its own.
        table.ordinal += synced.updates.len() as u64;
        let entry = table.entry(id, self.shards, now);
        // Nothing was ever sent, and whatever is would have been told: members have missed all there is.
        let first = entry.is_pristine() && entry.live != 0;
        if subscribed {
            entry.live = generation;
        }
        let Some(epoch) = &synced.epoch else { return };
        entry.touched = now;
        let (same, known) = (entry.epoch == *epoch, entry.seq);
        if !subscribed && entry.member_total() > 0 {
            // It is brought up to date otherwise, with nothing left out.
            return;
        }
        if same && synced.seq <= known {
            if synced.seq == known && synced.updates.len() > entry.history.len() {
                // That it was broadcast to was known, but not what had been before.
                entry.refill(synced, self.history, ordinal, now);
            }
            return;
        }
        let next = synced.updates.iter().map(|update| update.seq).find(|seq| *seq > known);
        let follows = (same || first) && next == Some(known + 1);
        if !same {
            entry.begin(epoch.clone(), Origin::Elsewhere);
        }
        if follows {
            let updates = entry.refill(synced, self.history, ordinal, now);
            for update in updates.iter().filter(|update| update.seq > known) {
                entry.send(update, &mut deliver);
            }
        } else {
            entry.begin(epoch.clone(), Origin::Elsewhere);
            // What is held for those who come again says nothing that the snapshot says to those who stayed.
            let announce = std::mem::take(&mut entry.announce_epoch);
            entry.refill(synced, self.history, ordinal, now);
            match entry.counts.filter(|_| announce) {
                Some(counts) => entry.send(&entry.snapshot(counts, ordinal, now), &mut deliver),
                None => entry.announce_epoch = announce,
            }
        }
    }

    /// Gives an update to this process's members, numbered here: the cluster is out of reach.
    pub fn broadcast_here(
        &self,
        id: &RoomId,
        head: &[u8],
        counts: Option<(Counts, u64)>,
        deliver: impl FnMut(usize, Arc<Update>),
    ) {
        self.number(id, counts, |seq, epoch| update::complete(head, seq, epoch), deliver);
    }

    /// What is held may be out of date from now on: who wants to join has to wait until it has been looked at.
    pub fn unsettle(&self) {
        let mut table = self.lock();
        table.shared = true;
        table.generation += 1;
    }

    /// The cluster is out of reach: whoever joins does so with what is known here, and what is counted here from now on
    /// is counted in another epoch.
    pub fn cut_off(&self) {
        let mut table = self.lock();
        table.shared = false;
        table.epoch = new_epoch();
        let (epoch, generation) = (table.epoch.clone(), table.generation);
        for entry in table.rooms.values_mut().filter(|entry| !entry.is_pristine()) {
            if entry.live != 0 && entry.live + 1 >= generation {
                entry.origin = Origin::Elsewhere;
            } else {
                // Whatever it has seen, others have seen more since.
                entry.begin(epoch.clone(), Origin::Here);
            }
        }
    }

    /// The cluster has forgotten a room, which is in this epoch since then. One that has got that far is left as it is.
    pub fn begin_anew(&self, id: &RoomId, epoch: &str) {
        let mut table = self.lock();
        if let Some(entry) = table.rooms.get_mut(id).filter(|entry| *entry.epoch != *epoch) {
            entry.begin(epoch.into(), Origin::Elsewhere);
            (entry.counts, entry.counted) = (None, 0);
        }
    }

    /// Nobody tells of this room any more.
    pub fn retire(&self, id: &RoomId) {
        let mut table = self.lock();
        let Some(entry) = table.rooms.get_mut(id) else { return };
        entry.live = 0;
        if entry.is_pristine() && entry.member_total() == 0 {
            table.rooms.remove(id);
        }
    }

    /// Whether a client has seen what has not come here yet.
    pub fn is_behind(&self, id: &RoomId, resume: Option<&Resume>) -> bool {
        self.lock().is_behind(id, resume)
    }

    /// Makes sure of a room that is up to date and may have been dropped for want of a past.
    pub fn enliven(&self, id: &RoomId) {
        let mut table = self.lock();
        let generation = table.generation;
        table.entry(id, self.shards, Instant::now()).live = generation;
    }

    /// Members of a room; the next change is told again.
    pub fn take_members(&self, id: &RoomId) -> u64 {
        self.lock().rooms.get_mut(id).map_or(0, |entry| {
            entry.told = false;
            entry.member_total()
        })
    }

    /// What this process holds of a room.
    pub fn known(&self, id: &RoomId) -> Known {
        let table = self.lock();
        let Some(entry) = table.rooms.get(id) else { return Known::default() };
        let complete = entry.origin == Origin::Elsewhere
            && (entry.history.len() >= self.history
                || entry.history.front().is_some_and(|first| first.seq == 1));
        Known {
            upto: complete.then(|| (entry.epoch.clone(), entry.seq)),
            counts: entry.counts.map(|counts| (counts, entry.counted)),
        }
    }

    /// Ids of all rooms with members or counts.
    pub fn all(&self) -> Vec<RoomId> {
        let table = self.lock();
        let of_use = |entry: &&Entry| entry.member_total() > 0 || entry.counts.is_some();
        table.rooms.values().filter(of_use).map(|entry| entry.room.id.clone()).collect()
    }
}

impl Entry {
    /// The update as this process holds it; it says the epoch where that is due.
    fn update(&mut self, numbered: &Numbered, ordinal: u64, at: Instant) -> Arc<Update> {
        let announces = self.announcement();
        let frame = update::complete(&numbered.head, numbered.seq, announces.as_deref());
        Arc::new(Update {
            room: self.room.clone(),
            ordinal,
            seq: numbered.seq,
            has_counts: numbered.counts.is_some(),
            announces,
            at,
            frame,
        })
    }

    /// Takes over the cluster's state, and what of its history is not held, which is returned.
    fn refill(
        &mut self,
        synced: &Synced,
        history: usize,
        ordinal: u64,
        now: Instant,
    ) -> Vec<Arc<Update>> {
        let oldest = synced.updates.first().map(|update| update.seq);
        if self.history.front().is_some_and(|held| oldest.is_some_and(|oldest| oldest < held.seq)) {
            self.history.clear();
        }
        let known = self.history.back().map_or(0, |newest| newest.seq);
        let missing = synced.updates.iter().filter(|update| update.seq > known);
        let updates: Vec<_> = missing
            .zip(ordinal..)
            .map(|(numbered, ordinal)| self.update(numbered, ordinal, now))
            .collect();
        updates.iter().for_each(|update| self.keep(update, history));
        (self.seq, self.origin) = (synced.seq, Origin::Elsewhere);
        // What the cluster does not know of a room was forgotten there.
        let newest = synced.counts.map(|(counts, at)| (Some(counts), at));
        (self.counts, self.counted) = newest.unwrap_or_default();
        updates
    }
}

#[cfg(test)]
mod tests;
