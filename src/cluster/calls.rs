//! What Redis is asked, and what comes of the answers.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::ask::{
    Ask, Beating, Counting, Forgetting, Looking, ORDERS, Pinging, Publishing, Stream, Subscription,
    Syncing, Telling, Told,
};
use super::fault::Fault;
use super::line::{Item, Keys, Kind, Mode, Stage, Topic};
use super::link::Link;
use super::{CALLS, Cluster, LINGER};
use crate::errand::Order;
use crate::metrics;
use crate::notice::Notice;
use crate::room::Known;
use crate::update::{self, Update};

/// Between two signs of life.
pub(super) const BEAT: Duration = Duration::from_secs(5);
/// The longest time between two signs that a room is in use.
const RENEWAL: Duration = Duration::from_secs(600);
/// What Redis holds of rooms is held for so long at the least: signs that they are in use come three times in it.
const SHORTEST: Duration = Duration::from_secs(3);
/// Between two log lines on what Redis refuses.
const BETWEEN_COMPLAINTS: Duration = Duration::from_secs(60);

/// One call, when it was made.
#[derive(Debug)]
pub(super) struct Answer {
    call: Call,
    made: Instant,
    result: Result<Told, Fault>,
}

/// What a call is for.
#[derive(Debug)]
pub(super) enum Call {
    /// A line's.
    Line(Topic),
    /// A sign of life.
    Beat,
    /// A look whether Redis answers.
    Ping,
}

impl Cluster {
    /// Makes the calls that are due.
    pub(super) fn call(&mut self) {
        let link = self.contact.link().cloned();
        while self.calls.len() < CALLS
            && let Some(topic) = self.due.pop_front()
        {
            let Some(line) = self.lines.get_mut(&topic) else { continue };
            line.listed = false;
            if line.is_idle() && topic != Topic::Orders {
                self.drop_line(&topic);
            } else if let Some(link) = &link
                // Whether Redis is of use is seen by the orders first; then all lines are looked at again.
                && (self.contact.is_ready() || topic == Topic::Orders)
                && !line.calling
            {
                self.call_for(link, topic);
            }
        }
    }

    /// What brings a line a step further.
    fn call_for(&mut self, link: &Link, topic: Topic) {
        let Some(line) = self.lines.get_mut(&topic) else { return };
        let is_room = topic != Topic::Orders;
        let held = line.idle_since.is_some_and(|since| since.elapsed() < LINGER);
        let wanted = !is_room || line.members > 0 || !line.joins.is_empty() || held;
        let late = line.queue.front().is_some_and(|item| item.mode == Mode::Late);
        let may_publish = late || !line.queue.is_empty() && (!wanted || line.stage == Stage::Live);
        let untold = is_room && line.told != Some(line.members);
        let asked = !line.askers.is_empty() || untold || line.check;
        let keys = line.keys.clone();
        // What is asked now and then has its turn also where updates follow each other without end.
        if may_publish && !(asked && std::mem::take(&mut line.published)) {
            line.published = true;
            let items = line.load().to_vec();
            let forgotten = items.first().filter(|item| item.kind == Kind::Forget);
            let at = forgotten.map(|item| item.at);
            let stream = self.stream(&topic, keys);
            return match at {
                Some(at) => self.make(link, Call::Line(topic), Forgetting { stream, at }),
                None => self.make(link, Call::Line(topic), Publishing { stream, items }),
            };
        }
        if wanted && line.stage == Stage::Off {
            return self.make(link, Call::Line(topic), Subscription { keys, on: true });
        }
        if wanted && (line.stage == Stage::Subscribed || line.check) {
            // What is told meanwhile is taken in as ever, where the line is up to date.
            line.check = false;
            let call = self.syncing(&topic, keys);
            return self.make(link, Call::Line(topic), call);
        }
        if !line.askers.is_empty() {
            let (alive, process) = (self.alive.clone(), self.process.clone());
            let call = Counting { keys, processes: self.processes(), process, alive };
            return self.make(link, Call::Line(topic), call);
        }
        if untold {
            let (process, members) = (self.process.clone(), line.members);
            let call = Telling { keys, process, members, ttl: self.time_to_live() };
            return self.make(link, Call::Line(topic), call);
        }
        if !wanted && line.stage != Stage::Off {
            (line.stage, line.leaving) = (Stage::Off, true);
            if let Topic::Room(room) = &topic {
                self.local.rooms.retire(room);
            }
            return self.make(link, Call::Line(topic), Subscription { keys, on: false });
        }
        if std::mem::take(&mut line.look) && line.stage == Stage::Off {
            let call = Looking(self.syncing(&topic, keys));
            return self.make(link, Call::Line(topic), call);
        }
        if line.is_idle() && is_room {
            self.drop_line(&topic);
        }
    }

    fn make(&mut self, link: &Link, call: Call, ask: impl Ask) {
        if let Call::Line(topic) = &call
            && let Some(line) = self.lines.get_mut(topic)
        {
            line.calling = true;
        }
        let (link, made) = (link.clone(), Instant::now());
        self.made = true;
        self.calls.push(Box::pin(async move {
            let result = ask.ask(link).await;
            Answer { call, made, result }
        }));
    }

    /// A line's updates in Redis.
    fn stream(&self, topic: &Topic, keys: Arc<Keys>) -> Stream {
        let (ttl, history) = match topic {
            Topic::Orders => ORDERS,
            Topic::Room(_) => (self.time_to_live(), self.local.shared.options.history),
        };
        Stream { keys, process: self.process.clone(), ttl, history }
    }

    fn syncing(&self, topic: &Topic, keys: Arc<Keys>) -> Syncing {
        let stream = self.stream(topic, keys);
        let Topic::Room(room) = topic else {
            let followed = self.followed.clone();
            let upto = followed.and_then(|(epoch, seq)| Some((epoch?, seq)));
            return Syncing { stream, known: Known { upto, counts: None }, own: None };
        };
        let known = self.local.rooms.known(room);
        let own = known.counts.map(|(counts, at)| {
            let head = update::head(room, &Update::CountUpdated { counts }, SystemTime::now());
            let counts = Some(counts);
            Item { kind: Kind::Update, id: 0, head, counts, at, mode: Mode::First }
        });
        Syncing { stream, known, own }
    }

    fn time_to_live(&self) -> Duration {
        self.local.shared.options.room_ttl.max(SHORTEST)
    }

    /// Between two signs that rooms are in use.
    pub(super) fn renewal(&self) -> Duration {
        (self.time_to_live() / 3).min(RENEWAL)
    }

    /// Gives a sign of life.
    pub(super) fn beat(&mut self) {
        let Some(link) = self.contact.link().cloned() else { return };
        let call = Beating { processes: self.processes(), process: self.process.clone() };
        self.make(&link, Call::Beat, call);
    }

    /// Looks whether Redis answers, where nothing else is asked.
    pub(super) fn ping(&mut self) {
        let Some(link) = self.contact.link().cloned() else { return };
        self.make(&link, Call::Ping, Pinging);
    }

    /// Takes in an answer.
    pub(super) fn take_answer(&mut self, answer: Answer) {
        let Answer { call, made, result } = answer;
        let told = match result {
            Ok(told) => told,
            Err(Fault::Refused(text)) if matches!(call, Call::Line(_)) => {
                return self.refused(call, &text);
            }
            Err(fault) => return self.lose(fault, made),
        };
        self.contact.answered(Instant::now());
        match (call, told) {
            (Call::Line(topic), told) => self.take_line_answer(&topic, told),
            (_, Told::Alive(alive)) => self.alive = Arc::new(alive),
            _ => {}
        }
    }

    fn take_line_answer(&mut self, topic: &Topic, told: Told) {
        let Some(line) = self.lines.get_mut(topic) else { return };
        line.calling = false;
        match told {
            Told::Published { mut synced, outdated } => {
                metrics::add(&self.local.shared.counters.cluster_dropped, outdated);
                line.flight.clear();
                line.kept &= !line.queue.is_empty();
                if let (Topic::Room(room), Stage::Off) = (topic, line.stage) {
                    // News says nothing of the counts.
                    synced.counts = synced.counts.or_else(|| self.local.rooms.known(room).counts);
                    self.local.deliver(|rooms, deliver| rooms.adopt(room, &synced, false, deliver));
                }
            }
            Told::Subscribed => line.stage = Stage::Subscribed,
            Told::Unsubscribed | Told::Alive(_) | Told::Pong => {}
            Told::Synced(synced, records, epoch) => {
                line.stage = Stage::Live;
                self.synced(topic, &synced, records, epoch);
            }
            Told::Looked(synced) => {
                if let (Topic::Room(room), Stage::Off) = (topic, line.stage) {
                    self.local.deliver(|rooms, deliver| rooms.adopt(room, &synced, false, deliver));
                }
            }
            Told::Forgotten(epoch) => {
                line.flight.clear();
                if let Topic::Room(room) = topic {
                    self.local.rooms.begin_anew(room, &epoch);
                    self.send_order(&Order::ForgetRoom(room.clone(), Some(epoch)));
                }
            }
            Told::Members(members) => line.told = Some(members),
            Told::Counted(others, alive) => {
                let askers = std::mem::take(&mut line.askers);
                self.alive = alive.map_or_else(|| self.alive.clone(), Arc::new);
                if let Topic::Room(room) = topic {
                    askers.into_iter().for_each(|asker| self.tell_count(room, asker, others));
                }
            }
        }
        self.enlist(topic);
    }

    /// Redis will not do one thing, and does all others: what depends on it goes on without.
    fn refused(&mut self, call: Call, text: &str) {
        let Call::Line(topic) = call else { return };
        let now = Instant::now();
        if self.refused_at.is_none_or(|at| now.duration_since(at) > BETWEEN_COMPLAINTS) {
            self.refused_at = Some(now);
            let hosts = self.address.hosts();
            let message = format!("Redis at {hosts} refuses what a room needs: {text}");
            self.local.notices.tell(Notice::Error { code: "CLUSTER_REFUSED", message });
        }
        let Some(line) = self.lines.get_mut(&topic) else { return };
        line.calling = false;
        line.told = Some(line.members);
        let items = std::mem::take(&mut line.flight);
        let askers = std::mem::take(&mut line.askers);
        if line.stage == Stage::Subscribed {
            line.stage = Stage::Live;
            self.admit(&topic);
        }
        for item in items.iter().filter(|item| item.mode != Mode::Late) {
            self.do_here(&topic, item);
        }
        metrics::add(&self.local.shared.counters.cluster_dropped, items.len() as u64);
        if let Topic::Room(room) = &topic {
            askers.into_iter().for_each(|asker| self.tell_count(room, asker, 0));
        }
        self.enlist(&topic);
    }

    pub(super) fn drop_line(&mut self, topic: &Topic) {
        if let Some(line) = self.lines.remove(topic) {
            self.channels.remove(&line.keys.channel);
        }
        if let Topic::Room(room) = topic {
            self.local.rooms.retire(room);
        }
    }
}
