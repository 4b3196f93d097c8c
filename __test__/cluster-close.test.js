'use strict';

// The end of a hub that is one of several: what it said last is heard, it counts no more, and nothing
// of it is left, neither in its process nor in Redis.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const { givenBack, holdings } = require('./support/aftermath');
const { connect } = require('./support/client');
const { startFleet, startMember, untilCounted } = require('./support/fleet');
const { GENEROUS, broadcast, called, visit, visitEach } = require('./support/fleet-clients');
const { needsRedis, startRedis } = require('./support/redis');
const { closeServer, startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const GOING_AWAY = { code: 1001, reason: 'Server shutting down' };

/** More than leave in one go. */
const LAST_WORDS = 200;

const program = path.join(__dirname, 'support', 'programs', 'cluster-worker.js');

/** Connections to Redis, without the one that asks. */
async function connections(redis) {
  return (await redis.cli('CLIENT', 'LIST')).split('\n').filter(Boolean).length - 1;
}

/** A hub of this process, when Redis has answered it. */
async function startHub(t, { url }, { prefix, ...options } = {}) {
  const cluster = { url, ...(prefix !== undefined && { prefix }) };
  const server = await startServer(t, { cluster, ...options });
  assert.deepEqual(await nextEvent(server.hub, 'cluster'), ['up']);
  return server;
}

describe('a bot that closes its hub', needsRedis, () => {
  it('is heard to the last word, tells its clients, and counts no more', async t => {
    const [a, b] = await startFleet(t, 2, await startRedis(t), GENEROUS);
    const [own, other] = await visitEach([a, b], 1);
    await broadcast(b, [own, other], 1, 'first', 0, 9, 'join');
    await untilCounted(b, 1, 2);
    const last = Array.from({ length: LAST_WORDS }, (_, n) => [
      'broadcastRoomUpdate',
      1,
      `last ${n}`,
      n,
      LAST_WORDS,
      'join',
    ]);
    assert.deepEqual(await a.stop({}, last), { code: 0, signal: null });
    assert.deepEqual(await own.closed, GOING_AWAY);
    // Not some time later: it has signed off.
    assert.equal(await b.call('getClusterClientCount', 1), 1);
    const names = (await other.take(LAST_WORDS)).map(text => JSON.parse(text).participantName);
    assert.deepEqual(
      names,
      last.map(([, , name]) => name),
    );
  });

  it('is heard in a room that nobody was in, and where it closes with no grace', async t => {
    const [a, b] = await startFleet(t, 2, await startRedis(t), GENEROUS);
    await a.stop({ graceMs: 0 }, [['broadcastRoomUpdate', 1, 'last', 1, 9, 'join']]);
    const joined = await visit(b, 1);
    assert.equal(joined.joined.seq, 1);
  });

  it('leaves no thread, no descriptor and no connection to Redis', async t => {
    const redis = await startRedis(t);
    // What Node sets aside for good with its first server and client is there afterwards.
    await (await startServer(t)).hub.close();
    const before = holdings();
    for (let round = 0; round < 3; round += 1) {
      const server = await startHub(t, redis);
      if (before) assert.ok(holdings().some(name => name.includes('roomcast-cluste')));
      assert.ok((await connections(redis)) > 0);
      await visit(server, 1);
      await server.hub.close();
      assert.equal(await redis.cli('ZCARD', 'roomcast:processes'), '0');
      await until(async () => (await connections(redis)) === 0, 'the end of the connections');
      await closeServer(server.server);
    }
    await givenBack(before);
  });

  it('stays away from what another hub of the process has', async t => {
    const redis = await startRedis(t);
    const [a, b] = [await startHub(t, redis), await startHub(t, redis)];
    const other = await startHub(t, redis, { prefix: 'other' });
    const clients = [await visit(a, 1), await visit(b, 1)];
    const apart = await visit(other, 1);
    await broadcast(called(a), clients, 1, 'Anna', 1, 9, 'join');
    await broadcast(called(other), [apart], 1, 'Ben', 1, 9, 'join');
    await untilCounted(called(a), 1, 2);
    await a.hub.close();
    assert.deepEqual(await clients[0].closed, GOING_AWAY);
    await broadcast(called(b), [clients[1]], 1, 'Anna', 2, 9, 'join');
    await broadcast(called(other), [apart], 1, 'Ben', 2, 9, 'join');
    assert.deepEqual(await apart.settle(), []);
    assert.equal(await b.hub.getClusterClientCount(1), 1);
    assert.equal(await other.hub.getClusterClientCount(1), 1);
  });
});

describe('a bot in a worker thread', needsRedis, () => {
  it('is one of the processes, until it is terminated', async t => {
    const redis = await startRedis(t);
    const own = await startHub(t, redis);
    const witness = await visit(own, 1);
    const before = holdings();
    for (let round = 0; round < 5; round += 1) {
      const worker = new Worker(program, { workerData: { cluster: { url: redis.url } } });
      t.after(() => worker.terminate());
      const [{ state, port }] = await nextEvent(worker, 'message');
      assert.equal(state, 'up');
      const url = `ws://127.0.0.1:${port}/ws/rooms`;
      const client = await visit({ url, clients: own.clients }, 1);
      await broadcast(called(own), [witness, client], 1, `round ${round}`, round, 9, 'join');
      await worker.terminate();
      await client.closed;
      await broadcast(called(own), [witness], 1, `after ${round}`, round, 9, 'join');
      if (before) {
        const threads = () => holdings().filter(name => name.includes('roomcast-cluste'));
        await until(() => threads().length === 1, "the end of the worker's thread");
      }
    }
    const state = own.hub.getRoomState(1);
    assert.equal(state.seq, 10);
  });
});

describe('a bot without the option', needsRedis, () => {
  it('has no thread for it, and knows of nobody else', async t => {
    const redis = await startRedis(t);
    const other = await startMember(t, { cluster: { url: redis.url } });
    await visit(other, 1);
    const server = await startServer(t);
    const states = [];
    server.hub.on('cluster', state => states.push(state));
    const client = await connect(server);
    assert.equal((await client.join(1)).seq, 0);
    server.hub.broadcastParticipantCount(1, 1, 2);
    assert.equal((await client.nextMessage()).seq, 1);
    assert.equal(await server.hub.getClusterClientCount(1), 1);
    const threads = holdings()?.filter(name => name.includes('roomcast-cluste')) ?? [];
    assert.deepEqual(threads, []);
    assert.deepEqual(states, []);
    assert.equal(await other.call('getClusterClientCount', 1), 1);
  });
});
