'use strict';

// A bot that is one of several on one Redis. It is told by messages which method of its hub to call,
// and answers with the result; what its hub tells by itself it passes on.
//
// Started by `fork`, with options of the hub as JSON in the first argument. Messages to it:
// { id, method, args } and { id, method, each: [args, …] }, which calls without a pause in between;
// or { id, own, args } for one of OWN. Messages from it: { port }, then { id, value } or
// { id, error }, and { state } of `cluster` events, { error } of `error` events, { line } of the log.

const fs = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { setupRoomWebSocketServer } = require('../../..');
const { closeServer, createServer, listen } = require('../server');

const THREADS = '/proc/self/task';

const loopDelay = monitorEventLoopDelay({ resolution: 1 });

const shown = ({ name, message, code, stack }) => ({ name, message, code, stack });

const send = message => {
  if (process.connected) process.send(message);
};

const logger = {};
for (const level of ['debug', 'info', 'warn', 'error']) {
  logger[level] = (message, fields) => send({ line: { level, message, fields } });
}

/** What a test asks of the process rather than of its hub. */
const OWN = {
  /** The names of its threads, where the system tells. */
  threads: () =>
    fs
      .readdirSync(THREADS)
      .map(thread => fs.readFileSync(`${THREADS}/${thread}/comm`, 'utf8').trim()),
  /** Microseconds of processor time so far, of all threads. */
  cpu: () => process.cpuUsage(),
  /** Bytes that it holds in memory. */
  resident: () => process.memoryUsage.rss(),
  /** Starts to watch how late its event loop is. */
  watchLoop: () => {
    loopDelay.reset();
    loopDelay.enable();
  },
  /** The longest delay of its event loop since then, in milliseconds. */
  longestDelay: () => loopDelay.max / 1e6,
};

async function run(options) {
  const server = createServer('http');
  const hub = setupRoomWebSocketServer(server, { logger, ...options });
  // In the same turn, or the first of them would have nobody to be told to.
  hub.on('cluster', state => send({ state }));
  hub.on('error', error => send({ error: shown(error) }));
  const port = await listen(server);

  // Calls of the hub, as [method, ...args], and its end in the same turn.
  OWN.stop = async (closing, last) => {
    process.off('disconnect', abandoned);
    for (const [method, ...args] of last) hub[method](...args);
    await hub.close(closing);
    await closeServer(server);
  };

  // So many updates in one go, over these rooms in turn, each with its number for its counts.
  OWN.flood = ({ rooms, updates, bytes }) => {
    const padding = 'x'.repeat(bytes);
    let taken = 0;
    for (let number = 0; number < updates; number += 1) {
      const counts = { currentParticipants: number, maxParticipants: updates };
      if (hub.broadcastRoomUpdate(number % rooms, { event: 'FLOOD', padding, ...counts }))
        taken += 1;
    }
    return taken;
  };

  async function answer({ method, own, args = [], each }) {
    if (own) return OWN[own](...args);
    if (each) return Promise.all(each.map(some => hub[method](...some)));
    return hub[method](...args);
  }

  process.on('message', async message => {
    const { id, own } = message;
    try {
      send({ id, value: await answer(message) });
    } catch (error) {
      send({ id, error: shown(error) });
    }
    // Nothing but this channel keeps the process from now on.
    if (own === 'stop') process.disconnect();
  });
  send({ port });
}

// Who started it has ended, and may have been killed.
const abandoned = () => process.exit(1);
process.on('disconnect', abandoned);

run(JSON.parse(process.argv[2]));
