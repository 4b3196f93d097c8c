'use strict';

// The events of a hub and the clients that they carry.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect, dial } = require('./support/client');
const { FORMS, startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

for (const form of FORMS) {
  describe(`events, ${form}`, () => {
    it('tell of a client from its connection to its end', async t => {
      const server = await startServer(t, { form });
      const news = [];
      for (const event of ['connection', 'join', 'leave', 'disconnect']) {
        server.hub.on(event, (client, ...more) => news.push({ event, client, more }));
      }
      const client = await connect(server, { userId: 'anna' });
      await client.join(1);
      await client.join('lobby');
      await client.ask({ action: 'LEAVE_ROOM', roomId: '1' });
      await client.close(4321, 'Bye');
      await until(() => news.some(({ event }) => event === 'disconnect'), 'the disconnect');

      const [first] = news;
      assert.equal(first.event, 'connection');
      assert.deepEqual(first.more, []);
      assert.equal(first.client.userId, 'anna');
      assert.equal(first.client.remoteAddress, '127.0.0.1');
      for (const { client: one } of news) assert.equal(one.id, first.client.id);
      const of = name => news.filter(({ event }) => event === name).map(({ more }) => more);
      assert.deepEqual(of('connection'), [[]]);
      assert.deepEqual(of('join'), [[1], ['lobby']]);
      assert.deepEqual(of('leave')[0], [1]);
      assert.deepEqual(of('disconnect'), [[4321, 'Bye']]);
    });

    it('tell of a removal as of any other leave', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server, { userId: 'anna' });
      await client.join(1);
      const left = nextEvent(server.hub, 'leave');
      server.hub.removeFromRoom('anna', 1);
      const [who, roomId] = await left;
      assert.equal(who.userId, 'anna');
      assert.equal(roomId, 1);
    });

    it('come once per membership, not once per message', async t => {
      const server = await startServer(t, { form });
      const rooms = { join: [], leave: [] };
      for (const event of ['join', 'leave']) {
        server.hub.on(event, (_, roomId) => rooms[event].push(roomId));
      }
      const client = await connect(server);
      for (let time = 0; time < 2; time += 1) await client.join(1);
      for (let time = 0; time < 2; time += 1) await client.ask({ action: 'LEAVE_ROOM', roomId: 1 });
      await client.join(2);
      await until(() => rooms.join.includes(2), 'the last join');
      assert.deepEqual(rooms, { join: [1, 2], leave: [1] });
    });

    it('give a client that can be closed, with a code and reason or without', async t => {
      const server = await startServer(t, { form });
      server.hub.on('connection', one => {
        if (one.userId === 'named') one.close(4002, 'Not now');
        else if (one.userId === 'plain') one.close();
      });
      const named = dial(server, { userId: 'named' });
      assert.deepEqual(await named.closed, { code: 4002, reason: 'Not now' });
      const plain = await dial(server, { userId: 'plain' }).closed;
      assert.notEqual(plain.code, 1006, 'ended without a Close frame');
      const spared = await connect(server, { userId: 'spared' });
      assert.deepEqual(await spared.settle(), []);
    });

    it('give the data of the verdict, the same object every time', async t => {
      const given = { role: 'host' };
      const server = await startServer(t, {
        form,
        authenticate: async () => ({ userId: 'u', data: given }),
      });
      const seen = [];
      for (const event of ['connection', 'join', 'disconnect']) {
        server.hub.on(event, one => seen.push(one.data));
      }
      const client = await connect(server);
      await client.join(1);
      await client.close();
      await until(() => seen.length === 3, 'three events');
      for (const one of seen) assert.equal(one, given);
    });

    it('have listeners that throw or reject, which hurts nobody', async t => {
      const server = await startServer(t, { form });
      server.hub.on('connection', () => {
        throw new Error('a listener is broken');
      });
      server.hub.on('join', async () => {
        throw new Error('a listener is broken');
      });
      const client = await connect(server);
      await client.join(1);
      await until(() => server.log.length >= 2, 'both in the log');
      assert.deepEqual(await client.settle(), []);
    });

    it('do not tell of clients that were refused', async t => {
      const authenticate = request => (request.url.endsWith('anna') ? 'anna' : null);
      const server = await startServer(t, { form, authenticate });
      const connections = [];
      server.hub.on('connection', one => connections.push(one.userId));
      await dial(server, { userId: 'eve' }).closed;
      const joined = nextEvent(server.hub, 'join');
      await (await connect(server, { userId: 'anna' })).join(1);
      await joined;
      assert.deepEqual(connections, ['anna']);
    });
  });
}
