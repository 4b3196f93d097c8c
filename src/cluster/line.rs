//! What the cluster's thread knows of one room, or of the orders: what waits to be sent, and how far what Redis holds is
//! known here. At most one call of a line is under way, so what it sends stays in order and what piles up goes together.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::record::Record;
use crate::errand::Asker;
use crate::message::Resume;
use crate::room_id::RoomId;
use crate::update::Counts;

/// Updates that go in one call.
const BATCH: usize = 64;
/// Bytes that go in one call, but for the first update.
const BATCH_BYTES: usize = 256 * 1024;
/// Messages that wait for a room to be brought up to date; with more it is looked at again.
const HELD: usize = 1024;

/// What a line is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// A room.
    Room(RoomId),
    /// What every process is to do.
    Orders,
}

/// The names of a line in Redis. They share a hash tag, so that they are on one node of a Redis Cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) state: String,
    pub(super) history: String,
    pub(super) members: String,
    pub(super) channel: String,
}

impl Keys {
    pub(super) fn new(prefix: &str, db: i64, topic: &Topic) -> Self {
        let stem = match topic {
            Topic::Orders => format!("{prefix}:orders:{{orders}}"),
            // A tag ends at the first brace that closes.
            Topic::Room(id) => {
                let id = id.to_string().replace('%', "%25").replace('}', "%7D");
                format!("{prefix}:room:{{{id}}}")
            }
        };
        // Channels know no databases.
        let channel = if db == 0 { stem.clone() } else { format!("{stem}@{db}") };
        Self {
            state: format!("{stem}:s"),
            history: format!("{stem}:h"),
            members: format!("{stem}:n"),
            channel,
        }
    }
}

/// What is known of whether an update has come to Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It has not been sent.
    First,
    /// It may have come.
    Again,
    /// It may have come, and was given to this process's clients without Redis.
    Late,
}

impl Mode {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Again => "again",
            Self::Late => "late",
        }
    }
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An update, or an order.
    Update,
    /// That all members of the room are to be closed.
    Close,
    /// That the room is to be forgotten: nothing of before is to come behind it.
    Forget,
}

/// An update, or an order, on its way to Redis.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) id: u64,
    pub(super) head: Bytes,
    pub(super) counts: Option<Counts>,
    pub(super) at: u64,
    pub(super) mode: Mode,
}

/// How far Redis tells of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It does not.
    Off,
    /// It does; what came before is not known.
    Subscribed,
    /// It does, and all before is known.
    Live,
}

/// A client that waits for its room.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) shard: usize,
    pub(super) id: u64,
    pub(super) resume: Option<Resume>,
}

/// One room, or the orders.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) keys: Arc<Keys>,
    pub(super) queue: VecDeque<Item>,
    /// What is under way to Redis.
    pub(super) flight: Vec<Item>,
    pub(super) stage: Stage,
    /// A call is under way.
    pub(super) calling: bool,
    /// Redis was asked to tell of it no more, and has yet to say so.
    pub(super) leaving: bool,
    /// It stands on the list of those that may have something to do.
    pub(super) listed: bool,
    /// What was told before the line was up to date.
    pub(super) held: VecDeque<(Arc<str>, Vec<Record>)>,
    pub(super) joins: Vec<Waiting>,
    pub(super) askers: Vec<Asker>,
    pub(super) members: u64,
    /// How many Redis knows of; none where that is not known.
    pub(super) told: Option<u64>,
    /// The last member has left.
    pub(super) idle_since: Option<Instant>,
    /// The newest state is wanted, whether or not there are members.
    pub(super) look: bool,
    /// The last call was one that sends updates.
    pub(super) published: bool,
    /// Somebody who wants to join has seen more than has been told here.
    pub(super) check: bool,
    /// It stands in the backlog.
    pub(super) kept: bool,
}

impl Line {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            keys: Arc::new(keys),
            queue: VecDeque::new(),
            flight: Vec::new(),
            stage: Stage::Off,
            calling: false,
            leaving: false,
            listed: false,
            held: VecDeque::new(),
            joins: Vec::new(),
            askers: Vec::new(),
            members: 0,
            told: Some(0),
            idle_since: None,
            look: false,
            published: false,
            check: false,
            kept: false,
        }
    }

    /// Takes out what goes in the next call: items of one mode.
    pub(super) fn load(&mut self) -> &[Item] {
        let mode = self.queue.front().map(|item| item.mode);
        let forgets = |item: &Item| item.kind == Kind::Forget;
        let alone = self.queue.front().is_some_and(forgets);
        let (mut bytes, mut first) = (0, true);
        let fits = self.queue.iter().take(BATCH).take_while(|item| {
            bytes += item.head.len();
            let fits = bytes <= BATCH_BYTES && !alone && !forgets(item);
            Some(item.mode) == mode && (std::mem::take(&mut first) || fits)
        });
        let count = fits.count();
        self.flight = self.queue.drain(..count).collect();
        &self.flight
    }

    /// The connection is gone: what was under way may have come or not, and what is told from now on is missed.
    pub(super) fn reset(&mut self) {
        for mut item in std::mem::take(&mut self.flight).into_iter().rev() {
            if item.mode == Mode::First {
                item.mode = Mode::Again;
            }
            self.queue.push_front(item);
        }
        if self.calling || self.told != Some(0) {
            self.told = None;
        }
        (self.stage, self.calling, self.leaving) = (Stage::Off, false, false);
        self.held.clear();
    }

    /// One of our own has come back: Redis has it.
    pub(super) fn confirm(&mut self, own: u64) {
        self.flight.retain(|item| item.id != own);
        self.queue.retain(|item| item.id != own);
    }

    /// Keeps what was told until the line is up to date.
    pub(super) fn hold(&mut self, epoch: Arc<str>, records: Vec<Record>) {
        if self.held.len() == HELD {
            // The gap is found when the rest is taken in.
            self.held.pop_front();
        }
        self.held.push_back((epoch, records));
    }

    /// Leaves of what waits the newest update and the newest with counts, and of what is no update the newest of each
    /// kind. Returns how many updates went.
    pub(super) fn conflate(&mut self) -> u64 {
        let before = self.queue.len();
        let (mut any, mut counts, mut closes, mut forgets) = (false, false, false, false);
        let mut kept = VecDeque::with_capacity(2);
        while let Some(item) = self.queue.pop_back() {
            let has_counts = item.counts.is_some();
            let keep = match item.kind {
                // What was said before a room was forgotten is not said any more.
                _ if forgets => false,
                Kind::Update => {
                    let keep = !any || has_counts && !counts;
                    (any, counts) = (true, counts || has_counts);
                    keep
                }
                Kind::Close => !std::mem::replace(&mut closes, true),
                Kind::Forget => !std::mem::replace(&mut forgets, true),
            };
            if keep {
                kept.push_front(item);
            }
        }
        self.queue = kept;
        (before - self.queue.len()) as u64
    }

    /// Whether Redis tells of the line, and all before is known.
    pub(super) fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }

    /// Whether anything depends on the line.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
            && self.flight.is_empty()
            && !self.calling
            && self.stage == Stage::Off
            && self.members == 0
            && self.told == Some(0)
            && self.joins.is_empty()
            && self.askers.is_empty()
            && !self.look
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(items: &[(u64, bool)]) -> Line {
        let mut line = Line::new(Keys::new("p", 0, &Topic::Orders));
        line.queue = items
            .iter()
            .map(|&(id, counts)| Item {
                kind: Kind::Update,
                id,
                head: Bytes::from_static(b"{"),
                counts: counts.then_some(Counts { current: 1, max: 2 }),
                at: id,
                mode: Mode::First,
            })
            .collect();
        line
    }

    fn ids<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<u64> {
        items.into_iter().map(|item| item.id).collect()
    }

    #[test]
    fn names_of_a_room_share_a_tag_that_no_room_can_leave() {
        let keys = Keys::new("p", 0, &Topic::Room(RoomId::Number(7)));
        assert_eq!(keys.state, "p:room:{7}:s");
        assert_eq!(keys.channel, "p:room:{7}");
        let keys = Keys::new("p", 2, &Topic::Room(RoomId::parse_str("}a%{").unwrap()));
        assert_eq!(keys.history, "p:room:{%7Da%25{}:h");
        assert_eq!(keys.channel, "p:room:{%7Da%25{}@2");
    }

    #[test]
    fn one_call_takes_what_is_of_one_mode() {
        let mut line = line(&[(1, true), (2, true), (3, true)]);
        line.queue[0].mode = Mode::Late;
        assert_eq!(ids(line.load()), [1]);
        line.flight.clear();
        assert_eq!(ids(line.load()), [2, 3]);
        line.queue = (0..100).map(|id| Item { id, ..line.flight[0].clone() }).collect();
        assert_eq!(line.load().len(), BATCH);
    }

    #[test]
    fn a_room_is_forgotten_in_a_call_of_its_own() {
        let mut line = line(&[(1, true), (2, true), (3, true)]);
        line.queue[1].kind = Kind::Forget;
        for alone in [1, 2, 3] {
            assert_eq!(ids(line.load()), [alone]);
        }
    }

    #[test]
    fn nothing_is_kept_of_before_a_room_was_forgotten() {
        let mut line = line(&[(1, true), (2, true), (3, true), (4, true), (5, true)]);
        line.queue[1].kind = Kind::Forget;
        (line.queue[2].kind, line.queue[4].kind) = (Kind::Close, Kind::Close);
        line.conflate();
        assert_eq!(ids(&line.queue), [2, 4, 5]);
    }

    #[test]
    fn what_was_under_way_is_sent_again_in_its_place() {
        let mut line = line(&[(1, true), (2, true), (3, true)]);
        line.load();
        line.queue.extend(line.flight.split_off(2));
        line.reset();
        assert_eq!(ids(&line.queue), [1, 2, 3]);
        let modes: Vec<_> = line.queue.iter().map(|item| item.mode).collect();
        assert_eq!(modes, [Mode::Again, Mode::Again, Mode::First]);
        line.confirm(2);
        assert_eq!(ids(&line.queue), [1, 3]);
    }

    #[test]
    fn what_redis_was_told_of_members_is_told_again_after_a_break() {
        let mut line = line(&[]);
        line.reset();
        assert!(line.is_idle(), "it was told of none");
        (line.members, line.told) = (0, Some(3));
        line.reset();
        assert_eq!(line.told, None);
        assert!(!line.is_idle(), "that they have gone may not have come");
    }

    #[test]
    fn conflation_leaves_the_newest_and_the_newest_counts() {
        for (items, left) in [
            (&[(1, true), (2, true), (3, false), (4, false)][..], &[2, 4][..]),
            (&[(1, false), (2, true)], &[2]),
            (&[(1, false), (2, false)], &[2]),
            (&[], &[]),
        ] {
            let mut line = line(items);
            assert_eq!(line.conflate() as usize, items.len() - left.len());
            assert_eq!(ids(&line.queue), left);
        }
    }
}
