//! What is said to rooms and asked about them.

use napi::bindgen_prelude::{FnArgs, Function};
use napi::{Env, Error, Result};
use napi_derive::napi;

use super::convert::{JsRoomId, close_reason, counts, room_id, room_id_to_js};
use super::hub::NodeHub;
use crate::close;
use crate::room::RoomState;
use crate::update::{Status, Update};

/// Tells a room of a participant.
type Teller<'env> = Function<'env, FnArgs<(JsRoomId, String, f64, f64)>, bool>;

/// A room's newest state.
#[napi(object, object_from_js = false)]
pub struct HubRoomState {
    /// The room.
    pub room_id: JsRoomId,
    /// Of the newest update that had counts.
    pub current_participants: f64,
    /// Of the same.
    pub max_participants: f64,
    /// No place is left.
    pub is_full: bool,
    /// Places left.
    pub available_slots: f64,
    /// The number of the newest update.
    pub seq: f64,
    /// What `seq` counts within.
    pub epoch: String,
}

/// Figures of one thread.
#[napi(object, object_from_js = false)]
pub struct ThreadStats {
    /// Sessions.
    pub connections: f64,
    /// Bytes that wait.
    pub backlog: f64,
}

/// Figures of a hub.
#[napi(object, object_from_js = false)]
pub struct HubStats {
    /// Rooms with members.
    pub total_rooms_with_clients: f64,
    /// Memberships.
    pub total_connections: f64,
    /// Distinct users in rooms.
    pub total_users_tracked: f64,
    /// Ids of the rooms with members.
    pub active_rooms: Vec<JsRoomId>,
    /// Open sockets.
    pub open_connections: f64,
    /// Rooms in the table.
    pub rooms_known: f64,
    /// Bytes that wait.
    pub buffered_bytes: f64,
    /// Updates handed over.
    pub updates_total: f64,
    /// Updates given to clients.
    pub deliveries_total: f64,
    /// Updates dropped for newer ones.
    pub conflated_total: f64,
    /// Clients that are being conflated.
    pub slow_clients: f64,
    /// Since the hub was opened.
    pub uptime_seconds: f64,
    /// By thread.
    pub per_thread: Vec<ThreadStats>,
}

#[napi]
impl NodeHub {
    /// The function that tells of those who have joined, or left: `(roomId, name, current, max) => boolean`.
    ///
    /// A function by itself, since the bot calls it with every update: what a method of a class does before it has its
    /// object takes as long as the whole update.
    #[napi(
        catch_unwind,
        ts_return_type = "(roomId: number | string, name: string, current: number, max: number) => boolean"
    )]
    pub fn participant_teller<'env>(&self, env: &'env Env, joined: bool) -> Result<Teller<'env>> {
        let hub = self.hub.clone();
        env.create_function_from_closure("tell", move |call| {
            let (room, name, current, max) = call.args::<(JsRoomId, String, f64, f64)>()?;
            let (name, counts) = (&*name, counts(current, max));
            let update = if joined {
                Update::Joined { name, counts }
            } else {
                Update::Left { name, counts }
            };
            Ok(hub.broadcast(&room_id(&room)?, &update, Some(counts)))
        })
    }

    /// The counts alone.
    #[napi(catch_unwind)]
    pub fn broadcast_count(&self, room: JsRoomId, current: f64, max: f64) -> Result<bool> {
        let counts = counts(current, max);
        Ok(self.hub.broadcast(&room_id(&room)?, &Update::CountUpdated { counts }, Some(counts)))
    }

    /// A room's status: `FULL`, `AVAILABLE` or `OFFLINE`.
    #[napi(catch_unwind)]
    pub fn broadcast_status(
        &self,
        room: JsRoomId,
        status: String,
        current: f64,
        max: f64,
    ) -> Result<bool> {
        let counts = counts(current, max);
        let status = match &*status {
            "FULL" => Status::Full,
            "AVAILABLE" => Status::Available,
            "OFFLINE" => Status::Offline,
            _ => {
                return Err(Error::from_reason("status has to be FULL, AVAILABLE or OFFLINE"));
            }
        };
        Ok(self.hub.broadcast(
            &room_id(&room)?,
            &Update::StatusChanged { status, counts },
            Some(counts),
        ))
    }

    /// Fields of the bot's own, as a JSON object.
    #[napi(catch_unwind)]
    pub fn broadcast_custom(
        &self,
        room: JsRoomId,
        fields: String,
        current: Option<f64>,
        max: Option<f64>,
    ) -> Result<bool> {
        let counts = current.zip(max).map(|(current, max)| counts(current, max));
        Ok(self.hub.broadcast(&room_id(&room)?, &Update::Custom { fields: &fields }, counts))
    }

    /// Members of a room.
    #[napi(catch_unwind)]
    pub fn client_count(&self, room: JsRoomId) -> Result<f64> {
        Ok(self.hub.client_count(&room_id(&room)?) as f64)
    }

    /// Rooms with members.
    #[napi(catch_unwind)]
    pub fn active_rooms(&self) -> Vec<JsRoomId> {
        self.hub.active_rooms().iter().map(room_id_to_js).collect()
    }

    /// A room's newest state.
    #[napi(catch_unwind)]
    pub fn room_state(&self, room: JsRoomId) -> Result<Option<HubRoomState>> {
        let state = self.hub.room_state(&room_id(&room)?);
        Ok(state.map(|RoomState { counts, seq, epoch }| HubRoomState {
            room_id: room,
            current_participants: counts.current as f64,
            max_participants: counts.max as f64,
            is_full: counts.is_full(),
            available_slots: counts.available_slots() as f64,
            seq: seq as f64,
            epoch: epoch.to_string(),
        }))
    }

    /// The hub's figures.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> HubStats {
        let stats = self.hub.stats();
        let buffered: u64 = stats.threads.iter().map(|(_, backlog)| backlog).sum();
        let thread = |(connections, backlog): (u64, u64)| ThreadStats {
            connections: connections as f64,
            backlog: backlog as f64,
        };
        HubStats {
            total_rooms_with_clients: stats.active_rooms.len() as f64,
            total_connections: stats.memberships as f64,
            total_users_tracked: stats.users as f64,
            active_rooms: stats.active_rooms.iter().map(room_id_to_js).collect(),
            open_connections: stats.connections as f64,
            rooms_known: stats.rooms as f64,
            buffered_bytes: buffered as f64,
            updates_total: stats.updates as f64,
            deliveries_total: stats.deliveries as f64,
            conflated_total: stats.conflated as f64,
            slow_clients: stats.slow as f64,
            uptime_seconds: stats.uptime.as_secs_f64(),
            per_thread: stats.threads.into_iter().map(thread).collect(),
        }
    }

    /// Users that are in a room.
    #[napi(catch_unwind)]
    pub fn user_rooms(&self) -> Vec<String> {
        self.hub.users_in_rooms().iter().map(ToString::to_string).collect()
    }

    /// Prometheus text.
    #[napi(catch_unwind)]
    pub fn metrics(&self) -> String {
        self.hub.metrics()
    }

    /// Drops a room's state and history.
    #[napi(catch_unwind)]
    pub fn forget_room(&self, room: JsRoomId) -> Result<bool> {
        Ok(self.hub.forget_room(&room_id(&room)?))
    }

    /// Asks how many clients are in a room over all processes; the answer is the event `clusterCount`. False where
    /// none will come.
    #[napi(catch_unwind)]
    pub fn cluster_client_count(&self, room: JsRoomId, ask: f64) -> Result<bool> {
        Ok(self.hub.ask_cluster_count(&room_id(&room)?, ask as u64))
    }

    /// Closes all members of a room.
    #[napi(catch_unwind)]
    pub fn disconnect_room(&self, room: JsRoomId) -> Result<f64> {
        Ok(self.hub.disconnect_room(&room_id(&room)?) as f64)
    }

    /// Closes all connections of a user.
    #[napi(catch_unwind)]
    pub fn disconnect_user(&self, user: String, code: Option<u32>, reason: Option<String>) -> f64 {
        self.hub.disconnect_user(&user, &close_reason(code, reason, close::DISCONNECTED)) as f64
    }

    /// Ends a user's memberships of a room.
    #[napi(catch_unwind)]
    pub fn remove_from_room(&self, user: String, room: JsRoomId) -> Result<f64> {
        Ok(self.hub.remove_from_room(&user, &room_id(&room)?) as f64)
    }
}
