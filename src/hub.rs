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
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::Instant;

use crate::close::CloseReason;
use crate::cluster;
use crate::errand::{Asker, Errand, Errands, Order, Unnumbered, micros};
use crate::handshake::{Head, Refusal};
use crate::local::Local;
use crate::metrics::{self, Gauges};
use crate::notice::{Notice, Notices};
use crate::options::Options;
use crate::room::{RoomState, RoomTable};
use crate::room_id::RoomId;
use crate::session::{JoinVerdict, Verdict};
use crate::shard::{self, Command, Ids, Inboxes, Newcomer, Parts, Socket};
use crate::shared::{Decided, Shared};
use crate::transport::Relay;
use crate::update::{self, Counts, Update};

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
    local: Local,
    errands: Option<Arc<Errands>>,
    shards: Vec<Shard>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    next_shard: AtomicUsize,
    closing: AtomicBool,
    opened: Instant,
}

impl Hub {
    /// Opens a hub and starts its threads. When the last of them has ended, [`Notice::Closed`] is told.
    ///
    /// # Errors
    /// Where the system has no thread or no descriptor left; nothing stays behind then. Where the cluster's address is
    /// none (`InvalidInput`).
    pub fn open(options: Options, notices: Arc<dyn Notices>) -> io::Result<Self> {
        let cluster = options.cluster.clone();
        let threads = options.threads.clamp(1, MAX_THREADS) + usize::from(cluster.is_some());
        let running = Arc::new(AtomicUsize::new(threads));
        let ended = |notices: Arc<dyn Notices>| {
            let running = running.clone();
            move || {
                if running.fetch_sub(1, Ordering::AcqRel) == 1 {
                    notices.tell(Notice::Closed);
                }
            }
        };
        let hub = Self::open_with(options, notices, |parts| {
            let ended = ended(parts.notices.clone());
            shard::spawn(parts, ended).map(Some)
        })?;
        if let (Some(options), Some(errands)) = (cluster, &hub.errands) {
            let ended = ended(hub.local.notices.clone());
            let thread = cluster::spawn(&options, hub.local.clone(), errands.clone(), ended)?;
            hub.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(hub)
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
        let errands: Option<Arc<Errands>> = options.cluster.as_ref().map(|_| Arc::default());
        let hub = Self {
            local: Local {
                rooms: Arc::new(RoomTable::new(count, options.history, errands.clone())),
                users: Arc::default(),
                shared: Arc::new(Shared::new(options)),
                notices,
                inboxes: Arc::new(Inboxes::new(count)),
            },
            errands,
            shards: shards.collect(),
            threads: Mutex::default(),
            next_shard: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            opened: Instant::now(),
        };
        for (index, shard) in hub.shards.iter().enumerate() {
            let parts = Parts {
                index,
                shared: hub.local.shared.clone(),
                rooms: hub.local.rooms.clone(),
                users: hub.local.users.clone(),
                notices: hub.local.notices.clone(),
                gauges: shard.gauges.clone(),
                inboxes: hub.local.inboxes.clone(),
                ids: shard.ids.clone(),
                errands: hub.errands.clone(),
            };
            // Where a thread cannot be had, dropping the hub ends those that were started.
            let thread = start(parts)?;
            hub.threads.lock().unwrap_or_else(PoisonError::into_inner).extend(thread);
        }
        Ok(hub)
    }

    /// The hub's options.
    pub fn options(&self) -> &Options {
        &self.local.shared.options
    }

    /// Tells the shard that a connection is on.
    fn tell_owner(&self, id: u64, command: Command) {
        self.local.inboxes.of((id % self.shards.len() as u64) as usize).push(command);
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
            .and_then(|()| self.local.shared.check(head, peer, decided))
            .inspect_err(|refusal| self.local.shared.counters.refused(refusal.label()))
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
            |id| Socket::Relayed(kept.insert(Relay::new(id, self.local.notices.clone())).clone());
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
        let permit =
            self.local.shared.admission.admit(self.local.shared.client_address(&head, peer));
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
        for (inbox, listener) in self.local.inboxes.iter().zip(copies) {
            inbox.push(Command::Listen(listener));
        }
        Ok(address)
    }

    /// Sends an update to a room; `counts` become its state. False where the hub is closing.
    pub fn broadcast(&self, room: &RoomId, update: &Update<'_>, counts: Option<Counts>) -> bool {
        if self.is_closing() {
            return false;
        }
        metrics::add(&self.local.shared.counters.updates, 1);
        match &self.errands {
            None => self.local.deliver_lightly(|rooms, deliver| {
                rooms.broadcast(room, update, counts, deliver);
            }),
            Some(errands) => {
                let now = SystemTime::now();
                let head = update::head(room, update, now);
                let update = Unnumbered { room: room.clone(), head, counts, at: micros(now) };
                errands.leave(Errand::Publish(update));
            }
        }
        true
    }

    /// Members of a room.
    pub fn client_count(&self, room: &RoomId) -> u64 {
        self.local.rooms.member_total(room)
    }

    /// Ids of the rooms with members.
    pub fn active_rooms(&self) -> Vec<RoomId> {
        self.local.rooms.active()
    }

    /// A room's newest state; none where no counts are known.
    pub fn room_state(&self, room: &RoomId) -> Option<RoomState> {
        self.local.rooms.state(room)
    }

    /// Drops a room's state and history, in all processes; false where the room is not known here.
    pub fn forget_room(&self, room: &RoomId) -> bool {
        self.order(|| Order::ForgetRoom(room.clone(), None));
        self.local.rooms.forget(room)
    }

    /// Closes all members of a room, in all processes; returns how many there are here.
    pub fn disconnect_room(&self, room: &RoomId) -> u64 {
        if self.order(|| Order::DisconnectRoom(room.clone())) {
            // It follows the updates that are on their way to the room.
            return self.local.rooms.member_total(room);
        }
        self.local.disconnect_room(room)
    }

    /// Closes all connections of a user, in all processes; returns how many there are here.
    pub fn disconnect_user(&self, user: &str, reason: &CloseReason) -> usize {
        self.order(|| Order::DisconnectUser(user.into(), reason.clone()));
        self.local.disconnect_user(user, reason)
    }

    /// Ends a user's memberships of a room, in all processes; returns how many connections it concerns here.
    pub fn remove_from_room(&self, user: &str, room: &RoomId) -> usize {
        self.order(|| Order::RemoveFromRoom(user.into(), room.clone()));
        self.local.remove_from_room(user, room)
    }

    /// Has the other processes told; false where there are none.
    fn order(&self, order: impl FnOnce() -> Order) -> bool {
        let errands = self.errands.as_ref().filter(|_| !self.is_closing());
        errands.inspect(|errands| errands.leave(Errand::Order(order()))).is_some()
    }

    /// Asks how many clients are in a room over all processes; the answer is a [`Notice::ClusterCount`]. False where
    /// nobody is there to answer.
    pub fn ask_cluster_count(&self, room: &RoomId, ask: u64) -> bool {
        let errands = self.errands.as_ref().filter(|_| !self.is_closing());
        let count = || Errand::Count(room.clone(), Asker::Bot(ask));
        errands.inspect(|errands| errands.leave(count())).is_some()
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
        match &self.errands {
            // What is on its way to the cluster goes first.
            Some(errands) => errands.leave(Errand::Close { grace, spread }),
            None => self.local.tell_all(|| Command::Drain { grace, spread }),
        }
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
        self.errands.iter().for_each(|errands| errands.leave(Errand::Stop));
        self.local.tell_all(|| Command::Stop);
        self.join();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop();
    }
}
