'use strict';

// The one right form of every message, as templates for assertText.

const PONG = '{"type":"PONG","timestamp":"<timestamp>"}';

/** ROOM_JOINED of a request that asked for no recovery. */
const joined = (roomId, userId, seq = '<seq>') =>
  `{"type":"ROOM_JOINED","roomId":${JSON.stringify(roomId)},"userId":"${userId}","timestamp":"<timestamp>",` +
  `"message":"Joined room ${roomId}","seq":${seq},"epoch":"<epoch>"}`;

const left = (roomId, userId) =>
  `{"type":"ROOM_LEFT","roomId":${JSON.stringify(roomId)},"userId":"${userId}","timestamp":"<timestamp>",` +
  `"message":"Left room ${roomId}"}`;

const status = (roomId, clients) =>
  `{"type":"ROOM_STATUS","roomId":${JSON.stringify(roomId)},"connectedClients":${clients},"timestamp":"<timestamp>"}`;

const update = (roomId, fields, seq) =>
  `{"type":"ROOM_UPDATE","roomId":${JSON.stringify(roomId)},${fields},"timestamp":"<timestamp>","seq":${seq}}`;

const snapshot = (roomId, counts, seq) =>
  `{"type":"ROOM_UPDATE","roomId":${JSON.stringify(roomId)},"event":"PARTICIPANT_COUNT_UPDATED",${counts},` +
  `"timestamp":"<timestamp>","seq":${seq},"epoch":"<epoch>"}`;

const counts = (current, max, isFull = current >= max) =>
  `"currentParticipants":${current},"maxParticipants":${max},"isFull":${isFull},"availableSlots":${Math.max(0, max - current)}`;

module.exports = { PONG, counts, joined, left, snapshot, status, update };
