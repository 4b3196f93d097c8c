//! Notices on their way to JavaScript.
//!
//! The hub's threads put them into a queue and ring a doorbell, a threadsafe function that carries nothing: JavaScript
//! then fetches all that is there. So a thread never waits for JavaScript, and many notices cost one crossing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use napi::Status;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};

use crate::notice::{Level, Notice, Notices};

/// News that may wait for JavaScript; what comes when it is full is counted and dropped.
const NEWS: usize = 10_000;

/// Weak: it does not keep the event loop alive. One ring is enough, however many notices wait.
pub(super) type Doorbell = ThreadsafeFunction<(), (), (), Status, false, true, 1>;

#[derive(Debug, Default)]
struct Queue {
    notices: VecDeque<Notice>,
    /// How many of them are only news.
    news: usize,
    dropped: u64,
}

/// The queue of one hub.
#[derive(Default)]
pub(super) struct Mailbox {
    queue: Mutex<Queue>,
    wanted: AtomicU32,
    rung: AtomicBool,
    doorbell: Mutex<Option<Doorbell>>,
}

impl Mailbox {
    pub(super) fn install(&self, doorbell: Doorbell) {
        *self.doorbell.lock().unwrap_or_else(PoisonError::into_inner) = Some(doorbell);
    }

    /// Takes the doorbell down: what is told from now on stays unheard.
    pub(super) fn uninstall(&self) {
        let doorbell = self.doorbell.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(doorbell);
    }

    /// Which news has a listener.
    pub(super) fn want(&self, mask: u32) {
        self.wanted.store(mask, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that waits.
    pub(super) fn take(&self) -> VecDeque<Notice> {
        // Before the queue is looked at: what comes after that rings again.
        self.rung.store(false, Ordering::Release);
        let Queue { mut notices, dropped, .. } = std::mem::take(&mut *self.lock());
        if dropped > 0 {
            let message =
                format!("{dropped} events were dropped: JavaScript did not take them fast enough");
            notices.push_back(Notice::Log { level: Level::Warn, message });
        }
        notices
    }

    fn ring(&self) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(doorbell) = &*self.doorbell.lock().unwrap_or_else(PoisonError::into_inner) {
            // Never blocking: a blocking call waits while it holds a lock that the environment's end needs.
            // A full queue means that the bell is ringing; a closing environment has nobody to hear it.
            let _ = doorbell.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

fn is_news(notice: &Notice) -> bool {
    matches!(
        notice,
        Notice::Connection(_)
            | Notice::Disconnect { .. }
            | Notice::Join(..)
            | Notice::Leave(..)
            | Notice::Slow(_)
            | Notice::Cluster { .. }
            | Notice::Log { .. }
            | Notice::Error { .. }
    )
}

impl Notices for Mailbox {
    fn tell(&self, notice: Notice) {
        let mut queue = self.lock();
        if is_news(&notice) {
            if queue.news >= NEWS {
                queue.dropped += 1;
                return;
            }
            queue.news += 1;
        }
        queue.notices.push_back(notice);
        drop(queue);
        self.ring();
    }

    fn wants(&self, news: u32) -> bool {
        self.wanted.load(Ordering::Relaxed) & news != 0
    }
}
