'use strict';

// Many clients of one thread that all speak at the same moment: each is answered, and nobody waits
// for a timer or for somebody else's bytes to be noticed.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { FORMS, startServer } = require('./support/server');

const CLIENTS = 300;
const ROUNDS = 10;

for (const form of FORMS) {
  describe(`${CLIENTS} clients at once, ${form}`, () => {
    it('are all answered, again and again', async t => {
      const server = await startServer(t, { form, threads: 1, messageBurst: 1_000 });
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, (_, number) => connect(server, { userId: `u${number}` })),
      );
      for (let round = 0; round < ROUNDS; round += 1) {
        const answers = await Promise.all(clients.map(client => client.ask({ action: 'PING' })));
        assert.ok(answers.every(text => text.startsWith('{"type":"PONG"')));
      }
      const joined = await Promise.all(clients.map(client => client.join('all')));
      assert.equal(joined.length, CLIENTS);
      assert.equal(server.hub.getClientCount('all'), CLIENTS);
      server.hub.broadcastParticipantCount('all', CLIENTS, CLIENTS);
      const updates = await Promise.all(clients.map(client => client.next()));
      assert.equal(new Set(updates).size, 1, 'all of them the same bytes');
    });

    it('are all told of the end, and all seen to go', async t => {
      const server = await startServer(t, { form, threads: 1, closeTimeout: 600_000 });
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, (_, number) => connect(server, { userId: `u${number}` })),
      );
      // Longer than any test waits: a close that needs its grace is one that was not noticed.
      await server.hub.close({ graceMs: 600_000 });
      for (const client of clients) assert.equal((await client.closed).code, 1001);
    });
  });
}
