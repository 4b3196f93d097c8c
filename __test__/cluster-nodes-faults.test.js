'use strict';

// A Redis Cluster of which one node stops for a while, and of which slots move to another node under
// way.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startFleet } = require('./support/fleet');
const { needsRedis } = require('./support/redis');
const { startRedisCluster } = require('./support/redis-cluster');
const { Updates } = require('./support/updates');
const { until } = require('./support/wait');
const {
  assertAgree,
  assertNewest,
  untilAllSaw,
  untilAllShow,
  watch,
} = require('./support/witness');

const ROOMS = Array.from({ length: 30 }, (_, at) => (at % 2 ? at : `room-${at}`));

const channelOf = roomId => `roomcast:room:{${roomId}}`;

/** The rooms by the node that has them. */
async function roomsByNode(cluster, rooms) {
  const byNode = new Map(cluster.nodes.map(node => [node, []]));
  for (const roomId of rooms) byNode.get(await cluster.nodeOf(channelOf(roomId))).push(roomId);
  return byNode;
}

/** A witness of each room on each bot: a list per room. */
async function watchAll(bots, rooms) {
  const all = new Map();
  for (const roomId of rooms) {
    all.set(roomId, await Promise.all(bots.map(bot => watch(bot, roomId))));
  }
  return all;
}

/** Some updates to each room, seen by all in one order. */
async function assertInStep(bots, updates, all) {
  for (const [roomId, witnesses] of all) {
    const names = await updates.sendSome(bots, roomId, 4);
    await untilAllSaw(witnesses, names);
    assertAgree(witnesses);
    assertNewest(witnesses, names);
  }
}

describe('a Redis Cluster of three nodes', needsRedis, () => {
  it('with a node that is stopped for a while is away, and comes back', async t => {
    const cluster = await startRedisCluster(t);
    const bots = await startFleet(t, 2, cluster);
    const updates = new Updates();
    const all = await watchAll(bots, ROOMS);
    await assertInStep(bots, updates, all);
    const byNode = await roomsByNode(cluster, ROOMS);
    const doomed = cluster.nodes[2];
    updates.start(bots, ROOMS);
    doomed.pause();
    for (const bot of bots) assert.equal(await bot.nextState(), 'away');
    // Long enough for the others to take it for dead.
    await until(
      async () => (await cluster.nodes[0].cli('CLUSTER', 'INFO')).includes('cluster_state:fail'),
      'the end of the cluster',
    );
    await updates.stop();
    // Of updates that Redis has put in order nobody here knows which is the newest; of these it is known.
    for (const roomId of ROOMS) await updates.send(bots[0], roomId);
    doomed.resume();
    await cluster.healthy();
    await Promise.all(
      bots.map(bot =>
        until(
          () => bot.states.at(-1) === 'up',
          () => `up: ${bot.states} ${JSON.stringify(bot.log)}`,
        ),
      ),
    );
    for (const [roomId, witnesses] of all) {
      await untilAllShow(witnesses, updates.newest(roomId));
    }
    await assertInStep(bots, updates, all);
    t.diagnostic(`${byNode.get(doomed).length} of ${ROOMS.length} rooms were on that node`);
    for (const bot of bots) assert.deepEqual(bot.errors, []);
  });

  it('that moves the slots of rooms under updates: the subscriptions follow', async t => {
    const cluster = await startRedisCluster(t);
    const bots = await startFleet(t, 2, cluster);
    const updates = new Updates();
    const [from, to] = cluster.nodes;
    const byNode = await roomsByNode(cluster, ROOMS);
    const rooms = [...byNode.get(from).slice(0, 3), byNode.get(to)[0]];
    const all = await watchAll(bots, rooms);
    await assertInStep(bots, updates, all);
    updates.start(bots, rooms);
    for (const roomId of rooms.slice(0, 3)) await cluster.move(channelOf(roomId), to);
    await updates.stop();
    for (const [roomId, witnesses] of all) {
      // Of each bot the last, behind which there is nothing.
      await untilAllSaw(witnesses, await updates.sendSome(bots, roomId, bots.length));
      assertAgree(witnesses);
      // Each update once and in order, but for those that a snapshot stands for.
      for (const { names, turns } of witnesses) {
        if (turns.some(({ kind }) => kind === 'snapshot')) continue;
        assert.deepEqual([...names].sort(), [...updates.names.get(roomId)].sort());
      }
    }
    await assertInStep(bots, updates, all);
    for (const roomId of rooms) assert.equal(await cluster.nodeOf(channelOf(roomId)), to);
    for (const bot of bots) assert.deepEqual(bot.errors, []);
    t.diagnostic(`states: ${bots.map(({ states }) => states).join(' and ')}`);
  });

  it('that loses a node, whose replica takes over: a new epoch for its rooms, and no other', async t => {
    const config = { 'repl-diskless-sync-delay': 0 };
    const cluster = await startRedisCluster(t, { replicas: 1, config });
    const replicas = cluster.nodes.slice(cluster.nodes.length / 2);
    // One that has never been in step is not let take over.
    for (const replica of replicas) {
      await until(
        async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
        'a replica in step',
      );
    }
    const bots = await startFleet(t, 2, cluster);
    const updates = new Updates();
    const all = await watchAll(bots, ROOMS.slice(0, 12));
    await assertInStep(bots, updates, all);
    const before = new Map([...all].map(([roomId, [{ epoch }]]) => [roomId, epoch]));
    const [doomed] = cluster.nodes;
    const lost = new Set((await roomsByNode(cluster, all.keys())).get(doomed));
    assert.ok(lost.size > 0 && lost.size < all.size);

    updates.start(bots, [...all.keys()]);
    await doomed.stop();
    for (const bot of bots) assert.equal(await bot.nextState(), 'away');
    await updates.stop();
    for (const roomId of all.keys()) await updates.send(bots[0], roomId);
    for (const bot of bots) assert.equal(await bot.nextState(), 'up');
    for (const [roomId, witnesses] of all) {
      await untilAllShow(witnesses, updates.newest(roomId));
      const names = await updates.sendSome(bots, roomId, 4);
      await untilAllSaw(witnesses, names);
      assertAgree(witnesses);
      assert.equal(witnesses[0].epoch !== before.get(roomId), lost.has(roomId), `${roomId}`);
    }
    for (const bot of bots) assert.deepEqual(bot.errors, []);
  });
});
