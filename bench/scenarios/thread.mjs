// What an update costs the bot's own thread, the loop around it taken off: in a cluster, and without
// one.

import { ClusterStage } from '../cluster-stage.mjs';
import { show } from '../figures.mjs';
import { median } from '../numbers.mjs';

const ALONE = 'roomcast';

export const thread = {
  name: 'thread',
  short: "the bot's thread",
  title: ({ clients }) =>
    `the bot's thread: updates to one room of ${show(clients)} clients here and as many there`,
  figures: ['call', 'paced', 'bursts'],
  full: { clients: 10, paced: 10, pacedPasses: 300, burst: 200, burstPasses: 1000, beside: ALONE },
  quick: { clients: 10, paced: 10, pacedPasses: 60, burst: 200, burstPasses: 100, beside: ALONE },
  stage: ClusterStage,
  applies: peer => peer.name === 'clustered',

  async measure(stage, _peer, { clients, paced, pacedPasses, burst, burstPasses }) {
    const stages = [stage, stage.beside];
    for (const one of stages) await one.connect({ here: clients, there: clients });
    // What is compiled on its first use is not what is measured.
    await passes(stages, { updates: burst }, burstPasses);
    const slow = await passes(stages, { updates: paced, intervalMs: 10 }, pacedPasses);
    const fast = await passes(stages, { updates: burst }, burstPasses);
    const [own, alone] = stages.map((_, index) => ({
      call: median(slow[index].calls) / 1e3,
      paced: median(slow[index].differences),
      bursts: median(fast[index].differences),
    }));
    return { ...own, beside: { [ALONE]: alone } };
  },
};

/**
 * The load without its calls and with them, one stage after the other, many times: a turn of the
 * loop costs more than the call in it, and not always the same. Returns of each stage the
 * differences, in microseconds of CPU an update, and all calls' wall times.
 */
async function passes(stages, load, count) {
  const found = stages.map(() => ({ differences: [], calls: [] }));
  for (let pass = 0; pass < count; pass++) {
    for (const [index, stage] of stages.entries()) {
      const { differences, calls } = found[index];
      const idle = await stage.spend(() => stage.idle(load));
      const busy = await stage.spend(async () => {
        calls.push(...(await stage.deliver(load)).calls);
      });
      differences.push((busy.hereMain - idle.hereMain) / load.updates / 1e3);
    }
  }
  return found;
}
