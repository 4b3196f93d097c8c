// What the bot itself does to its clients: it forgets rooms, and revokes what it has granted.

import { HEAVY, ROOMS } from '../numbering.mjs';
import { isHostile } from './hooks.mjs';

const EVERY_MS = 250;
const WEIGHTS = {
  'forgetRoom, small': 8,
  'forgetRoom, large': 1,
  disconnectUser: 10,
  removeFromRoom: 10,
  'client.close': 4,
  disconnectRoom: 1,
};
/** Memberships to choose from. */
const RECENT = 64;

export class Disruptions {
  #hub;
  #random;
  #inject;
  #clients = new Map();
  #memberships = [];
  #timer;

  constructor(hub, random, inject) {
    this.#hub = hub;
    this.#random = random;
    this.#inject = inject;
    hub.on('connection', client => {
      if (!isHostile(client.userId)) this.#clients.set(client.id, client);
    });
    hub.on('disconnect', client => this.#clients.delete(client.id));
    hub.on('join', (client, roomId) => {
      if (isHostile(client.userId)) return;
      this.#memberships.push([client.userId, roomId]);
      if (this.#memberships.length > RECENT) this.#memberships.shift();
    });
  }

  begin() {
    this.#timer = setInterval(() => this.#disrupt(), EVERY_MS);
  }

  end() {
    clearInterval(this.#timer);
  }

  #disrupt() {
    const kind = this.#random.weighted(WEIGHTS);
    const client = this.#random.pick([...this.#clients.values()]);
    const membership = this.#random.pick(this.#memberships);
    if (client === undefined || membership === undefined) return;
    const disrupt = {
      'forgetRoom, small': () => this.#hub.forgetRoom(this.#random.pick(ROOMS)),
      'forgetRoom, large': () => this.#hub.forgetRoom(HEAVY),
      disconnectUser: () => this.#hub.disconnectUser(client.userId),
      removeFromRoom: () => this.#hub.removeFromRoom(...membership),
      'client.close': () => client.close(4000, 'Go elsewhere') ?? 1,
      disconnectRoom: () => this.#hub.disconnectRoom(this.#random.pick(ROOMS)),
    };
    this.#inject(kind, Number(disrupt[kind]()));
  }
}
