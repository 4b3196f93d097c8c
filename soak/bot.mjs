// The bot with the hub in it, a process of its own: what its memory, descriptors and threads are is
// the hub's doing.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { unwatch, watch } from '../bench/bot/stall.mjs';
import { unusedHeap } from '../bench/bot/unused.mjs';
import { setupRoomWebSocketServer } from '../index.mjs';
import { Disruptions } from './bot/disruptions.mjs';
import { hooksOf } from './bot/hooks.mjs';
import { limits } from './bot/limits.mjs';
import { Updates } from './bot/updates.mjs';
import { randomOf } from './random.mjs';
import { serve, settings } from './steered.mjs';
import { Tally } from './tally.mjs';

const tally = new Tally();
const random = randomOf(settings.seed);
const inject = (kind, count) => tally.inject(kind, count);

for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, error => tally.fault(event, String(error?.stack ?? error)));
}

/** The hooks fail on purpose, and that is warned of; an error is one. */
const logger = {
  debug() {},
  info() {},
  warn() {},
  error: (message, fields) => {
    const isOurs = fields?.error?.message === 'a fault of the soak';
    if (!isOurs) tally.fault('error in the log', `${message} ${fields?.error?.stack ?? ''}`);
  },
};

const { failNowAndThen, ...hooks } = hooksOf(random, inject);
const listening = { port: 0, host: '127.0.0.1', backlog: 4096 };

async function open(form, options) {
  if (form === 'standalone') return setupRoomWebSocketServer({ ...listening, ...options });
  const tls = file => readFileSync(new URL(`../__test__/fixtures/tls/${file}`, import.meta.url));
  const server =
    form === 'https'
      ? https.createServer({ cert: tls('cert.pem'), key: tls('key.pem') })
      : http.createServer();
  const hub = setupRoomWebSocketServer(server, options);
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(listening, resolve);
  });
  return hub;
}

const hub = await open(settings.form, { ...limits, ...hooks, logger });
const updates = new Updates(hub, random);
const disruptions = new Disruptions(hub, random, inject);
let stallMs = 0;

serve(
  {
    run() {
      watch();
      failNowAndThen(true);
      updates.begin();
      disruptions.begin();
    },
    calm() {
      disruptions.end();
      failNowAndThen(false);
    },
    finish() {
      const books = updates.end();
      stallMs = Math.max(stallMs, unwatch());
      return { books };
    },
    figures() {
      const { conflatedTotal, openConnections, totalConnections } = hub.getStats();
      const { bufferedBytes, slowClients, roomsKnown } = hub.getStats();
      const served = /^roomcast_connections_total (\d+)$/m.exec(hub.metrics())[1];
      return {
        served: Number(served),
        sent: updates.sent,
        conflated: conflatedTotal,
        stallMs,
        open: openConnections,
        left: { openConnections, totalConnections, bufferedBytes, slowClients, roomsKnown },
        tally,
      };
    },
    unused: async () => ({ bytes: await unusedHeap() }),
  },
  { port: hub.address().port },
);
