'use strict';

// A bot in a worker thread: a hub of its own and updates that never stop, until the thread is
// terminated.

const { parentPort, workerData } = require('node:worker_threads');
const { openHub } = require('../server');

async function run({ form }) {
  const options = { logger: false, threads: 2, authorizeJoin: async () => true };
  const { hub, port } = await openHub(form, options);
  for (const event of ['connection', 'join', 'leave', 'disconnect']) hub.on(event, () => {});
  parentPort.postMessage({ port });
  for (let count = 0; ; count += 1) {
    for (let room = 1; room <= 3; room += 1) hub.broadcastParticipantCount(room, count, 2 ** 31);
    await new Promise(resolve => setImmediate(resolve));
  }
}

run(workerData);
