//! Any message of a client: what is read from it is what it says, and what is answered is JSON that says so.

#![no_main]

use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use roomcast::frame::{TextFrame, append_field};
use roomcast::message::{self, Rejection, Request, Resume};
use roomcast::room_id::RoomId;
use roomcast::update::{self, Update};
use serde_json::{Map, Value, json};

fuzz_target!(|input: &[u8]| {
    let object: Option<Map<String, Value>> = serde_json::from_slice(input).ok();
    let parsed = message::parse(input);
    let expected = object.as_ref().map_or(Err(Rejection::NotAnObject), read);
    assert_eq!(parsed, expected);
    match &parsed {
        Ok(request) => check_request(input, request),
        Err(rejection) => check_answer(rejection),
    }
    if let Some(object) = object {
        check_peek(input, &object);
        check_frames(object);
    }
});

/// A message read anew, by the protocol's words.
fn read(object: &Map<String, Value>) -> Result<Request, Rejection> {
    let present = |name: &str| object.get(name).filter(|field| !field.is_null());
    let room = || match present("roomId") {
        None => Err(Rejection::RoomIdRequired),
        Some(id) => room_of(id).ok_or(Rejection::InvalidRoomId),
    };
    match object.get("action").and_then(Value::as_str) {
        Some("JOIN_ROOM") => {
            let room = room()?;
            let resume = present("lastSeq").zip(present("epoch")).map(|(seq, epoch)| Resume {
                last_seq: seq.as_u64(),
                epoch: epoch.as_str().map(str::to_owned),
            });
            Ok(Request::Join { room, resume })
        }
        Some("LEAVE_ROOM") => Ok(Request::Leave { room: room()? }),
        Some("GET_ROOM_STATUS") => Ok(Request::Status { room: room()? }),
        Some("PING") => Ok(Request::Ping),
        action => {
            let short = action.filter(|action| action.len() <= 64);
            Err(Rejection::UnknownAction(short.map(str::to_owned)))
        }
    }
}

/// A room's id by the protocol's words: an integer up to 2^53-1, or a string of 1 to 128 bytes without control
/// characters, where the decimal form of such an integer means that integer.
fn room_of(id: &Value) -> Option<RoomId> {
    let number = match id {
        Value::Number(number) => Some(number.as_u64()?),
        Value::String(text) => text.parse().ok().filter(|number: &u64| number.to_string() == *text),
        _ => return None,
    };
    match (number, id) {
        (Some(number), _) if number < 1 << 53 => Some(RoomId::Number(number)),
        (_, Value::String(text)) => {
            let fits = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
            fits.then(|| RoomId::Name((**text).into()))
        }
        _ => None,
    }
}

fn check_request(input: &[u8], request: &Request) {
    let mut again = json!({ "action": request.action() });
    if let Request::Join { room, .. } | Request::Leave { room } | Request::Status { room } = request
    {
        check_room(room);
        let mut id = Vec::new();
        room.write_json(&mut id);
        again["roomId"] = serde_json::from_slice(&id).expect("an id is JSON");
        assert_eq!(message::peek(input), (Some(request.action().to_owned()), Some(room.clone())));
    }
    if let Request::Join { resume: Some(resume), .. } = request {
        // What is malformed is none that any room has, and so is this.
        (again["lastSeq"], again["epoch"]) = (json!(-1), json!(false));
        if let Some(seq) = resume.last_seq {
            again["lastSeq"] = json!(seq);
        }
        if let Some(epoch) = &resume.epoch {
            again["epoch"] = json!(epoch);
        }
    }
    assert_eq!(message::parse(again.to_string().as_bytes()).as_ref(), Ok(request), "{again}");
}

/// A room has one spelling, whichever way it is written.
fn check_room(room: &RoomId) {
    assert_eq!(RoomId::parse_str(&room.to_string()).as_ref(), Some(room));
    if let RoomId::Number(number) = room {
        assert_eq!(RoomId::from_number(*number as f64).as_ref(), Some(room));
    }
    let joined = message::room_joined(room, "u", SystemTime::UNIX_EPOCH, 1, "e", Some(true));
    let joined = json_in(&joined);
    assert_eq!(RoomId::from_json(&joined["roomId"]).as_ref(), Some(room));
    assert_eq!(joined["message"], format!("Joined room {room}"));
}

fn check_answer(rejection: &Rejection) {
    let answer = json_in(&message::error(&rejection.answer()));
    assert_eq!(answer["type"], "ERROR");
    assert_eq!(answer["error"], rejection.to_string());
    if let Rejection::UnknownAction(action) = rejection {
        assert_eq!(answer.get("action").and_then(Value::as_str), action.as_deref());
    }
}

fn check_peek(input: &[u8], object: &Map<String, Value>) {
    let (action, room) = message::peek(input);
    let short = object.get("action").and_then(Value::as_str).filter(|action| action.len() <= 64);
    assert_eq!(action.as_deref(), short);
    assert_eq!(room, object.get("roomId").and_then(room_of));
}

/// The object as the bot's own update, and with a field appended, stays what it was.
fn check_frames(mut object: Map<String, Value>) {
    for reserved in ["type", "roomId", "timestamp", "seq", "epoch"] {
        object.remove(reserved);
    }
    let own = if object.is_empty() { "" } else { "," };
    let fields = Value::Object(object).to_string();
    let (room, now) = (RoomId::Number(7), SystemTime::UNIX_EPOCH);
    let update = update::encode(&room, &Update::Custom { fields: &fields }, now, 3, None);
    let inner = &fields[1..fields.len() - 1];
    let text = format!(
        r#"{{"type":"ROOM_UPDATE","roomId":7{own}{inner},"timestamp":"1970-01-01T00:00:00.000Z","seq":3}}"#
    );
    assert_eq!(text_in(&update), text);
    let epoch = Value::from(&*fields);
    let longer = format!(r#"{},"epoch":{epoch}}}"#, &text[..text.len() - 1]);
    assert_eq!(text_in(&append_field(&update, "epoch", &fields)), longer);
    let string = TextFrame::with_capacity(0).string(&fields).finish();
    assert_eq!(text_in(&string), epoch.to_string());
}

/// The JSON in a frame of ours.
fn json_in(frame: &[u8]) -> Value {
    serde_json::from_str(text_in(frame)).expect("a message is JSON")
}

/// The text in a frame of ours.
fn text_in(frame: &[u8]) -> &str {
    let (length, header) = match frame[1] {
        126 => (usize::from(u16::from_be_bytes([frame[2], frame[3]])), 4),
        127 => (frame.len() - 10, 10),
        length => (usize::from(length), 2),
    };
    assert_eq!((frame[0], frame.len()), (0x81, header + length));
    std::str::from_utf8(&frame[header..]).expect("a message is text")
}
