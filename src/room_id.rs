//! What names a room: a number or a string, one spelling for each.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// The largest integer that JavaScript tells from its neighbours, 2^53-1.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The longest name in bytes.
const MAX_NAME: usize = 128;

/// The id of a room, as clients and the bot write it.
///
/// A string that is the canonical decimal form of an allowed number *is* that number: `"1"` and `1`
/// are one room. The constructors see to that, so build a [`RoomId::Name`] with
/// [`RoomId::parse_str`] only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoomId {
    /// An integer from 0 to 2^53-1.
    Number(u64),
    /// 1 to 128 bytes without control characters, not the decimal form of an allowed number.
    Name(Arc<str>),
}

impl RoomId {
    /// The room that `text` names; none where it is empty, longer than 128 bytes or holds a control
    /// character.
    pub fn parse_str(text: &str) -> Option<Self> {
        if let Some(number) = canonical_number(text) {
            return Some(Self::Number(number));
        }
        let fits = (1..=MAX_NAME).contains(&text.len());
        (fits && !text.chars().any(char::is_control)).then(|| Self::Name(text.into()))
    }

    /// The room of a JavaScript number; none where that is negative, not an integer or above 2^53-1.
    pub fn from_number(number: f64) -> Option<Self> {
        let fits = (0.0..=MAX_NUMBER as f64).contains(&number) && number.fract() == 0.0;
        fits.then_some(Self::Number(number as u64))
    }

    /// The room of a parsed JSON value. A number with a fraction, an exponent or a sign is none,
    /// whatever its value.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse_str(text),
            Value::Number(number) => {
                number.as_u64().filter(|number| *number <= MAX_NUMBER).map(Self::Number)
            }
            _ => None,
        }
    }

    /// Appends the id as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => serde_json::to_writer(out, number),
            Self::Name(name) => serde_json::to_writer(out, &**name),
        }
        .expect("a Vec takes all that is written to it");
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// The allowed number whose one decimal form is `text`.
fn canonical_number(text: &str) -> Option<u64> {
    // `parse` takes a plus sign and leading zeros, which are no part of that form.
    let canonical = text == "0" || matches!(text.as_bytes(), [b'1'..=b'9', ..]);
    let number = text.parse().ok().filter(|_| canonical)?;
    (number <= MAX_NUMBER).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn json_of(room: &RoomId) -> String {
        let mut out = Vec::new();
        room.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_decimal_form_of_a_number_is_that_number() {
        for number in [0, 1, 9, 10, 42, 9_007_199_254_740_990, MAX_NUMBER] {
            let room = RoomId::parse_str(&number.to_string()).unwrap();
            assert_eq!(room, RoomId::Number(number));
            assert_eq!(Some(room), RoomId::from_number(number as f64));
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_a_name() {
        for text in [
            "00",
            "01",
            "+1",
            "-1",
            "-0",
            "1.0",
            "1e2",
            " 1",
            "1 ",
            "0x1",
            "\u{661}",
            "9007199254740992",
            "18446744073709551616",
            "99999999999999999999999999",
        ] {
            let room = RoomId::parse_str(text).unwrap();
            assert_eq!(room, RoomId::Name(text.into()), "{text}");
        }
    }

    #[test]
    fn names_are_1_to_128_bytes_without_control_characters() {
        for name in ["x", "lobby", "€", " ", "😀", "__proto__"] {
            assert!(RoomId::parse_str(name).is_some(), "{name}");
        }
        assert!(RoomId::parse_str(&"x".repeat(128)).is_some());
        assert!(RoomId::parse_str(&"€".repeat(42)).is_some());
        assert_eq!(RoomId::parse_str(""), None);
        assert_eq!(RoomId::parse_str(&"x".repeat(129)), None);
        assert_eq!(RoomId::parse_str(&"€".repeat(43)), None);
        assert_eq!(RoomId::parse_str(&"1".repeat(129)), None);
        for control in ["\0", "a\nb", "\u{1f}", "\u{7f}", "\u{85}", "\u{9f}"] {
            assert_eq!(RoomId::parse_str(control), None, "{control:?}");
        }
    }

    #[test]
    fn numbers_of_javascript_are_safe_integers_from_0() {
        assert_eq!(RoomId::from_number(-0.0), Some(RoomId::Number(0)));
        assert_eq!(RoomId::from_number(7.0), Some(RoomId::Number(7)));
        for number in
            [-1.0, 0.5, 9_007_199_254_740_992.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
        {
            assert_eq!(RoomId::from_number(number), None, "{number}");
        }
    }

    #[test]
    fn json_gives_integers_and_strings() {
        assert_eq!(RoomId::from_json(&json!(1)), Some(RoomId::Number(1)));
        assert_eq!(RoomId::from_json(&json!("1")), Some(RoomId::Number(1)));
        assert_eq!(RoomId::from_json(&json!("a")), Some(RoomId::Name("a".into())));
        for text in [
            "1.0",
            "-0",
            "-1",
            "1e2",
            "9007199254740992",
            "18446744073709551616",
            "true",
            "null",
            "{}",
            "[1]",
            r#""""#,
        ] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(RoomId::from_json(&value), None, "{text}");
        }
    }

    #[test]
    fn ids_are_written_as_json_and_shown_as_they_are() {
        assert_eq!(json_of(&RoomId::Number(MAX_NUMBER)), "9007199254740991");
        let name = RoomId::parse_str("a\"b\\€").unwrap();
        assert_eq!(json_of(&name), "\"a\\\"b\\\\€\"");
        assert_eq!(name.to_string(), "a\"b\\€");
        assert_eq!(RoomId::Number(12).to_string(), "12");
    }
}
