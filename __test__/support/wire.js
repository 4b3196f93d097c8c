'use strict';

const net = require('node:net');
const { listen } = require('./server');

/**
 * What lies between a hub and its Redis, and can be cut in between: connections to `port` go on to
 * the Redis, and what Redis answers comes back, `lateMs` later, unless the wire is deaf.
 */
class Wire {
  #server;
  #pairs = new Set();
  #deaf = false;

  constructor(redis, { lateMs, heard }) {
    this.#server = net.createServer(near => {
      const far = net.connect(redis.port, '127.0.0.1');
      const pair = { near, far };
      this.#pairs.add(pair);
      near.on('data', bytes => far.write(bytes));
      far.on('data', bytes => {
        if (this.#deaf) return;
        const said = heard(bytes, far);
        if (lateMs > 0) setTimeout(() => near.write(said), lateMs);
        else near.write(said);
      });
      for (const socket of [near, far]) {
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.once('close', () => this.#end(pair));
      }
    });
  }

  /** As `cluster.url` takes it. */
  get url() {
    return `redis://127.0.0.1:${this.#server.address().port}`;
  }

  /** From now on what Redis answers and tells is lost. */
  deafen() {
    this.#deaf = true;
  }

  /** Ends all connections; new ones are whole. */
  cut() {
    for (const pair of this.#pairs) this.#end(pair);
    this.#deaf = false;
  }

  listen() {
    return listen(this.#server);
  }

  async close() {
    this.cut();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #end(pair) {
    this.#pairs.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  }
}

/**
 * Lays a wire to a Redis, which is taken away when the test is over.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {import('./redis').Redis} redis
 * @param {{ lateMs?: number, heard?: (bytes: Buffer, redis: net.Socket) => Buffer }} [options] by how much
 *   what Redis says is late, and what the hub hears of it
 */
async function layWire(t, redis, { lateMs = 0, heard = bytes => bytes } = {}) {
  const wire = new Wire(redis, { lateMs, heard });
  t.after(() => wire.close());
  await wire.listen();
  return wire;
}

module.exports = { layWire };
