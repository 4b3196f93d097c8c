use super::*;
use serde_json::Value;

fn is_object(text: &str) -> bool {
    Fields::read(text.as_bytes()).is_some()
}

/// What `serde_json` says, which is what `JSON.parse` would say of the same text.
fn is_object_to_serde(text: &str) -> bool {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => value.is_object(),
        // Valid JSON, only too great for a double; JavaScript makes it Infinity.
        Err(error) => error.to_string().starts_with("number out of range"),
    }
}

#[test]
fn objects_are_told_from_all_else() {
    for text in [
        "{}",
        " \t\r\n{ } \t\r\n",
        r#"{"a":1}"#,
        r#"{ "a" : [ 1 , { "b" : null } , [ ] , { } ] , "c" : "d" }"#,
        r#"{"a":-0,"b":0.5,"c":1e2,"d":1E+2,"e":10.25e-7}"#,
        r#"{"a":true,"b":false,"c":null,"":""}"#,
        r#"{"a":"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00"}"#,
        r#"{"a":1,"a":2}"#,
        "{\"a\":\"\u{7f}\u{2028}€😀\"}",
    ] {
        assert!(is_object(text), "{text}");
        assert!(is_object_to_serde(text), "{text}");
    }
    for text in [
        "",
        " ",
        "{",
        "}",
        "{}{}",
        "{} x",
        "[]",
        "[{}]",
        "null",
        "1",
        "\"{}\"",
        "{a:1}",
        "{'a':1}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a":1"b":2}"#,
        r#"{"a" 1}"#,
        r#"{"a":1]"#,
        r#"{"a":[1}"#,
        r#"{"a":[1}]"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[,1]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":{1:2}}"#,
        r#"{"a":{"b"}}"#,
        r#"{"a":{"b":1,}}"#,
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":-}"#,
        r#"{"a":1.}"#,
        r#"{"a":.5}"#,
        r#"{"a":1e}"#,
        r#"{"a":1e+}"#,
        r#"{"a":NaN}"#,
        r#"{"a":tru}"#,
        r#"{"a":truex}"#,
        r#"{"a":undefined}"#,
        r#"{"a":"}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\u12g4"}"#,
        r#"{"a":"\u+123"}"#,
        r#"{"a":"\"}"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\0\"}",
        "{\"a\":\u{a0}1}",
        "\u{feff}{}",
        "// x\n{}",
    ] {
        assert!(!is_object(text), "{text}");
        assert!(!is_object_to_serde(text), "{text}");
    }
    assert!(Fields::read(b"{\"a\":\"\xff\"}").is_none());
    assert!(Fields::read(b"{\"a\":\"\xed\xa0\x80\"}").is_none());
}

#[test]
fn lone_surrogates_are_refused_wherever_they_stand() {
    for escape in [
        r"\ud800",
        r"\uDFFF",
        r"\ud83dx",
        r"\ud83d\n",
        r"\ud83d\ud83d",
        r"\ude00\ud83d",
        r"\ud83d\u0041",
    ] {
        for text in [
            format!(r#"{{"x":"{escape}"}}"#),
            format!(r#"{{"{escape}":1}}"#),
            format!(r#"{{"x":[{{"y":["{escape}"]}}]}}"#),
            format!(r#"{{"x":{{"{escape}":1}}}}"#),
        ] {
            assert!(!is_object(&text), "{text}");
            assert!(!is_object_to_serde(&text), "{text}");
        }
    }
    assert!(is_object(r#"{"\ud83d\ude00":"\uD83D\uDE00\\ud800"}"#));
}

#[test]
fn the_fields_of_requests_are_found() {
    let text =
        r#"{"x":{"action":"no"},"action" : "A" ,"roomId":[1, 2],"lastSeq":4e1,"epoch":null}"#;
    let fields = Fields::read(text.as_bytes()).unwrap();
    assert_eq!(fields.action, Some(r#""A""#));
    assert_eq!(fields.room_id, Some("[1, 2]"));
    assert_eq!(fields.last_seq, Some("4e1"));
    assert_eq!(fields.epoch, None);
}

#[test]
fn a_field_may_be_written_with_escapes_and_twice() {
    let text = r#"{"roomId":1,"\u0061ction":"A","roomId":null,"action":"B","room\u0049d":2}"#;
    let fields = Fields::read(text.as_bytes()).unwrap();
    assert_eq!(fields.action, Some(r#""B""#));
    assert_eq!(fields.room_id, Some("2"));
    let fields = Fields::read(br#"{"action":"A","action":null}"#).unwrap();
    assert_eq!(fields.action, None);
}

#[test]
fn strings_say_what_they_say() {
    assert_eq!(string(r#""""#).as_deref(), Some(""));
    assert_eq!(string(r#""a""#).as_deref(), Some("a"));
    assert_eq!(string(r#""\u0061\n\"""#).as_deref(), Some("a\n\""));
    for other in ["1", "null", "{}", r#"["a"]"#] {
        assert_eq!(string(other), None);
    }
}

#[test]
fn no_depth_exhausts_the_stack() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let depth = 200_000;
        let nested = [&open.repeat(depth), "1", &close.repeat(depth)].concat();
        assert!(is_object(&format!(r#"{{"x":{nested},"action":"A"}}"#)));
        assert!(!is_object(&format!(r#"{{"x":{}"#, open.repeat(depth))));
    }
}

#[test]
fn the_verdict_is_that_of_serde_json_on_mangled_messages() {
    let seeds = [
        r#"{"action":"JOIN_ROOM","roomId":1,"lastSeq":41,"epoch":"k3f9a2","x":[1,{"y":[]}]}"#,
        r#"{ "a" : [ true , -0.5e+7 , "\ud83d\ude00\n" , { } ] , "b" : null }"#,
    ];
    let alphabet = br#"{}[]":,\u0dD89e.+-tn ab"#;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for round in 0..40_000 {
        let mut text = seeds[round % seeds.len()].as_bytes().to_vec();
        for _ in 0..=random(3) {
            let at = random(text.len());
            let byte = alphabet[random(alphabet.len())];
            match random(3) {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                _ => drop(text.remove(at)),
            }
        }
        let text = String::from_utf8(text).unwrap();
        assert_eq!(is_object(&text), is_object_to_serde(&text), "{text}");
    }
}
