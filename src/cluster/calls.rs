//! What Redis is asked, and what comes of the answers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use redis::Value;
use tokio::time::Instant;

use super::fault::{Fault, unexpected};
use super::line::{Item, Keys, Kind, Line, Mode, Stage, Topic};
use super::link::{Link, Script, text_of};
use super::record::{Record, batch, counts, of_history};
use super::{CALLS, Cluster, LINGER};
use crate::errand::Order;
use crate::metrics;
use crate::notice::Notice;
use crate::room::{Known, Synced, new_epoch};
use crate::update::{self, Update};

/// Between two signs of life.
pub(super) const BEAT: Duration = Duration::from_secs(5);
/// How long a process that gives none is taken to be alive.
const DEAD: Duration = Duration::from_secs(15);
/// The longest time between two signs that a room is in use.
const RENEWAL: Duration = Duration::from_secs(600);
/// What Redis holds of rooms is held for so long at the least: signs that they are in use come three times in it.
const SHORTEST: Duration = Duration::from_secs(3);
/// Between two log lines on what Redis refuses.
const BETWEEN_COMPLAINTS: Duration = Duration::from_secs(60);
/// How long orders are held for who was away, and how many.
const ORDERS: (Duration, usize) = (Duration::from_secs(3600), 1000);

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

/// What Redis has answered.
#[derive(Debug)]
pub(super) enum Told {
    Published {
        synced: Synced,
        outdated: u64,
    },
    Subscribed,
    Unsubscribed,
    Synced(Synced, Vec<Record>, Arc<str>),
    /// The newest state of a room that is not subscribed.
    Looked(Synced),
    Forgotten,
    Members(u64),
    /// Clients on other processes, and, where that had to be asked, who lives.
    Counted(u64, Option<HashSet<String>>),
    Alive(HashSet<String>),
    Pong,
}

impl Cluster {
    /// Makes the calls that are due. True where there were any.
    pub(super) fn call(&mut self) -> bool {
        let link = self.contact.link().cloned();
        let mut any = false;
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
                any |= self.call_for(link, topic);
            }
        }
        any
    }

    /// What brings a line a step further.
    fn call_for(&mut self, link: &Link, topic: Topic) -> bool {
        let Some(line) = self.lines.get_mut(&topic) else { return false };
        let is_room = topic != Topic::Orders;
        let held = line.idle_since.is_some_and(|since| since.elapsed() < LINGER);
        let wanted = !is_room || line.members > 0 || !line.joins.is_empty() || held;
        let late = line.queue.front().is_some_and(|item| item.mode == Mode::Late);
        let may_publish = late || !line.queue.is_empty() && (!wanted || line.stage == Stage::Live);
        let untold = is_room && line.told.unwrap_or(0) != line.members;
        let asked = !line.askers.is_empty() || untold;
        let keys = line.keys.clone();
        // What is asked now and then has its turn also where updates follow each other without end.
        if may_publish && !(asked && std::mem::take(&mut line.published)) {
            line.published = true;
            if line.load().first().is_some_and(|item| item.kind == Kind::Forget) {
                return self.make(link, Call::Line(topic), Forgetting { keys });
            }
            let call = self.publishing(&topic);
            return self.make(link, Call::Line(topic), call);
        }
        if wanted && line.stage == Stage::Off {
            return self.make(link, Call::Line(topic), Subscription { keys, on: true });
        }
        if wanted && line.stage == Stage::Subscribed {
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
            line.stage = Stage::Off;
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
        false
    }

    fn make(&mut self, link: &Link, call: Call, ask: impl Ask) -> bool {
        if let Call::Line(topic) = &call
            && let Some(line) = self.lines.get_mut(topic)
        {
            line.calling = true;
        }
        let (link, made) = (link.clone(), Instant::now());
        self.calls.push(Box::pin(async move {
            let result = ask.ask(link).await;
            Answer { call, made, result }
        }));
        true
    }

    fn publishing(&mut self, topic: &Topic) -> Publishing {
        let (ttl, history) = self.retention(topic);
        let process = self.process.clone();
        let line = self.lines.get(topic).expect("who publishes has looked at the line");
        let (keys, items) = (line.keys.clone(), line.flight.clone());
        Publishing { keys, process, items, ttl, history }
    }

    fn syncing(&self, topic: &Topic, keys: Arc<Keys>) -> Syncing {
        let (ttl, history) = self.retention(topic);
        let known = match topic {
            Topic::Room(room) => self.local.rooms.known(room),
            Topic::Orders => {
                let followed = self.followed.clone();
                let upto = followed.and_then(|(epoch, seq)| Some((epoch?, seq)));
                Known { upto, counts: None }
            }
        };
        let own = known.counts.and_then(|(counts, at)| match topic {
            Topic::Room(room) => {
                let head = update::head(room, &Update::CountUpdated { counts }, SystemTime::now());
                Some(Item {
                    kind: Kind::Update,
                    id: 0,
                    head,
                    counts: Some(counts),
                    at,
                    mode: Mode::First,
                })
            }
            Topic::Orders => None,
        });
        Syncing { keys, process: self.process.clone(), known, own, ttl, history }
    }

    /// For how long what Redis holds of a line is held, and how many updates.
    fn retention(&self, topic: &Topic) -> (Duration, usize) {
        match topic {
            Topic::Orders => ORDERS,
            Topic::Room(_) => (self.time_to_live(), self.local.shared.options.history),
        }
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
            Told::Published { synced, outdated } => {
                metrics::add(&self.local.shared.counters.cluster_dropped, outdated);
                line.flight.clear();
                line.kept &= !line.queue.is_empty();
                if let (Topic::Room(room), Stage::Off) = (topic, line.stage) {
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
            Told::Forgotten => {
                line.flight.clear();
                if let Topic::Room(room) = topic {
                    self.local.rooms.forget(room);
                    self.send_order(&Order::ForgetRoom(room.clone()));
                }
            }
            Told::Members(members) => line.told = (members > 0).then_some(members),
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

/// What is asked in one call.
trait Ask: Send + 'static {
    fn ask(self, link: Link) -> impl Future<Output = Result<Told, Fault>> + Send;
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX >> 11)
}

struct Publishing {
    keys: Arc<Keys>,
    process: Arc<str>,
    items: Vec<Item>,
    ttl: Duration,
    history: usize,
}

impl Ask for Publishing {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        let Self { keys, process, items, ttl, history } = self;
        let mode = items.first().map_or(Mode::First, |item| item.mode);
        let last = items.last().map_or(0, |item| item.id);
        let newest = items.iter().rev().find_map(|item| Some((item.counts?, item.at)));
        let at = newest.map_or_else(|| items.last().map_or(0, |item| item.at), |(_, at)| at);
        let (batch, count) = batch(&process, &items);
        let names = [&*keys.state, &keys.history, &keys.channel];
        let answer = link.run(Script::Publish, &names, |command| {
            command.arg(&*new_epoch()).arg(history).arg(millis(ttl));
            command.arg(mode.as_str()).arg(&*process).arg(last).arg(count).arg(at);
            match newest {
                Some((counts, _)) => command.arg(counts.current).arg(counts.max),
                None => command.arg("-").arg("-"),
            };
            command.arg(batch);
        });
        let mut answer = answer.await?.into_iter().skip(1).map_while(text_of);
        let mut next = || answer.next().ok_or_else(unexpected);
        let (epoch, seq, outdated) = (next()?, next()?, next()?);
        let seq = seq.parse().map_err(|_| unexpected())?;
        let counts = newest.filter(|_| outdated == "0");
        let synced = Synced { epoch: Some(epoch.into()), seq, counts, updates: Vec::new() };
        Ok(Told::Published { synced, outdated: outdated.parse().map_err(|_| unexpected())? })
    }
}

struct Subscription {
    keys: Arc<Keys>,
    on: bool,
}

impl Ask for Subscription {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        let mut command = redis::cmd(if self.on { "SSUBSCRIBE" } else { "SUNSUBSCRIBE" });
        command.arg(&self.keys.channel);
        // The answer is a push, which counts as one.
        match link.ask(command).await? {
            Value::Push { data, .. } if names(&data, &self.keys.channel) => {}
            _ => return Err(unexpected()),
        }
        Ok(if self.on { Told::Subscribed } else { Told::Unsubscribed })
    }
}

fn names(data: &[Value], channel: &str) -> bool {
    matches!(data.first(), Some(Value::BulkString(name)) if **name == *channel.as_bytes())
}

struct Syncing {
    keys: Arc<Keys>,
    process: Arc<str>,
    known: Known,
    own: Option<Item>,
    ttl: Duration,
    history: usize,
}

impl Syncing {
    async fn look(&self, link: Link) -> Result<(Synced, Vec<Record>), Fault> {
        let names = [&*self.keys.state, &self.keys.history, &self.keys.channel];
        let answer = link.run(Script::Sync, &names, |command| {
            let (epoch, seq) =
                self.known.upto.as_ref().map_or(("", 0), |(epoch, seq)| (epoch, *seq));
            command.arg(&*new_epoch()).arg(self.history).arg(millis(self.ttl));
            command.arg(epoch).arg(seq);
            if let Some((own, counts)) = self.own.as_ref().and_then(|own| Some((own, own.counts?)))
            {
                let (batch, _) = batch(&self.process, std::slice::from_ref(own));
                command.arg(own.at).arg(counts.current).arg(counts.max).arg(batch);
            }
        });
        let mut answer = answer.await?.into_iter().skip(1);
        let mut next = || answer.next().and_then(text_of);
        let Some(epoch) = next() else { return Ok(Default::default()) };
        let mut required = || next().ok_or_else(unexpected);
        let seq = required()?.parse().map_err(|_| unexpected())?;
        let at = required()?.parse().map_err(|_| unexpected())?;
        let counts = counts(&required()?, &required()?).map(|counts| (counts, at));
        let mut records = Vec::new();
        for value in answer {
            let Value::BulkString(bytes) = value else { return Err(unexpected()) };
            // What another version has left is no history.
            records.extend(of_history(bytes, &self.process).unwrap_or_default());
        }
        records.retain(|record| !record.closes);
        let updates = records.iter().map(|record| record.numbered.clone()).collect();
        Ok((Synced { epoch: Some(epoch.into()), seq, counts, updates }, records))
    }
}

impl Ask for Syncing {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        let (synced, records) = self.look(link).await?;
        let epoch = synced.epoch.clone().unwrap_or_default();
        Ok(Told::Synced(synced, records, epoch))
    }
}

/// The same for who does not subscribe.
struct Looking(Syncing);

impl Ask for Looking {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        Ok(Told::Looked(self.0.look(link).await?.0))
    }
}

struct Forgetting {
    keys: Arc<Keys>,
}

impl Ask for Forgetting {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        let mut command = redis::cmd("DEL");
        command.arg(&self.keys.state).arg(&self.keys.history);
        link.ask(command).await?;
        Ok(Told::Forgotten)
    }
}

struct Telling {
    keys: Arc<Keys>,
    process: Arc<str>,
    members: u64,
    ttl: Duration,
}

impl Ask for Telling {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        let names = [&*self.keys.members, &self.keys.state, &self.keys.history];
        let answer = link.run(Script::Tell, &names, |command| {
            let ttl = millis(self.ttl);
            command.arg(&*self.process).arg(self.members).arg(ttl).arg(ttl);
        });
        answer.await?;
        Ok(Told::Members(self.members))
    }
}

struct Beating {
    processes: String,
    process: Arc<str>,
}

impl Beating {
    async fn beat(&self, link: &Link) -> Result<HashSet<String>, Fault> {
        let names = [&*self.processes];
        let answer = link.run(Script::Beat, &names, |command| {
            command.arg(&*self.process).arg(millis(DEAD));
        });
        Ok(answer.await?.into_iter().skip(1).filter_map(text_of).collect())
    }
}

impl Ask for Beating {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        Ok(Told::Alive(self.beat(&link).await?))
    }
}

struct Counting {
    keys: Arc<Keys>,
    process: Arc<str>,
    processes: String,
    alive: Arc<HashSet<String>>,
}

impl Ask for Counting {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        let mut command = redis::cmd("HGETALL");
        command.arg(&self.keys.members);
        let Value::Map(members) = link.ask(command).await? else { return Err(unexpected()) };
        let members: Vec<(String, u64)> = members
            .into_iter()
            .filter_map(|(process, clients)| {
                Some((text_of(process)?, text_of(clients)?.parse().ok()?))
            })
            .filter(|(process, _)| **process != *self.process)
            .collect();
        let known =
            |alive: &HashSet<String>| members.iter().all(|(process, _)| alive.contains(process));
        if known(&self.alive) {
            return Ok(Told::Counted(members.iter().map(|(_, clients)| clients).sum(), None));
        }
        // It has begun since we looked, or has ended.
        let Self { keys, processes, process, .. } = self;
        let alive = Beating { processes, process }.beat(&link).await?;
        let mut sum = 0;
        for (process, clients) in &members {
            if alive.contains(process) {
                sum += clients;
            } else {
                let mut command = redis::cmd("HDEL");
                command.arg(&keys.members).arg(process);
                link.ask(command).await?;
            }
        }
        Ok(Told::Counted(sum, Some(alive)))
    }
}

struct Pinging;

impl Ask for Pinging {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        // Of a Redis Cluster all primaries are asked.
        link.ask(redis::cmd("PING")).await?;
        Ok(Told::Pong)
    }
}

/// Tries whether Redis does what will be asked of it: takes something in, and tells it.
pub(super) async fn try_out(
    link: &Link,
    processes: String,
    process: Arc<str>,
    orders: Keys,
) -> Result<(), Fault> {
    Beating { processes, process: process.clone() }.beat(link).await?;
    let (ttl, history) = ORDERS;
    // One that nobody follows, and that has no number.
    let item = Item {
        kind: Kind::Close,
        id: 0,
        head: Bytes::new(),
        counts: None,
        at: 0,
        mode: Mode::First,
    };
    Publishing { keys: Arc::new(orders), process, items: vec![item], ttl, history }
        .ask(link.clone())
        .await?;
    Ok(())
}

impl Line {
    /// Whether orders may be followed from here on.
    pub(super) fn is_live(&self) -> bool {
        self.stage == Stage::Live
    }
}
