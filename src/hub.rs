//! The handle on a hub: opens its shards, hands connections and updates to them, answers what is asked of it.
//!
//! Every method is short and waits for no socket: it may be called on the bot's only thread.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::close::{self, CloseReason};
use crate::handshake::{Head, Refusal};
use crate::metrics::{self, Gauges, Totals};
use crate::notice::{Notice, Notices};
use crate::options::Options;
use crate::room::{RoomState, RoomTable};
use crate::room_id::RoomId;
use crate::session::{JoinVerdict, Verdict};
use crate::shard::{self, Command, Ids, Inbox, Newcomer, Parts, Socket};
use crate::shared::Shared;
use crate::transport::Relay;
use crate::update::{Counts, Update};
use crate::user::UserTable;

#[derive(Debug)]
struct Shard {
    inbox: Arc<Inbox>,
    gauges: Arc<Gauges>,
    ids: Arc<Ids>,
}

/// Figures of one hub.
#[derive(Debug)]
pub struct Stats {
    /// Ids of the rooms with members.
    pub active_rooms: Vec<RoomId>,
    /// Memberships.
    pub memberships: u64,
    /// Distinct users that are in a room.
    pub users: u64,
    /// Open sockets.
    pub connections: u64,
    /// Rooms with a state, a history or members.
    pub rooms: u64,
    /// Updates that the bot has handed over.
    pub updates: u64,
    /// Updates given to clients.
    pub deliveries: u64,
    /// Updates dropped for newer ones.
    pub conflated: u64,
    /// Clients whose backlog is being conflated.
    pub slow: u64,
    /// Since the hub was opened.
    pub uptime: Duration,
    /// (connections, bytes that wait) by shard.
    pub threads: Vec<(u64, u64)>,
}

/// An open hub.
pub struct Hub {
    shared: Arc<Shared>,
    rooms: Arc<RoomTable>,
    users: Arc<UserTable>,
    notices: Arc<dyn Notices>,
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
    /// Where the system has no thread or no descriptor left; nothing stays behind then.
    pub fn open(options: Options, notices: Arc<dyn Notices>) -> io::Result<Self> {
        let count = options.threads.max(1);
        let shards = (0..count).map(|index| Shard {
            inbox: Arc::default(),
            gauges: Arc::default(),
            ids: Arc::new(Ids::new(index, count)),
        });
        let hub = Self {
            rooms: Arc::new(RoomTable::new(count, options.history)),
            users: Arc::default(),
            shared: Arc::new(Shared::new(options)),
            notices,
            shards: shards.collect(),
            threads: Mutex::default(),
            next_shard: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            opened: Instant::now(),
        };
        let running = Arc::new(AtomicUsize::new(count));
        for (index, shard) in hub.shards.iter().enumerate() {
            let parts = Parts {
                index,
                shared: hub.shared.clone(),
                rooms: hub.rooms.clone(),
                users: hub.users.clone(),
                notices: hub.notices.clone(),
                gauges: shard.gauges.clone(),
                inbox: shard.inbox.clone(),
                ids: shard.ids.clone(),
            };
            let (running, notices) = (running.clone(), hub.notices.clone());
            let ended = move || {
                if running.fetch_sub(1, Ordering::AcqRel) == 1 {
                    notices.tell(Notice::Closed);
                }
            };
            // Where a thread cannot be had, dropping the hub ends those that were started.
            hub.threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(shard::spawn(parts, ended)?);
        }
        Ok(hub)
    }

    /// The hub's options.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    fn owner(&self, id: u64) -> &Shard {
        &self.shards[(id % self.shards.len() as u64) as usize]
    }

    fn tell_all(&self, command: impl Fn() -> Command) {
        self.shards
            .iter()
            .for_each(|shard| shard.inbox.push(command()));
    }

    /// Whether a request may become a connection; takes nothing yet. `routed`: the bot has looked at the path itself.
    ///
    /// # Errors
    /// What it is refused for.
    pub fn check(&self, head: &Head, peer: Option<IpAddr>, routed: bool) -> Result<(), Refusal> {
        if self.is_closing() {
            return Err(Refusal::TooManyConnections);
        }
        self.shared.check(head, peer, routed)
    }

    /// The address that a request comes from.
    pub fn client_address(&self, head: &Head, peer: Option<IpAddr>) -> Option<IpAddr> {
        self.shared.client_address(head, peer)
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
        let newcomer = Newcomer {
            id,
            socket: socket(id),
            head,
            behind,
            peer,
            verdict,
        };
        shard.inbox.push(Command::Adopt(Box::new(newcomer)));
        id
    }

    /// Who a client is.
    pub fn verdict(&self, id: u64, verdict: Verdict) {
        self.owner(id).inbox.push(Command::Verdict(id, verdict));
    }

    /// Whether a client may join.
    pub fn join_verdict(&self, id: u64, ask: u64, verdict: JoinVerdict) {
        self.owner(id)
            .inbox
            .push(Command::JoinVerdict(id, ask, verdict));
    }

    /// Whether pages of a connection's origin may connect.
    pub fn origin_verdict(&self, id: u64, allowed: bool) {
        self.owner(id)
            .inbox
            .push(Command::OriginVerdict(id, allowed));
    }

    /// Listens by itself; all shards accept. Returns where.
    ///
    /// # Errors
    /// As listen(2) and the look-up of `host` have it; `AddrInUse` where the port is taken.
    pub fn listen(&self, host: Option<&str>, port: u16, backlog: i32) -> io::Result<SocketAddr> {
        let listener = bind(host, port, backlog)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        // Each shard polls a descriptor of its own on the one socket: whoever is awake accepts.
        let copies = self
            .shards
            .iter()
            .map(|_| listener.try_clone())
            .collect::<io::Result<Vec<_>>>()?;
        for (shard, listener) in self.shards.iter().zip(copies) {
            shard.inbox.push(Command::Listen(listener));
        }
        Ok(address)
    }

    /// Sends an update to a room; `counts` become its state. False where the hub is closing.
    pub fn broadcast(&self, room: &RoomId, update: &Update<'_>, counts: Option<Counts>) -> bool {
        if self.is_closing() {
            return false;
        }
        metrics::add(&self.shared.counters.updates, 1);
        self.rooms.broadcast(room, update, counts, |shard, update| {
            self.shards[shard].inbox.push(Command::Update(update))
        });
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
        for (shard, _) in self
            .shards
            .iter()
            .zip(&*members)
            .filter(|(_, members)| **members > 0)
        {
            shard
                .inbox
                .push(Command::CloseRoom(room.clone(), close::ROOM_CLOSED));
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
        self.owner(id).inbox.push(Command::CloseClient(id, reason));
    }

    /// Names of the users that are in a room.
    pub fn users_in_rooms(&self) -> Vec<Arc<str>> {
        self.users.names_in_rooms()
    }

    /// The hub's figures.
    pub fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        let totals = self.totals();
        let threads = self.shards.iter().map(|shard| {
            (
                metrics::get(&shard.gauges.connections),
                metrics::get(&shard.gauges.backlog),
            )
        });
        Stats {
            active_rooms: self.rooms.active(),
            memberships: totals.memberships,
            users: self.users.in_rooms(),
            connections: totals.connections,
            rooms: totals.rooms,
            updates: metrics::get(&counters.updates),
            deliveries: metrics::get(&counters.deliveries),
            conflated: metrics::get(&counters.conflated),
            slow: totals.slow_clients,
            uptime: self.opened.elapsed(),
            threads: threads.collect(),
        }
    }

    /// Prometheus text.
    pub fn metrics(&self) -> String {
        metrics::render(&self.shared.counters, &self.totals())
    }

    fn totals(&self) -> Totals {
        let (rooms, memberships) = self.rooms.totals();
        let sum =
            |gauge: fn(&Gauges) -> u64| self.shards.iter().map(|shard| gauge(&shard.gauges)).sum();
        Totals {
            connections: self.shared.admission.open() as u64,
            rooms,
            memberships,
            buffered_bytes: sum(|gauges| metrics::get(&gauges.backlog)),
            slow_clients: sum(|gauges| metrics::get(&gauges.slow)),
        }
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

/// A listening socket as Node's `server.listen` makes one: where no host is said, all of IPv6 and IPv4.
fn bind(host: Option<&str>, port: u16, backlog: i32) -> io::Result<TcpListener> {
    let addresses: Vec<SocketAddr> = match host {
        Some(host) => (host, port).to_socket_addrs()?.collect(),
        None => vec![([0u16; 8], port).into(), ([0u8; 4], port).into()],
    };
    let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match bind_one(address, host.is_none(), backlog) {
            Ok(listener) => return Ok(listener),
            // A taken port is the answer; a family that the machine lacks is a reason to try the next.
            Err(failure) if failure.kind() == io::ErrorKind::AddrInUse => return Err(failure),
            Err(failure) => error = failure,
        }
    }
    Err(error)
}

fn bind_one(address: SocketAddr, both_families: bool, backlog: i32) -> io::Result<TcpListener> {
    use socket2::{Domain, Protocol, Type};

    let socket = socket2::Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if both_families && address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // As libuv does: a port in TIME_WAIT is free. On Windows the option would share a port that is in use.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}
