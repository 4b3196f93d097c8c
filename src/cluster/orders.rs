//! Orders, which every process follows, each once.

use std::sync::Arc;

use super::Cluster;
use super::line::Topic;
use super::order::decode;
use super::record::Record;
use crate::errand::Order;
use crate::room::{Synced, Taken};

impl Cluster {
    /// Follows orders that were told, unless some before them were not.
    pub(super) fn follow(&mut self, epoch: &Arc<str>, records: &[Record]) -> Taken {
        for record in records {
            let seq = record.numbered.seq;
            let (known, upto) = self.followed.clone().unwrap_or_default();
            let same = known.as_ref() == Some(epoch);
            if same && seq <= upto {
                continue;
            }
            if seq != if same { upto + 1 } else { 1 } {
                return Taken::Gap;
            }
            self.followed = Some((Some(epoch.clone()), seq));
            self.obey(record);
        }
        Taken::All
    }

    /// Follows what was missed. A process that is new has missed nothing.
    pub(super) fn catch_up(&mut self, synced: &Synced, epoch: &Arc<str>, records: &[Record]) {
        let newest = synced.epoch.as_ref().map_or((None, 0), |_| (Some(epoch.clone()), synced.seq));
        let Some((known, upto)) = self.followed.replace(newest) else { return };
        let upto = if known.as_ref() == Some(epoch) { upto } else { 0 };
        records
            .iter()
            .filter(|record| record.numbered.seq > upto)
            .for_each(|record| self.obey(record));
    }

    fn obey(&mut self, record: &Record) {
        let Some(order) = decode(&record.numbered.head) else { return };
        match (order, record.own) {
            (Order::DisconnectRoom(room), own) => {
                if own.is_none_or(|own| !self.obeyed.remove(&own)) {
                    self.local.disconnect_room(&room);
                }
            }
            // Of the others their own process did its part at once.
            (_, Some(_)) => {}
            (Order::DisconnectUser(user, reason), None) => {
                self.local.disconnect_user(&user, &reason);
            }
            (Order::RemoveFromRoom(user, room), None) => {
                self.local.remove_from_room(&user, &room);
            }
            (Order::ForgetRoom(room), None) => {
                self.local.rooms.forget(&room);
            }
        }
    }

    /// Does here what waits to be told to all: Redis is away.
    pub(super) fn obey_alone(&mut self) {
        let Some(line) = self.lines.get(&Topic::Orders) else { return };
        let waiting = line.flight.iter().chain(&line.queue);
        for (id, order) in
            waiting.filter_map(|item| Some((item.id, decode(&item.head)?))).collect::<Vec<_>>()
        {
            if let Order::DisconnectRoom(room) = order
                && self.obeyed.insert(id)
            {
                self.local.disconnect_room(&room);
            }
        }
    }
}
