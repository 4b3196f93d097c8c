// A bot that is an ES module: named imports, a standalone hub, one update, the end.

import {
  broadcastRoomUpdate,
  roomWebSocketService,
  sessionAuthenticator,
  setupRoomWebSocketServer,
} from 'roomcast';

const hub = setupRoomWebSocketServer({
  host: '127.0.0.1',
  port: 0,
  logger: false,
  authenticate: sessionAuthenticator({ cookieName: 'sid', secret: 's', loadSession: () => null }),
});
const handedOver = broadcastRoomUpdate(1, 'A', 1, 2, 'join');
await hub.close();
const closed = roomWebSocketService.getStats().openConnections === 0;
process.stdout.write(`${JSON.stringify({ handedOver, closed })}\n`);
