//! The room table, with one or two shards that keep what is delivered to them.

use std::sync::Arc;
use std::time::Duration;

use super::{Join, Joined, RoomTable, Update};
use crate::message::Resume;
use crate::room_id::RoomId;
use crate::update::{self, Counts};

const HISTORY: usize = 4;

struct Rooms {
    table: RoomTable,
    id: RoomId,
}

impl Rooms {
    fn new() -> Self {
        let id = RoomId::Number(1);
        Self { table: RoomTable::new(2, HISTORY, None), id }
    }

    /// Broadcasts `current` of 10; returns what went to which shard.
    fn count(&self, current: u64) -> Vec<(usize, Arc<Update>)> {
        let counts = Counts { current, max: 10 };
        self.send(&update::Update::CountUpdated { counts }, Some(counts))
    }

    fn news(&self) -> Vec<(usize, Arc<Update>)> {
        self.send(&update::Update::Custom { fields: r#"{"event":"NEWS"}"# }, None)
    }

    fn send(
        &self,
        update: &update::Update<'_>,
        counts: Option<Counts>,
    ) -> Vec<(usize, Arc<Update>)> {
        let mut delivered = Vec::new();
        self.table
            .broadcast(&self.id, update, counts, |shard, update| delivered.push((shard, update)));
        delivered
    }

    fn join(&self, resume: Option<(u64, &str)>) -> Joined {
        let resume =
            resume.map(|(seq, epoch)| Resume { last_seq: Some(seq), epoch: Some(epoch.into()) });
        done(self.table.join(&self.id, 0, resume.as_ref(), false, false))
    }
}

fn done(join: Join) -> Joined {
    match join {
        Join::Done(joined) => joined,
        Join::Later => panic!("nobody else has a part in these rooms"),
    }
}

fn seqs(joined: &Joined) -> Vec<u64> {
    joined.owed.iter().map(|update| update.seq).collect()
}

fn text(update: &Update) -> String {
    String::from_utf8_lossy(&update.frame).into_owned()
}

#[test]
fn updates_go_to_the_shards_that_have_members() {
    let rooms = Rooms::new();
    assert!(rooms.count(1).is_empty());
    let joined = rooms.join(None);
    assert_eq!(
        rooms.count(2).iter().map(|(shard, update)| (*shard, update.seq)).collect::<Vec<_>>(),
        [(0, 2)]
    );
    rooms.table.join(&rooms.id, 1, None, false, false);
    assert_eq!(rooms.count(3).len(), 2);
    rooms.table.leave(&joined.room, 0);
    assert_eq!(rooms.count(4)[0].0, 1);
    assert_eq!((rooms.table.member_total(&rooms.id), rooms.table.totals()), (1, (1, 1)));
}

#[test]
fn a_plain_join_gets_the_snapshot_where_the_state_is_known() {
    let rooms = Rooms::new();
    assert!(rooms.join(None).owed.is_empty(), "nobody has broadcast to the room");
    rooms.news();
    assert!(rooms.join(None).owed.is_empty(), "no counts are known");
    rooms.count(3);
    rooms.news();
    let joined = rooms.join(None);
    assert_eq!((joined.seq, joined.recovered, seqs(&joined)), (3, None, vec![3]));
    let snapshot = text(&joined.owed[0]);
    assert!(
        snapshot.contains(r#""event":"PARTICIPANT_COUNT_UPDATED","currentParticipants":3"#),
        "{snapshot}"
    );
    assert!(snapshot.ends_with(&format!(r#""seq":3,"epoch":"{}"}}"#, joined.epoch)), "{snapshot}");
}

#[test]
fn recovery_replays_what_the_history_holds() {
    let rooms = Rooms::new();
    let epoch = rooms.join(None).epoch;
    (1..=6).for_each(|current| drop(rooms.count(current)));
    for (last_seq, owed) in [(2, vec![3, 4, 5, 6]), (5, vec![6]), (6, vec![])] {
        let joined = rooms.join(Some((last_seq, &epoch)));
        assert_eq!((joined.seq, joined.recovered, seqs(&joined)), (last_seq, Some(true), owed));
    }
    for (last_seq, epoch) in
        [(1, &*epoch), (0, &epoch), (7, &epoch), (u64::MAX, &epoch), (5, "other")]
    {
        let joined = rooms.join(Some((last_seq, epoch)));
        assert_eq!(
            (joined.seq, joined.recovered, seqs(&joined)),
            (6, Some(false), vec![6]),
            "{last_seq} {epoch}"
        );
    }
}

#[test]
fn who_joins_again_is_answered_but_never_replayed_to() {
    let rooms = Rooms::new();
    let epoch = rooms.join(None).epoch;
    rooms.count(1);
    rooms.count(2);
    let resume = Resume { last_seq: Some(1), epoch: Some(epoch.to_string()) };
    let joined = done(rooms.table.join(&rooms.id, 0, Some(&resume), true, false));
    assert_eq!((joined.seq, joined.recovered, seqs(&joined)), (2, Some(false), vec![2]));
    assert_eq!(rooms.table.member_total(&rooms.id), 1);
}

#[test]
fn a_forgotten_room_counts_anew_and_says_so_once_to_who_stayed() {
    let rooms = Rooms::new();
    let before = rooms.join(None).epoch;
    rooms.count(1);
    assert!(rooms.table.forget(&rooms.id));
    assert!(rooms.table.state(&rooms.id).is_none());
    assert_eq!(rooms.table.member_total(&rooms.id), 1);
    let joined = rooms.join(Some((1, &before)));
    assert_ne!(joined.epoch, before);
    assert_eq!((joined.seq, joined.recovered), (0, Some(false)));
    let first = text(&rooms.count(5)[0].1);
    assert!(first.ends_with(&format!(r#""seq":1,"epoch":"{}"}}"#, joined.epoch)), "{first}");
    let second = text(&rooms.count(6)[0].1);
    assert!(second.ends_with(r#""seq":2}"#), "{second}");
    assert!(!rooms.table.forget(&RoomId::Number(2)), "not known");
}

#[test]
fn a_room_without_a_past_goes_with_its_last_member_and_loses_nothing() {
    let rooms = Rooms::new();
    let joined = rooms.join(None);
    rooms.table.leave(&joined.room, 0);
    assert_eq!(rooms.table.totals(), (0, 0));
    let again = rooms.join(Some((0, &joined.epoch)));
    assert_eq!((again.recovered, again.epoch), (Some(true), joined.epoch));
    // A membership of the room as it was before means nothing to the one that came back.
    rooms.table.leave(&joined.room, 0);
    assert_eq!(rooms.table.member_total(&rooms.id), 1);
}

#[tokio::test(start_paused = true)]
async fn idle_rooms_are_forgotten_after_their_time_and_never_come_back_in_their_epoch() {
    let rooms = Rooms::new();
    let ttl = Duration::from_secs(60);
    let joined = rooms.join(None);
    rooms.count(1);
    tokio::time::advance(ttl * 2).await;
    rooms.table.sweep(ttl);
    assert!(rooms.table.state(&rooms.id).is_some(), "it has a member");
    rooms.table.leave(&joined.room, 0);
    tokio::time::advance(ttl / 2).await;
    rooms.table.sweep(ttl);
    assert!(rooms.table.state(&rooms.id).is_some(), "the departure was not long ago");
    tokio::time::advance(ttl / 2).await;
    rooms.table.sweep(ttl);
    assert_eq!(rooms.table.totals(), (0, 0));
    let again = rooms.join(Some((0, &joined.epoch)));
    assert_eq!(again.recovered, Some(false));
    assert_ne!(again.epoch, joined.epoch);
}

#[test]
fn a_shard_that_starts_again_takes_its_members_out() {
    let rooms = Rooms::new();
    rooms.join(None);
    rooms.table.join(&rooms.id, 1, None, false, false);
    rooms.table.leave_all(0);
    assert_eq!((rooms.table.member_total(&rooms.id), rooms.table.totals().1), (1, 1));
}
