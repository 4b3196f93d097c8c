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
    ClientVerdict, HubOptions, ListenAddress, UpgradeHead, UpgradeRefusal, close_reason, millis,
};
use super::event::HubEvent;
use super::mailbox::Mailbox;
use crate::close;
use crate::hub::Hub;
use crate::notice::Notice;
use crate::options::Options;
use crate::session::JoinVerdict;
use crate::transport::Relay;

/// Time for the 1001s at the end of the process.
const EXIT_GRACE: Duration = Duration::from_millis(150);
/// Node's own default.
const BACKLOG: u32 = 511;

/// An open hub. Belongs to the environment that made it.
#[napi(js_name = "Hub")]
pub struct NodeHub {
    pub(super) hub: Arc<Hub>,
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

    /// What is wrong with a cluster's address, to stand behind its name; null where nothing is.
    #[napi(catch_unwind)]
    pub fn cluster_url_fault(url: String) -> Option<String> {
        crate::cluster::Address::parse(&url).err()
    }

    /// The refusal of an upgrade request, or null.
    #[napi(catch_unwind)]
    pub fn refuse(&self, request: UpgradeHead) -> Option<UpgradeRefusal> {
        let (peer, decided) = (request.peer(), request.decided());
        let refusal = self.hub.check(&request.into(), peer, decided).err()?;
        let response = String::from_utf8_lossy(&refusal.response()).into_owned();
        Some(UpgradeRefusal { status: refusal.status().into(), response })
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
            Ok(self.hub.adopt(socket, request.into(), behind(head), peer, verdict.map(Into::into))
                as f64)
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
            self.hub.adopt_relayed(request.into(), behind(head), peer, verdict.map(Into::into));
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
        self.relay(id).is_none_or(|relay| relay.push(Bytes::copy_from_slice(&bytes)))
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

    /// Closes one connection.
    #[napi(catch_unwind)]
    pub fn close_client(&self, id: f64, code: Option<u32>, reason: Option<String>) {
        self.hub.close_client(id as u64, close_reason(code, reason, close::DISCONNECTED));
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
        if notices.iter().any(|notice| matches!(notice, Notice::Closed)) {
            self.release(&env);
        }
        notices.into_iter().map(HubEvent::from).collect()
    }

    /// Starts the drain.
    #[napi(catch_unwind)]
    pub fn close(&self, grace_ms: Option<f64>, spread_ms: Option<f64>) {
        let grace = grace_ms.map_or(self.hub.options().close_timeout, millis);
        self.hub.close(grace, spread_ms.map_or(Duration::ZERO, millis));
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
        // Of this kind the standard library has no name.
        _ if cfg!(unix) && error.raw_os_error() == Some(24) => "EMFILE: too many open files",
        _ if error.raw_os_error().is_none() => "ENOTFOUND: host not found",
        _ => return Error::from_reason(format!("EIO: {error} {place}")),
    };
    Error::from_reason(format!("{name} {place}"))
}
