// The types under `require`, as a bot in TypeScript with CommonJS output has them.
import http = require('node:http');
import roomcast = require('roomcast');

const { broadcastRoomUpdate, roomWebSocketService, setupRoomWebSocketServer } = roomcast;

const hub: roomcast.RoomWebSocketServer = setupRoomWebSocketServer(http.createServer());
hub.on('join', (client: roomcast.RoomClient, roomId: roomcast.RoomId) => {
  broadcastRoomUpdate(roomId, client.userId, hub.getClientCount(roomId), 50, 'join');
});
const stats: roomcast.Stats = roomWebSocketService.getStats();

// @ts-expect-error no such export
roomcast.setupRoomServer;

void stats;
