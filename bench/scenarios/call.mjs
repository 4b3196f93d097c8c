// The call by itself: a handful of clients, an idle hub.

import { show } from '../figures.mjs';
import { median, quantile } from '../numbers.mjs';

export const call = {
  name: 'call',
  short: 'one room, ten clients',
  title: size => `one room of ${show(size.clients)} clients, an update every 100 ms`,
  figures: ['call', 'callP99'],
  full: { clients: 10, updates: 40 },
  quick: { clients: 10, updates: 10 },

  async measure(stage, _peer, { clients, updates }) {
    await stage.connect(clients);
    await stage.deliver({ updates: 5, intervalMs: 100 });
    const { calls } = await stage.deliver({ updates, intervalMs: 100 });
    return { call: median(calls) / 1e3, callP99: quantile(calls, 0.99) / 1e3 };
  },
};
