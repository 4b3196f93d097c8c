//! Close codes and reasons: the catalogue of every way in which the hub ends a connection.
//!
//! Clients decide by the code whether to come back: 1008 is final, everything else is a reason to
//! reconnect. So a new row here is a change of the wire protocol.

use std::borrow::Cow;
use std::fmt;

/// A Close frame carries at most 125 bytes (RFC 6455 §5.5), two of them for the code.
pub(crate) const MAX_REASON: usize = 123;

/// Stands for a Close frame without a code; never on the wire itself (RFC 6455 §7.4.1).
pub const NO_STATUS: u16 = 1005;

/// Stands for a connection that ended without a Close frame; never on the wire itself (RFC 6455
/// §7.4.1).
pub const ABNORMAL: u16 = 1006;

/// The bot closed the room.
pub const ROOM_CLOSED: CloseReason = CloseReason::fixed(1000, "Room closed");
/// The hub drains.
pub const SERVER_SHUTTING_DOWN: CloseReason = CloseReason::fixed(1001, "Server shutting down");
/// The peer broke the WebSocket protocol.
pub const PROTOCOL_ERROR: CloseReason = CloseReason::fixed(1002, "Protocol error");
/// A text message or a close reason was not UTF-8.
pub const INVALID_UTF8: CloseReason = CloseReason::fixed(1007, "Invalid UTF-8");
/// The default authenticator found no `userId` in the query.
pub const MISSING_USER_ID: CloseReason = CloseReason::fixed(1008, "Missing userId");
/// The bot's `authenticate` said no.
pub const UNAUTHORIZED: CloseReason = CloseReason::fixed(1008, "Unauthorized");
/// The time that the verdict set as `expiresAt` has come.
pub const SESSION_EXPIRED: CloseReason = CloseReason::fixed(1008, "Session expired");
/// The bot closed the connection without a code of its own.
pub const DISCONNECTED: CloseReason = CloseReason::fixed(1008, "Disconnected");
/// The client kept on sending far beyond its message rate.
pub const RATE_LIMIT_EXCEEDED: CloseReason = CloseReason::fixed(1008, "Rate limit exceeded");
/// A message was longer than `maxPayload`.
pub const MESSAGE_TOO_LARGE: CloseReason = CloseReason::fixed(1009, "Message too large");
/// A fault of the hub's own.
pub const INTERNAL_SERVER_ERROR: CloseReason = CloseReason::fixed(1011, "Internal server error");
/// `authenticate` failed or timed out, which is no verdict on the user.
pub const TRY_AGAIN_LATER: CloseReason = CloseReason::fixed(1013, "Try again later");
/// The client does not take what it is sent.
pub const SLOW_CONSUMER: CloseReason = CloseReason::fixed(1013, "Slow consumer");

/// Why a connection ends: the content of a Close frame (RFC 6455 §5.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseReason {
    /// The status code, see [`is_sendable`] for what may stand on the wire.
    pub code: u16,
    /// A short text for people, at most 123 bytes.
    pub reason: Cow<'static, str>,
}

impl CloseReason {
    const fn fixed(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// A reason of the bot's or of the peer's own. A text over 123 bytes is cut at a character, since
    /// no Close frame could carry it.
    pub fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        let reason = match reason.into() {
            Cow::Borrowed(text) => Cow::Borrowed(cut(text, MAX_REASON)),
            Cow::Owned(mut text) => {
                text.truncate(cut(&text, MAX_REASON).len());
                Cow::Owned(text)
            }
        };
        Self { code, reason }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() {
            write!(f, "{}", self.code)
        } else {
            write!(f, "{} {}", self.code, self.reason)
        }
    }
}

/// Whether a Close frame may carry `code`: the registered codes but for 1004, 1005, 1006 and 1015,
/// and the ranges for libraries and applications (RFC 6455 §7.4; the same set as in the `ws`
/// library).
pub const fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The longest beginning of `text` that has at most `limit` bytes and ends with a whole character.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_that_of_the_protocol() {
        let rows = [
            (CloseReason::new(1000, ""), "1000"),
            (ROOM_CLOSED, "1000 Room closed"),
            (SERVER_SHUTTING_DOWN, "1001 Server shutting down"),
            (PROTOCOL_ERROR, "1002 Protocol error"),
            (INVALID_UTF8, "1007 Invalid UTF-8"),
            (MISSING_USER_ID, "1008 Missing userId"),
            (UNAUTHORIZED, "1008 Unauthorized"),
            (SESSION_EXPIRED, "1008 Session expired"),
            (DISCONNECTED, "1008 Disconnected"),
            (RATE_LIMIT_EXCEEDED, "1008 Rate limit exceeded"),
            (MESSAGE_TOO_LARGE, "1009 Message too large"),
            (INTERNAL_SERVER_ERROR, "1011 Internal server error"),
            (TRY_AGAIN_LATER, "1013 Try again later"),
            (SLOW_CONSUMER, "1013 Slow consumer"),
        ];
        for (row, text) in rows {
            assert_eq!(row.to_string(), text);
            assert!(is_sendable(row.code), "{text}");
            assert!(row.reason.len() <= MAX_REASON, "{text}");
        }
    }

    #[test]
    fn only_codes_that_the_wire_may_carry_are_sendable() {
        let sendable = (1000..=1003).chain(1007..=1014).chain(3000..=4999);
        let sendable: Vec<u16> = sendable.collect();
        for code in 0..=u16::MAX {
            assert_eq!(is_sendable(code), sendable.contains(&code), "{code}");
        }
    }

    #[test]
    fn a_reason_is_cut_at_a_character() {
        let fits = "x".repeat(123);
        assert_eq!(CloseReason::new(4000, fits.clone()).reason, fits);
        assert_eq!(CloseReason::new(4000, fits.clone() + "x").reason, fits);
        let wide = "€".repeat(42);
        assert_eq!(CloseReason::new(4000, wide.clone()).reason, wide[..123]);
        assert_eq!(CloseReason::new(4000, format!("x{wide}")).reason.len(), 121);
        assert_eq!(CloseReason::new(4000, "short").reason, "short");
    }

    #[test]
    fn cutting_leaves_whole_characters() {
        assert_eq!(cut("", 0), "");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("abc", 2), "ab");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 4), "abc");
        assert_eq!(cut("😀", 3), "");
        assert_eq!(cut("a😀b", 5), "a😀");
    }
}
