//! What shards tell the bot's side. A notice is never waited for: the receiver keeps a bounded queue, drops what is
//! only news when that is full, and never drops a question, whose number the sessions bound.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::room_id::RoomId;

/// A client as the bot knows it.
#[derive(Clone, Debug)]
pub struct Client {
    /// The connection's id.
    pub id: u64,
    /// Who it was found to be.
    pub user: Arc<str>,
    /// Where it comes from, as the proxies in front say.
    pub remote: Option<IpAddr>,
}

/// How grave a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Worth a look.
    Warn,
    /// Something is broken.
    Error,
}

/// Why a question needs no answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// `authTimeout` is over.
    Timeout,
    /// The client is gone.
    Gone,
}

/// One thing that the bot's side is to know or to do.
#[derive(Debug)]
pub enum Notice {
    /// Who is this? (Standalone: an attached server has asked before.)
    Authenticate {
        /// The connection.
        id: u64,
        /// `GET`.
        method: String,
        /// As in the request line.
        url: String,
        /// Names and values in their order.
        raw_headers: Vec<(String, String)>,
        /// The client's address.
        remote: Option<IpAddr>,
    },
    /// May pages of this origin connect? (Standalone, where the bot decides by a function.)
    Origin {
        /// The connection.
        id: u64,
        /// The header as sent.
        origin: Option<String>,
    },
    /// May this client join?
    AuthorizeJoin {
        /// The question's number, unique within the connection.
        ask: u64,
        /// Who asks.
        client: Client,
        /// For what.
        room: RoomId,
    },
    /// The answer to a question is not wanted any more.
    Abandon {
        /// The connection.
        id: u64,
        /// The question; none: `authenticate`.
        ask: Option<u64>,
        /// Why.
        why: Abandoned,
    },
    /// A client was let in.
    Connection(Client),
    /// A client is gone.
    Disconnect {
        /// Which.
        client: Client,
        /// As `ws` reports it: 1005 for a Close frame without a code, 1006 for none.
        code: u16,
        /// The reason in the Close frame.
        reason: String,
    },
    /// A client became a member.
    Join(Client, RoomId),
    /// A client is a member no more.
    Leave(Client, RoomId),
    /// A client's backlog was conflated for the first time.
    Slow(Client),
    /// The last notice of a connection that the bot's side has heard of.
    Gone {
        /// The connection.
        id: u64,
    },
    /// A fault of ours.
    Error {
        /// For programs.
        code: &'static str,
        /// For people.
        message: String,
    },
    /// A line for the log.
    Log {
        /// How grave.
        level: Level,
        /// What happened.
        message: String,
    },
    /// Bytes for a relayed client.
    RelayWrite {
        /// The connection.
        id: u64,
        /// Whole frames or parts of them.
        bytes: Bytes,
    },
    /// Nothing more will be written to a relayed client.
    RelayEnd {
        /// The connection.
        id: u64,
    },
    /// A relayed client's socket is to go.
    RelayDestroy {
        /// The connection.
        id: u64,
    },
    /// A relayed client's bytes are wanted again.
    RelayResume {
        /// The connection.
        id: u64,
    },
    /// The cluster is within reach, or out of it.
    Cluster {
        /// Whether it is.
        up: bool,
    },
    /// How many clients are in a room over all processes.
    ClusterCount {
        /// The question's number.
        ask: u64,
        /// Clients.
        count: u64,
    },
    /// The last thread has ended.
    Closed,
}

/// News that is only told where somebody listens: the bits of the mask in [`Notices::wants`].
pub mod news {
    /// [`Notice::Connection`](super::Notice::Connection)
    pub const CONNECTION: u32 = 1;
    /// [`Notice::Disconnect`](super::Notice::Disconnect)
    pub const DISCONNECT: u32 = 2;
    /// [`Notice::Join`](super::Notice::Join)
    pub const JOIN: u32 = 4;
    /// [`Notice::Leave`](super::Notice::Leave)
    pub const LEAVE: u32 = 8;
    /// [`Notice::Slow`](super::Notice::Slow)
    pub const SLOW: u32 = 16;
}

/// Where notices go.
pub trait Notices: Send + Sync + 'static {
    /// Takes one in; never blocks.
    fn tell(&self, notice: Notice);
    /// Whether news of this kind has a listener.
    fn wants(&self, news: u32) -> bool;
}
