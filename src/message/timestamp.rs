//! Points in time as they stand in messages.

use std::cell::Cell;
use std::io::Write;
use std::time::{Duration, SystemTime};

/// The last second of the year 9999, after which ISO 8601 needs another form.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// A point in time as JavaScript's `toISOString()` prints it, such as `2026-02-12T23:45:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp([u8; 24]);

thread_local! {
    /// The millisecond that the thread has printed last: in a burst it is the same one many times.
    static PRINTED: Cell<Option<(u128, Timestamp)>> = const { Cell::new(None) };
}

impl Timestamp {
    /// Prints `now`. A clock that is set before 1970 or after 9999 counts as the nearest time in between.
    pub fn of(now: SystemTime) -> Self {
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(LAST_SECOND);
        let millis = since.as_millis();
        if let Some((_, timestamp)) = PRINTED.get().filter(|(printed, _)| *printed == millis) {
            return timestamp;
        }
        let mut text = [0; 24];
        let time = humantime::format_rfc3339_millis(SystemTime::UNIX_EPOCH + since);
        write!(&mut text[..], "{time}").expect("years up to 9999 make 24 characters");
        PRINTED.set(Some((millis, Self(text))));
        Self(text)
    }

    /// The text, 24 characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("digits and signs are ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_printed_as_javascript_prints_it() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_770_939_900_000, "2026-02-12T23:45:00.000Z"),
            (1_709_210_096_007, "2024-02-29T12:34:56.007Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59.000Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59.000Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
            assert_eq!(Timestamp::of(time).as_str(), text);
        }
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Timestamp::of(early).as_str(), "1970-01-01T00:00:00.000Z");
        let exact = SystemTime::UNIX_EPOCH + Duration::from_micros(1_770_939_900_001_999);
        assert_eq!(Timestamp::of(exact).as_str(), "2026-02-12T23:45:00.001Z");
    }
}
