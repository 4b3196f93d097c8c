//! Orders, which every process follows, each once.

use std::sync::Arc;

use super::Cluster;
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
            if same && seq <= upto || record.closes {
                continue;
            }
            if seq != if same { upto + 1 } else { 1 } {
                return Taken::Gap;
            }
            self.followed = Some((Some(epoch.clone()), seq));
            self.obey(record, true);
        }
        Taken::All
    }

    /// Follows what was missed. A process that is new has missed nothing.
    pub(super) fn catch_up(&mut self, synced: &Synced, epoch: &Arc<str>, records: &[Record]) {
        let newest = synced.epoch.as_ref().map_or((None, 0), |_| (Some(epoch.clone()), synced.seq));
        let Some((known, upto)) = self.followed.replace(newest) else { return };
        let upto = if known.as_ref() == Some(epoch) { upto } else { 0 };
        let missed = records.iter().filter(|record| record.numbered.seq > upto);
        missed.for_each(|record| self.obey(record, false));
    }

    /// Follows an order; `told` when it was given, and not looked up later.
    fn obey(&mut self, record: &Record, told: bool) {
        let order = decode(&record.numbered.head);
        // Of ours this process did its part at once.
        let Some(order) = order.filter(|_| record.own.is_none()) else { return };
        match order {
            Order::DisconnectUser(user, reason) => {
                self.local.disconnect_user(&user, &reason);
            }
            Order::RemoveFromRoom(user, room) => {
                self.local.remove_from_room(&user, &room);
            }
            // Told, it comes in the room's own line, behind the room's updates.
            Order::DisconnectRoom(_) if told => {}
            Order::DisconnectRoom(room) => {
                self.local.disconnect_room(&room);
            }
            Order::ForgetRoom(room, epoch) => {
                self.local.rooms.begin_anew(&room, &epoch.unwrap_or_default());
            }
        }
    }
}
