use std::sync::Arc;

use super::*;
use crate::errand::Errands;
use crate::message::Resume;
use crate::room::{Join, Joined};

const ROOM: RoomId = RoomId::Number(1);
const HISTORY: usize = 3;
const EPOCH: &str = "far1";

/// A table of a process in a cluster, and what its one shard was handed, as `seq`, with the epoch where it was said.
struct Process {
    table: RoomTable,
    given: Vec<(u64, Option<String>)>,
}

impl Process {
    fn new() -> Self {
        Self {
            table: RoomTable::new(1, HISTORY, Some(Arc::new(Errands::default()))),
            given: vec![],
        }
    }

    /// One that has been told all there is of the room, by updates up to `seq`, and has a member in it.
    fn with_member(seq: u64) -> Self {
        let mut process = Self::new();
        process.adopt(&synced(1..=seq, seq), true);
        assert!(matches!(process.join(None), Join::Done(_)));
        process
    }

    fn take(&mut self, epoch: &str, seqs: std::ops::RangeInclusive<u64>) -> Taken {
        let updates: Vec<_> = seqs.map(numbered).collect();
        let given = &mut self.given;
        self.table.take(&ROOM, epoch, &updates, |_, update| note(given, &update))
    }

    fn adopt(&mut self, synced: &Synced, subscribed: bool) {
        let given = &mut self.given;
        self.table.adopt(&ROOM, synced, subscribed, |_, update| note(given, &update));
    }

    fn broadcast_here(&mut self) {
        let given = &mut self.given;
        self.table.broadcast_here(&ROOM, b"{", Some((counts(9), 9)), |_, update| {
            note(given, &update);
        });
    }

    fn join(&self, resume: Option<(u64, &str)>) -> Join {
        let resume =
            resume.map(|(seq, epoch)| Resume { last_seq: Some(seq), epoch: Some(epoch.into()) });
        self.table.join(&ROOM, 0, resume.as_ref(), false, false)
    }

    fn joined(&self, resume: Option<(u64, &str)>) -> Joined {
        match self.join(resume) {
            Join::Done(joined) => joined,
            Join::Later => panic!("the room is up to date"),
        }
    }

    fn given(&mut self) -> Vec<(u64, Option<String>)> {
        std::mem::take(&mut self.given)
    }
}

fn note(given: &mut Vec<(u64, Option<String>)>, update: &Update) {
    given.push((update.seq, update.announces.as_deref().map(str::to_owned)));
}

fn counts(current: u64) -> Counts {
    Counts { current, max: 99 }
}

fn numbered(seq: u64) -> Numbered {
    Numbered { seq, at: seq, counts: Some(counts(seq)), head: Bytes::from_static(b"{") }
}

/// What Redis holds: updates of `held`, of which the newest is `seq`.
fn synced(held: std::ops::RangeInclusive<u64>, seq: u64) -> Synced {
    let updates = held.map(numbered).collect();
    Synced { epoch: Some(EPOCH.into()), seq, counts: Some((counts(seq), seq)), updates }
}

fn said(seq: u64) -> (u64, Option<String>) {
    (seq, Some(EPOCH.into()))
}

#[test]
fn nobody_joins_a_room_that_may_be_out_of_date() {
    let mut process = Process::new();
    assert!(matches!(process.join(None), Join::Later));
    process.adopt(&Synced::default(), true);
    assert_eq!(process.joined(None).seq, 0, "nobody has broadcast to it, and that is known");
    process.table.unsettle();
    assert!(matches!(process.join(None), Join::Later));
    process.table.cut_off();
    assert_eq!(process.joined(None).seq, 0, "there is nobody to ask");
}

#[test]
fn updates_are_taken_in_order_and_once() {
    let mut process = Process::with_member(2);
    assert_eq!(process.take(EPOCH, 1..=4), Taken::All);
    assert_eq!(process.given(), [(3, None), (4, None)]);
    assert_eq!(process.take(EPOCH, 6..=7), Taken::Gap);
    assert_eq!(process.given(), [], "what is behind a gap comes with what was missed");
    assert_eq!(process.take("far2", 2..=2), Taken::Gap);
    assert_eq!(process.take("far2", 1..=2), Taken::All);
    assert_eq!(process.given(), [(1, Some("far2".into())), (2, None)]);
}

#[test]
fn members_are_given_what_they_missed() {
    let mut process = Process::with_member(2);
    process.adopt(&synced(3..=5, 5), true);
    assert_eq!(process.given(), [(3, None), (4, None), (5, None)]);
    process.adopt(&synced(5..=5, 5), true);
    assert_eq!(process.given(), []);
    let again = process.joined(Some((2, EPOCH)));
    assert_eq!((again.recovered, again.owed.len()), (Some(true), 3));
}

#[test]
fn members_are_given_the_newest_state_where_what_they_missed_is_not_held() {
    let mut process = Process::with_member(2);
    process.adopt(&synced(7..=9, 9), true);
    assert_eq!(process.given(), [said(9)]);
    let again = process.joined(Some((6, EPOCH)));
    assert_eq!((again.recovered, again.owed.len()), (Some(true), 3), "others may have seen more");
}

#[test]
fn the_first_updates_of_all_are_not_replaced_by_a_state() {
    let mut process = Process::new();
    process.adopt(&Synced::default(), true);
    process.joined(None);
    process.adopt(&synced(1..=2, 2), true);
    assert_eq!(process.given(), [said(1), (2, None)]);
}

#[test]
fn a_history_that_was_not_held_is_taken_over() {
    let mut process = Process::new();
    // It has broadcast to a room that it has nobody in.
    process.adopt(&Synced { updates: vec![], ..synced(4..=4, 4) }, false);
    process.adopt(&synced(2..=4, 4), true);
    let joined = process.joined(Some((1, EPOCH)));
    assert_eq!((joined.recovered, joined.owed.len()), (Some(true), 3));
}

#[test]
fn who_has_seen_more_waits_until_it_was_looked() {
    let process = Process::with_member(2);
    for seen in [(3, EPOCH), (1, "far2")] {
        assert!(matches!(process.join(Some(seen)), Join::Later));
        let resume = Resume { last_seq: Some(seen.0), epoch: Some(seen.1.into()) };
        let Join::Done(joined) = process.table.join(&ROOM, 0, Some(&resume), false, true) else {
            panic!("nothing more can be known");
        };
        assert_eq!(joined.recovered, Some(false));
    }
}

#[test]
fn what_is_counted_here_is_counted_in_another_epoch() {
    let mut process = Process::with_member(2);
    process.table.unsettle();
    process.table.cut_off();
    assert_eq!(process.joined(Some((2, EPOCH))).recovered, Some(true), "nothing was missed yet");
    process.broadcast_here();
    process.broadcast_here();
    let [(1, Some(epoch)), (2, None)] = &*process.given() else { panic!("a new epoch") };
    assert_ne!(epoch, EPOCH);
    // Back: the cluster has gone on from where it was.
    process.table.unsettle();
    process.adopt(&synced(3..=3, 3), true);
    assert_eq!(process.given(), [said(3)], "a state, since the epochs do not follow each other");
    process.table.unsettle();
    process.table.cut_off();
    process.broadcast_here();
    let [(1, Some(next))] = &*process.given() else { panic!("a new epoch") };
    assert!(next != epoch && next != EPOCH);
}

#[test]
fn what_was_not_up_to_date_recovers_nobody_when_the_cluster_is_away() {
    let mut process = Process::new();
    process.adopt(&synced(1..=3, 3), true);
    process.table.retire(&ROOM);
    process.table.cut_off();
    let joined = process.joined(Some((3, EPOCH)));
    assert_eq!((joined.recovered, joined.seq), (Some(false), 0), "others may have seen more");
    assert_eq!(joined.owed.len(), 1, "the newest counts that are known");
}

#[test]
fn what_is_looked_up_for_nobody_changes_nothing_for_members() {
    let mut process = Process::with_member(2);
    process.adopt(&Synced { updates: vec![], ..synced(9..=9, 9) }, false);
    assert_eq!(process.given(), []);
    assert_eq!(process.joined(None).seq, 2);
}

#[test]
fn a_room_that_was_forgotten_keeps_what_has_come_since() {
    for order_first in [true, false] {
        let mut process = Process::with_member(2);
        if order_first {
            process.table.begin_anew(&ROOM, "far2");
            assert_eq!(process.table.state(&ROOM), None);
        }
        assert_eq!(process.take("far2", 1..=1), Taken::All);
        if !order_first {
            process.table.begin_anew(&ROOM, "far2");
        }
        assert_eq!(process.take("far2", 2..=2), Taken::All);
        assert_eq!(process.given(), [(1, Some("far2".into())), (2, None)]);
    }
}

#[test]
fn a_room_that_nobody_tells_of_and_nobody_is_in_is_dropped() {
    let mut process = Process::new();
    process.adopt(&Synced::default(), true);
    assert_eq!(process.table.totals().0, 1);
    process.table.retire(&ROOM);
    assert_eq!(process.table.totals().0, 0);
}
