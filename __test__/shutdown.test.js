'use strict';

// The end of a hub: every client is told, whoever waits for it is told, and nothing is left that
// keeps a process.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setupRoomWebSocketServer } = require('..');
const { RoomClient, connect, dial } = require('./support/client');
const { runProgram } = require('./support/program');
const { openSession } = require('./support/raw');
const { FORMS, closeServer, createServer, listen, startServer } = require('./support/server');
const { until } = require('./support/wait');

const GOING_AWAY = { code: 1001, reason: 'Server shutting down' };

/** Starts the bot that stops, and as many clients as it waits for. */
async function startBot(t, { form, way, clients = 100 }) {
  const bot = runProgram(t, 'stopping-bot.js', { form, way, clients });
  const { port } = await bot.nextLine();
  const url = `${form === 'https' ? 'wss' : 'ws'}://127.0.0.1:${port}/ws/rooms`;
  const opened = [];
  for (let n = 0; n < clients; n += 1) opened.push(new RoomClient(`${url}?userId=u${n}`));
  t.after(() => {
    for (const client of opened) client.terminate();
  });
  return { bot, opened };
}

/** The bot has come to its end, said so, and has ended by itself. */
async function assertEnded(bot) {
  assert.deepEqual(await bot.nextLine(), { resolved: true });
  const { code, signal, complaints } = await bot.exited;
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, complaints);
}

for (const form of FORMS) {
  describe(`a process with 100 clients, ${form}`, () => {
    const ways = ['hub.close', 'hub.close twice', 'signal'];
    if (form !== 'standalone') ways.unshift('server.close');
    for (const way of ways) {
      it(`ends by itself after ${way}`, async t => {
        const { bot, opened } = await startBot(t, { form, way });
        for (const client of opened) assert.deepEqual(await client.closed, GOING_AWAY);
        await assertEnded(bot);
      });
    }

    it('ends by itself while clients still wait for their verdict', async t => {
      const { bot, opened } = await startBot(t, { form, way: 'authenticating', clients: 20 });
      for (const client of opened) assert.deepEqual(await client.closed, GOING_AWAY);
      await assertEnded(bot);
    });

    it('ends at once with process.exit', async t => {
      const { bot, opened } = await startBot(t, { form, way: 'process.exit' });
      for (const client of opened) {
        const end = await client.closed;
        // What is relayed needs Node's loop, which process.exit has stopped.
        if (form !== 'https') assert.deepEqual(end, GOING_AWAY);
      }
      assert.equal((await bot.exited).code, 0);
    });

    it('is not kept alive by what is unref()ed', async t => {
      const { bot } = await startBot(t, { form, way: 'unref', clients: 0 });
      await assertEnded(bot);
    });
  });
}

describe('a process', () => {
  it('is not kept alive by a hub whose server never listens', async t => {
    const bot = runProgram(t, 'never-listening.js');
    const { code, signal, complaints } = await bot.exited;
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, complaints);
  });
});

describe('close()', () => {
  for (const form of FORMS) {
    it(`resolves when every client has gone, and emits close once, ${form}`, async t => {
      const server = await startServer(t, { form });
      const clients = [];
      for (let n = 0; n < 20; n += 1) clients.push(await connect(server));
      let closes = 0;
      server.hub.on('close', () => {
        closes += 1;
      });
      await Promise.all([server.hub.close({ spreadMs: 200 }), server.hub.close()]);
      assert.equal(closes, 1);
      for (const client of clients) assert.deepEqual(await client.closed, GOING_AWAY);
      assert.equal(server.hub.getStats().openConnections, 0);
    });

    it(`waits no longer than graceMs for a client that does not answer, ${form}`, async t => {
      const server = await startServer(t, { form, closeTimeout: 600_000 });
      const client = await openSession(server);
      await server.hub.close({ graceMs: 50 });
      assert.deepEqual(await client.nextClose(), GOING_AWAY);
      await client.closed;
    });

    it(`ends clients that have yet to be accepted, ${form}`, async t => {
      const server = await startServer(t, { form, authenticate: () => new Promise(() => {}) });
      const client = dial(server);
      await client.opened;
      await server.hub.close();
      assert.deepEqual(await client.closed, GOING_AWAY);
      assert.deepEqual(client.received, []);
    });
  }

  it('leaves updates without a hub, which says so', async t => {
    const { hub } = await startServer(t);
    assert.equal(hub.broadcastParticipantCount(1, 1, 2), true);
    await hub.close();
    assert.equal(hub.broadcastParticipantCount(1, 1, 2), false);
    assert.equal(hub.broadcastRoomUpdate(1, 'A', 1, 2, 'join'), false);
    assert.equal(hub.broadcastRoomUpdate(1, { event: 'X' }), false);
  });

  it('is what `await using` does', async t => {
    const server = await startServer(t);
    const client = await connect(server);
    await server.hub[Symbol.asyncDispose]();
    assert.deepEqual(await client.closed, GOING_AWAY);
  });

  for (const form of ['http', 'https']) {
    it(`gives the ${form} server back as it was`, async t => {
      const server = createServer(form);
      t.after(() => closeServer(server));
      const port = await listen(server);
      const listeners = () =>
        server.eventNames().map(name => [name, server.rawListeners(name).length]);
      const before = { listeners: listeners(), own: Reflect.ownKeys(server) };
      const { emit, close } = server;
      const hub = setupRoomWebSocketServer(server, { logger: false });
      const scheme = form === 'https' ? 'wss' : 'ws';
      const client = new RoomClient(`${scheme}://127.0.0.1:${port}/ws/rooms?userId=u`);
      await client.opened;
      await hub.close();
      assert.equal((await client.closed).code, 1001);
      assert.deepEqual(listeners(), before.listeners);
      assert.deepEqual(Reflect.ownKeys(server), before.own);
      assert.equal(server.emit, emit);
      assert.equal(server.close, close);
      assert.equal(server.listening, true);
    });
  }

  it('comes by itself when the last of several servers closes', async t => {
    const first = await startServer(t);
    const second = createServer('http');
    first.hub.attach(second);
    const port = await listen(second);
    const url = `ws://127.0.0.1:${port}/ws/rooms`;
    const client = await connect({ ...first, url });
    await client.join(1);
    await closeServer(first.server);
    assert.deepEqual(await client.settle(), []);
    assert.equal(first.hub.broadcastParticipantCount(1, 1, 2), true);
    assert.equal((await client.nextMessage()).type, 'ROOM_UPDATE');

    const closed = new Promise(resolve => first.hub.once('close', resolve));
    await closeServer(second);
    assert.deepEqual(await client.closed, GOING_AWAY);
    await closed;
  });

  it('leaves no thread behind', { skip: process.platform !== 'linux' }, async t => {
    const fs = require('node:fs');
    const threads = () => fs.readdirSync('/proc/self/task').length;
    // Node's own pool starts its threads when it is first used.
    await (await startServer(t)).hub.close();
    const before = threads();
    const { hub } = await startServer(t, { threads: 3 });
    assert.ok(threads() >= before + 3, 'the threads that were asked for');
    await hub.close();
    await until(
      () => threads() <= before,
      () => `${before} threads again, there are ${threads()}`,
    );
  });

  it('can be called through an AbortSignal', async t => {
    const controller = new AbortController();
    const server = await startServer(t, { signal: controller.signal });
    const client = await connect(server);
    const closed = new Promise(resolve => server.hub.once('close', resolve));
    controller.abort();
    assert.deepEqual(await client.closed, GOING_AWAY);
    await closed;
  });
});
