'use strict';

const { STATUS_CODES } = require('node:http');

// One function for all sockets, so that a listener keeps nothing of the connection alive.
function ignore() {}

// As long as the hub itself waits for a client that it has sent away.
const LINGER_MS = 1_000;

/**
 * The response is out: what the client still sends is thrown away until it ends too, for unread bytes
 * would turn our end into a reset, which can overtake the response.
 */
function linger() {
  const timer = setTimeout(() => this.destroy(), LINGER_MS);
  this.once('close', () => clearTimeout(timer));
}

/**
 * Writes a whole HTTP response to a socket that Node's HTTP server has given up, and ends it.
 *
 * @param {import('node:stream').Duplex} socket
 * @param {string} response
 */
function respond(socket, response) {
  socket.on('error', ignore);
  socket.once('finish', linger);
  socket.resume();
  socket.end(response);
}

/**
 * @param {import('node:stream').Duplex} socket
 * @param {number} status
 * @param {string} reason The body, a line of text.
 * @param {Record<string, string>} [headers]
 */
function refuse(socket, status, reason, headers) {
  const body = `${reason}\n`;
  const lines = Object.entries({
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  respond(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
}

/**
 * For what may work in a moment or elsewhere.
 *
 * @param {import('node:stream').Duplex} socket
 * @param {string} reason
 */
function refuseForNow(socket, reason) {
  refuse(socket, 503, reason, { 'Retry-After': '1' });
}

module.exports = { ignore, refuse, refuseForNow, respond };
