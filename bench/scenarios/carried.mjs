// As much as gets from one process to another, with one client in each room there. The bot sends as
// long as fewer than a window of updates are on their way, so that nothing piles up beyond it, and
// the window is the one of several that carries most. An update counts when a client has it.

import { ClusterStage } from '../cluster-stage.mjs';
import { costs } from '../costs.mjs';
import { show } from '../figures.mjs';

const WINDOWS = [64, 256, 1_024, 4_096, 16_384];
/** Of a thousand rooms, about one update in each. */
const SPARSE = 1_024;

const carried = (name, rooms) => ({
  name,
  short: `carried, ${rooms === 1 ? 'one room' : `${show(rooms)} rooms`}`,
  title: ({ rooms }) =>
    `carried: as many updates as get across, ${rooms === 1 ? 'one room' : `${show(rooms)} rooms in turn`}`,
  figures: ['carried', 'window', 'p50', 'skipped', 'sparse', ...costs.figures],
  full: { clients: rooms, rooms, seconds: 3 },
  quick: { clients: rooms, rooms, seconds: 2 },
  stage: ClusterStage,
  applies: peer => peer.cluster,

  async measure(stage, _peer, { clients, rooms, seconds }) {
    await stage.connect({ here: 0, there: clients }, rooms);
    await stage.flow({ rooms, window: WINDOWS[1], seconds: 1 });
    let most = { carried: 0 };
    let sparse;
    for (const window of WINDOWS) {
      let flow;
      const spent = await stage.spend(async () => {
        flow = await stage.flow({ rooms, window, seconds });
      });
      const { messages, skipped, spanNs, p50 } = flow;
      const figures = {
        carried: messages / (spanNs / 1e9),
        window,
        p50: p50 / 1e6,
        skipped: (100 * skipped) / (messages + skipped),
        ...costs.each(spent, messages),
      };
      if (window === SPARSE) sparse = figures.carried;
      if (figures.carried > most.carried) most = figures;
    }
    return { ...most, sparse };
  },
});

export const carriedOne = carried('carried', 1);
export const carriedMany = carried('carried-rooms', 1_000);
