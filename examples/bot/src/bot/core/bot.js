'use strict';

const { once } = require('node:events');
const http = require('node:http');
const path = require('node:path');
const express = require('express');
const MainRoomController = require('../api/controllers/mainRoomController');
const MainRoomModel = require('../../models/mainRoomModel');
const roomWebSocketService = require('../../services/websocket/roomWebSocketService');
const { setupRoomWebSocketServer } = require('../websocket/roomWebSocketHandler');

const LAST_PORT = 65_535;

function createApiApp() {
  const app = express();
  const { listRooms, getRoom, joinRoom, leaveRoom, loadRoom, requireUser } = MainRoomController;
  app.use(express.static(path.join(__dirname, '../../../public')));
  app.use(express.json({ limit: '10kb' }));
  app.get('/api/rooms', listRooms);
  app.get('/api/rooms/:id', loadRoom, getRoom);
  app.post('/api/rooms/:id/join', requireUser, loadRoom, joinRoom);
  app.post('/api/rooms/:id/leave', requireUser, loadRoom, leaveRoom);
  return app;
}

/**
 * Starts the bot's HTTP API, its page and its room updates on one port: `PORT`, or the next one
 * that is free. `HOST` is the address to listen on, all of them where it is not set. Resolves
 * once it listens.
 */
async function startApiServer({ port = process.env.PORT || 3000, host = process.env.HOST } = {}) {
  const server = http.createServer(createApiApp());
  const rooms = setupRoomWebSocketServer(server);

  // A page that joins is sent the count at once, even where nobody has come or gone since the bot
  // started.
  for (const room of await MainRoomModel.list()) {
    roomWebSocketService.broadcastParticipantCount(
      room.id,
      room.currentParticipants,
      room.maxParticipants,
    );
  }

  await listenOnFreePort(server, Number(port), host);
  stopOnSignals(server, rooms);
  console.log(`The bot is running: http://${host ?? 'localhost'}:${server.address().port}/`);
  return { server, rooms };
}

async function listenOnFreePort(server, firstPort, host) {
  for (let port = firstPort; ; port += 1) {
    try {
      server.listen({ port, host });
      await once(server, 'listening');
      return;
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || port >= LAST_PORT) throw error;
      console.log(`Port ${port} is taken, trying ${port + 1}.`);
    }
  }
}

function stopOnSignals(server, rooms) {
  let stopping = false;
  const stop = async signal => {
    // A terminal sends Ctrl-C to npm and to the bot, and npm passes its own on: the second one is
    // not impatience.
    if (stopping) return;
    stopping = true;
    console.log(`${signal}: closing.`);
    server.close();
    await rooms.close();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

if (require.main === module) {
  startApiServer().catch(error => {
    console.error(error.message);
    process.exitCode = 1;
  });
}

module.exports = { startApiServer };
