//! What holds of every message and every room's id, whatever a client writes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use roomcast::message::{self, Rejection, Request, Resume};
use roomcast::room_id::RoomId;
use serde_json::{Value, json};

const MAX_NUMBER: u64 = (1 << 53) - 1;

const ACTIONS: &[&str] = &["JOIN_ROOM", "LEAVE_ROOM", "GET_ROOM_STATUS", "PING"];

/// Numbers around those at which something changes, and any other.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..20_u64, MAX_NUMBER - 5..MAX_NUMBER + 5, u64::MAX - 5..=u64::MAX, any::<u64>(),]
}

/// Strings that may name a room: usual ones, ones that look like numbers, and any other.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,4}",
        "[-+ ]?[0-9]{1,20}(\\.0|e[0-9])?",
        "\\PC{0,140}",
        any::<String>(),
        number().prop_map(|number| number.to_string()),
    ]
}

/// Any JSON, a few levels deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(text(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn room() -> impl Strategy<Value = RoomId> {
    text().prop_filter_map("a room's name", |text| RoomId::parse_str(&text))
}

fn action() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(ACTIONS).prop_map(str::to_owned), 1 => text()]
}

fn json_of(room: &RoomId) -> Value {
    let mut id = Vec::new();
    room.write_json(&mut id);
    serde_json::from_slice(&id).unwrap()
}

fn parsed(message: &Value) -> Result<Request, Rejection> {
    message::parse(message.to_string().as_bytes())
}

proptest! {
    #[test]
    fn a_room_is_the_same_however_it_is_written(room in room()) {
        prop_assert_eq!(RoomId::parse_str(&room.to_string()), Some(room.clone()));
        prop_assert_eq!(RoomId::from_json(&json_of(&room)), Some(room.clone()));
        prop_assert_eq!(RoomId::from_json(&json!(room.to_string())), Some(room.clone()));
        if let RoomId::Number(number) = room {
            prop_assert!(number <= MAX_NUMBER);
            prop_assert_eq!(RoomId::from_number(number as f64), Some(room));
        }
    }

    #[test]
    fn a_number_is_a_room_up_to_the_greatest_safe_integer(number in number()) {
        let room = (number <= MAX_NUMBER).then_some(RoomId::Number(number));
        prop_assert_eq!(RoomId::from_json(&json!(number)), room.clone());
        // As a string a greater one is a name.
        let name = RoomId::Name(number.to_string().into());
        prop_assert_eq!(RoomId::parse_str(&number.to_string()), Some(room.unwrap_or(name)));
    }

    #[test]
    fn a_name_is_taken_as_it_is_or_not_at_all(text in text()) {
        let fits = (1..=128).contains(&text.len()) && !text.chars().any(char::is_control);
        let room = RoomId::parse_str(&text);
        prop_assert_eq!(room.is_some(), fits);
        prop_assert_eq!(room.map(|room| room.to_string()), fits.then_some(text));
    }

    #[test]
    fn what_is_asked_is_read(action in action(), room in room(), seq in number(), epoch in text()) {
        let message = json!({
            "userId": "9", "action": action, "roomId": json_of(&room), "lastSeq": seq, "epoch": epoch,
        });
        let resume = Some(Resume { last_seq: Some(seq), epoch: Some(epoch) });
        let expected = match &*action {
            "JOIN_ROOM" => Ok(Request::Join { room, resume }),
            "LEAVE_ROOM" => Ok(Request::Leave { room }),
            "GET_ROOM_STATUS" => Ok(Request::Status { room }),
            "PING" => Ok(Request::Ping),
            other => {
                let short = (other.len() <= 64).then(|| other.to_owned());
                Err(Rejection::UnknownAction(short))
            }
        };
        prop_assert_eq!(parsed(&message), expected);
    }

    #[test]
    fn fields_of_any_kind_are_a_request_or_a_rejection(
        action in value(), room in value(), seq in value(), epoch in value(),
    ) {
        let fields = json!({ "action": action, "roomId": room, "lastSeq": seq, "epoch": epoch });
        let expected = match RoomId::from_json(&room) {
            Some(id) => Ok(id),
            None if room.is_null() => Err(Rejection::RoomIdRequired),
            None => Err(Rejection::InvalidRoomId),
        };
        let joining = json!({ "action": "JOIN_ROOM", "roomId": room, "lastSeq": seq, "epoch": epoch });
        match (parsed(&joining), expected) {
            (Ok(Request::Join { room, resume }), Ok(expected)) => {
                prop_assert_eq!(room, expected);
                prop_assert_eq!(resume.is_some(), !seq.is_null() && !epoch.is_null());
            }
            (parsed, expected) => {
                prop_assert_eq!(parsed.err(), expected.err());
            }
        }
        if !action.is_string() {
            prop_assert_eq!(parsed(&fields), Err(Rejection::UnknownAction(None)));
        }
    }

    #[test]
    fn only_an_object_is_a_message(value in value()) {
        let refused = parsed(&value) == Err(Rejection::NotAnObject);
        prop_assert_eq!(refused, !value.is_object());
    }

    #[test]
    fn every_rejection_is_answered_in_json(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(rejection) = message::parse(&bytes) {
            let frame = message::error(&rejection.answer());
            let header = if frame[1] == 126 { 4 } else { 2 };
            let answer: Value = serde_json::from_slice(&frame[header..]).unwrap();
            prop_assert_eq!(&answer["error"], &rejection.to_string());
        }
    }
}
