//! Which connections of a shard have something to do.
//!
//! A connection is a slot, not a task: tokio wakes the slot, and the shard polls it among the others. That saves the
//! task, and leaves the shard the one owner of its sessions.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// The slots that were woken and not polled since.
#[derive(Debug, Default)]
pub(super) struct Ready {
    woken: Mutex<VecDeque<Arc<SlotWaker>>>,
    shard: AtomicWaker,
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<SlotWaker>>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.shard.register(waker);
    }

    /// Moves the woken slots into `into`.
    pub(super) fn take(&self, into: &mut VecDeque<Arc<SlotWaker>>) {
        into.append(&mut self.lock());
    }
}

/// Wakes one slot.
#[derive(Debug)]
pub(super) struct SlotWaker {
    pub(super) slot: usize,
    /// The connection: a slot is used again.
    pub(super) id: u64,
    /// It is in the list: once is enough.
    listed: AtomicBool,
    ready: Arc<Ready>,
}

impl SlotWaker {
    pub(super) fn waker(slot: usize, id: u64, ready: Arc<Ready>) -> Waker {
        Arc::new(Self { slot, id, listed: AtomicBool::new(false), ready }).into()
    }

    /// To be called before the slot is polled: what wakes it from now on lists it again.
    pub(super) fn unlist(&self) {
        self.listed.store(false, Ordering::Release);
    }
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.listed.swap(true, Ordering::AcqRel) {
            return;
        }
        let first = {
            let mut woken = self.ready.lock();
            woken.push_back(self.clone());
            woken.len() == 1
        };
        if first {
            self.ready.shard.wake();
        }
    }
}
