'use strict';

// A join waits for what Redis holds of its room. Meanwhile the client's other messages wait behind it,
// nobody else does, and whatever ends the wait leaves nothing behind.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setTimeout: later } = require('node:timers/promises');
const { connect } = require('./support/client');
const { startFleet } = require('./support/fleet');
const { GENEROUS, broadcast, called, visit } = require('./support/fleet-clients');
const { HoppingStream } = require('./support/hopping-stream');
const { needsRedis, startRedis } = require('./support/redis');
const { sampleOf } = require('./support/sample');
const { startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const ROOMS = Array.from({ length: 30 }, (_, n) => `room ${n}`);

const CROWD = 100;
const UPDATES = 500;

/** A hub of this process and its Redis. */
async function start(t, options) {
  const redis = await startRedis(t);
  const server = await startServer(t, { cluster: { url: redis.url }, ...GENEROUS, ...options });
  assert.deepEqual(await nextEvent(server.hub, 'cluster'), ['up']);
  return { redis, server, hub: server.hub };
}

/** Stops Redis, and waits until a client's request to join has been read. */
async function joinInVain({ redis, hub }, client, roomId) {
  const joins = () => sampleOf(hub, 'messages_received_total{action="JOIN_ROOM"}');
  const before = joins();
  redis.pause();
  client.send({ action: 'JOIN_ROOM', roomId });
  await until(() => joins() > before, 'the request');
}

/** Nobody is in the room, for this process, for Redis and for all. */
async function assertEmpty({ redis, hub }, roomId) {
  assert.equal(hub.getClientCount(roomId), 0);
  await until(async () => (await redis.channels()).length === 1, 'no subscription but the orders');
  await until(async () => (await hub.getClusterClientCount(roomId)) === 0, 'nobody in the room');
}

describe('a join that waits for Redis', needsRedis, () => {
  const hooks = {
    'at once': undefined,
    asynchronously: async (_, roomId) => {
      await later(Number(roomId.split(' ')[1]) % 3);
      return true;
    },
  };

  for (const [how, authorizeJoin] of Object.entries(hooks)) {
    it(`keeps the order of the answers, where it is allowed ${how}`, async t => {
      const { server } = await start(t, { authorizeJoin });
      const client = await connect(server);
      const expected = [];
      const ask = (action, roomId, type) => {
        client.send({ action, roomId });
        expected.push(roomId === undefined ? type : `${type} ${roomId}`);
      };
      for (const [n, roomId] of ROOMS.entries()) {
        ask('JOIN_ROOM', roomId, 'ROOM_JOINED');
        if (n % 2 === 0) ask('PING', undefined, 'PONG');
        if (n % 3 === 0) ask('GET_ROOM_STATUS', roomId, 'ROOM_STATUS');
        if (n % 5 === 0) ask('LEAVE_ROOM', roomId, 'ROOM_LEFT');
        if (n % 10 === 0) ask('JOIN_ROOM', roomId, 'ROOM_JOINED');
      }
      const answers = (await client.take(expected.length)).map(text => JSON.parse(text));
      assert.deepEqual(
        answers.map(({ type, roomId }) => (roomId === undefined ? type : `${type} ${roomId}`)),
        expected,
      );
    });
  }

  it('holds up nobody else', async t => {
    const started = await start(t, { threads: 1 });
    const { redis, server, hub } = started;
    const inside = await visit(server, 'known');
    const outside = await connect(server);
    await joinInVain(started, outside, 'unknown');
    outside.send({ action: 'PING' });
    // Redis is not away yet: what this process knows, it knows.
    assert.deepEqual(await inside.settle(), []);
    assert.equal((await visit(server, 'known')).joined.seq, 0);
    assert.equal(outside.takeUnread().length, 0);
    redis.resume();
    assert.match(await outside.next(), /"ROOM_JOINED"/);
    assert.match(await outside.next(), /"PONG"/);
    hub.broadcastParticipantCount('unknown', 1, 2);
    assert.equal((await outside.nextMessage()).seq, 1);
  });

  for (const [what, end] of [
    ['its client goes', client => client.terminate()],
    ['its client says goodbye', client => client.ws.close()],
    ['its user is disconnected', (_, hub) => assert.equal(hub.disconnectUser('comer'), 1)],
  ]) {
    it(`leaves nothing behind where ${what}`, async t => {
      const started = await start(t);
      const { redis, server, hub } = started;
      const client = await connect(server, { userId: 'comer' });
      await joinInVain(started, client, 1);
      end(client, hub);
      await client.closed;
      await until(() => hub.getStats().openConnections === 0, 'the end of the connection');
      redis.resume();
      await assertEmpty(started, 1);
      const next = await visit(server, 1);
      await broadcast(called(server), [next], 1, { event: 'NEWS' });
    });
  }

  it('is followed by the leave that came behind it', async t => {
    const started = await start(t);
    const client = await connect(started.server);
    client.send({ action: 'JOIN_ROOM', roomId: 1 });
    client.send({ action: 'LEAVE_ROOM', roomId: 1 });
    assert.match(await client.next(), /"ROOM_JOINED"/);
    assert.match(await client.next(), /"ROOM_LEFT"/);
    await assertEmpty(started, 1);
  });

  it('is told of the end of the hub', async t => {
    const started = await start(t);
    const client = await connect(started.server);
    await joinInVain(started, client, 1);
    const closed = started.hub.close();
    started.redis.resume();
    assert.equal((await client.closed).code, 1001);
    await closed;
  });
});

it('a crowd that comes at once to a process, during updates, loses none', needsRedis, async t => {
  const [a, b] = await startFleet(t, 2, await startRedis(t), GENEROUS);
  const clients = await Promise.all(Array.from({ length: CROWD }, () => connect(b)));
  const updates = Array.from({ length: UPDATES }, (_, n) => [1, `P${n}`, n, UPDATES, 'join']);
  const done = (async () => {
    for (let at = 0; at < UPDATES; at += 10) {
      await a.callEach('broadcastRoomUpdate', updates.slice(at, at + 10));
    }
  })();
  const texts = new Map();
  await Promise.all(
    clients.map(async (client, n) => {
      await later(n % 20);
      client.send({ action: 'JOIN_ROOM', roomId: 1 });
      const stream = new HoppingStream(64);
      stream.joined(await client.nextMessage());
      while (stream.lastSeq < UPDATES) {
        const text = await client.next();
        stream.update(JSON.parse(text), text);
      }
      for (const [seq, text] of stream.seen) {
        if (!texts.has(seq)) texts.set(seq, text);
        assert.equal(text, texts.get(seq));
      }
    }),
  );
  await done;
});
