//! Every option of a hub with its default, once.

use std::time::Duration;

use crate::address::TrustProxy;
use crate::handshake::Origins;

/// What the cluster's keys and channels begin with by default.
pub const DEFAULT_PREFIX: &str = "roomcast";

/// Where a hub meets those of other processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterOptions {
    /// `redis://` or `rediss://`, several hosts separated by commas.
    pub url: String,
    /// What all keys and channels begin with.
    pub prefix: String,
}

/// What a hub is set up with. Names and defaults are those of the public API.
#[derive(Clone, Debug)]
pub struct Options {
    /// Exact path served, the query aside.
    pub path: String,
    /// Bytes of one message (`maxPayload` of ws).
    pub max_payload: usize,
    /// Open connections in all; more are refused with 503.
    pub max_connections: Option<usize>,
    /// Open connections of one address; more are refused with 429.
    pub max_connections_per_ip: Option<usize>,
    /// Rooms one connection may be in.
    pub max_rooms_per_connection: usize,
    /// Messages per second one connection may send, in the long run.
    pub message_rate: f64,
    /// Messages one connection may send at once.
    pub message_burst: f64,
    /// Silence after which a Ping is sent.
    pub ping_interval: Duration,
    /// Silence after a Ping for which the peer is taken to be dead.
    pub pong_timeout: Duration,
    /// Time for a request head to arrive (standalone only).
    pub handshake_timeout: Duration,
    /// Time for the peer to answer a Close frame (RFC 6455 §7.1.1).
    pub close_timeout: Duration,
    /// Time for a hook of the bot to answer.
    pub auth_timeout: Duration,
    /// Backlog of one connection past which it is conflated, in bytes.
    pub max_buffered_bytes: usize,
    /// Time from the first conflation to an empty backlog.
    pub slow_timeout: Duration,
    /// Updates held per room for recovery.
    pub history: usize,
    /// Time after which a room without members and updates is forgotten.
    pub room_ttl: Duration,
    /// Shards, each a thread.
    pub threads: usize,
    /// Which proxies may say who the client is.
    pub trust_proxy: TrustProxy,
    /// Origins that may connect.
    pub origins: Origins,
    /// The bot decides on origins by a function of its own.
    pub origin_hook: bool,
    /// The bot has an `authenticate` hook.
    pub authenticate: bool,
    /// The bot has an `authorizeJoin` hook.
    pub authorize_join: bool,
    /// The cluster that the hub is a part of.
    pub cluster: Option<ClusterOptions>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: "/ws/rooms".into(),
            max_payload: 65_536,
            max_connections: None,
            max_connections_per_ip: None,
            max_rooms_per_connection: 100,
            message_rate: 20.0,
            message_burst: 200.0,
            // Proxies cut idle connections after 60 s (nginx) or 100 s: a Ping comes well before.
            ping_interval: Duration::from_millis(25_000),
            // Shorter than the interval, so that at most one Ping is under way.
            pong_timeout: Duration::from_millis(20_000),
            handshake_timeout: Duration::from_millis(10_000),
            close_timeout: Duration::from_millis(5_000),
            auth_timeout: Duration::from_millis(10_000),
            max_buffered_bytes: 65_536,
            slow_timeout: Duration::from_millis(10_000),
            history: 64,
            room_ttl: Duration::from_millis(3_600_000),
            threads: std::thread::available_parallelism().map_or(1, usize::from).min(4),
            trust_proxy: TrustProxy::Hops(0),
            origins: Origins::Any,
            origin_hook: false,
            authenticate: false,
            authorize_join: false,
            cluster: None,
        }
    }
}
