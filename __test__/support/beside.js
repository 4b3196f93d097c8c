'use strict';

const { setupRoomWebSocketServer } = require('../..');
const { createServer, listen, stopServer } = require('./server');

/**
 * A server that others use too: `before` and `after` are called with it before and after our hub is
 * set up, and may return a function that takes away what they attached.
 *
 * @param {import('node:test').TestContext} t
 * @param {object} [options] `form`, `app`, `before`, `after`; the rest goes to the hub
 */
async function serveBeside(t, { form = 'http', app, before, after, ...options } = {}) {
  const server = createServer(form, app);
  const undo = [before?.(server)];
  const hub = setupRoomWebSocketServer(server, { logger: false, ...options });
  undo.push(after?.(server));
  const port = await listen(server);
  const secure = form === 'https';
  const origin = `127.0.0.1:${port}`;
  const started = { form, server, hub, port, secure, origin, clients: [] };
  started.url = `${secure ? 'wss' : 'ws'}://${origin}/ws/rooms`;
  t.after(async () => {
    for (const take of undo) await take?.();
    await stopServer(started);
  });
  return started;
}

module.exports = { serveBeside };
