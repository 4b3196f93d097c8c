//! When which connection has to be polled though nothing happens.
//!
//! A deadline mostly moves away: each byte from a client puts its heartbeat off. So a slot has one entry, which is left
//! where it is, and who wakes too early looks again and is entered anew.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

use super::Shard;

/// The deadlines of a shard's connections.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// When, and which slot. Who has the slot by then need not be looked at: `Slot::armed` tells a stale entry.
    due: BinaryHeap<Reverse<(Instant, u32)>>,
    /// When the rooms are swept next; one shard does it.
    pub(super) sweep: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timers {
    pub(super) fn arm(&mut self, at: Instant, slot: usize) {
        let slot = u32::try_from(slot).expect("a process has fewer descriptors than that");
        self.due.push(Reverse((at, slot)));
    }

    /// Keeps the entries that still mean something.
    pub(super) fn retain(&mut self, keep: impl Fn(usize, Instant) -> bool) {
        self.due.retain(|Reverse((at, slot))| keep(*slot as usize, *at));
        self.due.shrink_to_fit();
    }

    fn pop(&mut self, now: Instant) -> Option<(Instant, usize)> {
        let due = self.due.peek_mut()?;
        if due.0.0 > now {
            return None;
        }
        let (at, slot) = std::collections::binary_heap::PeekMut::pop(due).0;
        Some((at, slot as usize))
    }
}

impl Shard {
    /// Wakes the connections whose time has come.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        while let Some((at, key)) = self.timers.pop(now) {
            let Some(slot) = self.slots.get_mut(key).filter(|slot| slot.armed == Some(at)) else {
                continue;
            };
            slot.armed = None;
            self.list.push(key, slot);
        }
        self.sweep(now);
    }

    /// Forgets rooms whose time is over: now and then, by the first shard.
    fn sweep(&mut self, now: Instant) {
        if self.parts.index != 0 {
            return;
        }
        let ttl = self.parts.shared.options.room_ttl;
        let due = *self.timers.sweep.get_or_insert(now);
        if now >= due {
            self.parts.rooms.sweep(ttl);
            let every = (ttl / 4)
                .clamp(std::time::Duration::from_millis(10), std::time::Duration::from_secs(60));
            self.timers.sweep = Some(now + every);
        }
    }

    /// Has the shard woken at the next deadline.
    pub(super) fn sleep(&mut self, cx: &mut Context<'_>) {
        let connection = self.timers.due.peek().map(|due| due.0.0);
        let drain = self.draining.as_ref().map(|drain| drain.next_step());
        let look = self.pace.look_at();
        let others = [self.timers.sweep, self.listeners.resume_at(), drain, look];
        let Some(next) = others.into_iter().chain([connection]).flatten().min() else {
            return;
        };
        let sleep = self.timers.sleep.get_or_insert_with(|| Box::pin(sleep_until(next)));
        if sleep.deadline() != next || sleep.is_elapsed() {
            sleep.as_mut().reset(next);
        }
        if let Poll::Ready(()) = sleep.as_mut().poll(cx) {
            cx.waker().wake_by_ref();
        }
    }
}
