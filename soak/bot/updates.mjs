// The bot's updates: a steady stream to every room, bursts, and large ones to one room.

import { HEAVY, ROOMS, send } from '../numbering.mjs';

const TICK_MS = 20;
/** So many small updates a tick: 100 a second. */
const EACH_TICK = 2;
/** A large one every so many ticks: 10 a second, 600 KB. */
const LARGE_EVERY = 5;
/** More at once than a room's history holds, about every ten seconds. */
const BURST = 100;
const BURST_ONE_IN = 500;

export class Updates {
  /** How many were handed over. */
  sent = 0;
  #hub;
  #random;
  #numbers = new Map();
  #timer;

  constructor(hub, random) {
    this.#hub = hub;
    this.#random = random;
  }

  begin() {
    for (const roomId of [...ROOMS, HEAVY]) this.#next(roomId);
    let ticks = 0;
    this.#timer = setInterval(() => {
      for (let count = 0; count < EACH_TICK; count++) this.#next(this.#random.pick(ROOMS));
      if (++ticks % LARGE_EVERY === 0) this.#next(HEAVY);
      if (this.#random.oneIn(BURST_ONE_IN)) {
        const roomId = this.#random.pick(ROOMS);
        for (let count = 0; count < BURST; count++) this.#next(roomId);
      }
    }, TICK_MS);
  }

  /** Sends each room one more; what is true of it then, as entries `[roomId, { number, seq, epoch }]`. */
  end() {
    clearInterval(this.#timer);
    return [...ROOMS, HEAVY].map(roomId => {
      this.#next(roomId);
      if (this.#hub.getRoomState(roomId) === undefined) this.#next(roomId);
      const { seq, epoch } = this.#hub.getRoomState(roomId);
      return [roomId, { number: this.#numbers.get(roomId), seq, epoch }];
    });
  }

  #next(roomId) {
    const number = (this.#numbers.get(roomId) ?? 0) + 1;
    this.#numbers.set(roomId, number);
    if (!send(this.#hub, roomId, number)) throw new Error('the hub took no update');
    this.sent += 1;
  }
}
