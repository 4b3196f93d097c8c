'use strict';

const { nameOf } = require('./lib/arguments.js');
const { sessionAuthenticator } = require('./lib/authenticate.js');
const { openHubs } = require('./lib/environment.js');
const { RoomWebSocketServer } = require('./lib/room-server.js');
const { RoomService } = require('./lib/service.js');

const roomWebSocketService = new RoomService(openHubs);

function setupRoomWebSocketServer(server, options) {
  return new RoomWebSocketServer(server, options);
}

function broadcastRoomUpdate(roomId, participantName, currentCount, maxCount, eventType) {
  return roomWebSocketService.broadcastRoomUpdate(
    roomId,
    // Checked here too, since the service takes an object in its place.
    nameOf('participantName', participantName),
    currentCount,
    maxCount,
    eventType,
  );
}

module.exports = {
  RoomWebSocketServer,
  broadcastRoomUpdate,
  roomWebSocketService,
  sessionAuthenticator,
  setupRoomWebSocketServer,
};
