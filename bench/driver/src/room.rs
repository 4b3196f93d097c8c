//! The floor's messages: as long as the real ones, with a timestamp that stands still.

const TIMESTAMP: &str = "2026-02-12T23:45:00.000Z";

pub(crate) fn established(user: usize) -> String {
    format!(
        r#"{{"type":"CONNECTION_ESTABLISHED","userId":"{user}","timestamp":"{TIMESTAMP}","message":"Connected to room updates"}}"#
    )
}

pub(crate) fn joined(room: u64, user: usize) -> String {
    format!(
        r#"{{"type":"ROOM_JOINED","roomId":{room},"userId":"{user}","timestamp":"{TIMESTAMP}","message":"Joined room {room}","seq":0,"epoch":"k3f9a2"}}"#
    )
}

pub(crate) fn update(room: u64, stamp: u64, seq: u64) -> String {
    format!(
        r#"{{"type":"ROOM_UPDATE","roomId":{room},"event":"USER_JOINED","participantName":"{stamp}","currentParticipants":25,"maxParticipants":50,"isFull":false,"availableSlots":25,"timestamp":"{TIMESTAMP}","seq":{seq}}}"#
    )
}
