// One room with many clients, an update every 300 ms: each call finds an idle hub.

import { show } from '../figures.mjs';
import { median, quantile } from '../numbers.mjs';

export const room = {
  name: 'room',
  short: 'one room',
  title: size => `one room of ${show(size.clients)} clients, an update every 300 ms`,
  figures: ['cpu', 'cpuMain', 'p50', 'p99', 'max', 'call', 'callP99', 'stall'],
  full: { clients: 10_000, updates: 20, stalls: 8 },
  quick: { clients: 2_000, updates: 6, stalls: 3 },

  async measure(stage, peer, { clients, updates, stalls }) {
    await stage.connect(clients);
    const load = { updates, intervalMs: 300 };
    // What is compiled on its first use is not what is measured.
    await stage.deliver({ ...load, updates: 3 });
    let delivered;
    const spent = await stage.spend(async () => {
      delivered = await stage.deliver(load);
    });
    const figures = {
      cpu: spent.all / delivered.messages / 1e3,
      cpuMain: spent.main / delivered.messages / 1e3,
      p50: delivered.p50 / 1e6,
      p99: delivered.p99 / 1e6,
      max: delivered.max / 1e6,
      call: median(delivered.calls) / 1e3,
      callP99: quantile(delivered.calls, 0.99) / 1e3,
    };
    // By itself, so that the watching timer is in no other figure.
    if (!peer.bare) {
      figures.stall = await stage.stall(() => stage.deliver({ ...load, updates: stalls }));
    }
    return figures;
  },
};
