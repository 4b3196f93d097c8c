'use strict';

const { Socket } = require('node:net');
const { refuseForNow, respond } = require('./refusal.js');

// What `socket.…` answers from the descriptor, which is closed soon.
const CACHED_BY_NODE = ['remoteAddress', 'remotePort', 'remoteFamily'];
const LOST_BY_NODE = ['localAddress', 'localPort', 'localFamily'];

const HOST = 'host';

/**
 * Takes the connections of upgrade requests out of Node and into a hub.
 */
class Handover {
  #hub;
  #hooks;
  #relay;
  #fail;

  /**
   * @param {import('../binding.js').Hub} hub
   * @param {import('./hooks.js').Hooks} hooks
   * @param {import('./relay.js').Relay} relay
   * @param {(error: Error) => void} fail Tells the bot of a connection that could not be taken.
   */
  constructor(hub, hooks, relay, fail) {
    this.#hub = hub;
    this.#hooks = hooks;
    this.#relay = relay;
    this.#fail = fail;
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:stream').Duplex} socket
   * @param {Buffer} head What came behind the request.
   */
  upgrade(request, socket, head) {
    if (socket.destroyed) return;
    try {
      this.#upgrade(request, socket, head);
    } catch (error) {
      refuseForNow(socket, 'Try again later');
      this.#fail(error);
    }
  }

  #upgrade(request, socket, head) {
    const upgradeHead = this.#headOf(request);
    if (this.#isRefused(upgradeHead, socket)) return;

    if (!this.#hooks.authenticates) {
      this.#take(upgradeHead, socket, head, null);
      return;
    }
    const asked = this.#hooks.authenticate(request);
    let id;
    try {
      // The hook had the request, and may have ended it, or closed the hub.
      if (!socket.destroyed && !this.#isRefused(upgradeHead, socket)) {
        id = this.#take(upgradeHead, socket, head, asked.verdict);
      }
    } finally {
      if (id === undefined) asked.drop();
      else asked.settle(id);
    }
  }

  /** Answers a request that the hub refuses. */
  #isRefused(upgradeHead, socket) {
    const refusal = this.#hub.refuse(upgradeHead);
    if (refusal) respond(socket, refusal.response);
    return Boolean(refusal);
  }

  #take(upgradeHead, socket, head, verdict) {
    return hasDescriptor(socket)
      ? this.#handOver(upgradeHead, socket, head, verdict)
      : this.#relayed(upgradeHead, socket, head, verdict);
  }

  #handOver(upgradeHead, socket, head, verdict) {
    const bytes = bytesBehind(socket, head);
    if (this.#hooks.authenticates) rememberAddresses(socket);
    const id = this.#hub.adopt(upgradeHead, socket._handle.fd, bytes, verdict);
    socket.destroy();
    return id;
  }

  #relayed(upgradeHead, socket, head, verdict) {
    const id = this.#hub.adoptRelayed(upgradeHead, bytesBehind(socket, head), verdict);
    this.#relay.add(id, socket);
    return id;
  }

  #headOf(request) {
    const { headers } = request;
    return {
      method: request.method,
      url: request.url,
      httpVersion: request.httpVersion,
      upgrade: headers.upgrade,
      connection: headers.connection,
      version: headers['sec-websocket-version'],
      key: headers['sec-websocket-key'],
      origin: headers.origin,
      host: hostOf(request),
      forwardedFor: headers['x-forwarded-for'],
      remoteAddress: request.socket.remoteAddress,
      // Who called this has matched the path, or serves another one on purpose.
      routed: true,
      originAllowed: this.#hooks.allows(headers.origin),
    };
  }
}

/**
 * The Host header, all of them where there are several: such a request is malformed (RFC 9112 §3.2),
 * but `headers` would show the first alone. (`headersDistinct` would copy every header for that.)
 */
function hostOf({ headers, rawHeaders }) {
  if (!Array.isArray(rawHeaders)) return headers.host;
  const hosts = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name.length === HOST.length && name.toLowerCase() === HOST) hosts.push(rawHeaders[at + 1]);
  }
  return hosts.length > 1 ? hosts.join(', ') : headers.host;
}

/**
 * Whether the hub can take the socket by its descriptor: not where TLS lies between, not on Windows,
 * and not while an earlier response on the same connection is still being written.
 */
function hasDescriptor(socket) {
  return (
    socket instanceof Socket &&
    socket.encrypted !== true &&
    socket._handle?.fd >= 0 &&
    socket.writableLength === 0 &&
    process.platform !== 'win32'
  );
}

/** The bytes that came behind the request, and what has come since where the bot awaited something. */
function bytesBehind(socket, head) {
  const later = socket.readableLength > 0 ? socket.read() : null;
  if (later === null) return head.length > 0 ? head : null;
  return head.length > 0 ? Buffer.concat([head, later]) : later;
}

/** Lets a hook that is still running ask the socket for its addresses. */
function rememberAddresses(socket) {
  for (const name of CACHED_BY_NODE) void socket[name];
  for (const name of LOST_BY_NODE) {
    Object.defineProperty(socket, name, { value: socket[name], configurable: true });
  }
}

module.exports = { Handover };
