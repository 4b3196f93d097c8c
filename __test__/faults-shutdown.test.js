'use strict';

// Ends that come at a bad moment: of the hub in a storm of connections, of the http server in the
// middle of a handshake, of the bot's thread in the middle of a broadcast.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const { startHostile } = require('./support/aftermath');
const { connect, dial } = require('./support/client');
const { questions } = require('./support/hooks');
const { OPCODE, frame, openRaw, openSession, textFrame, upgradeRequest } = require('./support/raw');
const { FORMS } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const GOING_AWAY = { code: 1001, reason: 'Server shutting down' };

/** Clients under way at any moment of the storm. */
const STORM = 20;

describe('close()', () => {
  for (const form of FORMS) {
    it(`in a storm of connections, twice, ends every one of them, ${form}`, async t => {
      const server = await startHostile(t, { form, authenticate: async () => 'u' });
      let storming = true;
      let closes = 0;
      let letIn = 0;
      server.hub.on('close', () => {
        closes += 1;
      });
      server.hub.on('connection', () => {
        letIn += 1;
      });
      const clients = [];
      async function storm() {
        while (storming) {
          const client = dial(server);
          clients.push(client);
          await client.opened.catch(() => {});
        }
      }
      const storms = Array.from({ length: STORM }, storm);
      await until(() => letIn >= STORM, 'the storm');
      const first = server.hub.close();
      await until(() => clients.at(-1).error || clients.length > 10 * STORM, 'it goes on');
      await Promise.all([first, server.hub.close()]);
      storming = false;
      await Promise.all(storms);

      let told = 0;
      for (const client of clients) {
        const end = await client.closed;
        if (client.received.length > 0) {
          assert.deepEqual(end, GOING_AWAY);
          told += 1;
        } else if (client.error === undefined) {
          // It had its 101, and was yet to be let in.
          assert.deepEqual(end, GOING_AWAY);
        }
      }
      assert.ok(told >= STORM, `${told} clients were in`);
      assert.equal(closes, 1);
      assert.equal(server.hub.getStats().openConnections, 0);
    });
  }
});

describe('close() of a hub that listens by itself', () => {
  it('in the middle of a request ends it, and does not wait for the rest', async t => {
    const server = await startHostile(t, { form: 'standalone' });
    const raw = await openRaw(server);
    await new Promise(resolve => raw.socket.write(upgradeRequest().slice(0, 50), resolve));
    await (await connect(server)).close();
    // Longer than any test waits.
    await server.hub.close({ graceMs: 600_000 });
    await raw.closed;
    await assert.rejects(raw.response(), /closed before a response/);
  });
});

describe('the end of an http server', () => {
  const app = (_, response) => response.setHeader('Connection', 'close').end('plain');

  for (const form of ['http', 'https']) {
    for (const late of [false, true]) {
      const when = late ? 'when the hub has closed' : 'at once';
      it(`in the middle of a request, which is completed ${when}, is no 101, ${form}`, async t => {
        const server = await startHostile(t, { form, app });
        const raw = await openRaw(server);
        const request = upgradeRequest();
        await new Promise(resolve => raw.socket.write(request.slice(0, 50), resolve));
        // Another one's answer: by now the first half is there.
        await (await connect(server)).close();
        const hubClosed = nextEvent(server.hub, 'close');
        const serverClosed = new Promise(resolve => server.server.close(resolve));
        if (late) await hubClosed;
        raw.write(request.slice(50));
        const { status } = await raw.response();
        // Without a hub it is an ordinary request, as on any server of Node's.
        assert.ok(late ? status === 200 : [200, 503].includes(status), `${status}`);
        await raw.closed;
        await serverClosed;
        await hubClosed;
      });
    }

    it(`while authenticate is asked, is the client's end, whatever it says, ${form}`, async t => {
      const { hook, call } = questions();
      const server = await startHostile(t, { form, authenticate: hook });
      const connections = [];
      server.hub.on('connection', client => connections.push(client));
      const client = dial(server);
      const { signal, resolve } = await call(0);
      await client.opened;
      signal.addEventListener('abort', () => resolve('late'));
      const hubClosed = nextEvent(server.hub, 'close');
      const serverClosed = new Promise(done => server.server.close(done));
      assert.deepEqual(await client.closed, GOING_AWAY);
      await serverClosed;
      await hubClosed;
      assert.deepEqual(client.received, []);
      assert.deepEqual(connections, []);
    });
  }
});

describe('worker.terminate()', () => {
  const program = path.join(__dirname, 'support', 'programs', 'worker-bot.js');

  for (const form of FORMS) {
    it(`in the middle of a broadcast, to some who do not read, leaves nothing, ${form}`, async t => {
      const own = await startHostile(t);
      const witness = await connect(own, { userId: 'witness' });
      await witness.join(1);
      for (let round = 0; round < 3; round += 1) {
        const worker = new Worker(program, { workerData: { form } });
        t.after(() => worker.terminate());
        const [{ port }] = await nextEvent(worker, 'message');
        const secure = form === 'https';
        const url = `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}/ws/rooms`;
        const other = { port, secure, url, clients: [] };
        t.after(() => {
          for (const client of other.clients) client.terminate();
        });
        const reader = await connect(other);
        await reader.join(1);
        for (let count = 0; count < 3; count += 1) {
          const raw = await openSession(other);
          raw.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
          await raw.nextText();
          raw.socket.pause();
          raw.write(frame(OPCODE.text, '{"action":', { fin: false }));
        }
        await reader.nextMessage();
        await worker.terminate();
        await reader.closed;
        for (const client of other.clients) client.terminate();
        assert.deepEqual(await witness.settle(), []);
      }
    });
  }
});
