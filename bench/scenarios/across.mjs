// An update that is called in one process and delivered in another, now and then.

import { ClusterStage } from '../cluster-stage.mjs';
import { costs } from '../costs.mjs';
import { show } from '../figures.mjs';
import { median, quantile } from '../numbers.mjs';

export const across = {
  name: 'across',
  short: 'across processes',
  title: ({ here, clients }) =>
    `across processes: 100 updates a second to one room of ${show(here)} clients here and ${show(clients)} there`,
  figures: ['p50', 'p99', 'call', 'callP99', ...costs.figures],
  full: { here: 10, clients: 10, updates: 1_000 },
  quick: { here: 10, clients: 10, updates: 500 },
  stage: ClusterStage,
  applies: peer => peer.cluster,

  async measure(stage, _peer, { here, clients, updates }) {
    await stage.connect({ here, there: clients });
    const load = { updates, intervalMs: 10 };
    await stage.deliver({ ...load, updates: 200 });
    let delivered;
    const spent = await stage.spend(async () => {
      delivered = await stage.deliver(load);
    });
    return {
      p50: delivered.p50 / 1e6,
      p99: delivered.p99 / 1e6,
      max: delivered.max / 1e6,
      call: median(delivered.calls) / 1e3,
      callP99: quantile(delivered.calls, 0.99) / 1e3,
      ...costs.each(spent, updates),
    };
  },
};
