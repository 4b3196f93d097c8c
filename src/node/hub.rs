//! The class that `lib/` works with. One method, one call.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use napi::bindgen_prelude::{Buffer, Function};
use napi::{CleanupEnvHook, Env, Error, Result};
use napi_derive::napi;

use super::convert::{
    ClientVerdict, HubOptions, JsRoomId, ListenAddress, UpgradeHead, UpgradeRefusal, close_reason,
    counts, millis, room_id, room_id_to_js,
};
use super::event::HubEvent;
use super::mailbox::Mailbox;
use crate::close;
use crate::hub::Hub;
use crate::notice::Notice;
use crate::options::Options;
use crate::room::RoomState;
use crate::session::JoinVerdict;
use crate::transport::Relay;
use crate::update::{Counts, Status, Update};

/// Time for the 1001s at the end of the process.
const EXIT_GRACE: Duration = Duration::from_millis(150);
/// Node's own default.
const BACKLOG: u32 = 511;

/// A room's newest state.
#[napi(object, object_from_js = false)]
pub struct HubRoomState {
    /// The room.
    pub room_id: JsRoomId,
    /// Of the newest update that had counts.
    pub current_participants: f64,
    /// Of the same.
    pub max_participants: f64,
    /// No place is left.
    pub is_full: bool,
    /// Places left.
    pub available_slots: f64,
    /// The number of the newest update.
    pub seq: f64,
    /// What `seq` counts within.
    pub epoch: String,
}

/// Figures of one thread.
#[napi(object, object_from_js = false)]
pub struct ThreadStats {
    /// Sessions.
    pub connections: f64,
    /// Bytes that wait.
    pub backlog: f64,
}

/// Figures of a hub.
#[napi(object, object_from_js = false)]
pub struct HubStats {
    /// Rooms with members.
    pub total_rooms_with_clients: f64,
    /// Memberships.
    pub total_connections: f64,
    /// Distinct users in rooms.
    pub total_users_tracked: f64,
    /// Ids of the rooms with members.
    pub active_rooms: Vec<JsRoomId>,
    /// Open sockets.
    pub open_connections: f64,
    /// Rooms in the table.
    pub rooms_known: f64,
    /// Bytes that wait.
    pub buffered_bytes: f64,
    /// Updates handed over.
    pub updates_total: f64,
    /// Updates given to clients.
    pub deliveries_total: f64,
    /// Updates dropped for newer ones.
    pub conflated_total: f64,
    /// Clients that are being conflated.
    pub slow_clients: f64,
    /// Since the hub was opened.
    pub uptime_seconds: f64,
    /// By thread.
    pub per_thread: Vec<ThreadStats>,
}

/// An open hub. Belongs to the environment that made it.
#[napi(js_name = "Hub")]
pub struct NodeHub {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
    relays: RefCell<HashMap<u64, Arc<Relay>>>,
    address: Cell<Option<SocketAddr>>,
    cleanup: RefCell<Option<CleanupEnvHook<Arc<Hub>>>>,
}

#[napi]
impl NodeHub {
    /// Opens a hub. `notify` is called when events wait.
    #[napi(constructor, catch_unwind)]
    pub fn new(env: Env, options: HubOptions, notify: Function<'_, (), ()>) -> Result<Self> {
        let mailbox = Arc::new(Mailbox::default());
        let doorbell = notify
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .max_queue_size::<1>()
            .build_callback(|_| Ok(()))?;
        mailbox.install(doorbell);
        let hub = Hub::open(Options::try_from(options)?, mailbox.clone()).map_err(|error| {
            Error::from_reason(format!("the hub's threads cannot be started: {error}"))
        })?;
        let hub = Arc::new(hub);
        // Cleanup runs in reverse: the threads end before the doorbell that they ring is torn down.
        let cleanup = env.add_env_cleanup_hook(hub.clone(), |hub| hub.stop())?;
        Ok(Self {
            hub,
            mailbox,
            relays: RefCell::default(),
            address: Cell::new(None),
            cleanup: RefCell::new(Some(cleanup)),
        })
    }

    /// The refusal of an upgrade request, or null.
    #[napi(catch_unwind)]
    pub fn refuse(&self, request: UpgradeHead) -> Option<UpgradeRefusal> {
        let (peer, routed) = (request.peer(), request.routed.unwrap_or_default());
        let refusal = self.hub.check(&request.into(), peer, routed).err()?;
        let response = String::from_utf8_lossy(&refusal.response()).into_owned();
        Some(UpgradeRefusal {
            status: refusal.status().into(),
            response,
        })
    }

    /// Takes over a socket by its descriptor, which stays the caller's to close; returns the connection's id.
    #[napi(catch_unwind)]
    pub fn adopt(
        &self,
        request: UpgradeHead,
        fd: i32,
        head: Option<Buffer>,
        verdict: Option<ClientVerdict>,
    ) -> Result<f64> {
        #[cfg(unix)]
        {
            let socket = crate::transport::duplicate(fd).map_err(|error| {
                Error::from_reason(format!("the socket cannot be taken over: {error}"))
            })?;
            let peer = request.peer();
            Ok(self.hub.adopt(
                socket,
                request.into(),
                behind(head),
                peer,
                verdict.map(Into::into),
            ) as f64)
        }
        #[cfg(not(unix))]
        {
            let _ = (request, fd, head, verdict);
            Err(Error::from_reason(
                "this platform has no descriptors to hand over: relay the socket",
            ))
        }
    }

    /// Serves a socket whose bytes the caller moves; returns the connection's id.
    #[napi(catch_unwind)]
    pub fn adopt_relayed(
        &self,
        request: UpgradeHead,
        head: Option<Buffer>,
        verdict: Option<ClientVerdict>,
    ) -> f64 {
        let peer = request.peer();
        let (id, relay) =
            self.hub
                .adopt_relayed(request.into(), behind(head), peer, verdict.map(Into::into));
        self.relays.borrow_mut().insert(id, relay);
        id as f64
    }

    /// Who a client is.
    #[napi(catch_unwind)]
    pub fn verdict(&self, id: f64, verdict: ClientVerdict) {
        self.hub.verdict(id as u64, verdict.into());
    }

    /// Whether a client may join: `ok`, `denied` or `failed`.
    #[napi(catch_unwind)]
    pub fn join_verdict(&self, id: f64, ask: f64, verdict: String) {
        let verdict = match &*verdict {
            "ok" => JoinVerdict::Granted,
            "denied" => JoinVerdict::Denied,
            _ => JoinVerdict::Failed,
        };
        self.hub.join_verdict(id as u64, ask as u64, verdict);
    }

    /// Whether pages of a connection's origin may connect.
    #[napi(catch_unwind)]
    pub fn origin_verdict(&self, id: f64, allowed: bool) {
        self.hub.origin_verdict(id as u64, allowed);
    }

    fn relay(&self, id: f64) -> Option<Arc<Relay>> {
        self.relays.borrow().get(&(id as u64)).cloned()
    }

    /// Bytes that a relayed client sent. False: no more until `relayResume`.
    #[napi(catch_unwind)]
    pub fn relay_data(&self, id: f64, bytes: Buffer) -> bool {
        self.relay(id)
            .is_none_or(|relay| relay.push(Bytes::copy_from_slice(&bytes)))
    }

    /// Bytes that have left a relayed client's write queue.
    #[napi(catch_unwind)]
    pub fn relay_written(&self, id: f64, count: f64) {
        if let Some(relay) = self.relay(id) {
            relay.written(count as usize);
        }
    }

    /// A relayed client has ended its side.
    #[napi(catch_unwind)]
    pub fn relay_end(&self, id: f64) {
        if let Some(relay) = self.relay(id) {
            relay.end();
        }
    }

    /// A relayed client's socket is gone.
    #[napi(catch_unwind)]
    pub fn relay_closed(&self, id: f64) {
        if let Some(relay) = self.relays.borrow_mut().remove(&(id as u64)) {
            relay.close();
        }
    }

    /// Listens by itself.
    #[napi(catch_unwind)]
    pub fn listen(&self, host: Option<String>, port: u32, backlog: Option<u32>) -> Result<()> {
        let place = format!("{}:{port}", host.as_deref().unwrap_or("::"));
        let port = u16::try_from(port)
            .map_err(|_| Error::from_reason(format!("port {port} is over 65535")))?;
        let backlog = i32::try_from(backlog.unwrap_or(BACKLOG)).unwrap_or(i32::MAX);
        let address = self
            .hub
            .listen(host.as_deref(), port, backlog)
            .map_err(|error| listen_error(&error, &place))?;
        self.address.set(Some(address));
        Ok(())
    }

    /// Where it listens.
    #[napi(catch_unwind)]
    pub fn address(&self) -> Option<ListenAddress> {
        self.address.get().map(|address| ListenAddress {
            address: address.ip().to_string(),
            family: if address.is_ipv4() { "IPv4" } else { "IPv6" }.into(),
            port: address.port().into(),
        })
    }

    /// Someone has joined or left.
    #[napi(catch_unwind)]
    pub fn broadcast_participant(
        &self,
        room: JsRoomId,
        joined: bool,
        name: String,
        current: f64,
        max: f64,
    ) -> Result<bool> {
        let (name, counts) = (&*name, counts(current, max));
        let update = if joined {
            Update::Joined { name, counts }
        } else {
            Update::Left { name, counts }
        };
        Ok(self.hub.broadcast(&room_id(&room)?, &update, Some(counts)))
    }

    /// The counts alone.
    #[napi(catch_unwind)]
    pub fn broadcast_count(&self, room: JsRoomId, current: f64, max: f64) -> Result<bool> {
        let counts = counts(current, max);
        Ok(self.hub.broadcast(
            &room_id(&room)?,
            &Update::CountUpdated { counts },
            Some(counts),
        ))
    }

    /// A room's status: `FULL`, `AVAILABLE` or `OFFLINE`.
    #[napi(catch_unwind)]
    pub fn broadcast_status(
        &self,
        room: JsRoomId,
        status: String,
        current: f64,
        max: f64,
    ) -> Result<bool> {
        let counts = counts(current, max);
        let status = match &*status {
            "FULL" => Status::Full,
            "AVAILABLE" => Status::Available,
            "OFFLINE" => Status::Offline,
            _ => {
                return Err(Error::from_reason(
                    "status has to be FULL, AVAILABLE or OFFLINE",
                ));
            }
        };
        Ok(self.hub.broadcast(
            &room_id(&room)?,
            &Update::StatusChanged { status, counts },
            Some(counts),
        ))
    }

    /// Fields of the bot's own, as a JSON object.
    #[napi(catch_unwind)]
    pub fn broadcast_custom(
        &self,
        room: JsRoomId,
        fields: String,
        current: Option<f64>,
        max: Option<f64>,
    ) -> Result<bool> {
        let counts = current.zip(max).map(|(current, max)| counts(current, max));
        Ok(self.hub.broadcast(
            &room_id(&room)?,
            &Update::Custom { fields: &fields },
            counts,
        ))
    }

    /// Members of a room.
    #[napi(catch_unwind)]
    pub fn client_count(&self, room: JsRoomId) -> Result<f64> {
        Ok(self.hub.client_count(&room_id(&room)?) as f64)
    }

    /// Rooms with members.
    #[napi(catch_unwind)]
    pub fn active_rooms(&self) -> Vec<JsRoomId> {
        self.hub.active_rooms().iter().map(room_id_to_js).collect()
    }

    /// A room's newest state.
    #[napi(catch_unwind)]
    pub fn room_state(&self, room: JsRoomId) -> Result<Option<HubRoomState>> {
        let state = self.hub.room_state(&room_id(&room)?);
        Ok(state.map(|RoomState { counts, seq, epoch }| HubRoomState {
            room_id: room,
            current_participants: counts.current as f64,
            max_participants: counts.max as f64,
            is_full: Counts::is_full(counts),
            available_slots: counts.available_slots() as f64,
            seq: seq as f64,
            epoch: epoch.to_string(),
        }))
    }

    /// The hub's figures.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> HubStats {
        let stats = self.hub.stats();
        let buffered: u64 = stats.threads.iter().map(|(_, backlog)| backlog).sum();
        let thread = |(connections, backlog): (u64, u64)| ThreadStats {
            connections: connections as f64,
            backlog: backlog as f64,
        };
        HubStats {
            total_rooms_with_clients: stats.active_rooms.len() as f64,
            total_connections: stats.memberships as f64,
            total_users_tracked: stats.users as f64,
            active_rooms: stats.active_rooms.iter().map(room_id_to_js).collect(),
            open_connections: stats.connections as f64,
            rooms_known: stats.rooms as f64,
            buffered_bytes: buffered as f64,
            updates_total: stats.updates as f64,
            deliveries_total: stats.deliveries as f64,
            conflated_total: stats.conflated as f64,
            slow_clients: stats.slow as f64,
            uptime_seconds: stats.uptime.as_secs_f64(),
            per_thread: stats.threads.into_iter().map(thread).collect(),
        }
    }

    /// Users that are in a room.
    #[napi(catch_unwind)]
    pub fn user_rooms(&self) -> Vec<String> {
        self.hub
            .users_in_rooms()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// Prometheus text.
    #[napi(catch_unwind)]
    pub fn metrics(&self) -> String {
        self.hub.metrics()
    }

    /// Drops a room's state and history.
    #[napi(catch_unwind)]
    pub fn forget_room(&self, room: JsRoomId) -> Result<bool> {
        Ok(self.hub.forget_room(&room_id(&room)?))
    }

    /// Closes all members of a room.
    #[napi(catch_unwind)]
    pub fn disconnect_room(&self, room: JsRoomId) -> Result<f64> {
        Ok(self.hub.disconnect_room(&room_id(&room)?) as f64)
    }

    /// Closes all connections of a user.
    #[napi(catch_unwind)]
    pub fn disconnect_user(&self, user: String, code: Option<u32>, reason: Option<String>) -> f64 {
        self.hub
            .disconnect_user(&user, &close_reason(code, reason, close::DISCONNECTED)) as f64
    }

    /// Ends a user's memberships of a room.
    #[napi(catch_unwind)]
    pub fn remove_from_room(&self, user: String, room: JsRoomId) -> Result<f64> {
        Ok(self.hub.remove_from_room(&user, &room_id(&room)?) as f64)
    }

    /// Closes one connection.
    #[napi(catch_unwind)]
    pub fn close_client(&self, id: f64, code: Option<u32>, reason: Option<String>) {
        self.hub
            .close_client(id as u64, close_reason(code, reason, close::NORMAL));
    }

    /// Which news is wanted.
    #[napi(catch_unwind)]
    pub fn listen_for(&self, mask: u32) {
        self.mailbox.want(mask);
    }

    /// All events that wait. After `closed` the hub has ended and its threads are gone.
    #[napi(catch_unwind)]
    pub fn drain(&self, env: Env) -> Vec<HubEvent> {
        let notices = self.mailbox.take();
        if notices
            .iter()
            .any(|notice| matches!(notice, Notice::Closed))
        {
            self.release(&env);
        }
        notices.into_iter().map(HubEvent::from).collect()
    }

    /// Starts the drain.
    #[napi(catch_unwind)]
    pub fn close(&self, grace_ms: Option<f64>, spread_ms: Option<f64>) {
        let grace = grace_ms.map_or(self.hub.options().close_timeout, millis);
        self.hub
            .close(grace, spread_ms.map_or(Duration::ZERO, millis));
    }

    /// At the end of the process: the 1001s are tried, then all ends.
    #[napi(catch_unwind)]
    pub fn exit(&self, env: Env) {
        self.hub.close(EXIT_GRACE, Duration::ZERO);
        self.hub.join();
        self.release(&env);
    }

    fn release(&self, env: &Env) {
        self.hub.join();
        self.mailbox.uninstall();
        if let Some(hook) = self.cleanup.borrow_mut().take() {
            // It fails for a hook that ran already, and that has done the same.
            let _ = env.remove_env_cleanup_hook(hook);
        }
    }
}

fn behind(head: Option<Buffer>) -> Bytes {
    head.map_or_else(Bytes::new, |head| Bytes::copy_from_slice(&head))
}

/// As Node words it, with the name that it gives the error first.
fn listen_error(error: &io::Error, place: &str) -> Error {
    let name = match error.kind() {
        io::ErrorKind::AddrInUse => "EADDRINUSE: address already in use",
        io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL: address not available",
        io::ErrorKind::PermissionDenied => "EACCES: permission denied",
        _ if error.raw_os_error().is_none() => "ENOTFOUND: host not found",
        _ => return Error::from_reason(format!("EIO: {error} {place}")),
    };
    Error::from_reason(format!("{name} {place}"))
}
