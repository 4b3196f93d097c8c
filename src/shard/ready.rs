//! Which connections of a shard have something to do.
//!
//! A connection is a slot, not a task, and the shard polls it among the others. That saves the task, and leaves the shard
//! the one owner of its sessions.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

use super::Slot;

/// The slots that have something to do, in the order in which they are polled.
#[derive(Debug, Default)]
pub(super) struct List(VecDeque<(usize, u64)>);

impl List {
    /// Puts a slot on the list, once.
    pub(super) fn push(&mut self, key: usize, slot: &mut Slot) {
        if !std::mem::replace(&mut slot.listed, true) {
            self.0.push_back((key, slot.id));
        }
    }

    /// The next one, as (slot, connection).
    pub(super) fn pop(&mut self) -> Option<(usize, u64)> {
        self.0.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The slots that were woken from outside, as (slot, connection).
#[derive(Debug, Default)]
pub(super) struct Ready {
    woken: Mutex<Vec<(usize, u64)>>,
    shard: AtomicWaker,
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, Vec<(usize, u64)>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.shard.register(waker);
    }

    /// The shard has ended: nobody is there to be woken.
    pub(super) fn unregister(&self) {
        drop(self.shard.take());
    }

    /// Moves the woken slots into `into`. All of them: only a list that is empty has its next entry wake the shard.
    pub(super) fn take(&self, into: &mut Vec<(usize, u64)>) {
        into.append(&mut self.lock());
    }
}

/// Wakes one slot.
#[derive(Debug)]
pub(super) struct SlotWaker {
    slot: usize,
    /// The connection: a slot is used again.
    id: u64,
    ready: Arc<Ready>,
}

impl SlotWaker {
    pub(super) fn waker(slot: usize, id: u64, ready: Arc<Ready>) -> Waker {
        Arc::new(Self { slot, id, ready }).into()
    }
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let first = {
            let mut woken = self.ready.lock();
            woken.push((self.slot, self.id));
            woken.len() == 1
        };
        if first {
            self.ready.shard.wake();
        }
    }
}
