'use strict';

// A bot that has as few descriptors as a client tells it to have: it is told by the names of the
// rooms that the client joins, since a connection of its own would need one.
//
// `leave 1` uses up all descriptors but one, `free` gives them back, `open hubs` tries to open
// another hub with no descriptor, with one, with two and so on until it opens, and `stop` ends all.
// The logger writes its line and then throws.
//
// Settings: { form, threads, authenticate }. Lines: { port, pid }, then { level, message } for every
// line of the log, { abandoned } for every user whose verdict is not wanted any more, { opened }
// with what became of each attempt, and { reached } with what reached the process, when all that it
// had open is closed.

const fs = require('node:fs');
const { setupRoomWebSocketServer } = require('../../..');
const { givenBack, holdings, watchProcess } = require('../aftermath');
const { closeServer, createServer, listen } = require('../server');

/** More than it takes to open a hub of two threads that listens. */
const ENOUGH = 40;

const settings = JSON.parse(process.argv[2]);
const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);

const logger = {};
for (const level of ['debug', 'info', 'warn', 'error']) {
  logger[level] = message => {
    say({ level, message });
    throw new Error('a broken logger');
  };
}

const fillers = [];

function free() {
  for (const descriptor of fillers.splice(0)) fs.closeSync(descriptor);
}

function leave(count) {
  try {
    for (;;) fillers.push(fs.openSync('/dev/null'));
  } catch (error) {
    if (error.code !== 'EMFILE') throw error;
  }
  for (let left = 0; left < count; left += 1) fs.closeSync(fillers.pop());
}

function open(options) {
  return setupRoomWebSocketServer({ host: '127.0.0.1', port: 0, logger, ...options });
}

function openHubs() {
  const opened = [];
  for (let left = 0; left < ENOUGH; left += 1) {
    leave(left);
    try {
      const hub = open({ threads: 2, logger: false });
      opened.push('open');
      free();
      hub.close();
      break;
    } catch (error) {
      opened.push(error.message);
    }
    free();
  }
  say({ opened });
}

async function authenticate(request, { signal }) {
  const userId = new URL(request.url, 'ws://host').searchParams.get('userId');
  signal.addEventListener('abort', () => say({ abandoned: userId }));
  await new Promise(resolve => setImmediate(resolve));
  return userId;
}

async function run({ form, threads = 2, authenticate: asks = false }) {
  // The first line opens the standard output, which stays.
  say({ pid: process.pid });
  const watched = watchProcess();
  const before = holdings();
  const options = { threads, authorizeJoin, ...(asks && { authenticate }) };
  let server;
  let hub;
  let port;
  if (form === 'standalone') {
    hub = open(options);
    port = hub.address().port;
  } else {
    server = createServer(form);
    hub = setupRoomWebSocketServer(server, { logger, ...options });
    port = await listen(server);
  }
  say({ port });

  function authorizeJoin(_, command) {
    if (command === 'free') free();
    else if (command === 'open hubs') openHubs();
    else if (command === 'stop') setImmediate(stop);
    else leave(Number(/^leave (\d+)$/.exec(command)[1]));
    return true;
  }

  async function stop() {
    await hub.close();
    if (server) await closeServer(server);
    await givenBack(before);
    watched.stop();
    say({ reached: watched.reached });
  }
}

run(settings);
