'use strict';

// The bot's thread is busy and turns its event loop not once; clients on another thread do not
// notice. What they saw is counted in shared memory, and read by the busy thread itself before it
// lets go: whatever is there by then has arrived during the block, on any clock. Relayed sockets
// need Node's loop by their nature and are not promised this.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const { startServer } = require('./support/server');
const { FAILSAFE_MS, nextEvent } = require('./support/wait');

const BLOCK_MS = 2000;
const UPDATES = 500;

/** The places in the shared counters, as programs/watching-client.js fills them. */
const { COUNTERS } = require('./support/programs/watching-client');

/** Starts the clients' thread; resolves when its client is in the room. */
async function startWatcher(t, server) {
  const counters = new Int32Array(new SharedArrayBuffer(4 * Object.keys(COUNTERS).length));
  const worker = new Worker(path.join(__dirname, 'support', 'programs', 'watching-client.js'), {
    workerData: { url: server.url, counters },
  });
  t.after(() => worker.terminate());
  const [message] = await nextEvent(worker, 'message');
  assert.equal(message, 'joined');
  const count = name => Atomics.load(counters, COUNTERS[name]);
  return { worker, count };
}

/**
 * Blocks this thread for as long as a bot might, and then until `condition` holds; gives whether it
 * ever did.
 */
function block(condition) {
  const start = Date.now();
  while (Date.now() - start < BLOCK_MS || !condition()) {
    if (Date.now() - start > FAILSAFE_MS) return false;
  }
  return true;
}

for (const form of ['http', 'standalone']) {
  describe(`while the bot's thread is blocked, ${form}`, () => {
    it('clients get PONG, protocol pongs, heartbeats and the updates handed over before', async t => {
      // A session whose heartbeat waited for the bot's thread would be ended before the block is
      // over.
      const server = await startServer(t, {
        form,
        pingInterval: 100,
        pongTimeout: 500,
        maxBufferedBytes: 16 * 1024 * 1024,
        messageRate: 1000,
      });
      const { worker, count } = await startWatcher(t, server);

      // The updates are handed over in the very turn of the loop that then blocks.
      for (let number = 0; number < UPDATES; number += 1) {
        assert.equal(
          server.hub.broadcastRoomUpdate(1, `n${number}`, number, UPDATES, 'join'),
          true,
        );
      }
      const before = {
        PONG: count('PONG'),
        protocolPong: count('protocolPong'),
        ping: count('ping'),
      };
      const arrived = block(
        () =>
          count('update') === UPDATES &&
          count('PONG') >= before.PONG + 3 &&
          count('protocolPong') >= before.protocolPong + 3 &&
          count('ping') >= before.ping + 3,
      );
      const seen = Object.fromEntries(Object.keys(COUNTERS).map(name => [name, count(name)]));
      assert.ok(
        arrived,
        `during the block, after ${JSON.stringify(before)}: ${JSON.stringify(seen)}`,
      );
      assert.equal(seen.outOfOrder, 0);
      assert.equal(seen.closed, 0);

      worker.postMessage('leave');
      await nextEvent(worker, 'exit');
    });
  });
}
