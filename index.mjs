// The same module for `import`: one instance, so that both see the same hubs.
import roomcast from './index.js';

export const {
  RoomWebSocketServer,
  broadcastRoomUpdate,
  roomWebSocketService,
  sessionAuthenticator,
  setupRoomWebSocketServer,
} = roomcast;
