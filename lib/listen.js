'use strict';

const { constants } = require('node:os');

/**
 * Has the hub listen by itself; a failure is an error of the shape that Node's own listen has.
 *
 * @param {import('../binding.js').Hub} hub
 * @param {{ host?: string, port: number, backlog?: number }} where
 */
function listen(hub, { host, port, backlog }) {
  try {
    hub.listen(host, port, backlog);
  } catch (cause) {
    throw listenError(cause, host, port);
  }
}

function listenError(cause, host, port) {
  // The addon's messages start as libuv's do: "EADDRINUSE: address already in use 127.0.0.1:80".
  const code = /^[A-Z][A-Z0-9_]+(?=:)/.exec(cause.message)?.[0];
  const error = new Error(`listen ${cause.message}`, { cause });
  const errno = constants.errno[code];
  return Object.assign(error, {
    code,
    errno: errno === undefined ? undefined : -errno,
    syscall: 'listen',
    address: host,
    port,
  });
}

module.exports = { listen };
