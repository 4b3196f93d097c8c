// A process of hostile clients, each doing one thing after another.

import { setMaxListeners } from 'node:events';
import { ATTACKS } from './hostile/attacks.mjs';
import { randomOf } from './random.mjs';
import { serve, settings } from './steered.mjs';
import { Tally } from './tally.mjs';

const random = randomOf(settings.seed);
const tally = new Tally();
const calm = new AbortController();
setMaxListeners(0, calm.signal);
let lives = [];

async function live() {
  while (!calm.signal.aborted) {
    const { name, expected, run } = random.pick(ATTACKS);
    const server = { port: settings.port, secure: settings.form === 'https', clients: [] };
    tally.inject(`hostile: ${name}`);
    try {
      const outcome = await run(server, random, calm.signal);
      const isRight = outcome === expected || outcome === undefined;
      if (!isRight) tally.fault(`hostile: ${name}`, `${outcome}, not ${expected}`);
    } catch (error) {
      tally.fault(`hostile: ${name}`, String(error.stack));
    }
    for (const client of server.clients) client.terminate();
  }
}

serve({
  run() {
    lives = Array.from({ length: settings.clients }, live);
  },
  async calm() {
    calm.abort();
    await Promise.all(lives);
  },
  tally: () => tally,
});
