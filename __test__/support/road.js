'use strict';

const net = require('node:net');
const { listen } = require('./server');

const UPGRADE = /^GET [^\r\n]*\r\n(?:[^\r\n]+\r\n)*upgrade: *websocket\r\n/im;

/**
 * What lies between pages and a server, byte for byte, and can fail there: be cut, be shut,
 * fall silent, or let no WebSocket pass.
 */
class Road {
  #server;
  #target;
  #pairs = new Set();
  #frozen = false;
  #upgrades = true;
  #shut = false;

  constructor(target) {
    this.#target = target;
    this.#server = net.createServer(near => this.#lead(near));
  }

  get port() {
    return this.#server.address().port;
  }

  /** `http://127.0.0.1:port`. */
  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many connections it carries. */
  get connections() {
    return this.#pairs.size;
  }

  /** Leads to another port from now on, as where a server comes back elsewhere. */
  leadTo(port) {
    this.#target = port;
  }

  /** Ends every connection; new ones are whole. */
  cut() {
    for (const pair of this.#pairs) this.#end(pair);
  }

  /** Ends every connection, and lets none through until it is opened. */
  shut() {
    this.#shut = true;
    this.cut();
  }

  open() {
    this.#shut = false;
  }

  /** Both ends go on as if connected, and nothing arrives any more, not even an end: a phone out of reach. */
  freeze() {
    this.#frozen = true;
    for (const pair of this.#pairs) pair.dead = true;
  }

  /** New connections are whole; those that were frozen stay dead until they are cut. */
  thaw() {
    this.#frozen = false;
  }

  /** Ends WebSockets, and refuses new ones as proxies do that know nothing of them. */
  blockUpgrades() {
    this.#upgrades = false;
    for (const pair of this.#pairs) if (pair.upgraded) this.#end(pair);
  }

  allowUpgrades() {
    this.#upgrades = true;
  }

  listen() {
    return listen(this.#server);
  }

  async close() {
    this.cut();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #lead(near) {
    if (this.#shut) return near.destroy();
    const pair = {
      near,
      far: net.connect(this.#target, '127.0.0.1'),
      upgraded: false,
      dead: this.#frozen,
    };
    this.#pairs.add(pair);
    for (const socket of [near, pair.far]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        if (!pair.dead) this.#end(pair);
      });
    }
    near.on('data', bytes => {
      if (UPGRADE.test(bytes.toString('latin1'))) {
        if (!this.#upgrades) {
          near.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
          return;
        }
        pair.upgraded = true;
      }
      this.#carry(pair, pair.far, bytes);
    });
    pair.far.on('data', bytes => this.#carry(pair, near, bytes));
  }

  #carry(pair, to, bytes) {
    if (!pair.dead) to.write(bytes);
  }

  #end(pair) {
    this.#pairs.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  }
}

/**
 * Lays a road to a port of 127.0.0.1, which is taken away when the test is over.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {number} port
 */
async function layRoad(t, port) {
  const road = new Road(port);
  t.after(() => road.close());
  await road.listen();
  return road;
}

module.exports = { layRoad };
