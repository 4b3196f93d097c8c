'use strict';

/** Options of the ws library that have no meaning here, each with what replaces it. */
const FOREIGN = {
  server: 'pass the server first, setupRoomWebSocketServer(server, options)',
  verifyClient: 'use authenticate for who connects and allowedOrigins for which pages',
  handleProtocols: 'no subprotocol is negotiated, leave it out',
  perMessageDeflate: 'no extension is negotiated, leave it out',
  clientTracking:
    "clients are always tracked, see getStats(), getClientCount() and the 'connection' event",
  WebSocket: 'connections are no WebSocket objects, they are the clients that the events carry',
  skipUTF8Validation: 'text is always checked (RFC 6455 section 8.1), leave it out',
  autoPong: 'pings are always answered (RFC 6455 section 5.5.2), leave it out',
  allowSynchronousEvents: "a client's messages are always answered in order, leave it out",
  maxBufferedChunks: 'use maxBufferedBytes for what waits to be sent and maxPayload for messages',
  maxFragments: 'fragments count against messageRate and messageBurst',
  maxPendingAutoPongs: 'control frames count against messageRate and messageBurst',
};

module.exports = { FOREIGN };
