'use strict';

// Rooms whose names mean something to Redis are rooms like any other, each with its own updates,
// history and count.

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { connect } = require('./support/client');
const { startFleet, untilCounted } = require('./support/fleet');
const { GENEROUS, comeBack } = require('./support/fleet-clients');
const { ODD_ROOMS } = require('./support/odd-rooms');
const { needsRedis, startRedis } = require('./support/redis');
const { startRedisCluster } = require('./support/redis-cluster');

const SERVERS = { 'a Redis server': startRedis, 'a Redis Cluster': startRedisCluster };

for (const [server, start] of Object.entries(SERVERS)) {
  it(`rooms with odd names are not mixed up by ${server}`, needsRedis, async t => {
    const redis = await start(t);
    const options = { ...GENEROUS, maxRoomsPerConnection: 1_000 };
    const [a, b, c] = await startFleet(t, 3, redis, options);
    const clients = [await connect(a), await connect(b)];
    for (const client of clients) {
      for (const roomId of ODD_ROOMS) assert.equal((await client.join(roomId)).roomId, roomId);
    }
    const calls = n => ODD_ROOMS.map((roomId, at) => [roomId, `for ${at}`, at, n, 'join']);
    await c.callEach('broadcastRoomUpdate', calls(500));

    const places = [];
    for (const client of clients) {
      const seen = (await client.take(ODD_ROOMS.length)).map(text => JSON.parse(text));
      for (const [at, roomId] of ODD_ROOMS.entries()) {
        const [update, ...more] = seen.filter(message => message.roomId === roomId);
        assert.deepEqual(more, [], roomId);
        const { participantName, seq, epoch } = update;
        assert.deepEqual({ participantName, seq }, { participantName: `for ${at}`, seq: 1 });
        places[at] = { lastSeq: seq, epoch };
      }
      assert.deepEqual(await client.settle(), []);
    }

    await a.callEach('broadcastRoomUpdate', calls(501));
    const missed = (await clients[0].take(ODD_ROOMS.length)).map(text => JSON.parse(text));
    for (const [at, roomId] of ODD_ROOMS.entries()) {
      const back = await comeBack(c, roomId, places[at]);
      assert.equal(back.joined.recovered, true, roomId);
      const [update, ...more] = back.following.map(text => JSON.parse(text));
      assert.deepEqual(more, [], roomId);
      assert.deepEqual(
        update,
        missed.find(message => message.roomId === roomId),
      );
      await untilCounted(b, roomId, 3);
    }
  });
}
