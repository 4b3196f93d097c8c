//! What the other threads want.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::Instant;

use super::line::{Item, Kind, Mode, Stage, Topic, Waiting};
use super::link::ANSWER;
use super::{Closing, Cluster, End, LINGER};
use crate::errand::{Asker, Errand, Order, Unnumbered};
use crate::metrics;
use crate::notice::Notice;
use crate::room_id::RoomId;
use crate::shard::Command;
use crate::update::Counts;

/// In microseconds since the Unix epoch.
fn now() -> u64 {
    crate::errand::micros(SystemTime::now())
}

/// Updates of one room that wait for Redis; past that they are conflated.
const QUEUE: usize = 4096;
/// Rooms whose newest updates are kept for Redis while it is away.
const ROOMS: usize = 10_000;
/// Time for what waits when a hub closes, however little its clients have.
const LAST_WORDS: Duration = Duration::from_millis(250);
/// Orders that are kept.
const ORDERS: usize = 1000;

impl Cluster {
    /// Runs all errands that wait.
    pub(super) fn run_errands(&mut self) -> Option<End> {
        self.errands.take(&mut self.taken);
        while let Some(errand) = self.taken.pop_front() {
            match errand {
                Errand::Publish(update) => self.publish(update),
                Errand::Order(order) => self.order(order),
                Errand::Join { shard, id, room, resume } => {
                    self.join(room, Waiting { shard, id, resume });
                }
                Errand::Members(room) => self.members(room),
                Errand::Count(room, asker) => self.count(room, asker),
                Errand::Refresh(room) => {
                    if !self.contact.is_away() {
                        self.line(&Topic::Room(room)).look = true;
                    }
                }
                Errand::Close { grace, spread } => {
                    let until = Instant::now() + grace.clamp(LAST_WORDS, ANSWER);
                    self.closing.get_or_insert(Closing { until, grace, spread });
                }
                Errand::Stop => return Some(End::Stop),
            }
        }
        None
    }

    fn publish(&mut self, update: Unnumbered) {
        let Unnumbered { room, head, counts, at } = update;
        self.send(Topic::Room(room), Kind::Update, head, counts, at);
    }

    /// Has something sent behind all that was sent of its line before.
    pub(super) fn send(
        &mut self,
        topic: Topic,
        kind: Kind,
        head: Bytes,
        counts: Option<Counts>,
        at: u64,
    ) {
        self.next_item += 1;
        let mut item = Item { kind, id: self.next_item, head, counts, at, mode: Mode::First };
        if self.contact.is_away() {
            self.do_here(&topic, &item);
            if topic != Topic::Orders {
                item.mode = Mode::Late;
            }
            self.line(&topic).queue.push_back(item);
            return self.keep(topic);
        }
        let line = self.line(&topic);
        line.queue.push_back(item);
        if line.queue.len() > QUEUE && topic != Topic::Orders {
            let dropped = line.conflate();
            metrics::add(&self.local.shared.counters.cluster_dropped, dropped);
        }
    }

    /// Keeps a room's newest updates until Redis is back; of the room that has waited longest nothing, where there are
    /// too many.
    pub(super) fn keep(&mut self, topic: Topic) {
        let Some(line) = self.lines.get_mut(&topic) else { return };
        let mut dropped = 0;
        if topic == Topic::Orders {
            let over = line.queue.len().saturating_sub(ORDERS);
            dropped += line.queue.drain(..over).count() as u64;
        } else {
            dropped += line.conflate();
            if !std::mem::replace(&mut line.kept, true) {
                self.backlog.push_back(topic);
            }
            if self.backlog.len() > ROOMS
                && let Some(oldest) = self.backlog.pop_front()
                && let Some(line) = self.lines.get_mut(&oldest)
            {
                line.kept = false;
                dropped += line.queue.drain(..).count() as u64;
                if line.is_idle() {
                    self.drop_line(&oldest);
                }
            }
        }
        metrics::add(&self.local.shared.counters.cluster_dropped, dropped);
    }

    fn order(&mut self, order: Order) {
        let empty = Bytes::new();
        match &order {
            // The others are told when Redis has forgotten it.
            Order::ForgetRoom(room, _) => {
                return self.send(Topic::Room(room.clone()), Kind::Forget, empty, None, now());
            }
            // It follows what was sent to the room before. As an order it reaches those who were away meanwhile.
            Order::DisconnectRoom(room) => {
                self.send(Topic::Room(room.clone()), Kind::Close, empty, None, 0);
            }
            Order::DisconnectUser(..) | Order::RemoveFromRoom(..) => {}
        }
        self.send_order(&order);
    }

    pub(super) fn send_order(&mut self, order: &Order) {
        self.send(Topic::Orders, Kind::Update, super::order::encode(order), None, 0);
    }

    fn join(&mut self, room: RoomId, waiting: Waiting) {
        if self.contact.is_away() {
            return self.let_in(&room, [waiting]);
        }
        let behind = self.local.rooms.is_behind(&room, waiting.resume.as_ref());
        let topic = Topic::Room(room);
        let line = self.line(&topic);
        line.joins.push(waiting);
        line.check |= behind;
        if line.stage == Stage::Live && line.joins.len() == 1 && !behind {
            self.admit(&topic);
        }
    }

    /// Lets those in who have waited for a room.
    pub(super) fn admit(&mut self, topic: &Topic) {
        let Topic::Room(room) = topic else { return };
        let Some(line) = self.lines.get_mut(topic).filter(|line| !line.joins.is_empty()) else {
            return;
        };
        let waiting = std::mem::take(&mut line.joins);
        if line.stage == Stage::Live {
            self.local.rooms.enliven(room);
        }
        if line.members == 0 {
            // Until they are members the room is held for them.
            self.linger(topic);
        }
        self.let_in(room, waiting);
    }

    fn let_in(&self, room: &RoomId, waiting: impl IntoIterator<Item = Waiting>) {
        for Waiting { shard, id, resume } in waiting {
            let room = room.clone();
            self.local.inboxes.of(shard).push(Command::Join { id, room, resume });
        }
    }

    fn linger(&mut self, topic: &Topic) {
        let now = Instant::now();
        if let Some(line) = self.lines.get_mut(topic) {
            line.idle_since = Some(now);
            self.lingering.push_back((now + LINGER, topic.clone()));
        }
    }

    fn members(&mut self, room: RoomId) {
        let members = self.local.rooms.take_members(&room);
        let topic = Topic::Room(room.clone());
        if members == 0 && !self.lines.contains_key(&topic) {
            return self.local.rooms.retire(&room);
        }
        let line = self.line(&topic);
        let before = std::mem::replace(&mut line.members, members);
        if members > 0 {
            line.idle_since = None;
        } else if before > 0 {
            self.linger(&topic);
        }
    }

    fn count(&mut self, room: RoomId, asker: Asker) {
        if self.contact.is_ready() {
            self.line(&Topic::Room(room)).askers.push(asker);
        } else {
            self.tell_count(&room, asker, 0);
        }
    }

    /// Answers who has asked how many clients there are; `others` are those of the other processes.
    pub(super) fn tell_count(&self, room: &RoomId, asker: Asker, others: u64) {
        let members = others + self.local.rooms.member_total(room);
        match asker {
            Asker::Bot(ask) => {
                self.local.notices.tell(Notice::ClusterCount { ask, count: members });
            }
            Asker::Client { shard, id } => {
                let room = room.clone();
                self.local.inboxes.of(shard).push(Command::Status { id, room, members });
            }
        }
    }
}
