//! The fan-out: an update to all members that a shard has in a room.
//!
//! Updates that pile up are joined into one run of bytes per room, so that they leave in one write per client, and a
//! long fan-out is done in slices, so that others are served in between.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::Shard;
use crate::metrics;
use crate::room::{Room, Update};
use crate::session::Membership;

/// Writes of one slice: about half a millisecond.
const SLICE: usize = 64;
/// Bytes of updates that leave in one write.
const RUN: usize = 64 * 1024;

/// A session in a room, and what of the room's updates it has been given.
#[derive(Debug)]
struct Member {
    slot: usize,
    /// Updates up to this ordinal are not for it (any more).
    since: u64,
}

/// Updates on their way to the members.
#[derive(Debug)]
struct Run {
    updates: Vec<Arc<Update>>,
    /// All their frames in a row.
    bytes: Bytes,
    /// The members before this place are yet to be served. It only falls: who joins is appended behind it and needs
    /// none of these updates, and where one leaves the last takes its place, which `since` keeps from being served twice.
    place: usize,
}

impl Run {
    fn new(updates: Vec<Arc<Update>>, place: usize) -> Self {
        let bytes = match &*updates {
            [update] => update.frame.clone(),
            updates => {
                updates.iter().map(|update| &*update.frame).collect::<Vec<_>>().concat().into()
            }
        };
        Self { updates, bytes, place }
    }

    /// What of the run is for a member that has seen everything up to `since`.
    fn after(&self, since: u64) -> (&[Arc<Update>], &[u8]) {
        let seen = self.updates.partition_point(|update| update.ordinal <= since);
        let skip: usize = self.updates[..seen].iter().map(|update| update.frame.len()).sum();
        (&self.updates[seen..], &self.bytes[skip..])
    }
}

/// A room as one shard knows it.
#[derive(Debug, Default)]
struct LocalRoom {
    members: Vec<Member>,
    pending: VecDeque<Arc<Update>>,
    run: Option<Run>,
}

impl LocalRoom {
    fn next_run(&mut self) -> Option<Run> {
        let mut bytes = 0;
        let fits = self.pending.iter().take_while(|update| {
            bytes += update.frame.len();
            bytes <= RUN
        });
        let count = fits.count().max(1).min(self.pending.len());
        let updates: Vec<_> = self.pending.drain(..count).collect();
        (!updates.is_empty()).then(|| Run::new(updates, self.members.len()))
    }
}

/// The rooms that a shard has members in.
#[derive(Debug, Default)]
pub(super) struct LocalRooms {
    rooms: HashMap<u64, LocalRoom>,
    /// Rooms with updates under way, in the order in which they are served.
    busy: VecDeque<u64>,
}

impl LocalRooms {
    /// Takes in an update for the room's members; with none left it is nobody's.
    pub(super) fn push(&mut self, update: Arc<Update>) {
        let key = update.room.key;
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        if room.run.is_none() && room.pending.is_empty() {
            self.busy.push_back(key);
        }
        room.pending.push_back(update);
    }

    /// Adds a member; returns its place.
    pub(super) fn add(&mut self, room: &Room, slot: usize, since: u64) -> usize {
        let room = self.rooms.entry(room.key).or_default();
        room.members.push(Member { slot, since });
        room.members.len() - 1
    }

    /// Removes the member at `place`; returns the slot of the one who stands there now.
    pub(super) fn remove(&mut self, room: &Room, place: usize) -> Option<usize> {
        let local = self.rooms.get_mut(&room.key)?;
        local.members.swap_remove(place);
        if local.members.is_empty() {
            self.rooms.remove(&room.key);
            return None;
        }
        local.members.get(place).map(|moved| moved.slot)
    }

    /// The slots of a room's members.
    pub(super) fn slots(&self, room: &Room) -> Vec<usize> {
        self.rooms
            .get(&room.key)
            .map(|room| room.members.iter().map(|member| member.slot).collect())
            .unwrap_or_default()
    }

    /// The updates up to `until` that are under way to one member, which are given to it now and not again.
    pub(super) fn catch_up(&mut self, membership: &Membership, until: u64) -> Vec<Arc<Update>> {
        let Some(room) = self.rooms.get_mut(&membership.room.key) else {
            return Vec::new();
        };
        let member = &mut room.members[membership.place];
        let since = member.since;
        member.since = since.max(until);
        let run = room.run.iter().flat_map(|run| &run.updates);
        run.chain(&room.pending)
            .filter(|update| update.ordinal > since && update.ordinal <= until)
            .cloned()
            .collect()
    }
}

impl Shard {
    /// Serves one slice. True where more is left.
    pub(super) fn fan_out(&mut self) -> bool {
        let mut writes = SLICE;
        while writes > 0 {
            let Some(key) = self.local.busy.pop_front() else {
                return false;
            };
            // A room whose last member has left is gone, with what was under way in it.
            if let Some(room) = self.local.rooms.get_mut(&key) {
                let Some(run) = room.run.take().or_else(|| room.next_run()) else {
                    continue;
                };
                let left = self.serve(key, run, &mut writes);
                if left {
                    self.local.busy.push_back(key);
                }
            }
        }
        !self.local.busy.is_empty()
    }

    /// Serves a room's members until all are or `writes` are used up. True where the room is still busy.
    fn serve(&mut self, key: u64, mut run: Run, writes: &mut usize) -> bool {
        let Some(room) = self.local.rooms.get_mut(&key) else {
            return false;
        };
        let newest = run.updates.last().map_or(0, |update| update.ordinal);
        let mut deliveries = 0;
        run.place = run.place.min(room.members.len());
        while run.place > 0 && *writes > 0 {
            run.place -= 1;
            let member = &mut room.members[run.place];
            let (updates, bytes) = run.after(member.since);
            member.since = member.since.max(newest);
            let Some(slot) = self.slots.get_mut(member.slot).filter(|_| !updates.is_empty()) else {
                continue;
            };
            let shared = &self.parts.shared;
            if slot.with_session(|session, cx| session.offer(updates, bytes, cx, shared))
                == Some(true)
            {
                self.list.push(member.slot, slot);
            }
            slot.gauge(&self.parts.gauges);
            deliveries += updates.len();
            *writes -= 1;
        }
        metrics::add(&self.parts.shared.counters.deliveries, deliveries as u64);
        if run.place > 0 {
            room.run = Some(run);
            return true;
        }
        run.updates
            .iter()
            .for_each(|update| self.parts.shared.counters.fanned_out(update.at.elapsed()));
        !room.pending.is_empty()
    }
}
