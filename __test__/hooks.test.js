'use strict';

// `authenticate`: whatever it does and however long it takes, the client loses nothing, its answers
// keep their order, and a fault of the bot's is never taken for a verdict.

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const { connect, dial } = require('./support/client');
const { aborted, kinds, questions } = require('./support/hooks');
const { openRaw, textFrame, upgradeRequest } = require('./support/raw');
const { FORMS, startServer } = require('./support/server');
const { until } = require('./support/wait');

const TRY_AGAIN = { code: 1013, reason: 'Try again later' };

for (const form of FORMS) {
  describe(`authenticate, ${form}`, () => {
    for (const [name, verdict, userId] of [
      ['a string', 'anna', 'anna'],
      ['a number', 42, '42'],
      ['an object', { userId: 'anna', data: 1 }, 'anna'],
      ['an object with a number', { userId: 7 }, '7'],
    ]) {
      it(`takes ${name}, at once or promised`, async t => {
        for (const authenticate of [() => verdict, async () => verdict]) {
          const server = await startServer(t, { form, authenticate });
          const client = dial(server, { userId: 'not asked for' });
          assert.equal((await client.nextMessage()).userId, userId);
          assert.equal((await client.join(1)).userId, userId);
        }
      });
    }

    it('refuses with null, at once or promised', async t => {
      for (const authenticate of [() => null, async () => null]) {
        const client = dial(await startServer(t, { form, authenticate }));
        assert.deepEqual(await client.closed, { code: 1008, reason: 'Unauthorized' });
      }
    });

    it('that throws or rejects is a fault, and is logged', async t => {
      const failures = [
        () => {
          throw new Error('broken');
        },
        () => Promise.reject(new Error('broken')),
        async () => {
          throw undefined;
        },
      ];
      for (const authenticate of failures) {
        const server = await startServer(t, { form, authenticate });
        assert.deepEqual(await dial(server).closed, TRY_AGAIN);
        await until(
          () => server.log.some(({ level }) => level === 'warn' || level === 'error'),
          'a line of the log',
        );
        assert.match(
          server.hub.metrics(),
          /^roomcast_hook_failures_total\{hook="authenticate"\} 1$/m,
        );
      }
    });

    it('that never answers is a fault after authTimeout, and hears of it', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authenticate: hook, authTimeout: 50 });
      const client = dial(server);
      assert.deepEqual(await client.closed, TRY_AGAIN);
      const { signal, resolve } = await call(0);
      await aborted(signal);
      // A verdict that comes too late is nobody's.
      resolve('anna');
      const late = dial(server);
      (await call(1)).resolve('ben');
      assert.equal((await late.nextMessage()).userId, 'ben');
    });

    it('hears that the client has gone', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authenticate: hook });
      const client = dial(server);
      const { signal, resolve } = await call(0);
      await client.opened;
      assert.equal(signal.aborted, false);
      client.terminate();
      await aborted(signal);
      resolve('anna');
      await until(() => server.hub.getStats().openConnections === 0, 'the end of the connection');
    });

    it('hears that the hub is closing, while the client is still there', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authenticate: hook });
      // One that does not answer the Close frame, so that the drain goes on.
      const raw = await openRaw(server);
      raw.write(upgradeRequest());
      const { signal } = await call(0);
      await raw.response();
      let closed = false;
      const closing = server.hub.close().then(() => {
        closed = true;
      });
      await aborted(signal);
      assert.equal(closed, false);
      assert.deepEqual(await raw.nextClose(), { code: 1001, reason: 'Server shutting down' });
      raw.socket.destroy();
      await closing;
    });

    it('may take its time: what the client sends meanwhile is answered in order', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authenticate: hook });
      const client = dial(server);
      const { resolve } = await call(0);
      await client.opened;
      for (let room = 1; room <= 50; room += 1) client.send({ action: 'JOIN_ROOM', roomId: room });
      client.send({ action: 'PING' });
      client.send({ action: 'GET_ROOM_STATUS', roomId: 50 });
      // Another one is asked about and answered while the first still waits.
      const other = dial(server);
      (await call(1)).resolve('other');
      assert.equal((await other.nextMessage()).userId, 'other');
      assert.deepEqual(client.received, []);

      resolve('slow');
      const expected = ['CONNECTION_ESTABLISHED'];
      for (let room = 1; room <= 50; room += 1) expected.push(`ROOM_JOINED ${room}`);
      expected.push('PONG', 'ROOM_STATUS 50');
      const texts = [];
      while (texts.length < expected.length) texts.push(await client.next());
      assert.deepEqual(kinds(texts), expected);
      assert.equal(JSON.parse(texts.at(-1)).connectedClients, 1);
    });

    it('may take its time: what came in the same segment as the request is kept', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authenticate: hook });
      const raw = await openRaw(server);
      const frames = [1, 2, 3].map(roomId => textFrame({ action: 'JOIN_ROOM', roomId }));
      raw.write(Buffer.concat([Buffer.from(upgradeRequest()), ...frames]));
      const { resolve } = await call(0);
      assert.equal((await raw.response()).status, 101);
      raw.write(textFrame({ action: 'PING' }));
      resolve('raw');
      const texts = [];
      while (texts.length < 5) texts.push(await raw.nextText());
      assert.deepEqual(kinds(texts), [
        'CONNECTION_ESTABLISHED',
        'ROOM_JOINED 1',
        'ROOM_JOINED 2',
        'ROOM_JOINED 3',
        'PONG',
      ]);
    });

    it('is asked about the request as Node has it, which still answers after an await', async t => {
      let seen;
      const authenticate = async request => {
        await new Promise(resolve => setImmediate(resolve));
        const { method, url, headers, rawHeaders, socket } = request;
        seen = { request, method, url, headers, rawHeaders, remoteAddress: socket.remoteAddress };
        return 'u';
      };
      const server = await startServer(t, { form, authenticate });
      await connect(server, { query: '?token=a%20b', headers: { 'X-Bot': 'Yes', Cookie: 'a=1' } });
      assert.equal(seen.method, 'GET');
      assert.equal(seen.url, '/ws/rooms?token=a%20b');
      assert.equal(seen.headers['x-bot'], 'Yes');
      assert.equal(seen.headers.cookie, 'a=1');
      assert.equal(seen.headers.upgrade, 'websocket');
      assert.equal(seen.headers.host, `127.0.0.1:${server.port}`);
      assert.equal(seen.rawHeaders[seen.rawHeaders.indexOf('X-Bot') + 1], 'Yes');
      assert.equal(seen.remoteAddress, '127.0.0.1');
      if (form === 'standalone') assert.equal(seen.request.socket.encrypted, false);
      else assert.ok(seen.request instanceof http.IncomingMessage);
    });

    it('may limit the session, which then expires, however late', async t => {
      const server = await startServer(t, {
        form,
        authenticate: request => {
          const userId = new URL(request.url, 'ws://host').searchParams.get('userId');
          const lifetimes = {
            past: -60_000,
            soon: 200,
            late: 3_600_000,
            beyondTimers: 90 * 86_400_000,
          };
          return { userId, expiresAt: Date.now() + lifetimes[userId] };
        },
      });
      const expired = { code: 1008, reason: 'Session expired' };
      const late = await connect(server, { userId: 'late' });
      const beyond = await connect(server, { userId: 'beyondTimers' });
      assert.deepEqual(await dial(server, { userId: 'past' }).closed, expired);
      assert.deepEqual(await dial(server, { userId: 'soon' }).closed, expired);
      assert.deepEqual(await late.settle(), []);
      assert.deepEqual(await beyond.settle(), []);
    });
  });
}
