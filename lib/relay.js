'use strict';

const { ignore } = require('./refusal.js');

/**
 * Moves the bytes of sockets that only Node can read and write: TLS, or a platform without
 * descriptors. The hub counts what it has given out and not been told to be written, so what waits
 * in Node's write queue is part of the client's backlog.
 */
class Relay {
  #hub;
  /** @type {Map<number, import('node:stream').Duplex>} */
  #sockets = new Map();

  constructor(hub) {
    this.#hub = hub;
  }

  add(id, socket) {
    this.#sockets.set(id, socket);
    // The hub has a heartbeat of its own, and joins small writes itself.
    socket.setTimeout?.(0);
    socket.setNoDelay?.(true);
    socket.on('error', ignore);
    socket.on('close', () => {
      this.#sockets.delete(id);
      this.#hub.relayClosed(id);
    });
    socket.on('end', () => this.#hub.relayEnd(id));
    socket.on('data', bytes => {
      if (!this.#hub.relayData(id, bytes)) socket.pause();
    });
    // Where the bot awaited something, the end may have come and the socket may be paused.
    if (socket.readableEnded) this.#hub.relayEnd(id);
    socket.resume();
  }

  write({ id, bytes }) {
    const socket = this.#sockets.get(id);
    socket?.write(bytes, error => {
      if (!error) this.#hub.relayWritten(id, bytes.length);
    });
  }

  end({ id }) {
    this.#sockets.get(id)?.end();
  }

  destroy({ id }) {
    this.#sockets.get(id)?.destroy();
  }

  resume({ id }) {
    this.#sockets.get(id)?.resume();
  }

  /** The hub is gone; whoever is left has nobody to talk to. */
  destroyAll() {
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
  }
}

module.exports = { Relay };
