'use strict';

const { once } = require('node:events');
const http = require('node:http');
const { createApiApp } = require('./app');
const { readConfig } = require('./config');
const { stopOnSignals } = require('./stop');
const { openSessions } = require('../api/sessions');
const { setupRoomWebSocketServer } = require('../websocket/roomWebSocketHandler');
const { Unavailable } = require('../../database/unavailable');
const HangoutGroupModel = require('../../models/hangoutGroupModel');
const MainRoomModel = require('../../models/mainRoomModel');
const { startMonitor } = require('../../services/monitor');
const { keepUp, seedCounts } = require('../../services/upkeep');

const LAST_PORT = 65_535;

/**
 * Starts the bot's HTTP API, its pages and its room updates on one port: `PORT`, or the next one that
 * is free. `HOST` is the address to listen on, all of them where it is not set. Resolves once it
 * listens.
 */
async function startApiServer(config = readConfig()) {
  const { port, host, redisUrl, trustProxy } = config;
  const sessions = openSessions(config);
  const app = createApiApp({ sessions, trustProxy });
  const server = http.createServer(app);
  const rooms = setupRoomWebSocketServer(server, {
    authenticate: sessions.authenticate,
    authorizeJoin,
    trustProxy,
    ...(redisUrl && { cluster: { url: redisUrl } }),
  });
  app.set('rooms', rooms);

  await seedIfPossible();
  // Not before: the embedded database blocks the event loop for seconds while it loads.
  app.set('monitor', startMonitor(rooms));
  await listenOnFreePort(server, port, host);
  keepUp(rooms);
  stopOnSignals({ server, rooms, app, sessions, ...config });
  console.log(`The bot is running: http://${host ?? 'localhost'}:${server.address().port}/`);
  return { server, rooms };
}

/** Asked for every JOIN_ROOM; what it throws is `Unable to verify room membership` to the page. */
async function authorizeJoin({ userId }, roomId) {
  const access = await HangoutGroupModel.accessTo(MainRoomModel.idOf(roomId), userId);
  return access === 'granted';
}

/** A database that is away is waited for while the bot runs; one that is set up wrongly is not. */
async function seedIfPossible() {
  try {
    await seedCounts();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`${error.message} (${error.cause?.message}): trying again.`);
  }
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

if (require.main === module) {
  startApiServer().catch(error => {
    console.error(error.message);
    process.exit(1);
  });
}

module.exports = { startApiServer };
