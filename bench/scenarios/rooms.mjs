// Many small rooms, each with its own update once a second, spread evenly over the second.

import { show } from '../figures.mjs';
import { median } from '../numbers.mjs';

export const rooms = {
  name: 'rooms',
  short: 'many rooms',
  title: ({ clients, rooms }) =>
    `${show(rooms)} rooms of ${clients / rooms} clients, every room updated once a second`,
  figures: ['cpu', 'cpuMain', 'p50', 'p99', 'max', 'call'],
  full: { clients: 10_000, rooms: 1_000, seconds: 10 },
  quick: { clients: 5_000, rooms: 500, seconds: 2 },

  async measure(stage, _peer, { clients, rooms, seconds }) {
    await stage.connect(clients);
    const load = { rooms, updates: rooms * seconds, intervalMs: 1_000 / rooms };
    await stage.deliver({ ...load, updates: rooms });
    let delivered;
    const spent = await stage.spend(async () => {
      delivered = await stage.deliver(load);
    });
    return {
      cpu: spent.all / delivered.messages / 1e3,
      cpuMain: spent.main / delivered.messages / 1e3,
      p50: delivered.p50 / 1e6,
      p99: delivered.p99 / 1e6,
      max: delivered.max / 1e6,
      call: median(delivered.calls) / 1e3,
    };
  },
};
