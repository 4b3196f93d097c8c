'use strict';

// A Redis Cluster of three nodes: each room is on one of them, and all that a fleet does works
// whichever it is.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startFleet, untilCounted } = require('./support/fleet');
const { GENEROUS, broadcast, comeBack, visitEach } = require('./support/fleet-clients');
const { needsRedis } = require('./support/redis');
const { startRedisCluster } = require('./support/redis-cluster');
const { until } = require('./support/wait');

const ROOMS = Array.from({ length: 12 }, (_, n) => `room ${n}`);
const EACH = 100;

const channelOf = roomId => `roomcast:room:{${roomId}}`;

/** The node of each room; every node has some. */
async function nodesOf(cluster) {
  const nodes = new Map();
  for (const roomId of ROOMS) nodes.set(roomId, await cluster.nodeOf(channelOf(roomId)));
  assert.equal(new Set(nodes.values()).size, cluster.nodes.length);
  return nodes;
}

describe('three processes on a Redis Cluster', needsRedis, () => {
  it('have one sequence, one count and one history per room, on whichever node', async t => {
    const cluster = await startRedisCluster(t);
    const nodes = await nodesOf(cluster);
    // One of the nodes is enough to find the others.
    const members = await startFleet(t, 3, cluster.nodes[1], GENEROUS);
    for (const roomId of ROOMS) {
      const clients = await visitEach(members, roomId);
      const first = JSON.parse(await broadcast(members[0], clients, roomId, 'first', 1, 2, 'join'));
      assert.equal(await nodes.get(roomId).subscribers(channelOf(roomId)), members.length);

      await Promise.all(
        members.map((member, n) =>
          member.callEach(
            'broadcastRoomUpdate',
            Array.from({ length: EACH }, (_, at) => [roomId, `${n}:${at}`, at, EACH, 'join']),
          ),
        ),
      );
      const streams = await Promise.all(clients.map(client => client.take(members.length * EACH)));
      for (const stream of streams) assert.deepEqual(stream, streams[0]);
      const updates = streams[0].map(text => JSON.parse(text));
      assert.ok(updates.every(({ seq }, at) => seq === first.seq + 1 + at));

      const lastSeq = first.seq + members.length * EACH - 3;
      const back = await comeBack(members[2], roomId, { lastSeq, epoch: first.epoch });
      assert.equal(back.joined.recovered, true);
      assert.deepEqual(back.following, streams[0].slice(-3));
      for (const member of members) await untilCounted(member, roomId, members.length + 1);
      clients.push(back.client);

      // The order is told by another node than the updates, for most of the rooms.
      const last = Array.from({ length: EACH }, (_, at) => [
        roomId,
        `last ${at}`,
        at,
        EACH,
        'join',
      ]);
      await Promise.all([
        members[1].callEach('broadcastRoomUpdate', last),
        members[1].call('disconnectRoom', roomId),
      ]);
      for (const client of clients) {
        const names = (await client.take(EACH)).map(text => JSON.parse(text).participantName);
        assert.deepEqual(
          names,
          last.map(([, name]) => name),
        );
        assert.equal((await client.closed).code, 1000);
      }
      for (const member of members) await untilCounted(member, roomId, 0);
    }
    await until(async () => (await cluster.channels()).length === 1, 'only the orders');

    const clients = await visitEach(members, 1);
    await members[1].call('removeFromRoom', 'user', 1);
    for (const client of clients) assert.match(await client.next(), /"ROOM_LEFT"/);
    await members[2].call('disconnectUser', 'user', 4000, 'Out');
    for (const client of clients) {
      assert.deepEqual(await client.closed, { code: 4000, reason: 'Out' });
    }
  });

  it('begin anew in the rooms of a node that comes back empty, and in no others', async t => {
    const cluster = await startRedisCluster(t);
    const nodes = await nodesOf(cluster);
    const members = await startFleet(t, 3, cluster, GENEROUS);
    const rooms = new Map();
    for (const roomId of ROOMS) {
      const clients = await visitEach(members, roomId);
      const text = await broadcast(members[0], clients, roomId, 'before', 3, 9, 'join');
      rooms.set(roomId, { clients, epoch: JSON.parse(text).epoch });
    }
    const [lost] = cluster.nodes;
    await lost.restart();
    await cluster.healthy();

    for (const [roomId, { clients, epoch }] of rooms) {
      const isLost = nodes.get(roomId) === lost;
      // Updates may be for this process's clients alone until its hub has found the node again.
      await until(
        async () => {
          await members[1].call('broadcastRoomUpdate', roomId, 'after', 4, 9, 'join');
          const states = await Promise.all(
            members.map(member => member.call('getRoomState', roomId)),
          );
          const [first] = states;
          const isOne = states.every(
            ({ seq, epoch: its }) => seq === first.seq && its === first.epoch,
          );
          return isOne && first.currentParticipants === 4 && (first.epoch !== epoch) === isLost;
        },
        `one state of ${roomId}, which was ${isLost ? 'lost' : 'kept'}`,
      );
      for (const client of clients) {
        await until(
          () => JSON.parse(client.received.at(-1)).currentParticipants === 4,
          () => `the newest state, after ${client.received.at(-1)}`,
        );
      }
    }
  });
});
