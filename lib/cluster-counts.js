'use strict';

/**
 * Counts of a room's clients over all processes. The hub asks Redis and answers later, by an event;
 * every question gets an answer, also where the hub closes first.
 */
class ClusterCounts {
  #hub;
  /** Questions under way, by number. @type {Map<number, { room: number | string, resolve: Function }>} */
  #asked = new Map();
  #lastAsk = 0;

  /**
   * @param {import('../binding.js').Hub} hub
   */
  constructor(hub) {
    this.#hub = hub;
  }

  /**
   * @param {number | string} room A checked id.
   * @returns {Promise<number>}
   */
  of(room) {
    this.#lastAsk += 1;
    const ask = this.#lastAsk;
    // Without a cluster this process is all there is, and so it is for a hub that closes.
    if (!this.#hub.clusterClientCount(room, ask)) {
      return Promise.resolve(this.#hub.clientCount(room));
    }
    return new Promise(resolve => this.#asked.set(ask, { room, resolve }));
  }

  answered({ ask, count }) {
    this.#asked.get(ask)?.resolve(count);
    this.#asked.delete(ask);
  }

  /** The hub closes: questions under way are answered with the counts of this process. */
  close() {
    for (const { room, resolve } of this.#asked.values()) resolve(this.#hub.clientCount(room));
    this.#asked.clear();
  }
}

module.exports = { ClusterCounts };
