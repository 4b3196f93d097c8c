'use strict';

// Who comes and goes, in the database and then on every page.

const MainRoomModel = require('../models/mainRoomModel');
const { broadcastRoomUpdate } = require('../bot/websocket/roomWebSocketHandler');

/** The newest counts of each room that this process has told. */
const told = new Map();

/**
 * Lets a user into a room.
 *
 * @param {number} roomId
 * @param {{ id: string, name: string }} user
 * @param {Date} sessionEnds when the user is out again without a word
 * @returns {Promise<'joined' | 'already in' | 'full'>}
 */
async function enter(roomId, user, sessionEnds) {
  const { result, counts } = await MainRoomModel.joinRoom(roomId, user, sessionEnds);
  if (counts) broadcast(counts, user.name, 'join');
  return result;
}

/** Lets a user go; nothing where the user is not inside. */
async function leave(roomId, user) {
  const counts = await MainRoomModel.leaveRoom(roomId, user.id);
  if (counts) broadcast(counts, user.name, 'leave');
}

async function leaveAll(user) {
  for (const roomId of await MainRoomModel.roomsOf(user.id)) await leave(roomId, user);
}

/** Lets those go whose session has ended. Where several processes do it, each is let go by one. */
async function leaveOverdue() {
  for (const { roomId, userId, name } of await MainRoomModel.overdue()) {
    await leave(roomId, { id: userId, name });
  }
}

// Only once the database has it, so that pages never see a count that the bot would deny.
function broadcast(counts, name, eventType) {
  const { id, currentParticipants, maxParticipants } = newest(counts);
  broadcastRoomUpdate(id, name, currentParticipants, maxParticipants, eventType);
}

/**
 * The newest counts known of that room: answers of a pool's connections overtake each other, and the
 * last count that pages see has to be the last one there was.
 */
function newest(counts) {
  const known = told.get(counts.id);
  if (known && known.revision > counts.revision) return known;
  told.set(counts.id, counts);
  return counts;
}

/** Takes counts as the newest ones, whatever was known. */
function correct(counts) {
  told.set(counts.id, counts);
}

module.exports = { correct, enter, leave, leaveAll, leaveOverdue };
