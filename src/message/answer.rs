//! What clients are told: every message but `ROOM_UPDATE`, as ready frames.
//!
//! The order of the fields is part of the protocol; new ones are only ever appended.

use std::time::SystemTime;

use bytes::Bytes;

use super::Timestamp;
use crate::frame::TextFrame;
use crate::room_id::RoomId;

/// The first message of every connection whose user is known.
pub fn connection_established(user: &str, now: SystemTime) -> Bytes {
    TextFrame::with_capacity(128 + user.len())
        .raw(r#"{"type":"CONNECTION_ESTABLISHED","userId":"#)
        .string(user)
        .raw(r#","timestamp":""#)
        .raw(Timestamp::of(now).as_str())
        .raw(r#"","message":"Connected to room updates"}"#)
        .finish()
}

/// The answer to `JOIN_ROOM`. `seq` is where the client's stream of updates goes on; `recovered` is
/// there only if the request said what the client saw last.
pub fn room_joined(
    room: &RoomId,
    user: &str,
    now: SystemTime,
    seq: u64,
    epoch: &str,
    recovered: Option<bool>,
) -> Bytes {
    let frame = membership("ROOM_JOINED", room, user, now, &format!("Joined room {room}"))
        .raw(r#","seq":"#)
        .number(seq)
        .raw(r#","epoch":"#)
        .string(epoch);
    match recovered {
        Some(true) => frame.raw(r#","recovered":true"#),
        Some(false) => frame.raw(r#","recovered":false"#),
        None => frame,
    }
    .raw("}")
    .finish()
}

/// The answer to `LEAVE_ROOM`, and what a client is told whom the bot took out of the room.
pub fn room_left(room: &RoomId, user: &str, now: SystemTime) -> Bytes {
    membership("ROOM_LEFT", room, user, now, &format!("Left room {room}")).raw("}").finish()
}

fn membership(kind: &str, room: &RoomId, user: &str, now: SystemTime, message: &str) -> TextFrame {
    TextFrame::with_capacity(200 + user.len() + message.len())
        .raw(r#"{"type":""#)
        .raw(kind)
        .raw(r#"","roomId":"#)
        .append(|out| room.write_json(out))
        .raw(r#","userId":"#)
        .string(user)
        .raw(r#","timestamp":""#)
        .raw(Timestamp::of(now).as_str())
        .raw(r#"","message":"#)
        .string(message)
}

/// The answer to `GET_ROOM_STATUS`.
pub fn room_status(room: &RoomId, connected_clients: u64, now: SystemTime) -> Bytes {
    TextFrame::with_capacity(128)
        .raw(r#"{"type":"ROOM_STATUS","roomId":"#)
        .append(|out| room.write_json(out))
        .raw(r#","connectedClients":"#)
        .number(connected_clients)
        .raw(r#","timestamp":""#)
        .raw(Timestamp::of(now).as_str())
        .raw(r#""}"#)
        .finish()
}

/// The answer to `PING`.
pub fn pong(now: SystemTime) -> Bytes {
    TextFrame::with_capacity(64)
        .raw(r#"{"type":"PONG","timestamp":""#)
        .raw(Timestamp::of(now).as_str())
        .raw(r#""}"#)
        .finish()
}

/// What a client is told where its message could not be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorAnswer<'a> {
    /// The message is not a JSON object.
    MessageProcessing,
    /// No such action; the action as sent, where that is fit to be repeated.
    UnknownAction(Option<&'a str>),
    /// The action needs a room.
    RoomIdRequired,
    /// The room's id is of the wrong form.
    InvalidRoomId,
    /// The bot's `authorizeJoin` said no.
    AccessDenied(&'a RoomId),
    /// The bot's `authorizeJoin` failed or timed out.
    UnableToVerify(&'a RoomId),
    /// The client is in as many rooms as one may be.
    TooManyRooms(&'a RoomId),
    /// The message came too soon after others and was dropped.
    RateLimit {
        /// What the dropped message asked, where that can be said.
        action: Option<&'a str>,
        /// The room that it named, where that can be said.
        room: Option<&'a RoomId>,
    },
}

impl<'a> ErrorAnswer<'a> {
    /// The `error` field.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::MessageProcessing => "Message processing error",
            Self::UnknownAction(_) => "Unknown action",
            Self::RoomIdRequired => "roomId is required",
            Self::InvalidRoomId => "Invalid roomId",
            Self::AccessDenied(_) => "Access denied to this room",
            Self::UnableToVerify(_) => "Unable to verify room membership",
            Self::TooManyRooms(_) => "Too many rooms",
            Self::RateLimit { .. } => "Rate limit exceeded",
        }
    }

    const fn details(&self) -> (Option<&'a str>, Option<&'a RoomId>) {
        match *self {
            Self::MessageProcessing | Self::RoomIdRequired | Self::InvalidRoomId => (None, None),
            Self::UnknownAction(action) => (action, None),
            Self::AccessDenied(room) | Self::UnableToVerify(room) | Self::TooManyRooms(room) => {
                (None, Some(room))
            }
            Self::RateLimit { action, room } => (action, room),
        }
    }
}

/// An `ERROR` message; the connection stays open.
pub fn error(answer: &ErrorAnswer<'_>) -> Bytes {
    let (action, room) = answer.details();
    let mut frame = TextFrame::with_capacity(96)
        .raw(r#"{"type":"ERROR","error":""#)
        .raw(answer.text())
        .raw("\"");
    if let Some(action) = action {
        frame = frame.raw(r#","action":"#).string(action);
    }
    if let Some(room) = room {
        frame = frame.raw(r#","roomId":"#).append(|out| room.write_json(out));
    }
    frame.raw("}").finish()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// 2026-02-12T23:45:00.000Z
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_939_900)
    }

    fn payload(frame: &Bytes) -> &str {
        let header = if frame[1] == 126 { 4 } else { 2 };
        let text = std::str::from_utf8(&frame[header..]).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok());
        text
    }

    #[test]
    fn the_greeting() {
        assert_eq!(
            payload(&connection_established("123456789", now())),
            r#"{"type":"CONNECTION_ESTABLISHED","userId":"123456789","timestamp":"2026-02-12T23:45:00.000Z","message":"Connected to room updates"}"#
        );
        let odd = connection_established("a\"b€", now());
        assert!(payload(&odd).contains(r#""userId":"a\"b€","#));
    }

    #[test]
    fn the_answer_to_a_join() {
        let room = RoomId::Number(1);
        let joined = |recovered| room_joined(&room, "123456789", now(), 41, "k3f9a2", recovered);
        let start = r#"{"type":"ROOM_JOINED","roomId":1,"userId":"123456789","timestamp":"2026-02-12T23:45:00.000Z","message":"Joined room 1","seq":41,"epoch":"k3f9a2""#;
        assert_eq!(payload(&joined(None)), format!("{start}}}"));
        assert_eq!(payload(&joined(Some(true))), format!(r#"{start},"recovered":true}}"#));
        assert_eq!(payload(&joined(Some(false))), format!(r#"{start},"recovered":false}}"#));
    }

    #[test]
    fn the_answer_to_leaving() {
        let room = RoomId::parse_str(r#"a"b"#).unwrap();
        assert_eq!(
            payload(&room_left(&room, "7", now())),
            r#"{"type":"ROOM_LEFT","roomId":"a\"b","userId":"7","timestamp":"2026-02-12T23:45:00.000Z","message":"Left room a\"b"}"#
        );
    }

    #[test]
    fn status_and_pong() {
        assert_eq!(
            payload(&room_status(&RoomId::Number(1), 5, now())),
            r#"{"type":"ROOM_STATUS","roomId":1,"connectedClients":5,"timestamp":"2026-02-12T23:45:00.000Z"}"#
        );
        assert_eq!(
            payload(&pong(now())),
            r#"{"type":"PONG","timestamp":"2026-02-12T23:45:00.000Z"}"#
        );
    }

    #[test]
    fn every_error() {
        let room = &RoomId::parse_str("lobby").unwrap();
        let limit = |action, room| ErrorAnswer::RateLimit { action, room };
        for (answer, fields) in [
            (ErrorAnswer::MessageProcessing, r#""Message processing error""#),
            (ErrorAnswer::UnknownAction(Some("DANCE")), r#""Unknown action","action":"DANCE""#),
            (ErrorAnswer::UnknownAction(Some("\"")), r#""Unknown action","action":"\"""#),
            (ErrorAnswer::UnknownAction(None), r#""Unknown action""#),
            (ErrorAnswer::RoomIdRequired, r#""roomId is required""#),
            (ErrorAnswer::InvalidRoomId, r#""Invalid roomId""#),
            (ErrorAnswer::AccessDenied(room), r#""Access denied to this room","roomId":"lobby""#),
            (
                ErrorAnswer::UnableToVerify(room),
                r#""Unable to verify room membership","roomId":"lobby""#,
            ),
            (ErrorAnswer::TooManyRooms(&RoomId::Number(1)), r#""Too many rooms","roomId":1"#),
            (
                limit(Some("JOIN_ROOM"), Some(room)),
                r#""Rate limit exceeded","action":"JOIN_ROOM","roomId":"lobby""#,
            ),
            (limit(Some("PING"), None), r#""Rate limit exceeded","action":"PING""#),
            (limit(None, Some(room)), r#""Rate limit exceeded","roomId":"lobby""#),
            (limit(None, None), r#""Rate limit exceeded""#),
        ] {
            let expected = format!(r#"{{"type":"ERROR","error":{fields}}}"#);
            assert_eq!(payload(&error(&answer)), expected);
        }
    }
}
