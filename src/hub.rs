//! The handle on a hub: opens its shards, hands connections and updates to them, answers what is asked of it.
//!
//! Every method is short and waits for no socket: it may be called on the bot's only thread.

mod listen;
mod stats;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::close::{self, CloseReason};
use crate::handshake::{Head, Refusal};
use crate::metrics::{self, Gauges};
use crate::notice::{Notice, Notices};
use crate::options::Options;
use crate::room::{RoomState, RoomTable};
use crate::room_id::RoomId;
use crate::session::{JoinVerdict, Verdict};
use crate::shard::{self, Command, Ids, Inboxes, Newcomer, Parts, Socket};
use crate::shared::{Decided, Shared};
use crate::transport::Relay;
use crate::update::{Counts, Update};
use crate::user::UserTable;

pub use stats::Stats;

/// Shards of one hub at the most: a mask of them fits a word.
const MAX_THREADS: usize = 64;

#[derive(Debug)]
struct Shard {
    gauges: Arc<Gauges>,
    ids: Arc<Ids>,
}

/// An open hub.
pub struct Hub {
    shared: Arc<Shared>,
    rooms: Arc<RoomTable>,
    users: Arc<UserTable>,
    notices: Arc<dyn Notices>,
    shards: Vec<Shard>,
    inboxes: Arc<Inboxes>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    next_shard: AtomicUsize,
    closing: AtomicBool,
    opened: Instant,
}

impl Hub {
    /// Opens a hub and starts its threads. When the last of them has ended, [`Notice::Closed`] is told.
    ///
    /// # Errors
    /// Where the system has no thread or no descriptor left; nothing stays behind then.
    pub fn open(options: Options, notices: Arc<dyn Notices>) -> io::Result<Self> {
        let running = Arc::new(AtomicUsize::new(options.threads.clamp(1, MAX_THREADS)));
        Self::open_with(options, notices, |parts| {
            let (running, notices) = (running.clone(), parts.notices.clone());
            shard::spawn(parts, move || {
                if running.fetch_sub(1, Ordering::AcqRel) == 1 {
                    notices.tell(Notice::Closed);
                }
            })
            .map(Some)
        })
    }

    /// Opens a hub whose shards `start` sees to: on threads, which the hub joins at its end, or by running
    /// [`shard::run`] elsewhere, as tests do that hold the clock.
    ///
    /// # Errors
    /// The first of `start`.
    pub fn open_with(
        options: Options,
        notices: Arc<dyn Notices>,
        mut start: impl FnMut(Parts) -> io::Result<Option<JoinHandle<()>>>,
    ) -> io::Result<Self> {
        let count = options.threads.clamp(1, MAX_THREADS);
        let shards = (0..count)
            .map(|index| Shard { gauges: Arc::default(), ids: Arc::new(Ids::new(index, count)) });
        let hub = Self {
            rooms: Arc::new(RoomTable::new(count, options.history)),
            users: Arc::default(),
            shared: Arc::new(Shared::new(options)),
            notices,
            shards: shards.collect(),
            inboxes: Arc::new(Inboxes::new(count)),
            threads: Mutex::default(),
            next_shard: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            opened: Instant::now(),
        };
        for (index, shard) in hub.shards.iter().enumerate() {
            let parts = Parts {
                index,
                shared: hub.shared.clone(),
                rooms: hub.rooms.clone(),
                users: hub.users.clone(),
                notices: hub.notices.clone(),
                gauges: shard.gauges.clone(),
                inboxes: hub.inboxes.clone(),
                ids: shard.ids.clone(),
            };
            // Where a thread cannot be had, dropping the hub ends those that were started.
            let thread = start(parts)?;
            hub.threads.lock().unwrap_or_else(PoisonError::into_inner).extend(thread);
        }
        Ok(hub)
    }

    /// The hub's options.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Tells the shard that a connection is on.
    fn tell_owner(&self, id: u64, command: Command) {
        self.inboxes.of((id % self.shards.len() as u64) as usize).push(command);
    }

    fn tell_all(&self, command: impl Fn() -> Command) {
        self.inboxes.iter().for_each(|inbox| inbox.push(command()));
    }

    /// Whether a request may become a connection, with what the bot has decided of it; takes nothing yet.
    ///
    /// # Errors
    /// What it is refused for.
    pub fn check(
        &self,
        head: &Head,
        peer: Option<IpAddr>,
        decided: Decided,
    ) -> Result<(), Refusal> {
        let closing = if self.is_closing() { Err(Refusal::TooManyConnections) } else { Ok(()) };
        closing
            .and_then(|()| self.shared.check(head, peer, decided))
            .inspect_err(|refusal| self.shared.counters.refused(refusal.label()))
    }

    /// Takes over a socket; returns the connection's id.
    pub fn adopt(
        &self,
        socket: std::net::TcpStream,
        head: Head,
        behind: Bytes,
        peer: Option<IpAddr>,
        verdict: Option<Verdict>,
    ) -> u64 {
        self.take_over(|_| Socket::Owned(socket), head, behind, peer, verdict)
    }

    /// Serves a socket whose bytes the bot's event loop moves; returns the connection's id and where the bytes go.
    pub fn adopt_relayed(
        &self,
        head: Head,
        behind: Bytes,
        peer: Option<IpAddr>,
        verdict: Option<Verdict>,
    ) -> (u64, Arc<Relay>) {
        let mut kept = None;
        let socket =
            |id| Socket::Relayed(kept.insert(Relay::new(id, self.notices.clone())).clone());
        let id = self.take_over(socket, head, behind, peer, verdict);
        (id, kept.expect("a relay is made with its connection"))
    }

    fn take_over(
        &self,
        socket: impl FnOnce(u64) -> Socket,
        head: Head,
        behind: Bytes,
        peer: Option<IpAddr>,
        verdict: Option<Verdict>,
    ) -> u64 {
        let shard =
            &self.shards[self.next_shard.fetch_add(1, Ordering::Relaxed) % self.shards.len()];
        let id = shard.ids.next();
        // Here and not on the shard: whoever is checked next finds this one counted.
        let permit = self.shared.admission.admit(self.shared.client_address(&head, peer));
        let newcomer = Newcomer { id, socket: socket(id), head, behind, permit, verdict };
        self.tell_owner(id, Command::Adopt(Box::new(newcomer)));
        id
    }

    /// Who a client is.
    pub fn verdict(&self, id: u64, verdict: Verdict) {
        self.tell_owner(id, Command::Verdict(id, verdict));
    }

    /// Whether a client may join.
    pub fn join_verdict(&self, id: u64, ask: u64, verdict: JoinVerdict) {
        self.tell_owner(id, Command::JoinVerdict(id, ask, verdict));
    }

    /// Whether pages of a connection's origin may connect.
    pub fn origin_verdict(&self, id: u64, allowed: bool) {
        self.tell_owner(id, Command::OriginVerdict(id, allowed));
    }

    /// Listens by itself; all shards accept. Returns where.
    ///
    /// # Errors
    /// As listen(2) and the look-up of `host` have it; `AddrInUse` where the port is taken.
    pub fn listen(&self, host: Option<&str>, port: u16, backlog: i32) -> io::Result<SocketAddr> {
        let listener = listen::bind(host, port, backlog)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        // Each shard polls a descriptor of its own on the one socket: whoever is awake accepts.
        let copies =
            self.shards.iter().map(|_| listener.try_clone()).collect::<io::Result<Vec<_>>>()?;
        for (inbox, listener) in self.inboxes.iter().zip(copies) {
            inbox.push(Command::Listen(listener));
        }
        Ok(address)
    }

    /// Sends an update to a room; `counts` become its state. False where the hub is closing.
    pub fn broadcast(&self, room: &RoomId, update: &Update<'_>, counts: Option<Counts>) -> bool {
        if self.is_closing() {
            return false;
        }
        metrics::add(&self.shared.counters.updates, 1);
        let mut asleep = 0;
        self.rooms.broadcast(room, update, counts, |shard, update| {
            if self.inboxes.of(shard).leave(Command::Update(update)) {
                asleep |= 1 << shard;
            }
        });
        // Only now, with the table's lock let go.
        self.inboxes.wake(asleep);
        true
    }

    /// Members of a room.
    pub fn client_count(&self, room: &RoomId) -> u64 {
        self.rooms.member_total(room)
    }

    /// Ids of the rooms with members.
    pub fn active_rooms(&self) -> Vec<RoomId> {
        self.rooms.active()
    }

    /// A room's newest state; none where no counts are known.
    pub fn room_state(&self, room: &RoomId) -> Option<RoomState> {
        self.rooms.state(room)
    }

    /// Drops a room's state and history; false where the room is not known.
    pub fn forget_room(&self, room: &RoomId) -> bool {
        self.rooms.forget(room)
    }

    /// Closes all members of a room; returns how many.
    pub fn disconnect_room(&self, room: &RoomId) -> u64 {
        let Some((room, members)) = self.rooms.occupied(room) else {
            return 0;
        };
        for (inbox, _) in self.inboxes.iter().zip(&*members).filter(|(_, members)| **members > 0) {
            inbox.push(Command::CloseRoom(room.clone(), close::ROOM_CLOSED));
        }
        members.iter().map(|&members| u64::from(members)).sum()
    }

    /// Closes all connections of a user; returns how many.
    pub fn disconnect_user(&self, user: &str, reason: &CloseReason) -> usize {
        let connections = self.users.connections(user);
        if connections > 0 {
            self.tell_all(|| Command::CloseUser(user.into(), reason.clone()));
        }
        connections
    }

    /// Ends a user's memberships of a room; returns how many connections it concerns.
    pub fn remove_from_room(&self, user: &str, room: &RoomId) -> usize {
        let Some((room, _)) = self.rooms.occupied(room) else {
            return 0;
        };
        let connections = self.users.connections_in(user, room.key);
        if connections > 0 {
            self.tell_all(|| Command::RemoveFromRoom(user.into(), room.clone()));
        }
        connections
    }

    /// Closes one connection.
    pub fn close_client(&self, id: u64, reason: CloseReason) {
        self.tell_owner(id, Command::CloseClient(id, reason));
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Starts the drain: 1001 to all clients over the time `spread`, and the end at most `grace` later. A second call
    /// can only bring the end nearer.
    pub fn close(&self, grace: Duration, spread: Duration) {
        self.closing.store(true, Ordering::Relaxed);
        self.tell_all(|| Command::Drain { grace, spread });
    }

    /// Waits for the threads, which have to be told to end before.
    pub fn join(&self) {
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A panic inside was caught and told there.
            let _ = thread.join();
        }
    }

    /// Ends the threads now.
    pub fn stop(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.tell_all(|| Command::Stop);
        self.join();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop();
    }
}
