'use strict';

const { delayOf } = require('./arguments.js');
const { ClusterCounts } = require('./cluster-counts.js');
const { wrong } = require('./describe.js');
const environment = require('./environment.js');
const { Link } = require('./link.js');
const { listen } = require('./listen.js');
const { createLog } = require('./log.js');
const { openHub } = require('./open-hub.js');
const { isServer, nativeOptions, setupArguments, wrongServer } = require('./options.js');
const { refuseForNow } = require('./refusal.js');
const { RoomMethods } = require('./room-methods.js');
const { attach } = require('./upgrade.js');

// The one default that is not the hub's alone: requests are told apart by it before a hub sees them.
const DEFAULT_PATH = '/ws/rooms';

// As far away as a timer can be: it is only there for the process to stay alive.
const FAR_AWAY_MS = 2 ** 31 - 1;

/** A hub, the servers that it is attached to, and its life. */
class RoomWebSocketServer extends RoomMethods {
  #hub;
  #counts;
  #link;
  #path;
  /** Whether connections also come in by other ways than attached servers. */
  #standsAlone;
  /** What detaches each server. @type {Map<import('node:http').Server, () => void>} */
  #servers = new Map();
  /** Those that are not closing. @type {Set<import('node:http').Server>} */
  #serving = new Set();
  #seat;
  #drained;
  #resolveDrained;
  #keepAlive;
  #forgetSignal;

  constructor(first, second) {
    const { server, options } = setupArguments(first, second);
    const log = createLog(options.logger);
    const path = options.path ?? DEFAULT_PATH;
    const hub = openHub({ ...nativeOptions(options), path }, () => this.#link.deliver());
    const counts = new ClusterCounts(hub);
    super(hub, counts, log);
    this.#hub = hub;
    this.#counts = counts;
    this.#path = path;
    this.#standsAlone = server === undefined;
    this.#link = new Link(hub, counts, options, log, {
      tell: (event, ...args) => this.tell(event, ...args),
      ended: () => this.#end(),
    });
    this.#seat = this.#makeSeat();
    environment.enter(hub);
    try {
      this.#open(server, options);
    } catch (error) {
      this.close({ graceMs: 0 });
      throw error;
    }
  }

  attach(server) {
    if (!isServer(server)) throw wrongServer('server', server);
    if (this.#drained) throw new Error('this hub is closed: set up another one for this server');
    this.#servers.set(server, attach(server, this.#path, this.#seat));
    this.#serving.add(server);
    return this;
  }

  handleUpgrade(request, socket, head) {
    if (typeof request?.headers !== 'object' || typeof request.url !== 'string') {
      throw wrong('request', "the request of an 'upgrade' event", request);
    }
    if (typeof socket?.end !== 'function' || typeof socket.destroy !== 'function') {
      throw wrong('socket', "the socket of an 'upgrade' event", socket);
    }
    if (!(head instanceof Uint8Array)) throw wrong('head', 'a Buffer', head);
    if (socket.destroyed) return;
    if (this.#drained) refuseForNow(socket, 'Server shutting down');
    else this.#link.upgrade(request, socket, head);
  }

  address() {
    for (const server of this.#servers.keys()) {
      const address = server.address();
      if (address) return address;
    }
    return this.#hub.address() ?? null;
  }

  close(options = {}) {
    if (typeof options !== 'object' || options === null) {
      throw wrong('options', 'an object such as { graceMs: 1000 }', options);
    }
    const graceMs = delayOf('options.graceMs', options.graceMs);
    const spreadMs = delayOf('options.spreadMs', options.spreadMs);
    if (this.#drained) return this.#drained;
    this.#drained = new Promise(resolve => {
      this.#resolveDrained = resolve;
    });
    environment.startDrain(this.#hub);
    this.#counts.close();
    this.#stayAlive();
    this.#hub.close(graceMs, spreadMs);
    return this.#drained;
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }

  ref() {
    if (!this.#drained) this.#keepAlive?.ref();
    return this;
  }

  unref() {
    if (!this.#drained) this.#keepAlive?.unref();
    return this;
  }

  #open(server, options) {
    if (server) this.attach(server);
    else if (!options.noServer) {
      listen(this.#hub, options);
      this.#stayAlive();
    }
    const { signal } = options;
    if (!signal) return;
    const close = () => this.close();
    if (signal.aborted) return close();
    signal.addEventListener('abort', close, { once: true });
    this.#forgetSignal = () => signal.removeEventListener('abort', close);
  }

  /** What the servers' gates see of this hub. */
  #makeSeat() {
    const isClosing = () => this.#drained !== undefined;
    return {
      get closing() {
        return isClosing();
      },
      upgrade: (request, socket, head) => this.#link.upgrade(request, socket, head),
      serverClosing: server => {
        this.#serving.delete(server);
        if (this.#serving.size === 0 && !this.#standsAlone) this.close();
      },
      serverClosed: server => this.#servers.delete(server),
    };
  }

  /** A hub's threads do not keep Node's loop alive, so something of Node's has to. */
  #stayAlive() {
    this.#keepAlive ??= setInterval(() => {}, FAR_AWAY_MS);
    this.#keepAlive.ref();
  }

  #end() {
    for (const detach of this.#servers.values()) detach();
    this.#servers.clear();
    this.#serving.clear();
    this.#forgetSignal?.();
    clearInterval(this.#keepAlive);
    environment.leave(this.#hub);
    this.#resolveDrained();
    this.tell('close');
  }
}

module.exports = { RoomWebSocketServer };
