//! Orders as they travel: JSON, in the place of an update's message.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::close::CloseReason;
use crate::errand::Order;
use crate::room_id::RoomId;

fn room(id: &RoomId) -> Value {
    match id {
        RoomId::Number(number) => json!(number),
        RoomId::Name(name) => json!(&**name),
    }
}

/// The order's text.
pub(super) fn encode(order: &Order) -> Bytes {
    let value = match order {
        Order::DisconnectUser(user, reason) => {
            json!({ "order": "disconnectUser", "user": user, "code": reason.code, "reason": reason.reason })
        }
        Order::RemoveFromRoom(user, id) => {
            json!({ "order": "removeFromRoom", "user": user, "room": room(id) })
        }
        Order::DisconnectRoom(id) => json!({ "order": "disconnectRoom", "room": room(id) }),
        Order::ForgetRoom(id, epoch) => {
            json!({ "order": "forgetRoom", "room": room(id), "epoch": epoch })
        }
    };
    value.to_string().into()
}

/// The order of a text; none where this version knows none such.
pub(super) fn decode(text: &[u8]) -> Option<Order> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let user = || value["user"].as_str().map(str::to_owned);
    let room = || RoomId::from_json(&value["room"]);
    match value["order"].as_str()? {
        "disconnectUser" => {
            let code = value["code"].as_u64().and_then(|code| u16::try_from(code).ok())?;
            let reason = value["reason"].as_str()?.to_owned();
            Some(Order::DisconnectUser(user()?, CloseReason::new(code, reason)))
        }
        "removeFromRoom" => Some(Order::RemoveFromRoom(user()?, room()?)),
        "disconnectRoom" => Some(Order::DisconnectRoom(room()?)),
        "forgetRoom" => {
            Some(Order::ForgetRoom(room()?, value["epoch"].as_str().map(str::to_owned)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_come_out_as_they_went_in() {
        let room = RoomId::parse_str("lob\"by").unwrap();
        for order in [
            Order::DisconnectUser("ann\n".into(), CloseReason::new(4001, "bye".to_owned())),
            Order::RemoveFromRoom("ann".into(), room.clone()),
            Order::DisconnectRoom(RoomId::Number(7)),
            Order::ForgetRoom(room.clone(), None),
            Order::ForgetRoom(room, Some("k3f9a2".into())),
        ] {
            assert_eq!(decode(&encode(&order)), Some(order));
        }
        assert_eq!(decode(b"{\"order\":\"dance\"}"), None);
        assert_eq!(decode(b"no JSON"), None);
    }
}
