'use strict';

const { override } = require('./override.js');

/**
 * Has requests whose Upgrade header names something else than websocket (Java's HTTP client offers
 * `h2c` with every request) served as the ordinary requests they are. Node would hand them to
 * `upgrade`, bodies and all, since our listener is there.
 *
 * @param {import('node:http').Server} server
 * @param {(request: import('node:http').IncomingMessage) => boolean | undefined} isUpgrade
 *   Undefined: as without us.
 * @returns {{ connection(socket: import('node:net').Socket): void, restore(): void }}
 */
function serveOtherUpgrades(server, isUpgrade) {
  return typeof server.shouldUpgradeCallback === 'function'
    ? byCallback(server, isUpgrade)
    : byParser(isUpgrade);
}

/** Node asks (from 22.21 and 24.9 on). */
function byCallback(server, isUpgrade) {
  const restore = override(
    server,
    'shouldUpgradeCallback',
    shouldUpgrade =>
      function shouldUpgradeWithGate(request) {
        return isUpgrade(request) ?? Reflect.apply(shouldUpgrade, this, [request]);
      },
  );
  return { connection() {}, restore };
}

/**
 * Older Nodes ask nobody: their parser looks whether there is any listener, and takes `upgrade` off
 * the request where there is none. The same is done here, a step earlier. `parser.onIncoming` is
 * internal, but those release lines have it in this form for good.
 */
function byParser(isUpgrade) {
  return {
    connection(socket) {
      const onIncoming = socket.parser?.onIncoming;
      if (typeof onIncoming !== 'function') return;
      socket.parser.onIncoming = function onIncomingWithGate(request, keepAlive) {
        // CONNECT is an upgrade to the parser too, and none to us.
        if (request.upgrade && request.method !== 'CONNECT' && isUpgrade(request) === false) {
          request.upgrade = false;
        }
        return Reflect.apply(onIncoming, this, [request, keepAlive]);
      };
    },
    // Nothing to put back: parsers live as long as their connections, and the answer is no by then.
    restore() {},
  };
}

module.exports = { serveOtherUpgrades };
