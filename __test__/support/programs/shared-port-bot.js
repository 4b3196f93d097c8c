'use strict';

// A bot in two processes that share one port by Node's own cluster module, as under pm2. A client is
// told by its `userId` which of them has it, and each says in a room who has joined there.
//
// Settings: those of the hub. Lines: { port } when both listen.

const cluster = require('node:cluster');
const { openHub } = require('../server');

const PROCESSES = 2;

async function serve(options) {
  const { hub, port } = await openHub('http', { authenticate: () => process.pid, ...options });
  hub.on('join', ({ userId }, roomId) => hub.broadcastRoomUpdate(roomId, userId, 1, 2, 'join'));
  hub.on('cluster', state => {
    if (state === 'up') process.send({ port });
  });
}

function start() {
  // In turn, whatever the system's default is.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ args: process.argv.slice(2) });
  let ready = 0;
  cluster.on('message', (_, line) => {
    ready += 1;
    if (ready === PROCESSES) process.stdout.write(`${JSON.stringify(line)}\n`);
  });
  for (let n = 0; n < PROCESSES; n += 1) cluster.fork();
}

if (cluster.isPrimary) start();
else serve(JSON.parse(process.argv[2]));
