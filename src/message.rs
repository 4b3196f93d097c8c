//! Messages: what clients ask, and what they are answered.

mod answer;
mod timestamp;

pub use answer::{
    ErrorAnswer, connection_established, error, pong, room_joined, room_left, room_status,
};
pub use timestamp::Timestamp;

use std::fmt;

use serde_json::{Map, Value};

use crate::room_id::RoomId;

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
    match fields.action() {
        Some("JOIN_ROOM") => {
            Ok(Request::Join { room: fields.required_room()?, resume: fields.resume() })
        }
        Some("LEAVE_ROOM") => Ok(Request::Leave { room: fields.required_room()? }),
        Some("GET_ROOM_STATUS") => Ok(Request::Status { room: fields.required_room()? }),
        Some("PING") => Ok(Request::Ping),
        _ => Err(Rejection::UnknownAction(fields.echoed_action())),
    }
}

/// What can be said of a message that is dropped: its action, where that is a string of at most 64
/// bytes, and its room, where that is valid.
pub fn peek(bytes: &[u8]) -> (Option<String>, Option<RoomId>) {
    let Some(fields) = Fields::read(bytes) else {
        return (None, None);
    };
    let room = fields.get("roomId").and_then(RoomId::from_json);
    (fields.echoed_action(), room)
}

/// The fields of a message's object.
struct Fields(Map<String, Value>);

impl Fields {
    /// None where `bytes` are no JSON object. A lone surrogate in a string is no Unicode text and so
    /// none either, and nesting has to end at 128 levels, before the stack does.
    fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self)
    }

    /// A field that is there and not null.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn action(&self) -> Option<&str> {
        self.get("action")?.as_str()
    }

    fn echoed_action(&self) -> Option<String> {
        let action = self.action().filter(|action| action.len() <= MAX_ECHOED_ACTION);
        action.map(str::to_owned)
    }

    fn required_room(&self) -> Result<RoomId, Rejection> {
        let value = self.get("roomId").ok_or(Rejection::RoomIdRequired)?;
        RoomId::from_json(value).ok_or(Rejection::InvalidRoomId)
    }

    fn resume(&self) -> Option<Resume> {
        let (last_seq, epoch) = (self.get("lastSeq")?, self.get("epoch")?);
        Some(Resume { last_seq: last_seq.as_u64(), epoch: epoch.as_str().map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests;
