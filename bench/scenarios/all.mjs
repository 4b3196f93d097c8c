// The scenarios, in the order in which they are run and shown.

import { accept } from './accept.mjs';
import { across } from './across.mjs';
import { burst } from './burst.mjs';
import { call } from './call.mjs';
import { carriedMany, carriedOne } from './carried.mjs';
import { memory } from './memory.mjs';
import { room } from './room.mjs';
import { rooms } from './rooms.mjs';
import { thread } from './thread.mjs';

/** By what they are published as. */
export const groups = {
  hub: [room, call, burst, rooms, accept, memory],
  cluster: [across, carriedOne, carriedMany, thread],
};
export const scenarios = Object.values(groups).flat();

/** Whether a scenario is one for this peer; those of the cluster have scenarios of their own. */
export const fits = (scenario, peer) => (scenario.applies ? scenario.applies(peer) : !peer.cluster);

/** A scenario's size for one peer, within the machine's limit of descriptors. */
export function sizeFor(scenario, peer, { quick, descriptors }) {
  const size = { ...scenario[quick ? 'quick' : 'full'] };
  // Either process needs some for itself; an adopted socket has two for a moment.
  const most = descriptors - 500;
  const rooms = size.rooms ?? 1;
  const scaled = Math.min(most, size.clients * (peer.share ?? 1));
  size.clients = Math.max(rooms, Math.floor(scaled / rooms) * rooms);
  if (size.few) size.few = Math.min(size.few, Math.floor(size.clients / 6));
  if (size.before) size.before = Math.min(size.before, Math.floor(size.clients / 2));
  return size;
}
