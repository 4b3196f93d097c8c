'use strict';

// A bot in a worker thread is terminated with clients connected, messages on their way and updates
// running. The hub of the main thread, and the process, do not notice.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const { broadcastRoomUpdate, roomWebSocketService } = require('..');
const { RoomClient, connect } = require('./support/client');
const { FORMS, startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const ROUNDS = 20;
const CLIENTS = 5;

const program = path.join(__dirname, 'support', 'programs', 'worker-bot.js');

/** A bot in a worker with its clients in a room, each of which has seen an update. */
async function startRound(t, form) {
  const worker = new Worker(program, { workerData: { form } });
  t.after(() => worker.terminate());
  let failure;
  worker.on('error', error => {
    failure = error;
  });
  const [{ port }] = await nextEvent(worker, 'message');
  const url = `${form === 'https' ? 'wss' : 'ws'}://127.0.0.1:${port}/ws/rooms`;
  const clients = [];
  for (let n = 0; n < CLIENTS; n += 1) clients.push(new RoomClient(`${url}?userId=u${n}`));
  t.after(() => {
    for (const client of clients) client.terminate();
  });
  for (const [n, client] of clients.entries()) {
    await client.opened;
    client.send({ action: 'JOIN_ROOM', roomId: 1 + (n % 3) });
    let message;
    do message = await client.nextMessage();
    while (message.type !== 'ROOM_UPDATE');
  }
  assert.equal(failure, undefined);
  return { worker, clients };
}

for (const form of FORMS) {
  describe(`a bot in a worker, ${form}`, () => {
    it(`is terminated ${ROUNDS} times in a row, the main thread unharmed`, async t => {
      const own = await startServer(t);
      const witness = await connect(own, { userId: 'witness' });
      let { seq } = await witness.join(1);
      const threads = () => fs.readdirSync('/proc/self/task').length;
      let threadsBefore;

      for (let round = 0; round < ROUNDS; round += 1) {
        const { worker, clients } = await startRound(t, form);
        // Something is under way in every direction at the moment of the end.
        for (const client of clients) client.send({ action: 'PING' });
        assert.equal(broadcastRoomUpdate(1, `round ${round}`, round, ROUNDS, 'join'), true);
        await worker.terminate();
        for (const client of clients) await client.closed;

        const update = await witness.nextMessage();
        seq += 1;
        assert.equal(update.seq, seq);
        assert.equal(update.participantName, `round ${round}`);
        assert.deepEqual(await witness.settle(), []);
        assert.equal(roomWebSocketService.getClientCount(1), 1);
        if (process.platform === 'linux') {
          threadsBefore ??= threads();
          await until(
            () => threads() <= threadsBefore,
            "the end of the threads of the worker's hub",
          );
        }
      }
      assert.equal(own.hub.getStats().openConnections, 1);
    });
  });
}

describe('hubs of several threads', () => {
  it('have rooms, clients and counters of their own', async t => {
    const own = await startServer(t);
    const witness = await connect(own);
    await witness.join(1);
    const { worker, clients } = await startRound(t, 'http');
    assert.equal(roomWebSocketService.getClientCount(1), 1);
    assert.equal(roomWebSocketService.getStats().openConnections, 1);
    assert.deepEqual(await witness.settle(), []);
    broadcastRoomUpdate(1, 'main', 1, 2, 'join');
    assert.equal((await witness.nextMessage()).participantName, 'main');
    assert.ok(!clients.some(client => client.received.some(text => text.includes('"main"'))));
    await worker.terminate();
  });
});
