'use strict';

// A bot that routes upgrades itself and hands over those that are for the hub, at once or after an
// await of its own.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setupRoomWebSocketServer } = require('..');
const { connect, dial } = require('./support/client');
const { openRaw, textFrame, upgradeRequest } = require('./support/raw');
const { createServer, listen, stopServer } = require('./support/server');
const { deferred, until } = require('./support/wait');

/**
 * A hub without a server, and a server whose upgrades go to `route(hub, request, socket, head)`.
 */
async function serve(t, form, route, options = {}) {
  const server = createServer(form);
  const hub = setupRoomWebSocketServer({ noServer: true, logger: false, ...options });
  server.on('upgrade', (...upgrade) => route(hub, ...upgrade));
  const port = await listen(server);
  const secure = form === 'https';
  const started = { hub, server, port, secure, clients: [] };
  started.url = `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}/ws/rooms`;
  t.after(() => stopServer(started));
  return started;
}

const FRAMES = [
  textFrame({ action: 'JOIN_ROOM', roomId: 1 }),
  textFrame({ action: 'GET_ROOM_STATUS', roomId: 1 }),
  textFrame({ action: 'PING' }),
];

/** CONNECTION_ESTABLISHED and the answers to FRAMES. */
async function assertAnswered(raw) {
  assert.equal((await raw.response()).status, 101);
  for (const type of ['CONNECTION_ESTABLISHED', 'ROOM_JOINED', 'ROOM_STATUS', 'PONG']) {
    assert.equal(JSON.parse(await raw.nextText()).type, type);
  }
}

for (const form of ['http', 'https']) {
  describe(`handleUpgrade, ${form}`, () => {
    it('takes an upgrade at once', async t => {
      const started = await serve(t, form, (hub, ...upgrade) => hub.handleUpgrade(...upgrade));
      const client = await connect(started, { userId: 'anna' });
      await client.join(1);
      assert.equal(started.hub.getClientCount(1), 1);
      assert.equal(started.hub.broadcastParticipantCount(1, 1, 2), true);
      assert.equal((await client.nextMessage()).type, 'ROOM_UPDATE');
    });

    it('takes an upgrade after an await, with all that came meanwhile', async t => {
      const gate = deferred();
      const arrived = deferred();
      const started = await serve(t, form, async (hub, request, socket, head) => {
        arrived.resolve(socket);
        await gate.promise;
        hub.handleUpgrade(request, socket, head);
      });
      const raw = await openRaw(started);
      // A part comes as the head, a part while the bot awaits, a part after the handover.
      const bytes = Buffer.concat(FRAMES);
      raw.write(Buffer.concat([Buffer.from(upgradeRequest()), bytes.subarray(0, 9)]));
      const socket = await arrived.promise;
      raw.write(bytes.subarray(9, 70));
      const seen = form === 'https' ? 1 : Buffer.byteLength(upgradeRequest()) + 70;
      await until(() => socket.bytesRead >= seen || socket.readableLength > 0, 'bytes on the bot');
      gate.resolve();
      assert.equal((await raw.response()).status, 101);
      raw.write(bytes.subarray(70));
      await assertAnswered(raw);
    });

    it('takes an upgrade after a verdict and an await of the bot, each slow', async t => {
      const gate = deferred();
      const started = await serve(
        t,
        form,
        async (hub, ...upgrade) => {
          await gate.promise;
          hub.handleUpgrade(...upgrade);
        },
        {
          authenticate: async request => {
            await new Promise(resolve => setImmediate(resolve));
            return request.socket.remoteAddress;
          },
        },
      );
      const client = dial(started);
      gate.resolve();
      assert.equal((await client.nextMessage()).userId, '127.0.0.1');
    });

    it('refuses what is no handshake', async t => {
      const started = await serve(t, form, (hub, ...upgrade) => hub.handleUpgrade(...upgrade));
      const raw = await openRaw(started);
      raw.write(upgradeRequest({ headers: { 'Sec-WebSocket-Key': 'short' } }));
      assert.equal((await raw.response()).status, 400);
      await raw.closed;
    });

    it('bears with a client that has gone while the bot awaited', async t => {
      const gate = deferred();
      const arrived = deferred();
      const handled = deferred();
      const started = await serve(t, form, async (hub, request, socket, head) => {
        socket.on('error', () => {});
        arrived.resolve(socket);
        await gate.promise;
        hub.handleUpgrade(request, socket, head);
        handled.resolve();
      });
      const client = dial(started);
      const socket = await arrived.promise;
      client.terminate();
      socket.resume();
      await until(() => socket.readableEnded || socket.destroyed, 'the end of the socket');
      gate.resolve();
      await handled.promise;
      await until(() => started.hub.getStats().openConnections === 0, 'no connection');
    });
  });
}
