use super::*;

fn room(text: &str) -> RoomId {
    RoomId::parse_str(text).unwrap()
}

fn join(text: &str, resume: Option<Resume>) -> Result<Request, Rejection> {
    let room = room(text);
    Ok(Request::Join { room, resume })
}

fn unknown(action: Option<&str>) -> Result<Request, Rejection> {
    Err(Rejection::UnknownAction(action.map(str::to_owned)))
}

fn parsed(text: &str) -> Result<Request, Rejection> {
    parse(text.as_bytes())
}

#[test]
fn every_action_is_read() {
    for (text, request, action) in [
        (
            r#"{"action":"JOIN_ROOM","roomId":1,"userId":"9"}"#,
            Request::Join { room: room("1"), resume: None },
            "JOIN_ROOM",
        ),
        (
            r#"{"roomId":"lobby","action":"LEAVE_ROOM"}"#,
            Request::Leave { room: room("lobby") },
            "LEAVE_ROOM",
        ),
        (
            r#"{"action":"GET_ROOM_STATUS","roomId":"1"}"#,
            Request::Status { room: room("1") },
            "GET_ROOM_STATUS",
        ),
        (r#" {"action":"PING"} "#, Request::Ping, "PING"),
        (r#"{"action":"\u0050ING","roomId":[]}"#, Request::Ping, "PING"),
    ] {
        assert_eq!(request.action(), action);
        assert_eq!(parsed(text), Ok(request), "{text}");
    }
}

#[test]
fn what_is_no_object_is_a_message_processing_error() {
    for text in ["", "PING", "null", "[]", "1", r#""PING""#, r#"{"action":"PING""#] {
        assert_eq!(parsed(text), Err(Rejection::NotAnObject), "{text}");
    }
    assert_eq!(parse(b"{\"action\":\"PING\xff\"}"), Err(Rejection::NotAnObject));
    assert_eq!(parse(b"\0\x01\x02"), Err(Rejection::NotAnObject));
    let lone = r#"{"action":"PING","userId":"\ud800"}"#;
    assert_eq!(parsed(lone), Err(Rejection::NotAnObject));
}

#[test]
fn other_actions_are_unknown_and_repeated_where_short() {
    assert_eq!(parsed(r#"{"action":"DANCE"}"#), unknown(Some("DANCE")));
    assert_eq!(parsed(r#"{"action":"ping"}"#), unknown(Some("ping")));
    assert_eq!(parsed(r#"{"action":"PING "}"#), unknown(Some("PING ")));
    assert_eq!(parsed(r#"{"action":""}"#), unknown(Some("")));
    for action in ["null", "1", "true", "[]", r#"["PING"]"#, r#"{"PING":1}"#] {
        assert_eq!(parsed(&format!(r#"{{"action":{action}}}"#)), unknown(None));
    }
    assert_eq!(parsed("{}"), unknown(None));
    assert_eq!(parsed(r#"{"roomId":1}"#), unknown(None));
    assert_eq!(parsed(r#"{"__proto__":{"action":"PING"}}"#), unknown(None));
    for (action, repeated) in
        [("x".repeat(64), true), ("x".repeat(65), false), ("€".repeat(22), false)]
    {
        let expected = repeated.then_some(&*action);
        assert_eq!(parsed(&format!(r#"{{"action":"{action}"}}"#)), unknown(expected));
    }
}

#[test]
fn three_actions_need_a_room() {
    for action in ["JOIN_ROOM", "LEAVE_ROOM", "GET_ROOM_STATUS"] {
        for fields in ["", r#","roomId":null"#, r#","roomid":1"#, r#","roomId":1,"roomId":null"#] {
            let text = format!(r#"{{"action":"{action}"{fields}}}"#);
            assert_eq!(parsed(&text), Err(Rejection::RoomIdRequired), "{text}");
        }
        let long = format!("\"{}\"", "x".repeat(129));
        for id in [
            "1.0",
            "1.5",
            "-0",
            "-1",
            "1e2",
            "1E2",
            "9007199254740992",
            "18446744073709551617",
            "true",
            "false",
            "{}",
            r#"{"id":1}"#,
            "[]",
            "[1]",
            r#""""#,
            r#""a\u0000b""#,
            r#""\u007f""#,
            r#""\u0085""#,
            &long,
        ] {
            let text = format!(r#"{{"action":"{action}","roomId":{id}}}"#);
            assert_eq!(parsed(&text), Err(Rejection::InvalidRoomId), "{text}");
        }
    }
}

#[test]
fn a_room_has_one_spelling() {
    for (id, same) in [
        ("1", "1"),
        (r#""1""#, "1"),
        (r#""\u0031""#, "1"),
        ("0", "0"),
        ("9007199254740991", "9007199254740991"),
        (r#""01""#, "01"),
        (r#""9007199254740992""#, "9007199254740992"),
        (r#""true""#, "true"),
        (r#""__proto__""#, "__proto__"),
        (r#""\ud83d\ude00""#, "😀"),
    ] {
        let text = format!(r#"{{"action":"JOIN_ROOM","roomId":{id}}}"#);
        assert_eq!(parsed(&text), join(same, None), "{text}");
    }
}

#[test]
fn the_last_of_equal_fields_counts() {
    let text = r#"{"action":"PING","roomId":"a","action":"JOIN_ROOM","roomId":2}"#;
    assert_eq!(parsed(text), join("2", None));
}

#[test]
fn recovery_is_asked_for_with_both_fields() {
    let resuming =
        |fields: &str| parsed(&format!(r#"{{"action":"JOIN_ROOM","roomId":1,{fields}}}"#));
    for fields in [
        r#""lastSeq":41"#,
        r#""epoch":"k""#,
        r#""lastSeq":null,"epoch":"k""#,
        r#""lastSeq":41,"epoch":null"#,
        r#""lastSeq":null,"epoch":null"#,
    ] {
        assert_eq!(resuming(fields), join("1", None), "{fields}");
    }
    for (fields, last_seq, epoch) in [
        (r#""lastSeq":41,"epoch":"k""#, Some(41), Some("k")),
        (r#""lastSeq":0,"epoch":"""#, Some(0), Some("")),
        (r#""lastSeq":18446744073709551615,"epoch":"k""#, Some(u64::MAX), Some("k")),
        (r#""lastSeq":18446744073709551616,"epoch":"k""#, None, Some("k")),
        (r#""lastSeq":-1,"epoch":"k""#, None, Some("k")),
        (r#""lastSeq":1.5,"epoch":"k""#, None, Some("k")),
        (r#""lastSeq":"41","epoch":"k""#, None, Some("k")),
        (r#""lastSeq":[],"epoch":"k""#, None, Some("k")),
        (r#""lastSeq":41,"epoch":7"#, Some(41), None),
        (r#""lastSeq":41,"epoch":{}"#, Some(41), None),
        (r#""lastSeq":false,"epoch":false"#, None, None),
    ] {
        let resume = Resume { last_seq, epoch: epoch.map(str::to_owned) };
        assert_eq!(resuming(fields), join("1", Some(resume)), "{fields}");
    }
}

#[test]
fn depth_ends_before_the_stack_does() {
    let ping = |levels: usize| {
        let deep = ["[".repeat(levels), "]".repeat(levels)].concat();
        parsed(&format!(r#"{{"action":"PING","x":{deep}}}"#))
    };
    assert_eq!(ping(100), Ok(Request::Ping));
    assert_eq!(ping(30_000), Err(Rejection::NotAnObject));
}

#[test]
fn a_dropped_message_is_told_by_what_is_valid_in_it() {
    let peeked = |text: &str| peek(text.as_bytes());
    let text = r#"{"action":"JOIN_ROOM","roomId":"1"}"#;
    assert_eq!(peeked(text), (Some("JOIN_ROOM".to_owned()), Some(room("1"))));
    let text = r#"{"action":"DANCE","roomId":1.5}"#;
    assert_eq!(peeked(text), (Some("DANCE".to_owned()), None));
    let text = format!(r#"{{"action":"{}","roomId":"a"}}"#, "x".repeat(65));
    assert_eq!(peeked(&text), (None, Some(room("a"))));
    assert_eq!(peeked(r#"{"action":7}"#), (None, None));
    assert_eq!(peeked("JOIN_ROOM"), (None, None));
}

#[test]
fn every_rejection_has_its_answer() {
    let action = Rejection::UnknownAction(Some("DANCE".to_owned()));
    assert_eq!(action.answer(), ErrorAnswer::UnknownAction(Some("DANCE")));
    for (rejection, text) in [
        (Rejection::NotAnObject, "Message processing error"),
        (action, "Unknown action"),
        (Rejection::RoomIdRequired, "roomId is required"),
        (Rejection::InvalidRoomId, "Invalid roomId"),
    ] {
        assert_eq!(rejection.to_string(), text);
    }
}
