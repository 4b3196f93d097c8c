//! The fan-out: an update to all members that a shard has in a room.
//!
//! The members stand in a ring, and the shard goes round it as long as any of them is owed something, giving each all that
//! it is owed in one write. So updates that pile up leave together, also those that come while a round is under way, and
//! nobody waits longer than one round. A long round is done in slices, so that others are served in between.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::Shard;
use crate::metrics::{self, Counters};
use crate::outbox::MERGE;
use crate::room::{Room, Update};
use crate::session::Membership;

/// Writes of one slice: about half a millisecond. Few where there are but a few clients, who are to see rounds of
/// several slices too.
const WRITES: usize = if cfg!(fuzzing) { 3 } else { 64 };
/// Members looked at in one slice: most of those that are owed nothing cost nothing.
const VISITS: usize = 4096;

/// A session in a room, and what of the room's updates it has been given.
#[derive(Debug)]
struct Member {
    slot: usize,
    /// Updates up to this ordinal are not for it (any more).
    since: u64,
}

/// Updates that began their round together.
#[derive(Debug)]
struct Batch {
    updates: usize,
    /// The round is over when that many visits have been made.
    done_at: u64,
}

/// What is on its way round.
#[derive(Debug, Default)]
struct Window {
    updates: Vec<Arc<Update>>,
    /// All their frames in a row.
    bytes: Bytes,
    /// Where in it the frames begin.
    starts: Vec<usize>,
}

impl Window {
    fn new(updates: Vec<Arc<Update>>) -> Self {
        let starts = updates.iter().scan(0, |end, update| {
            let start = *end;
            *end += update.frame.len();
            Some(start)
        });
        let starts = starts.collect();
        let bytes = match &*updates {
            [update] => update.frame.clone(),
            all => all.iter().map(|update| &*update.frame).collect::<Vec<_>>().concat().into(),
        };
        Self { updates, bytes, starts }
    }

    fn newest(&self) -> u64 {
        self.updates.last().map_or(0, |update| update.ordinal)
    }

    /// What of it is owed to a member that has seen everything up to `since`.
    fn after(&self, since: u64) -> Option<(&[Arc<Update>], &[u8])> {
        let seen = self.updates.partition_point(|update| update.ordinal <= since);
        let start = *self.starts.get(seen)?;
        Some((&self.updates[seen..], &self.bytes[start..]))
    }
}

/// A room as one shard knows it.
#[derive(Debug, Default)]
struct LocalRoom {
    members: Vec<Member>,
    /// Updates that are yet to begin their round.
    pending: VecDeque<Arc<Update>>,
    window: Window,
    batches: VecDeque<Batch>,
    /// The member that was visited last.
    place: usize,
    /// Visits made so far.
    visits: u64,
}

impl LocalRoom {
    fn is_busy(&self) -> bool {
        !self.batches.is_empty() || !self.pending.is_empty()
    }

    /// Lets what is pending join the round, as far as it fits.
    fn absorb(&mut self) {
        let mut bytes = self.window.bytes.len();
        let fits = self.pending.iter().take_while(|update| {
            let first = bytes == 0;
            bytes += update.frame.len();
            first || bytes <= MERGE
        });
        let count = fits.count();
        if count == 0 {
            return;
        }
        let mut updates = std::mem::take(&mut self.window).updates;
        updates.extend(self.pending.drain(..count));
        self.window = Window::new(updates);
        self.batches
            .push_back(Batch { updates: count, done_at: self.visits + self.members.len() as u64 });
    }

    /// Goes on to the next member.
    fn visit(&mut self) -> (&mut Member, &Window) {
        self.visits += 1;
        self.place = match self.place.min(self.members.len()) {
            0 => self.members.len(),
            place => place,
        } - 1;
        (&mut self.members[self.place], &self.window)
    }

    /// Lets go of what has been round.
    fn retire(&mut self, counters: &Counters) {
        let mut done = 0;
        while self.batches.front().is_some_and(|batch| batch.done_at <= self.visits) {
            done += self.batches.pop_front().map_or(0, |batch| batch.updates);
        }
        if done > 0 {
            let mut updates = std::mem::take(&mut self.window).updates;
            updates.drain(..done).for_each(|update| counters.fanned_out(update.at.elapsed()));
            self.window = Window::new(updates);
        }
    }
}

/// A member that another's departure has moved to its place in the ring.
#[derive(Debug)]
pub(super) struct Moved {
    /// Whose place it is.
    pub(super) slot: usize,
    /// What it is owed of the round: it may stand now where the round has been.
    pub(super) owed: Vec<Arc<Update>>,
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
        if !room.is_busy() {
            self.busy.push_back(key);
        }
        room.pending.push_back(update);
    }

    /// Adds a member; returns its place.
    pub(super) fn add(&mut self, room: &Room, slot: usize, since: u64) -> usize {
        let room = self.rooms.entry(room.key).or_default();
        room.members.push(Member { slot, since });
        // The round visits it too, so it takes one visit more to have visited the others.
        room.batches.iter_mut().for_each(|batch| batch.done_at += 1);
        room.members.len() - 1
    }

    /// Removes the member at `place`, where the last one of the ring stands then.
    pub(super) fn remove(&mut self, room: &Room, place: usize) -> Option<Moved> {
        let local = self.rooms.get_mut(&room.key)?;
        local.members.swap_remove(place);
        if local.members.is_empty() {
            self.rooms.remove(&room.key);
            return None;
        }
        let moved = local.members.get_mut(place)?;
        let owed = local.window.after(moved.since).map_or(&[][..], |(updates, _)| updates).to_vec();
        moved.since = moved.since.max(local.window.newest());
        Some(Moved { slot: moved.slot, owed })
    }

    /// The slots of a room's members.
    pub(super) fn slots(&self, room: &Room) -> Vec<usize> {
        let members = self.rooms.get(&room.key).map_or(&[][..], |room| &room.members);
        members.iter().map(|member| member.slot).collect()
    }

    /// The updates up to `until` that are under way to one member, which are given to it now and not again.
    pub(super) fn catch_up(&mut self, membership: &Membership, until: u64) -> Vec<Arc<Update>> {
        let Some(room) = self.rooms.get_mut(&membership.room.key) else {
            return Vec::new();
        };
        let member = &mut room.members[membership.place];
        let since = member.since;
        member.since = since.max(until);
        let under_way = room.window.updates.iter().chain(&room.pending);
        under_way
            .filter(|update| update.ordinal > since && update.ordinal <= until)
            .cloned()
            .collect()
    }
}

impl Shard {
    /// Serves one slice. True where more is left.
    pub(super) fn fan_out(&mut self) -> bool {
        let mut writes = WRITES;
        while writes > 0 {
            let Some(key) = self.local.busy.pop_front() else {
                return false;
            };
            if self.serve(key, &mut writes) {
                self.local.busy.push_back(key);
            }
        }
        !self.local.busy.is_empty()
    }

    /// Goes round a room until all is given or `writes` are used up. True where the room is still busy.
    fn serve(&mut self, key: u64, writes: &mut usize) -> bool {
        // A room whose last member has left is gone, with what was under way in it.
        let Some(room) = self.local.rooms.get_mut(&key) else {
            return false;
        };
        room.absorb();
        let shared = &self.parts.shared;
        let mut deliveries = 0;
        for _ in 0..VISITS {
            if room.batches.is_empty() || *writes == 0 {
                break;
            }
            let (member, window) = room.visit();
            if let Some((updates, bytes)) = window.after(member.since) {
                member.since = window.newest();
                if let Some(slot) = self.slots.get_mut(member.slot) {
                    let offered =
                        slot.with_session(|session, cx| session.offer(updates, bytes, cx, shared));
                    if offered == Some(true) {
                        self.list.push(member.slot, slot);
                    }
                    slot.gauge(&self.parts.gauges);
                    deliveries += updates.len();
                    *writes -= 1;
                }
            }
            room.retire(&shared.counters);
        }
        metrics::add(&shared.counters.deliveries, deliveries as u64);
        room.is_busy()
    }
}

#[cfg(test)]
mod tests;
