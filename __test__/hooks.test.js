'use strict';

// `authenticate` and `authorizeJoin`: whatever they do and however long they take, the client loses nothing, its
// answers keep their order, and a fault of the bot's is never taken for a verdict.

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const { connect, dial } = require('./support/client');
const { openRaw, textFrame, upgradeRequest } = require('./support/raw');
const { FORMS, startServer } = require('./support/server');
const { deferred, failsafe, nextEvent, until } = require('./support/wait');

const TRY_AGAIN = { code: 1013, reason: 'Try again later' };
const never = () => new Promise(() => {});

/** Resolves when the signal aborts. */
function aborted(signal) {
  assert.ok(signal instanceof AbortSignal);
  const event = new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', resolve, { once: true });
  });
  return failsafe(event, () => 'the abort of the signal');
}

/** A hook whose calls the test answers one by one: `calls` has the arguments and `resolve`, `reject` of each. */
function questions() {
  const calls = [];
  const hook = (...given) => {
    const answer = deferred();
    calls.push({ given, signal: given.at(-1).signal, ...answer });
    return answer.promise;
  };
  const call = number => until(() => calls[number], `call ${number} of the hook`);
  return { hook, calls, call };
}

/** What kind of message each text is, with its room where it has one. */
const kinds = texts =>
  texts.map(text => {
    const { type, error, roomId } = JSON.parse(text);
    return [error ?? type, roomId].filter(part => part !== undefined).join(' ');
  });

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

  describe(`authorizeJoin, ${form}`, () => {
    it('is asked about the client and the room, with what authenticate gave', async t => {
      const given = { vip: true };
      const asked = [];
      const server = await startServer(t, {
        form,
        authenticate: () => ({ userId: 'anna', data: given }),
        authorizeJoin: (client, roomId) => {
          asked.push({ client, roomId });
          return true;
        },
      });
      const client = await connect(server);
      await client.join('1');
      await client.join('lobby');
      assert.deepEqual(
        asked.map(({ roomId }) => roomId),
        [1, 'lobby'],
      );
      for (const { client: one } of asked) {
        assert.equal(one.userId, 'anna');
        assert.equal(one.data, given);
        assert.equal(one.remoteAddress, '127.0.0.1');
        assert.equal(typeof one.close, 'function');
      }
      assert.equal(asked[0].client.id, asked[1].client.id);
    });

    it('answers side by side for consecutive joins, whose answers keep their order', async t => {
      const { hook, call, calls } = questions();
      const server = await startServer(t, { form, authorizeJoin: hook });
      const client = await connect(server);
      for (let room = 0; room < 5; room += 1) client.send({ action: 'JOIN_ROOM', roomId: room });
      client.send({ action: 'PING' });
      // All of them are asked about before the first has its answer.
      await call(4);
      assert.deepEqual(
        calls.map(({ given }) => given[1]),
        [0, 1, 2, 3, 4],
      );
      calls[4].resolve(true);
      calls[3].resolve(false);
      calls[2].reject(new Error('broken'));
      calls[1].resolve(true);
      assert.deepEqual(client.takeUnread(), []);
      calls[0].resolve(false);
      const texts = [];
      while (texts.length < 6) texts.push(await client.next());
      assert.deepEqual(kinds(texts), [
        'Access denied to this room 0',
        'ROOM_JOINED 1',
        'Unable to verify room membership 2',
        'Access denied to this room 3',
        'ROOM_JOINED 4',
        'PONG',
      ]);
      assert.deepEqual(
        [0, 1, 2, 3, 4].map(room => server.hub.getClientCount(room)),
        [0, 1, 0, 0, 1],
      );
    });

    it('keeps what follows a join behind its answer', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authorizeJoin: hook });
      const client = await connect(server);
      client.send({ action: 'JOIN_ROOM', roomId: 1 });
      client.send({ action: 'LEAVE_ROOM', roomId: 1 });
      client.send({ action: 'DANCE' });
      client.send({ action: 'JOIN_ROOM', roomId: 2 });
      client.send({ action: 'GET_ROOM_STATUS', roomId: 2 });
      (await call(0)).resolve(true);
      (await call(1)).resolve(true);
      const texts = [];
      while (texts.length < 5) texts.push(await client.next());
      assert.deepEqual(kinds(texts), [
        'ROOM_JOINED 1',
        'ROOM_LEFT 1',
        'Unknown action',
        'ROOM_JOINED 2',
        'ROOM_STATUS 2',
      ]);
      assert.equal(server.hub.getClientCount(1), 0);
    });

    it('that throws, rejects or never answers is a fault, and other clients do not notice', async t => {
      const signals = [];
      const server = await startServer(t, {
        form,
        authTimeout: 50,
        authorizeJoin: (_, roomId, { signal }) => {
          if (roomId === 'throw') throw new Error('broken');
          if (roomId === 'reject') return Promise.reject(new Error('broken'));
          if (roomId === 'never') {
            signals.push(signal);
            return never();
          }
          return true;
        },
      });
      const [client, other] = [await connect(server), await connect(server)];
      for (const roomId of ['throw', 'reject', 'never']) {
        assert.equal(
          await client.ask({ action: 'JOIN_ROOM', roomId }),
          `{"type":"ERROR","error":"Unable to verify room membership","roomId":"${roomId}"}`,
        );
        await other.join(roomId.length);
      }
      await aborted(signals[0]);
      await client.join('fine');
      assert.match(
        server.hub.metrics(),
        /^roomcast_hook_failures_total\{hook="authorizeJoin"\} 3$/m,
      );
    });

    it('hears that the client has gone, and a late yes makes no member of it', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authorizeJoin: hook });
      const client = await connect(server);
      client.send({ action: 'JOIN_ROOM', roomId: 1 });
      const { signal, resolve } = await call(0);
      assert.equal(signal.aborted, false);
      client.terminate();
      await aborted(signal);
      resolve(true);
      const other = await connect(server);
      other.send({ action: 'JOIN_ROOM', roomId: 2 });
      (await call(1)).resolve(true);
      await other.next();
      assert.equal(server.hub.getClientCount(1), 0);
    });

    it('that says yes too late does not make a member', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authorizeJoin: hook, authTimeout: 50 });
      const client = await connect(server);
      assert.match(await client.ask({ action: 'JOIN_ROOM', roomId: 1 }), /Unable to verify/);
      (await call(0)).resolve(true);
      assert.deepEqual(await client.settle(), []);
      assert.equal(server.hub.getClientCount(1), 0);
      // Of two rooms in a row, it is in the second only.
      client.send({ action: 'JOIN_ROOM', roomId: 2 });
      (await call(1)).resolve(true);
      assert.equal((await client.nextMessage()).type, 'ROOM_JOINED');
      server.hub.broadcastParticipantCount(1, 1, 2);
      server.hub.broadcastParticipantCount(2, 1, 2);
      assert.equal((await client.nextMessage()).roomId, 2);
    });

    it('loses no update that is broadcast while it thinks', async t => {
      const { hook, call } = questions();
      const server = await startServer(t, { form, authorizeJoin: hook });
      const client = await connect(server);
      server.hub.broadcastParticipantCount(1, 1, 9);
      client.send({ action: 'JOIN_ROOM', roomId: 1 });
      const { resolve } = await call(0);
      server.hub.broadcastParticipantCount(1, 2, 9);
      resolve(true);
      server.hub.broadcastParticipantCount(1, 3, 9);
      const joined = await client.nextMessage();
      assert.equal(joined.type, 'ROOM_JOINED');
      const snapshot = await client.nextMessage();
      assert.equal(snapshot.seq, joined.seq);
      const updates = [];
      while ((updates.at(-1) ?? snapshot).currentParticipants !== 3)
        updates.push(await client.nextMessage());
      const seqs = updates.map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        seqs.map((_, index) => joined.seq + 1 + index),
      );
    });

    it('is not asked before the client is known', async t => {
      const order = [];
      const server = await startServer(t, {
        form,
        authenticate: async () => {
          order.push('authenticate');
          return 'u';
        },
        authorizeJoin: async () => {
          order.push('authorizeJoin');
          return true;
        },
      });
      server.hub.on('connection', () => order.push('connection'));
      const joined = nextEvent(server.hub, 'join');
      const client = dial(server);
      await client.opened;
      client.send({ action: 'JOIN_ROOM', roomId: 1 });
      await joined;
      assert.deepEqual(order, ['authenticate', 'connection', 'authorizeJoin']);
    });
  });
}
