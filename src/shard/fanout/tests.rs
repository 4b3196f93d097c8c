//! The ring against a model: whatever joins, leaves and updates fall between the visits, each member is given every update
//! since its join once and in order.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::{LocalRooms, Moved};
use crate::metrics::Counters;
use crate::room::{Room, Update};
use crate::room_id::RoomId;

struct Model {
    rooms: LocalRooms,
    room: Arc<Room>,
    ordinal: u64,
    /// By slot: the ordinal of the join, and what was given since.
    given: HashMap<usize, (u64, Vec<u64>)>,
    /// Slots by their place.
    places: Vec<usize>,
    next_slot: usize,
    counters: Counters,
}

impl Model {
    fn new() -> Self {
        let room = Arc::new(Room { key: 1, id: RoomId::Number(1) });
        let (rooms, given, places) = (LocalRooms::default(), HashMap::new(), Vec::new());
        Self { rooms, room, ordinal: 0, given, places, next_slot: 0, counters: Counters::default() }
    }

    fn update(&mut self) {
        self.ordinal += 1;
        self.rooms.push(Arc::new(Update {
            room: self.room.clone(),
            ordinal: self.ordinal,
            seq: self.ordinal,
            has_counts: true,
            announces: None,
            at: Instant::now(),
            frame: Bytes::from(vec![self.ordinal as u8; 1 + self.ordinal as usize % 3]),
        }));
    }

    fn join(&mut self) {
        let slot = self.next_slot;
        self.next_slot += 1;
        let place = self.rooms.add(&self.room, slot, self.ordinal);
        assert_eq!(place, self.places.len());
        self.places.push(slot);
        self.given.insert(slot, (self.ordinal, Vec::new()));
    }

    fn leave(&mut self, place: usize) {
        let gone = self.places.swap_remove(place);
        let (since, given) = self.given.remove(&gone).unwrap();
        assert_eq!(
            given,
            (since + 1..=since + given.len() as u64).collect::<Vec<_>>(),
            "a gap before it left"
        );
        let moved = self.rooms.remove(&self.room, place);
        assert_eq!(moved.as_ref().map(|moved| moved.slot), self.places.get(place).copied());
        if let Some(Moved { slot, owed }) = moved {
            self.give(slot, &owed);
        }
    }

    fn give(&mut self, slot: usize, updates: &[Arc<Update>]) {
        self.given.get_mut(&slot).unwrap().1.extend(updates.iter().map(|update| update.ordinal));
    }

    fn visit(&mut self, visits: usize) {
        for _ in 0..visits {
            let Some(room) = self.rooms.rooms.get_mut(&1) else { return };
            room.absorb();
            if room.batches.is_empty() {
                return;
            }
            let (member, window) = room.visit();
            let slot = member.slot;
            let owed = window.after(member.since).map(|(updates, bytes)| {
                let frames: Vec<u8> =
                    updates.iter().flat_map(|update| update.frame.to_vec()).collect();
                assert_eq!(bytes, frames, "the bytes are those of the updates");
                updates.to_vec()
            });
            member.since = member.since.max(window.newest());
            room.retire(&self.counters);
            self.give(slot, &owed.unwrap_or_default());
        }
    }

    fn assert_all_given(&mut self) {
        while self.rooms.rooms.get(&1).is_some_and(super::LocalRoom::is_busy) {
            self.visit(1);
        }
        for (slot, (since, given)) in &self.given {
            assert_eq!(*given, (since + 1..=self.ordinal).collect::<Vec<_>>(), "slot {slot}");
        }
    }
}

#[test]
fn every_member_is_given_every_update_once_and_in_order() {
    // A linear congruential generator (Knuth's constants): the same sequences on every run.
    let mut state = 1u64;
    let mut random = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..300 {
        let mut model = Model::new();
        for _ in 0..200 {
            match random(10) {
                0..=2 => model.update(),
                3..=4 => model.join(),
                5 if !model.places.is_empty() => model.leave(random(model.places.len())),
                _ => model.visit(random(6)),
            }
        }
        model.assert_all_given();
    }
}

#[test]
fn a_member_that_has_caught_up_is_given_nothing_twice() {
    let mut model = Model::new();
    (0..3).for_each(|_| model.join());
    model.update();
    model.visit(1);
    model.update();
    let membership = crate::session::Membership { room: model.room.clone(), place: 0 };
    let owed = model.rooms.catch_up(&membership, model.ordinal);
    assert_eq!(owed.iter().map(|update| update.ordinal).collect::<Vec<_>>(), [1, 2]);
    model.give(0, &owed);
    model.update();
    model.assert_all_given();
}
