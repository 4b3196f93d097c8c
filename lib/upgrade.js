'use strict';

const { override } = require('./override.js');
const { serveOtherUpgrades } = require('./other-upgrades.js');
const { refuse, refuseForNow } = require('./refusal.js');

/**
 * What stands behind a path of a server.
 *
 * @typedef {object} Seat
 * @property {boolean} closing Whether the hub takes no more connections.
 * @property {(request: object, socket: object, head: Buffer) => void} upgrade
 * @property {(server: object) => void} serverClosing The server takes no more connections.
 * @property {(server: object) => void} serverClosed The server is put back as it was found.
 */

/** @type {WeakMap<import('node:http').Server, Gate>} */
const gates = new WeakMap();

// Node parses upgrades only where somebody listens for them.
function listener() {}

/**
 * Takes the upgrades of one server that are for our paths.
 *
 * They are taken where the server emits them, before any listener: one that serves another path may
 * answer 400 to all that is not its own (ws with `{ server, path }`), and even a listener put in
 * front can be preceded by a later one.
 */
class Gate {
  #server;
  #seats = new Map();
  #closing = false;
  #open = true;
  #restore;

  constructor(server) {
    this.#server = server;
    const gate = this;
    const other = serveOtherUpgrades(server, request => this.#isUpgrade(request));
    const restore = [
      other.restore,
      override(
        server,
        'emit',
        emit =>
          function emitToOthers(event, ...args) {
            if (!gate.#open) return Reflect.apply(emit, this, [event, ...args]);
            if (event === 'upgrade' && gate.#take(...args)) return true;
            const heard = Reflect.apply(emit, this, [event, ...args]);
            if (event === 'connection' || event === 'secureConnection') other.connection(args[0]);
            else if (event === 'close') gate.#serverClosed();
            return heard;
          },
      ),
      override(
        server,
        'close',
        close =>
          function closeWithGate(...args) {
            gate.#serverClosing();
            return Reflect.apply(close, this, args);
          },
      ),
    ];
    server.on('upgrade', listener);
    this.#restore = () => {
      server.off('upgrade', listener);
      for (const undo of restore) undo();
    };
  }

  /**
   * @param {string} path
   * @param {Seat} seat
   * @returns {() => void} Gives the path up.
   */
  seat(path, seat) {
    const taken = this.#seats.get(path);
    if (taken === seat) throw new Error('this hub is attached to this server already');
    if (taken && !taken.closing) {
      throw new Error(
        `another hub serves ${path} on this server: give one of them a path of its own (options.path)`,
      );
    }
    this.#seats.set(path, seat);
    return () => {
      if (this.#seats.get(path) === seat) this.#seats.delete(path);
      if (this.#seats.size === 0) this.#shut();
    };
  }

  get closing() {
    return this.#closing;
  }

  #take(request, socket, head) {
    const webSocket = isWebSocket(request);
    const seat = webSocket ? this.#seats.get(pathOf(request.url)) : undefined;
    if (seat !== undefined) this.#seatUpgrade(seat, request, socket, head);
    else if (this.#hasOtherListener()) return false;
    else if (webSocket) refuse(socket, 404, 'No WebSocket is served on this path');
    // Comes only from a connection that is older than this gate, on a Node that asks nobody.
    else refuseForNow(socket, 'Connect again without the Upgrade header');
    return true;
  }

  #seatUpgrade(seat, request, socket, head) {
    if (this.#closing || seat.closing) refuseForNow(socket, 'Server shutting down');
    else seat.upgrade(request, socket, head);
  }

  /** Whether a request with an Upgrade header goes to `upgrade`; undefined: as without us. */
  #isUpgrade(request) {
    if (!this.#open) return undefined;
    if (!isWebSocket(request)) return this.#hasOtherListener() ? undefined : false;
    return this.#seats.has(pathOf(request.url)) ? true : undefined;
  }

  #hasOtherListener() {
    return this.#server.listeners('upgrade').some(other => other !== listener);
  }

  #serverClosing() {
    if (!this.#open || this.#closing) return;
    this.#closing = true;
    for (const seat of [...this.#seats.values()]) seat.serverClosing(this.#server);
  }

  #serverClosed() {
    this.#serverClosing();
    const seats = [...this.#seats.values()];
    this.#shut();
    for (const seat of seats) seat.serverClosed(this.#server);
  }

  #shut() {
    if (!this.#open) return;
    this.#open = false;
    this.#seats.clear();
    gates.delete(this.#server);
    this.#restore();
  }
}

/** RFC 6455 §4.2.1: the Upgrade header holds "websocket", in any case and maybe beside others. */
function isWebSocket(request) {
  const { upgrade } = request.headers;
  if (upgrade === undefined) return false;
  return upgrade.split(',').some(name => name.trim().toLowerCase() === 'websocket');
}

function pathOf(url) {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/**
 * Serves a path of a server until the returned function is called or the server closes. The server
 * is left as it was found.
 *
 * @param {import('node:http').Server} server
 * @param {string} path
 * @param {Seat} seat
 * @returns {() => void}
 */
function attach(server, path, seat) {
  let gate = gates.get(server);
  if (gate?.closing) throw new Error('this server is closing');
  if (gate === undefined) {
    gate = new Gate(server);
    gates.set(server, gate);
  }
  return gate.seat(path, seat);
}

module.exports = { attach };
