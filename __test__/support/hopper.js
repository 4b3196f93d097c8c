'use strict';

const assert = require('node:assert/strict');
const { dial } = require('./client');
const { HoppingStream } = require('./hopping-stream');
const { failsafe } = require('./wait');

/** Clients one after the other that are one to the rooms: each goes on where the last one stood. */
class Hopper {
  #history;
  #userId;
  #streams = new Map();
  #client;
  #waiting;
  #fault;
  /** Rooms that the present connection is in. */
  joined = new Set();

  /**
   * @param {string} userId
   * @param {number} history how many updates the hubs hold
   */
  constructor(userId, history) {
    this.#userId = userId;
    this.#history = history;
  }

  /** What it has seen of a room. */
  stream(roomId) {
    if (!this.#streams.has(roomId)) this.#streams.set(roomId, new HoppingStream(this.#history));
    return this.#streams.get(roomId);
  }

  get streams() {
    return [...this.#streams.values()];
  }

  /** Connects to a member; the 101 is here when it resolves. */
  async open(member) {
    const client = dial(member, { userId: this.#userId });
    this.#client = client;
    this.joined = new Set();
    client.ws.on('message', bytes => {
      if (client === this.#client) this.#see(bytes.toString());
    });
    client.ws.on('close', code => {
      if (client === this.#client) this.#fail(new Error(`closed with ${code}`));
    });
    await client.opened;
  }

  join(roomId) {
    this.#client.send({ action: 'JOIN_ROOM', roomId, ...this.stream(roomId).place });
  }

  /** Gone, with the closing handshake or without a word; what still comes is not read. */
  leave(isClean) {
    if (isClean) this.#client.ws.close();
    else this.#client.terminate();
    this.#client = undefined;
    for (const stream of this.streams) stream.gone();
  }

  /** Waits for messages until a condition holds. */
  async until(condition, what) {
    if (this.#fault) throw this.#fault;
    if (condition()) return;
    const met = new Promise((resolve, reject) => {
      this.#waiting = { condition, resolve, reject };
    });
    await failsafe(met, what);
  }

  #see(text) {
    try {
      const message = JSON.parse(text);
      if (message.type === 'ROOM_JOINED') {
        this.stream(message.roomId).joined(message);
        this.joined.add(message.roomId);
      } else if (message.type === 'ROOM_UPDATE') {
        assert.ok(this.joined.has(message.roomId), text);
        this.stream(message.roomId).update(message, text);
      } else assert.equal(message.type, 'CONNECTION_ESTABLISHED', text);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#waiting?.condition()) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve();
    }
  }

  #fail(error) {
    this.#fault ??= error;
    this.#waiting?.reject(error);
  }
}

module.exports = { Hopper };
