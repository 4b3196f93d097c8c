'use strict';

// `authorizeJoin`: asked side by side and answered in order, and never a member without a yes in
// time.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect, dial } = require('./support/client');
const { aborted, kinds, questions } = require('./support/hooks');
const { FORMS, startServer } = require('./support/server');
const { nextEvent } = require('./support/wait');

const never = () => new Promise(() => {});

for (const form of FORMS) {
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
