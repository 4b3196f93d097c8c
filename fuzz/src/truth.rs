//! What the bot has sent, room by room: what clients are told is held against it.
//!
//! Every update carries a number of its own, its mark, in a field of its content. By that an update is known whatever
//! the hub makes of it.

use std::collections::HashMap;

use roomcast::hub::Hub;
use roomcast::room_id::RoomId;
use roomcast::update::{Counts, Status, Update, cut_name};

/// The places of each room.
pub const PLACES: u64 = 50;

/// One update that the bot has sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// To which room.
    pub room: RoomId,
    /// Which of the room's numberings it is in: a new one begins when the room is forgotten.
    pub numbering: u32,
    /// Its number there.
    pub seq: u64,
    /// It has counts.
    pub counts: bool,
    /// Its event.
    pub event: &'static str,
}

#[derive(Debug, Default)]
struct Room {
    numbering: u32,
    seq: u64,
    /// The marks of the updates with counts, by numbering.
    counts: HashMap<u32, Vec<u64>>,
    /// Which numbering an epoch was seen to stand for.
    epochs: HashMap<String, u32>,
}

/// All that the bot has sent.
#[derive(Debug, Default)]
pub struct Truth {
    rooms: HashMap<RoomId, Room>,
    /// By mark, from 1.
    sent: Vec<Sent>,
    /// The longest update so far, in bytes, header and all.
    pub longest: usize,
}

impl Truth {
    /// Sends an update of one of four kinds with `padding` bytes of the bot's own; returns about how long it is.
    pub fn broadcast(&mut self, hub: &Hub, id: &RoomId, kind: u8, padding: usize) -> usize {
        let mark = self.sent.len() as u64 + 1;
        let counts = Counts { current: mark, max: PLACES };
        let text = "x".repeat(padding);
        let fields = format!(r#"{{"event":"NEWS","mark":{mark},"text":"{text}"}}"#);
        let (update, event, has_counts) = match kind % 4 {
            0 => (Update::CountUpdated { counts }, "PARTICIPANT_COUNT_UPDATED", true),
            1 => (Update::Custom { fields: &fields }, "NEWS", false),
            2 => (Update::Joined { name: cut_name(&text), counts }, "USER_JOINED", true),
            _ => {
                let status = if mark.is_multiple_of(2) { Status::Full } else { Status::Offline };
                (Update::StatusChanged { status, counts }, "ROOM_STATUS_CHANGED", true)
            }
        };
        assert!(hub.broadcast(id, &update, has_counts.then_some(counts)));
        let room = self.rooms.entry(id.clone()).or_default();
        room.seq += 1;
        if has_counts {
            room.counts.entry(room.numbering).or_default().push(mark);
        }
        self.sent.push(Sent {
            room: id.clone(),
            numbering: room.numbering,
            seq: room.seq,
            counts: has_counts,
            event,
        });
        let (seq, numbering) = (room.seq, room.numbering);
        self.check_state(hub, id, seq, numbering);
        let length = padding + 400;
        self.longest = self.longest.max(length);
        length
    }

    fn check_state(&mut self, hub: &Hub, id: &RoomId, seq: u64, numbering: u32) {
        let newest = self.counts_at(id, numbering, seq);
        let state = hub.room_state(id);
        assert_eq!(state.as_ref().map(|state| state.counts.current), newest);
        if let Some(state) = state {
            assert_eq!(state.seq, seq);
            self.bind(id, &state.epoch, numbering);
        }
    }

    /// Has the hub forget a room.
    pub fn forget(&mut self, hub: &Hub, id: &RoomId) {
        let known = hub.forget_room(id);
        let room = self.rooms.entry(id.clone()).or_default();
        assert!(known || room.seq == 0, "a room that was sent something is known");
        assert_eq!(hub.room_state(id), None);
        if room.seq > 0 {
            (room.numbering, room.seq) = (room.numbering + 1, 0);
        }
    }

    /// What was sent with this mark.
    pub fn sent(&self, mark: u64) -> &Sent {
        let place = usize::try_from(mark).ok().and_then(|mark| mark.checked_sub(1));
        let sent = place.and_then(|place| self.sent.get(place));
        sent.unwrap_or_else(|| panic!("nobody has sent the update {mark}"))
    }

    /// The mark of the newest update with counts at a point of a numbering.
    pub fn counts_at(&self, id: &RoomId, numbering: u32, seq: u64) -> Option<u64> {
        let marks = self.rooms.get(id)?.counts.get(&numbering)?;
        marks.iter().rev().copied().find(|mark| self.sent(*mark).seq <= seq)
    }

    /// The room's numbering now, and how far it has come.
    pub fn position(&self, id: &RoomId) -> (u32, u64) {
        self.rooms.get(id).map_or((0, 0), |room| (room.numbering, room.seq))
    }

    /// Which numbering an epoch stands for, where that has been seen.
    pub fn numbering(&self, id: &RoomId, epoch: &str) -> Option<u32> {
        self.rooms.get(id)?.epochs.get(epoch).copied()
    }

    /// An epoch was seen to stand for a numbering in which something was sent. It may never stand for another, nor the
    /// numbering have another.
    pub fn bind(&mut self, id: &RoomId, epoch: &str, numbering: u32) {
        let epochs = &mut self.rooms.entry(id.clone()).or_default().epochs;
        if let Some(before) = epochs.get(epoch) {
            assert_eq!(*before, numbering, "the epoch {epoch} counts twice");
            return;
        }
        assert!(epochs.values().all(|other| *other != numbering), "two epochs for one numbering");
        epochs.insert(epoch.to_owned(), numbering);
    }
}
