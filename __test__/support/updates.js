'use strict';

const assert = require('node:assert/strict');

/** Apart enough for each update to have a millisecond of its own: the newest of them is known. */
const APART_MS = 3;

const MAX = 1_000_000;

/**
 * Updates of several bots, one after the other. The number of each is its count of participants, and
 * its name is that number too: the newest state of a room is the highest number that it was sent.
 */
class Updates {
  #going;
  #stop = false;

  /** How many there were so far, in all rooms. */
  sent = 0;
  /** The names of each room's. @type {Map<number | string, string[]>} */
  names = new Map();

  /** The counts of a room's newest. */
  newest(roomId) {
    return Number(this.names.get(roomId).at(-1).slice(1));
  }

  /** Has a bot send one; its name. The call may not fail, whatever has become of Redis. */
  async send(member, roomId) {
    await new Promise(resolve => setTimeout(resolve, APART_MS));
    this.sent += 1;
    const name = `P${this.sent}`;
    if (!this.names.has(roomId)) this.names.set(roomId, []);
    this.names.get(roomId).push(name);
    const call = ['broadcastRoomUpdate', roomId, name, this.sent, MAX, 'join'];
    assert.equal(await member.call(...call), true);
    return name;
  }

  /** Sends so many, the bots taking turns; the names. */
  async sendSome(members, roomId, count) {
    const names = [];
    while (names.length < count) {
      names.push(await this.send(members[names.length % members.length], roomId));
    }
    return names;
  }

  /** Goes on sending to these rooms, the bots taking turns, until `stop`. */
  start(members, roomIds) {
    this.#stop = false;
    this.#going = this.#goOn(members, roomIds);
    // It is `stop` that hands on what goes wrong.
    this.#going.catch(() => {});
  }

  /** Resolves when the last one is handed over. */
  stop() {
    this.#stop = true;
    return this.#going;
  }

  async #goOn(members, roomIds) {
    for (;;) {
      for (const roomId of roomIds) {
        for (const member of members) {
          if (this.#stop) return;
          await this.send(member, roomId);
        }
      }
    }
  }
}

module.exports = { Updates };
