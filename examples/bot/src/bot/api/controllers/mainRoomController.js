'use strict';

const MainRoomModel = require('../../../models/mainRoomModel');
const { broadcastRoomUpdate } = require('../../websocket/roomWebSocketHandler');

/** GET /api/rooms */
async function listRooms(_req, res) {
  res.json(await MainRoomModel.list());
}

/** GET /api/rooms/:id — also what a page polls that has no WebSocket. */
async function getRoom(req, res) {
  res.json(req.room);
}

/** POST /api/rooms/:id/join with `{ user: { id, firstName } }` */
async function joinRoom(req, res) {
  const { room, auth } = req;
  const result = await MainRoomModel.joinRoom(room.id, auth.user.id);
  if (result === 'full') return res.status(409).json({ error: 'Room is full' });

  const updatedRoom = await MainRoomModel.getById(room.id);
  if (result === 'joined') broadcast(updatedRoom, auth.user, 'join');
  res.json(updatedRoom);
}

/** POST /api/rooms/:id/leave with `{ user: { id, firstName } }` */
async function leaveRoom(req, res) {
  const { room, auth } = req;
  const wasIn = await MainRoomModel.leaveRoom(room.id, auth.user.id);

  const updatedRoom = await MainRoomModel.getById(room.id);
  if (wasIn) broadcast(updatedRoom, auth.user, 'leave');
  res.json(updatedRoom);
}

// Only once the model has succeeded, so that pages never see a count that the bot would deny.
function broadcast(room, user, eventType) {
  broadcastRoomUpdate(
    room.id,
    user.firstName || 'User',
    room.currentParticipants,
    room.maxParticipants,
    eventType,
  );
}

/** Puts the room of `:id` on the request, or answers 404. */
async function loadRoom(req, res, next) {
  req.room = await MainRoomModel.getById(Number(req.params.id));
  if (!req.room) return res.status(404).json({ error: 'Room not found' });
  next();
}

/**
 * Puts the user on the request, or answers 401. This bot believes what the page says; a real one
 * verifies it.
 */
function requireUser(req, res, next) {
  const user = req.body?.user;
  if (typeof user?.id !== 'string' || user.id === '') {
    return res.status(401).json({ error: 'Who are you?' });
  }
  req.auth = { user: { id: user.id, firstName: String(user.firstName ?? '') } };
  next();
}

module.exports = { listRooms, getRoom, joinRoom, leaveRoom, loadRoom, requireUser };
