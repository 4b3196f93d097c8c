//! What a shard is told by other threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use crate::admission::Permit;
use crate::close::CloseReason;
use crate::handshake::Head;
use crate::message::Resume;
use crate::room::{Room, Update};
use crate::room_id::RoomId;
use crate::session::{JoinVerdict, Verdict};
use crate::transport::Relay;

/// Where an adopted connection's bytes go.
#[derive(Debug)]
pub enum Socket {
    /// A descriptor of ours.
    Owned(std::net::TcpStream),
    /// A socket that stays with the bot's event loop.
    Relayed(Arc<Relay>),
}

/// A connection handed over by an attached server.
#[derive(Debug)]
pub struct Newcomer {
    /// Unique within the hub.
    pub id: u64,
    /// Its socket.
    pub socket: Socket,
    /// Its request, already checked.
    pub head: Head,
    /// Bytes that came behind the request.
    pub behind: Bytes,
    /// Its place among the hub's connections, and the client's address.
    pub permit: Permit,
    /// The bot's verdict, where it is known already.
    pub verdict: Option<Verdict>,
}

/// One thing for a shard to do.
#[derive(Debug)]
pub enum Command {
    /// Take over a connection.
    Adopt(Box<Newcomer>),
    /// Accept from this listener too.
    Listen(std::net::TcpListener),
    /// Who a client is.
    Verdict(u64, Verdict),
    /// Whether a client may join.
    JoinVerdict(u64, u64, JoinVerdict),
    /// Whether pages of an origin may connect.
    OriginVerdict(u64, bool),
    /// The room that a client waits for is up to date.
    Join {
        /// The connection.
        id: u64,
        /// The room.
        room: RoomId,
        /// What it saw last.
        resume: Option<Resume>,
    },
    /// How many are in the room that a client has asked about.
    Status {
        /// The connection.
        id: u64,
        /// The room.
        room: RoomId,
        /// Clients over all processes.
        members: u64,
    },
    /// Send this to the room's members.
    Update(Arc<Update>),
    /// Close all members of a room.
    CloseRoom(Arc<Room>, CloseReason),
    /// Close all connections of a user.
    CloseUser(String, CloseReason),
    /// Close one connection.
    CloseClient(u64, CloseReason),
    /// End a user's memberships of a room.
    RemoveFromRoom(String, Arc<Room>),
    /// Close all connections, spread over `spread`, and end `grace` later at the latest.
    Drain {
        /// How long clients have to answer their Close.
        grace: Duration,
        /// Over what time the Close frames are sent.
        spread: Duration,
    },
    /// End now.
    Stop,
}

/// What waits, and who sees to it that it is found.
#[derive(Debug, Default)]
struct Queue {
    commands: VecDeque<Command>,
    /// The shard was woken since it took commands last.
    woken: bool,
    /// The shard will look without being woken.
    looks: bool,
}

/// What a shard finds in its inbox besides the commands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// It was woken.
    pub(super) woken: bool,
    /// There were commands.
    pub(super) found: bool,
}

/// A shard's queue of commands. Unbounded, but nothing stays: the shard empties it before anything else it does, and
/// what updates come to is bounded behind it, in the outboxes.
#[derive(Debug, Default)]
pub struct Inbox {
    queue: Mutex<Queue>,
    waker: AtomicWaker,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over a command; wakes the shard where it may be asleep, even for a short rest.
    pub fn push(&self, command: Command) {
        let wake = {
            let mut queue = self.lock();
            queue.commands.push_back(command);
            !std::mem::replace(&mut queue.woken, true)
        };
        if wake {
            self.wake();
        }
    }

    /// Hands over a command that can wait for a moment. True where the shard has to be woken to find it.
    pub fn leave(&self, command: Command) -> bool {
        let mut queue = self.lock();
        queue.commands.push_back(command);
        // Who finds it woken knows that it has yet to look.
        !queue.looks && !std::mem::replace(&mut queue.woken, true)
    }

    /// Wakes the shard.
    pub fn wake(&self) {
        self.waker.wake();
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// The shard has ended: nobody is there to be woken.
    pub(super) fn unregister(&self) {
        drop(self.waker.take());
    }

    /// Moves all commands behind those in `into`.
    pub(super) fn take(&self, into: &mut VecDeque<Command>) -> Taken {
        let mut queue = self.lock();
        let taken =
            Taken { woken: std::mem::take(&mut queue.woken), found: !queue.commands.is_empty() };
        if into.is_empty() {
            // The usual case: the two vectors take turns, and none is ever allocated anew.
            std::mem::swap(&mut queue.commands, into);
        } else {
            into.append(&mut queue.commands);
        }
        taken
    }

    /// The shard will look again by itself, soon.
    pub(super) fn look(&self) {
        self.lock().looks = true;
    }

    /// The shard is to be woken from now on. True where it has to look first: something has come meanwhile.
    pub(super) fn look_no_more(&self) -> bool {
        let mut queue = self.lock();
        queue.looks = !queue.commands.is_empty();
        queue.looks
    }
}

/// The inboxes of a hub's shards, which wake each other: waking a thread that sleeps takes tens of microseconds, and
/// the bot's thread is to do that once at the most.
#[derive(Debug)]
pub struct Inboxes {
    inboxes: Vec<Inbox>,
    /// Shards that the next shard to awake is to wake, a bit each.
    waiting: AtomicU64,
}

impl Inboxes {
    /// For `shards` shards, at most 64.
    pub fn new(shards: usize) -> Self {
        let inboxes = (0..shards).map(|_| Inbox::default()).collect();
        Self { inboxes, waiting: AtomicU64::new(0) }
    }

    /// The inbox of one shard.
    pub fn of(&self, shard: usize) -> &Inbox {
        &self.inboxes[shard]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Inbox> {
        self.inboxes.iter()
    }

    /// Wakes the shards of a mask: one, which wakes the others.
    pub fn wake(&self, mask: u64) {
        if mask == 0 {
            return;
        }
        let first = mask.trailing_zeros();
        // Before the waking: whoever awakes finds it.
        self.waiting.fetch_or(mask & !(1 << first), Ordering::AcqRel);
        self.inboxes[first as usize].wake();
    }

    /// Wakes the shards of a mask, each of them.
    pub fn wake_each(&self, mask: u64) {
        let shards = self.inboxes.iter().enumerate();
        shards.filter(|(shard, _)| mask >> shard & 1 == 1).for_each(|(_, inbox)| inbox.wake());
    }

    /// To be called by a shard that is awake.
    pub(super) fn wake_waiting(&self) {
        if self.waiting.load(Ordering::Acquire) != 0 {
            self.wake(self.waiting.swap(0, Ordering::AcqRel));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: Command = Command::Stop;

    fn take(inbox: &Inbox) -> (bool, usize) {
        let mut commands = VecDeque::new();
        let Taken { woken, found } = inbox.take(&mut commands);
        assert_eq!(found, !commands.is_empty());
        (woken, commands.len())
    }

    #[test]
    fn a_shard_is_woken_once_for_all_that_waits() {
        let inbox = Inbox::default();
        assert!(inbox.leave(STOP));
        assert!(!inbox.leave(STOP), "it is awake and has yet to look");
        assert_eq!(take(&inbox), (true, 2));
        assert!(inbox.leave(STOP));
    }

    #[test]
    fn a_shard_that_looks_by_itself_is_not_woken_for_what_can_wait() {
        let inbox = Inbox::default();
        inbox.look();
        assert!(!inbox.leave(STOP));
        assert_eq!(take(&inbox), (false, 1));
        inbox.leave(STOP);
        inbox.push(STOP);
        assert_eq!(take(&inbox), (true, 2), "what cannot wait wakes it all the same");
    }

    #[test]
    fn a_shard_that_wants_to_be_woken_looks_once_more() {
        let inbox = Inbox::default();
        inbox.look();
        inbox.leave(STOP);
        assert!(inbox.look_no_more(), "nobody would wake it for what is there already");
        assert_eq!(take(&inbox), (false, 1));
        assert!(!inbox.look_no_more());
        assert!(inbox.leave(STOP));
    }
}
