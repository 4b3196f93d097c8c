//! What Redis tells: updates, and that the connection is gone.

use std::sync::Arc;
use std::task::{Context, Poll};

use redis::{PushInfo, PushKind, Value};
use tokio::time::Instant;

use super::Cluster;
use super::fault::Fault;
use super::line::{Stage, Topic};
use super::record::{Record, message};
use crate::local::Local;
use crate::room::{Numbered, Synced, Taken};
use crate::room_id::RoomId;

impl Cluster {
    /// Takes in all that was told. True where there was something.
    pub(super) fn take_told(&mut self, cx: &mut Context<'_>) -> bool {
        let mut any = false;
        while let Some(pushes) = self.contact.pushes()
            && let Poll::Ready(Some(push)) = pushes.poll_recv(cx)
        {
            any = true;
            self.take_push(push);
        }
        any
    }

    fn take_push(&mut self, push: PushInfo) {
        let PushInfo { kind, mut data } = push;
        match kind {
            PushKind::SMessage => {
                let (Some(Value::BulkString(payload)), Some(Value::BulkString(channel))) =
                    (data.pop(), data.pop())
                else {
                    return;
                };
                let topic = str::from_utf8(&channel).ok().and_then(|name| self.channels.get(name));
                if let Some(topic) = topic.cloned()
                    && let Some((epoch, records)) = message(payload, &self.process)
                {
                    self.take_message(&topic, epoch, records);
                }
            }
            PushKind::Disconnection => {
                self.lose(Fault::Away("the connection was closed".into()), Instant::now());
            }
            PushKind::SUnsubscribe => {
                let Some(Value::BulkString(channel)) = data.first() else { return };
                let topic = str::from_utf8(channel).ok().and_then(|name| self.channels.get(name));
                let Some(line) = topic.and_then(|topic| self.lines.get_mut(topic)) else { return };
                if !std::mem::take(&mut line.leaving) {
                    // Nobody here has asked for it: the room has moved to another node, maybe just after it said that it
                    // would tell of it. And it counts as the answer to a call that has another one.
                    self.lose(
                        Fault::Away("a room has moved to another node".into()),
                        Instant::now(),
                    );
                }
            }
            _ => {}
        }
    }

    fn take_message(&mut self, topic: &Topic, epoch: Arc<str>, records: Vec<Record>) {
        let Some(line) = self.lines.get_mut(topic) else { return };
        match line.stage {
            Stage::Off => {}
            Stage::Subscribed => line.hold(epoch, records),
            Stage::Live => self.take_records(topic, &epoch, records),
        }
    }

    /// Takes in records of a line that is up to date.
    fn take_records(&mut self, topic: &Topic, epoch: &Arc<str>, records: Vec<Record>) {
        self.confirm(topic, &records);
        let taken = match topic {
            Topic::Orders => self.follow(epoch, &records),
            Topic::Room(room) => self.take_updates(room, epoch, records),
        };
        if taken == Taken::Gap {
            self.line(topic).stage = Stage::Subscribed;
        }
    }

    fn take_updates(&mut self, room: &RoomId, epoch: &str, records: Vec<Record>) -> Taken {
        let mut updates: Vec<Numbered> = Vec::with_capacity(records.len());
        let mut taken = Taken::All;
        let mut take = |updates: &mut Vec<Numbered>, local: &Local| {
            if taken == Taken::All && !updates.is_empty() {
                taken = local.deliver(|rooms, deliver| rooms.take(room, epoch, updates, deliver));
            }
            updates.clear();
        };
        for record in records {
            if !record.closes {
                updates.push(record.numbered);
            } else if record.own.is_none_or(|own| !self.obeyed.remove(&own)) {
                take(&mut updates, &self.local);
                self.local.disconnect_room(room);
            }
        }
        take(&mut updates, &self.local);
        taken
    }

    /// What has come back needs not be sent again.
    fn confirm(&mut self, topic: &Topic, records: &[Record]) {
        if let Some(line) = self.lines.get_mut(topic) {
            records.iter().filter_map(|record| record.own).for_each(|own| line.confirm(own));
        }
    }

    /// A line is up to date with what Redis holds.
    pub(super) fn synced(
        &mut self,
        topic: &Topic,
        synced: &Synced,
        records: Vec<Record>,
        epoch: Arc<str>,
    ) {
        self.confirm(topic, &records);
        match topic {
            Topic::Room(room) => {
                self.local.deliver(|rooms, deliver| rooms.adopt(room, synced, true, deliver));
            }
            Topic::Orders => {
                self.catch_up(synced, &epoch, &records);
                self.ready();
            }
        }
        let held = self.lines.get_mut(topic).map(|line| std::mem::take(&mut line.held));
        for (epoch, records) in held.unwrap_or_default() {
            if self.lines.get(topic).is_some_and(|line| line.is_live()) {
                self.take_records(topic, &epoch, records);
            }
        }
        if self.lines.get(topic).is_some_and(|line| line.is_live()) {
            self.admit(topic);
        }
    }
}
