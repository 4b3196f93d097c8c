//! What happens in a room, and how it is told: the `ROOM_UPDATE` messages.

use std::time::SystemTime;

use bytes::Bytes;

use crate::close::cut;
use crate::frame::TextFrame;
use crate::message::Timestamp;
use crate::room_id::RoomId;

/// The longest participant name in bytes.
const MAX_NAME: usize = 256;

/// How many are in a room, and how many may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Participants now.
    pub current: u64,
    /// Participants at most.
    pub max: u64,
}

impl Counts {
    /// Whether no slot is left.
    pub const fn is_full(self) -> bool {
        self.current >= self.max
    }

    /// How many more may come, 0 in an overfull room.
    pub const fn available_slots(self) -> u64 {
        self.max.saturating_sub(self.current)
    }
}

/// What `notifyRoomStatusChange` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The room takes nobody.
    Full,
    /// The room takes participants.
    Available,
    /// The room is not there at present.
    Offline,
}

impl Status {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Available => "AVAILABLE",
            Self::Offline => "OFFLINE",
        }
    }
}

/// One update, before it is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update<'a> {
    /// `USER_JOINED`.
    Joined {
        /// Who came, at most 256 bytes (see [`cut_name`]).
        name: &'a str,
        /// The room with them in it.
        counts: Counts,
    },
    /// `USER_LEFT`.
    Left {
        /// Who went, at most 256 bytes (see [`cut_name`]).
        name: &'a str,
        /// The room without them.
        counts: Counts,
    },
    /// `ROOM_STATUS_CHANGED`.
    StatusChanged {
        /// What the room is now; `isFull` on the wire is this, not what the counts say.
        status: Status,
        /// The room's counts.
        counts: Counts,
    },
    /// `PARTICIPANT_COUNT_UPDATED`, which is also the snapshot after a join.
    CountUpdated {
        /// The room's counts.
        counts: Counts,
    },
    /// An event of the bot's own.
    Custom {
        /// A JSON object's text, `event` first, without the reserved keys.
        fields: &'a str,
    },
}

/// The frame that tells every member of `room` about `update`. `epoch` is appended to snapshots and
/// to the first update of a new epoch.
pub fn encode(
    room: &RoomId,
    update: &Update<'_>,
    now: SystemTime,
    seq: u64,
    epoch: Option<&str>,
) -> Bytes {
    let own = match update {
        Update::Joined { name, .. } | Update::Left { name, .. } => name.len(),
        Update::Custom { fields } => fields.len(),
        Update::StatusChanged { .. } | Update::CountUpdated { .. } => 0,
    };
    numbered(unnumbered(TextFrame::with_capacity(280 + own), room, update, now), seq, epoch)
}

/// The message of an update up to its number, for who is yet to be told that.
pub fn head(room: &RoomId, update: &Update<'_>, now: SystemTime) -> Bytes {
    unnumbered(TextFrame::with_capacity(280), room, update, now).payload()
}

/// The frame of an update whose message was begun by [`head`].
pub fn complete(head: &[u8], seq: u64, epoch: Option<&str>) -> Bytes {
    let frame = TextFrame::with_capacity(head.len() + 40);
    numbered(frame.append(|out| out.extend_from_slice(head)), seq, epoch)
}

fn unnumbered(frame: TextFrame, room: &RoomId, update: &Update<'_>, now: SystemTime) -> TextFrame {
    let frame = frame.raw(r#"{"type":"ROOM_UPDATE","roomId":"#).append(|out| room.write_json(out));
    let frame = match *update {
        Update::Joined { name, counts } => participant(frame, "USER_JOINED", name, counts),
        Update::Left { name, counts } => participant(frame, "USER_LEFT", name, counts),
        Update::StatusChanged { status, counts } => {
            let frame = frame
                .raw(r#","event":"ROOM_STATUS_CHANGED","status":""#)
                .raw(status.as_str())
                .raw("\"");
            with_counts(frame, counts, status == Status::Full)
        }
        Update::CountUpdated { counts } => {
            let frame = frame.raw(r#","event":"PARTICIPANT_COUNT_UPDATED""#);
            with_counts(frame, counts, counts.is_full())
        }
        Update::Custom { fields } => custom(frame, fields),
    };
    frame.raw(r#","timestamp":""#).raw(Timestamp::of(now).as_str()).raw("\"")
}

#[inline]
fn numbered(frame: TextFrame, seq: u64, epoch: Option<&str>) -> Bytes {
    let frame = frame.raw(r#","seq":"#).number(seq);
    match epoch {
        Some(epoch) => frame.raw(r#","epoch":"#).string(epoch),
        None => frame,
    }
    .raw("}")
    .finish()
}

/// A name as it is sent: what is over 256 bytes is cut off at a character.
pub fn cut_name(name: &str) -> &str {
    cut(name, MAX_NAME)
}

fn participant(frame: TextFrame, event: &str, name: &str, counts: Counts) -> TextFrame {
    let frame = frame.raw(r#","event":""#).raw(event).raw(r#"","participantName":"#).string(name);
    with_counts(frame, counts, counts.is_full())
}

fn with_counts(frame: TextFrame, counts: Counts, is_full: bool) -> TextFrame {
    frame
        .raw(r#","currentParticipants":"#)
        .number(counts.current)
        .raw(r#","maxParticipants":"#)
        .number(counts.max)
        .raw(r#","isFull":"#)
        .raw(if is_full { "true" } else { "false" })
        .raw(r#","availableSlots":"#)
        .number(counts.available_slots())
}

/// The bot's own fields, without the braces of the object that they came in.
fn custom(frame: TextFrame, fields: &str) -> TextFrame {
    let fields = fields.trim();
    let fields = fields.strip_prefix('{').unwrap_or(fields);
    let fields = fields.strip_suffix('}').unwrap_or(fields).trim();
    if fields.is_empty() { frame } else { frame.raw(",").raw(fields) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const COUNTS: Counts = Counts { current: 25, max: 50 };
    const FULL: Counts = Counts { current: 51, max: 50 };

    /// The payload, at 2026-02-12T23:45:00.000Z and with the number 42.
    fn payload(room: &RoomId, update: Update<'_>, epoch: Option<&str>) -> String {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_939_900);
        let frame = encode(room, &update, now, 42, epoch);
        let header = if frame[1] == 126 { 4 } else { 2 };
        let text = String::from_utf8(frame[header..].to_vec()).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        text
    }

    fn of_room_1(update: Update<'_>) -> String {
        payload(&RoomId::Number(1), update, None)
    }

    #[test]
    fn who_comes_and_goes_is_named() {
        assert_eq!(
            of_room_1(Update::Joined { name: "John Doe", counts: COUNTS }),
            r#"{"type":"ROOM_UPDATE","roomId":1,"event":"USER_JOINED","participantName":"John Doe","currentParticipants":25,"maxParticipants":50,"isFull":false,"availableSlots":25,"timestamp":"2026-02-12T23:45:00.000Z","seq":42}"#
        );
        assert_eq!(
            of_room_1(Update::Left { name: "\"\n", counts: FULL }),
            r#"{"type":"ROOM_UPDATE","roomId":1,"event":"USER_LEFT","participantName":"\"\n","currentParticipants":51,"maxParticipants":50,"isFull":true,"availableSlots":0,"timestamp":"2026-02-12T23:45:00.000Z","seq":42}"#
        );
    }

    #[test]
    fn a_status_is_what_it_says_whatever_the_counts() {
        for (status, counts, rest) in [
            (
                Status::Full,
                COUNTS,
                r#""FULL","currentParticipants":25,"maxParticipants":50,"isFull":true,"availableSlots":25"#,
            ),
            (
                Status::Available,
                FULL,
                r#""AVAILABLE","currentParticipants":51,"maxParticipants":50,"isFull":false,"availableSlots":0"#,
            ),
            (
                Status::Offline,
                FULL,
                r#""OFFLINE","currentParticipants":51,"maxParticipants":50,"isFull":false,"availableSlots":0"#,
            ),
        ] {
            let expected = format!(
                r#"{{"type":"ROOM_UPDATE","roomId":1,"event":"ROOM_STATUS_CHANGED","status":{rest},"timestamp":"2026-02-12T23:45:00.000Z","seq":42}}"#
            );
            assert_eq!(of_room_1(Update::StatusChanged { status, counts }), expected);
        }
    }

    #[test]
    fn a_snapshot_ends_with_the_epoch() {
        let room = RoomId::parse_str("lobby").unwrap();
        assert_eq!(
            payload(&room, Update::CountUpdated { counts: COUNTS }, Some("k3f9a2")),
            r#"{"type":"ROOM_UPDATE","roomId":"lobby","event":"PARTICIPANT_COUNT_UPDATED","currentParticipants":25,"maxParticipants":50,"isFull":false,"availableSlots":25,"timestamp":"2026-02-12T23:45:00.000Z","seq":42,"epoch":"k3f9a2"}"#
        );
    }

    #[test]
    fn the_bots_own_fields_stand_before_ours() {
        assert_eq!(
            of_room_1(Update::Custom {
                fields: r#"{"event":"RENAMED","name":"{x}","deep":{"a":[{}]}}"#
            }),
            r#"{"type":"ROOM_UPDATE","roomId":1,"event":"RENAMED","name":"{x}","deep":{"a":[{}]},"timestamp":"2026-02-12T23:45:00.000Z","seq":42}"#
        );
        for nothing in ["{}", " { } ", ""] {
            assert_eq!(
                of_room_1(Update::Custom { fields: nothing }),
                r#"{"type":"ROOM_UPDATE","roomId":1,"timestamp":"2026-02-12T23:45:00.000Z","seq":42}"#
            );
        }
    }

    #[test]
    fn a_room_is_full_when_no_slot_is_left() {
        for (current, max, is_full, slots) in [
            (0, 0, true, 0),
            (0, 1, false, 1),
            (1, 1, true, 0),
            (2, 1, true, 0),
            (49, 50, false, 1),
            (u64::MAX, 0, true, 0),
        ] {
            let counts = Counts { current, max };
            assert_eq!((counts.is_full(), counts.available_slots()), (is_full, slots));
        }
    }

    #[test]
    fn names_are_cut_at_256_bytes() {
        assert_eq!(cut_name("John Doe"), "John Doe");
        assert_eq!(cut_name(&"x".repeat(256)).len(), 256);
        assert_eq!(cut_name(&"x".repeat(257)).len(), 256);
        assert_eq!(cut_name(&"😀".repeat(65)).len(), 256);
        assert_eq!(cut_name(&format!("x{}", "😀".repeat(65))).len(), 253);
    }
}
