'use strict';

const { USER_ID, userIdFrom } = require('./arguments.js');
const { describe, wrong } = require('./describe.js');

/** Who it is could not be found out: a fault of the server, not of the user. */
const FAILED = Object.freeze({ kind: 'failed' });
const DENIED = Object.freeze({ kind: 'denied' });

const RIGHT = `${USER_ID}, { userId, data?, expiresAt? }, or null for no`;

/**
 * What `authenticate` answered, in one form. `data` stays on this side.
 *
 * @param {unknown} answer
 * @returns {{ kind: 'ok' | 'denied', userId?: string, expiresAt?: number, data?: unknown }}
 * @throws {TypeError} where the answer is none of those allowed.
 */
function verdictOf(answer) {
  // What a lookup that found nobody tends to return.
  if (answer === null || answer === undefined || answer === false) return DENIED;
  if (typeof answer !== 'object') {
    const userId = userIdFrom(answer);
    if (userId === undefined) throw wrong("authenticate's answer", RIGHT, answer);
    return { kind: 'ok', userId };
  }
  const { userId: user, data, expiresAt } = answer;
  const userId = userIdFrom(user);
  if (userId === undefined) {
    throw new TypeError(
      `authenticate's answer must have a userId, ${USER_ID}, got ${describe(user)} in ${describe(answer)}`,
    );
  }
  return { kind: 'ok', userId, data, expiresAt: expiresAtOf(expiresAt) };
}

function expiresAtOf(value) {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return Math.trunc(value);
  throw wrong('expiresAt', 'a number of milliseconds since the Unix epoch', value);
}

module.exports = { FAILED, verdictOf };
