// What an idle member costs, and whether its memory comes back.

import { setTimeout as sleep } from 'node:timers/promises';
import { show } from '../figures.mjs';

const PERIOD = 5_000;
/** So often the same, and it will not come back. */
const STILL = 3;
/** Of the start: the memory of a server that has never had a client. */
const BACK = 1.2;

export const memory = {
  name: 'memory',
  short: 'memory',
  title: ({ few, clients }) =>
    `memory: ${show(few)}, then ${show(clients)} idle clients, then none`,
  figures: ['perClient', 'start', 'peak', 'closed', 'closedRatio', 'closedAfter'],
  full: { few: 3_000, clients: 18_000, periods: 12 },
  quick: { few: 1_000, clients: 6_000, periods: 1 },
  /** A bare loop has no memory to speak of. */
  applies: peer => !peer.bare && !peer.cluster,

  async measure(stage, _peer, { few, clients, periods }) {
    const start = await stage.memory();
    await stage.connect(few);
    const low = await stage.memory();
    await stage.connect(clients);
    const peak = await stage.memory();
    await stage.disconnect();
    let closed = peak;
    let period = 0;
    let still = 0;
    do {
      await sleep(PERIOD);
      const before = closed;
      closed = await stage.memory();
      still = Math.abs(closed - before) < before / 100 ? still + 1 : 0;
    } while (++period < periods && still < STILL && closed > BACK * start);
    return {
      perClient: (peak - low) / (clients - few) / 1024,
      start: start / 2 ** 20,
      peak: peak / 2 ** 20,
      closed: closed / 2 ** 20,
      closedRatio: closed / start,
      closedAfter: (period * PERIOD) / 1e3,
    };
  },
};
