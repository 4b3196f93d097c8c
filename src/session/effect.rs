//! What passes between a session and its shard.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use crate::close::CloseReason;
use crate::codec::Kind;
use crate::message::Resume;
use crate::notice::Abandoned;
use crate::room::Room;
use crate::room_id::RoomId;

/// The bot's verdict on who a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Let in.
    Accepted {
        /// Who it is.
        user: String,
        /// When that ends.
        expires_at: Option<SystemTime>,
        /// The bot's side keeps something for this connection, and is to hear of its end.
        known: bool,
    },
    /// Not let in, for this reason.
    Denied(CloseReason),
    /// The hook threw, rejected or timed out.
    Failed,
}

/// What a session wants done beyond itself.
#[derive(Debug)]
pub enum Effect {
    /// To have a message answered that came from nobody in particular; see [`Session::open`](super::Session::open).
    Message(Kind, Bytes),
    /// To become a member.
    Join(RoomId, Option<Resume>),
    /// To have the bot asked whether it may.
    AskJoin {
        /// The question's number.
        ask: u64,
        /// The room.
        room: RoomId,
    },
    /// The bot said no to this room.
    Denied(RoomId),
    /// To be a member no more.
    Leave(RoomId),
    /// To know how many members the room has.
    Status(RoomId),
    /// A question needs no answer any more.
    Abandon {
        /// The question; none: who this is.
        ask: Option<u64>,
        /// Why.
        why: Abandoned,
    },
    /// The verdict came too late.
    Unverified,
    /// To be polled again, after the others: it has more to do than one turn's share.
    Yield,
    /// The backlog was conflated for the first time since it was empty.
    Slow,
    /// To be forgotten; the connection ended with this.
    Ended(CloseReason),
}

/// One room that a session is a member of.
#[derive(Debug)]
pub struct Membership {
    /// The room.
    pub room: Arc<Room>,
    /// Where in the shard's list of the room's members the session stands.
    pub place: usize,
}
