'use strict';

// A hub on a server that never listens: there is nothing to wait for.

const http = require('node:http');
const { setupRoomWebSocketServer } = require('../../..');

const hub = setupRoomWebSocketServer(http.createServer(), { logger: false });
if (hub.broadcastParticipantCount(1, 1, 2) !== true) process.exitCode = 1;
