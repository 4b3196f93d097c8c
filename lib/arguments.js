'use strict';

// Checks what the bot passes. These run before every update, so the good case is settled by
// `typeof` and allocates nothing; all that is slow stands behind it.

const { wrong } = require('./describe.js');

const MAX_ROOM_ID_BYTES = 128;
const MAX_USER_ID_BYTES = 128;
const MAX_NAME_BYTES = 256;
// RFC 6455 §5.5: a control frame carries 125 bytes, two of which are the close code.
const MAX_REASON_BYTES = 123;
// One UTF-16 unit is at most three bytes of UTF-8: shorter strings need no counting.
const BYTES_PER_UNIT = 3;
const LONGEST_INTEGER = '9007199254740991'.length;

// A delay that does not fit into 32 bits would fire at once, on timers of Node's kind.
const MAX_DELAY_MS = 2 ** 31 - 1;

const ROOM_ID =
  'a non-negative integer up to 2^53-1 or a string of 1 to 128 bytes without control characters';

const decimal = /^(?:0|[1-9][0-9]*)$/;
const control = /\p{Cc}/u;

const encoder = new TextEncoder();
const scratch = new Uint8Array(MAX_NAME_BYTES);

function isLongerThan(text, bytes) {
  return text.length * BYTES_PER_UNIT > bytes && Buffer.byteLength(text) > bytes;
}

/** The integer that a string is the one decimal form of, or -1. */
function integerOf(text) {
  if (text.length > LONGEST_INTEGER || !decimal.test(text)) return -1;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : -1;
}

/**
 * The room that is meant: `'1'` and `1` are one.
 *
 * @param {unknown} value
 * @returns {number | string}
 */
function roomIdOf(value) {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value !== 'string') throw wrong('roomId', ROOM_ID, value);
  const number = integerOf(value);
  if (number >= 0) return number;
  if (value === '' || isLongerThan(value, MAX_ROOM_ID_BYTES) || control.test(value)) {
    throw wrong('roomId', ROOM_ID, value);
  }
  // No client can name such a room: its JSON would be refused.
  if (!value.isWellFormed()) throw wrong('roomId', 'without lone surrogates', value);
  return value;
}

/**
 * How many there are, or -1 where the value is no count. Databases hand over big integers as
 * strings, so those are counts too.
 *
 * @param {unknown} value
 * @returns {number}
 */
function countFrom(value) {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : -1;
  return typeof value === 'string' ? integerOf(value) : -1;
}

/**
 * @param {string} name The argument's name.
 * @param {unknown} value
 * @returns {number}
 */
function countOf(name, value) {
  const count = countFrom(value);
  if (count < 0) throw wrong(name, 'a non-negative integer, or one in decimal digits', value);
  return count;
}

/**
 * A participant's name: `User` where the database has none, cut at a character where it is longer
 * than 256 bytes.
 *
 * @param {string} name The argument's name.
 * @param {unknown} value
 * @returns {string}
 */
function nameOf(name, value) {
  if (typeof value === 'string') {
    const text = value.toWellFormed();
    if (!isLongerThan(text, MAX_NAME_BYTES)) return text;
    return text.slice(0, encoder.encodeInto(text, scratch).read);
  }
  if (value === null || value === undefined) return 'User';
  throw wrong(name, 'a string, or null or undefined for "User"', value);
}

/**
 * @param {unknown} value
 * @returns {boolean} Whether the participant joined.
 */
function joinedOf(value) {
  if (value === 'join') return true;
  if (value === 'leave') return false;
  throw wrong('eventType', "'join' or 'leave'", value);
}

/**
 * @param {unknown} value
 * @returns {'FULL' | 'AVAILABLE' | 'OFFLINE'}
 */
function statusOf(value) {
  if (value === 'FULL' || value === 'AVAILABLE' || value === 'OFFLINE') return value;
  throw wrong('status', "'FULL', 'AVAILABLE' or 'OFFLINE'", value);
}

/**
 * Who is meant, or undefined where the value names nobody: a user is a string of 1 to 128 bytes or
 * a safe integer.
 *
 * @param {unknown} value
 * @returns {string | undefined}
 */
function userIdFrom(value) {
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value !== 'string' || value === '') return undefined;
  const text = value.toWellFormed();
  return isLongerThan(text, MAX_USER_ID_BYTES) ? undefined : text;
}

const USER_ID = 'a string of 1 to 128 bytes or a safe integer';

/**
 * @param {unknown} value
 * @returns {string}
 */
function userIdOf(value) {
  const userId = userIdFrom(value);
  if (userId === undefined) throw wrong('userId', USER_ID, value);
  return userId;
}

/**
 * A close code that may be sent: RFC 6455 §7.4 without those that only a program reports to itself.
 *
 * @param {unknown} value
 * @returns {number | undefined}
 */
function closeCodeOf(value) {
  if (value === undefined) return undefined;
  if (Number.isInteger(value)) {
    if (value >= 3000 && value <= 4999) return value;
    if (value >= 1000 && value <= 1014 && (value < 1004 || value > 1006)) return value;
  }
  throw wrong('code', '1000 to 1003, 1007 to 1014 or 3000 to 4999', value);
}

/**
 * @param {unknown} value
 * @returns {string | undefined}
 */
function closeReasonOf(value) {
  if (value === undefined) return undefined;
  const text = typeof value === 'string' ? value.toWellFormed() : undefined;
  if (text === undefined || isLongerThan(text, MAX_REASON_BYTES)) {
    throw wrong('reason', 'a string of at most 123 bytes', value);
  }
  return text;
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {number | undefined}
 */
function delayOf(name, value) {
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && value >= 0 && value <= MAX_DELAY_MS) return value;
  throw wrong(name, `an integer from 0 to ${MAX_DELAY_MS} (milliseconds)`, value);
}

module.exports = {
  USER_ID,
  closeCodeOf,
  closeReasonOf,
  countFrom,
  countOf,
  delayOf,
  joinedOf,
  nameOf,
  roomIdOf,
  statusOf,
  userIdFrom,
  userIdOf,
};
