'use strict';

// How a connection ends whose peer has broken the protocol: with the Close frame that RFC 6455
// names, and then with the end of the stream, not with a reset that could destroy that frame.

const assert = require('node:assert/strict');
const { OPCODE, frame, openSession } = require('./raw');
const { failsafe } = require('./wait');

/** The reasons of the protocol's table of close codes. */
const REASONS = { 1002: 'Protocol error', 1007: 'Invalid UTF-8', 1009: 'Message too large' };

const CLEAN = 'a clean end';

/** Notes how the stream of a raw client ends: the promise `raw.ending` says it in words. */
function watchEnd(raw) {
  const { socket } = raw;
  const ending = new Promise(resolve => {
    socket.once('end', () => resolve(CLEAN));
    socket.once('error', error => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('no end at all'));
  });
  raw.ending = failsafe(ending, () => 'the end of the stream');
  raw.ending.catch(() => {});
  return raw;
}

/** A session that is to be refused: as openSession opens it, with `ending`. */
async function openDoomed(server, request, options) {
  return watchEnd(await openSession(server, request, options));
}

/** Asserts that what comes next is one well-formed Close frame, and the end of the stream behind it. */
async function assertClosed(raw, { code, reason }, what) {
  const { payload, ...head } = await raw.nextFrame();
  const close = { fin: true, rsv: 0, opcode: OPCODE.close, masked: false };
  assert.deepEqual(head, close, what);
  assert.equal(payload.readUInt16BE(), code, what);
  assert.equal(payload.toString('utf8', 2), reason, what);
  assert.equal(await raw.ending, CLEAN, what);
  const closes = raw.frames.filter(({ opcode }) => opcode === OPCODE.close);
  assert.equal(closes.length, 1, what);
  assert.equal(raw.frames.at(-1), closes[0], what);
}

/** The same with a code of REASONS. */
function assertRefused(raw, code, what) {
  return assertClosed(raw, { code, reason: REASONS[code] }, what);
}

/**
 * Writes `bytes` so that the server reads those before `at` first: it has answered a Ping in front of
 * them by the time that the others leave.
 */
async function writeCut(raw, bytes, at) {
  raw.write(Buffer.concat([frame(OPCODE.ping, 'cut'), bytes.subarray(0, at)]));
  const { opcode } = await raw.nextFrame();
  assert.equal(opcode, OPCODE.pong);
  raw.write(bytes.subarray(at));
}

module.exports = { CLEAN, assertClosed, assertRefused, openDoomed, watchEnd, writeCut };
