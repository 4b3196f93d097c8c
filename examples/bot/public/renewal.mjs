// When the HTTP API is asked again about rooms: soon, but many wishes at once are one question, and
// one question is under way at a time.

const SOON_MS = 100;
// After a restart every page has the same wish: not all at the same moment.
const SPREAD_MS = 200;
const LONGEST_MS = 5_000;
const TRIES = 6;
/** From so many rooms on it is cheaper to ask for all. */
const MANY = 4;

export class Renewal {
  #one;
  #all;
  #wanted = new Set();
  #wantsAll = false;
  #tries = 0;
  #timer;
  #asking = false;
  #stopped = false;

  /** `one(id)` and `all()` ask, and resolve with whether all is known now. */
  constructor({ one, all }) {
    this.#one = one;
    this.#all = all;
  }

  /** Wants a room renewed, or all. */
  want(id) {
    if (id === undefined) this.#wantsAll = true;
    else this.#wanted.add(id);
    this.#tries = 0;
    this.#schedule();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule() {
    if (this.#timer || this.#asking || this.#stopped) return;
    const wait = Math.min(LONGEST_MS, SOON_MS * 2 ** this.#tries);
    this.#timer = setTimeout(() => this.#ask(), wait + Math.random() * SPREAD_MS);
  }

  async #ask() {
    this.#timer = undefined;
    this.#asking = true;
    const ids = [...this.#wanted];
    const all = this.#wantsAll || ids.length >= MANY;
    this.#wanted.clear();
    this.#wantsAll = false;
    const known = all ? [await this.#all()] : await Promise.all(ids.map(id => this.#one(id)));
    this.#asking = false;

    // What stays unknown is left to the next update: no bot is asked for ever.
    this.#tries += 1;
    if (this.#tries < TRIES) {
      if (all) this.#wantsAll ||= !known[0];
      else for (const id of ids.filter((_, index) => !known[index])) this.#wanted.add(id);
    }
    if (this.#wantsAll || this.#wanted.size > 0) this.#schedule();
  }
}
