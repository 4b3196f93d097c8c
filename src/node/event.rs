//! Notices as JavaScript objects.

use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;

use super::convert::{JsRoomId, room_id_to_js};
use crate::notice::{Abandoned, Client, Level, Notice};

/// One notice; fields that do not apply are absent.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct HubEvent {
    /// Which notice it is.
    #[napi(js_name = "type")]
    pub kind: String,
    /// The connection.
    pub id: Option<f64>,
    /// The number of a question.
    pub ask: Option<f64>,
    /// The client.
    pub user_id: Option<String>,
    /// The client's address.
    pub remote_address: Option<String>,
    /// The room.
    pub room_id: Option<JsRoomId>,
    /// A close code, or an error's name.
    pub code: Option<Either<u32, String>>,
    /// Why.
    pub reason: Option<String>,
    /// Of the request.
    pub method: Option<String>,
    /// Of the request.
    pub url: Option<String>,
    /// Names and values of the request in turn.
    pub raw_headers: Option<Vec<String>>,
    /// Of the request.
    pub origin: Option<String>,
    /// Of a log line.
    pub level: Option<String>,
    /// Of the cluster: `up` or `away`.
    pub state: Option<String>,
    /// Clients in a room.
    pub count: Option<f64>,
    /// For people.
    pub message: Option<String>,
    /// What to write.
    pub bytes: Option<Buffer>,
}

impl HubEvent {
    fn of(kind: &str, id: u64) -> Self {
        Self { id: Some(id as f64), ..Self::named(kind) }
    }

    fn named(kind: &str) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    fn about(kind: &str, client: &Client) -> Self {
        Self {
            user_id: Some(client.user.to_string()),
            remote_address: client.remote.map(|address| address.to_string()),
            ..Self::of(kind, client.id)
        }
    }
}

impl From<Notice> for HubEvent {
    fn from(notice: Notice) -> Self {
        match notice {
            Notice::Authenticate { id, method, url, raw_headers, remote } => Self {
                method: Some(method),
                url: Some(url),
                raw_headers: Some(
                    raw_headers.into_iter().flat_map(|(name, value)| [name, value]).collect(),
                ),
                remote_address: remote.map(|address| address.to_string()),
                ..Self::of("authenticate", id)
            },
            Notice::Origin { id, origin } => Self { origin, ..Self::of("origin", id) },
            Notice::AuthorizeJoin { ask, client, room } => Self {
                ask: Some(ask as f64),
                room_id: Some(room_id_to_js(&room)),
                ..Self::about("authorizeJoin", &client)
            },
            Notice::Abandon { id, ask, why } => Self {
                ask: ask.map(|ask| ask as f64),
                reason: Some(if why == Abandoned::Timeout { "timeout" } else { "gone" }.into()),
                ..Self::of("abandon", id)
            },
            Notice::Connection(client) => Self::about("connection", &client),
            Notice::Disconnect { client, code, reason } => Self {
                code: Some(Either::A(code.into())),
                reason: Some(reason),
                ..Self::about("disconnect", &client)
            },
            Notice::Join(client, room) => {
                Self { room_id: Some(room_id_to_js(&room)), ..Self::about("join", &client) }
            }
            Notice::Leave(client, room) => {
                Self { room_id: Some(room_id_to_js(&room)), ..Self::about("leave", &client) }
            }
            Notice::Slow(client) => Self::about("slow", &client),
            Notice::Gone { id } => Self::of("gone", id),
            Notice::Error { code, message } => Self {
                code: Some(Either::B(code.into())),
                message: Some(message),
                ..Self::named("error")
            },
            Notice::Log { level, message } => Self {
                level: Some(if level == Level::Error { "error" } else { "warn" }.into()),
                message: Some(message),
                ..Self::named("log")
            },
            Notice::RelayWrite { id, bytes } => {
                Self { bytes: Some(Vec::from(bytes).into()), ..Self::of("relayWrite", id) }
            }
            Notice::RelayEnd { id } => Self::of("relayEnd", id),
            Notice::RelayDestroy { id } => Self::of("relayDestroy", id),
            Notice::RelayResume { id } => Self::of("relayResume", id),
            Notice::Cluster { up } => Self {
                state: Some(if up { "up" } else { "away" }.into()),
                ..Self::named("cluster")
            },
            Notice::ClusterCount { ask, count } => Self {
                ask: Some(ask as f64),
                count: Some(count as f64),
                ..Self::named("clusterCount")
            },
            Notice::Closed => Self::named("closed"),
        }
    }
}
