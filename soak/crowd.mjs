// A process of clients: 'readers', which read all the time, or 'stallers', which do not.

import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { HISTORY } from './bot/limits.mjs';
import { Acts } from './crowd/acts.mjs';
import { Client } from './crowd/client.mjs';
import { Ledger } from './crowd/stream.mjs';
import { randomOf } from './random.mjs';
import { serve, settings } from './steered.mjs';
import { Tally } from './tally.mjs';

/** For the newest updates to arrive: far beyond what they take. */
const PATIENCE_MS = 30_000;
/** One of so many stallers never reads again. */
const NEVER = 3;

const random = randomOf(settings.seed);
const tally = new Tally();
let named = 0;
const world = {
  url: `${settings.form === 'https' ? 'wss' : 'ws'}://127.0.0.1:${settings.port}/ws/rooms`,
  ca: readFileSync(new URL('../__test__/fixtures/tls/cert.pem', import.meta.url)),
  history: HISTORY,
  ledger: new Ledger(),
  name: () => `${settings.name} ${++named}`,
  random,
  tally,
};
const clients = Array.from({ length: settings.clients }, () => new Client(world));

const calm = new AbortController();
setMaxListeners(0, calm.signal);
const acts = new Acts(world, calm.signal);
let lives = [];

process.on('unhandledRejection', error => tally.fault('a fault of the soak', String(error.stack)));

function live(client, index) {
  if (settings.kind === 'readers') return acts.wander(client);
  return index % NEVER === 0 ? acts.neverRead(client) : acts.stall(client);
}

serve({
  run() {
    lives = clients.map(live);
    setInterval(() => {
      for (const client of clients) client.tick();
    }, 1_000);
  },
  /** Everyone comes to rest, reading and in its rooms. */
  async calm() {
    calm.abort();
    await Promise.all(lives);
  },
  /** Holds what the clients have against what the bot says that there is. */
  async check({ books }) {
    const truth = new Map(books);
    const isThere = () => clients.every(client => client.isAt(truth));
    for (const end = Date.now() + PATIENCE_MS; !isThere() && Date.now() < end; ) await sleep(20);
    for (const client of clients) client.settle(truth);
  },
  async leave() {
    await Promise.all(clients.map(client => client.end(random.pick(['close', 'reset', 'vanish']))));
  },
  /** This process is going to be stopped: no client of it reads for a while. */
  expectStop() {
    for (const client of clients) if (client.isOpen) client.expectGaps();
  },
  /** Who has stopped by itself goes on by itself: a word from it would be a sign of life. */
  goOn() {
    for (const client of clients) if (client.isReading) acts.catchUp(client);
  },
  tally: () => tally,
});
