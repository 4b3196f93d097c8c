//! JavaScript's values into the hub's, and back. What users pass was checked before, in `lib/`.

use std::time::{Duration, SystemTime};

use napi::bindgen_prelude::Either;
use napi::{Error, Result};
use napi_derive::napi;

use crate::address::TrustProxy;
use crate::close::{self, CloseReason};
use crate::handshake::{Head, Origins};
use crate::options::{ClusterOptions, DEFAULT_PREFIX, Options};
use crate::room_id::RoomId;
use crate::session::Verdict;
use crate::shared::Decided;
use crate::update::Counts;

/// A number, or a string.
pub(super) type JsRoomId = Either<f64, String>;

pub(super) fn room_id(id: &JsRoomId) -> Result<RoomId> {
    let parsed = match id {
        Either::A(number) => RoomId::from_number(*number),
        Either::B(text) => RoomId::parse_str(text),
    };
    parsed.ok_or_else(|| Error::from_reason("roomId is no room id"))
}

pub(super) fn room_id_to_js(id: &RoomId) -> JsRoomId {
    match id {
        RoomId::Number(number) => Either::A(*number as f64),
        RoomId::Name(name) => Either::B(name.to_string()),
    }
}

pub(super) fn counts(current: f64, max: f64) -> Counts {
    Counts { current: current as u64, max: max as u64 }
}

/// A hub's options; what is absent has its default.
#[napi(object, object_to_js = false)]
pub struct HubOptions {
    /// Exact path served.
    pub path: Option<String>,
    /// Bytes.
    pub max_payload: Option<f64>,
    /// Connections.
    pub max_connections: Option<f64>,
    /// Connections of one address.
    pub max_connections_per_ip: Option<f64>,
    /// Rooms.
    pub max_rooms_per_connection: Option<f64>,
    /// Messages per second.
    pub message_rate: Option<f64>,
    /// Messages.
    pub message_burst: Option<f64>,
    /// Milliseconds.
    pub ping_interval: Option<f64>,
    /// Milliseconds.
    pub pong_timeout: Option<f64>,
    /// Milliseconds.
    pub handshake_timeout: Option<f64>,
    /// Milliseconds.
    pub close_timeout: Option<f64>,
    /// Milliseconds.
    pub auth_timeout: Option<f64>,
    /// Bytes.
    pub max_buffered_bytes: Option<f64>,
    /// Milliseconds.
    pub slow_timeout: Option<f64>,
    /// Updates.
    pub history: Option<f64>,
    /// Milliseconds.
    pub room_ttl: Option<f64>,
    /// Threads.
    pub threads: Option<f64>,
    /// Hops, or addresses.
    pub trust_proxy: Option<Either<f64, Vec<String>>>,
    /// Exact origins.
    pub allowed_origins: Option<Vec<String>>,
    /// The origin's host has to be the request's.
    pub same_origin: Option<bool>,
    /// JavaScript decides on origins.
    pub origin_function: Option<bool>,
    /// JavaScript says who a client is.
    pub authenticate: Option<bool>,
    /// JavaScript says who may join.
    pub authorize_join: Option<bool>,
    /// Where the hubs of other processes are met.
    pub cluster_url: Option<String>,
    /// What keys and channels there begin with.
    pub cluster_prefix: Option<String>,
}

fn set<T, U>(target: &mut T, value: Option<U>, convert: impl FnOnce(U) -> T) {
    if let Some(value) = value {
        *target = convert(value);
    }
}

impl TryFrom<HubOptions> for Options {
    type Error = Error;

    fn try_from(given: HubOptions) -> Result<Self> {
        let count = |number: f64| number as usize;
        let mut options = Self::default();
        set(&mut options.path, given.path, |path| path);
        set(&mut options.max_payload, given.max_payload, count);
        options.max_connections = given.max_connections.map(count);
        options.max_connections_per_ip = given.max_connections_per_ip.map(count);
        set(&mut options.max_rooms_per_connection, given.max_rooms_per_connection, count);
        set(&mut options.message_rate, given.message_rate, |rate| rate);
        set(&mut options.message_burst, given.message_burst, |burst| burst);
        set(&mut options.ping_interval, given.ping_interval, millis);
        set(&mut options.pong_timeout, given.pong_timeout, millis);
        set(&mut options.handshake_timeout, given.handshake_timeout, millis);
        set(&mut options.close_timeout, given.close_timeout, millis);
        set(&mut options.auth_timeout, given.auth_timeout, millis);
        set(&mut options.max_buffered_bytes, given.max_buffered_bytes, count);
        set(&mut options.slow_timeout, given.slow_timeout, millis);
        set(&mut options.history, given.history, count);
        set(&mut options.room_ttl, given.room_ttl, millis);
        set(&mut options.threads, given.threads, count);
        options.trust_proxy = match given.trust_proxy {
            None => options.trust_proxy,
            Some(Either::A(hops)) => TrustProxy::Hops(count(hops)),
            Some(Either::B(addresses)) => TrustProxy::from_addresses(&addresses)
                .map_err(|error| Error::from_reason(error.to_string()))?,
        };
        options.origins = match (given.allowed_origins, given.same_origin) {
            (Some(origins), _) => Origins::List(origins),
            (None, Some(true)) => Origins::SameHost,
            (None, _) => Origins::Any,
        };
        options.origin_hook = given.origin_function.unwrap_or_default();
        options.authenticate = given.authenticate.unwrap_or_default();
        options.authorize_join = given.authorize_join.unwrap_or_default();
        let prefix = given.cluster_prefix.unwrap_or_else(|| DEFAULT_PREFIX.into());
        options.cluster = given.cluster_url.map(|url| ClusterOptions { url, prefix });
        Ok(options)
    }
}

pub(super) fn millis(millis: f64) -> Duration {
    // Negative and not-a-number become zero, infinite a very long time: nothing that panics.
    Duration::from_millis(millis as u64)
}

/// An upgrade request as Node has parsed it.
#[napi(object, object_to_js = false)]
pub struct UpgradeHead {
    /// Of the request line.
    pub method: String,
    /// Of the request line.
    pub url: String,
    /// `1.1`
    pub http_version: String,
    /// Header.
    pub upgrade: Option<String>,
    /// Header.
    pub connection: Option<String>,
    /// Header Sec-WebSocket-Version.
    pub version: Option<String>,
    /// Header Sec-WebSocket-Key.
    pub key: Option<String>,
    /// Header.
    pub origin: Option<String>,
    /// Header.
    pub host: Option<String>,
    /// Header X-Forwarded-For.
    pub forwarded_for: Option<String>,
    /// The other end of the socket.
    pub remote_address: Option<String>,
    /// The bot has looked at the path itself.
    pub routed: Option<bool>,
    /// What the bot's function said of the origin.
    pub origin_allowed: Option<bool>,
}

impl UpgradeHead {
    pub(super) fn peer(&self) -> Option<std::net::IpAddr> {
        // Node writes a link-local address with its zone (`fe80::1%eth0`, RFC 4007 §11), which is no part of it.
        self.remote_address.as_deref()?.split('%').next()?.parse().ok()
    }

    pub(super) fn decided(&self) -> Decided {
        Decided { path: self.routed.unwrap_or_default(), origin: self.origin_allowed }
    }
}

impl From<UpgradeHead> for Head {
    fn from(given: UpgradeHead) -> Self {
        Self {
            method: given.method,
            url: given.url,
            http_minor: u8::from(given.http_version == "1.1"),
            upgrade: given.upgrade,
            connection: given.connection,
            version: given.version,
            key: given.key,
            origin: given.origin,
            host: given.host,
            forwarded_for: given.forwarded_for,
        }
    }
}

/// A refused upgrade.
#[napi(object, object_from_js = false)]
pub struct UpgradeRefusal {
    /// HTTP status.
    pub status: u32,
    /// The whole HTTP response.
    pub response: String,
}

/// The bot's verdict on who a client is.
#[napi(object, object_to_js = false)]
pub struct ClientVerdict {
    /// `ok`, `denied` or `failed`.
    pub kind: String,
    /// Who it is.
    pub user_id: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub expires_at: Option<f64>,
    /// JavaScript keeps something for this connection.
    pub known: Option<bool>,
}

impl From<ClientVerdict> for Verdict {
    fn from(given: ClientVerdict) -> Self {
        match (&*given.kind, given.user_id) {
            ("ok", Some(user)) => Self::Accepted {
                user,
                expires_at: given.expires_at.map(|at| SystemTime::UNIX_EPOCH + millis(at)),
                known: given.known.unwrap_or_default(),
            },
            ("denied", _) => Self::Denied(close::UNAUTHORIZED),
            _ => Self::Failed,
        }
    }
}

pub(super) fn close_reason(
    code: Option<u32>,
    reason: Option<String>,
    otherwise: CloseReason,
) -> CloseReason {
    let code =
        code.and_then(|code| u16::try_from(code).ok()).filter(|code| close::is_sendable(*code));
    match (code, reason) {
        (None, None) => otherwise,
        (code, reason) => {
            CloseReason::new(code.unwrap_or(otherwise.code), reason.unwrap_or_default())
        }
    }
}

/// Where a hub listens.
#[napi(object, object_from_js = false)]
pub struct ListenAddress {
    /// The address.
    pub address: String,
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// The port.
    pub port: u32,
}
