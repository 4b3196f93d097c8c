//! What the cluster's thread is asked to do by the others, and the queue that it is left in.
//!
//! Lower floors only leave errands here; who runs them is none of their business.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use crate::close::CloseReason;
use crate::message::Resume;
use crate::room_id::RoomId;
use crate::update::Counts;

/// In microseconds since the Unix epoch.
pub fn micros(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// An update that is yet to be numbered.
#[derive(Debug)]
pub struct Unnumbered {
    /// The room.
    pub room: RoomId,
    /// Its message up to the number; see [`update::head`](crate::update::head).
    pub head: Bytes,
    /// What it says of the room.
    pub counts: Option<Counts>,
    /// When the bot handed it over, in microseconds since the Unix epoch.
    pub at: u64,
}

/// What every process is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Close all connections of a user.
    DisconnectUser(String, CloseReason),
    /// End a user's memberships of a room.
    RemoveFromRoom(String, RoomId),
    /// Close all members of a room.
    DisconnectRoom(RoomId),
    /// Drop a room's state and history. The epoch that the room is in since then, once it is known: what has been told of
    /// that may come before the order.
    ForgetRoom(RoomId, Option<String>),
}

/// Whom a figure is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A client on this shard.
    Client {
        /// The shard.
        shard: usize,
        /// The connection.
        id: u64,
    },
    /// The bot, and the number of its question.
    Bot(u64),
}

/// One thing to do.
#[derive(Debug)]
pub enum Errand {
    /// Have an update numbered, and all processes told.
    Publish(Unnumbered),
    /// Have all processes follow an order.
    Order(Order),
    /// Say when the room is up to date here, so that this client can join it.
    Join {
        /// The client's shard.
        shard: usize,
        /// The connection.
        id: u64,
        /// The room.
        room: RoomId,
        /// What it saw last.
        resume: Option<Resume>,
    },
    /// A room has other members than before.
    Members(RoomId),
    /// Say how many clients are in the room over all processes.
    Count(RoomId, Asker),
    /// Look what the room's newest state is, for who asks next.
    Refresh(RoomId),
    /// Send off what waits, then have the shards drain.
    Close {
        /// How long clients have to answer their Close.
        grace: Duration,
        /// Over what time the Close frames are sent.
        spread: Duration,
    },
    /// End now.
    Stop,
}

#[derive(Debug, Default)]
struct Queue {
    errands: VecDeque<Errand>,
    /// The thread was woken since it took errands last.
    woken: bool,
}

/// The queue of one hub. What updates come to is bounded by who takes them.
#[derive(Debug, Default)]
pub struct Errands {
    queue: Mutex<Queue>,
    waker: AtomicWaker,
}

impl Errands {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves an errand; never waits.
    pub fn leave(&self, errand: Errand) {
        let mut queue = self.lock();
        queue.errands.push_back(errand);
        // Waking costs more than all the rest: once is enough until it has looked.
        let woken = std::mem::replace(&mut queue.woken, true);
        drop(queue);
        if !woken {
            self.waker.wake();
        }
    }

    /// Who is to be woken.
    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Moves all that waits behind what is in `into`.
    pub fn take(&self, into: &mut VecDeque<Errand>) {
        let mut queue = self.lock();
        queue.woken = false;
        if into.is_empty() {
            std::mem::swap(&mut queue.errands, into);
        } else {
            into.append(&mut queue.errands);
        }
    }
}
