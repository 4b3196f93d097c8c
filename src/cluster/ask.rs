//! Each of the questions that Redis is asked, and what is made of its answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};

use super::fault::{Fault, unexpected};
use super::line::{Item, Keys, Kind, Mode};
use super::link::{Link, Script, text_of};
use super::record::{Record, batch, counts, of_history};
use crate::room::{Known, Synced, new_epoch};

/// How long a process that gives no sign of life is taken to be alive.
const DEAD: Duration = Duration::from_secs(15);
/// How long orders are held for who was away, and how many.
pub(super) const ORDERS: (Duration, usize) = (Duration::from_secs(3600), 1000);

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
    /// The epoch that the room is in since then.
    Forgotten(String),
    Members(u64),
    /// Clients on other processes, and, where that had to be asked, who lives.
    Counted(u64, Option<HashSet<String>>),
    Alive(HashSet<String>),
    Pong,
}

/// What is asked in one call.
pub(super) trait Ask: Send + 'static {
    fn ask(self, link: Link) -> impl Future<Output = Result<Told, Fault>> + Send;
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX >> 11)
}

/// A line's updates in Redis, as its scripts see them.
pub(super) struct Stream {
    pub(super) keys: Arc<Keys>,
    pub(super) process: Arc<str>,
    /// For how long they are held, and how many.
    pub(super) ttl: Duration,
    pub(super) history: usize,
}

impl Stream {
    async fn run(
        &self,
        link: &Link,
        script: Script,
        write: impl FnOnce(&mut Cmd),
    ) -> Result<Vec<Value>, Fault> {
        let names = [&*self.keys.state, &self.keys.history, &self.keys.channel];
        let answer = link.run(script, &names, |command| {
            command.arg(&*new_epoch()).arg(self.history).arg(millis(self.ttl));
            command.arg(link.run_id()).arg(&*self.process);
            write(command);
        });
        answer.await
    }
}

pub(super) struct Publishing {
    pub(super) stream: Stream,
    pub(super) items: Vec<Item>,
}

impl Ask for Publishing {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        let Self { stream, items } = self;
        let mode = items.first().map_or(Mode::First, |item| item.mode);
        let last = items.last().map_or(0, |item| item.id);
        let newest = items.iter().rev().find_map(|item| Some((item.counts?, item.at)));
        let at = newest.map_or_else(|| items.last().map_or(0, |item| item.at), |(_, at)| at);
        let (batch, count) = batch(&stream.process, &items);
        let answer = stream.run(&link, Script::Publish, |command| {
            command.arg(mode.as_str()).arg(last).arg(count).arg(at);
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

pub(super) struct Subscription {
    pub(super) keys: Arc<Keys>,
    pub(super) on: bool,
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

pub(super) struct Syncing {
    pub(super) stream: Stream,
    pub(super) known: Known,
    /// An update that says the newest counts.
    pub(super) own: Option<Item>,
}

impl Syncing {
    async fn look(&self, link: Link) -> Result<(Synced, Vec<Record>), Fault> {
        let process = &self.stream.process;
        let answer = self.stream.run(&link, Script::Sync, |command| {
            let (epoch, seq) =
                self.known.upto.as_ref().map_or(("", 0), |(epoch, seq)| (epoch, *seq));
            command.arg(epoch).arg(seq);
            if let Some((own, counts)) = self.own.as_ref().and_then(|own| Some((own, own.counts?)))
            {
                let (batch, _) = batch(process, std::slice::from_ref(own));
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
            records.extend(of_history(bytes, process).unwrap_or_default());
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
pub(super) struct Looking(pub(super) Syncing);

impl Ask for Looking {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        Ok(Told::Looked(self.0.look(link).await?.0))
    }
}

pub(super) struct Forgetting {
    pub(super) stream: Stream,
    /// When, in µs.
    pub(super) at: u64,
}

impl Ask for Forgetting {
    async fn ask(self, link: Link) -> Result<Told, Fault> {
        let at = self.at;
        let answer = self.stream.run(&link, Script::Forget, |command| _ = command.arg(at)).await?;
        let epoch = answer.into_iter().nth(1).and_then(text_of);
        Ok(Told::Forgotten(epoch.ok_or_else(unexpected)?))
    }
}

pub(super) struct Telling {
    pub(super) keys: Arc<Keys>,
    pub(super) process: Arc<str>,
    pub(super) members: u64,
    pub(super) ttl: Duration,
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

pub(super) struct Beating {
    pub(super) processes: String,
    pub(super) process: Arc<str>,
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

pub(super) struct Counting {
    pub(super) keys: Arc<Keys>,
    pub(super) process: Arc<str>,
    pub(super) processes: String,
    pub(super) alive: Arc<HashSet<String>>,
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

pub(super) struct Pinging;

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
    let stream = Stream { keys: Arc::new(orders), process, ttl, history };
    Publishing { stream, items: vec![item] }.ask(link.clone()).await?;
    Ok(())
}
