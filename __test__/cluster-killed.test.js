'use strict';

// A process that is killed: the others, and its own clients on them, go on; and once it has not been
// heard of for 15 s, the hubs' own deadline for it, it counts no more. So this takes as long.

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { connect } = require('./support/client');
const { startFleet, untilCounted } = require('./support/fleet');
const { GENEROUS, broadcast, comeBack, visit } = require('./support/fleet-clients');
const { status } = require('./support/messages');
const { needsRedis, startRedis } = require('./support/redis');
const { assertText } = require('./support/text');

it(
  'a killed process is not counted for long, and its clients go on elsewhere',
  needsRedis,
  async t => {
    const [a, b, c] = await startFleet(t, 3, await startRedis(t), GENEROUS);
    const stay = [await visit(a, 1), await visit(b, 1)];
    const clients = [await visit(c, 1), await visit(c, 1), await visit(c, 1)];
    const both = [...stay, ...clients];
    const { epoch } = JSON.parse(await broadcast(c, both, 1, 'first', 1, 9, 'join'));
    const { seq: lastSeq } = JSON.parse(await broadcast(a, both, 1, 'second', 2, 9, 'join'));
    await untilCounted(a, 1, 5);
    await visit(c, 'alone');
    await untilCounted(b, 'alone', 1);

    await c.kill();
    for (const client of clients) assert.equal((await client.closed).code, 1006);
    const missed = await broadcast(b, stay, 1, 'missed', 3, 9, 'join');
    for (const member of [a, b, a]) {
      const back = await comeBack(member, 1, { lastSeq, epoch });
      assert.equal(back.joined.recovered, true);
      assert.deepEqual(back.following, [missed]);
      stay.push(back.client);
    }
    await broadcast(a, stay, 1, 'next', 4, 9, 'join');

    for (const member of [a, b]) {
      await untilCounted(member, 'alone', 0);
      await untilCounted(member, 1, stay.length);
    }
    const page = await connect(b);
    assertText(await page.ask({ action: 'GET_ROOM_STATUS', roomId: 1 }), status(1, stay.length));
    await broadcast(b, stay, 1, 'last', 5, 9, 'join');
  },
);
