'use strict';

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { setupRoomWebSocketServer } = require('../..');

/**
 * The three ways a connection reaches the hub: by its descriptor, relayed, or accepted by the hub
 * itself.
 */
const FORMS = ['http', 'https', 'standalone'];

const fixtures = path.join(__dirname, '..', 'fixtures', 'tls');

/** A throw-away certificate for 127.0.0.1, its own authority, good until 2120. */
const tls = {
  key: fs.readFileSync(path.join(fixtures, 'key.pem')),
  cert: fs.readFileSync(path.join(fixtures, 'cert.pem')),
};

/** Listens on a free port of 127.0.0.1. */
function listen(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve(server.address().port);
    });
  });
}

/** A logger that keeps its lines: `[{ level, message, fields }]`. */
function recordingLogger() {
  const lines = [];
  const logger = {};
  for (const level of ['debug', 'info', 'warn', 'error']) {
    logger[level] = (message, fields) => lines.push({ level, message, fields });
  }
  return { lines, logger };
}

/** Opens a hub in one of the three forms: `{ hub, port, server }`, without a server standalone. */
async function openHub(form, options, app) {
  if (form === 'standalone') {
    const hub = setupRoomWebSocketServer({ host: '127.0.0.1', port: 0, ...options });
    return { hub, port: hub.address().port, server: undefined };
  }
  const server = createServer(form, app);
  const hub = setupRoomWebSocketServer(server, options);
  return { hub, port: await listen(server), server };
}

/**
 * Starts a hub in one of the three forms, and stops it with all of its clients when the test is
 * over.
 *
 * @param {import('node:test').TestContext} t
 * @param {object} [options] `form`, `app` (an http request listener); the rest goes to the hub
 */
async function startServer(t, { form = 'http', app, ...options } = {}) {
  const { lines, logger } = recordingLogger();
  const given = { logger, ...options };
  const started = { form, log: lines, clients: [], ...(await openHub(form, given, app)) };
  started.secure = form === 'https';
  started.path = options.path ?? '/ws/rooms';
  started.url = `${started.secure ? 'wss' : 'ws'}://127.0.0.1:${started.port}${started.path}`;
  t.after(() => stopServer(started));
  return started;
}

function createServer(form, app = (_, response) => response.end('plain')) {
  return form === 'https' ? https.createServer(tls, app) : http.createServer(app);
}

/**
 * Ends clients first, so that no hub waits for the closing handshake of one that has stopped
 * reading.
 */
async function stopServer({ hub, server, clients }) {
  for (const client of clients) client.terminate();
  await hub.close({ graceMs: 100 });
  if (server?.listening) await closeServer(server);
}

/** Closes a plain http(s) server with whatever it still holds. */
function closeServer(server) {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

module.exports = {
  FORMS,
  tls,
  listen,
  openHub,
  createServer,
  closeServer,
  recordingLogger,
  startServer,
  stopServer,
};
