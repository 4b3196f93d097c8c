'use strict';

const { failsafe } = require('./wait');

/** What arrived and has not been asked for, and who asked for what has not arrived. */
class Arrivals {
  #waiting = [];
  #unread = [];
  #end;

  /** Everything that ever arrived, for a failure's message. */
  all = [];

  push(item) {
    this.all.push(item);
    const taker = this.#waiting.shift();
    if (taker) taker.resolve(item);
    else this.#unread.push(item);
  }

  /** Nothing comes any more: whoever waits is told `why`. */
  end(why) {
    this.#end ??= why;
    for (const taker of this.#waiting.splice(0)) taker.reject(this.#failure());
  }

  /** The next item, in the order of arrival. */
  next() {
    if (this.#unread.length > 0) return Promise.resolve(this.#unread.shift());
    if (this.#end !== undefined) return Promise.reject(this.#failure());
    let taker;
    const item = new Promise((resolve, reject) => {
      taker = { resolve, reject };
      this.#waiting.push(taker);
    });
    return failsafe(item, () => `the next of what arrives; ${this.#soFar()}`);
  }

  /** Takes what has arrived unasked, without waiting. */
  takeUnread() {
    return this.#unread.splice(0);
  }

  #failure() {
    return new Error(`${this.#end}; ${this.#soFar()}`);
  }

  #soFar() {
    const last = this.all
      .slice(-20)
      .map(item => `\n  ${typeof item === 'string' ? item : JSON.stringify(item)}`);
    return `arrived so far, ${this.all.length} in all, the last:${last.join('')}`;
  }
}

module.exports = { Arrivals };
