'use strict';

const attendance = require('../../../services/attendance');
const HangoutGroupModel = require('../../../models/hangoutGroupModel');
const MainRoomModel = require('../../../models/mainRoomModel');
const { HttpError } = require('../errors');

/** GET /api/rooms */
async function listRooms(req, res) {
  const rooms = await MainRoomModel.list(req.user.id);
  res.json(rooms.map(room => view(req, room)));
}

/** GET /api/rooms/:id — also what a page polls that has no WebSocket, with If-None-Match. */
async function getRoom(req, res) {
  const room = await MainRoomModel.getById(req.roomId, req.user.id);
  if (!room) throw new HttpError(404, 'Room not found');
  res.set('Cache-Control', 'private, no-cache').json(view(req, room));
}

/** POST /api/rooms/:id/join */
async function joinRoom(req, res) {
  const result = await attendance.enter(req.roomId, req.user, req.session.cookie.expires);
  if (result === 'full') throw new HttpError(409, 'Room is full');
  await getRoom(req, res);
}

/** POST /api/rooms/:id/leave */
async function leaveRoom(req, res) {
  await attendance.leave(req.roomId, req.user);
  await getRoom(req, res);
}

/**
 * A room with the counts that the hub has told, and their place in its sequence: a page then knows
 * which is newer, this answer or an update.
 */
function view(req, { id, name, inside, participants, ...counts }) {
  const state = req.app.get('rooms').getRoomState(id) ?? stateOf(id, counts);
  return { id, name, inside, participants, ...state };
}

/** The same without a place in the sequence, where the hub has not been told of the room yet. */
function stateOf(roomId, { currentParticipants, maxParticipants }) {
  return {
    roomId,
    currentParticipants,
    maxParticipants,
    isFull: currentParticipants >= maxParticipants,
    availableSlots: Math.max(0, maxParticipants - currentParticipants),
  };
}

/** Puts the id of a room that the user may enter on the request, or answers 404 or 403. */
async function loadRoom(req, _res, next) {
  const access = await HangoutGroupModel.accessTo(MainRoomModel.idOf(req.params.id), req.user.id);
  if (access === 'no such room') throw new HttpError(404, 'Room not found');
  if (access === 'denied') throw new HttpError(403, 'Access denied to this room');
  req.roomId = Number(req.params.id);
  next();
}

module.exports = { listRooms, getRoom, joinRoom, leaveRoom, loadRoom };
