'use strict';

// A process is subscribed to the rooms that it has members in, and to no others: Redis wakes it for
// nothing that it has nobody to deliver to.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startFleet } = require('./support/fleet');
const { GENEROUS, broadcast, visit, visitEach } = require('./support/fleet-clients');
const { needsRedis, startRedis } = require('./support/redis');
const { until } = require('./support/wait');

const ORDERS = 'roomcast:orders:{orders}';
const channelOf = roomId => `roomcast:room:{${roomId}}`;

async function start(t, size) {
  const redis = await startRedis(t);
  const members = await startFleet(t, size, redis, GENEROUS);
  /** Waits until this is what Redis knows of who is subscribed to what. */
  async function untilSubscribed(expected) {
    let found;
    const wanted = JSON.stringify(Object.entries(expected).sort());
    await until(
      async () => {
        const channels = await redis.channels();
        found = [];
        for (const channel of channels) found.push([channel, await redis.subscribers(channel)]);
        return JSON.stringify(found) === wanted;
      },
      () => `${wanted}, it is ${JSON.stringify(found)}`,
    );
  }
  return { redis, members, untilSubscribed };
}

describe('a process', needsRedis, () => {
  it('is subscribed to a room while it has members in it', async t => {
    const { members, untilSubscribed } = await start(t, 3);
    const [a, b] = members;
    await untilSubscribed({ [ORDERS]: 3 });
    const [first, second] = [await visit(a, 1), await visit(a, 1)];
    await untilSubscribed({ [ORDERS]: 3, [channelOf(1)]: 1 });
    const other = await visit(b, 1);
    const elsewhere = await visit(b, 'two');
    await untilSubscribed({ [ORDERS]: 3, [channelOf(1)]: 2, [channelOf('two')]: 1 });

    first.send({ action: 'LEAVE_ROOM', roomId: 1 });
    other.terminate();
    await untilSubscribed({ [ORDERS]: 3, [channelOf(1)]: 1, [channelOf('two')]: 1 });
    await second.close();
    await b.call('removeFromRoom', 'user', 'two');
    await untilSubscribed({ [ORDERS]: 3 });
    assert.match(await elsewhere.next(), /ROOM_LEFT/);
  });

  it('is not subscribed for what it says itself, or looks at', async t => {
    const { members, untilSubscribed } = await start(t, 2);
    const [a, b] = members;
    const client = await visit(a, 1);
    await broadcast(b, [client], 1, 'Anna', 1, 2, 'join');
    await b.call('broadcastRoomUpdate', 2, 'Anna', 1, 2, 'join');
    await b.call('getClusterClientCount', 1);
    await b.call('disconnectRoom', 2);
    const asking = await visit(b, 3);
    for (const roomId of [1, 2]) await asking.ask({ action: 'GET_ROOM_STATUS', roomId });
    await untilSubscribed({ [ORDERS]: 2, [channelOf(1)]: 1, [channelOf(3)]: 1 });
  });

  it('loses nothing for a member that comes as the last one goes', async t => {
    const { members } = await start(t, 2);
    const [a, b] = members;
    const witness = await visit(a, 1);
    let last = JSON.parse(await broadcast(b, [witness], 1, 'start', 0, 99, 'join'));
    let place = { lastSeq: last.seq, epoch: last.epoch };
    for (let round = 0; round < 20; round += 1) {
      const client = await visit(b, 1);
      last = JSON.parse(await broadcast(a, [witness, client], 1, `heard ${round}`, 1, 99, 'join'));
      assert.equal(last.seq, place.lastSeq + 1);
      place = { ...place, lastSeq: last.seq };
      await client.close();
    }
  });
});

describe('fleets that share a Redis', needsRedis, () => {
  /** Two fleets of two, each with a client on both of its processes in the same room. */
  async function startTwo(t, options) {
    const redis = await startRedis(t);
    const fleets = [];
    for (const fleet of options(redis)) {
      const members = await startFleet(t, 2, fleet, { ...GENEROUS, prefix: fleet.prefix });
      const clients = await visitEach(members, 1);
      fleets.push({ members, clients });
    }
    return fleets;
  }

  const SETTINGS = {
    'with two prefixes': ({ url }) => ['bot', 'bot:1'].map(prefix => ({ url, prefix })),
    'with two databases': ({ url }) => [{ url: `${url}/0` }, { url: `${url}/1` }],
  };

  for (const [title, options] of Object.entries(SETTINGS)) {
    it(`${title} do not see each other`, async t => {
      const [ours, theirs] = await startTwo(t, options);
      for (const [n, { members, clients }] of [ours, theirs, ours].entries()) {
        const text = await broadcast(members[0], clients, 1, `Anna ${n}`, n, 9, 'join');
        assert.equal(JSON.parse(text).seq, [1, 1, 2][n]);
      }
      for (const { members } of [ours, theirs]) {
        await until(async () => (await members[0].call('getClusterClientCount', 1)) === 2, 'two');
      }
      const [a] = ours.members;
      await a.call('disconnectUser', 'user');
      for (const client of ours.clients) assert.equal((await client.closed).code, 1008);
      await ours.members[1].call('forgetRoom', 1);

      // An order that had gone astray would have been before this update.
      const update = await broadcast(theirs.members[1], theirs.clients, 1, 'Ben', 1, 9, 'join');
      assert.equal(JSON.parse(update).seq, 2);
      for (const client of theirs.clients) assert.deepEqual(await client.settle(), []);
      assert.equal(await theirs.members[0].call('getClusterClientCount', 1), 2);
    });
  }
});
