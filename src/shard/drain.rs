//! The end of a shard: all clients are told 1001, spread over some time so that they do not come back all at once.

use std::time::Duration;

use tokio::time::Instant;

use super::Shard;
use crate::close;

/// How often the next clients are told.
const STEP: Duration = Duration::from_millis(10);

/// A drain under way.
#[derive(Debug)]
pub(super) struct Drain {
    started: Instant,
    spread: Duration,
    deadline: Instant,
    /// Connections that are yet to be told, by id.
    left: Vec<u64>,
    total: usize,
}

impl Drain {
    pub(super) fn next_step(&self) -> Instant {
        if self.left.is_empty() {
            self.deadline
        } else {
            (Instant::now() + STEP).min(self.deadline)
        }
    }

    /// How many connections should not have been told yet.
    fn due_left(&self, now: Instant) -> usize {
        let elapsed = now.saturating_duration_since(self.started);
        if elapsed >= self.spread {
            return 0;
        }
        let part = elapsed.as_secs_f64() / self.spread.as_secs_f64();
        ((1.0 - part) * self.total as f64) as usize
    }
}

impl Shard {
    /// Starts the drain, or hastens one that is under way.
    pub(super) fn start_drain(&mut self, grace: Duration, spread: Duration) {
        let now = Instant::now();
        self.listeners.clear();
        let deadline = now + spread + grace;
        let left: Vec<u64> = self.slots.iter().map(|(_, slot)| slot.id).collect();
        let deadline =
            self.draining.take().map_or(deadline, |earlier| earlier.deadline.min(deadline));
        self.draining = Some(Drain { started: now, spread, deadline, total: left.len(), left });
    }

    /// Tells the clients whose turn it is.
    pub(super) fn drain_on(&mut self) {
        let now = Instant::now();
        let Some(drain) = &mut self.draining else {
            return;
        };
        let keep = drain.due_left(now).min(drain.left.len());
        for id in drain.left.split_off(keep) {
            if let Some(&key) = self.ids.get(&id) {
                self.close_slot(key, close::SERVER_SHUTTING_DOWN);
            }
        }
    }

    pub(super) fn is_drained(&self) -> bool {
        self.draining
            .as_ref()
            .is_some_and(|drain| self.slots.is_empty() || Instant::now() >= drain.deadline)
    }
}
