'use strict';

// Processes that share a port (node:cluster, pm2's cluster mode): a page comes to any of them, and all
// are one hub.

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { dial } = require('./support/client');
const { runProgram } = require('./support/program');
const { needsRedis, startRedis } = require('./support/redis');

it('pages of one port are in one room, whichever process has them', needsRedis, async t => {
  const { url } = await startRedis(t);
  const program = runProgram(t, 'shared-port-bot.js', { threads: 1, cluster: { url } });
  const { port } = await program.nextLine();
  const server = { url: `ws://127.0.0.1:${port}/ws/rooms`, clients: [] };
  t.after(() => {
    for (const client of server.clients) client.terminate();
  });

  const arrive = async () => {
    const client = dial(server);
    const { userId } = await client.nextMessage();
    return { client, userId };
  };
  const [anna, ben] = [await arrive(), await arrive()];
  assert.notEqual(anna.userId, ben.userId, 'both are in one process');

  const { epoch } = await anna.client.join(1);
  const first = await anna.client.nextMessage();
  assert.deepEqual([first.participantName, first.seq], [anna.userId, 1]);
  assert.notEqual(first.epoch, epoch);

  // Ben joins in the other process, which tells both.
  await ben.client.join(1, { lastSeq: 1, epoch: first.epoch });
  for (const { client } of [anna, ben]) {
    const { participantName, seq } = await client.nextMessage();
    assert.deepEqual([participantName, seq], [ben.userId, 2]);
  }
});
