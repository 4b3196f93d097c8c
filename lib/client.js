'use strict';

const { closeCodeOf, closeReasonOf } = require('./arguments.js');

/** A connection as the bot sees it; the same object in every event and hook. */
class Client {
  #hub;

  constructor(hub, id, userId, remoteAddress, data) {
    this.#hub = hub;
    this.id = id;
    this.userId = userId;
    this.remoteAddress = remoteAddress;
    this.data = data;
  }

  /** Ends the connection; without a code, by the hub's own choice (1008 `Disconnected`). */
  close(code, reason) {
    this.#hub.closeClient(this.id, closeCodeOf(code), closeReasonOf(reason));
  }
}

/**
 * The clients that JavaScript has been told of. Those that no hook and no listener ever asks about
 * are not in here and cost nothing.
 */
class Clients {
  #hub;
  #known = new Map();

  constructor(hub) {
    this.#hub = hub;
  }

  /** Keeps what `authenticate` said of a connection for the events that come. */
  keep(id, userId, data) {
    this.#known.set(id, new Client(this.#hub, id, userId, undefined, data));
  }

  /** The client that an event of the hub is about. */
  of({ id, userId, remoteAddress }) {
    let client = this.#known.get(id);
    if (client === undefined) {
      client = new Client(this.#hub, id, userId, remoteAddress, undefined);
      this.#known.set(id, client);
    } else if (client.remoteAddress === undefined) {
      // Kept before the hub had told the address, which proxies have a say in.
      client.remoteAddress = remoteAddress;
    }
    return client;
  }

  forget(id) {
    this.#known.delete(id);
  }
}

module.exports = { Clients };
