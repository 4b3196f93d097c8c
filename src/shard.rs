//! A thread of the hub: its runtime, its connections, their memberships, and the fan-out to them.
//!
//! A shard owns its sessions outright; no other thread touches them. What other threads want of it comes through its
//! [`Inbox`].

mod arrivals;
mod commands;
mod drain;
mod effects;
mod fanout;
mod inbox;
mod listening;
mod membership;
mod pace;
mod ready;
mod slot;
mod timers;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};

use slab::Slab;

use crate::close::{self, CloseReason};
use crate::errand::Errands;
use crate::metrics::Gauges;
use crate::notice::{Notice, Notices};
use crate::room::RoomTable;
use crate::session::Scratch;
use crate::shared::Shared;
use crate::transport::Poller;
use crate::user::UserTable;

use drain::Drain;
use fanout::LocalRooms;
pub use inbox::{Command, Inbox, Inboxes, Newcomer, Socket};
use listening::Listeners;
use pace::Pace;
use ready::{List, Ready, SlotWaker};
use slot::{Connection, Slot};
use timers::Timers;

/// Connections that are polled before the shard looks at its inbox and its sockets again.
const POLLS: usize = 64;

/// What a shard is made of, besides itself.
pub struct Parts {
    /// Its number among the hub's shards.
    pub index: usize,
    /// The hub's options, counters and limits.
    pub shared: Arc<Shared>,
    /// The hub's rooms.
    pub rooms: Arc<RoomTable>,
    /// The hub's users.
    pub users: Arc<UserTable>,
    /// What the bot's side is told.
    pub notices: Arc<dyn Notices>,
    /// Its own gauges.
    pub gauges: Arc<Gauges>,
    /// All shards' queues of commands.
    pub inboxes: Arc<Inboxes>,
    /// Ids for its connections.
    pub ids: Arc<Ids>,
    /// Where it leaves what the other processes have a part in.
    pub errands: Option<Arc<Errands>>,
}

/// Numbers the connections of one shard so that the number tells the shard.
#[derive(Debug)]
pub struct Ids {
    next: AtomicU64,
    step: u64,
}

impl Ids {
    /// For the shard `index` of `shards`.
    pub fn new(index: usize, shards: usize) -> Self {
        // From one shard's number of zero nothing can be told apart from nothing: ids start above it.
        Self { next: AtomicU64::new((shards + index) as u64), step: shards as u64 }
    }

    /// The next connection's id.
    pub fn next(&self) -> u64 {
        self.next.fetch_add(self.step, Ordering::Relaxed)
    }
}

/// Starts a shard's thread, which calls `ended` as the last thing it does.
///
/// # Errors
/// Where the system has no thread or no poll descriptor left.
pub fn spawn(parts: Parts, ended: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // The shard is the one task: each time that it yields, the sockets are looked at.
        .event_interval(1)
        .build()?;
    let name = format!("roomcast-{}", parts.index);
    let shard = {
        let _within = runtime.enter();
        run(parts)?
    };
    thread::Builder::new().name(name).spawn(move || {
        // A spawned task is woken by its own thread without a system call, one that `block_on` polls itself is not.
        let shard = runtime.spawn(shard);
        // The task ends by itself and its panics are caught inside, so there is no error to see to.
        let _ = runtime.block_on(shard);
        drop(runtime);
        ended();
    })
}

/// A shard as a future, for whoever runs it elsewhere than on a thread of its own. Needs a tokio runtime around it.
///
/// # Errors
/// Where the system has no poll descriptor left.
pub fn run(parts: Parts) -> io::Result<impl Future<Output = ()> + Send> {
    let poller = Poller::new()?;
    Ok(async move {
        let mut shard = Shard::new(parts, poller);
        // The shard rations itself; tokio's budget per task is meant for tasks of one connection.
        tokio::task::unconstrained(std::future::poll_fn(move |cx| shard.guarded_turn(cx))).await;
    })
}

struct Shard {
    parts: Parts,
    slots: Slab<Slot>,
    /// Slots by the connection's id.
    ids: HashMap<u64, usize>,
    local: LocalRooms,
    timers: Timers,
    ready: Arc<Ready>,
    /// What the other threads woke, before it is on the list.
    woken: Vec<(usize, u64)>,
    /// Slots that have something to do.
    list: List,
    poller: Poller,
    scratch: Scratch,
    /// Commands that are being carried out.
    commands: VecDeque<Command>,
    pace: Pace,
    listeners: Listeners,
    /// Accepted sockets that may not be sessions yet, the oldest first; kept where their number is limited.
    arriving: VecDeque<(usize, u64)>,
    draining: Option<Drain>,
    stopped: bool,
}

impl Shard {
    fn new(parts: Parts, poller: Poller) -> Self {
        Self {
            parts,
            slots: Slab::new(),
            ids: HashMap::new(),
            local: LocalRooms::default(),
            timers: Timers::default(),
            ready: Arc::default(),
            woken: Vec::new(),
            list: List::default(),
            poller,
            scratch: Scratch::default(),
            commands: VecDeque::new(),
            pace: Pace::default(),
            listeners: Listeners::default(),
            arriving: VecDeque::new(),
            draining: None,
            stopped: false,
        }
    }

    /// One turn; a panic that is not a session's own ends all connections and leaves the shard empty, but alive.
    fn guarded_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        catch_unwind(AssertUnwindSafe(|| self.turn(cx))).unwrap_or_else(|panic| {
            self.start_again(panic_message(&*panic));
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inbox().register(cx.waker());
        self.parts.inboxes.wake_waiting();
        self.ready.register(cx.waker());
        self.take_commands();
        self.collect(cx);
        self.accept(cx);
        self.expire();
        self.drain_on();
        let more = self.poll_listed() | self.fan_out();
        if self.stopped || self.is_drained() {
            self.end_all();
            return Poll::Ready(());
        }
        // The fan-out may have listed who does not take all of it.
        if more || !self.list.is_empty() || !self.may_sleep() {
            self.inbox().look();
            cx.waker().wake_by_ref();
        } else {
            self.sleep(cx);
        }
        Poll::Pending
    }

    fn inbox(&self) -> &Inbox {
        self.parts.inboxes.of(self.parts.index)
    }

    /// Settles who sees to it that the next update is found: whoever brings it, or a look after a short rest.
    fn may_sleep(&self) -> bool {
        if self.pace.look_at().is_some() {
            self.inbox().look();
            return true;
        }
        !self.inbox().look_no_more()
    }

    /// Has a connection polled in this turn or the next.
    fn enlist(&mut self, key: usize) {
        if let Some(slot) = self.slots.get_mut(key) {
            self.list.push(key, slot);
        }
    }

    /// Lists what the sockets and the other threads have woken.
    fn collect(&mut self, cx: &mut Context<'_>) {
        let Self { poller, slots, list, listeners, .. } = self;
        let polled = poller.poll(cx, |token, readiness| match slots.get_mut(token) {
            Some(slot) => {
                if let Some(transport) = slot.transport() {
                    transport.on_ready(readiness);
                }
                list.push(token, slot);
            }
            None => listeners.on_ready(token),
        });
        if let Err(error) = polled {
            let message = format!("a hub thread cannot poll its sockets: {error}");
            self.parts.notices.tell(Notice::Error { code: "POLL", message });
        }
        self.ready.take(&mut self.woken);
        for (key, id) in self.woken.drain(..) {
            if let Some(slot) = self.slots.get_mut(key).filter(|slot| slot.id == id) {
                self.list.push(key, slot);
            }
        }
    }

    /// Polls what is listed. True where more is left.
    fn poll_listed(&mut self) -> bool {
        for _ in 0..POLLS {
            let Some((key, id)) = self.list.pop() else { return false };
            if let Some(slot) = self.slots.get_mut(key).filter(|slot| slot.id == id) {
                slot.listed = false;
                self.poll_slot(key);
            }
        }
        !self.list.is_empty()
    }

    /// Polls one connection; a panic in it ends that connection alone.
    fn poll_slot(&mut self, key: usize) {
        let polled = catch_unwind(AssertUnwindSafe(|| self.poll_connection(key)));
        if let Err(panic) = polled {
            self.fail(key, &panic_message(&*panic));
        }
        self.scratch.clear();
        self.settle(key);
    }

    /// Ends a connection for a fault of ours.
    fn fail(&mut self, key: usize, message: &str) {
        let message = format!("a connection was closed for a fault of the hub: {message}");
        self.parts.notices.tell(Notice::Error { code: "SESSION_PANIC", message });
        if let Some(slot) = self.slots.get_mut(key) {
            slot.with_session(|session, cx| session.fail(cx));
            self.end(key, close::INTERNAL_SERVER_ERROR);
        }
    }

    /// After a panic: all clients are sent away, and what the shard held of rooms is taken out of the tables.
    fn start_again(&mut self, message: String) {
        self.local = LocalRooms::default();
        for key in self.slots.iter().map(|(key, _)| key).collect::<Vec<_>>() {
            if let Some(slot) = self.slots.get_mut(key) {
                slot.with_session(|session, cx| session.fail(cx));
            }
            self.end(key, close::INTERNAL_SERVER_ERROR);
        }
        // What a join had begun when it was cut off is known to the table alone.
        self.parts.rooms.leave_all(self.parts.index);
        self.scratch.clear();
        let message = format!("a hub thread failed and starts again empty: {message}");
        self.parts.notices.tell(Notice::Error { code: "SHARD_PANIC", message });
    }

    /// Ends what is left at the end of a drain, or where there is no time for one.
    fn end_all(&mut self) {
        for key in self.slots.iter().map(|(key, _)| key).collect::<Vec<_>>() {
            self.end(key, CloseReason::new(close::ABNORMAL, ""));
        }
    }
}

impl Drop for Shard {
    /// A waker that stays behind would keep the runtime's descriptors open for as long as anybody holds the hub or a
    /// relay, in JavaScript until the next garbage collection.
    fn drop(&mut self) {
        self.inbox().unregister();
        self.ready.unregister();
    }
}

/// What a panic says.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
        .into()
}
