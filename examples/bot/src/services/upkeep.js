'use strict';

const { setTimeout: after } = require('node:timers/promises');
const attendance = require('./attendance');
const MainRoomModel = require('../models/mainRoomModel');
const roomWebSocketService = require('./websocket/roomWebSocketService');

const EVERY_MS = 2_000;

/** Tells the hub every room's count, so that a page that joins is sent one at once. */
async function seedCounts() {
  for (const counts of await MainRoomModel.counts()) tell(counts);
}

function tell(counts) {
  attendance.correct(counts);
  const { id, currentParticipants, maxParticipants } = counts;
  roomWebSocketService.broadcastParticipantCount(id, currentParticipants, maxParticipants);
}

/**
 * Keeps rooms right for as long as the hub is open: lets those go whose session has ended, and
 * corrects what pages are told where the database says otherwise. That is so after a start without
 * a database, after an operator's own SQL, and where updates of two bots overtook each other on
 * their way to Redis.
 *
 * @param {import('roomcast').RoomWebSocketServer} rooms
 */
async function keepUp(rooms) {
  const closing = new AbortController();
  rooms.once('close', () => closing.abort());
  const disputed = new Map();
  let trouble;
  while (!closing.signal.aborted) {
    try {
      await attendance.leaveOverdue();
      await settle(rooms, disputed);
      trouble = undefined;
    } catch (error) {
      // Once, however long it lasts.
      if (error.message !== trouble) console.error(`Upkeep of the rooms: ${error.message}`);
      trouble = error.message;
    }
    await after(EVERY_MS, undefined, { signal: closing.signal, ref: false }).catch(() => {});
  }
}

/**
 * Corrects rooms that hub and database have disputed twice, with nothing happening in between: the
 * first time an update may still be on its way. A room that the hub knows nothing of is told at once.
 */
async function settle(rooms, disputed) {
  for (const counts of await MainRoomModel.counts()) {
    const { id, revision, currentParticipants, maxParticipants } = counts;
    const state = rooms.getRoomState(id);
    const agreed =
      state?.currentParticipants === currentParticipants &&
      state.maxParticipants === maxParticipants;
    if (!agreed && (!state || disputed.get(id) === revision)) tell(counts);
    if (agreed || !state) disputed.delete(id);
    else disputed.set(id, revision);
  }
}

module.exports = { keepUp, seedCounts };
