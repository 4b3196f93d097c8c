// As many updates as the bot can call, one behind the other, then the next burst once all have
// arrived.

import { show } from '../figures.mjs';
import { median, quantile } from '../numbers.mjs';

export const burst = {
  name: 'burst',
  short: 'bursts',
  title: size => `bursts of ${size.updates} updates to a room of ${show(size.clients)} clients`,
  figures: ['cpu', 'cpuMain', 'p99', 'call', 'callP99', 'stall'],
  full: { clients: 1_000, updates: 200, bursts: 10 },
  quick: { clients: 1_000, updates: 200, bursts: 3 },

  async measure(stage, peer, { clients, updates, bursts }) {
    await stage.connect(clients);
    await stage.deliver({ updates });
    const spent = { all: 0, main: 0 };
    const calls = [];
    const p99 = [];
    let messages = 0;
    for (let index = 0; index < bursts; index++) {
      const { all, main } = await stage.spend(async () => {
        const delivered = await stage.deliver({ updates });
        calls.push(...delivered.calls);
        p99.push(delivered.p99);
        messages += delivered.messages;
      });
      spent.all += all;
      spent.main += main;
    }
    const figures = {
      cpu: spent.all / messages / 1e3,
      cpuMain: spent.main / messages / 1e3,
      p99: median(p99) / 1e6,
      call: median(calls) / 1e3,
      callP99: quantile(calls, 0.99) / 1e3,
    };
    if (!peer.bare) figures.stall = await stage.stall(() => stage.deliver({ updates }));
    return figures;
  },
};
