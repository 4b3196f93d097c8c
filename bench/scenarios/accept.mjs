// Clients that come: from the SYN to ROOM_JOINED, 64 on their way at a time.

import { show } from '../figures.mjs';

export const accept = {
  name: 'accept',
  short: 'accepts',
  title: size => `accepts: ${show(size.clients)} clients come and join, 64 at a time`,
  figures: ['accept', 'acceptMain'],
  full: { clients: 6_000, before: 1_000 },
  quick: { clients: 2_500, before: 500 },

  async measure(stage, _peer, { clients, before }) {
    // The first ones find code that has never run.
    await stage.connect(before);
    const spent = await stage.spend(() => stage.connect(clients));
    const measured = clients - before;
    return { accept: spent.all / measured / 1e3, acceptMain: spent.main / measured / 1e3 };
  },
};
