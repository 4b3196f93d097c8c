'use strict';

const { IncomingMessage } = require('node:http');

/**
 * The request that the hub's own listener has read, for `authenticate`.
 *
 * @param {{ method: string, url: string, rawHeaders: string[], remoteAddress?: string }} event
 */
function requestOf({ method, url, rawHeaders, remoteAddress }) {
  return {
    method,
    url,
    headers: joinHeaders(rawHeaders),
    rawHeaders,
    socket: { remoteAddress, encrypted: false },
  };
}

/** By Node's own rules on which headers are joined, and how. */
function joinHeaders(rawHeaders) {
  const message = new IncomingMessage(null);
  message.rawHeaders = rawHeaders;
  return message.headers;
}

module.exports = { requestOf };
