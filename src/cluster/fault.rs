//! What goes wrong with Redis, in words for whoever operates it.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::address::Address;

/// Why Redis could not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does not answer, or not in a way that is of use.
    Away(String),
    /// It does not let us in, or not do what has to be done.
    Forbidden(String),
    /// It answers, and will not do this one thing: somebody else has used the name of a room's key, for example.
    Refused(String),
    /// It is older than 7.0, which brought sharded pub/sub.
    TooOld(String),
}

impl Fault {
    /// What an error means; the password does not stand in it.
    pub(super) fn of(error: &RedisError, address: &Address) -> Self {
        let said = address.conceal(&error.to_string());
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let code = error.code().unwrap_or_default();
        let forbidden = matches!(code, "NOAUTH" | "WRONGPASS" | "NOPERM")
            || matches!(
                error.kind(),
                ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm)
            )
            // What a script may not do is said without a code.
            || ["NOAUTH", "WRONGPASS", "NOPERM", "The user executing the script can't"]
                .iter()
                .any(|sign| said.contains(sign));
        // An error without a code of its own, or one that is about one key.
        let refused = matches!(code, "WRONGTYPE" | "ERR");
        if forbidden {
            Self::Forbidden(said)
        } else if refused {
            Self::Refused(said)
        } else if error.kind() == ErrorKind::RESP3NotSupported {
            Self::TooOld("it does not know HELLO, which came with 6.0".into())
        } else if error.kind() == ErrorKind::Parse {
            Self::Away("what answers does not speak Redis's protocol".into())
        } else if error.is_timeout() {
            Self::Away("no answer within 1 s".into())
        } else {
            Self::Away(said)
        }
    }

    /// For people.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Away(text) | Self::Forbidden(text) | Self::Refused(text) | Self::TooOld(text) => {
                text
            }
        }
    }
}

/// A reply that is not of the form that was asked for.
pub(super) fn unexpected() -> Fault {
    Fault::Away("an answer in a form that was not asked for".into())
}
