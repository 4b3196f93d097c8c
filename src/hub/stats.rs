//! A hub's figures.

use std::sync::Arc;
use std::time::Duration;

use super::Hub;
use crate::metrics::{self, Gauges, Totals};
use crate::room_id::RoomId;

/// Figures of one hub.
#[derive(Debug)]
pub struct Stats {
    /// Ids of the rooms with members.
    pub active_rooms: Vec<RoomId>,
    /// Memberships.
    pub memberships: u64,
    /// Distinct users that are in a room.
    pub users: u64,
    /// Open sockets.
    pub connections: u64,
    /// Rooms with a state, a history or members.
    pub rooms: u64,
    /// Updates that the bot has handed over.
    pub updates: u64,
    /// Updates given to clients.
    pub deliveries: u64,
    /// Updates dropped for newer ones.
    pub conflated: u64,
    /// Clients whose backlog is being conflated.
    pub slow: u64,
    /// Since the hub was opened.
    pub uptime: Duration,
    /// (connections, bytes that wait) by shard.
    pub threads: Vec<(u64, u64)>,
}

impl Hub {
    /// Names of the users that are in a room.
    pub fn users_in_rooms(&self) -> Vec<Arc<str>> {
        self.local.users.names_in_rooms()
    }

    /// The hub's figures.
    pub fn stats(&self) -> Stats {
        let counters = &self.local.shared.counters;
        let totals = self.totals();
        let threads = self.shards.iter().map(|shard| {
            (metrics::get(&shard.gauges.connections), metrics::get(&shard.gauges.backlog))
        });
        Stats {
            active_rooms: self.local.rooms.active(),
            memberships: totals.memberships,
            users: self.local.users.in_rooms(),
            connections: totals.connections,
            rooms: totals.rooms,
            updates: metrics::get(&counters.updates),
            deliveries: metrics::get(&counters.deliveries),
            conflated: metrics::get(&counters.conflated),
            slow: totals.slow_clients,
            uptime: self.opened.elapsed(),
            threads: threads.collect(),
        }
    }

    /// Prometheus text.
    pub fn metrics(&self) -> String {
        metrics::render(&self.local.shared.counters, &self.totals())
    }

    fn totals(&self) -> Totals {
        let (rooms, memberships) = self.local.rooms.totals();
        let sum =
            |gauge: fn(&Gauges) -> u64| self.shards.iter().map(|shard| gauge(&shard.gauges)).sum();
        Totals {
            connections: self.local.shared.admission.open() as u64,
            rooms,
            memberships,
            buffered_bytes: sum(|gauges| metrics::get(&gauges.backlog)),
            slow_clients: sum(|gauges| metrics::get(&gauges.slow)),
            clustered: self.errands.is_some(),
        }
    }
}
