//! Messages: what clients ask, and what they are answered.

mod answer;
mod json;

pub use answer::{
    ErrorAnswer, connection_established, error, pong, room_joined, room_left, room_status,
    timestamp,
};

use std::borrow::Cow;
use std::fmt;

use crate::room_id::RoomId;
use json::Fields;

/// The longest action that is repeated in an answer, in bytes.
const MAX_ECHOED_ACTION: usize = 64;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `JOIN_ROOM`.
    Join {
        /// Which room.
        room: RoomId,
        /// Where to go on, if the client was there before.
        resume: Option<Resume>,
    },
    /// `LEAVE_ROOM`.
    Leave {
        /// Which room.
        room: RoomId,
    },
    /// `GET_ROOM_STATUS`.
    Status {
        /// Which room.
        room: RoomId,
    },
    /// `PING`.
    Ping,
}

impl Request {
    /// The action as clients write it.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Join { .. } => "JOIN_ROOM",
            Self::Leave { .. } => "LEAVE_ROOM",
            Self::Status { .. } => "GET_ROOM_STATUS",
            Self::Ping => "PING",
        }
    }
}

/// What a client saw last of a room. There is one only if the request carried both `lastSeq` and
/// `epoch`; a field that is malformed is `None`, which no room's counter or epoch equals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The number of the last update seen.
    pub last_seq: Option<u64>,
    /// The epoch that it was numbered in.
    pub epoch: Option<String>,
}

/// Why a message is no [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Not JSON, or JSON that is not an object.
    NotAnObject,
    /// No action, or one that is not known; the action where it is a string of at most 64 bytes.
    UnknownAction(Option<String>),
    /// The action needs a room and got none.
    RoomIdRequired,
    /// The room's id is neither an allowed number nor an allowed string.
    InvalidRoomId,
}

impl Rejection {
    /// What the client is answered.
    pub fn answer(&self) -> ErrorAnswer<'_> {
        match self {
            Self::NotAnObject => ErrorAnswer::MessageProcessing,
            Self::UnknownAction(action) => ErrorAnswer::UnknownAction(action.as_deref()),
            Self::RoomIdRequired => ErrorAnswer::RoomIdRequired,
            Self::InvalidRoomId => ErrorAnswer::InvalidRoomId,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.answer().text())
    }
}

impl std::error::Error for Rejection {}

/// Reads one message, text or binary.
///
/// # Errors
/// What the client got wrong; the connection lives on.
pub fn parse(bytes: &[u8]) -> Result<Request, Rejection> {
    let fields = Fields::read(bytes).ok_or(Rejection::NotAnObject)?;
    let action = fields.action.and_then(json::string);
    let room = || required_room(&fields);
    match action.as_deref() {
        Some("JOIN_ROOM") => Ok(Request::Join {
            room: room()?,
            resume: resume(&fields),
        }),
        Some("LEAVE_ROOM") => Ok(Request::Leave { room: room()? }),
        Some("GET_ROOM_STATUS") => Ok(Request::Status { room: room()? }),
        Some("PING") => Ok(Request::Ping),
        _ => Err(Rejection::UnknownAction(echoed(action))),
    }
}

/// What can be said of a message that is dropped unread: its action, where that is a string of at
/// most 64 bytes, and its room, where that is valid.
pub fn peek(bytes: &[u8]) -> (Option<String>, Option<RoomId>) {
    let Some(fields) = Fields::read(bytes) else {
        return (None, None);
    };
    let action = echoed(fields.action.and_then(json::string));
    (action, fields.room_id.and_then(room_id))
}

fn echoed(action: Option<Cow<'_, str>>) -> Option<String> {
    action
        .filter(|action| action.len() <= MAX_ECHOED_ACTION)
        .map(Cow::into_owned)
}

fn required_room(fields: &Fields<'_>) -> Result<RoomId, Rejection> {
    let value = fields.room_id.ok_or(Rejection::RoomIdRequired)?;
    room_id(value).ok_or(Rejection::InvalidRoomId)
}

fn room_id(value: &str) -> Option<RoomId> {
    match json::string(value) {
        Some(name) => RoomId::parse_str(&name),
        // Only digits are an integer as JSON writes it, and those mean the same in quotes; what
        // else is no string (`true`, `-0`, `1e2`, `[1]`) would be taken for a name.
        None if value.bytes().all(|byte| byte.is_ascii_digit()) => match RoomId::parse_str(value) {
            Some(room @ RoomId::Number(_)) => Some(room),
            _ => None,
        },
        None => None,
    }
}

fn resume(fields: &Fields<'_>) -> Option<Resume> {
    let (last_seq, epoch) = (fields.last_seq?, fields.epoch?);
    Some(Resume {
        last_seq: last_seq.parse().ok(),
        epoch: json::string(epoch).map(Cow::into_owned),
    })
}

#[cfg(test)]
mod tests;
