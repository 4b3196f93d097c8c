'use strict';

// The clients of a room are counted over all processes, for the bot and for a page that asks.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { shareFleet, startMember, untilCounted } = require('./support/fleet');
const { GENEROUS, visit } = require('./support/fleet-clients');
const { status } = require('./support/messages');
const { needsRedis } = require('./support/redis');
const { assertText } = require('./support/text');

describe('the clients of a room over three processes', needsRedis, () => {
  const fleet = shareFleet(3, GENEROUS);

  /** Every process gives this number, to the bot and to a page. */
  async function assertCounted(roomId, expected) {
    for (const member of fleet.members) {
      await untilCounted(member, roomId, expected);
      const page = await connect(member, { userId: 'page' });
      const answer = await page.ask({ action: 'GET_ROOM_STATUS', roomId });
      assertText(answer, status(roomId, expected));
      page.terminate();
    }
  }

  it('are counted as they come and go', async () => {
    const [a, b, c] = fleet.members;
    const roomId = 'come and go';
    await assertCounted(roomId, 0);
    const clients = [];
    for (const member of [a, a, b, b, b, c]) {
      clients.push(await visit(member, roomId, { userId: `${clients.length}` }));
    }
    await assertCounted(roomId, 6);
    for (const [member, own] of [
      [a, 2],
      [b, 3],
      [c, 1],
    ]) {
      assert.equal(await member.call('getClientCount', roomId), own);
    }
    await clients[0].join(roomId);
    clients[5].terminate();
    await assertCounted(roomId, 5);
    await clients[4].ask({ action: 'LEAVE_ROOM', roomId });
    await clients[1].close();
    await assertCounted(roomId, 3);
    assert.equal(await b.call('removeFromRoom', '2', roomId), 1);
    assert.equal(await a.call('disconnectUser', '0'), 1);
    await assertCounted(roomId, 1);
    await b.call('disconnectRoom', roomId);
    await assertCounted(roomId, 0);
  });

  it('are counted per room', async () => {
    const [a, b] = fleet.members;
    const client = await connect(a);
    for (const roomId of ['p', 'q', 'r']) await client.join(roomId);
    await visit(b, 'q');
    for (const [roomId, expected] of [
      ['p', 1],
      ['q', 2],
      ['r', 1],
      ['s', 0],
    ]) {
      await assertCounted(roomId, expected);
    }
  });

  it('are never fewer than those who stay, and never more than there are', async () => {
    const roomId = 'in motion';
    const [a, b, c] = fleet.members;
    const stay = [];
    for (const member of fleet.members) stay.push(await visit(member, roomId));
    await untilCounted(a, roomId, stay.length);

    const comers = 4;
    const moving = fleet.members.flatMap(member =>
      Array.from({ length: comers }, async () => {
        const client = await connect(member);
        for (let round = 0; round < 50; round += 1) {
          await client.join(roomId);
          await client.settle();
          await client.ask({ action: 'LEAVE_ROOM', roomId });
        }
        client.terminate();
      }),
    );
    let goOn = true;
    const asking = [a, b, c].map(async member => {
      const seen = new Set();
      while (goOn) seen.add(await member.call('getClusterClientCount', roomId));
      return seen;
    });
    await Promise.all(moving);
    goOn = false;
    for (const seen of await Promise.all(asking)) {
      const [least, most] = [Math.min(...seen), Math.max(...seen)];
      assert.ok(least >= stay.length, `${least} were counted, ${stay.length} stayed`);
      const all = stay.length + moving.length;
      assert.ok(most <= all, `${most} were counted, of ${all}`);
    }
    await assertCounted(roomId, stay.length);
  });

  it('are counted by a process that has come later, and those that it brings', async t => {
    const roomId = 'later';
    await visit(fleet.members[0], roomId);
    const late = await startMember(t, { cluster: { url: fleet.redis.url } });
    assert.equal(await late.call('getClusterClientCount', roomId), 1);
    await visit(late, roomId);
    await assertCounted(roomId, 2);
  });
});
