'use strict';

const { EventEmitter } = require('node:events');

// The bits that the hub knows its news by.
const NEWS = { connection: 1, disconnect: 2, join: 4, leave: 8, slow: 16 };

// A state rather than news: the hub tells it unasked, for whoever comes late, too.
const STATE = 'cluster';

/**
 * An emitter that knows which news somebody listens for, so that nothing else is sent across, and
 * whose listeners cannot hurt anybody by throwing or rejecting.
 */
class NewsEmitter extends EventEmitter {
  #mask = 0;
  /** The state that nobody has heard yet, as arguments. @type {unknown[] | undefined} */
  #unheard;
  #listenFor;
  #log;

  /**
   * @param {(mask: number) => void} listenFor
   * @param {ReturnType<import('./log.js').createLog>} log
   */
  constructor(listenFor, log) {
    super({ captureRejections: true });
    this.#listenFor = listenFor;
    this.#log = log;
  }

  // Overridden, not heard of by `newListener`: removeAllListeners would remove that listener too.

  on(event, listener) {
    super.on(event, listener);
    return this.#listened();
  }

  addListener(event, listener) {
    return this.on(event, listener);
  }

  prependListener(event, listener) {
    super.prependListener(event, listener);
    return this.#listened();
  }

  off(event, listener) {
    super.off(event, listener);
    return this.#listened();
  }

  removeListener(event, listener) {
    return this.off(event, listener);
  }

  removeAllListeners(...events) {
    super.removeAllListeners(...events);
    return this.#listened();
  }

  [Symbol.for('nodejs.rejection')](error, event) {
    this.#failed(event, error);
  }

  /**
   * Emits; what a listener throws is logged. An `error` that nobody listens for is logged too, and a
   * state is kept for who listens first.
   */
  tell(event, ...args) {
    if (this.listenerCount(event) === 0) {
      if (event === 'error') this.#log('error', args[0].message, { error: args[0] });
      else if (event === STATE) this.#unheard = args;
      return;
    }
    try {
      this.emit(event, ...args);
    } catch (error) {
      this.#failed(event, error);
    }
  }

  #catchUp() {
    const args = this.#unheard;
    this.#unheard = undefined;
    if (args !== undefined) this.tell(STATE, ...args);
  }

  #failed(event, error) {
    this.#log('error', `a listener of '${String(event)}' failed`, { error });
  }

  #listened() {
    let mask = 0;
    for (const event in NEWS) if (this.listenerCount(event) > 0) mask |= NEWS[event];
    if (mask !== this.#mask) {
      this.#mask = mask;
      this.#listenFor(mask);
    }
    if (this.#unheard !== undefined && this.listenerCount(STATE) > 0) {
      queueMicrotask(() => this.#catchUp());
    }
    return this;
  }
}

module.exports = { NewsEmitter };
