// What clients do with their time: those that read, those that stop and go on, those that stop for
// good. Each returns once all is to come to rest and its client is connected and in its rooms; but
// who never reads is gone then.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  CLOSE_TIMEOUT_MS,
  PING_INTERVAL_MS,
  PONG_TIMEOUT_MS,
  SLOW_TIMEOUT_MS,
} from '../bot/limits.mjs';
import { HEAVY, ROOMS } from '../numbering.mjs';

/** So few that what is recovered of all of them together stays below `maxBufferedBytes`. */
const MOST_ROOMS = 3;

/** The time by which the hub has ended a client that reads nothing, and half of it again. */
const GIVEN_UP_MS =
  1.5 * Math.max(PING_INTERVAL_MS + PONG_TIMEOUT_MS, 2 * SLOW_TIMEOUT_MS + CLOSE_TIMEOUT_MS);
/** For an end that is there already to show itself. */
const SHOWN_MS = 10_000;

const ACTS = {
  join: 3,
  leave: 3,
  joinAgain: 3,
  several: 3,
  blunder: 1,
  close: 2,
  reset: 2,
  vanish: 2,
};

export class Acts {
  #world;
  #calm;

  /** @param {AbortSignal} calm Aborted when everyone is to come to rest. */
  constructor(world, calm) {
    this.#world = world;
    this.#calm = calm;
  }

  #pause(min, max) {
    const ms = this.#world.random.integer(min, max);
    return sleep(ms, undefined, { signal: this.#calm }).catch(() => {});
  }

  /** Reads all the time; joins, leaves, goes and comes back. */
  async wander(client) {
    const { random } = this.#world;
    client.wanted.add(random.pick(ROOMS)).add(random.pick(ROOMS));
    for (;;) {
      await this.#arrive(client);
      if (this.#calm.aborted) return;
      await this.#pause(200, 3_000);
      if (!this.#calm.aborted) await this.#act(client, random.weighted(ACTS));
    }
  }

  async #act(client, act) {
    const { random, tally } = this.#world;
    const own = random.pick([...client.wanted]);
    if (act === 'join') {
      if (client.wanted.size < MOST_ROOMS) client.wanted.add(random.pick(ROOMS));
    } else if (act === 'leave') {
      if (client.wanted.size === 1) return;
      client.wanted.delete(own);
      await client.leave(own);
    } else if (act === 'joinAgain') {
      await client.join(own);
    } else if (act === 'several') {
      // Sent together, answered in their order.
      const status = client.status(random.pick(ROOMS));
      await Promise.all([status, client.ping(), client.join(own), client.ping()]);
    } else if (act === 'blunder') {
      tally.inject('messages that make no sense');
      await client.blunder();
    } else {
      tally.inject(`connections ended by their client: ${act}`);
      await client.end(act);
      await this.#pause(0, 6_000);
    }
  }

  /** Stops reading again and again, and goes on. */
  async stall(client) {
    const { random, tally } = this.#world;
    client.wanted.add(HEAVY).add(random.pick(ROOMS));
    for (;;) {
      await this.#arrive(client);
      if (this.#calm.aborted) return;
      await this.#pause(1_000, 5_000);
      if (this.#calm.aborted || !client.isOpen) continue;
      tally.inject('readers that stop and go on');
      client.stop();
      await this.#pause(1_000, 15_000);
      client.goOn();
      await this.catchUp(client);
    }
  }

  /** Stops reading for good, again and again. */
  async neverRead(client) {
    const { random, tally } = this.#world;
    client.wanted.add(random.oneIn(2) ? HEAVY : random.pick(ROOMS));
    while (!this.#calm.aborted) {
      await this.#arrive(client);
      if (!client.isOpen) continue;
      tally.inject('readers that never go on');
      client.stop();
      await this.#pause(GIVEN_UP_MS, GIVEN_UP_MS);
      if (this.#calm.aborted) break;
      client.goOn();
      const late = new AbortController();
      const stillThere = sleep(SHOWN_MS, true, { signal: late.signal }).catch(() => false);
      if (await Promise.race([client.gone, stillThere])) {
        tally.fault('a client that read nothing is still there', client.userId);
      }
      late.abort();
    }
    client.wanted.clear();
    await client.end('vanish');
  }

  catchUp(client) {
    return client.catchUp(() => sleep(50));
  }

  /** Connects where it has to, and joins what it is not in. */
  async #arrive(client) {
    for (;;) {
      if (!client.isOpen && !(await client.connect())) {
        await sleep(this.#world.random.integer(50, 1_000));
        continue;
      }
      const absent = [...client.wanted].filter(roomId => !client.isIn(roomId));
      if (absent.length === 0) return;
      // What is recovered of large updates is a backlog at once.
      const large = absent.includes(HEAVY);
      if (large) client.expectGaps();
      await Promise.all(absent.map(roomId => client.join(roomId)));
      if (large) await this.catchUp(client);
      // The hook may have failed.
      else await sleep(20);
    }
  }
}
